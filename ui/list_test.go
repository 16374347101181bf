package ui

import (
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"tidings/imapsession"
	"tidings/internal/safetext"
	"tidings/store"
)

func TestSelectionFollowsItsMessage(t *testing.T) {
	atScreen(t, 80, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("j j j")
		p.selects("(47)")
		p.server().deliver(false)
		p.server().expunge(50)
		p.server().expunge(10)
		p.idle()
		p.selects("(47)")
	})
}

func TestTopStaysUntilTheSelectionWouldLeave(t *testing.T) {
	atScreen(t, 80, 24, func(p *person) { // 21 rows
		p.server().start(50)
		p.idle()
		p.selects("(50)")
		for range 20 {
			p.server().deliver(false)
		}
		p.idle()
		p.selects("(50)")
		p.sees("(70)")
		p.seesNot("↑")
		p.server().deliver(false)
		p.server().deliver(false)
		p.idle()
		p.selects("(50)")
		if top := p.lines()[0]; !strings.Contains(top, "(70)") {
			t.Errorf("at the top stands %q, want (70)", top)
		}
		p.sees("↑ 2 new")
		p.press("g")
		p.selects("(72)")
		p.seesNot("↑")
	})
}

func TestAnchoredViewStandsStill(t *testing.T) {
	atScreen(t, 80, 24, func(p *person) {
		p.server().start(100)
		p.idle()
		p.press("G")
		before := strings.Join(p.lines()[1:20], "\n")
		for range 5 {
			p.server().deliver(false)
		}
		p.idle()
		p.sees("↑ 5 new")
		if after := strings.Join(p.lines()[1:20], "\n"); after != before {
			t.Errorf("the view moved:\n%s\nwas\n%s", after, before)
		}
		p.selects("(1)")
	})
}

func TestTombstone(t *testing.T) {
	atScreen(t, 80, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("j j")
		p.server().expunge(48)
		p.server().deliver(false)
		p.idle()
		p.selects("(48)")
		p.selects("×")
		p.press("d")
		if n := len(p.server().pending()); n != 0 {
			t.Errorf("%d commands went out for a message that is gone", n)
		}
		p.sees("nothing was done")
		p.press("j")
		p.selects("(47)")
		if got := strings.Join(p.lines()[:20], "\n"); strings.Contains(got, "(48)") {
			t.Error("the tombstone is still in the list")
		}
		p.press("k")
		p.selects("(49)")
	})
}

func TestTombstoneOfTheLastMessage(t *testing.T) {
	atScreen(t, 80, 24, func(p *person) {
		p.server().start(1)
		p.idle()
		p.server().expunge(1)
		p.idle()
		p.selects("×")
		p.press("j")
		p.sees("Nothing here")
		p.server().deliver(false)
		p.idle()
		p.selects("(2)")
	})
}

func TestResyncKeepsTheSelection(t *testing.T) {
	atScreen(t, 80, 24, func(p *person) {
		f := p.server()
		f.start(50)
		p.idle()
		p.press("j j j j") // (46)
		f.apply(store.Change{Kind: store.Expunge, Seq: 50})
		f.apply(store.Change{Kind: store.Expunge, Seq: 1})
		f.apply(store.Change{Kind: store.Exists, N: 49})
		f.apply(store.Change{Kind: store.Fill, Seq: 49, UID: 51, Flags: store.NoFlags})
		ev := f.resync()
		ev.Gone, ev.Arrived = []store.UID{50, 1}, 1
		f.say(ev)
		p.idle()
		p.selects("(46)")
		p.sees("meanwhile: 1 arrived, 2 expunged")

		f.apply(store.Change{Kind: store.Expunge, Seq: 45})
		ev = f.resync()
		ev.Gone = []store.UID{46}
		f.say(ev)
		p.idle()
		p.selects("(46)")
		p.selects("×")
		if got := p.lines()[5]; !strings.Contains(got, "(45)") {
			t.Errorf("below the tombstone stands %q, want (45)", got)
		}
	})
}

// After an overflow a Resync does not say what went, and its list may know less
// than the one before. The selection must not go to another message by itself.
func TestResyncThatDoesNotTell(t *testing.T) {
	gone := func(p *person, f *fakeSession) {
		f.apply(store.Change{Kind: store.Expunge, Seq: 46})
		f.say(f.resync())
		p.idle()
		p.selects("×")
		p.selects("(46)")
		p.press("!")
		p.sees("expunged by another client")
	}
	atScreen(t, 80, 24, func(p *person) {
		f := p.server()
		f.start(50)
		p.idle()
		p.press("j j j j") // (46)
		gone(p, f)
	})
	for name, then := range map[string]func(p *person, f *fakeSession){
		"found": func(p *person, f *fakeSession) {
			f.change(store.Change{Kind: store.Fill, Seq: 47, UID: 47, Flags: store.NoFlags}, 47)
			f.change(store.Change{Kind: store.Fill, Seq: 46, UID: 46, Flags: store.NoFlags}, 46)
			p.idle()
			p.selects("(46)")
			p.press("!")
			if n := len(p.server().pending()); n != 1 {
				t.Errorf("%d commands were sent, want the flag", n)
			}
		},
		"gone after all": func(p *person, f *fakeSession) {
			for seq, uid := range map[int]store.UID{45: 44, 46: 45, 47: 48} { // 46 and 47 went, what is older moved up
				f.change(store.Change{Kind: store.Fill, Seq: uint32(seq), UID: uid, Flags: store.NoFlags}, uid)
			}
			p.idle()
			p.selects("×")
			p.selects("(46)")
			p.press("!")
			p.sees("expunged by another client")
		},
		"the person goes on": func(p *person, f *fakeSession) {
			p.press("k k k")
			p.selects("(49)")
			f.change(store.Change{Kind: store.Fill, Seq: 46, UID: 46, Flags: store.NoFlags}, 46)
			p.idle()
			p.selects("(49)")
		},
	} {
		t.Run(name, func(t *testing.T) {
			atScreen(t, 80, 24, func(p *person) {
				f := p.server()
				f.start(50)
				p.idle()
				p.press("j j j j") // (46)
				f.list.Forget(40, 48)
				f.say(f.resync())
				p.idle()
				p.press("! Enter d")
				p.sees("not been found again yet")
				if n := len(f.pending()); n != 0 {
					t.Fatalf("%d commands were aimed at a message that is not known to be there", n)
				}
				then(p, f)
			})
		})
	}
}

func TestPlaceholdersWaitTheirTurn(t *testing.T) {
	atScreen(t, 80, 24, func(p *person) {
		f := p.server()
		f.start(10)
		p.idle()
		f.change(store.Change{Kind: store.Exists, N: 11}, 0)
		p.idle()
		p.seesNot("···")
		p.press("g ! d")
		p.sees("not known yet")
		if n := len(f.pending()); n != 0 {
			t.Errorf("%d commands were aimed at a row without a UID", n)
		}
		p.wait(120 * time.Millisecond)
		p.sees("···")
		f.change(store.Change{Kind: store.Fill, Seq: 11, UID: 11, Flags: store.NoFlags}, 11)
		f.say(imapsession.SummariesEvent{UIDValidity: fakeValidity, Summaries: []*store.Summary{f.summary(11)}})
		p.idle()
		p.seesNot("···")
		p.selects("(11)")
	})
}

func TestHostileTextStaysText(t *testing.T) {
	atScreen(t, 80, 24, func(p *person) {
		f := p.server()
		f.subjects = map[store.UID]safetext.Text{3: safetext.Clean("a\x1b]0;owned\x07b\r\u009b2Jc\u202ed")}
		f.start(3)
		p.idle()
		content := p.m.View().Content
		for _, bad := range []string{"\x1b]", "\r", "\u009b", "\x07"} {
			if strings.Contains(content, bad) {
				t.Errorf("the frame contains %q", bad)
			}
		}
	})
}

func TestMouse(t *testing.T) {
	atScreen(t, 80, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.send(tea.MouseClickMsg{X: 10, Y: 5, Button: tea.MouseLeft})
		p.selects("(45)")
		p.send(tea.MouseWheelMsg{X: 10, Y: 5, Button: tea.MouseWheelDown})
		p.sees("(27)")
		p.selects("(45)")
		p.send(tea.MouseClickMsg{X: 10, Y: 2, Button: tea.MouseLeft})
		p.idle()
		if len(p.server().pending()) == 0 {
			t.Error("a click on the selected message does not open it")
		}
	})
}

// TestDatesInTheList: a day is written in the same way from its first minute to
// its last, and a weekday is never today's name of a week ago.
func TestDatesInTheList(t *testing.T) {
	zone := time.FixedZone("", 3*60*60)
	now := time.Date(2026, 3, 3, 12, 30, 0, 0, zone) // a Tuesday
	for at, want := range map[time.Time]string{
		now:                                     "12:30",
		time.Date(2026, 3, 3, 0, 0, 0, 0, zone): "00:00",
		time.Date(2026, 3, 2, 23, 59, 0, 0, zone):  "Mon",
		time.Date(2026, 2, 25, 18, 0, 0, 0, zone):  "Wed",
		time.Date(2026, 2, 25, 0, 0, 0, 0, zone):   "Wed",
		time.Date(2026, 2, 24, 23, 59, 0, 0, zone): "24 Feb",
		time.Date(2026, 1, 1, 0, 0, 0, 0, zone):    "1 Jan",
		time.Date(2025, 12, 31, 23, 0, 0, 0, zone): "2025-12",
		time.Date(2026, 3, 4, 0, 0, 0, 0, zone):    "4 Mar", // a clock is wrong
	} {
		if got := string(appendDate(nil, at, now)); got != want {
			t.Errorf("%s is written %q, want %q", at, got, want)
		}
	}
}
