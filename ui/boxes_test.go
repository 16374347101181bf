package ui

import (
	"errors"
	"testing"
	"time"

	"tidings/imapsession"
	"tidings/internal/safetext"
	"tidings/store"
)

// openingFolders has folders opened, each with a fake session; it returns what was
// closed.
func openingFolders(p **person, closed *[]string) func(*Options) {
	return func(o *Options) {
		o.Accounts[0].Poll = time.Minute
		o.Accounts[0].Open = func(mailbox string) Opened {
			s := newFakeSession()
			s.mailbox = mailbox
			(*p).folder = s
			return Opened{Session: s, Close: func() { *closed = append(*closed, mailbox) }}
		}
	}
}

// atFolders is atScreen for somebody whose folders can be opened.
func atFolders(t *testing.T, w, h int, f func(p *person, closed *[]string)) {
	t.Helper()
	var who *person
	var closed []string
	atScreen(t, w, h, func(p *person) {
		who = p
		p.server().start(50)
		p.idle()
		f(p, &closed)
	}, openingFolders(&who, &closed))
}

// goTo opens a folder by its name.
func (p *person) goTo(name string) *fakeSession {
	p.t.Helper()
	p.command("go " + name)
	p.answerList(someFolders())
	return p.folder
}

func TestAFolderIsOpened(t *testing.T) {
	atFolders(t, 100, 24, func(p *person, closed *[]string) {
		folder := p.goTo("zebra")
		p.sees(" zebra")
		p.seesNot("INBOX", "(50)")
		folder.nextUID = 101
		folder.start(7)
		p.idle()
		p.selects("(107)")
		p.sees("zebra  3 unread of 7")
		// An action is aimed at the folder.
		p.press("U")
		c, _ := folder.take()
		if s, ok := c.cmd.(imapsession.StoreFlags); !ok || s.Target.Mailbox != "zebra" || s.Target.UIDs[0] != 107 {
			t.Errorf("U sent %+v", c.cmd)
		}
		// The inbox is live beside it.
		p.server().deliver(false)
		p.idle()
		p.sees("INBOX new: ")
		p.press("B")
		p.selects("(50)")
		p.sees("(51)", "INBOX  18 unread of 51")
		// The folder is still open, where it was.
		p.press("G")
		p.goTo("zebra")
		if p.folder != folder || len(*closed) > 0 {
			t.Errorf("it was opened again; closed %q", *closed)
		}
		p.selects("(107)")
		// Another one takes its place.
		p.goTo("sent")
		if len(*closed) != 1 || (*closed)[0] != "zebra" {
			t.Errorf("closed %q", *closed)
		}
		// What a closed one still says is not heard.
		folder.say(imapsession.AlertEvent{Text: safetext.Const("too late")})
		p.send(batchMsg{1, []imapsession.Event{imapsession.AlertEvent{Text: safetext.Const("too late")}}})
		p.seesNot("too late")
		p.press("B")
		p.wait(keepOpen + time.Second)
		if len(*closed) != 2 {
			t.Errorf("after a while, closed %q", *closed)
		}
	})
}

// A folder that another client deletes while it is open is left, and that is said;
// it is not among the folders any more.
func TestAnOpenFolderIsDeleted(t *testing.T) {
	atFolders(t, 120, 24, func(p *person, closed *[]string) {
		p.press("j j")
		folder := p.goTo("zebra")
		folder.nextUID = 101
		folder.start(7)
		p.idle()
		p.press("enter m")
		p.sees("Move (107)")
		folder.say(imapsession.StateEvent{State: imapsession.Connecting})
		folder.say(imapsession.StateEvent{State: imapsession.Offline, Fatal: true, NoMailbox: true, Reason: safetext.Const("there is no mailbox named zebra any more")})
		p.idle()
		p.selects("(48)")
		p.seesNot("Move ")
		p.sees("zebra is gone: there is no mailbox named zebra any more")
		if len(*closed) != 1 {
			t.Errorf("closed %q", *closed)
		}
		p.answerList(someFolders()[2:])
		p.press("c")
		p.answerList(someFolders()[2:])
		p.sees("Tom & Jerry")
		p.seesNot("zebra  ")
		// Stopped for another reason, it stays on screen.
		p.press("esc")
		folder = p.goTo("sent")
		folder.start(7)
		p.idle()
		folder.say(imapsession.StateEvent{State: imapsession.Offline, Fatal: true, Reason: safetext.Const("wrong password")})
		p.idle()
		p.sees(" Sent", "wrong password")
	})
}

// A folder that cannot be opened leaves the person where they were.
func TestAFolderIsRefused(t *testing.T) {
	atFolders(t, 100, 24, func(p *person, closed *[]string) {
		p.press("j j")
		folder := p.goTo("zebra")
		folder.say(imapsession.StateEvent{State: imapsession.Offline, Fatal: true, Reason: safetext.Const("the server said no")})
		p.idle()
		p.selects("(48)")
		p.sees("zebra was not opened: the server said no")
		if len(*closed) != 1 {
			t.Errorf("closed %q", *closed)
		}
		p.command("go lists")
		p.sees("go-nuts") // Lists itself holds no messages: what fits best
	})
}

// With one connection the inbox is looked at now and then, and that is said.
func TestTheInboxIsVisited(t *testing.T) {
	atFolders(t, 100, 24, func(p *person, closed *[]string) {
		folder := p.goTo("zebra")
		folder.start(7)
		p.server().say(imapsession.StateEvent{State: imapsession.BetweenVisits, Watch: imapsession.WatchVisit})
		p.idle()
		p.sees("INBOX checked every 60 s", "live")
		p.press("B")
		if len(*closed) != 1 {
			t.Error("the folder keeps the connection that the inbox needs")
		}
	})
}

// What has been shown once is there again in the next frame, from the cache, and
// says how old it is.
func TestAFolderFromTheCache(t *testing.T) {
	atFolders(t, 100, 24, func(p *person, _ *[]string) {
		folder := p.goTo("zebra")
		list := &store.List{}
		for _, c := range []store.Change{{Kind: store.Exists, N: 1}, {Kind: store.Fill, Seq: 1, UID: 9, Flags: store.NoFlags}} {
			if _, err := list.Apply(c); err != nil {
				t.Fatal(err)
			}
		}
		folder.say(imapsession.ResyncEvent{Mailbox: "zebra", UIDValidity: fakeValidity, List: list, AsOf: fakeNow.Add(-time.Hour)})
		folder.say(imapsession.SummariesEvent{UIDValidity: fakeValidity, Summaries: []*store.Summary{folder.summary(9)}})
		p.idle()
		p.selects("(9)")
		p.sees("as of 60 min ago")
	})
}

// Folders that cannot be listed or counted are not told lies about.
func TestFoldersFail(t *testing.T) {
	atFolders(t, 100, 24, func(p *person, _ *[]string) {
		p.press("c")
		p.answerList(someFolders(), "Sent")
		p.press("r")
		p.answerList(someFolders(), "Trash")
		if l := p.row("Trash"); l == "" {
			t.Error("no Trash")
		}
		p.press("r")
		for _, c := range p.server().pending() {
			p.server().remove(c.id)
			p.server().say(imapsession.ResultEvent{ID: c.id, Command: c.cmd, Err: errors.New("no folders today")})
		}
		p.idle()
		p.sees("no folders today", "zebra")
	})
}
