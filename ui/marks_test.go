package ui

import (
	"slices"
	"strings"
	"testing"

	"tidings/imapsession"
	"tidings/store"
)

// takeAs takes the oldest command, which must be a C.
func takeAs[C imapsession.Command](p *person) (imapsession.CommandID, C) {
	p.t.Helper()
	c, ok := p.server().take()
	cmd, is := c.cmd.(C)
	if !ok || !is {
		p.t.Fatalf("the oldest command is %#v, want a %T", c.cmd, cmd)
	}
	return c.id, cmd
}

func TestMarksAreActedOnTogether(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("x j x x")
		p.sees("3 marked", "✓")
		p.press("k x k !") // (48) is not marked any more
		p.sees("2 marked")
		_, flags := takeAs[imapsession.StoreFlags](p)
		if !slices.Equal(flags.Target.UIDs, []store.UID{48}) { // (50) is flagged already
			t.Errorf("! on marked messages is aimed at %v", flags.Target.UIDs)
		}
	})
}

func TestMarksAreDroppedWithWhatIsGone(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("x x x")
		p.server().expunge(49)
		p.server().deliver(false)
		p.idle()
		p.sees("2 marked")
		p.press("m")
		p.sees("Move 2 messages to")
		p.answerFolders()
		p.types("lists")
		p.server().expunge(50)
		p.idle()
		p.press("enter")
		_, mv := takeAs[imapsession.Move](p)
		// (50) was aimed at: that it is gone is the server's to say.
		if !slices.Equal(mv.Target.UIDs, []store.UID{48, 50}) || mv.Dest != "Lists/Arch" {
			t.Errorf("the prompt sent %+v", mv)
		}
	})
}

// A flood of changes ends in a list that does not say which messages went.
func TestMarksAreDroppedByANewList(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		f := p.server()
		f.start(50)
		p.idle()
		p.press("X")
		p.sees("50 marked")
		for range 20 {
			f.apply(store.Change{Kind: store.Expunge, Seq: 31})
		}
		f.say(f.resync())
		p.idle()
		p.sees("30 marked")
	})
}

func TestRange(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("j V j j j")
		p.sees("4 marked")
		p.press("k")
		p.sees("3 marked")
		p.server().deliver(false) // above
		p.idle()
		p.sees("3 marked")
		p.press("V j j j x") // the range is done; another one by itself
		p.sees("4 marked")
		p.press("U")
		_, flags := takeAs[imapsession.StoreFlags](p)
		if !slices.Equal(flags.Target.UIDs, []store.UID{49}) { // the only unread one: 46, 49 ... every third
			want := []store.UID{}
			for _, u := range []store.UID{44, 47, 48, 49} {
				if (u-1)%3 == 0 {
					want = append(want, u)
				}
			}
			if !slices.Equal(flags.Target.UIDs, want) {
				t.Errorf("U is aimed at %v, want %v", flags.Target.UIDs, want)
			}
		}
		p.press("esc")
		p.seesNot("marked  ", "✓")
	})
}

func TestRangeIsTakenBack(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("x V j j esc")
		p.sees("1 marked")
		p.press("esc")
		p.seesNot("1 marked")
	})
}

// What arrives between the two ends of a range is not in it before the person
// has seen it there.
func TestArrivalsAreNotInARange(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("V j j")
		p.sees("3 marked")
		p.server().flag(49, `\Seen`)
		p.server().deliver(false)
		p.idle()
		p.sees("3 marked")
		p.press("a")
		p.answerFolders()
		_, mv := takeAs[imapsession.Move](p)
		if !slices.Equal(mv.Target.UIDs, []store.UID{48, 49, 50}) {
			t.Errorf("a is aimed at %v", mv.Target.UIDs)
		}
	})
}

func TestRowsThatAreNotKnownAreNotMarked(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		f := p.server()
		f.start(20)
		p.idle()
		f.list.Forget(14, 17)
		f.say(f.resync())
		p.idle()
		p.press("V j j j j j j V")
		p.sees("4 marked", "3 rows of the range are not loaded yet")
		p.press("esc X")
		p.sees("17 marked", "without 3 that are not loaded yet")
	})
}

func TestMarkAllThatMatch(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("f u")
		p.press("X")
		p.sees("17 marked")
		p.press("esc") // the marks, not the view
		p.sees("unread")
		p.press("X U")
		_, flags := takeAs[imapsession.StoreFlags](p)
		if len(flags.Target.UIDs) != 17 || flags.Add[0] != `\Seen` {
			t.Errorf("U sends %+v", flags)
		}
		p.press("X")
		p.sees("17 marks taken away")
	})
}

func TestTheMessageBeingReadIsActedOnAlone(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("x x enter !")
		for _, c := range p.server().pending() {
			if s, ok := c.cmd.(imapsession.StoreFlags); ok && s.Add != nil && s.Add[0] == `\Flagged` && !slices.Equal(s.Target.UIDs, []store.UID{48}) {
				t.Errorf("! in the reader is aimed at %v", s.Target.UIDs)
			}
		}
	})
}

// Marks of messages on their way elsewhere do not have them sent twice.
func TestMarkedMessagesLeaveOnce(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("x x a")
		p.answerFolders()
		p.press("a")
		p.sees("those messages are on their way to another folder already")
		if n := len(p.server().pending()); n != 1 {
			t.Errorf("%d commands wait, want one move", n)
		}
		p.selects("(48)")
		id, mv := takeAs[imapsession.Move](p)
		for _, uid := range mv.Target.UIDs {
			p.server().expunge(uid)
		}
		p.server().say(imapsession.ResultEvent{ID: id, Command: mv})
		p.idle()
		p.sees("moved to Archive: 2 messages")
		p.seesNot("marked", "expunged")
	})
}

func TestKeywords(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(50)
		p.server().flag(50, `\Seen`, "$Label1")
		p.idle()
		p.sees("[Important] (50)")
		p.press("j +")
		p.sees("answered", "Important", "another keyword")
		p.press("1")
		p.sees("[Important] (49)")
		p.answer(nil)
		p.sees("marked Important: (49)")
		p.press(":")
		p.types("keyword $Custom")
		p.press("enter")
		_, flags := takeAs[imapsession.StoreFlags](p)
		if !slices.Equal(flags.Add, []string{"$Custom"}) {
			t.Errorf(":keyword sends %+v", flags)
		}
		p.press(":")
		p.types("keyword not one")
		p.press("enter")
		p.sees("is no keyword")
	}, func(o *Options) {
		o.Keywords = []Keyword{{Name: "$Label1", Label: clean("Important"), Color: "red"}}
	})
}

// However it is done: what is aimed at is in one command, and the selection is on
// what stays.
func TestSelectionStepsOffWhatLeaves(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(5)
		p.idle()
		p.press("j j V j j d") // the last three
		p.answerFolders()
		p.selects("(4)")
		if n := strings.Count(strings.Join(p.lines(), "\n"), "→"); n != 3 {
			t.Errorf("%d rows are drawn as leaving, want 3", n)
		}
	})
}

// A letter that is typed is typed, whatever it means elsewhere.
func TestLettersAreTyped(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(5)
		p.idle()
		p.press(":")
		p.types("Q")
		p.sees(":Q")
		if p.m.quit {
			t.Error("a Q in a line quits")
		}
		p.press("ctrl+c")
		if !p.m.quit {
			t.Error("ctrl+c does not quit while a line is typed")
		}
	})
}
