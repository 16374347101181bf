package imapsession

import (
	"errors"
	"fmt"

	"github.com/emersion/go-imap/v2"

	"tidings/imapsession/wire"
	"tidings/store"
)

// maxReflag bounds the rows whose flags are asked for again before the list is
// told; those of older rows are unknown until then (see sweep).
const maxReflag = 5_000

// maxVanished bounds the ranges of UIDs that may have vanished: between any two of
// them there is a message, or was one lately.
const maxVanished = 1 << 21

// catching collects what a list of unknown rows cannot take while the past is
// being asked for.
type catching struct {
	vanished []wire.UIDRange // whenever that was
	// unplaced: the flags of a row changed of which only the number is known.
	unplaced bool
}

func (c *catching) note(ev wire.Event, list *store.List) {
	switch ev.Kind {
	case wire.KindVanished:
		c.vanished = append(c.vanished, ev.UIDs...)
	case wire.KindFetch:
		if ev.HasFlags && ev.UID == 0 && ev.Num > 0 && int64(ev.Num) <= int64(list.Len()) && list.Row(int(ev.Num)-1).UID == 0 {
			c.unplaced = true
		}
	}
}

// resume brings a list that was known before in step, with the least that the
// server allows: nothing at all, what changed since a mod-sequence, or all UIDs
// and then all flags.
//
// It works on as many unknown rows as the server counts. Whatever comes while it
// asks has its place there, so that nothing is lost and nothing is guessed; what
// was known is put in where that adds up.
func (l *link) resume(sel selection, old past, how trust) ([]*store.Summary, error) {
	s := l.s
	if err := s.begin(sel.count); err != nil {
		return nil, err
	}
	trusted := how == trustAll && l.hasCondstore() && old.modseq != 0 && sel.modseq >= old.modseq
	if old.modseq != 0 && !trusted {
		s.log.Info("mod-sequences are of no use here: all flags are read again", "had", old.modseq, "server has", sel.modseq)
	}
	l.catching = new(catching)
	defer func() { l.catching = nil }()
	var err error
	switch {
	case sel.count == 0 && s.list.Len() == 0:
	case trusted && isUnchanged(sel, old):
		s.list = old.list.Snapshot()
	case trusted:
		trusted, err = l.resumeChanged(old)
	case how == trustAll && !l.hasESearch() && hasSameUIDs(sel, old):
		// To name them all would cost much. The flags, asked for by number, prove it.
		s.list, err = withoutFlags(old.list)
	default:
		err = l.resumeUIDs(old, nil)
	}
	if err != nil || l.desync != nil {
		return nil, err
	}
	s.freshFrom = s.list.Len()
	summaries, err := l.readArrived(old.told)
	if err != nil || l.desync != nil {
		return nil, err
	}
	s.advanceFresh(summaries, s.freshFrom, true)
	if !trusted {
		err = l.readFlags(old.list)
	}
	return summaries, err
}

// isUnchanged tells that nothing can have happened: not a flag, no arrival, no
// expunge.
func isUnchanged(sel selection, old past) bool {
	return sel.modseq == old.modseq && hasSameUIDs(sel, old)
}

// hasSameUIDs tells that, as far as can be told from a SELECT, nothing came and
// nothing went.
func hasSameUIDs(sel selection, old past) bool {
	newest, i, ok := old.list.MaxUID()
	return ok && i == old.list.Len()-1 && int(sel.count) == old.list.Len() && sel.uidNext == newest+1
}

// resumeChanged asks for what changed since old's mod-sequence. trusted is false
// where the server would not say.
func (l *link) resumeChanged(old past) (trusted bool, err error) {
	s := l.s
	if err = l.askChanges(old.modseq); errors.Is(err, errRefusedAsk) {
		return false, l.resumeUIDs(old, nil)
	}
	if err != nil || l.desync != nil {
		return true, err
	}
	if list := l.assume(old); list != nil {
		s.list = list
	} else if err := l.resumeUIDs(old, old.list); err != nil {
		return true, err
	}
	for range tailAttempts {
		if !l.catching.unplaced || l.desync != nil {
			return true, nil
		}
		l.catching.unplaced = false
		if err = l.askChanges(old.modseq); err != nil && !errors.Is(err, errRefusedAsk) {
			return true, err
		}
	}
	s.list, err = withoutFlags(s.list)
	return false, err
}

// askChanges asks for the flags of all rows that changed or came since modseq,
// and with QRESYNC for what vanished.
func (l *link) askChanges(modseq uint64) error {
	if l.qresync {
		return l.ask(fmt.Sprintf("UID FETCH 1:* (FLAGS) (CHANGEDSINCE %d VANISHED)", modseq))
	}
	n := l.s.list.Len()
	if n == 0 {
		return nil
	}
	return l.ask(fmt.Sprintf("FETCH 1:%d (UID FLAGS) (CHANGEDSINCE %d)", n, modseq))
}

// assume puts together what was known, without what vanished, and what has
// changed or come, which stands at its numbers in the list. It returns nil where
// that does not add up to what the server counts.
func (l *link) assume(old past) *store.List {
	said := l.s.list
	list := old.list.Snapshot()
	for _, r := range l.catching.vanished {
		dropRange(list, r)
	}
	// Rows that had been counted, but never seen, are asked for like new ones.
	for list.Len() > list.Tail() {
		expunge(list, list.Len())
	}
	newest, _, _ := old.list.MaxUID()
	arrived := 0
	said.Known(0, said.Len(), func(_ int, r store.Row) bool {
		if r.UID > newest {
			arrived++
		}
		return true
	})
	spare := list.Len() + arrived - said.Len()
	if spare != 0 && (!l.qresync || !headTakes(list, spare)) {
		return nil
	}
	for range spare {
		expunge(list, 1) // one of those of which nothing is known
	}
	if _, err := list.Apply(store.Change{Kind: store.Exists, N: uint32(said.Len())}); err != nil {
		return nil
	}
	fits := true
	said.Known(0, said.Len(), func(i int, r store.Row) bool {
		_, err := list.Apply(store.Change{Kind: store.Fill, Seq: uint32(i) + 1, UID: r.UID, Flags: r.Flags})
		fits = err == nil
		return fits
	})
	if !fits || list.Len() > list.Tail() {
		return nil
	}
	return list
}

// headTakes tells whether n rows can be missing from the unknown rows at the
// list's beginning, and from nowhere else.
func headTakes(list *store.List, n int) bool {
	takes := false
	list.Unknown(0, list.Len(), func(lo, hi int) bool {
		takes = lo == 0 && n > 0 && hi >= n
		return takes
	})
	return takes && list.CountUnknown() >= n && !unknownAbove(list)
}

// unknownAbove tells whether a row above the first known one is unknown.
func unknownAbove(list *store.List) bool {
	i, ok := list.Find(lowestKnown(list))
	return ok && list.UnknownIn(i, list.Len())
}

// dropRange takes the known rows of a range of UIDs out.
func dropRange(list *store.List, r wire.UIDRange) {
	for {
		_, i := list.Gap(store.UID(r.Lo))
		if i >= list.Len() || list.Row(i).UID > store.UID(r.Hi) {
			return
		}
		expunge(list, i+1)
	}
}

// expunge takes row seq out, which exists.
func expunge(list *store.List, seq int) {
	_, _ = list.Apply(store.Change{Kind: store.Expunge, Seq: uint32(seq)})
}

// resumeUIDs learns the UIDs of all rows down to the lowest that was known. Flags
// that the server has not said by now are flags' where it has them, else unknown.
func (l *link) resumeUIDs(old past, flags *store.List) error {
	lowest := lowestKnown(old.list)
	if i, _ := old.list.Find(lowest); i > 0 {
		learnt, err := l.learnFrom(lowest, flags)
		if err != nil || learnt || l.desync != nil {
			return err
		}
	}
	return l.learnDown(lowest, flags)
}

// withoutFlags is a list of the same rows with unknown flags.
func withoutFlags(list *store.List) (*store.List, error) {
	var b store.Builder
	at := 0
	var err error
	list.Known(0, list.Len(), func(i int, r store.Row) bool {
		if err = b.AddUnknown(i - at); err == nil {
			err = b.Add(store.Row{UID: r.UID})
		}
		at = i + 1
		return err == nil
	})
	if err == nil {
		err = b.AddUnknown(list.Len() - at)
	}
	return b.List(), err
}

// readFlags asks for the flags of the newest rows whose flags were known.
func (l *link) readFlags(old *store.List) error {
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
	most := maxReflag
	if s.cfg.Cache != nil {
		most = windowMax // the rest has time, see sweep
	}
	for i := s.list.Len() - 1; i >= 0 && total < most; i-- {
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
