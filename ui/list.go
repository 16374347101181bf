package ui

import "tidings/store"

// listView is the window through which a person looks at a List: newest first,
// so that view row v shows list index Len-1-v. It knows which message is
// selected and keeps to it whatever the list does.
//
// The selected message is followed in two ways that must agree: by its index,
// moved along with every Change, and by its UID, looked up again after a
// Resync.
type listView struct {
	list *store.List
	h    int // rows on screen
	top  int // view row at the top of the screen

	// The selection: list index sel (-1: none, the list is empty or the
	// selection is a tombstone) of message uid (0 while not known).
	sel int
	uid store.UID

	// lost: after a Resync it is not known where the selected message uid stands,
	// or whether it still does. Row sel is one of the unknown rows that may be
	// its own; it is never taken for another message's.
	lost bool

	// tomb: the selected message was expunged by somebody. It stays, as a row of
	// its own between list indexes gap-1 and gap, until the selection moves.
	tomb bool
	gap  int

	// fresh counts the rows above the screen that arrived since it was anchored.
	fresh int
}

func newListView() listView { return listView{list: &store.List{}, sel: -1} }

// rows is the number of rows, the tombstone included.
func (v *listView) rows() int {
	n := v.list.Len()
	if v.tomb {
		n++
	}
	return n
}

// at tells what view row r shows.
func (v *listView) at(r int) (index int, tomb bool) {
	i := v.rows() - 1 - r
	switch {
	case !v.tomb || i < v.gap:
		return i, false
	case i == v.gap:
		return -1, true
	default:
		return i - 1, false
	}
}

// rowOf is the view row of list index i.
func (v *listView) rowOf(i int) int {
	if v.tomb && i >= v.gap {
		i++
	}
	return v.rows() - 1 - i
}

// cursor is the view row of the selection, -1 if there is none.
func (v *listView) cursor() int {
	switch {
	case v.tomb:
		return v.rows() - 1 - v.gap
	case v.sel < 0:
		return -1
	}
	return v.rowOf(v.sel)
}

// selectRow makes view row r the selection and puts a tombstone to rest.
func (v *listView) selectRow(r int) {
	if v.rows() == 0 {
		v.sel, v.uid = -1, 0
		return
	}
	r = min(max(r, 0), v.rows()-1)
	i, tomb := v.at(r)
	if tomb {
		return
	}
	v.bury(i)
	v.sel, v.uid, v.lost = i, v.list.Row(i).UID, false
	v.reveal()
}

// bury removes the tombstone; rows below it on screen move up.
func (v *listView) bury(selected int) {
	if !v.tomb {
		return
	}
	grave := v.rows() - 1 - v.gap
	v.tomb = false
	if grave < v.top {
		v.top--
		if grave < v.fresh {
			v.fresh--
		}
	}
}

// move moves the selection by delta rows.
func (v *listView) move(delta int) {
	c := v.cursor()
	if c < 0 {
		return
	}
	if v.tomb && delta > 0 && c == v.rows()-1 {
		delta = -1 // below the last row there is nothing to move to
	} else if v.tomb && delta < 0 && c == 0 {
		delta = 1
	}
	if v.tomb && v.rows() == 1 {
		v.tomb, v.uid, v.top, v.fresh = false, 0, 0, 0
		return
	}
	r := min(max(c+delta, 0), v.rows()-1)
	if r == c && v.tomb {
		return
	}
	v.selectRow(r)
}

// scroll moves the window by delta rows and takes the selection along where it
// would leave the screen.
func (v *listView) scroll(delta int) {
	c := v.cursor()
	if c < 0 {
		return
	}
	v.top += delta
	v.clamp()
	if c < v.top {
		v.selectRow(v.top)
	} else if c >= v.top+v.h {
		v.selectRow(v.top + v.h - 1)
	}
}

// resize gives the window h rows.
func (v *listView) resize(h int) {
	v.h = max(h, 0)
	v.reveal()
}

// reveal scrolls as little as it takes to have the selection on screen.
func (v *listView) reveal() {
	c := v.cursor()
	if c >= 0 && v.h > 0 {
		if c < v.top {
			v.top = c
		} else if c >= v.top+v.h {
			v.top = c - v.h + 1
		}
	}
	v.clamp()
}

func (v *listView) clamp() {
	v.top = max(min(v.top, v.rows()-v.h), 0)
	v.fresh = min(v.fresh, v.top)
}

// applied moves the view along with a Change that the list has just taken.
func (v *listView) applied(c store.Change, a store.Applied) {
	switch c.Kind {
	case store.Exists:
		v.grew(a.Count)
	case store.Expunge, store.Vanished:
		if a.Count > 0 {
			v.removed(a.Index)
		}
		if v.lost && c.Kind == store.Vanished && c.UID == v.uid {
			v.entomb(min(v.sel, v.list.Len()))
		}
	case store.Fill, store.SetFlags:
		if a.Index == v.sel && a.New.UID != 0 && !v.lost {
			v.uid = a.New.UID
		}
	}
	if v.lost {
		v.seek(v.sel)
		v.reveal()
	}
}

// grew: n rows arrived at the newest end.
func (v *listView) grew(n int) {
	if n <= 0 {
		return
	}
	if v.sel < 0 && !v.tomb { // the list was empty
		v.sel, v.uid = v.list.Len()-1, v.list.Row(v.list.Len()-1).UID
		v.top, v.fresh = 0, 0
		return
	}
	if v.top > 0 { // anchored: what is on screen stays where it is
		v.top += n
		v.fresh += n
		return
	}
	// The top row stays on screen until the selection would leave it.
	v.reveal()
	v.fresh = min(n, v.top)
}

// entomb: the selected message is gone; its tombstone stands before index i.
func (v *listView) entomb(i int) {
	v.tomb, v.gap, v.sel, v.lost = true, i, -1, false
}

// seek looks for the selected message: its row if that is known, else the
// unknown row nearest to index near that may be its own, else its tombstone.
func (v *listView) seek(near int) {
	switch lo, hi := v.list.Gap(v.uid); {
	case lo < hi:
		v.sel, v.lost = min(max(near, lo), hi-1), true
	case v.list.MayHold(v.uid):
		v.sel, v.lost = lo, false
	default:
		v.entomb(lo)
	}
}

// removed: the row at index i, no longer in the list, was removed.
func (v *listView) removed(i int) {
	if i == v.sel && v.uid != 0 && !v.tomb && !v.lost {
		v.entomb(i) // it takes the row's place: nothing moves
		return
	}
	// Where the row stood on screen, counted before its removal.
	at := v.rows() - i
	if v.tomb && i >= v.gap {
		at--
	}
	if v.tomb && i < v.gap {
		v.gap--
	}
	switch {
	case i < v.sel:
		v.sel--
	case i == v.sel && v.lost: // another row is looked for
	case i == v.sel: // a placeholder: its neighbour takes over
		v.sel = min(v.sel, v.list.Len()-1)
		v.uid = 0
		if v.sel >= 0 {
			v.uid = v.list.Row(v.sel).UID
		}
	}
	if at < v.top {
		v.top--
		if at < v.fresh {
			v.fresh--
		}
	}
	v.reveal()
}

// bounds are the list indexes on screen, ascending: [lo,hi). ok is false where
// no row is.
func (v *listView) bounds() (lo, hi int, ok bool) {
	n := v.list.Len()
	if n == 0 || v.h == 0 {
		return 0, 0, false
	}
	first := min(v.top, v.rows()-1)
	last := min(v.top+v.h, v.rows()) - 1
	hi, tomb := v.at(first)
	if tomb {
		hi = v.gap - 1
	}
	lo, tomb = v.at(last)
	if tomb {
		lo = v.gap
	}
	hi, lo = min(hi, n-1), max(lo, 0)
	return lo, hi + 1, lo <= hi
}
