package ui

import "tidings/store"

// marked is the messages that the person has marked, to act on all of them at
// once. They are known by UID, so that they stay marked in every view, and
// whatever the list does.
//
// A range grows from where V was pressed to the selection. What it holds is found
// out when the selection moves: a message that arrives between the two ends is
// not in it.
type marked struct {
	set    store.UIDSet
	anchor store.UID // where the range began; 0: there is none
	end    store.UID // the selection that it was made for
	span   store.UIDSet
	blanks int // rows within it that are not known
}

// has tells whether a message is marked.
func (k *marked) has(uid store.UID) bool { return k.set.Has(uid) || k.span.Has(uid) }

// any tells whether anything is.
func (k *marked) any() bool { return k.set.Len()+k.span.Len() > 0 }

// count is how many are.
func (k *marked) count() int {
	return k.set.Len() + k.span.Len() - k.set.Common(&k.span)
}

// all are the marked messages, UIDs ascending.
func (k *marked) all() []store.UID {
	var both store.UIDSet
	both.AddAll(&k.set)
	both.AddAll(&k.span)
	return both.All()
}

// drop forgets a message that is gone.
func (k *marked) drop(uid store.UID) {
	if uid == 0 {
		return
	}
	k.set.Remove(uid)
	k.span.Remove(uid)
	if uid == k.anchor {
		k.settle()
	}
}

// unmarkGone forgets the marks of messages that a newer list has not got. One that
// was brought back has not been told of yet, perhaps.
func (a *account) unmarkGone(list *store.List) {
	top, _, _ := list.MaxUID()
	for _, uid := range a.marked.all() {
		if !list.MayHold(uid) && (uid <= top || !a.returns.uids.Has(uid)) {
			a.marked.drop(uid)
		}
	}
}

// settle ends the range; what was in it stays marked.
func (k *marked) settle() {
	k.set.AddAll(&k.span)
	k.anchor, k.end, k.blanks = 0, 0, 0
	k.span.Clear()
}

// toggleMark marks the selected message, or takes its mark away, and goes on to
// the next. A range ends with it.
func (m *Model) toggleMark(a *account) {
	k := &a.marked
	if k.anchor != 0 {
		m.endRange(a)
		return
	}
	uid, ok := m.aim(a)
	if !ok {
		return
	}
	if !k.set.Remove(uid) {
		k.set.Add(uid)
	}
	if !m.reading {
		a.view.move(1)
	}
}

// toggleRange begins a range at the selected message, or ends it.
func (m *Model) toggleRange(a *account) {
	k := &a.marked
	if k.anchor != 0 {
		m.endRange(a)
		return
	}
	m.reading = false
	if uid, ok := m.aim(a); ok {
		k.anchor = uid
		a.followRange()
	}
}

// endRange marks what the range holds.
func (m *Model) endRange(a *account) {
	k := &a.marked
	n := k.blanks
	k.settle()
	if n > 0 {
		m.say(a, own(sWarn, ink(thousands(n))+plural(n, " row of the range is", " rows of the range are")+" not loaded yet, and not marked"))
	}
}

// followRange brings the range up to where the selection is.
func (a *account) followRange() {
	k, v := &a.marked, &a.view
	if k.anchor == 0 || v.uid == k.end || v.tomb || v.sel < 0 || v.lost {
		return
	}
	from, ok := v.find(k.anchor)
	if !ok { // the view does not show where it began
		k.settle()
		return
	}
	lo, hi := min(from, v.sel), max(from, v.sel)
	k.span.Clear()
	v.known(lo, hi+1, func(uid store.UID) { k.span.Add(uid) })
	k.blanks = hi + 1 - lo - k.span.Len()
	k.end = v.uid
}

// markShown marks all that the view shows, or takes all their marks away if they
// have them already.
func (m *Model) markShown(a *account) {
	k, v := &a.marked, &a.view
	k.settle()
	before, n := k.set.Len(), 0
	v.shown(func(uid store.UID) {
		n++
		k.set.Add(uid)
	})
	blanks := 0
	if v.proj == nil {
		blanks = v.list.CountUnknown()
	}
	if k.set.Len() == before {
		v.shown(func(uid store.UID) { k.set.Remove(uid) })
		m.say(a, own(sDim, ink(thousands(n))+plural(n, " mark", " marks")+" taken away"))
		return
	}
	line := []span{own(sDim, "marked: "+counted(k.set.Len()))}
	if blanks > 0 {
		line = append(line, own(sWarn, ", without "+ink(thousands(blanks))+" that are not loaded yet"))
	}
	m.say(a, line...)
}

// shown calls yield for each message that the view shows, those in folded
// conversations included.
func (v *listView) shown(yield func(store.UID)) {
	if p := v.proj; p != nil && p.threads != nil && !p.stale {
		v.list.Known(0, v.list.Len(), func(_ int, r store.Row) bool {
			if p.threads.Has(r.UID) {
				yield(r.UID)
			}
			return true
		})
		return
	}
	v.known(0, v.n(), yield)
}

// markConversation marks the conversation of the selected message, or takes its
// marks away if all of it has them.
func (m *Model) markConversation(a *account) {
	k, p := &a.marked, a.view.proj
	uid, ok := m.aim(a)
	switch {
	case !ok:
		return
	case p == nil || p.threads == nil || p.stale || !p.threads.Has(uid):
		m.say(a, own(sBold, "t"), own(sDim, " shows conversations, which "), own(sBold, "T"), own(sDim, " marks"))
		return
	}
	k.settle()
	before := k.set.Len()
	members := p.threads.Members(uid)
	for _, u := range members {
		k.set.Add(u)
	}
	if k.set.Len() == before {
		for _, u := range members {
			k.set.Remove(u)
		}
		return
	}
	m.say(a, own(sDim, "marked: "+counted(k.set.Len())))
}

// unmark takes a range back, or all marks. It reports whether there were any.
func (m *Model) unmark(a *account) bool {
	k := &a.marked
	switch {
	case k.anchor != 0:
		k.anchor, k.end = 0, 0
		k.span.Clear()
	case k.set.Len() > 0:
		k.set.Clear()
	default:
		return false
	}
	return true
}

// counted is a number of messages in words.
func counted(n int) ink { return ink(thousands(n)) + plural(n, " message", " messages") }
