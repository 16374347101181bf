package store

import (
	"maps"
	"math/bits"
	"slices"
)

// UIDSet is a set of UIDs. UIDs that lie close together, as those of a mailbox
// do, cost little more than a bit each: a million take some 150 KB and a few
// milliseconds to add. It belongs to one goroutine. The zero value is empty; a
// copy shares the members of the set that it was made of.
type UIDSet struct {
	pages map[UID]*uidPage
	n     int
}

// uidPage holds the UIDs of one multiple of pageUIDs.
type uidPage struct {
	bits [pageUIDs / 64]uint64
	n    int
}

const pageUIDs = 4096

// Add puts uid in and reports whether it was not there before.
func (s *UIDSet) Add(uid UID) bool {
	p := s.pages[uid/pageUIDs]
	if p == nil {
		if s.pages == nil {
			s.pages = make(map[UID]*uidPage)
		}
		p = new(uidPage)
		s.pages[uid/pageUIDs] = p
	}
	word, bit := &p.bits[uid%pageUIDs/64], uint64(1)<<(uid%64)
	if *word&bit != 0 {
		return false
	}
	*word |= bit
	p.n++
	s.n++
	return true
}

// Remove takes uid out and reports whether it was there.
func (s *UIDSet) Remove(uid UID) bool {
	p := s.pages[uid/pageUIDs]
	if p == nil {
		return false
	}
	word, bit := &p.bits[uid%pageUIDs/64], uint64(1)<<(uid%64)
	if *word&bit == 0 {
		return false
	}
	*word &^= bit
	p.n--
	s.n--
	if p.n == 0 {
		delete(s.pages, uid/pageUIDs)
	}
	return true
}

// Has reports whether uid is in the set.
func (s *UIDSet) Has(uid UID) bool {
	if s.n == 0 {
		return false
	}
	p := s.pages[uid/pageUIDs]
	return p != nil && p.bits[uid%pageUIDs/64]&(1<<(uid%64)) != 0
}

// Len is the number of UIDs in the set.
func (s *UIDSet) Len() int { return s.n }

// Clear empties the set.
func (s *UIDSet) Clear() { *s = UIDSet{} }

// All returns the UIDs, ascending.
func (s *UIDSet) All() []UID {
	if s.n == 0 {
		return nil
	}
	out := make([]UID, 0, s.n)
	for _, at := range slices.Sorted(maps.Keys(s.pages)) {
		for i, word := range s.pages[at].bits {
			for ; word != 0; word &= word - 1 {
				out = append(out, at*pageUIDs+UID(i*64+bits.TrailingZeros64(word)))
			}
		}
	}
	return out
}

// Common is how many UIDs are in both sets.
func (s *UIDSet) Common(o *UIDSet) int {
	n := 0
	for at, p := range s.pages {
		if q := o.pages[at]; q != nil {
			for i, word := range p.bits {
				n += bits.OnesCount64(word & q.bits[i])
			}
		}
	}
	return n
}

// AddAll puts all UIDs of o in.
func (s *UIDSet) AddAll(o *UIDSet) {
	for at, q := range o.pages {
		p := s.pages[at]
		if p == nil {
			if s.pages == nil {
				s.pages = make(map[UID]*uidPage)
			}
			p = new(uidPage)
			s.pages[at] = p
		}
		s.n -= p.n
		p.n = 0
		for i, word := range q.bits {
			p.bits[i] |= word
			p.n += bits.OnesCount64(p.bits[i])
		}
		s.n += p.n
	}
}
