package ui

import "tidings/store"

// neighbours bounds how far a Resync looks for a row that both lists know.
const neighbours = 256

// resync replaces the list. The selection is found again by its UID; if gone
// says that it vanished, it becomes a tombstone in its old place. The screen
// stays where it was: at the top, or anchored at the row that was at its top.
func (v *listView) resync(list *store.List, gone func(store.UID) bool, reload bool) {
	old := *v
	v.list = list
	if reload || old.list.Len() == 0 && !old.tomb {
		*v = listView{list: list, h: v.h, sel: list.Len() - 1}
		if v.sel >= 0 {
			v.uid = list.Row(v.sel).UID
		}
		return
	}
	v.tomb = false
	at := old.sel // where the selection was, as an index of the old list
	if old.tomb {
		at = old.gap
	}
	i, found := -1, false
	if old.uid != 0 && !old.tomb {
		i, found = list.Find(old.uid)
	}
	switch {
	case found:
		v.sel = i
	case old.uid != 0 && (old.tomb || gone(old.uid)):
		v.tomb, v.sel, v.gap = true, -1, v.gapAfter(&old, at)
	default:
		// Not known (yet): whoever stands in its place now.
		v.sel = min(max(v.gapAfter(&old, at), 0), list.Len()-1)
		v.uid = 0
		if v.sel >= 0 {
			v.uid = list.Row(v.sel).UID
		}
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
				j = min(v.gapAfter(&old, i), list.Len()-1)
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

// gapAfter finds where index at of the old list falls in the new one: behind
// the nearest older row that both know, before the nearest newer one.
func (v *listView) gapAfter(old *listView, at int) int {
	for d := 1; d <= neighbours && at-d >= 0; d++ {
		if uid := old.list.Row(at - d).UID; uid != 0 {
			if i, ok := v.list.Find(uid); ok {
				return i + 1
			}
		}
	}
	for d := 0; d <= neighbours && at+d < old.list.Len(); d++ {
		if uid := old.list.Row(at + d).UID; uid != 0 {
			if i, ok := v.list.Find(uid); ok {
				return i
			}
		}
	}
	return max(v.list.Len()-(old.list.Len()-at), 0)
}
