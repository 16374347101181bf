package store

import "fmt"

// Builder makes a List row by row, first to last, every chunk full. The zero
// value is ready. It belongs to one goroutine.
type Builder struct {
	l    List
	last UID
}

// Add appends a known row. A UID that is zero or not above those before is
// ErrDesync, and nothing is appended.
func (b *Builder) Add(r Row) error {
	if r.UID <= b.last {
		return fmt.Errorf("%w: UID %d follows UID %d", ErrDesync, r.UID, b.last)
	}
	l := &b.l
	if l.n == maxRows {
		return fmt.Errorf("%w: more than %d messages", ErrDesync, maxRows)
	}
	b.last = r.UID
	if len(l.refs) > 0 {
		ref := &l.refs[len(l.refs)-1]
		p := l.page(len(l.refs) - 1)
		if e := &p.entries[len(p.entries)-1]; e.c != nil && e.n < chunkRows {
			e.c.put(int(e.n), int(e.n)+1, r)
			e.n++
			e.learnt(r.UID)
			ref.n++
			ref.learnt(r.UID)
			l.n++
			l.known++
			return nil
		}
	}
	c := newChunk(l.token())
	c.put(0, 1, r)
	l.append(entry{span{1, 1, r.UID, r.UID}, c})
	return nil
}

// AddUnknown appends n unknown rows. More than a List can hold are ErrDesync,
// and nothing is appended.
func (b *Builder) AddUnknown(n int) error {
	if n < 0 || n > maxRows-b.l.n {
		return fmt.Errorf("%w: more than %d messages", ErrDesync, maxRows)
	}
	b.l.append(entry{span: span{n: uint32(n)}})
	return nil
}

// List returns what was added and starts the Builder anew.
func (b *Builder) List() *List {
	l := &List{own: b.l.own, refs: b.l.refs, n: b.l.n, known: b.l.known}
	*b = Builder{}
	return l
}

// FromUIDs makes a List of known rows whose flags are not known, as UID SEARCH
// tells them. UIDs that do not ascend are ErrDesync.
func FromUIDs(uids []UID) (*List, error) {
	var b Builder
	for _, uid := range uids {
		if err := b.Add(Row{UID: uid}); err != nil {
			return nil, err
		}
	}
	return b.List(), nil
}

// append adds the rows of e at the end; an empty e is nothing.
func (l *List) append(e entry) {
	if e.n == 0 {
		return
	}
	var p *page
	last := len(l.refs) - 1
	if last >= 0 && e.c == nil {
		p = l.page(last)
		if z := &p.entries[len(p.entries)-1]; z.c == nil {
			z.n += e.n
			l.refs[last].n += e.n
			l.n += int(e.n)
			return
		}
	}
	if last < 0 || len(l.refs[last].p.entries) == pageEntries {
		l.refs = append(l.refs, ref{p: &page{own: l.token()}})
		last++
	}
	p = l.page(last)
	p.entries = append(p.entries, e)
	p.settle(len(p.entries) - 1)
	r := &l.refs[last]
	r.n += e.n
	r.known += e.known
	if r.min == 0 {
		r.min = e.min
	}
	if e.max != 0 {
		r.max = e.max
	}
	l.n += int(e.n)
	l.known += int(e.known)
}

// Forget makes the rows [lo,hi) unknown again; their number stays. Rows that
// are not there are ignored. Cost: O(chunks).
func (l *List) Forget(lo, hi int) {
	lo, hi = max(lo, 0), min(hi, l.n)
	if lo >= hi {
		return
	}
	kept := &List{own: l.token()}
	keep := func(from, to int) {
		l.rows(from, to, func(_ int, e entry, lo, hi int) bool {
			kept.append(e.cut(lo, hi, kept.own))
			return true
		})
	}
	keep(0, lo)
	kept.append(entry{span: span{n: uint32(hi - lo)}})
	keep(hi, l.n)
	l.refs, l.n, l.known = kept.refs, kept.n, kept.known
}

// cut returns rows [lo,hi) of e, in a chunk of their own unless they are all.
func (e entry) cut(lo, hi int, own *token) entry {
	if lo == 0 && hi == int(e.n) {
		return e
	}
	if e.c == nil {
		return entry{span: span{n: uint32(hi - lo)}}
	}
	c := newChunk(own)
	c.take(0, e.c, lo, hi)
	cut := entry{c.span(hi - lo), c}
	if cut.known == 0 {
		cut.c = nil
	}
	return cut
}
