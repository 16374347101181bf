package ui

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"tidings/imapsession"
	"tidings/internal/safetext"
	"tidings/store"
	"tidings/store/query"
)

// command types a line behind ":".
func (p *person) command(line string) {
	p.press(":")
	p.types(line)
	p.press("enter")
}

func TestCommandsGoToRows(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(200)
		p.idle()
		for _, c := range []struct{ line, on string }{
			{"1", "(200) "}, {"123", "(78) "}, {"200", "(1) "}, {"9999", "(1) "}, {"99999999999999999999", "(1) "},
			{"$", "(1) "}, {"0%", "(200) "}, {"50%", "(101) "}, {"100%", "(1) "}, {"0", "(200) "},
			{"uid 42", "(42) "}, {"top", "(200) "}, {"bottom", "(1) "}, {"to", "(200) "}, {"  77  ", "(124) "},
		} {
			p.command(c.line)
			p.selects(c.on)
		}
		for line, says := range map[string]string{
			"uid 4000":   "4000 is no message's UID here",
			"uid x":      "x is no UID",
			"101%":       "101% is more than the whole list",
			"date":       ":date needs a DAY",
			"date noon":  "noon is no day; try 2024-03-01",
			"quit now":   "now stands behind :quit, which takes nothing",
			"frobnicate": "frobnicate is no command; Tab shows which there are",
			"account no": "no is no account",
		} {
			p.command(line)
			p.sees(says)
		}
		p.command("")
		p.selects("(124) ")
	})
}

func TestFarRowsComeToStandInTheMiddle(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(200)
		p.idle()
		p.command("100")
		p.sees("(101) ", "(106) ", "(96) ")
		p.command("103") // near: nothing scrolls
		p.sees("(101) ", "(106) ", "(96) ")
		p.selects("(98) ")
	})
}

// TestUIDOfAnUnknownRow goes to where the message must be and finds it when the
// rows there are known.
func TestUIDOfAnUnknownRow(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		s := p.server()
		s.apply(store.Change{Kind: store.Exists, N: 100})
		s.apply(store.Change{Kind: store.Fill, Seq: 1, UID: 1, Flags: store.NoFlags})
		s.apply(store.Change{Kind: store.Fill, Seq: 100, UID: 1000, Flags: store.NoFlags})
		s.live()
		s.say(s.resync())
		p.idle()
		p.command("uid 500")
		p.press("d")
		p.sees("has not been found again yet: nothing was done")
		var sums []*store.Summary
		for seq := uint32(2); seq < 100; seq++ {
			uid := store.UID(seq * 10)
			s.change(store.Change{Kind: store.Fill, Seq: seq, UID: uid, Flags: store.NoFlags}, uid)
			sums = append(sums, s.summary(uid))
		}
		s.say(imapsession.SummariesEvent{UIDValidity: fakeValidity, Summaries: sums})
		p.idle()
		p.selects("(500) ")
	})
}

// TestUIDInAView: what the view shows is found there, all else among all messages.
func TestUIDInAView(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(200)
		p.idle()
		p.send(barrierMsg{func(m *Model) { m.setView(m.account(), viewSpec{show: showUnread}) }})
		p.idle()
		p.seesNot("(198) ", "(197) ")
		p.command("uid 100") // every third is unread
		p.selects("(100) ")
		p.sees("(97) ")
		p.seesNot("(99) ")
		p.command("uid 50")
		p.selects("(50) ")
		p.sees("(49) ", "(51) ")
	})
}

func TestCompletionAndHistory(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(200)
		p.idle()
		p.press(":")
		p.sees("date", "uid", "top", ":50%")
		p.types("d")
		p.press("tab")
		p.types("y")
		p.sees(":date y")
		p.press("tab")
		p.sees(":date yesterday")
		p.press("esc")
		p.seesNot(":date")
		p.command("12")
		p.command("34")
		p.press(": up up")
		p.sees(":12")
		p.press("down")
		p.sees(":34")
		p.press("down")
		p.seesNot(":34")
		p.types("ab cd")
		p.press("ctrl+w")
		p.sees(":ab ▌")
		p.press("ctrl+u")
		p.send(tea.PasteMsg{Content: "5\x1b[31m6\n"})
		p.sees(":5[31m6")
		p.press("ctrl+u backspace")
		p.seesNot(":▌")
		p.press("shift+tab") // no line, no completion
		p.command("q")
		if !p.quit {
			t.Error(":q does not quit")
		}
	})
}

func TestCommandsThatAreKeys(t *testing.T) {
	atScreen(t, 100, 40, func(p *person) {
		p.server().start(20)
		p.idle()
		p.command("help")
		p.sees("Commands behind :", "that far down the list")
		p.press("esc")
		p.command("log")
		p.press("esc")
		p.command("r")
		if p.server().retried() == 0 {
			t.Error(":r does not retry")
		}
		p.command("account Home")
		p.sees("INBOX  0 unread of 0")
		p.command("account 1")
		p.sees("of 20")
	}, func(o *Options) {
		home := newFakeSession()
		home.start(0)
		o.Accounts = append(o.Accounts, Account{Name: safetext.Const("home"), Session: home, Probe: time.Minute})
	})
}

// TestACommandFromTheReader shows the list that it goes to.
func TestACommandFromTheReader(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(200)
		p.idle()
		p.press("enter")
		p.command("50")
		p.selects("(151) ")
	})
}

func TestDays(t *testing.T) {
	now := fakeNow // a Friday
	for typed, want := range map[string]string{
		"2024-03-01": "2024-03-01", "2024-3-1": "2024-03-01", "2024-03": "2024-03-01", "2024": "2024-01-01",
		"today": "2000-11-24", "Yesterday": "2000-11-23", "mon": "2000-11-20", "friday": "2000-11-17", "thu": "2000-11-23",
		"3d": "2000-11-21", "2w": "2000-11-10", "6m": "2000-05-24", "1y": "1999-11-24", "1 Mar 2024": "2024-03-01",
	} {
		if day, ok := parseDay(typed, now); !ok || day.Format("2006-01-02") != want {
			t.Errorf("%q is %v, %v; want %s", typed, day, ok, want)
		}
	}
	for _, typed := range []string{"", "noon", "2024-13-01", "2024-02-30", "d", "-3d", "mo", "3x", "99999y", "é"} {
		if day, ok := parseDay(typed, now); ok {
			t.Errorf("%q is taken for %v", typed, day)
		}
	}
}

func TestToADay(t *testing.T) {
	day := time.Date(2000, 11, 13, 0, 0, 0, 0, time.UTC)
	c := newFakeCache()
	c.near = func(d time.Time) (store.UID, bool) {
		if !d.Equal(day) {
			t.Errorf("asked for %v", d)
		}
		return 42, true
	}
	search := func(p *person) (imapsession.Search, imapsession.CommandID) {
		t.Helper()
		for _, w := range p.server().pending() {
			if s, ok := w.cmd.(imapsession.Search); ok {
				return s, w.id
			}
		}
		t.Fatal("the server is not asked")
		return imapsession.Search{}, 0
	}
	t.Run("the cache is sure", func(t *testing.T) {
		atScreen(t, 100, 24, func(p *person) {
			p.server().start(200)
			p.idle()
			p.command("date 2000-11-13")
			p.selects("(42) ")
			if len(p.server().pending()) > 0 {
				t.Error("the server is asked")
			}
		}, withCache(c))
	})
	t.Run("the server knows more", func(t *testing.T) {
		c.near = func(time.Time) (store.UID, bool) { return 42, false }
		atScreen(t, 100, 24, func(p *person) {
			s := p.server()
			s.start(200)
			p.idle()
			p.command("date 2000-11-13")
			q, id := search(p)
			if term, ok := q.Query.Root.(query.Term); !ok || term.Field != query.Since || !term.Date.Equal(day) {
				t.Errorf("the server is asked for %#v", q.Query.Root)
			}
			place := store.Place{Mailbox: "INBOX", UIDValidity: fakeValidity}
			s.say(imapsession.SearchEvent{ID: id, Place: place, UIDs: []store.UID{90, 91}})
			s.say(imapsession.SearchEvent{ID: id, Place: place, UIDs: []store.UID{31, 40}})
			s.remove(id)
			s.say(imapsession.ResultEvent{ID: id})
			p.idle()
			p.selects("(31) ")
			p.command("date 2000-11-13")
			_, id = search(p)
			p.command("date 2000-11-13") // the newest wish counts
			if !slices.Contains(s.canceled, id) {
				t.Error("the earlier search goes on")
			}
		}, withCache(c))
	})
	t.Run("the server refuses", func(t *testing.T) {
		atScreen(t, 100, 24, func(p *person) {
			p.server().start(200)
			p.idle()
			p.command("date 2000-11-13")
			_, id := search(p)
			p.server().say(imapsession.ResultEvent{ID: id, Err: errors.New("the server says: NO")})
			p.idle()
			p.sees("the server could not be asked for that day: the server says: NO")
			p.selects("(200) ")
		})
	})
	t.Run("offline", func(t *testing.T) {
		atScreen(t, 100, 24, func(p *person) {
			p.server().start(200)
			p.server().say(imapsession.StateEvent{State: imapsession.Waiting})
			p.idle()
			p.command("date 2000-11-13")
			p.selects("(42) ")
			p.sees("offline: this is the nearest to 2000-11-13 that is kept here")
		}, withCache(c))
	})
	t.Run("nothing that late", func(t *testing.T) {
		c.near = func(time.Time) (store.UID, bool) { return 0, true }
		atScreen(t, 100, 24, func(p *person) {
			p.server().start(200)
			p.idle()
			p.press("j j")
			p.command("date 2000-11-13")
			p.selects("(200) ")
			p.sees("no message is from 2000-11-13 or later")
		}, withCache(c))
	})
}

// TestSmallScreens: every state of the cache on the smallest of screens; send
// holds each frame to its size.
func TestSmallScreens(t *testing.T) {
	for _, z := range [][2]int{{1, 1}, {2, 1}, {1, 3}, {3, 2}, {7, 3}, {12, 5}, {25, 6}, {40, 8}} {
		t.Run(fmt.Sprint(z), func(t *testing.T) {
			marks := myTurn()
			marks.uid, marks.when, marks.ok = 500, yesterday, true
			c := newFakeCache()
			atScreen(t, z[0], z[1], func(p *person) {
				s := p.server()
				c.keep(s, 500)
				connecting(s)
				s.cachedList(500, 40, 400, yesterday)
				p.idle()
				s.say(imapsession.StateEvent{State: imapsession.Waiting, Retry: time.Now().Add(time.Minute), Reason: safetext.Const("no route")})
				p.idle()
				p.press(": tab tab")
				p.types("date yesterday and very much more than there is room for")
				p.press("esc")
				p.command("50%")
				p.press("enter")
				p.wait(time.Second)
				s.confirm(540, 40, nil)
				s.say(imapsession.ProgressEvent{Done: 12_345, Total: 100_000, Rate: 8120, Left: time.Minute})
				p.idle()
				p.grapheme()
				p.idle()
			}, withCache(c), func(o *Options) { o.Accounts[0].Marks = marks })
		})
	}
}

// FuzzCommand: whatever is typed ends as a movement or a sentence.
func FuzzCommand(f *testing.F) {
	for _, s := range []string{"12", "50%", "$", "date 2024-03-01", "uid 5", "q", "d", "date -", "%", "9e9%", "account \x1b", "uid -0", ":", "l"} {
		f.Add(s)
	}
	m, s := benchModel(f, 50, 40, 8, true)
	f.Fuzz(func(t *testing.T, line string) {
		a := m.account()
		if err := m.runCommand(a, line); err != nil {
			m.sayWrong(a, err)
		}
		m.offers(a, line)
		m.settle()
		_ = m.View()
		if c := a.view.cursor(); c < 0 || c >= 50 {
			t.Errorf("the cursor is on row %d", c)
		}
		for len(s.pending()) > 0 {
			s.take()
		}
	})
}
