package store

// rows calls yield for each entry that has rows within [from,to), until it
// returns false: those rows are [lo,hi) of e, and i is the index of the first.
func (l *List) rows(from, to int, yield func(i int, e entry, lo, hi int) bool) {
	from, to = max(from, 0), min(to, l.n)
	if from >= to {
		return
	}
	ri, ei, off := l.locate(from)
	for ; ri < len(l.refs); ri++ {
		entries := l.refs[ri].p.entries
		for ; ei < len(entries); ei++ {
			e := &entries[ei]
			hi := min(int(e.n), off+to-from)
			if !yield(from, *e, off, hi) {
				return
			}
			if from += hi - off; from >= to {
				return
			}
			off = 0
		}
		ei = 0
	}
}

// Rows calls yield for each row within [from,to), ascending, known or not,
// until it returns false. The List must not change meanwhile.
func (l *List) Rows(from, to int, yield func(i int, r Row) bool) {
	l.rows(from, to, func(i int, e entry, lo, hi int) bool {
		for off := lo; off < hi; off++ {
			var r Row
			if e.c != nil {
				r = e.c.row(off)
			}
			if !yield(i+off-lo, r) {
				return false
			}
		}
		return true
	})
}

// Known calls yield for each known row within [from,to), UIDs ascending, until
// it returns false. Long unknown runs cost nothing. The List must not change
// meanwhile.
func (l *List) Known(from, to int, yield func(i int, r Row) bool) {
	l.rows(from, to, func(i int, e entry, lo, hi int) bool {
		if e.c == nil {
			return true
		}
		for off := lo; off < hi; off++ {
			if e.c.uids[off] != 0 && !yield(i+off-lo, e.c.row(off)) {
				return false
			}
		}
		return true
	})
}

// Unknown calls yield for each maximal run [lo,hi) of unknown rows within
// [from,to), ascending, until it returns false. The List must not change
// meanwhile.
func (l *List) Unknown(from, to int, yield func(lo, hi int) bool) {
	start, end := 0, 0 // the run so far; empty where they are equal
	stopped := false
	l.rows(from, to, func(i int, e entry, lo, hi int) bool {
		if e.c == nil {
			if start == end {
				start = i
			}
			end = i + hi - lo
			return true
		}
		for off := lo; off < hi; off++ {
			at := i + off - lo
			switch {
			case e.c.uids[off] == 0:
				if start == end {
					start = at
				}
				end = at + 1
			case start != end:
				if !yield(start, end) {
					stopped = true
					return false
				}
				start = end
			}
		}
		return true
	})
	if !stopped && start != end {
		yield(start, end)
	}
}

// knownFrom tells whether a row within [from,to) is known.
func (l *List) knownFrom(from, to int) bool {
	found := false
	l.Known(from, to, func(int, Row) bool {
		found = true
		return false
	})
	return found
}

// MaxUID is the highest known UID and its index; ok is false where none is known.
func (l *List) MaxUID() (uid UID, i int, ok bool) {
	for ri := len(l.refs) - 1; ri >= 0; ri-- {
		if m := l.refs[ri].max; m != 0 {
			i, _ := l.Find(m)
			return m, i, true
		}
	}
	return 0, 0, false
}

// CountKnown is the number of known rows.
func (l *List) CountKnown() int { return l.known }

// CountUnknown is the number of unknown rows.
func (l *List) CountUnknown() int { return l.n - l.known }

// UnknownIn tells whether a row within [from,to) is unknown.
func (l *List) UnknownIn(from, to int) bool {
	found := false
	l.Unknown(from, to, func(int, int) bool {
		found = true
		return false
	})
	return found
}

// Tail is the first row above the highest known one: the rows [Tail,Len) are
// unknown, as messages are that have just arrived.
func (l *List) Tail() int {
	_, i, ok := l.MaxUID()
	if !ok {
		return 0
	}
	return i + 1
}

// UIDs returns the known UIDs within [from,to), ascending.
func (l *List) UIDs(from, to int) []UID {
	var uids []UID
	l.Known(from, to, func(_ int, r Row) bool {
		uids = append(uids, r.UID)
		return true
	})
	return uids
}

// Equal tells whether both lists hold the same rows.
func (l *List) Equal(o *List) bool {
	if l.n != o.n || l.known != o.known {
		return false
	}
	equal := true
	l.Known(0, l.n, func(i int, r Row) bool {
		equal = o.Row(i) == r
		return equal
	})
	return equal
}
