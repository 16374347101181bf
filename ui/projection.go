package ui

import (
	"sort"
	"time"

	"tidings/store"
)

// projection is what a view other than the list itself shows: some of the
// list's messages, in an order of its own. It is made off the Update path from a
// snapshot (viewbuild.go) and then follows what happens to the list: arrivals
// come in, expunged ones go, flags that change bring in and take out.
//
// A message that stops belonging while the person is on it, reads it or has
// acted on it stays until the view is chosen again: what is read in the view of
// unread messages does not vanish while it is read, and k leads back to it. What
// other clients read goes at once.
//
// A message whose place is not known, because its summary is not, has no
// position: it waits, and is counted. One at a time it comes in by a search for
// its place (viewplace.go); where many do, the view is made anew.
type projection struct {
	spec    viewSpec
	since   time.Time          // of showToday: midnight
	found   map[store.UID]bool // of showFound
	order   *store.Order
	threads *store.Threads // nil: no conversations
	// branches are the rows of unfolded conversations.
	branches map[store.UID]store.Branch
	opened   map[store.UID]bool // by whose key they were unfolded
	held     store.UID          // the selected message, which its folded conversation is shown by

	sums  *store.Summaries
	mine  func(store.UID) bool // the person is on it, or has something under way for it
	stays map[store.UID]bool   // belong no more, and stay
	queue map[store.UID]bool   // belong, and their place is to be found
	stale bool                 // the list is another: the view is to be made anew
	again bool                 // the view is to be made anew when that is cheap
}

// applied follows a Change that the list has just taken. v is the window on the
// projection; nil while it catches up before it is shown.
func (p *projection) applied(v *listView, c store.Change, a store.Applied) {
	if p.stale { // what is shown is of the list before; only what goes, goes
		if (c.Kind == store.Expunge || c.Kind == store.Vanished) && a.Count > 0 && a.Old.UID != 0 {
			if at, ok := p.order.Remove(a.Old.UID); ok && v != nil {
				v.removed(at)
			}
		}
		return
	}
	if p.threads != nil {
		p.appliedThreads(v, c, a)
		return
	}
	at, gone := p.order.Follow(c, a)
	switch c.Kind {
	case store.Expunge, store.Vanished:
		delete(p.stays, a.Old.UID)
		delete(p.queue, a.Old.UID)
		if gone && v != nil {
			v.removed(at)
		}
	case store.Fill, store.SetFlags:
		if a.New.UID != 0 && (a.Old.UID == 0 || a.New.Flags != a.Old.Flags && p.spec.byFlags()) {
			p.judge(v, a.Index, a.New, p.sums.Peek(a.New.UID))
		}
	}
}

// learnt takes a summary that came.
func (p *projection) learnt(v *listView, list *store.List, s *store.Summary) {
	if p.stale {
		return
	}
	if i, ok := list.Find(s.UID); ok && p.order.Standing(i) == store.Waits {
		p.judge(v, i, list.Row(i), s)
	}
}

// judge brings row i in, or takes it out, as it belongs.
func (p *projection) judge(v *listView, i int, r store.Row, sum *store.Summary) {
	stands := p.order.Standing(i)
	if p.threads != nil && p.threads.Has(r.UID) {
		stands = store.Stands // perhaps in a fold
	}
	verdict := p.spec.judge(r, sum, p.since)
	if p.found[r.UID] {
		verdict = isIn
	}
	switch verdict {
	case isIn:
		delete(p.stays, r.UID)
		if p.found != nil && !p.found[r.UID] { // it arrived, and is what was asked for
			p.found[r.UID] = true
			p.spec.found = append(p.spec.found, r.UID)
		}
		if stands != store.Stands {
			p.admit(v, i, r, sum)
		}
	case isOut:
		switch {
		case stands == store.Waits:
			p.order.Mark(i, false)
			delete(p.queue, r.UID)
		case stands == store.Apart && v != nil && v.tomb && v.uid == r.UID: // it is found again
			p.stays[r.UID] = true
			p.admit(v, i, r, sum)
		case stands == store.Apart || p.stays[r.UID]:
		case p.mine(r.UID):
			p.stays[r.UID] = true
		default:
			p.dismiss(v, r.UID)
		}
	case isUnknown:
		if stands == store.Apart {
			p.order.Mark(i, true)
		}
	}
}

// admit brings a message in, at once where its place is known.
func (p *projection) admit(v *listView, i int, r store.Row, sum *store.Summary) {
	switch {
	case p.threads != nil:
		p.admitThread(v, i, r, sum)
	case p.spec.sort == store.ByArrival:
		p.insert(v, p.arrival(r.UID), r.UID)
	default:
		p.order.Mark(i, true)
		p.queue[r.UID] = true
	}
}

// arrival is where uid goes in an order by arrival.
func (p *projection) arrival(uid store.UID) int {
	n := p.order.Len()
	if n == 0 || p.order.At(n-1) < uid {
		return n
	}
	return sort.Search(n, func(at int) bool { return p.order.At(at) > uid })
}

// insert gives uid position at.
func (p *projection) insert(v *listView, at int, uid store.UID) {
	if !p.order.Insert(at, uid) {
		p.again = true
		return
	}
	delete(p.queue, uid)
	if v != nil {
		v.inserted(at)
	}
}

// dismiss takes a message out that is still in the mailbox.
func (p *projection) dismiss(v *listView, uid store.UID) {
	if p.threads != nil {
		p.dismissThread(v, uid)
		return
	}
	if at, ok := p.order.Remove(uid); ok && v != nil {
		v.removed(at)
	}
}

// hit adds what a search found.
func (p *projection) hit(v *listView, list *store.List, uid store.UID) {
	p.found[uid] = true
	if p.stale {
		return
	}
	if i, ok := list.Find(uid); ok && p.order.Standing(i) != store.Stands {
		p.admit(v, i, list.Row(i), p.sums.Peek(uid))
	}
}

// waiting is how many messages have no place yet.
func (p *projection) waiting() int { return p.order.Waiting() }
