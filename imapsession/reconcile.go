package imapsession

import (
	"errors"
	"slices"

	"tidings/store"
)

// trust is how much a server is believed of what happened while nobody watched.
type trust uint8

const (
	trustAll     trust = iota // its mod-sequences, and what it says has vanished
	trustUIDs                 // only which UIDs there are; flags are asked for anew
	trustNothing              // nothing known is kept
)

// errContradicted: what the server said while reconciling does not add up.
var errContradicted = errors.New("the server contradicts itself")

// past is what was known of the mailbox before it was selected.
type past struct {
	list   *store.List
	modseq uint64 // up to which list has every change; 0 where that is not known
	again  bool   // it is the same mailbox at the same UIDVALIDITY
	// told is the highest UID that the person was told of: what is above it is
	// news. Nothing is where hasTold is false.
	told    store.UID
	hasTold bool
}

// reconcile brings the list in step with a mailbox just selected, and tells the
// listener what came of it in one Resync.
func (l *link) reconcile(sel selection, how trust) error {
	s := l.s
	before := s.mailbox
	reload := s.selected && (sel.uidValidity != s.uidValidity || sel.unstable)
	old := past{list: s.list, modseq: before.modseqs.sure, again: s.selected && !reload}

	s.silent = true
	defer func() { s.silent = false }()
	s.uidValidity, s.anyKeyword, s.selected = sel.uidValidity, sel.anyKeyword, true
	s.permanent = sel.permanent
	s.unseen = unseen{told: s.unseen.told}
	s.modseqs = modseqs{seen: sel.modseq}
	if reload {
		s.deaths = map[store.UID]int{}
	}
	old.told, old.hasTold = s.toldMark()
	if old.again && !old.hasTold {
		old.told, old.hasTold = newestTold(old.list, before.freshFrom), true
	}

	var summaries []*store.Summary
	var err error
	if old.again && old.list.CountKnown() > 0 && how < trustNothing {
		s.cold = false
		summaries, err = l.resume(sel, old, how)
	} else {
		s.cold = true
		summaries, err = l.readNewest(sel, old)
	}
	if err == nil && l.desync != nil && how < trustNothing {
		s.log.Warn("reading the mailbox anew, believing less", "why", l.desync)
		err = errContradicted
	}
	if err != nil {
		s.list, s.freshFrom, s.modseqs = before.list, before.freshFrom, before.modseqs
		s.uidValidity, s.selected, s.anyKeyword = before.uidValidity, before.selected, before.anyKeyword
		return err
	}
	s.modseqs.sure = sel.modseq
	s.mark.over = true
	l.tellReconciled(compare(old, s.list, s.freshFrom), reload, summaries)
	return nil
}

// tellReconciled puts the Resync, and behind it the summaries that came and what
// arrived meanwhile, and hands all to the cache.
func (l *link) tellReconciled(diff difference, reload bool, summaries []*store.Summary) {
	s := l.s
	s.epoch++
	full := s.resync()
	full.Reload, full.Gone, full.Arrived, full.Changed = reload, diff.gone, diff.arrived, diff.changed
	s.log.Info("resync", "epoch", s.epoch, "messages", s.list.Len(), "known", s.list.CountKnown(),
		"arrived", full.Arrived, "gone", len(full.Gone), "changed", len(full.Changed), "reload", reload)
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
}

// readNewest starts a list from nothing: all rows unknown but the first window,
// and those that the person was not told of.
func (l *link) readNewest(sel selection, old past) ([]*store.Summary, error) {
	if err := l.s.begin(sel.count); err != nil {
		return nil, err
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
	sums, err := l.fetchRows(seqRange(lo, sel.count))
	if err != nil || !old.hasTold || l.desync != nil || lowestKnown(l.s.list) <= old.told+1 {
		return sums, err
	}
	_, err = l.learnFrom(old.told+1, nil)
	return sums, err
}

// begin makes the list n unknown rows.
func (m *mailbox) begin(n uint32) error {
	m.list = new(store.List)
	if err := m.change(store.Change{Kind: store.Exists, N: n}, false); err != nil {
		return asFault(err)
	}
	return nil
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

// difference is what became of a list.
type difference struct {
	gone, changed []store.UID
	arrived       uint32
}

// compare says what became of the rows that were known, and how many of the rows
// before freshFrom the person has not been told of.
func compare(old past, list *store.List, freshFrom int) difference {
	var d difference
	if old.again {
		now := cursor{list: list}
		old.list.Known(0, old.list.Len(), func(_ int, was store.Row) bool {
			is, ok := now.find(was.UID)
			switch {
			case !ok && !list.MayHold(was.UID):
				d.gone = append(d.gone, was.UID)
			case ok && was.Flags.Known() && is.Flags.Known() && was.Flags != is.Flags:
				d.changed = append(d.changed, was.UID)
			}
			return true
		})
	}
	if old.hasTold {
		d.arrived = uint32(countAbove(list, old, freshFrom))
	}
	return d
}

// countAbove is how many of the rows before end are news: those that are known to
// be above the message told of last, and the unknown ones that must be.
func countAbove(list *store.List, old past, end int) int {
	lo, hi := list.Gap(old.told) // what is unknown between the two may be either
	first := hi
	if i, ok := list.Find(old.told); ok {
		first = i + 1
	} else if old.again && old.list.CountUnknown() == 0 {
		first = lo // before, no row was unknown: those have come since
	}
	return max(0, end-first)
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

func lowestKnown(list *store.List) store.UID {
	var lowest store.UID
	list.Known(0, list.Len(), func(_ int, r store.Row) bool {
		lowest = r.UID
		return false
	})
	return lowest
}

// cursor goes through the known rows of a List, upwards. The List must not
// change meanwhile.
type cursor struct {
	list  *store.List
	at    int // the first row that was not looked at
	block []store.Row
}

// cursorBlock is how many rows a cursor takes at a time.
const cursorBlock = 1024

// find returns the row uid. The UIDs that are asked for ascend.
func (c *cursor) find(uid store.UID) (r store.Row, ok bool) {
	for {
		for len(c.block) > 0 && c.block[len(c.block)-1].UID < uid {
			c.block = c.block[:0]
		}
		if len(c.block) > 0 {
			i, ok := slices.BinarySearchFunc(c.block, uid, func(r store.Row, u store.UID) int { return int(r.UID) - int(u) })
			if !ok {
				return store.Row{}, false
			}
			return c.block[i], true
		}
		if c.at >= c.list.Len() {
			return store.Row{}, false
		}
		end := min(c.at+cursorBlock, c.list.Len())
		c.list.Known(c.at, end, func(_ int, r store.Row) bool {
			c.block = append(c.block, r)
			return true
		})
		c.at = end
	}
}
