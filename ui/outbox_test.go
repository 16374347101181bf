package ui

import (
	"errors"
	"slices"
	"testing"
	"time"

	"tidings/imapsession"
	"tidings/internal/safetext"
	"tidings/store"
)

// queue has the session tell of a command that waits.
func (f *fakeSession) queue(ev imapsession.QueuedEvent) imapsession.CommandID {
	if ev.ID == 0 {
		f.mu.Lock()
		f.nextID++
		ev.ID = f.nextID
		f.mu.Unlock()
	}
	f.say(ev)
	return ev.ID
}

func aimed(uids ...store.UID) imapsession.Target {
	return imapsession.Target{Mailbox: "INBOX", UIDValidity: fakeValidity, UIDs: uids}
}

// What an earlier run left is drawn, counted, told, and ends like the rest.
func TestActionsOfAnEarlierRun(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		s := p.server()
		yesterday := time.Now().Add(-22 * time.Hour)
		move := s.queue(imapsession.QueuedEvent{Command: imapsession.Move{Target: aimed(29), Dest: "Archive"}, Since: yesterday, Earlier: true})
		flag := s.queue(imapsession.QueuedEvent{Command: imapsession.StoreFlags{Target: aimed(28), Add: []string{`\Flagged`}}, Since: yesterday.Add(time.Minute), Earlier: true})
		elsewhere := imapsession.Target{Mailbox: "Lists", UIDValidity: 3, UIDs: []store.UID{1, 2}}
		s.queue(imapsession.QueuedEvent{Command: imapsession.Copy{Target: elsewhere, Dest: "Archive"}, Since: yesterday.Add(time.Hour), Earlier: true})
		p.idle()
		p.sees("3 actions of an earlier run wait to be sent")
		s.start(30)
		s.say(imapsession.StateEvent{State: imapsession.Waiting, Reason: safetext.Const("no route"), Retry: time.Now().Add(time.Minute)})
		p.idle()
		p.sees("3 to send", "→", "●⚑ @")
		p.press("w")
		p.sees("move to Archive: ", "flag: ", "copy to Archive: 2 messages", "since 23 Nov 16:30: offline: no route")
		p.press("j")
		p.selects("flag: ")
		p.press("r")
		if !slices.Contains(s.retries, true) {
			t.Error("r does not try the connection")
		}
		p.press("d")
		if !slices.Equal(s.canceled, []imapsession.CommandID{flag}) {
			t.Errorf("d takes back %v", s.canceled)
		}
		s.say(imapsession.ResultEvent{ID: move, Command: imapsession.Move{Target: aimed(29), Dest: "Archive"}})
		s.say(imapsession.ResultEvent{ID: flag, Err: errors.New("the server has renumbered this mailbox")})
		p.idle()
		p.sees("copy to Archive: 2 messages", "sent back: the server has renumbered this mailbox")
		p.seesNot("move to Archive: ", "flag: ")
		p.selects("copy to Archive")
		p.press("esc")
		p.seesNot("→", "●⚑ @", "copy to")
		p.sees("1 to send")
	})
}

// Only the person can tell: the pane says what is known, r does it again.
func TestUnclearActions(t *testing.T) {
	for _, size := range [][2]int{{100, 24}, {40, 8}, {24, 4}, {3, 3}} {
		atScreen(t, size[0], size[1], func(p *person) {
			s := p.server()
			s.start(30)
			p.idle()
			ev := imapsession.QueuedEvent{Command: imapsession.Copy{Target: aimed(30), Dest: "Archive"}, Since: time.Now()}
			ev.ID = s.queue(ev)
			ev.Unclear = safetext.Const("whether it was copied to Archive is not known: that mailbox was renumbered meanwhile")
			s.queue(ev)
			p.idle()
			p.press("w")
			p.checkFrame()
			if size[0] >= 40 {
				p.sees("copy to Archive: ", "since 14:30: whether", "again")
				p.selects("copy to")
			}
			p.press("r")
			if !slices.Equal(s.again, []imapsession.CommandID{ev.ID}) {
				t.Errorf("r does %v again", s.again)
			}
			s.say(imapsession.ResultEvent{ID: ev.ID})
			p.idle()
			p.checkFrame()
			if size[0] >= 40 {
				p.sees("Nothing waits")
			}
			p.press("r d j k w")
			p.checkFrame()
		})
	}
}

// A mailbox that was renumbered has no effects drawn of what is aimed at the old
// one.
func TestRenumberedWithActionsThatWait(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		s := p.server()
		old := aimed(29)
		old.UIDValidity--
		s.queue(imapsession.QueuedEvent{Command: imapsession.Move{Target: old, Dest: "Archive"}, Since: time.Now(), Earlier: true})
		s.start(30)
		p.idle()
		p.seesNot("→")
	})
}

// What the server will not do for now is drawn as pending still, told once in the
// server's words, and stands in the pane with the time of the next try.
func TestActionsThatTheServerPutsOff(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		s := p.server()
		s.start(30)
		p.idle()
		p.press("!")
		sent := s.pending()
		id, cmd := sent[len(sent)-1].id, sent[len(sent)-1].cmd
		ev := imapsession.QueuedEvent{ID: id, Command: cmd, Since: time.Now()}
		s.queue(ev)
		ev.Refused, ev.Retry = safetext.Const(`"the backend sleeps" [UNAVAILABLE]`), time.Now().Add(45*time.Second)
		s.queue(ev)
		p.idle()
		p.sees("not yet, the server says", "the backend sleeps", "again in 45 s", "⚑")
		p.press("w")
		p.sees("flag: ", `the server would not for now, it said "the backend sleeps" [UNAVAILABLE]`, "again at 14:30:45; r tries it at once")
		p.press("r")
		if !slices.Equal(s.again, []imapsession.CommandID{id}) {
			t.Errorf("r does %v again", s.again)
		}
		ev.Refused, ev.Retry = safetext.Text{}, time.Time{}
		s.queue(ev)
		p.idle()
		p.sees("is being sent")
		s.say(imapsession.ResultEvent{ID: id, Command: cmd})
		p.idle()
		p.sees("Nothing waits")
	})
}
