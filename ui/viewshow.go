package ui

import "tidings/store"

// learnt takes a summary that came: it may be what a view waits for.
func (v *listView) learnt(s *store.Summary) {
	if v.next != nil {
		v.next.add(step{sum: s})
	}
	if v.proj != nil {
		v.proj.learnt(v, v.list, s)
	}
}

// still lets f change the order of a projection, where rows may go from anywhere
// to anywhere, and has the selection and the screen stay with their messages.
func (v *listView) still(f func()) {
	if v == nil { // nobody looks
		f()
		return
	}
	var under, shown []store.UID // below the tombstone; on screen, from its top
	if v.tomb {
		for i := v.gap - 1; i >= 0 && len(under) < neighbours; i-- {
			under = append(under, v.uidAt(i))
		}
	}
	if v.top > 0 {
		for r := v.top; r < min(v.top+v.h, v.rows()); r++ {
			if i, tomb := v.at(r); !tomb {
				shown = append(shown, v.uidAt(i))
			}
		}
	}
	f()
	if i, ok := v.find(v.uid); ok && v.tomb { // it was not gone
		v.tomb, v.sel = false, i
	}
	switch {
	case v.tomb:
		v.gap = 0
		for _, uid := range under {
			if i, ok := v.find(uid); ok {
				v.gap = i + 1
				break
			}
		}
	case v.n() == 0:
		v.sel, v.uid = -1, 0
	default:
		if i, ok := v.find(v.uid); ok {
			v.sel = i
		} else {
			v.sel = min(max(v.sel, 0), v.n()-1)
			v.uid = v.uidAt(v.sel)
		}
	}
	for k, uid := range shown {
		if i, ok := v.find(uid); ok {
			v.top = max(v.rowOf(i)-k, 0)
			v.fresh = min(v.fresh, v.top)
			break
		}
	}
	v.reveal()
}

// project shows p, or the list itself where p is nil. The selection stays on its
// message, in its line of the screen, where p has it, else it goes to the nearest
// that p has. again tells that p is what was shown, made anew: then a selected
// message that the list has no more leaves its tombstone. So does, in doubt, one
// that is not to be found for now.
func (v *listView) project(p *projection, again bool) {
	old := *v
	at := old.sel // where the selection was
	if old.tomb {
		at = old.gap
	}
	line := max(old.cursor()-old.top, 0)
	near := func(yield func(uid store.UID, below bool) bool) {
		for d := 0; d <= neighbours; d++ {
			if i := at - d; i >= 0 && i < old.n() && !yield(old.uidAt(i), true) {
				return
			}
			if i := at + d; d > 0 && i >= 0 && i < old.n() && !yield(old.uidAt(i), false) {
				return
			}
		}
	}
	if v.proj == nil && p == nil {
		return
	}
	v.proj = p
	v.tomb, v.lost = false, false
	n := v.n()
	found := -1
	gap := n
	near(func(uid store.UID, below bool) bool {
		i, ok := v.find(uid)
		if ok && uid != 0 {
			found, gap = i, i
			if below {
				gap = i + 1
			}
		}
		return found < 0
	})
	if i, ok := v.find(old.uid); ok {
		v.sel, v.uid = i, old.uid
	} else if _, there := v.list.Find(old.uid); old.uid != 0 && p != nil && !there && (again || !old.tomb && v.list.MayHold(old.uid)) {
		v.entomb(gap)
		v.doubt = v.list.MayHold(old.uid) && (!old.tomb || old.doubt)
	} else if old.uid != 0 && p == nil && !old.tomb && v.list.MayHold(old.uid) {
		v.seek(at)
	} else {
		if found < 0 {
			found = v.nearest(old.uid)
		}
		v.sel, v.uid = min(found, n-1), 0
		if v.sel >= 0 {
			v.uid = v.uidAt(v.sel)
		}
	}
	if p != nil && p.threads != nil && v.uid != 0 && !v.tomb && v.uid != old.uid {
		if p.threads.Has(old.uid) { // it is in a folded conversation: that is shown by it
			p.held = old.uid
			v.still(func() {
				p.hide(old.uid, 0)
				p.show(old.uid)
			})
			if i, ok := v.find(old.uid); ok {
				v.sel, v.uid = i, old.uid
			}
		}
	}
	v.fresh = 0
	if again && old.top > 0 {
		v.fresh = old.fresh
	}
	if !again || v.since == 0 {
		v.since, _, _ = v.list.MaxUID()
	}
	v.top = v.cursor() - line
	v.reveal()
}

// nearest is the index in an order by arrival where uid would stand, or the
// newest.
func (v *listView) nearest(uid store.UID) int {
	n := v.n()
	if v.proj == nil || v.proj.spec.sort != store.ByArrival || v.proj.threads != nil || uid == 0 {
		return n - 1
	}
	return min(v.proj.arrival(uid), n-1)
}

// outdate gives a projection another list. What it shows stays on screen, but for
// the selected message if that went, until it is made anew from that list.
func (v *listView) outdate(list *store.List, gone func(store.UID) bool, reload bool) {
	p := v.proj
	v.list = list
	p.stale = true
	if reload { // nothing that was known by UID holds
		p.order, p.threads = store.NewOrder(list, nil, nil), nil
		p.stays, p.queue, p.found, p.held = map[store.UID]bool{}, map[store.UID]bool{}, nil, 0
		p.spec.found = nil
		*v = listView{list: list, proj: p, next: v.next, h: v.h, sel: -1}
		return
	}
	if v.sel >= 0 && (gone(v.uid) || !list.MayHold(v.uid)) {
		if at, ok := p.order.Remove(v.uid); ok {
			v.removed(at)
		}
	}
}
