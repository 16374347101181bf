package store

import "slices"

// pageEntries is how many entries a page holds at most.
const pageEntries = 128

// span sums up a stretch of rows. min and max are the lowest and highest known
// UID, zero where known is zero.
type span struct {
	n, known uint32
	min, max UID
}

// entry is one stretch of rows: a chunk, or, where c is nil, a run of n
// unknown rows that costs nothing more, however long.
type entry struct {
	span
	c *chunk
}

// page is a stretch of entries. None is empty; no two runs are neighbours, and
// no chunks that one chunk could hold, runs between them included.
type page struct {
	own     *token
	entries []entry
}

// ref is a page as a List sees it.
type ref struct {
	span
	p *page
}

// ends sets min and max of s from the entries of p.
func (p *page) ends(s *span) {
	s.min, s.max = 0, 0
	for i := range p.entries {
		if p.entries[i].known != 0 {
			s.min = p.entries[i].min
			break
		}
	}
	for i := len(p.entries) - 1; i >= 0; i-- {
		if p.entries[i].known != 0 {
			s.max = p.entries[i].max
			break
		}
	}
}

// measure sums up p from scratch.
func (p *page) measure() span {
	var s span
	for i := range p.entries {
		s.n += p.entries[i].n
		s.known += p.entries[i].known
	}
	p.ends(&s)
	return s
}

// chunk returns the chunk of entry i for writing.
func (p *page) chunk(i int) *chunk {
	e := &p.entries[i]
	if e.c.own != p.own {
		e.c = e.c.copyFor(p.own)
	}
	return e.c
}

// settle restores what holds between entries after those at i changed.
func (p *page) settle(i int) {
	if i < len(p.entries) {
		e := &p.entries[i]
		if e.n == 0 {
			p.entries = slices.Delete(p.entries, i, i+1)
		} else if e.known == 0 {
			*e = entry{span: span{n: e.n}}
		}
	}
	for j := max(i-2, 0); j <= i && j+1 < len(p.entries); {
		if p.join(j) {
			j = max(j-2, 0)
		} else {
			j++
		}
	}
}

// join makes one entry of entries i and i+1, or of i to i+2, where it may.
func (p *page) join(i int) bool {
	a, b := &p.entries[i], &p.entries[i+1]
	if a.c == nil {
		if b.c != nil {
			return false
		}
		a.n += b.n
		p.entries = slices.Delete(p.entries, i+1, i+2)
		return true
	}
	last := i + 1
	if b.c == nil {
		if last++; last == len(p.entries) || p.entries[last].c == nil {
			return false
		}
	}
	z := &p.entries[last]
	n := a.n + z.n
	if last > i+1 {
		n += b.n
	}
	if n > chunkRows {
		return false
	}
	c := p.chunk(i)
	c.blank(int(a.n), int(n-z.n))
	c.take(int(n-z.n), z.c, 0, int(z.n))
	a.n, a.known, a.max = n, a.known+z.known, z.max
	p.entries = slices.Delete(p.entries, i+1, last+1)
	return true
}

// learn makes the unknown row at off of entry i known. Where the entry is a
// run, the row joins the chunk before or after it if that has room for the
// unknown rows between as well; so scattered rows never cost more than a full
// load of the same stretch.
func (p *page) learn(i, off int, r Row) {
	e := &p.entries[i]
	if e.c != nil {
		p.chunk(i).put(off, int(e.n), r)
		e.learnt(r.UID)
		return
	}
	if i > 0 {
		if a := &p.entries[i-1]; a.c != nil && int(a.n)+off+1 <= chunkRows {
			c := p.chunk(i - 1)
			n := int(a.n) + off + 1
			c.blank(int(a.n), n)
			c.put(n-1, n, r)
			a.n = uint32(n)
			a.learnt(r.UID)
			e.n -= uint32(off + 1)
			exhausted := e.n == 0
			p.settle(i)
			if exhausted {
				p.pack(i)
			}
			return
		}
	}
	if i+1 < len(p.entries) {
		if z := &p.entries[i+1]; z.c != nil && z.n+e.n-uint32(off) <= chunkRows {
			c := p.chunk(i + 1)
			k := int(e.n) - off
			c.makeRoom(k, int(z.n))
			z.n += uint32(k)
			c.put(0, int(z.n), r)
			z.learnt(r.UID)
			e.n = uint32(off)
			p.settle(i)
			if off == 0 {
				p.pack(i)
			}
			return
		}
	}
	c := newChunk(p.own)
	c.put(0, 1, r)
	before, at, after := entry{span: span{n: uint32(off)}}, entry{span{1, 1, r.UID, r.UID}, c}, entry{span: span{n: e.n - uint32(off) - 1}}
	switch {
	case before.n != 0 && after.n != 0:
		p.entries = slices.Replace(p.entries, i, i+1, before, at, after)
	case before.n != 0:
		p.entries = slices.Replace(p.entries, i, i+1, before, at)
	case after.n != 0:
		p.entries = slices.Replace(p.entries, i, i+1, at, after)
	default:
		p.entries[i] = at
		p.pack(i + 1)
	}
}

// packReach is how far to either side pack looks.
const packReach = 4

// pack is called where the run between the chunks at i-1 and i was learnt to
// the last row: two FETCHes of a load meet there, each with a chunk that is
// partly full at its end. If fewer chunks could hold what those around i do,
// they are filled up, but for the one where the load seems to go on: next to
// unknown rows. The end of the mailbox, where every arrival ends a run, is left
// alone.
func (p *page) pack(i int) {
	if i == 0 || i >= len(p.entries) || p.entries[i-1].c == nil || p.entries[i].c == nil {
		return
	}
	lo, hi := i, i
	for lo > 0 && i-lo < packReach && p.entries[lo-1].c != nil {
		lo--
	}
	for hi < len(p.entries) && hi-i < packReach && p.entries[hi].c != nil {
		hi++
	}
	rows := 0
	for _, e := range p.entries[lo:hi] {
		rows += int(e.n)
	}
	chunks := (rows + chunkRows - 1) / chunkRows
	if chunks == hi-lo {
		return
	}
	room := chunkRows // of the next chunk
	if lo > 0 && p.entries[lo-1].c == nil {
		room = rows - (chunks-1)*chunkRows
	}
	packed := make([]entry, 0, chunks)
	c, n := newChunk(p.own), 0
	for _, e := range p.entries[lo:hi] {
		for k := 0; k < int(e.n); {
			m := min(room-n, int(e.n)-k)
			c.take(n, e.c, k, k+m)
			n, k = n+m, k+m
			if n == room {
				packed = append(packed, entry{c.span(n), c})
				c, n, room = newChunk(p.own), 0, chunkRows
			}
		}
	}
	if n > 0 {
		packed = append(packed, entry{c.span(n), c})
	}
	p.entries = slices.Replace(p.entries, lo, hi, packed...)
}

// learnt counts a row that became known.
func (s *span) learnt(u UID) {
	if s.known == 0 || u < s.min {
		s.min = u
	}
	if u > s.max {
		s.max = u
	}
	s.known++
}

// removeRow takes the row at off of entry i out and returns it.
func (p *page) removeRow(i, off int) Row {
	e := &p.entries[i]
	var old Row
	if e.c != nil {
		c := p.chunk(i)
		old = c.row(off)
		c.remove(off, int(e.n))
	}
	e.n--
	if old.UID != 0 {
		if e.known--; e.known == 0 {
			e.min, e.max = 0, 0
		} else if old.UID == e.min || old.UID == e.max {
			e.span = e.c.span(int(e.n))
		}
	}
	p.settle(i)
	return old
}
