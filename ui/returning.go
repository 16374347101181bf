package ui

import (
	"slices"

	"tidings/imapsession"
	"tidings/store"
)

// returning is what has to be known of messages that the person puts into a
// mailbox, or takes back into it: they are no news.
type returning struct {
	held []imapsession.NewMailEvent // may be about them
	uids store.UIDSet
}

// putThere notes what a move or a copy made, where that mailbox is open.
func (a *account) putThere(c *imapsession.Copied) {
	if c == nil {
		return
	}
	if b := a.boxAt(c.Place); b != nil {
		for _, uid := range c.To {
			b.returns.uids.Add(uid)
		}
	}
}

// putSince counts the messages that the person put here and that a newer list has
// for the first time.
func (a *account) putSince(list *store.List) (n int) {
	for _, uid := range a.returns.uids.All() {
		_, before := a.view.list.Find(uid)
		if _, now := list.Find(uid); now && !before {
			n++
		}
	}
	return n
}

// putAmong counts those that the person put here among the rows [lo,hi).
func (a *account) putAmong(lo, hi int) (n int) {
	for _, uid := range a.returns.uids.All() {
		if i, ok := a.view.list.Find(uid); ok && i >= lo && i < hi {
			n++
		}
	}
	return n
}

// selectReturned selects a message that came back, if the selection has stayed
// where it was.
func (a *account) selectReturned() {
	w, v := a.comeback, &a.view
	if w.uid == 0 {
		return
	}
	if v.uid != w.from {
		a.comeback = wanted{}
		return
	}
	if i, ok := v.find(w.uid); ok {
		v.selectRow(v.rowOf(i))
		a.comeback = wanted{}
	}
}

// isComing tells whether a command under way puts messages into a: one that is
// confirmed before long, if at all.
func (a *account) isComing() bool {
	for b := range a.siblings {
		if b.state.State != imapsession.Live {
			continue
		}
		for id, j := range b.jobs {
			if j.home == a && !b.outbox.asks(id) {
				return true
			}
		}
	}
	return false
}

// asks tells whether a command waits for the person to decide on it.
func (o *outbox) asks(id imapsession.CommandID) bool {
	return slices.ContainsFunc(o.waits, func(w *waiting) bool { return w.id == id && !w.unclear.IsEmpty() })
}

// holdReturning keeps news while messages are coming: they may be what it is
// about.
func (a *account) holdReturning(ev imapsession.NewMailEvent) bool {
	if !a.isComing() {
		return false
	}
	a.returns.held = append(a.returns.held, ev)
	return true
}

// releaseNews tells what arrived while messages were coming, if no more are.
func (m *Model) releaseNews(a *account) {
	if len(a.returns.held) == 0 || a.isComing() {
		return
	}
	held := a.returns.held
	a.returns.held = nil
	for _, ev := range held {
		if ev.UIDValidity == a.validity {
			m.newMail(a, ev)
		}
	}
}

// withoutReturned takes out of ev what only came back.
func (a *account) withoutReturned(ev imapsession.NewMailEvent) imapsession.NewMailEvent {
	r := &a.returns
	if r.uids.Len() == 0 {
		return ev
	}
	uids := slices.DeleteFunc(slices.Clone(ev.UIDs), r.uids.Has)
	ev.Count -= len(ev.UIDs) - len(uids)
	ev.UIDs = uids
	return ev
}
