package ui

import (
	"sort"

	"tidings/store"
)

// Conversations stand where their newest message would in the list. A folded one
// is one row: that of its newest message, or, as long as the person is on another
// of its messages, of that one: an action hits what the row says. An unfolded one
// has a row for each message, answers below what they answer.

// appliedThreads is applied for a view of conversations.
func (p *projection) appliedThreads(v *listView, c store.Change, a store.Applied) {
	switch c.Kind {
	case store.Exists:
		p.order.Follow(c, a)
	case store.Expunge, store.Vanished:
		uid := a.Old.UID
		delete(p.stays, uid)
		delete(p.queue, uid)
		if uid == 0 || !p.threads.Has(uid) {
			p.order.Follow(c, a)
			return
		}
		rest := p.others(uid)
		if at, gone := p.order.Follow(c, a); gone && v != nil {
			v.removed(at)
		}
		if rest == 0 {
			p.threads.Remove(uid)
			delete(p.branches, uid)
			return
		}
		v.still(func() {
			p.hide(rest, uid)
			p.threads.Remove(uid)
			p.show(rest)
		})
	case store.Fill, store.SetFlags:
		uid := a.New.UID
		if uid == 0 {
			return
		}
		if p.threads.Has(uid) {
			p.threads.SetUnread(uid, a.New.Flags.Known() && !a.New.Flags.Has(store.Seen))
		}
		if a.Old.UID == 0 || a.New.Flags != a.Old.Flags && p.spec.byFlags() {
			p.judge(v, a.Index, a.New, p.sums.Peek(uid))
		}
	}
}

// others is another message of uid's conversation, 0 if there is none.
func (p *projection) others(uid store.UID) store.UID {
	if n, _ := p.threads.Size(uid); n < 2 {
		return 0
	}
	if newest := p.threads.Newest(uid); newest != uid {
		return newest
	}
	return p.threads.Before(uid)
}

// hide takes the rows of uid's conversation out; gone is one that is out already.
func (p *projection) hide(uid, gone store.UID) {
	delete(p.branches, gone)
	if p.threads.Open(uid) {
		for _, u := range p.threads.Members(uid) {
			p.order.Remove(u)
			delete(p.branches, u)
		}
		return
	}
	p.order.Remove(p.threads.Newest(uid))
	if p.held != 0 && p.threads.Has(p.held) && p.threads.Same(p.held, uid) {
		p.order.Remove(p.held)
	}
}

// show puts the rows of uid's conversation in.
func (p *projection) show(uid store.UID) {
	newest := p.threads.Newest(uid)
	at := sort.Search(p.order.Len(), func(at int) bool { return p.threads.Newest(p.order.At(at)) > newest })
	if !p.threads.Open(uid) {
		u := newest
		if p.held != 0 && p.threads.Has(p.held) && p.threads.Same(p.held, uid) {
			u = p.held
		}
		p.again = !p.order.Insert(at, u) || p.again
		return
	}
	for _, b := range p.threads.Tree(uid) {
		p.again = !p.order.Insert(at, b.UID) || p.again
		p.branches[b.UID] = b
	}
}

// admitThread takes a message into its conversation.
func (p *projection) admitThread(v *listView, i int, r store.Row, sum *store.Summary) {
	switch {
	case p.threads.Has(r.UID):
		return
	case sum == nil:
		p.order.Mark(i, true)
		p.queue[r.UID] = true
		return
	}
	delete(p.queue, r.UID)
	k := store.KinOf(sum)
	k.Unread = r.Flags.Known() && !r.Flags.Has(store.Seen)
	v.still(func() {
		for _, u := range p.threads.Joins(k) {
			p.hide(u, 0)
		}
		p.order.Mark(i, false)
		p.threads.Add(k)
		p.show(r.UID)
	})
	if v == nil || r.UID <= v.since {
		return
	}
	if at, ok := v.find(p.threads.Newest(r.UID)); ok && v.rowOf(at) < v.top {
		v.fresh = min(v.fresh+1, v.top) // it may have been above already, and new
	}
}

// dismissThread takes a message out of its conversation that is still in the
// mailbox.
func (p *projection) dismissThread(v *listView, uid store.UID) {
	if !p.threads.Has(uid) {
		return
	}
	v.still(func() {
		p.hide(uid, 0)
		rest := p.others(uid)
		p.threads.Remove(uid)
		if rest != 0 {
			p.show(rest)
		}
	})
}

// hold has the folded conversation of the selected message shown by it, and the
// one before by its newest again.
func (p *projection) hold(v *listView) {
	if p.threads == nil || p.stale || p.held == v.uid {
		return
	}
	old := p.held
	if old != 0 && p.threads.Has(old) && !p.threads.Open(old) && p.threads.Newest(old) != old &&
		!(v.uid != 0 && p.threads.Has(v.uid) && p.threads.Same(old, v.uid)) {
		v.still(func() {
			p.hide(old, 0)
			p.held = 0
			p.show(old)
		})
	}
	p.held = v.uid
}

// fold folds or unfolds the conversation of uid; the selection stays on its
// message.
func (p *projection) fold(v *listView, uid store.UID, open bool) {
	if p.threads.Open(uid) == open {
		return
	}
	if open {
		p.opened[uid] = true
	} else {
		for u := range p.opened {
			if !p.threads.Has(u) || p.threads.Same(u, uid) {
				delete(p.opened, u)
			}
		}
	}
	turn := func() {
		p.hide(uid, 0)
		p.threads.SetOpen(uid, open)
		p.show(uid)
	}
	if v == nil {
		turn()
		return
	}
	v.still(turn)
	if open { // what the person unfolded is not left above the screen
		first, _ := v.find(p.threads.Tree(uid)[0].UID)
		if r := v.rowOf(first); r < v.top && v.cursor()-r < v.h {
			v.top = r
			v.fresh = min(v.fresh, r)
		}
	}
}

// family is what a row shows of its conversation.
type family struct {
	n, unread int  // messages; 0: the row stands for itself alone
	open      bool // unfolded
	branch    store.Branch
}

// family is that of the row of uid.
func (v *listView) family(uid store.UID) family {
	p := v.proj
	if p == nil || p.threads == nil || !p.threads.Has(uid) {
		return family{}
	}
	n, unread := p.threads.Size(uid)
	if n < 2 {
		return family{}
	}
	return family{n: n, unread: unread, open: p.threads.Open(uid), branch: p.branches[uid]}
}

// unreadInside tells whether the row of uid is a folded conversation with an
// unread message in it.
func (v *listView) unreadInside(uid store.UID) bool {
	f := v.family(uid)
	return f.unread > 0 && !f.open
}
