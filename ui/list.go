package ui

import "tidings/store"

// listView is the window through which a person looks at a List, or at a
// projection of it. Both are a sequence whose last one stands on top: view row v
// shows index n-1-v. It knows which message is selected and keeps to it whatever
// the sequence does.
//
// The selected message is followed in two ways that must agree: by its index,
// moved along with every Change, and by its UID, looked up again after a
// Resync.
type listView struct {
	list *store.List
	proj *projection // nil: the list itself is shown
	next *building   // the view that is being made; nil: none
	h    int         // rows on screen
	top  int         // view row at the top of the screen

	// The selection: index sel (-1: none, there is nothing or the selection is
	// a tombstone) of message uid (0 while not known).
	sel int
	uid store.UID

	// lost: after a Resync it is not known where the selected message uid stands,
	// or whether it still does. Row sel is one of the unknown rows that may be
	// its own; it is never taken for another message's.
	lost bool

	// tomb: the selected message was expunged by somebody. It stays, as a row of
	// its own between indexes gap-1 and gap, until the selection moves.
	tomb bool
	gap  int
	// doubt: of a view that was made anew, it may be that it is only to be found.
	doubt bool

	// fresh counts the rows above the screen that arrived since it was anchored;
	// what arrived has a UID above since, the highest when the projection was made.
	fresh int
	since store.UID
}

func newListView() listView { return listView{list: &store.List{}, sel: -1} }

// n is how many messages are shown.
func (v *listView) n() int {
	if v.proj != nil {
		return v.proj.order.Len()
	}
	return v.list.Len()
}

// row is what the list has of index i: of a projection that waits to be made
// anew there may be nothing but the UID.
func (v *listView) row(i int) store.Row {
	if v.proj == nil {
		return v.list.Row(i)
	}
	uid := v.proj.order.At(i)
	if j, ok := v.list.Find(uid); ok {
		return v.list.Row(j)
	}
	return store.Row{UID: uid}
}

// uidAt is the message at index i; 0 while it is not known.
func (v *listView) uidAt(i int) store.UID {
	if v.proj != nil {
		return v.proj.order.At(i)
	}
	return v.list.Row(i).UID
}

// span are the sequence numbers of the indexes [lo,hi), lo < hi; of a projection,
// whose messages are anywhere, that of the first one.
func (v *listView) span(lo, hi int) (first, last uint32) {
	if v.proj == nil {
		return uint32(lo + 1), uint32(hi)
	}
	i, _ := v.list.Find(v.uidAt(hi - 1))
	return uint32(i + 1), uint32(i + 1)
}

// known calls yield for the messages of the indexes [from,to), as far as there
// are any and they are known.
func (v *listView) known(from, to int, yield func(store.UID)) {
	if v.proj != nil {
		v.proj.order.All(max(from, 0), func(i int, uid store.UID) bool {
			if i >= to {
				return false
			}
			yield(uid)
			return true
		})
		return
	}
	v.list.Known(from, to, func(_ int, r store.Row) bool {
		yield(r.UID)
		return true
	})
}

// find returns the index of a message that is shown.
func (v *listView) find(uid store.UID) (i int, ok bool) {
	if v.proj != nil {
		return v.proj.order.Pos(uid)
	}
	return v.list.Find(uid)
}

// rows is the number of rows, the tombstone included.
func (v *listView) rows() int {
	n := v.n()
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

// rowOf is the view row of index i.
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
	v.sel, v.uid, v.lost = i, v.uidAt(i), false
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
	if v.next != nil {
		v.next.add(step{change: c})
	}
	if v.proj != nil {
		v.proj.applied(v, c, a)
		return
	}
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
		v.sel, v.uid = v.n()-1, v.uidAt(v.n()-1)
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
	v.tomb, v.gap, v.sel, v.lost, v.doubt = true, i, -1, false, false
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

// inserted: a message came in at index i of a projection.
func (v *listView) inserted(i int) {
	if v.sel < 0 && !v.tomb { // there was nothing
		v.sel, v.uid = i, v.uidAt(i)
		v.top, v.fresh = 0, 0
		return
	}
	if v.tomb && v.uidAt(i) == v.uid { // it was not gone
		v.tomb, v.sel = false, i
		v.reveal()
		return
	}
	if i <= v.sel {
		v.sel++
	}
	if v.tomb && i < v.gap {
		v.gap++
	}
	at, arrived := v.rowOf(i), 0
	if v.uidAt(i) > v.since { // else it has only found its place
		arrived = 1
	}
	switch {
	case v.top > 0 && at <= v.top: // anchored: what is on screen stays where it is
		v.top++
		v.fresh += arrived
	case v.top == 0:
		// The top row stays on screen until the selection would leave it.
		v.reveal()
		v.fresh = min(arrived, v.top)
	default: // it came in on screen, or below
		v.reveal()
	}
}

// removed: what was at index i is gone, and no longer shown.
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
		v.sel = min(v.sel, v.n()-1)
		v.uid = 0
		if v.sel >= 0 {
			v.uid = v.uidAt(v.sel)
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

// bounds are the indexes on screen, ascending: [lo,hi). ok is false where no row
// is.
func (v *listView) bounds() (lo, hi int, ok bool) {
	n := v.n()
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
