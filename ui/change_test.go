package ui

import (
	"errors"
	"strings"
	"testing"
	"time"

	"tidings/imapsession"
	"tidings/internal/safetext"
	"tidings/store"
)

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

// What is counted are messages, however often the flags of one change.
func TestFlagsThatChangeAgainAndAgainAreOneMessage(t *testing.T) {
	atScreen(t, 100, 30, func(p *person) {
		p.server().start(50)
		p.idle()
		for range 10 {
			p.server().flag(49, `\Seen`)
			p.server().flag(49, `\Seen`, `\Flagged`)
			p.server().flag(48, `\Answered`)
			p.server().flag(48)
		}
		p.idle()
		p.sees("flags: ", "(49) Re: budget for the second quarter", "by another client")
		p.seesNot("messages changed")
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

// However small the screen, a person sees what is typed and what it chooses.
func TestMovePromptIsNeverHidden(t *testing.T) {
	for _, size := range [][2]int{{12, 1}, {12, 2}, {12, 3}, {40, 4}, {40, 5}, {40, 8}} {
		atScreen(t, size[0], size[1], func(p *person) {
			p.server().start(50)
			p.idle()
			p.press("m")
			p.answerFolders()
			p.types("ar")
			p.sees("ar", "Arch")
		})
	}
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

func TestDeleteAtTheEndGoesUp(t *testing.T) {
	atScreen(t, 80, 24, func(p *person) {
		p.server().start(3)
		p.idle()
		p.press("G d")
		p.answerFolders()
		p.selects("(2)")
		p.server().expunge(1)
		p.answer(nil)
		p.selects("(2)")
		p.sees("moved to Trash")
		p.seesNot("×", "expunged")
	})
}
