package ui

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"tidings/imapsession"
	"tidings/store"
)

// TestUndoAgainstAServer has a person archive, delete, flag, mark, take back and
// do again, while a server of three mailboxes answers when it likes, UIDs never
// twice. In the end, taking everything back must give the server what it had at
// first, and doing it all again what it had before that.
func TestUndoAgainstAServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer func() {
			time.Sleep(time.Hour)
			synctest.Wait()
		}()
		rapid.Check(timeless{t}, undoAndRedo)
	})
}

// modelServer is what the commands are done on. What is open is the list of a fake
// session.
type modelServer struct {
	t     *rapid.T
	open  map[string]*fakeSession
	boxes map[string]map[store.UID]int // letters by UID
	next  map[string]store.UID
	flags map[int]store.Flags
}

var modelValidity = map[string]uint32{"INBOX": fakeValidity, "Archive": fakeValidity, "Trash": 9}

// state is where each letter is, and its flags.
func (s *modelServer) state() map[int]string {
	out := map[int]string{}
	for name, box := range s.boxes {
		for _, letter := range box {
			if at, twice := out[letter]; twice {
				s.t.Fatalf("letter %d is in %s and in %s", letter, at, name)
			}
			out[letter] = fmt.Sprint(name, s.flags[letter].Names())
		}
	}
	return out
}

// answer does the command c of a session; later events may come first.
func (s *modelServer) answer(f *fakeSession, c sent) {
	r := imapsession.ResultEvent{ID: c.id, Command: c.cmd}
	if slices.Contains(f.canceled, c.id) {
		r.Err = context.Canceled
		f.say(r)
		return
	}
	switch cmd := c.cmd.(type) {
	case imapsession.ListFolders:
		var all []imapsession.Folder
		for _, name := range []string{"INBOX", "Archive", "Trash"} {
			role := map[string]string{"Archive": "archive", "Trash": "trash"}[name]
			all = append(all, imapsession.Folder{Raw: name, Name: clean(name), Role: role})
		}
		f.say(imapsession.FoldersEvent{ID: c.id, Folders: all})
		f.say(r)
	case imapsession.StoreFlags:
		s.check(cmd.Target)
		gone := true
		for _, uid := range cmd.Target.UIDs {
			letter, ok := s.boxes[cmd.Target.Mailbox][uid]
			if !ok {
				continue
			}
			gone = false
			s.flags[letter] = s.flags[letter].With(cmd.Add, cmd.Remove)
			if at := s.open[cmd.Target.Mailbox]; at != nil {
				at.flag(uid, s.flags[letter].Names()...)
			}
		}
		if gone {
			r.Err = imapsession.ErrGone
		}
		f.say(r)
	case imapsession.Move:
		s.move(f, cmd, r)
	case imapsession.CountFolders:
		f.say(r)
	default:
		s.t.Fatalf("the server knows no %T", cmd)
	}
}

func (s *modelServer) check(t imapsession.Target) {
	if modelValidity[t.Mailbox] != t.UIDValidity {
		s.t.Fatalf("a command is aimed at %s with UIDVALIDITY %d", t.Mailbox, t.UIDValidity)
	}
}

func (s *modelServer) move(f *fakeSession, cmd imapsession.Move, r imapsession.ResultEvent) {
	s.check(cmd.Target)
	c := &imapsession.Copied{Place: store.Place{Mailbox: cmd.Dest, UIDValidity: modelValidity[cmd.Dest]}}
	var arrivals []func()
	for _, uid := range slices.Sorted(slices.Values(cmd.Target.UIDs)) {
		letter, ok := s.boxes[cmd.Target.Mailbox][uid]
		if !ok {
			continue
		}
		delete(s.boxes[cmd.Target.Mailbox], uid)
		if from := s.open[cmd.Target.Mailbox]; from != nil {
			from.expunge(uid)
		}
		to := s.next[cmd.Dest]
		s.next[cmd.Dest]++
		s.boxes[cmd.Dest][to] = letter
		c.From, c.To = append(c.From, uid), append(c.To, to)
		if at := s.open[cmd.Dest]; at != nil {
			arrivals = append(arrivals, func() {
				n := uint32(at.list.Len() + 1)
				at.change(store.Change{Kind: store.Exists, N: n}, 0)
				at.change(store.Change{Kind: store.Fill, Seq: n, UID: to, Flags: s.flags[letter]}, to)
				at.say(imapsession.SummariesEvent{UIDValidity: fakeValidity, Summaries: []*store.Summary{at.summary(to)}})
				at.say(imapsession.NewMailEvent{UIDValidity: fakeValidity, UIDs: []store.UID{to}, Count: 1})
			})
		}
	}
	if len(c.From) == 0 {
		r.Err = imapsession.ErrGone
		f.say(r)
		return
	}
	r.Copied = c
	early := rapid.Bool().Draw(s.t, "arrivals before the result")
	if !early {
		f.say(r)
	}
	for _, a := range arrivals {
		a()
	}
	if early {
		f.say(r)
	}
}

// some answers a command, of whichever session; it reports whether there was one.
func (s *modelServer) some(p *person) bool {
	for _, f := range []*fakeSession{p.server(), p.folder} {
		if f == nil {
			continue
		}
		if c, ok := f.take(); ok {
			s.answer(f, c)
			p.idle()
			return true
		}
	}
	return false
}

// show gives the session of a folder that is being opened what is there.
func (s *modelServer) show(f *fakeSession) {
	f.live()
	for i, uid := range slices.Sorted(maps.Keys(s.boxes[f.mailbox])) {
		f.apply(store.Change{Kind: store.Exists, N: uint32(i + 1)})
		f.apply(store.Change{Kind: store.Fill, Seq: uint32(i + 1), UID: uid, Flags: s.flags[s.boxes[f.mailbox][uid]]})
	}
	f.say(f.resync())
	s.open[f.mailbox] = f
}

func undoAndRedo(t *rapid.T) {
	var p *person
	var closed []string
	p = sitDown(t, 100, 30, openingFolders(&p, &closed))
	f := p.server()
	n := rapid.IntRange(1, 12).Draw(t, "messages")
	f.start(n)
	s := &modelServer{
		t: t, open: map[string]*fakeSession{"INBOX": f}, flags: map[int]store.Flags{},
		boxes: map[string]map[store.UID]int{"INBOX": {}, "Archive": {}, "Trash": {}},
		next:  map[string]store.UID{"INBOX": f.nextUID, "Archive": 1000, "Trash": 5000},
	}
	for i := range n {
		r := f.list.Row(i)
		s.boxes["INBOX"][r.UID] = i
		s.flags[i] = r.Flags
	}
	p.idle()
	quiet := func() {
		for n := 0; s.some(p); n++ {
			if n > 10_000 {
				s.t.Fatal("there is no end of commands")
			}
		}
	}
	a := p.m.accounts[0]
	first := s.state()
	t.Repeat(map[string]func(*rapid.T){
		"act":  func(t *rapid.T) { p.press(rapid.SampledFrom([]string{"a", "d", "!", "U"}).Draw(t, "key")) },
		"mark": func(t *rapid.T) { p.press(rapid.SampledFrom([]string{"x", "X", "V", "esc"}).Draw(t, "key")) },
		"go":   func(t *rapid.T) { p.press(rapid.SampledFrom([]string{"j", "k", "g", "G"}).Draw(t, "key")) },
		"undo": func(*rapid.T) { p.press("u") },
		"redo": func(*rapid.T) { p.press("ctrl+r") },
		"answer": func(t *rapid.T) {
			s.t = t
			s.some(p)
		},
		"there": func(t *rapid.T) {
			s.t = t
			p.command("go archive")
			for !a.folders.known {
				if !s.some(p) {
					t.Fatal("nobody asks for the folders")
				}
			}
			if p.folder != nil && s.open["Archive"] == nil {
				s.show(p.folder)
				p.idle()
			}
		},
		"back": func(*rapid.T) { p.press("B") },
	})
	s.t = t
	quiet()
	left := 0
	for b := range a.siblings {
		left += b.over.Len() + len(b.jobs) + len(b.returns.held)
	}
	if left != 0 || len(a.history.queue) != 0 || len(a.history.moving) != 0 {
		t.Fatalf("all is answered, and %d effects and jobs, %d wishes, %d moves are left", left, len(a.history.queue), len(a.history.moving))
	}
	before := s.state()
	deeds := len(a.history.done)
	for range deeds {
		p.press("u")
		if rapid.Bool().Draw(t, "wait") {
			quiet()
		}
	}
	quiet()
	if len(a.history.done) != 0 {
		t.Fatalf("%d deeds cannot be taken back", len(a.history.done))
	}
	if now := s.state(); !maps.Equal(now, first) {
		t.Fatalf("all %d deeds are taken back, and the server has\n%v, it had\n%v", deeds, now, first)
	}
	for range deeds {
		p.press("ctrl+r")
		if rapid.Bool().Draw(t, "wait") {
			quiet()
		}
	}
	quiet()
	if now := s.state(); !maps.Equal(now, before) {
		t.Fatalf("all is done again, and the server has\n%v, it had\n%v", now, before)
	}
	for b := range a.siblings {
		for _, e := range b.news.entries {
			if e.spans[0].own == "new: " {
				t.Fatalf("what came back into %s was told as new", b.box)
			}
		}
	}
}
