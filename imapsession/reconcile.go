package imapsession

import (
	"slices"

	"github.com/emersion/go-imap/v2"

	"tidings/store"
)

const (
	// maxTail bounds the rows that are reconciled by UID: older ones become
	// unknown and are asked for when somebody looks. It keeps one SEARCH answer
	// under a few MB whatever the mailbox holds.
	maxTail = 200_000
	// maxReflag bounds the rows whose flags are asked for again at once; those
	// of older rows become unknown likewise.
	maxReflag = 5_000
	// tailAttempts is how often the UIDs are asked for before it is accepted that
	// the mailbox does not stand still for it.
	tailAttempts = 3
)

// reconcile brings the list in step with a mailbox just selected, and tells the
// listener what came of it in one Resync.
func (l *link) reconcile(sel selection) error {
	s := l.s
	old := s.list
	lowest := oldestWanted(old)
	reload := s.selected && (sel.uidValidity != s.uidValidity || sel.unstable)
	again := s.selected && !reload

	s.silent = true
	defer func() { s.silent = false }()
	before := s.mailbox
	s.uidValidity = sel.uidValidity
	s.anyKeyword = sel.anyKeyword
	s.selected = true
	s.modseq = 0
	s.unseen = unseen{told: s.unseen.told}

	if reload {
		s.deaths = map[store.UID]int{}
	}

	var ev ResyncEvent
	var summaries []*store.Summary
	var err error
	if again && lowest != 0 {
		ev, summaries, err = l.reconcileTail(sel, past{old, lowest, newestTold(old, before.freshFrom)})
	} else {
		summaries, err = l.readNewest(sel)
		ev.Reload = reload
		if again && err == nil && before.freshFrom == 0 {
			ev.Arrived = uint32(s.freshFrom) // it was empty, and known to be
		}
	}
	if err != nil {
		s.list, s.freshFrom, s.modseq = old, before.freshFrom, before.modseq
		s.uidValidity, s.selected = before.uidValidity, before.selected
		return err
	}
	s.epoch++
	full := s.resync()
	full.Reload, full.Gone, full.Arrived, full.Changed = ev.Reload, ev.Gone, ev.Arrived, ev.Changed
	s.log.Info("resync", "epoch", s.epoch, "messages", s.list.Len(), "known", s.list.CountKnown(),
		"arrived", full.Arrived, "gone", len(full.Gone), "changed", len(full.Changed), "reload", full.Reload)
	s.box.Together(func() {
		s.box.Put(full)
		if len(summaries) > 0 {
			s.missingTold(summaries)
			s.box.Put(SummariesEvent{UIDValidity: s.uidValidity, Summaries: summaries})
		}
		if full.Arrived > 0 {
			s.box.Put(NewMailEvent{
				UIDValidity: s.uidValidity,
				UIDs:        arrivedUIDs(s.list, full.Arrived, s.freshFrom, summaries),
				Count:       int(full.Arrived),
				Gap:         true,
			})
		}
	})
	s.silent = false
	s.keep()
	l.keepSummaries(summaries)
	return nil
}

// oldestWanted is the UID from which on the old list is worth reconciling; 0
// where nothing is known.
func oldestWanted(old *store.List) store.UID {
	var lowest store.UID
	old.Known(max(0, old.Len()-maxTail), old.Len(), func(_ int, r store.Row) bool {
		lowest = r.UID
		return false
	})
	return lowest
}

// maxUnread bounds the search for the newest message that was told of.
const maxUnread = 5_000

// newestTold is the highest known UID of the rows before freshFrom: what is
// above it has not been told of, even if it was known when the link broke.
func newestTold(old *store.List, freshFrom int) store.UID {
	for i := freshFrom - 1; i >= max(0, freshFrom-maxUnread); i-- {
		if u := old.Row(i).UID; u != 0 {
			return u
		}
	}
	if freshFrom == 0 {
		return 0
	}
	newest, _, _ := old.MaxUID()
	return newest
}

// past is what was known before the link broke.
type past struct {
	list   *store.List
	lowest store.UID // from here on it is worth reconciling
	newest store.UID // the highest that was told of
}

// arrivedUIDs are the UIDs of the n rows before end whose summary is known.
func arrivedUIDs(list *store.List, n uint32, end int, summaries []*store.Summary) []store.UID {
	known := make(map[store.UID]bool, len(summaries))
	for _, sum := range summaries {
		known[sum.UID] = true
	}
	var uids []store.UID
	list.Known(end-int(n), end, func(_ int, r store.Row) bool {
		if known[r.UID] {
			uids = append(uids, r.UID)
		}
		return true
	})
	return uids
}

// readNewest starts a list from nothing: all rows unknown but the first window,
// whatever the mailbox's size.
func (l *link) readNewest(sel selection) ([]*store.Summary, error) {
	l.s.list = new(store.List)
	if err := l.s.change(store.Change{Kind: store.Exists, N: sel.count}, false); err != nil {
		return nil, asFault(err)
	}
	l.s.freshFrom = l.s.list.Len() // what comes from now on is new
	if sel.count == 0 {
		return nil, nil
	}
	n := uint32(l.s.cfg.FirstWindow)
	lo := uint32(1)
	if sel.count > n {
		lo = sel.count - n + 1
	}
	return l.fetchRows(seqRange(lo, sel.count))
}

// reconcileTail asks which of the UIDs from lowest on are there now. The tail of
// the mailbox is then known by UID, and the rows before it are unknown, so the
// cost grows with what was known, not with the mailbox. The answer is taken only
// if nothing changed while it was under way, and the rows that are asked for by
// number after it prove it: a number whose UID is not the expected one is a
// desync.
func (l *link) reconcileTail(sel selection, old past) (ResyncEvent, []*store.Summary, error) {
	s := l.s
	count := sel.count
	var uids []store.UID
	for attempt := 1; ; attempt++ {
		s.list = new(store.List)
		if err := s.change(store.Change{Kind: store.Exists, N: count}, false); err != nil {
			return ResyncEvent{}, nil, asFault(err)
		}
		before := s.changes
		found, err := l.searchFrom(old.lowest)
		if err != nil {
			return ResyncEvent{}, nil, err
		}
		count = uint32(s.list.Len())
		if found != nil && before == s.changes && len(found) <= int(count) && l.desync == nil {
			uids = found
			break
		}
		if attempt == tailAttempts || l.desync != nil {
			s.log.Info("the mailbox does not stand still: only its newest rows are compared")
			l.desync = nil
			break
		}
	}
	if uids != nil {
		summaries, err := l.readTail(int(count), uids, old)
		if err != nil || l.desync == nil {
			return l.compare(old, s.list, old.lowest), summaries, err
		}
		s.log.Warn("the server's search by UID and its numbering disagree", "why", l.desync)
		l.desync = nil
		sel.count = uint32(s.list.Len())
	} else {
		sel.count = count
	}
	summaries, err := l.readNewest(sel)
	return l.compare(old, s.list, lowestKnown(s.list)), summaries, err
}

// readTail makes the list whose last rows are uids and fetches what is new or
// may have changed of them.
func (l *link) readTail(count int, uids []store.UID, old past) ([]*store.Summary, error) {
	list, err := tailList(count, uids)
	if err != nil {
		l.disagree(err)
		return nil, nil
	}
	l.s.list, l.s.freshFrom = list, count
	summaries, err := l.readArrived(old.newest)
	if err != nil || l.desync != nil {
		return nil, err
	}
	l.s.advanceFresh(summaries, l.s.freshFrom, true)
	return summaries, l.readFlags(old.list, count-len(uids))
}

// searchFrom returns the UIDs of the mailbox from lowest on, ascending; nil if
// the server would not say.
func (l *link) searchFrom(lowest store.UID) ([]store.UID, error) {
	var set imap.UIDSet
	set.AddRange(imap.UID(lowest), 0)
	options := &imap.SearchOptions{}
	if l.hasESearch() {
		options.ReturnAll = true
	}
	l.searched = ""
	data, err := l.client.UIDSearch(&imap.SearchCriteria{UID: []imap.UIDSet{set}}, options).Wait()
	l.pump()
	if err != nil && !refused(err) {
		return nil, l.lost(err)
	}
	if err != nil {
		l.s.log.Warn("the server refused a search by UID", "it said", words(err))
		return nil, nil
	}
	uids := []store.UID{} // nothing is an answer, too
	found, _ := data.All.(imap.UIDSet)
	if l.searched == "" || len(found) == 0 && l.s.list.Len() > 0 {
		return nil, nil // "n:*" finds at least the last message, if there is one
	}
	for _, r := range found {
		if r.Stop < r.Start || uint64(r.Stop)-uint64(r.Start) > uint64(l.s.list.Len()) {
			return nil, nil // more than there are messages: worth nothing
		}
		for u := r.Start; ; u++ {
			// "n:*" matches the last message even where its UID is lower.
			if store.UID(u) >= lowest {
				uids = append(uids, store.UID(u))
			}
			if u == r.Stop {
				break
			}
		}
	}
	return uids, nil
}

// hasESearch tells whether SEARCH RETURN is understood.
func (l *link) hasESearch() bool {
	return l.caps.Has(imap.CapESearch) || l.caps.Has(imap.CapIMAP4rev2)
}

// tailList is count rows of which the last are uids, with the flags unknown:
// what the old list says of them may have changed.
func tailList(count int, uids []store.UID) (*store.List, error) {
	var b store.Builder
	if err := b.AddUnknown(count - len(uids)); err != nil {
		return nil, err
	}
	for _, u := range uids {
		if err := b.Add(store.Row{UID: u}); err != nil {
			return nil, err
		}
	}
	return b.List(), nil
}

// readArrived fetches the newest of the rows above UID newest.
func (l *link) readArrived(newest store.UID) ([]*store.Summary, error) {
	list := l.s.list
	first := list.Tail() // what came since the search is new as well
	for first > 0 && list.Row(first-1).UID > newest {
		first--
	}
	lo := max(first, list.Len()-l.s.cfg.FirstWindow)
	if lo >= list.Len() {
		return nil, nil
	}
	return l.fetchRows(seqRange(uint32(lo)+1, uint32(list.Len())))
}

// readFlags asks for the flags of the newest rows, from row first on, whose flags
// were known.
func (l *link) readFlags(old *store.List, first int) error {
	s := l.s
	var set imap.SeqSet
	rows, total := 0, 0
	flush := func() error {
		if rows == 0 {
			return nil
		}
		err := l.fetchFlags(set)
		set, rows = nil, 0
		return err
	}
	for i := s.list.Len() - 1; i >= first && total < maxReflag; i-- {
		r := s.list.Row(i)
		if r.UID == 0 || r.Flags.Known() {
			continue
		}
		j, ok := old.Find(r.UID)
		if !ok || !old.Row(j).Flags.Known() {
			continue
		}
		set.AddNum(uint32(i) + 1)
		rows++
		total++
		if rows == windowMax || len(set) > 200 {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// compare says what became of the known rows of old from UID lowest on.
func (l *link) compare(old past, list *store.List, lowest store.UID) ResyncEvent {
	var ev ResyncEvent
	if lowest == 0 {
		return ev
	}
	old.list.Known(0, old.list.Len(), func(_ int, r store.Row) bool {
		if r.UID < lowest {
			return true
		}
		i, ok := list.Find(r.UID)
		switch {
		case !ok:
			ev.Gone = append(ev.Gone, r.UID)
		case r.Flags.Known() && list.Row(i).Flags.Known() && list.Row(i).Flags != r.Flags:
			ev.Changed = append(ev.Changed, r.UID)
		}
		return true
	})
	list.Known(0, l.s.freshFrom, func(_ int, r store.Row) bool {
		if r.UID > old.newest {
			ev.Arrived++
		}
		return true
	})
	slices.Sort(ev.Gone)
	return ev
}

func lowestKnown(list *store.List) store.UID {
	var lowest store.UID
	list.Known(0, list.Len(), func(_ int, r store.Row) bool {
		lowest = r.UID
		return false
	})
	return lowest
}
