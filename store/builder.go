package store

import "fmt"

// Builder makes a List row by row, first to last. It fills every chunk. The
// zero value is ready.
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
	if b.l.n == maxRows {
		return fmt.Errorf("%w: more than %d messages", ErrDesync, maxRows)
	}
	l := &b.l
	l.addRun(1)
	ri := len(l.refs) - 1
	p := l.page(ri)
	ei := len(p.entries) - 1
	p.learn(ei, int(p.entries[ei].n)-1, r)
	l.known++
	l.refs[ri].known++
	l.resize(ri)
	b.last = r.UID
	return nil
}

// AddUnknown appends n unknown rows.
func (b *Builder) AddUnknown(n int) error {
	if n < 0 || n > maxRows-b.l.n {
		return fmt.Errorf("%w: more than %d messages", ErrDesync, maxRows)
	}
	b.l.addRun(n)
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

// Forget makes the rows [lo,hi) unknown again; their number stays.
func (l *List) Forget(lo, hi int) {
	lo, hi = max(lo, 0), min(hi, l.n)
	if lo >= hi {
		return
	}
	var b Builder
	add := func(from, to int) {
		l.Rows(from, to, func(_ int, r Row) bool {
			if r.UID == 0 {
				b.l.addRun(1)
			} else {
				b.Add(r)
			}
			return true
		})
	}
	add(0, lo)
	b.l.addRun(hi - lo)
	add(hi, l.n)
	l.own, l.refs, l.n, l.known = b.l.own, b.l.refs, b.l.n, b.l.known
}
