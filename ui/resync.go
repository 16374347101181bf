package ui

import "tidings/store"

// neighbours bounds how far a Resync looks for a row that both lists know.
const neighbours = 256

// resync replaces the list. The selection is found again by its UID; if it
// vanished, as gone says or as the list shows, it becomes a tombstone in its old
// place; if the list cannot tell yet, it is lost until it can. The screen stays
// where it was: at the top, or anchored at the row that was at its top.
func (v *listView) resync(list *store.List, gone func(store.UID) bool, reload bool) {
	if v.next != nil {
		v.next.failed = true // it is a view of the list before
	}
	if v.proj != nil {
		v.outdate(list, gone, reload)
		return
	}
	old := *v
	v.list = list
	if reload || old.list.Len() == 0 && !old.tomb {
		*v = listView{list: list, next: v.next, h: v.h, sel: list.Len() - 1}
		if v.sel >= 0 {
			v.uid = list.Row(v.sel).UID
		}
		return
	}
	v.tomb, v.lost = false, false
	at := old.sel // where the selection was, as an index of the old list
	if old.tomb {
		at = old.gap
	}
	gap, row := v.place(&old, at)
	_, found := list.Find(old.uid)
	switch {
	case old.uid == 0: // a row that was not known: the one in its place now
		v.sel = min(gap, list.Len()-1)
		if v.sel >= 0 {
			v.uid = list.Row(v.sel).UID
		}
	case !found && (old.tomb || gone(old.uid)):
		lo, hi := list.Gap(old.uid)
		v.entomb(min(max(gap, lo), hi))
	default:
		v.seek(row)
	}
	// The row at the top of the screen keeps its place.
	if old.top > 0 {
		i, tomb := old.at(old.top)
		if tomb {
			i = at
		}
		if i >= 0 && i < old.list.Len() {
			j, ok := list.Find(old.list.Row(i).UID)
			if !ok {
				gap, _ := v.place(&old, i)
				j = min(gap, list.Len()-1)
			}
			if j >= 0 {
				v.top = v.rowOf(j)
				v.fresh = max(old.fresh+v.top-old.top, 0)
			}
		}
	} else {
		v.fresh = 0
	}
	before := v.top
	v.reveal()
	if old.top == 0 && v.top > before {
		v.fresh = min(max(v.rows()-old.rows(), 0), v.top)
	}
}

// place finds where row at of the old list falls in the new one: the gap behind
// the nearest older row that both know, or before the nearest newer one; and the
// row where it stands if all between the two are still there.
func (v *listView) place(old *listView, at int) (gap, row int) {
	for d := 1; d <= neighbours && at-d >= 0; d++ {
		if uid := old.list.Row(at - d).UID; uid != 0 {
			if i, ok := v.list.Find(uid); ok {
				return i + 1, i + d
			}
		}
	}
	for d := 0; d <= neighbours && at+d < old.list.Len(); d++ {
		if uid := old.list.Row(at + d).UID; uid != 0 {
			if i, ok := v.list.Find(uid); ok {
				return i, i - d
			}
		}
	}
	gap = min(max(v.list.Len()-(old.list.Len()-at), 0), v.list.Len())
	return gap, gap
}
