package ui

import (
	"context"
	"errors"
	"slices"
	"testing"

	"tidings/imapsession"
	"tidings/internal/safetext"
	"tidings/store"
)

func clean(s string) safetext.Text { return safetext.Clean(s) }

// archived has the selected message moved to the archive, as UID to there.
func (p *person) archived(to ...store.UID) imapsession.Move {
	p.t.Helper()
	p.press("a")
	if _, is := p.server().pending()[0].cmd.(imapsession.ListFolders); is {
		p.answerFolders()
	}
	id, mv := takeAs[imapsession.Move](p)
	for _, uid := range mv.Target.UIDs {
		p.server().expunge(uid)
	}
	p.server().say(imapsession.ResultEvent{ID: id, Command: mv, Copied: &imapsession.Copied{
		Place: store.Place{Mailbox: "Archive", UIDValidity: 9}, From: mv.Target.UIDs, To: to,
	}})
	p.idle()
	return mv
}

func TestUndoOfFlags(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("j !")
		p.answer(nil)
		p.press("j j u")
		p.sees("taking back: flagged: (49)")
		_, flags := takeAs[imapsession.StoreFlags](p)
		if !slices.Equal(flags.Target.UIDs, []store.UID{49}) || !slices.Equal(flags.Remove, []string{`\Flagged`}) {
			t.Errorf("u sends %+v", flags)
		}
		p.press("u")
		p.sees("there is nothing to take back")
		p.press("ctrl+r")
		_, flags = takeAs[imapsession.StoreFlags](p)
		if !slices.Equal(flags.Target.UIDs, []store.UID{49}) || !slices.Equal(flags.Add, []string{`\Flagged`}) {
			t.Errorf("ctrl+r sends %+v", flags)
		}
	})
}

// Of marked messages some have a flag already: those keep it when it is taken
// back.
func TestUndoLeavesWhatWasThereBefore(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("X U")
		_, on := takeAs[imapsession.StoreFlags](p)
		p.press("u")
		_, off := takeAs[imapsession.StoreFlags](p)
		if len(on.Target.UIDs) != 17 || !slices.Equal(on.Target.UIDs, off.Target.UIDs) || off.Remove[0] != `\Seen` {
			t.Errorf("of 17 unread messages U marked %d, u unmarks %d", len(on.Target.UIDs), len(off.Target.UIDs))
		}
	})
}

func TestUndoOfAMove(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("j !")
		p.answer(nil)
		p.server().flag(49, `\Seen`, `\Flagged`)
		p.idle()
		p.archived(333)
		p.selects("(48)")
		p.press("u")
		p.sees("taking back: moved to Archive: (49)")
		id, back := takeAs[imapsession.Move](p)
		if back.Target.Mailbox != "Archive" || back.Target.UIDValidity != 9 || !slices.Equal(back.Target.UIDs, []store.UID{333}) || back.Dest != "INBOX" {
			t.Fatalf("u sends %+v", back)
		}
		p.press("u") // the flag; but which message is it now?
		if n := len(p.server().pending()); n != 0 {
			t.Errorf("%d commands are sent before that is known", n)
		}
		p.server().subjects = map[store.UID]safetext.Text{51: clean("(49) is back")}
		p.server().deliver(false)
		p.idle()
		p.seesNot("new:")
		p.server().say(imapsession.ResultEvent{ID: id, Command: back, Copied: &imapsession.Copied{
			Place: store.Place{Mailbox: "INBOX", UIDValidity: fakeValidity}, From: []store.UID{333}, To: []store.UID{51},
		}})
		p.idle()
		p.selects("(49) is back")
		p.seesNot("new:")
		_, flags := takeAs[imapsession.StoreFlags](p)
		if !slices.Equal(flags.Target.UIDs, []store.UID{51}) || !slices.Equal(flags.Remove, []string{`\Flagged`}) {
			t.Errorf("the second u sends %+v", flags)
		}
		p.press("ctrl+r ctrl+r")
		_, flags = takeAs[imapsession.StoreFlags](p)
		_, mv := takeAs[imapsession.Move](p)
		if !slices.Equal(flags.Target.UIDs, []store.UID{51}) || !slices.Equal(mv.Target.UIDs, []store.UID{51}) || mv.Dest != "Archive" {
			t.Errorf("ctrl+r sends %+v and %+v", flags, mv)
		}
	})
}

// What comes back is no news and rings no bell, whichever the server tells first.
func TestReturnedMailIsNoNews(t *testing.T) {
	for _, resultFirst := range []bool{true, false} {
		atScreen(t, 100, 24, func(p *person) {
			p.server().start(50)
			p.idle()
			p.archived(333)
			rung := len(p.raw)
			p.press("u")
			id, back := takeAs[imapsession.Move](p)
			result := imapsession.ResultEvent{ID: id, Command: back, Copied: &imapsession.Copied{
				Place: store.Place{Mailbox: "INBOX", UIDValidity: fakeValidity}, From: []store.UID{333}, To: []store.UID{51},
			}}
			if resultFirst {
				p.server().say(result)
				p.idle()
			}
			p.server().deliver(false)
			p.idle()
			if !resultFirst {
				p.server().say(result)
				p.idle()
			}
			p.seesNot("new:")
			if len(p.raw) != rung {
				t.Errorf("result first %v: a bell rang", resultFirst)
			}
			p.server().deliver(false)
			p.idle()
			p.sees("new:")
		})
	}
}

// Marks are there again with the messages.
func TestMarksComeBack(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("x x")
		p.archived(333, 334)
		p.seesNot("marked")
		p.press("u")
		id, back := takeAs[imapsession.Move](p)
		p.server().deliver(false)
		p.server().deliver(false)
		p.server().say(imapsession.ResultEvent{ID: id, Command: back, Copied: &imapsession.Copied{
			Place: store.Place{Mailbox: "INBOX", UIDValidity: fakeValidity}, From: []store.UID{333, 334}, To: []store.UID{51, 52},
		}})
		p.idle()
		p.sees("2 marked", "taken back: moved to Archive: 2 messages")
	})
}

func TestUndoOfWhatIsNotSentYet(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("j d")
		p.answerFolders()
		p.sees("→")
		p.press("u")
		p.seesNot("→")
		id, mv := takeAs[imapsession.Move](p)
		if !slices.Equal(p.server().canceled, []imapsession.CommandID{id}) {
			t.Fatalf("cancelled: %v, want %d", p.server().canceled, id)
		}
		p.server().say(imapsession.ResultEvent{ID: id, Command: mv, Err: context.Canceled})
		p.idle()
		p.sees("taken back: moved to Trash: (49)")
		if n := len(p.server().pending()); n != 0 {
			t.Errorf("%d commands wait", n)
		}
	})
}

// A move that was too far to be taken back is moved back.
func TestUndoThatComesTooLate(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("j d")
		p.answerFolders()
		p.press("u")
		id, mv := takeAs[imapsession.Move](p)
		p.server().expunge(49)
		p.server().say(imapsession.ResultEvent{ID: id, Command: mv, Copied: &imapsession.Copied{
			Place: store.Place{Mailbox: "Trash", UIDValidity: 8}, From: []store.UID{49}, To: []store.UID{5},
		}})
		p.idle()
		p.seesNot("expunged")
		_, back := takeAs[imapsession.Move](p)
		if back.Target.Mailbox != "Trash" || !slices.Equal(back.Target.UIDs, []store.UID{5}) || back.Dest != "INBOX" {
			t.Errorf("it sends %+v", back)
		}
	})
}

func TestUndoDeclines(t *testing.T) {
	atScreen(t, 120, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("!")
		p.answer(nil)
		p.press("j d")
		p.answerFolders()
		id, mv := takeAs[imapsession.Move](p)
		p.server().expunge(49)
		p.server().say(imapsession.ResultEvent{ID: id, Command: mv})
		p.idle()
		p.press("u")
		p.sees("not taken back: the server did not say which messages they became in Trash")
		p.press("u") // the one before
		_, flags := takeAs[imapsession.StoreFlags](p)
		if !slices.Equal(flags.Target.UIDs, []store.UID{50}) {
			t.Errorf("u then sends %+v", flags)
		}
	})
}

// Where the server does not say which messages they became, they are looked for.
func TestUndoByLocating(t *testing.T) {
	for _, fails := range []bool{false, true} {
		atScreen(t, 120, 24, func(p *person) {
			p.server().start(50)
			p.idle()
			p.press("d")
			p.answerFolders()
			id, mv := takeAs[imapsession.Move](p)
			p.server().expunge(50)
			landing := imapsession.Landing{
				Place: store.Place{Mailbox: "Trash", UIDValidity: 8}, Next: 40,
				Messages: []imapsession.Identity{{UID: 50, MessageID: "<50@x>", Size: 12}},
			}
			p.server().say(imapsession.ResultEvent{ID: id, Command: mv, Landing: &landing})
			p.idle()
			p.press("u")
			id, where := takeAs[imapsession.Locate](p)
			if where.Landing.Next != 40 || len(where.Landing.Messages) != 1 {
				t.Fatalf("it looks for %+v", where.Landing)
			}
			if fails {
				p.server().say(imapsession.ResultEvent{ID: id, Command: where, Err: errors.New("two messages fit")})
				p.idle()
				p.sees("not taken back: two messages fit")
				return
			}
			p.server().say(imapsession.ResultEvent{ID: id, Command: where, Copied: &imapsession.Copied{
				Place: landing.Place, From: []store.UID{50}, To: []store.UID{41},
			}})
			p.idle()
			_, back := takeAs[imapsession.Move](p)
			if !slices.Equal(back.Target.UIDs, []store.UID{41}) || back.Target.UIDValidity != 8 || back.Dest != "INBOX" {
				t.Errorf("it sends %+v", back)
			}
		})
	}
}

func TestNothingIsTakenBackThatDidNotHappen(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("!")
		p.answer(errors.New("NO"))
		p.press("u")
		p.sees("there is nothing to take back")
	})
}

func TestDeleteInTrashAsksAndExpunges(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("x x d")
		p.answerFolders()
		p.sees("Delete 2 messages for ever? That cannot be taken back", "no", "yes, delete for ever")
		if n := len(p.server().pending()); n != 0 {
			t.Errorf("%d commands are sent before the answer", n)
		}
		p.press("enter") // no is what Enter takes
		if n := len(p.server().pending()); n != 0 {
			t.Errorf("Enter sends %d commands", n)
		}
		p.press("d y")
		_, cmd := takeAs[imapsession.Expunge](p)
		if !slices.Equal(cmd.Target.UIDs, []store.UID{49, 50}) {
			t.Errorf("it expunges %v", cmd.Target.UIDs)
		}
		p.press("u")
		p.sees("that cannot be taken back")
	}, func(o *Options) { o.Accounts[0].Trash = "INBOX" })
}

func TestWithoutTrash(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("j d")
		id, list := takeAs[imapsession.ListFolders](p)
		bare := []imapsession.Folder{{Raw: "INBOX", Name: clean("INBOX")}, {Raw: "Old", Name: clean("Old")}}
		p.server().say(imapsession.FoldersEvent{ID: id, Folders: bare})
		p.server().say(imapsession.ResultEvent{ID: id, Command: list})
		p.idle()
		p.sees("The server has no trash folder: nothing was done yet", "create one, Trash", "name the folder")
		if n := len(p.server().pending()); n != 0 {
			t.Errorf("%d commands are sent before the answer", n)
		}
		p.press("c")
		id, made := takeAs[imapsession.CreateFolder](p)
		if made.Name != "Trash" {
			t.Errorf("it makes %q", made.Name)
		}
		p.server().say(imapsession.ResultEvent{ID: id, Command: made})
		p.idle()
		id, list = takeAs[imapsession.ListFolders](p)
		p.server().say(imapsession.FoldersEvent{ID: id, Folders: append(bare, imapsession.Folder{Raw: "Trash", Name: clean("Trash"), Role: "trash"})})
		p.server().say(imapsession.ResultEvent{ID: id, Command: list})
		p.idle()
		_, mv := takeAs[imapsession.Move](p)
		if mv.Dest != "Trash" || !slices.Equal(mv.Target.UIDs, []store.UID{49}) {
			t.Errorf("then it sends %+v", mv)
		}
	})
}

func TestJunk(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("J")
		p.answerFoldersWithJunk("Junk")
		_, flags := takeAs[imapsession.StoreFlags](p)
		_, mv := takeAs[imapsession.Move](p)
		if !slices.Equal(flags.Add, []string{"$Junk"}) || mv.Dest != "Junk" {
			t.Errorf("J sends %+v and %+v", flags, mv)
		}
	})
	atScreen(t, 100, 24, func(p *person) { // the folder on screen is the one for junk
		p.server().start(50)
		p.server().flag(50, "$Junk")
		p.idle()
		p.press("J")
		p.answerFoldersWithJunk("INBOX")
		p.sees("that message is in INBOX already")
	}, func(o *Options) { o.Accounts[0].Junk = "INBOX" })
}

func (p *person) answerFoldersWithJunk(junk string) {
	p.t.Helper()
	id, list := takeAs[imapsession.ListFolders](p)
	p.server().say(imapsession.FoldersEvent{ID: id, Folders: []imapsession.Folder{
		{Raw: "INBOX", Name: clean("INBOX")}, {Raw: junk, Name: clean(junk), Role: "junk"},
	}})
	p.server().say(imapsession.ResultEvent{ID: id, Command: list})
	p.idle()
}

// At Gmail the words say what becomes of a message there.
func TestGmailIsToldApart(t *testing.T) {
	atScreen(t, 120, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("a")
		id, list := takeAs[imapsession.ListFolders](p)
		p.server().say(imapsession.FoldersEvent{ID: id, Gmail: true, Folders: []imapsession.Folder{
			{Raw: "INBOX", Name: clean("INBOX")},
			{Raw: "[Gmail]/All Mail", Name: clean("[Gmail]/All Mail"), Role: "all"},
			{Raw: "[Gmail]/Trash", Name: clean("[Gmail]/Trash"), Role: "trash"},
		}})
		p.server().say(imapsession.ResultEvent{ID: id, Command: list})
		p.idle()
		p.answer(nil)
		p.sees("label taken off, kept in [Gmail]/All Mail: (50)")
		p.press("d")
		p.answer(nil)
		p.sees("deleted, with all its labels: moved to [Gmail]/Trash: (49)")
	})
}

// Another client was quicker: nothing is sent back, and nothing blamed.
func TestAnotherClientWasFirst(t *testing.T) {
	atScreen(t, 120, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("d")
		p.answerFolders()
		p.server().expunge(50)
		p.answer(imapsession.ErrGone)
		p.sees("another client was first, and nothing was done")
		p.seesNot("sent back", "→")
		p.press("u")
		p.sees("there is nothing to take back")
	})
}

// A flag that is not confirmed shows that something is under way.
func TestPendingIsDrawn(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("j !")
		p.selects("⚑")
		p.selects("…")
		p.answer(nil)
		if l := []rune(p.selected()); l[5] != ' ' {
			t.Errorf("a confirmed flag is still drawn as pending: %q", string(l))
		}
	})
}
