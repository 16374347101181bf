package imapsession

import (
	"errors"
	"fmt"
	"time"

	"tidings/store"
)

// The index is made complete in the background, newest rows first, where there
// is a cache to keep it: views, jumps and the next start need the UIDs and flags
// of all rows. One step is short, and taken only when nothing else is due.
const (
	sweepRows    = 500 // of the first window
	sweepRowsMax = 5_000
	sweepShort   = 30 * time.Millisecond // a window that takes less may grow
	sweepLong    = 100 * time.Millisecond
	// sweepNoop is how often the server gets the chance to tell of what it holds
	// back while it is asked by number.
	sweepNoop = time.Second
	// sureEvery is how often a NOOP is spent on making the newest mod-sequences
	// sure.
	sureEvery = 10 * time.Second
)

// sweeping is how far the index is.
type sweeping struct {
	at     int  // the rows from here on were looked at
	rows   int  // of the next window
	mute   bool // the server will not say flags
	noUIDs bool // nor UIDs by SEARCH
	noopAt time.Time
}

// sweepAgain starts from the newest row.
func (l *link) sweepAgain() {
	l.sweeping.at = l.s.list.Len()
	l.sweeping.rows = max(l.sweeping.rows, sweepRows)
}

// sweepDue tells whether there is something to learn, or to make sure of.
func (l *link) sweepDue() bool {
	s := l.s
	if s.cfg.Cache == nil || l.m != &s.mailbox || l.desync != nil {
		return false
	}
	return l.sureDue() || l.uidsDue() || l.flagsDue()
}

// sureDue tells whether a NOOP is worth its round trip.
func (l *link) sureDue() bool {
	return l.m.modseqs.ahead() && time.Since(l.sweeping.noopAt) >= sureEvery
}

// uidsDue tells whether UIDs can be learnt by SEARCH.
func (l *link) uidsDue() bool {
	s := l.s
	return s.list.CountUnknown() > 0 && l.hasESearch() && !l.sweeping.noUIDs && s.list.UnknownIn(0, s.freshFrom)
}

// flagsDue looks for the newest rows that lack something, and moves on to them.
func (l *link) flagsDue() bool {
	w := &l.sweeping
	if w.mute || l.s.cold && l.s.cfg.NoSweep {
		return false
	}
	list := l.s.list
	for hi := min(w.at, l.s.freshFrom); hi > 0; {
		lo := max(0, hi-cursorBlock)
		newest := -1
		list.Rows(lo, hi, func(i int, r store.Row) bool {
			if r.UID == 0 || !r.Flags.Known() {
				newest = i
			}
			return true
		})
		if newest >= 0 {
			w.at = newest + 1
			return true
		}
		hi = lo
	}
	w.at = 0
	return false
}

// sweep takes one step.
func (l *link) sweep() error {
	w := &l.sweeping
	if err := l.settle(); err != nil {
		return err
	}
	switch pause := time.Since(w.noopAt); {
	case l.sureDue(), pause >= sweepNoop && !w.noopAt.IsZero() && (l.uidsDue() || l.flagsDue()):
		w.noopAt = time.Now()
		return l.noop()
	case l.uidsDue():
		return l.sweepUIDs()
	case l.flagsDue():
		if w.noopAt.IsZero() {
			w.noopAt = time.Now()
		}
		return l.sweepFlags()
	}
	return nil
}

// sweepUIDs learns the UIDs of the newest rows that lack theirs, and tells them
// in a Resync: as list events they would be one each.
func (l *link) sweepUIDs() error {
	s := l.s
	hi := 0
	s.list.Unknown(0, s.freshFrom, func(_, end int) bool {
		hi = end
		return true
	})
	learnt, err := l.learnUIDs(max(0, hi-searchPiece), hi, nil)
	if err != nil || l.desync != nil {
		return err
	}
	if !learnt {
		l.sweeping.noUIDs = true
		return nil
	}
	s.epoch++
	s.log.Info("UIDs learnt", "epoch", s.epoch, "messages", s.list.Len(), "known", s.list.CountKnown())
	s.box.Put(s.resync())
	if s.fill.wanted() {
		s.fill.lend(s.place(), s.list.Snapshot()) // the next Checkpoint may be a while off
	}
	return nil
}

// sweepFlags asks for the flags of a window of rows, by UID where these are known.
func (l *link) sweepFlags() error {
	w, list := &l.sweeping, l.s.list
	hi := min(w.at, list.Len())
	lo := max(0, hi-w.rows)
	var first, last store.UID
	byNumber := false
	list.Rows(lo, hi, func(_ int, r store.Row) bool {
		switch {
		case r.UID == 0:
			byNumber = true
		case !r.Flags.Known():
			if first == 0 {
				first = r.UID
			}
			last = r.UID
		}
		return true
	})
	command := fmt.Sprintf("UID FETCH %d:%d (FLAGS)", first, last)
	if byNumber {
		command = fmt.Sprintf("FETCH %d:%d (UID FLAGS)", lo+1, hi)
	}
	began := time.Now()
	l.asked = true
	err := l.ask(command)
	l.asked = false
	if errors.Is(err, errRefusedAsk) {
		w.mute = true
		return nil
	}
	switch took := time.Since(began); {
	case took > sweepLong:
		w.rows = max(w.rows/2, windowMax)
	case took < sweepShort:
		w.rows = min(2*w.rows, sweepRowsMax)
	}
	w.at = min(w.at, lo)
	return err
}
