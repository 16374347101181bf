package ui

import (
	"tidings/imapsession"
	"tidings/store"
)

// What the person did is taken back wherever they are by now. Its commands are
// given to the session that has the mailbox selected, if one has; else to that
// which has a connection, whose worker goes there.

// siblings calls yield for the mailboxes of the account that are open.
func (a *account) siblings(yield func(*account) bool) {
	if yield(a.root) && a.root.opened != nil {
		yield(a.root.opened)
	}
}

// boxAt is the open mailbox that is this place; nil where there is none.
func (a *account) boxAt(at store.Place) *account {
	for b := range a.siblings {
		if b.place() == at {
			return b
		}
	}
	return nil
}

// aimedAt aims a command at messages of any mailbox.
func aimedAt(at store.Place, uids []store.UID) imapsession.Target {
	return imapsession.Target{Mailbox: at.Mailbox, UIDValidity: at.UIDValidity, UIDs: uids}
}

// serving is the mailbox whose session has the commands about messages of a place.
func (a *account) serving(at store.Place) *account {
	if b := a.boxAt(at); b != nil {
		return b
	}
	return a.root.asker()
}

// send gives a command about messages of a place to the session of a, and draws
// its effect if a is that place.
func (a *account) send(at store.Place, c imapsession.Command, uids []store.UID, e *store.Effect, j job) imapsession.CommandID {
	id := a.cfg.Session.Do(c)
	if a.place() == at {
		a.over.Put(uint64(id), uids, *e)
	}
	a.jobs[id] = j
	return id
}

// unanswered: a mailbox is closed, and what its session was asked for is done by
// another, from the outbox. How that ends is not told to what waited for it: it
// cannot be taken back any more, which is said.
func (m *Model) unanswered(b *account) []span {
	h := b.history
	n := 0
	for _, j := range b.jobs {
		d := j.deed
		if d == nil || j.part == nil {
			continue
		}
		n++
		d.under = false
		h.settled(j.part)
		h.forget(d)
		for i := 0; i < len(h.queue); i++ {
			if w := h.queue[i]; w.d == d {
				b.eraseWish(w)
				h.queue = append(h.queue[:i], h.queue[i+1:]...)
				i--
			}
		}
	}
	for x := range b.siblings {
		m.releaseNews(x)
	}
	if n == 0 {
		return nil
	}
	line := []span{
		own(sWarn, "what was done in "), said(sBold, b.box), own(sWarn, " is not confirmed yet, and cannot be taken back any more "+m.theme.marks.bullet+" "),
		own(sBold, "w"), own(sWarn, " shows what waits"),
	}
	m.say(b.root, line...)
	m.proceed(b.root)
	return line
}
