package store

import "fmt"

// Applied says what a Change did.
type Applied struct {
	Index int // the row, 0-based; for Exists the first new row
	Old   Row // what it was
	New   Row // what it is now (zero for a removed row)
	Count int // rows added or removed
}

// Apply applies one Change. On ErrDesync the List is as it was.
//
// Flags that are not known leave the flags of the row as they were. SetFlags on
// an unknown row fills it where the UID is said, and else does nothing.
// Vanished removes the known row of that UID, or else, of the unknown rows
// between the known neighbours of that UID, the last.
func (l *List) Apply(c Change) (Applied, error) {
	switch c.Kind {
	case Exists:
		return l.extend(c.N)
	case Expunge:
		i, err := l.index(c)
		if err != nil {
			return Applied{}, err
		}
		return l.remove(i), nil
	case Fill:
		i, err := l.index(c)
		if err != nil {
			return Applied{}, err
		}
		if c.UID == 0 {
			return Applied{}, fmt.Errorf("%w: message %d is said to have UID 0", ErrDesync, c.Seq)
		}
		return l.fill(i, c)
	case SetFlags:
		i, err := l.index(c)
		if err != nil {
			return Applied{}, err
		}
		return l.fill(i, c)
	case Vanished:
		return l.vanish(c.UID)
	}
	return Applied{}, fmt.Errorf("%w: change of kind %d", ErrDesync, c.Kind)
}

// index is the row that c names by sequence number.
func (l *List) index(c Change) (int, error) {
	if c.Seq == 0 || uint64(c.Seq) > uint64(l.n) {
		return 0, fmt.Errorf("%w: message %d of %d", ErrDesync, c.Seq, l.n)
	}
	return int(c.Seq) - 1, nil
}

// extend adds unknown rows until there are n.
func (l *List) extend(n uint32) (Applied, error) {
	if uint64(n) < uint64(l.n) {
		return Applied{}, fmt.Errorf("%w: %d messages exist, %d were known", ErrDesync, n, l.n)
	}
	if n > maxRows {
		return Applied{}, fmt.Errorf("%w: %d messages are said to exist, more than the %d that a list can hold", ErrDesync, n, maxRows)
	}
	a := Applied{Index: l.n, Count: int(n) - l.n}
	l.append(entry{span: span{n: uint32(a.Count)}})
	return a, nil
}

// remove takes row i out.
func (l *List) remove(i int) Applied {
	ri, ei, off := l.locate(i)
	old := l.page(ri).removeRow(ei, off)
	l.n--
	l.refs[ri].n--
	if old.UID != 0 {
		l.known--
		l.refs[ri].known--
	}
	l.resize(ri)
	return Applied{Index: i, Old: old, Count: 1}
}

// fill brings row i in line with c's UID (zero: not said) and Flags.
func (l *List) fill(i int, c Change) (Applied, error) {
	ri, ei, off := l.locate(i)
	e := &l.refs[ri].p.entries[ei]
	a := Applied{Index: i}
	if e.c != nil {
		a.Old = e.c.row(off)
	}
	a.New = a.Old
	if c.UID != 0 && a.Old.UID != 0 && c.UID != a.Old.UID {
		return Applied{}, fmt.Errorf("%w: message %d has UID %d, not %d", ErrDesync, c.Seq, a.Old.UID, c.UID)
	}
	if a.Old.UID == 0 && c.UID == 0 {
		return a, nil
	}
	if c.Flags.Known() {
		a.New.Flags = c.Flags
	}
	if a.Old.UID != 0 {
		if a.New != a.Old {
			l.page(ri).chunk(ei).setFlags(off, int(e.n), a.New.Flags)
		}
		return a, nil
	}
	a.New.UID = c.UID
	if j, u := l.above(c.UID); u == c.UID {
		return Applied{}, fmt.Errorf("%w: UID %d is message %d and message %d", ErrDesync, u, j+1, c.Seq)
	} else if j <= i || l.knownFrom(i+1, j) {
		return Applied{}, fmt.Errorf("%w: UID %d of message %d is out of order", ErrDesync, c.UID, c.Seq)
	}
	l.page(ri).learn(ei, off, a.New)
	l.known++
	l.refs[ri].known++
	l.resize(ri)
	return a, nil
}

// vanish removes the message uid.
func (l *List) vanish(uid UID) (Applied, error) {
	if uid == 0 {
		return Applied{}, fmt.Errorf("%w: UID 0 vanished", ErrDesync)
	}
	i, u := l.above(uid)
	if u != uid {
		if !l.unknownBelow(i) {
			return Applied{}, fmt.Errorf("%w: UID %d vanished, but no message can have had it", ErrDesync, uid)
		}
		i-- // it was one of those
	}
	return l.remove(i), nil
}
