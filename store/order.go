package store

import (
	"fmt"
	"slices"
)

// Order shows some messages of a List in an order of its own: what a view that
// filters, sorts or folds is drawn from. Positions are 0-based. It says where
// each row of the List stands: in the order, nowhere, or not yet, because what
// decides it is not known. Comparing messages is the caller's business.
//
// After load it takes 7.4 bytes for each row of the List that stands in the
// order and 2 for any other. Finding, inserting and removing cost a dozen steps
// and a move of at most two KiB, whatever the number of rows; an Insert in some
// 250 divides a leaf, which costs a List.Find for each of its rows.
//
// An Order belongs to one goroutine, and to one List: every Change that the List
// took must be handed to Follow before anything else is asked of the Order.
type Order struct {
	list   *List
	stands column // for each row of the List: a Standing, or the leaf it is in
	leaves []*leaf
	sums   tally
	byID   []*leaf // by leaf.id; nil where an id is free
	free   []uint16
	n      int
	waits  int
}

// Standing is what an Order says of a row of its List.
type Standing uint16

const (
	Apart  Standing = iota // it is not in the order
	Waits                  // it cannot be said yet, or not where it belongs
	Stands                 // it has a position
)

// leafRows is how many positions a leaf holds: as many as fill the allocator's
// class of 2,048 bytes.
const leafRows = 510

// fillRows is how many of them are used at first, so that what comes in after
// load does not divide a leaf at once.
const fillRows = 380

// leaf holds consecutive positions. Its id stays, its place among the leaves
// does not.
type leaf struct {
	uids  [leafRows]UID
	n, id uint16
	place uint32
}

// NewOrder makes the order of uids over l, uids[0] having position 0. UIDs that
// l does not have, and those that came before, are left out. Rows that are left
// wait where waits says so. Cost: O(n log n); uids is overwritten.
func NewOrder(l *List, uids []UID, waits func(Row) bool) *Order {
	o := &Order{list: l}
	if len(uids) > 0 {
		uids = presentOnce(l, uids)
	}
	for i := 0; i < len(uids); i += fillRows {
		f := &leaf{id: uint16(len(o.leaves)), place: uint32(len(o.leaves))}
		f.n = uint16(copy(f.uids[:fillRows], uids[i:]))
		o.leaves = append(o.leaves, f)
	}
	o.byID = slices.Clone(o.leaves)
	o.n = len(uids)
	o.count()

	// Where each stands: by UID, as the List goes.
	at := positions(uids)
	o.stands.extend(l.Len(), uint16(Apart))
	k, off := 0, 0 // the stretch and the row in it
	l.Rows(0, l.Len(), func(_ int, r Row) bool {
		v := uint16(Apart)
		switch {
		case r.UID != 0 && len(at) > 0 && UID(at[0]>>32) == r.UID:
			v = uint16(Stands) + uint16(uint32(at[0])/fillRows)
			at = at[1:]
		case waits != nil && waits(r):
			v = uint16(Waits)
			o.waits++
		}
		o.stands.parts[k].rows[off] = v
		if off++; off == o.stands.parts[k].n {
			k, off = k+1, 0
		}
		return true
	})
	return o
}

// positions are the UIDs, ascending, each with its position in the lower half.
func positions(uids []UID) []uint64 {
	at := make([]uint64, len(uids))
	for p, u := range uids {
		at[p] = uint64(u)<<32 | uint64(p)
	}
	slices.Sort(at)
	return at
}

// presentOnce leaves out what l does not have, and what came before.
func presentOnce(l *List, uids []UID) []UID {
	at := positions(uids)
	good := make([]bool, len(uids))
	n := 0
	l.Known(0, l.Len(), func(_ int, r Row) bool {
		for len(at) > 0 && UID(at[0]>>32) < r.UID {
			at = at[1:]
		}
		if len(at) > 0 && UID(at[0]>>32) == r.UID {
			good[uint32(at[0])] = true
			at = at[1:]
			n++
		}
		return len(at) > 0
	})
	if n == len(uids) {
		return uids
	}
	kept := uids[:0]
	for p, u := range uids {
		if good[p] {
			kept = append(kept, u)
		}
	}
	return kept
}

// Len is the number of positions.
func (o *Order) Len() int { return o.n }

// Waiting is the number of rows that wait.
func (o *Order) Waiting() int { return o.waits }

// At returns the message at position p. It panics where p is not below Len.
func (o *Order) At(p int) UID {
	if p < 0 || p >= o.n {
		panic(fmt.Sprintf("store: position %d of %d", p, o.n))
	}
	k, off := o.sums.find(p)
	return o.leaves[k].uids[off]
}

// All calls yield for each position from p on, ascending, until it returns
// false. The Order must not change meanwhile.
func (o *Order) All(p int, yield func(p int, uid UID) bool) {
	if p < 0 || p >= o.n {
		return
	}
	k, off := o.sums.find(p)
	for ; k < len(o.leaves); k++ {
		f := o.leaves[k]
		for ; off < int(f.n); off++ {
			if !yield(p, f.uids[off]) {
				return
			}
			p++
		}
		off = 0
	}
}

// Pos returns the position of uid.
func (o *Order) Pos(uid UID) (p int, ok bool) {
	i, ok := o.list.Find(uid)
	if !ok {
		return 0, false
	}
	v := o.stands.at(i)
	if v < uint16(Stands) {
		return 0, false
	}
	f, off := o.in(v, uid)
	return o.sums.before(int(f.place)) + off, true
}

// in finds uid in the leaf that a row of the column names.
func (o *Order) in(v uint16, uid UID) (*leaf, int) {
	f := o.byID[v-uint16(Stands)]
	return f, slices.Index(f.uids[:f.n], uid)
}

// Standing says where row i of the List stands.
func (o *Order) Standing(i int) Standing { return Standing(min(o.stands.at(i), uint16(Stands))) }

// Mark makes row i of the List, which has no position, wait or not.
func (o *Order) Mark(i int, waits bool) {
	switch v := Standing(o.stands.at(i)); {
	case v == Apart && waits:
		o.stands.set(i, uint16(Waits))
		o.waits++
	case v == Waits && !waits:
		o.stands.set(i, uint16(Apart))
		o.waits--
	}
}

// Insert gives uid position p; what stood there and behind moves up. It returns
// false, and changes nothing, where the List does not have uid, where uid has a
// position already, or where the order is so scattered that it has to be made
// anew (beyond ten million rows).
func (o *Order) Insert(p int, uid UID) bool {
	i, ok := o.list.Find(uid)
	if !ok || p < 0 || p > o.n {
		return false
	}
	was := o.stands.at(i)
	if was >= uint16(Stands) {
		return false
	}
	k, off := o.room(p)
	if k < 0 {
		return false
	}
	f := o.leaves[k]
	copy(f.uids[off+1:f.n+1], f.uids[off:f.n])
	f.uids[off] = uid
	f.n++
	o.sums.add(k, 1)
	o.stands.set(i, uint16(Stands)+f.id)
	o.n++
	if was == uint16(Waits) {
		o.waits--
	}
	return true
}

// room finds a leaf with room at position p, and the place in it; k is negative
// where there can be none.
func (o *Order) room(p int) (k, off int) {
	switch {
	case o.n == 0:
		if o.leaves = o.leaves[:0]; !o.open(0) {
			return -1, 0
		}
		return 0, 0
	case p == o.n: // behind the last
		k = len(o.leaves) - 1
		off = int(o.leaves[k].n)
		if off == leafRows {
			if !o.open(k + 1) {
				return -1, 0
			}
			return k + 1, 0
		}
		return k, off
	}
	k, off = o.sums.find(p)
	f := o.leaves[k]
	if f.n < leafRows {
		return k, off
	}
	if p == 0 {
		if !o.open(0) {
			return -1, 0
		}
		return 0, 0
	}
	if !o.open(k + 1) {
		return -1, 0
	}
	const half = leafRows / 2
	o.pour(o.leaves[k+1], f, half)
	o.count()
	if off > half {
		return k + 1, off - half
	}
	return k, off
}

// open makes an empty leaf at place k.
func (o *Order) open(k int) bool {
	f := new(leaf)
	if n := len(o.free); n > 0 {
		f.id = o.free[n-1]
		o.free = o.free[:n-1]
		o.byID[f.id] = f
	} else {
		if len(o.byID) >= 1<<16-int(Stands) {
			return false
		}
		f.id = uint16(len(o.byID))
		o.byID = append(o.byID, f)
	}
	o.leaves = slices.Insert(o.leaves, k, f)
	o.count()
	return true
}

// pour moves the rows of g from row from on behind those of f.
func (o *Order) pour(f, g *leaf, from int) {
	for _, u := range g.uids[from:g.n] {
		if i, ok := o.list.Find(u); ok {
			o.stands.set(i, uint16(Stands)+f.id)
		}
	}
	f.n += uint16(copy(f.uids[f.n:], g.uids[from:g.n]))
	g.n = uint16(from)
}

// count numbers and sums up the leaves.
func (o *Order) count() {
	o.sums = newTally(len(o.leaves), func(i int) int {
		o.leaves[i].place = uint32(i)
		return int(o.leaves[i].n)
	})
}

// Remove takes uid out of the order, its row being Apart from then on, and
// returns the position that it had.
func (o *Order) Remove(uid UID) (p int, ok bool) {
	i, ok := o.list.Find(uid)
	if !ok {
		return 0, false
	}
	v := o.stands.at(i)
	if v < uint16(Stands) {
		return 0, false
	}
	o.stands.set(i, uint16(Apart))
	return o.remove(v, uid), true
}

func (o *Order) remove(v uint16, uid UID) int {
	f, off := o.in(v, uid)
	k := int(f.place)
	p := o.sums.before(k) + off
	copy(f.uids[off:], f.uids[off+1:f.n])
	f.n--
	o.n--
	switch {
	case k+1 < len(o.leaves) && f.n+o.leaves[k+1].n <= leafRows*3/4:
		o.pour(f, o.leaves[k+1], 0)
		o.close(k + 1)
	case k > 0 && f.n+o.leaves[k-1].n <= leafRows*3/4:
		o.pour(o.leaves[k-1], f, 0)
		o.close(k)
	case f.n == 0:
		o.close(k)
	default:
		o.sums.add(k, -1)
	}
	return p
}

// close removes the empty leaf at place k.
func (o *Order) close(k int) {
	id := o.leaves[k].id
	o.byID[id] = nil
	o.free = append(o.free, id)
	o.leaves = slices.Delete(o.leaves, k, k+1)
	o.count()
}

// Follow keeps in line with the List, which has just taken c and said a of it.
// Rows that arrive wait. Where a row went that had a position, gone is true and
// p is what it was. Fill and SetFlags move nothing: whether a message belongs
// here now is the caller's to decide.
func (o *Order) Follow(c Change, a Applied) (p int, gone bool) {
	switch c.Kind {
	case Exists:
		o.stands.extend(a.Count, uint16(Waits))
		o.waits += a.Count
	case Expunge, Vanished:
		if a.Count == 0 {
			return 0, false
		}
		switch v := o.stands.remove(a.Index); Standing(min(v, uint16(Stands))) {
		case Waits:
			o.waits--
		case Stands:
			return o.remove(v, a.Old.UID), true
		}
	}
	return 0, false
}

// Rebind says that l, which is equal to the List that the Order followed, takes
// its place.
func (o *Order) Rebind(l *List) { o.list = l }
