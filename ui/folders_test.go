package ui

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tidings/imapsession"
	"tidings/internal/safetext"
)

// someFolders are the folders of an account whose owner has been there for long.
func someFolders() []imapsession.Folder {
	var out []imapsession.Folder
	for _, f := range []struct {
		raw, name, role string
		none            bool
	}{
		{"INBOX", "INBOX", "", false},
		{"zebra", "zebra", "", false},
		{"Trash", "Trash", "trash", false},
		{"Archive", "Archive", "archive", false},
		{"Archive/2024", "Archive/2024", "", false},
		{"Archive/2025", "Archive/2025", "", false},
		{"Lists", "Lists", "", true},
		{"Lists/go-nuts", "Lists/go-nuts", "", false},
		{"Lists/tmux/dev", "Lists/tmux/dev", "", false},
		{"Tom & Jerry", "Tom & Jerry", "", false},
		{"tidings-raw:Caf%26", "Caf&", "", false},
		{"Sent", "Sent", "sent", false},
		{"//", "//", "", false},
	} {
		out = append(out, imapsession.Folder{
			Raw: f.raw, Name: safetext.Clean(f.name), Delimiter: '/', Role: f.role, NoSelect: f.none,
			Subscribed: strings.HasPrefix(f.raw, "Lists"),
		})
	}
	return out
}

// answerList answers the oldest ListFolders, and then counts all but those that
// are named.
func (p *person) answerList(folders []imapsession.Folder, uncounted ...string) {
	p.t.Helper()
	s := p.server()
	for _, c := range s.pending() {
		if _, ok := c.cmd.(imapsession.ListFolders); ok {
			s.remove(c.id)
			s.say(imapsession.FoldersEvent{ID: c.id, Folders: folders, Subscriptions: true})
			s.say(imapsession.ResultEvent{ID: c.id, Command: c.cmd})
		}
	}
	p.idle()
	p.answerCounts(nil, uncounted...)
}

// answerCounts answers what asks for counts, and returns how many folders were
// asked for.
func (p *person) answerCounts(err error, uncounted ...string) (asked []string) {
	s := p.server()
	for _, c := range s.pending() {
		q, ok := c.cmd.(imapsession.CountFolders)
		if !ok {
			continue
		}
		s.remove(c.id)
		var counts []imapsession.FolderCount
	next:
		for i, name := range q.Names {
			asked = append(asked, name)
			for _, u := range uncounted {
				if name == u {
					continue next
				}
			}
			counts = append(counts, imapsession.FolderCount{Raw: name, Messages: uint32(10 * i), Unseen: uint32(i)})
		}
		if err == nil {
			s.say(imapsession.CountsEvent{ID: c.id, Counts: counts})
		}
		s.say(imapsession.ResultEvent{ID: c.id, Command: c.cmd, Err: err})
	}
	p.idle()
	return asked
}

// row is the line of the screen that shows a text.
func (p *person) row(text string) string {
	p.t.Helper()
	for _, l := range p.lines() {
		if strings.Contains(l, text) {
			return l
		}
	}
	p.t.Fatalf("%q is not on the screen:\n%s", text, strings.Join(p.lines(), "\n"))
	return ""
}

func TestFoldersOfTheAccount(t *testing.T) {
	atScreen(t, 80, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("c")
		p.sees("asking the server for its folders")
		p.answerList(someFolders(), "Tom & Jerry")
		p.selects("INBOX")
		order := []string{"INBOX", "Sent", "Archive", "2024", "2025", "Trash", "//", "Caf&", "Lists", "go-nuts", "tmux", "dev", "Tom & Jerry", "zebra"}
		at := 0
		for _, l := range p.lines() {
			if at < len(order) && strings.Contains(l, order[at]) {
				at++
			}
		}
		if at < len(order) {
			t.Errorf("%q is not where it belongs:\n%s", order[at], strings.Join(p.lines(), "\n"))
		}
		// What its own list tells, what was counted, what was not, and what has
		// nothing to count.
		if l := p.row("INBOX "); !strings.Contains(l, "17") || !strings.Contains(l, "50") {
			t.Errorf("the inbox is shown as %q", l)
		}
		if l := p.row("Tom & Jerry"); !strings.Contains(l, "?") {
			t.Errorf("what was not counted is shown as %q", l)
		}
		if l := p.row("zebra"); strings.Contains(l, "?") {
			t.Errorf("what was counted is shown as %q", l)
		}
		if l := p.row("Lists"); strings.ContainsAny(l, "?0123456789") {
			t.Errorf("what holds no messages is shown as %q", l)
		}
		p.press("esc")
		p.seesNot("Tom & Jerry")
		p.selects("(50)")
	})
}

// A folded row says how much is below it, and that it does not know of all.
func TestFoldedFoldersCount(t *testing.T) {
	atScreen(t, 80, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("c")
		p.answerList(someFolders(), "Archive/2025")
		p.press("j j z")
		p.seesNot("2024")
		// Sent 10, Archive 2, 2024 3.
		if l := p.row("Archive"); !strings.Contains(l, "5+?") {
			t.Errorf("what is folded is shown as %q", l)
		}
		p.press("right")
		p.sees("2024")
		p.press("j left")
		p.selects("Archive")
		p.press("left")
		p.seesNot("2024")
	})
}

func TestSubscribedFolders(t *testing.T) {
	atScreen(t, 80, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("c")
		p.answerList(someFolders())
		p.press("s")
		p.sees("Subscribed", "INBOX", "go-nuts", "dev")
		p.seesNot("zebra", "Trash")
		p.press("s")
		p.sees("zebra")
	})
}

// Folders are counted when they are looked at, every few minutes then, and those
// that an action put something into; never the one that is open.
func TestFoldersAreCountedAgain(t *testing.T) {
	atScreen(t, 80, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("c")
		p.answerList(someFolders())
		p.wait(recount + time.Second)
		asked := p.answerCounts(nil)
		if len(asked) != len(someFolders())-2 {
			t.Errorf("after a while %q were counted", asked)
		}
		for _, name := range asked {
			if name == "INBOX" || name == "Lists" {
				t.Errorf("%q was counted", name)
			}
		}
		p.server().say(imapsession.ResultEvent{ID: 99, Command: imapsession.Move{Dest: "zebra"}})
		p.idle()
		if l := p.row("zebra"); !strings.Contains(l, "?") {
			t.Errorf("what has just changed is shown as %q", l)
		}
		if asked := p.answerCounts(nil); len(asked) != 1 || asked[0] != "zebra" {
			t.Errorf("after a move %q were counted", asked)
		}
		p.press("esc")
		p.wait(3 * recount)
		if asked := p.answerCounts(nil); len(asked) != 0 {
			t.Errorf("nobody looks, and %q were counted", asked)
		}
	})
}

// A folder that something could not be moved to may be gone: the next choice is
// among those that there are.
func TestAFailedMoveAsksForTheFolders(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("c")
		p.answerList(someFolders())
		p.press("esc m")
		p.types("zebra")
		p.press("enter")
		p.answer(errors.New("there is no mailbox named zebra"))
		p.answerList(someFolders()[2:])
		p.press("m")
		p.types("zeb")
		p.seesNot(" zebra")
	})
}

func TestPickerFindsByLetters(t *testing.T) {
	list := someFolders()
	all := func(*imapsession.Folder) bool { return true }
	for typed, want := range map[string]string{
		"arch": "Archive", "25": "Archive/2025", "a25": "Archive/2025", "tj": "Tom & Jerry", "dev": "Lists/tmux/dev",
		"lgn": "Lists/go-nuts", "nuts l": "Lists/go-nuts", "ZEB": "zebra", "caf": "Caf&", "": "INBOX", "s": "Sent",
	} {
		found := pick(list, typed, all)
		if len(found) == 0 || found[0].Name.String() != want {
			t.Errorf("%q finds %v, want %q first", typed, found, want)
		}
	}
	if found := pick(list, "qqq", all); len(found) != 0 {
		t.Errorf("qqq finds %v", found)
	}
}

// Where a server keeps all folders below the INBOX, they stand beside it.
func TestFoldersBelowTheInbox(t *testing.T) {
	var list []imapsession.Folder
	for _, name := range []string{"INBOX", "INBOX.Work", "INBOX.Work.2025", "INBOX.Trash"} {
		f := imapsession.Folder{Raw: name, Name: safetext.Clean(name), Delimiter: '.'}
		if name == "INBOX.Trash" {
			f.Role = "trash"
		}
		list = append(list, f)
	}
	var got []string
	for _, b := range grow(list, func(*imapsession.Folder) bool { return true }).kids {
		got = append(got, b.name)
	}
	if s := strings.Join(got, " "); s != "INBOX Trash Work" {
		t.Errorf("they stand as %q", s)
	}
}

// Whatever a server lists, every folder has one row.
func FuzzFolderTree(f *testing.F) {
	f.Add("INBOX\nA/B\nA\nA/B\n//\n/\nA/\n/B\n", "/", uint8(3))
	f.Add("INBOX.A\ninbox\nINBOX.a.b", ".", uint8(1))
	roles := []string{"", "trash", "archive", "sent", "nothing"}
	f.Fuzz(func(t *testing.T, names, sep string, role uint8) {
		var list []imapsession.Folder
		for i, name := range strings.Split(names, "\n") {
			f := imapsession.Folder{Raw: name, Name: safetext.Clean(name)}
			for _, r := range sep {
				f.Delimiter = r
				break
			}
			if i%3 == 0 {
				f.Role = roles[int(role)%len(roles)]
			}
			list = append(list, f)
		}
		seen := map[int]int{}
		tree := grow(list, func(*imapsession.Folder) bool { return true })
		for _, at := range tree.below(nil) {
			seen[at]++
		}
		keys := map[string]bool{}
		var walk func(b *branch)
		walk = func(b *branch) {
			for _, k := range b.kids {
				if keys[k.key] {
					t.Errorf("two rows have the key %q", k.key)
				}
				keys[k.key] = true
				walk(k)
			}
		}
		walk(tree)
		for i := range list {
			if seen[i] != 1 {
				t.Errorf("%q has %d rows", list[i].Raw, seen[i])
			}
		}
	})
}

func TestFolderScreens(t *testing.T) {
	for _, size := range [][2]int{{40, 8}, {80, 24}, {120, 40}} {
		atScreen(t, size[0], size[1], func(p *person) {
			p.server().narrow = true
			p.server().start(50)
			p.idle()
			p.press("c")
			p.answerList(someFolders(), "Tom & Jerry")
			p.press("j j")
			p.golden(fmt.Sprintf("folders-%dx%d", size[0], size[1]))
			p.press("/")
			p.types("l")
			p.golden(fmt.Sprintf("folders-go-%dx%d", size[0], size[1]))
		})
	}
}
