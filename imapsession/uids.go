package imapsession

import (
	"fmt"

	"github.com/emersion/go-imap/v2"

	"tidings/store"
)

const (
	// searchPiece bounds the rows whose UIDs are asked for at once where the
	// server has ESEARCH: in the worst case, with every other UID gone, the answer
	// takes 11 octets a row. searchPiecePlain is for those that name each UID.
	searchPiece      = 250_000
	searchPiecePlain = 100_000
	// tailAttempts is how often something is asked for before it is accepted that
	// the mailbox does not stand still for it.
	tailAttempts = 3
)

// hasESearch tells whether SEARCH RETURN is understood.
func (l *link) hasESearch() bool {
	return l.caps.Has(imap.CapESearch) || l.caps.Has(imap.CapIMAP4rev2)
}

// learnDown makes the UIDs of all rows down to UID lowest known, piece by piece,
// newest first. What cannot be learnt stays unknown.
func (l *link) learnDown(lowest store.UID, flags *store.List) error {
	piece := searchPiecePlain
	if l.hasESearch() {
		piece = searchPiece
	}
	hi := l.s.list.Len()
	for hi > 0 {
		lo := max(0, hi-piece)
		learnt, err := l.learnUIDs(lo, hi, flags)
		if err != nil || !learnt || l.desync != nil {
			return err
		}
		if lo = topRun(l.s.list); lo == 0 || l.s.list.Row(lo).UID <= lowest {
			return nil
		}
		hi = lo
	}
	return nil
}

// topRun is the first row from which on all rows are known.
func topRun(list *store.List) int {
	first := 0
	list.Unknown(0, list.Len(), func(_, hi int) bool {
		first = hi
		return true
	})
	return first
}

// learnUIDs asks for the UIDs of the rows [lo,hi) and makes them known. Its
// answer is taken only if there are as many and the numbering stood still.
func (l *link) learnUIDs(lo, hi int, flags *store.List) (learnt bool, err error) {
	if err := l.settle(); err != nil {
		return false, err
	}
	all := lo == 0 && hi == l.s.list.Len()
	for range tailAttempts {
		criteria := &imap.SearchCriteria{}
		if hi = min(hi, l.s.list.Len()); all {
			hi = l.s.list.Len()
		} else if lo < hi {
			criteria.SeqNum = []imap.SeqSet{seqRange(uint32(lo)+1, uint32(hi))}
		}
		if lo >= hi {
			return false, nil
		}
		before := l.s.moves
		uids, err := l.searchUIDs(criteria, hi-lo)
		if err != nil || uids == nil || l.desync != nil {
			return false, err
		}
		if before != l.s.moves {
			continue
		}
		if len(uids) != hi-lo {
			l.s.log.Warn("the server's search does not name as many messages as there are", "named", len(uids), "rows", hi-lo)
			return false, nil
		}
		return l.place(lo, uids, flags), nil
	}
	l.s.log.Info("the mailbox does not stand still: not all of its UIDs are known")
	return false, nil
}

// learnFrom makes the rows from UID lowest on known, at the list's end.
func (l *link) learnFrom(lowest store.UID, flags *store.List) (learnt bool, err error) {
	if err := l.settle(); err != nil {
		return false, err
	}
	var set imap.UIDSet
	set.AddRange(imap.UID(lowest), 0)
	for range tailAttempts {
		before := l.s.moves
		uids, err := l.searchUIDs(&imap.SearchCriteria{UID: []imap.UIDSet{set}}, l.s.list.Len())
		if err != nil || uids == nil || l.desync != nil {
			return false, err
		}
		if len(uids) > 0 && uids[0] < lowest {
			uids = uids[1:] // "n:*" matches the last message even where its UID is lower
		}
		if before == l.s.moves {
			return len(uids) > 0 && l.place(l.s.list.Len()-len(uids), uids, flags), nil
		}
	}
	l.s.log.Info("the mailbox does not stand still: only its newest rows are compared")
	return false, nil
}

// searchUIDs returns the UIDs that match, at most most of them, ascending; nil
// if the server would not say.
func (l *link) searchUIDs(criteria *imap.SearchCriteria, most int) ([]store.UID, error) {
	l.searched = ""
	data, err := l.client.UIDSearch(criteria, &imap.SearchOptions{ReturnAll: l.hasESearch()}).Wait()
	l.pump()
	if err != nil && !refused(err) {
		return nil, l.lost(err)
	}
	if err != nil {
		l.s.log.Warn("the server refused a search by UID", "it said", words(err))
		return nil, nil
	}
	found, _ := data.All.(imap.UIDSet)
	if l.searched == "" || len(found) == 0 && l.m.list.Len() > 0 {
		return nil, nil // "n:*" finds at least the last message, if there is one
	}
	n := countSet(found)
	if uint64(n) > uint64(most) {
		return nil, nil // more than there are messages: worth nothing
	}
	uids := make([]store.UID, 0, n)
	for _, r := range found {
		if r.Stop < r.Start || r.Start == 0 {
			return nil, nil
		}
		for u := r.Start; ; u++ {
			uids = append(uids, store.UID(u))
			if u == r.Stop {
				break
			}
		}
	}
	return uids, nil
}

// place makes uids those of the rows from lo on. Flags that are not known are
// those of flags, which may be nil. A contradiction is noted as such.
func (l *link) place(lo int, uids []store.UID, flags *store.List) bool {
	list, err := spliced(l.s.list, lo, uids, flags)
	if err != nil {
		l.disagree(fmt.Errorf("the server's search by UID and its numbering: %w", err))
		return false
	}
	l.s.list = list
	l.s.changes++
	l.s.unkept = true
	return true
}

// spliced is list with uids at the rows from lo on.
func spliced(list *store.List, lo int, uids []store.UID, flags *store.List) (*store.List, error) {
	var b store.Builder
	var err error
	add := func(r store.Row) {
		if err == nil {
			err = b.Add(r)
		}
	}
	keep := func(from, to int) {
		at := from
		list.Known(from, to, func(i int, r store.Row) bool {
			if err == nil {
				err = b.AddUnknown(i - at)
			}
			add(r)
			at = i + 1
			return err == nil
		})
		if err == nil {
			err = b.AddUnknown(to - at)
		}
	}
	keep(0, lo)
	was := cursor{list: flags}
	if flags == nil {
		was.list = new(store.List)
	}
	k := 0
	learn := func(is store.Row) {
		r := store.Row{UID: uids[k], Flags: is.Flags}
		switch {
		case is.UID != 0 && is.UID != r.UID:
			err = fmt.Errorf("%w: row %d is message %d and not %d", store.ErrDesync, lo+k+1, is.UID, r.UID)
		case !r.Flags.Known():
			old, _ := was.find(r.UID)
			r.Flags = old.Flags
		}
		add(r)
		k++
	}
	list.Known(lo, lo+len(uids), func(i int, r store.Row) bool {
		for err == nil && lo+k < i {
			learn(store.Row{})
		}
		learn(r)
		return err == nil
	})
	for err == nil && k < len(uids) {
		learn(store.Row{})
	}
	keep(lo+len(uids), list.Len())
	if err != nil {
		return nil, err
	}
	return b.List(), nil
}
