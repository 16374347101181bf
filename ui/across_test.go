package ui

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"tidings/imapsession"
	"tidings/store"
)

// What was done last is taken back from whichever folder the person is in by now.
func TestUndoFromAnotherFolder(t *testing.T) {
	atFolders(t, 120, 24, func(p *person, closed *[]string) {
		p.press("c")
		p.answerList(someFolders())
		p.press("esc")
		p.archived(333)
		zebra := p.goTo("zebra")
		zebra.nextUID = 101
		zebra.start(7)
		p.idle()
		p.press("!")
		flagged, _ := zebra.take()
		zebra.say(imapsession.ResultEvent{ID: flagged.id, Command: flagged.cmd})
		p.press("B")
		p.press("u")
		p.sees("taking back in zebra: ")
		back, ok := zebra.take()
		if c, is := back.cmd.(imapsession.StoreFlags); !ok || !is || c.Target.Mailbox != "zebra" || !slices.Equal(c.Target.UIDs, []store.UID{107}) {
			t.Fatalf("the session of zebra was given %+v", back.cmd)
		}
		zebra.say(imapsession.ResultEvent{ID: back.id, Command: back.cmd})
		p.idle()
		p.sees("taken back in zebra: ")
		p.goTo("zebra")
		p.press("u")
		p.sees("taking back in INBOX: moved to Archive: (50)")
		c, _ := zebra.take()
		move, is := c.cmd.(imapsession.Move)
		if !is || move.Target.Mailbox != "Archive" || move.Target.UIDValidity != 9 || !slices.Equal(move.Target.UIDs, []store.UID{333}) || move.Dest != "INBOX" {
			t.Fatalf("u sends %+v", c.cmd)
		}
		// It arrives in the inbox before the answer, and is not told as new there.
		uid := p.server().deliver(false)
		p.idle()
		zebra.say(imapsession.ResultEvent{ID: c.id, Command: move, Copied: &imapsession.Copied{
			Place: store.Place{Mailbox: "INBOX", UIDValidity: fakeValidity}, From: []store.UID{333}, To: []store.UID{uid},
		}})
		p.idle()
		p.sees("taken back in INBOX: moved to Archive: (50)")
		p.seesNot("new: ")
		p.press("B")
		p.selects("(51)")
		p.seesNot("new: ")
		// Done again, it is the message by its new UID that goes.
		p.press("ctrl+r")
		if _, again := takeAs[imapsession.Move](p); again.Target.Mailbox != "INBOX" || !slices.Equal(again.Target.UIDs, []store.UID{uid}) {
			t.Errorf("ctrl+r sends %+v", again)
		}
	})
}

// What was not confirmed when its folder was closed is done by another session;
// it is said that it cannot be taken back.
func TestAFolderIsClosedWithSomethingUnderWay(t *testing.T) {
	atFolders(t, 120, 24, func(p *person, closed *[]string) {
		p.press("j !")
		p.answer(nil)
		zebra := p.goTo("zebra")
		zebra.nextUID = 101
		zebra.start(7)
		p.idle()
		p.press("!")
		p.press("u") // the opposite is under way, too
		p.goTo("sent")
		p.sees("what was done in zebra is not confirmed yet, and cannot be taken back any more")
		p.press("ctrl+r")
		p.sees("there is nothing to do again")
		p.press("u")
		p.sees("taking back in INBOX: flagged: (49)")
		p.press("u")
		p.sees("there is nothing to take back")
	})
}

// What the person moves into a mailbox that is open is no news there.
func TestWhatIsPutThereIsNoNews(t *testing.T) {
	for _, early := range []bool{true, false} {
		atFolders(t, 120, 24, func(p *person, closed *[]string) {
			zebra := p.goTo("zebra")
			zebra.nextUID = 101
			zebra.start(7)
			p.idle()
			p.press("m")
			p.types("inbox")
			p.press("enter")
			c, _ := zebra.take()
			zebra.expunge(107)
			arrive := func() {
				p.server().deliver(false)
				p.idle()
			}
			answer := func() {
				zebra.say(imapsession.ResultEvent{ID: c.id, Command: c.cmd, Copied: &imapsession.Copied{
					Place: store.Place{Mailbox: "INBOX", UIDValidity: fakeValidity}, From: []store.UID{107}, To: []store.UID{51},
				}})
				p.idle()
			}
			if early {
				arrive()
				answer()
			} else {
				answer()
				arrive()
			}
			p.seesNot("new: ")
			if len(p.raw) > 0 {
				t.Errorf("the terminal was told %q", p.raw)
			}
			p.server().deliver(false)
			p.idle()
			p.sees("INBOX new: ")
		})
	}
}

// While an action waits for the person's decision, nothing else waits for it.
func TestNewsDoNotWaitForADecision(t *testing.T) {
	atFolders(t, 120, 24, func(p *person, closed *[]string) {
		zebra := p.goTo("zebra")
		zebra.nextUID = 101
		zebra.start(7)
		p.idle()
		p.press("C")
		p.types("inbox")
		p.press("enter")
		c, _ := zebra.take()
		p.server().deliver(false)
		p.idle()
		p.seesNot("new: ")
		zebra.say(imapsession.QueuedEvent{ID: c.id, Command: c.cmd, Unclear: clean("who knows")})
		p.idle()
		p.press("B")
		p.sees("new: ")
	})
}

// What cannot be taken back is not passed over: u says so, and only u again goes
// on with what was before.
func TestUndoStopsAtWhatIsFinal(t *testing.T) {
	atScreen(t, 140, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("!")
		p.answer(nil)
		p.press("C")
		p.answerFolders()
		p.types("arch")
		p.press("enter")
		p.answer(nil)
		p.press("u")
		p.sees("copied to Archive: (50)", "a copy stays; delete it there", "u again goes on")
		if n := len(p.server().pending()); n != 0 {
			t.Errorf("%d commands were sent", n)
		}
		p.press("u")
		p.sees("taking back: flag taken away: (50)")
		p.answer(nil)
		// One that the server refused did not happen.
		p.press("!")
		p.answer(nil)
		p.press("C")
		p.types("arch")
		p.press("enter")
		p.answer(errors.New("over quota"))
		p.press("u")
		p.sees("taking back: flag taken away: (50)")
	})
}

// "-" takes a label away from those of the messages that have it, where "+" would
// first give it to the others.
func TestALabelIsTakenAway(t *testing.T) {
	atScreen(t, 140, 24, func(p *person) {
		p.server().start(50)
		p.server().flag(48, `\Seen`, "$Label1")
		p.idle()
		p.press("x x x -")
		p.sees("Take a label away from 3 messages")
		p.press("1")
		_, c := takeAs[imapsession.StoreFlags](p)
		if !slices.Equal(c.Target.UIDs, []store.UID{48}) || len(c.Add) > 0 || !slices.Equal(c.Remove, []string{"$Label1"}) {
			t.Errorf("- sends %+v", c)
		}
		p.press("esc G -")
		p.press("1")
		p.sees("that message is not marked Important")
		p.command("unkeyword other")
		p.sees("that message is not marked other")
		if n := len(p.server().pending()); n != 0 {
			t.Errorf("%d commands were sent", n)
		}
	}, func(o *Options) { o.Keywords = []Keyword{{"$Label1", clean("Important"), "red"}} })
}

// A server that has neither MOVE nor UIDPLUS leaves the original, marked deleted.
// That is our doing, and to take it back is to take that mark away.
func TestUndoWhereTheOriginalStays(t *testing.T) {
	atScreen(t, 160, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("j a")
		p.answerFolders()
		id, mv := takeAs[imapsession.Move](p)
		p.server().flag(49, `\Seen`, `\Deleted`)
		p.idle()
		p.seesNot("by another client")
		p.server().say(imapsession.ResultEvent{ID: id, Command: mv, Note: clean("the original stays here, marked deleted"), Landing: &imapsession.Landing{
			Place: store.Place{Mailbox: "Archive", UIDValidity: 9}, Next: 40,
		}})
		p.idle()
		p.sees("the original stays here, marked deleted")
		p.press("u")
		_, c := takeAs[imapsession.StoreFlags](p)
		if !slices.Equal(c.Target.UIDs, []store.UID{49}) || !slices.Equal(c.Remove, []string{`\Deleted`}) || c.Target.Mailbox != "INBOX" {
			t.Fatalf("u sends %+v", c)
		}
		p.server().flag(49, `\Seen`)
		p.server().say(imapsession.ResultEvent{ID: 3, Command: c})
		p.idle()
		p.sees("the copy in Archive stays, for the server cannot remove single messages")
	})
}

// Ten thousand messages that came back are no news, also where a new list is all
// that tells of them, and more are than are looked at one by one.
func TestManyThatCameBackAreNoNews(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		f := p.server()
		f.start(30)
		p.idle()
		a := p.m.accounts[0]
		const back = scanLimit + 1000
		f.apply(store.Change{Kind: store.Exists, N: uint32(f.list.Len() + back + 1)})
		for i := range back + 1 {
			uid := store.UID(1000 + i)
			f.apply(store.Change{Kind: store.Fill, Seq: uint32(31 + i), UID: uid, Flags: store.NoFlags})
			if i < back {
				a.returns.uids.Add(uid)
			}
		}
		ev := f.resync()
		ev.Arrived = back + 1
		f.say(ev)
		f.say(imapsession.NewMailEvent{UIDValidity: fakeValidity, Count: back + 1, Gap: true})
		p.idle()
		p.sees("1 new")
		for _, e := range a.news.entries {
			for _, s := range e.spans {
				if strings.Contains(string(s.own), "9,19") {
					t.Errorf("it says %q", s.own)
				}
			}
		}
	})
}

// What was stopped in the middle is taken back as far as it was done; and taking
// back what was stopped goes on with u.
func TestUndoOfWhatWasStopped(t *testing.T) {
	atScreen(t, 160, 24, func(p *person) {
		f := p.server()
		f.start(50)
		p.idle()
		p.press("x x x a")
		p.answerFolders()
		id, mv := takeAs[imapsession.Move](p)
		f.expunge(50)
		f.expunge(49)
		f.say(imapsession.ResultEvent{ID: id, Command: mv, Note: clean("stopped when 2 of 3 were done"), Copied: &imapsession.Copied{
			Place: store.Place{Mailbox: "Archive", UIDValidity: 9}, From: []store.UID{49, 50}, To: []store.UID{7, 8},
		}})
		p.idle()
		p.sees("moved to Archive: 2 messages", "stopped when 2 of 3 were done")
		p.press("u")
		id, back := takeAs[imapsession.Move](p)
		if !slices.Equal(back.Target.UIDs, []store.UID{7, 8}) {
			t.Fatalf("u moves %v", back.Target.UIDs)
		}
		f.say(imapsession.ResultEvent{ID: id, Command: back, Note: clean("stopped when 1 of 2 were done"), Copied: &imapsession.Copied{
			Place: store.Place{Mailbox: "INBOX", UIDValidity: fakeValidity}, From: []store.UID{7}, To: []store.UID{51},
		}})
		p.idle()
		p.sees("1 of 2 messages have not come back", "u goes on with them")
		p.press("u")
		id, back = takeAs[imapsession.Move](p)
		if !slices.Equal(back.Target.UIDs, []store.UID{8}) || back.Target.Mailbox != "Archive" {
			t.Fatalf("u moves %+v", back.Target)
		}
		// Stopped before anything was done, it is still to be taken back.
		f.say(imapsession.ResultEvent{ID: id, Command: back, Err: context.Canceled})
		p.idle()
		p.sees("not taken back: ")
		p.press("u")
		id, back = takeAs[imapsession.Move](p)
		f.say(imapsession.ResultEvent{ID: id, Command: back, Copied: &imapsession.Copied{
			Place: store.Place{Mailbox: "INBOX", UIDValidity: fakeValidity}, From: []store.UID{8}, To: []store.UID{52},
		}})
		p.idle()
		p.sees("taken back: ")
		p.press("ctrl+r")
		if _, again := takeAs[imapsession.Move](p); !slices.Equal(again.Target.UIDs, []store.UID{52}) {
			t.Errorf("ctrl+r moves %v", again.Target.UIDs)
		}
	})
}
