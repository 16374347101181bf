package store

import (
	"errors"
	"fmt"
	"slices"
)

// ErrDesync: a Change contradicts the List; select again and reconcile.
var ErrDesync = errors.New("the server and the list disagree")

// Row is one row of a List.
type Row struct {
	UID   UID // 0: not known yet
	Flags Flags
}

// maxRows is the highest count a List accepts. No mailbox comes near it; a
// server that says otherwise, and then scatters FETCHes over its claim, would
// cost a chunk for each. So it costs less than 100 MB, as a full load would.
const maxRows = 1 << 24

// noCopy lets go vet find a List that is copied by value: two Lists with one
// token would write each other's memory.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

// List is the mailbox, row i being sequence number i+1: known rows (UIDs
// ascending) and unknown rows. It is chunked and copy-on-write. The zero value
// is an empty mailbox. A List belongs to one goroutine; Snapshot makes another
// that may go to another goroutine. It must not be copied by value.
type List struct {
	_     noCopy
	own   *token
	refs  []ref
	n     int
	known int
}

// Len is the number of messages, known or not.
func (l *List) Len() int { return l.n }

// locate finds row i < Len: the page, the entry in it, and the row in that.
func (l *List) locate(i int) (ri, ei, off int) {
	if i > l.n/2 {
		return l.locateFromEnd(i)
	}
	for i >= int(l.refs[ri].n) {
		i -= int(l.refs[ri].n)
		ri++
	}
	entries := l.refs[ri].p.entries
	for i >= int(entries[ei].n) {
		i -= int(entries[ei].n)
		ei++
	}
	return ri, ei, i
}

// locateFromEnd is locate for rows near the end, where a mailbox is busy.
func (l *List) locateFromEnd(i int) (ri, ei, off int) {
	above := l.n - i // rows from row i to the end
	ri = len(l.refs) - 1
	for above > int(l.refs[ri].n) {
		above -= int(l.refs[ri].n)
		ri--
	}
	entries := l.refs[ri].p.entries
	ei = len(entries) - 1
	for above > int(entries[ei].n) {
		above -= int(entries[ei].n)
		ei--
	}
	return ri, ei, int(entries[ei].n) - above
}

// Row returns row i (0-based). It panics where i is not below Len.
func (l *List) Row(i int) Row {
	if i < 0 || i >= l.n {
		panic(fmt.Sprintf("store: row %d of %d", i, l.n))
	}
	ri, ei, off := l.locate(i)
	if c := l.refs[ri].p.entries[ei].c; c != nil {
		return c.row(off)
	}
	return Row{}
}

// above returns the index of the first known row whose UID is at least uid,
// and that UID; Len and zero where there is none.
func (l *List) above(uid UID) (i int, u UID) {
	for ri := range l.refs {
		r := &l.refs[ri]
		if r.max < uid {
			i += int(r.n)
			continue
		}
		for ei := range r.p.entries {
			e := &r.p.entries[ei]
			if e.max < uid {
				i += int(e.n)
				continue
			}
			off := e.c.search(uid, int(e.n), e.known)
			return i + off, e.c.uids[off]
		}
	}
	return l.n, 0
}

// Find returns the index of the known row uid.
func (l *List) Find(uid UID) (i int, ok bool) {
	if uid == 0 {
		return 0, false
	}
	i, u := l.above(uid)
	if u != uid {
		return 0, false
	}
	return i, true
}

// MayHold tells whether the message uid may be in the mailbox: its row is known,
// or a row is unknown where it would stand. Where it is false, the message is
// certainly gone, as after a ResyncEvent that does not say what went.
func (l *List) MayHold(uid UID) bool {
	if uid == 0 {
		return false
	}
	i, u := l.above(uid)
	return u == uid || l.unknownBelow(i)
}

// Gap is the run [lo,hi) of unknown rows among which the message uid would
// stand. It is empty where the message's row is known, lo being its index, or
// where it is certainly gone, lo being the index that it would have.
func (l *List) Gap(uid UID) (lo, hi int) {
	if uid == 0 {
		return 0, 0
	}
	i, u := l.above(uid)
	if u == uid || !l.unknownBelow(i) {
		return i, i
	}
	l.Unknown(0, i, func(a, b int) bool {
		lo, hi = a, b
		return true
	})
	return lo, hi
}

// unknownBelow tells whether the row before row i, which may be Len, is unknown.
func (l *List) unknownBelow(i int) bool { return i > 0 && l.Row(i-1).UID == 0 }

// Snapshot returns an independent copy that shares memory until either writes.
// Cost: O(chunks/128), no row is copied. The copy may go to another goroutine.
func (l *List) Snapshot() *List {
	l.own = nil
	return &List{refs: slices.Clone(l.refs), n: l.n, known: l.known}
}

// token is the right to write, taken anew after a Snapshot.
func (l *List) token() *token {
	if l.own == nil {
		l.own = new(token)
	}
	return l.own
}

// page returns page ri for writing.
func (l *List) page(ri int) *page {
	r := &l.refs[ri]
	if r.p.own != l.token() {
		r.p = &page{own: l.own, entries: slices.Clone(r.p.entries)}
	}
	return r.p
}

// resize takes account of a page that changed: its sums, and whether it has
// become too large, too small or empty.
func (l *List) resize(ri int) {
	r := &l.refs[ri]
	switch n := len(r.p.entries); {
	case n == 0:
		l.refs = slices.Delete(l.refs, ri, ri+1)
		return
	case n > pageEntries:
		half := n / 2
		upper := &page{own: r.p.own, entries: slices.Clone(r.p.entries[half:])}
		clear(r.p.entries[half:])
		r.p.entries = r.p.entries[:half]
		r.span = r.p.measure()
		l.refs = slices.Insert(l.refs, ri+1, ref{upper.measure(), upper})
		return
	case n < pageEntries/4 && ri+1 < len(l.refs) && n+len(l.refs[ri+1].p.entries) <= pageEntries/2:
		l.joinPages(ri)
		return
	case n < pageEntries/4 && ri > 0 && n+len(l.refs[ri-1].p.entries) <= pageEntries/2:
		l.joinPages(ri - 1)
		return
	}
	r.p.ends(&r.span)
}

// joinPages makes one page of pages ri and ri+1.
func (l *List) joinPages(ri int) {
	p := l.page(ri)
	seam := len(p.entries)
	p.entries = append(p.entries, l.refs[ri+1].p.entries...)
	p.settle(seam)
	l.refs[ri].span = p.measure()
	l.refs = slices.Delete(l.refs, ri+1, ri+2)
}
