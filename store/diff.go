package store

// Diff calls yield for each message that is known in one of two Lists and not
// equally in the other, UIDs ascending, until it returns false. A zero Row says
// that the message is not known there. Unknown rows are not compared, nor is
// where they stand.
//
// What old and l share is not looked at: of two Snapshots of one List the cost
// is that of the chunks written between them, and a few nanoseconds for each
// page that was not. Both Lists are only read, and must not change meanwhile.
func (l *List) Diff(old *List, yield func(was, is Row) bool) {
	a, b := walk{refs: old.refs}, walk{refs: l.refs}
	for {
		a.settle()
		b.settle()
		if a.done() && b.done() {
			return
		}
		if !a.done() && !b.done() && a.together(&b) {
			continue
		}
		was, is := a.row(), b.row()
		switch {
		case b.done() || !a.done() && was.UID < is.UID:
			a.off++
			is = Row{}
		case a.done() || is.UID < was.UID:
			b.off++
			was = Row{}
		default:
			a.off++
			b.off++
		}
		if was != is && !yield(was, is) {
			return
		}
	}
}

// walk is a place in the known rows of a List.
type walk struct {
	refs        []ref
	ri, ei, off int
}

func (w *walk) done() bool { return w.ri == len(w.refs) }

// settle moves on to the next known row, if the walk is not at one.
func (w *walk) settle() {
	for ; w.ri < len(w.refs); w.ri, w.ei, w.off = w.ri+1, 0, 0 {
		if w.refs[w.ri].known == 0 {
			continue
		}
		entries := w.refs[w.ri].p.entries
		for ; w.ei < len(entries); w.ei, w.off = w.ei+1, 0 {
			e := &entries[w.ei]
			if e.c == nil {
				continue
			}
			for ; w.off < int(e.n); w.off++ {
				if e.c.uids[w.off] != 0 {
					return
				}
			}
		}
	}
}

// row is the known row at which a settled walk is.
func (w *walk) row() Row {
	if w.done() {
		return Row{}
	}
	return w.refs[w.ri].p.entries[w.ei].c.row(w.off)
}

// together moves both walks behind the page or chunk in which they are, if it is
// the same one and they are at the same place in it.
func (w *walk) together(o *walk) bool {
	if w.off != o.off {
		return false
	}
	p, q := w.refs[w.ri].p, o.refs[o.ri].p
	if p == q && w.ei == o.ei {
		w.ri, w.ei, w.off = w.ri+1, 0, 0
		o.ri, o.ei, o.off = o.ri+1, 0, 0
		return true
	}
	d, e := &p.entries[w.ei], &q.entries[o.ei]
	if d.c == e.c && d.n == e.n {
		w.ei, w.off = w.ei+1, 0
		o.ei, o.off = o.ei+1, 0
		return true
	}
	return false
}
