package demo

import (
	"slices"
	"sort"

	"github.com/emersion/go-imap/v2"
)

// view is a mailbox as one client knows it. Others change the mailbox at any
// time; the client hears of it only where the protocol allows (EXPUNGE never
// while FETCH, STORE or SEARCH run). Between the two this remembers what has
// to be told, in a form that never grows past the mailbox: no queue of events,
// but the difference. Server.mu guards it.
type view struct {
	mailbox  *mailbox
	readOnly bool
	// told is the highest sequence number of the client.
	told int
	// gone are the sequence numbers, as the client counts, of messages that
	// exist no more and of which it has not been told; ascending.
	gone []uint32
	// changed are the UIDs of messages the client knows whose flags it has not
	// been told.
	changed map[uint32]struct{}
	// news holds one token while there may be something to tell.
	news chan struct{}
}

func newView(m *mailbox, readOnly bool) *view {
	v := &view{
		mailbox:  m,
		readOnly: readOnly,
		told:     len(m.rows),
		changed:  map[uint32]struct{}{},
		news:     make(chan struct{}, 1),
	}
	m.views[v] = struct{}{}
	return v
}

func (v *view) close() { delete(v.mailbox.views, v) }

func (v *view) poke() {
	select {
	case v.news <- struct{}{}:
	default:
	}
}

// known is how many of the mailbox's rows the client has been told of: always
// the first ones, as rows are only ever added at the end.
func (v *view) known() int { return v.told - len(v.gone) }

// seq is the client's number of the row at position i, which must be known.
func (v *view) seq(i int) uint32 {
	// gone[k]-1-k is how many living rows stand before the k-th dead one.
	dead := sort.Search(len(v.gone), func(k int) bool { return int(v.gone[k])-1-k > i })
	return uint32(i + 1 + dead)
}

// position is where the client's message seq is now; false if it exists no
// more or never did.
func (v *view) position(seq uint32) (int, bool) {
	if seq == 0 || int(seq) > v.told {
		return 0, false
	}
	dead, found := slices.BinarySearch(v.gone, seq)
	return int(seq) - 1 - dead, !found
}

// expunge notes that the rows at these positions (ascending) are about to go.
func (v *view) expunge(positions []int) {
	known := v.known()
	var numbers []uint32
	for _, i := range positions {
		if i < known {
			numbers = append(numbers, v.seq(i))
		}
	}
	if len(numbers) == 0 {
		return
	}
	v.gone = append(v.gone, numbers...)
	slices.Sort(v.gone)
}

// update is what a client has to be told, in this order.
type update struct {
	expunged []uint32 // sequence numbers, each valid after the ones before it
	exists   uint32
	grown    bool // exists is to be told
	flags    []flagUpdate
}

type flagUpdate struct {
	seq, uid uint32
	flags    []imap.Flag
}

// take returns what is to be told now and takes it for told.
func (v *view) take(allowExpunge bool, table *flagTable) update {
	var u update
	if allowExpunge {
		for k, seq := range v.gone {
			u.expunged = append(u.expunged, seq-uint32(k))
		}
		v.told -= len(v.gone)
		v.gone = nil
	}
	if fresh := len(v.mailbox.rows) - v.known(); fresh > 0 {
		v.told += fresh
		u.exists, u.grown = uint32(v.told), true
	}
	for uid := range v.changed {
		if i, ok := v.mailbox.index(uid); ok {
			u.flags = append(u.flags, flagUpdate{v.seq(i), uid, table.list(v.mailbox.rows[i].flags)})
		}
	}
	clear(v.changed)
	slices.SortFunc(u.flags, func(a, b flagUpdate) int { return int(a.uid) - int(b.uid) })
	return u
}

// span is a range of sequence numbers or UIDs, both ends included.
type span struct{ lo, hi uint32 }

// spans resolves the "*" of a set against what the client knows.
func (v *view) spans(set imap.NumSet) (spans []span, byUID bool) {
	add := func(lo, hi, last uint32) {
		if last == 0 {
			return
		}
		if lo == 0 {
			lo = last
		}
		if hi == 0 {
			hi = last
		}
		spans = append(spans, span{min(lo, hi), max(lo, hi)})
	}
	switch set := set.(type) {
	case imap.SeqSet:
		for _, r := range set {
			add(r.Start, r.Stop, uint32(v.told))
		}
	case imap.UIDSet:
		last := uint32(0)
		if known := v.known(); known > 0 {
			last = v.mailbox.rows[known-1].uid
		}
		for _, r := range set {
			add(uint32(r.Start), uint32(r.Stop), last)
		}
		byUID = true
	}
	return spans, byUID
}

// message is a row as a command sees it: numbered, and out of the lock.
type message struct {
	row
	seq uint32
}

// cursor walks through a set of messages, some at a time, so that no lock is
// held for long. Sequence numbers stay what they are meanwhile, as only the
// session's own commands tell it of expunges.
type cursor struct {
	spans []span
	byUID bool
	// expunged: the set named a sequence number whose message is gone.
	expunged bool
}

func (v *view) cursor(set imap.NumSet) *cursor {
	c := &cursor{}
	c.spans, c.byUID = v.spans(set)
	return c
}

// next returns up to limit messages; none is the end.
func (c *cursor) next(v *view, limit int) []message {
	var batch []message
	for len(c.spans) > 0 && len(batch) < limit {
		s := &c.spans[0]
		i, seq, ok := 0, s.lo, false
		if c.byUID {
			i, _ = v.mailbox.index(s.lo)
			ok = i < v.known() && v.mailbox.rows[i].uid <= s.hi
		} else if s.lo <= s.hi && int(s.lo) <= v.told {
			if i, ok = v.position(seq); !ok {
				c.expunged = true
				s.lo++
				continue
			}
		}
		if !ok {
			c.spans = c.spans[1:]
			continue
		}
		r := v.mailbox.rows[i]
		if c.byUID {
			seq = v.seq(i)
		}
		batch = append(batch, message{row: r, seq: seq})
		reached := seq
		if c.byUID {
			reached = r.uid
		}
		if reached == s.hi {
			c.spans = c.spans[1:]
		} else {
			s.lo = reached + 1
		}
	}
	return batch
}
