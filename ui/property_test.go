package ui

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"pgregory.net/rapid"

	"tidings/imapsession"
	"tidings/store"
)

// TestAnythingInAnyOrder lets a server, a person and a terminal do anything in
// any order. The frame must always fit its screen (person.send checks that),
// the model's list must equal the session's, and the selection must stay with
// its message unless the person moves it.
func TestAnythingInAnyOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer func() { // the last timers run out, also where the check failed
			time.Sleep(time.Hour)
			synctest.Wait()
		}()
		rapid.Check(timeless{t}, anything)
	})
}

// timeless is a test without a deadline, for one cannot be asked for in a bubble.
type timeless struct{ *testing.T }

// Deadline says that there is none.
func (timeless) Deadline() (time.Time, bool) { return time.Time{}, false }

func anything(t *rapid.T) {
	p := sitDown(t, rapid.IntRange(1, 150).Draw(t, "width"), rapid.IntRange(1, 50).Draw(t, "height"))
	if rapid.Bool().Draw(t, "grapheme") {
		p.grapheme()
	}
	f := p.server()
	f.start(rapid.IntRange(0, 60).Draw(t, "messages"))
	p.idle()
	var keys []string
	for _, b := range keymap {
		if b.act != actQuit && b.act != actSuspend {
			keys = append(keys, b.keys...)
		}
	}
	keys = append(keys, "x", "backspace", "tab", "up")
	a := p.m.accounts[0]

	// byServer runs what must not move the selection off its message.
	byServer := func(do func()) {
		v := &a.view
		uid, tomb := v.uid, v.tomb
		do()
		p.idle()
		if uid == 0 {
			return
		}
		_, alive := f.list.Find(uid)
		switch {
		case v.uid != uid:
			t.Fatalf("the selection went from message %d to %d (in view %+v)", uid, v.uid, a.viewed())
		case alive && v.tomb:
			t.Fatalf("message %d is drawn as gone and is not", uid)
		case !alive && !v.tomb && !(v.lost && f.list.MayHold(uid)):
			t.Fatalf("message %d is gone and not drawn so (was a tombstone: %v)", uid, tomb)
		}
	}
	dead := map[store.UID]bool{} // no UID comes twice
	known := func() []store.UID {
		var out []store.UID
		for i := range f.list.Len() {
			if u := f.list.Row(i).UID; u != 0 {
				out = append(out, u)
			}
		}
		return out
	}
	t.Repeat(map[string]func(*rapid.T){
		"deliver": func(t *rapid.T) {
			byServer(func() { f.deliver(rapid.Bool().Draw(t, "late")) })
		},
		"unknown rows": func(t *rapid.T) {
			byServer(func() {
				n := rapid.IntRange(1, 5).Draw(t, "rows")
				f.change(store.Change{Kind: store.Exists, N: uint32(f.list.Len() + n)}, 0)
				f.nextUID += store.UID(n)
			})
		},
		"learn a row": func(t *rapid.T) {
			byServer(func() {
				i := f.list.Len() - 1
				if i < 0 || f.list.Row(i).UID != 0 {
					return
				}
				for i > 0 && f.list.Row(i-1).UID == 0 {
					i--
				}
				f.change(store.Change{Kind: store.Fill, Seq: uint32(i + 1), UID: f.nextUID, Flags: store.NoFlags}, f.nextUID)
				f.say(imapsession.SummariesEvent{UIDValidity: fakeValidity, Summaries: []*store.Summary{f.summary(f.nextUID)}})
				f.nextUID++
			})
		},
		"expunge": func(t *rapid.T) {
			if f.list.Len() == 0 {
				t.Skip("empty")
			}
			byServer(func() {
				for range rapid.IntRange(1, 4).Draw(t, "rows") {
					if n := f.list.Len(); n > 0 {
						seq := rapid.IntRange(1, n).Draw(t, "seq")
						uid := f.list.Row(seq - 1).UID
						dead[uid] = true
						f.change(store.Change{Kind: store.Expunge, Seq: uint32(seq)}, uid)
					}
				}
			})
		},
		"flag": func(t *rapid.T) {
			uids := known()
			if len(uids) == 0 {
				t.Skip("empty")
			}
			byServer(func() {
				f.flag(rapid.SampledFrom(uids).Draw(t, "uid"), rapid.SampledFrom([]string{`\Seen`, `\Flagged`, `\Answered`, "custom"}).Draw(t, "flag"))
			})
		},
		"resync": func(t *rapid.T) {
			byServer(func() {
				var gone []store.UID
				for range rapid.IntRange(0, 3).Draw(t, "gone") {
					if n := f.list.Len(); n > 0 {
						seq := rapid.IntRange(1, n).Draw(t, "seq")
						if u := f.list.Row(seq - 1).UID; u != 0 {
							gone = append(gone, u)
							dead[u] = true
						}
						f.apply(store.Change{Kind: store.Expunge, Seq: uint32(seq)})
					}
				}
				arrived := rapid.IntRange(0, 3).Draw(t, "arrived")
				f.apply(store.Change{Kind: store.Exists, N: uint32(f.list.Len() + arrived)})
				f.nextUID += store.UID(arrived)
				if rapid.Bool().Draw(t, "overflow") {
					gone = nil // the list alone says what went
				}
				ev := f.resync()
				ev.Gone, ev.Arrived = gone, uint32(arrived)
				f.say(ev)
			})
		},
		"resync to a list that knows less": func(t *rapid.T) {
			byServer(func() {
				lo := rapid.IntRange(0, f.list.Len()).Draw(t, "from")
				f.list.Forget(lo, rapid.IntRange(lo, f.list.Len()).Draw(t, "to"))
				f.say(f.resync())
			})
		},
		"learn an old row": func(t *rapid.T) {
			byServer(func() {
				i := rapid.IntRange(0, max(f.list.Len()-1, 0)).Draw(t, "row")
				if i >= f.list.Tail() || f.list.Row(i).UID != 0 {
					return
				}
				lo, hi := i, i // the nearest known rows, and what must fit between
				for lo--; lo >= 0 && f.list.Row(lo).UID == 0; lo-- {
				}
				for hi++; f.list.Row(hi).UID == 0; hi++ {
				}
				least, most := i-lo, int(f.list.Row(hi).UID)-(hi-i)
				if lo >= 0 {
					least += int(f.list.Row(lo).UID)
				}
				if least > most {
					return // no message can stand there: rows that were never told of
				}
				uid := store.UID(rapid.IntRange(least, most).Draw(t, "uid"))
				if !dead[uid] {
					f.change(store.Change{Kind: store.Fill, Seq: uint32(i + 1), UID: uid, Flags: store.NoFlags}, uid)
				}
			})
		},
		"answer": func(t *rapid.T) {
			c, ok := f.take()
			if !ok {
				t.Skip("nothing to answer")
			}
			if _, is := c.cmd.(imapsession.ListFolders); is {
				f.say(imapsession.FoldersEvent{ID: c.id, Folders: []imapsession.Folder{{Raw: "Trash", Role: "trash"}, {Raw: "Archive", Role: "archive"}}})
			}
			if b, is := c.cmd.(imapsession.FetchBody); is {
				f.say(imapsession.BodyEvent{ID: c.id, UIDValidity: fakeValidity, UID: b.Target.UIDs[0], Data: []byte(letter), Complete: true})
			}
			var err error
			if rapid.Bool().Draw(t, "refused") {
				err = errors.New("the server said: NO")
			}
			f.say(imapsession.ResultEvent{ID: c.id, Command: c.cmd, Err: err})
			p.idle()
		},
		"state": func(t *rapid.T) {
			s := imapsession.State(rapid.IntRange(0, int(imapsession.BetweenVisits)).Draw(t, "state"))
			f.say(imapsession.StateEvent{State: s, Retry: time.Now().Add(time.Duration(rapid.IntRange(-5, 90).Draw(t, "retry")) * time.Second),
				Attempt: 1, Fatal: rapid.Bool().Draw(t, "fatal")})
			p.idle()
		},
		"key": func(t *rapid.T) {
			key := rapid.SampledFrom(keys).Draw(t, "key")
			if key == "enter" && p.m.asksToQuit() {
				t.Skip("it would quit, as it should")
			}
			p.press(key)
		},
		"resize": func(t *rapid.T) {
			p.send(tea.WindowSizeMsg{Width: rapid.IntRange(0, 320).Draw(t, "width"), Height: rapid.IntRange(0, 110).Draw(t, "height")})
			p.idle()
		},
		"click": func(t *rapid.T) {
			p.send(tea.MouseClickMsg{X: rapid.IntRange(0, 320).Draw(t, "x"), Y: rapid.IntRange(0, 110).Draw(t, "y"), Button: tea.MouseLeft})
			p.idle()
		},
		"wheel": func(t *rapid.T) {
			p.send(tea.MouseWheelMsg{X: 2, Y: 2, Button: rapid.SampledFrom([]tea.MouseButton{tea.MouseWheelUp, tea.MouseWheelDown}).Draw(t, "way")})
			p.idle()
		},
		"time": func(t *rapid.T) {
			p.wait(time.Duration(rapid.IntRange(1, 20000).Draw(t, "ms")) * time.Millisecond)
		},
		"": func(t *rapid.T) {
			if p.m.quit {
				t.Fatalf("it quit")
			}
			checkView(t, &a.view, f)
			if r := a.reader; r != nil && !r.gone && !f.list.MayHold(r.uid) {
				t.Fatalf("message %d is read on and is not said to be gone", r.uid)
			}
			for uid := store.UID(1); uid < f.nextUID; uid++ {
				dead[uid] = dead[uid] || !f.list.MayHold(uid)
			}
		},
	})
}

// asksToQuit tells whether the line behind ":" is one that quits.
func (m *Model) asksToQuit() bool {
	if m.command == nil {
		return false
	}
	c, err := findCommand(strings.TrimSpace(m.command.typed))
	return err == nil && c.names[0] == "quit"
}

// checkView holds the view against the session's list.
func checkView(t *rapid.T, v *listView, f *fakeSession) {
	n := f.list.Len()
	if v.list.Len() != n {
		t.Fatalf("the model has %d rows, the session %d", v.list.Len(), n)
	}
	for i := range n {
		if v.list.Row(i) != f.list.Row(i) {
			t.Fatalf("row %d is %v, in the session %v", i, v.list.Row(i), f.list.Row(i))
		}
	}
	c := v.cursor()
	n = v.n()
	switch {
	case v.tomb && (v.sel != -1 || v.gap < 0 || v.gap > n):
		t.Fatalf("a tombstone at %d of %d with selection %d", v.gap, n, v.sel)
	case v.tomb:
		if _, ok := v.list.Find(v.uid); ok {
			t.Fatalf("message %d has a tombstone and is in the list", v.uid)
		}
	case n == 0 && v.sel != -1, n > 0 && (v.sel < 0 || v.sel >= n):
		t.Fatalf("selection %d of %d rows", v.sel, n)
	case v.lost:
		if lo, hi := v.list.Gap(v.uid); v.sel < lo || v.sel >= hi {
			t.Fatalf("message %d is looked for in row %d, where it cannot be", v.uid, v.sel)
		}
	case n > 0 && v.uidAt(v.sel) != v.uid:
		t.Fatalf("the selection is row %d, message %d, but its message is %d", v.sel, v.uidAt(v.sel), v.uid)
	}
	if c >= 0 && v.h > 0 && (c < v.top || c >= v.top+v.h) {
		t.Fatalf("the cursor is on row %d, the screen shows %d to %d", c, v.top, v.top+v.h-1)
	}
	if v.fresh < 0 || v.fresh > v.top {
		t.Fatalf("%d new rows above a screen that starts at row %d", v.fresh, v.top)
	}
	for r := range v.rows() {
		if i, tomb := v.at(r); !tomb && v.rowOf(i) != r {
			t.Fatalf("row %d shows index %d, which is at row %d", r, i, v.rowOf(i))
		}
	}
}
