package imapsession

import "tidings/store"

// unseen is the count of messages without \Seen. It comes from a SEARCH and is
// adjusted by events only where these leave no doubt; otherwise it is asked for
// again.
type unseen struct {
	n     uint32
	known bool // n is right for the rows below from
	from  int  // rows from here on arrived after the count
	told  UnseenEvent
}

// applied adjusts the count to a Change that the list took. asked tells that we
// asked for the row: it was in the count already, whatever its flags.
func (u *unseen) applied(kind store.ChangeKind, a store.Applied, asked bool) {
	if !u.known {
		return
	}
	switch kind {
	case store.Expunge, store.Vanished:
		if a.Index >= u.from {
			return
		}
		u.from -= a.Count
		switch {
		case !a.Old.Flags.Known():
			u.known = false
		case !a.Old.Flags.Has(store.Seen):
			u.less()
		}
	case store.Fill, store.SetFlags:
		if a.Index >= u.from {
			return // counted by settle
		}
		switch {
		case !a.Old.Flags.Known():
			if !asked {
				u.known = false
			}
		case a.Old.Flags.Has(store.Seen) && !a.New.Flags.Has(store.Seen):
			u.n++
		case !a.Old.Flags.Has(store.Seen) && a.New.Flags.Has(store.Seen):
			u.less()
		}
	}
}

func (u *unseen) less() {
	if u.n == 0 {
		u.known = false // the count was wrong
		return
	}
	u.n--
}

// settle counts the rows that arrived since the count, once all their flags are
// known, and tells whether the count is right for the whole list.
func (u *unseen) settle(l *store.List) bool {
	if !u.known {
		return false
	}
	if u.from > l.Len() {
		u.known = false
		return false
	}
	more := uint32(0)
	for i := u.from; i < l.Len(); i++ {
		f := l.Row(i).Flags
		if !f.Known() {
			return false
		}
		if !f.Has(store.Seen) {
			more++
		}
	}
	u.n += more
	u.from = l.Len()
	return true
}

// tellUnseen says the count, if it is not what was said last.
func (s *Session) tellUnseen() {
	ev := UnseenEvent{Epoch: s.epoch}
	if s.unseen.settle(s.list) {
		ev.N, ev.Known = s.unseen.n, true
	}
	if ev != s.unseen.told {
		s.unseen.told = ev
		s.box.Put(ev)
	}
}
