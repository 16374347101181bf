package ui

import (
	"errors"
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

func TestDeleteHitsWhatWasSelectedWhenThePersonPressed(t *testing.T) {
	atScreen(t, 80, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("j d") // (49): the folders are not known yet
		p.press("j j")
		p.server().expunge(50)
		p.server().deliver(false)
		p.idle()
		p.answerFolders()
		c, ok := p.server().take()
		mv, is := c.cmd.(imapsession.Move)
		if !ok || !is || len(mv.Target.UIDs) != 1 || mv.Target.UIDs[0] != 49 || mv.Dest != "Trash" || mv.Target.UIDValidity != fakeValidity {
			t.Fatalf("the command is %#v", c.cmd)
		}
		line := ""
		for _, l := range p.lines() {
			if strings.Contains(l, "(49)") && !strings.HasPrefix(l, " 14:30") {
				line = l
			}
		}
		if !strings.Contains(line, "→") {
			t.Errorf("the row of a message on its way is drawn %q", line)
		}
		p.server().say(imapsession.ResultEvent{ID: c.id, Command: c.cmd, Err: errors.New("the server said: NO [OVERQUOTA] Trash is full")})
		p.idle()
		p.sees("sent back", "Trash is full")
		p.seesNot("→")
	})
}

func TestFlagsAreDrawnAtOnceAndTakenBack(t *testing.T) {
	atScreen(t, 80, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("j j !")
		p.selects("⚑")
		p.answer(errors.New("the server said: NO not allowed"))
		if strings.Contains(p.selected(), "⚑") {
			t.Error("a refused flag is still drawn")
		}
		p.sees("sent back: the server said: NO not allowed")
		p.press("U")
		c := p.answer(nil).(imapsession.StoreFlags)
		if len(c.Remove) != 1 || c.Remove[0] != `\Seen` {
			t.Errorf("U on a read message sends %+v", c)
		}
	})
}

func TestOtherClients(t *testing.T) {
	atScreen(t, 100, 30, func(p *person) {
		p.server().start(50)
		p.idle()
		p.server().flag(49, `\Seen`, `\Flagged`)
		p.idle()
		p.sees("flags: ", "(49) Re: budget for the second quarter read and flagged by another client")
		for uid := store.UID(1); uid < 20; uid++ {
			p.server().expunge(uid)
		}
		p.idle()
		p.sees("expunged: 19 messages")
	})
}

func TestOpeningMarksRead(t *testing.T) {
	for _, c := range []struct {
		name  string
		after time.Duration
		wait  time.Duration
		want  bool
	}{
		{"at once", 0, 0, true},
		{"after a while", 2 * time.Second, 3 * time.Second, true},
		{"not before", 2 * time.Second, time.Second, false},
		{"never", -1, time.Minute, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			atScreen(t, 80, 24, func(p *person) {
				p.server().start(49)
				p.idle() // the newest, uid 49, is unread
				p.press("enter")
				p.wait(c.wait)
				got := false
				for _, s := range p.server().pending() {
					if f, ok := s.cmd.(imapsession.StoreFlags); ok && f.Target.UIDs[0] == 49 && f.Add[0] == `\Seen` {
						got = true
					}
				}
				if got != c.want {
					t.Errorf("marked read: %v, want %v", got, c.want)
				}
			}, func(o *Options) { o.Accounts[0].MarkSeen = c.after })
		})
	}
}

func TestReadOnlyNeverMarks(t *testing.T) {
	atScreen(t, 80, 24, func(p *person) {
		p.server().start(49)
		p.idle()
		p.press("enter U ! d a m esc")
		for _, s := range p.server().pending() {
			if _, ok := s.cmd.(imapsession.FetchBody); !ok {
				t.Errorf("a read-only account sent %#v", s.cmd)
			}
		}
	}, func(o *Options) { o.Accounts[0].ReadOnly = true })
}

func TestReaderKeepsItsMessage(t *testing.T) {
	atScreen(t, 80, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("enter")
		p.answerBody(letter, true)
		p.sees("the window opens at 22:00", "alice@example.org")
		p.server().deliver(false)
		p.server().expunge(50)
		p.idle()
		p.sees("the window opens at 22:00", "expunged")
		p.press("d")
		p.sees("nothing was done")
		p.press("esc")
		p.selects("(50)")
	})
}

func TestSilenceIsNotLife(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(5)
		p.idle()
		p.sees("live", "heard just now")
		p.wait(16 * time.Second)
		p.sees("live", "heard 15 s ago")
		p.wait(30 * time.Second)
		p.sees("live", "heard 45 s ago")
		p.wait(17 * time.Second)
		p.sees("unproven")
		p.seesNot("live")
		p.server().signAt(time.Now())
		p.wait(16 * time.Second)
		p.sees("live")
	})
}

func TestCountdownAndKeysRetry(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(5)
		p.server().say(imapsession.StateEvent{State: imapsession.Waiting, Attempt: 2, Retry: time.Now().Add(30 * time.Second), Reason: safetext.Const("connection refused")})
		p.idle()
		p.sees("retry in 30 s", "connection refused")
		p.wait(2500 * time.Millisecond)
		p.sees("retry in 28 s")
		p.press("j")
		if p.server().retried() == 0 {
			t.Error("a key during back-off did not try again")
		}
		p.press("r")
		p.server().live()
		p.idle()
		p.sees("live", "back online")
	})
}

func TestNoticesAreGathered(t *testing.T) {
	bells := func(p *person) (n int) {
		for _, r := range p.raw {
			if r == "\a" {
				n++
			}
		}
		return n
	}
	atScreen(t, 80, 24, func(p *person) {
		p.server().start(5)
		p.idle()
		for range 10 {
			p.server().deliver(false)
			p.idle()
		}
		if n := bells(p); n != 1 {
			t.Errorf("%d bells at once, want 1", n)
		}
		p.wait(3 * time.Second)
		if n := bells(p); n != 2 {
			t.Errorf("%d bells after 3 s, want 2", n)
		}
		uid := p.server().nextUID
		p.server().nextUID++
		n := uint32(p.server().list.Len() + 1)
		p.server().change(store.Change{Kind: store.Exists, N: n}, 0)
		p.server().change(store.Change{Kind: store.Fill, Seq: n, UID: uid, Flags: store.MakeFlags([]string{`\Seen`})}, uid)
		p.server().say(imapsession.NewMailEvent{UIDValidity: fakeValidity, UIDs: []store.UID{uid}, Count: 1})
		p.wait(3 * time.Second)
		if n := bells(p); n != 2 {
			t.Errorf("a message that was read already rang")
		}
	})
}

func TestQuitFromAnywhere(t *testing.T) {
	for _, where := range []string{"", "enter", "?", "L", "m"} {
		for _, key := range []string{"Q", "ctrl+c"} {
			atScreen(t, 80, 24, func(p *person) {
				p.server().start(5)
				p.idle()
				p.press(where)
				p.press(key)
				if !p.quit {
					t.Errorf("%s after %q does not quit", key, where)
				}
			})
		}
	}
	atScreen(t, 80, 24, func(p *person) {
		p.press("q")
		p.sees("Q quits")
		if p.quit {
			t.Error("q quits")
		}
	})
}

func TestAccounts(t *testing.T) {
	atScreen(t, 80, 24, func(p *person) {
		p.sessions[0].start(5)
		p.sessions[1].start(30)
		p.idle()
		p.sees("1 work 2", "2 home 10", "INBOX  2 unread of 5")
		p.press("2")
		p.sees("INBOX  10 unread of 30")
		p.press("A")
		p.sees("INBOX  2 unread of 5")
		p.press("9")
		p.sees("INBOX  2 unread of 5")
		if got, want := p.m.title().String(), "(2) INBOX – work"; got != want {
			t.Errorf("the title is %q, want %q", got, want)
		}
	}, func(o *Options) {
		o.Accounts = append(o.Accounts, Account{Name: safetext.Const("home"), Session: newFakeSession(), Probe: time.Minute})
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

func TestActionsWaitForTheLink(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(50)
		p.server().say(imapsession.StateEvent{State: imapsession.Waiting, Retry: time.Now().Add(time.Minute), Reason: safetext.Const("the link is down")})
		p.idle()
		p.press("j !")
		p.selects("⚑")
		p.sees("1 to send", "offline: the link is down")
		p.server().live()
		p.answer(nil)
		p.seesNot("to send")
	})
}

func TestNewsOfAnotherAccount(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.sessions[0].start(5)
		p.sessions[1].start(5)
		p.idle()
		p.sessions[1].deliver(false)
		p.idle()
		p.sees("home new: ", "2 home 3")
		p.press("2")
		p.sees("14:30 new: ")
	}, func(o *Options) {
		o.Accounts = append(o.Accounts, Account{Name: safetext.Const("home"), Session: newFakeSession(), Probe: time.Minute})
	})
}

func TestMovePrompt(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("j m")
		p.sees("asking the server for its folders", "Move (49)")
		p.answerFolders()
		p.types("lists")
		p.sees("Lists/Arch")
		p.seesNot("Drafts")
		p.server().deliver(false)
		p.idle()
		p.press("enter")
		mv, ok := p.server().pending()[0].cmd.(imapsession.Move)
		if !ok || mv.Dest != "Lists/Arch" || mv.Target.UIDs[0] != 49 {
			t.Errorf("the prompt sent %+v", p.server().pending())
		}
		p.press("m esc")
		p.seesNot("Move (")
		p.press("m")
		p.types("nothing like it")
		p.press("enter")
		p.sees("no folder has that name")
		if n := len(p.server().pending()); n != 1 {
			t.Errorf("%d commands are pending, want the one move", n)
		}
	})
}

func TestConfiguredTrash(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("d")
		p.answerFolders()
		p.press("a")
		if mv, ok := p.server().pending()[0].cmd.(imapsession.Move); !ok || mv.Dest != "Art" {
			t.Errorf("d sent %+v", p.server().pending())
		}
		p.sees("the server has no folder Missing")
	}, func(o *Options) { o.Accounts[0].Trash, o.Accounts[0].Archive = "Art", "Missing" })
}

func TestGrowingBody(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("enter")
		p.answerBody(letter[:400], false)
		p.sees("Hi Bob", "of 8")
		p.seesNot("It is warm")
		p.answerBody(letter, true)
		p.sees("It is warm")
		p.seesNot(" of 1 KiB")
	})
}

func TestWideScreensReadBesideTheList(t *testing.T) {
	atScreen(t, 160, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("enter")
		p.answerBody(letter, true)
		p.sees("the window opens", "(40)")
		p.press("j") // scrolls the text
		p.selects("(50)")
		p.press("tab j")
		p.selects("(49)")
		p.sees("the window opens") // still the other message
		p.send(tea.WindowSizeMsg{Width: 80, Height: 24})
		p.press("esc")
		p.selects("(49)")
		p.seesNot("the window opens")
	})
}

func TestEmojiAsText(t *testing.T) {
	atScreen(t, 120, 30, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("enter")
		p.answerBody(letter, true)
		p.sees("done")
		p.press("esc")
		for _, l := range append(p.lines(), "") {
			for _, r := range l {
				if r >= 0x1f000 {
					t.Fatalf("an emoji is drawn: %q", l)
				}
			}
		}
	}, func(o *Options) { o.EmojiText = true })
}
