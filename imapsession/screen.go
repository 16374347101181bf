package imapsession

import (
	"context"
	"time"

	"github.com/emersion/go-imap/v2"

	"tidings/store"
)

// stuck remembers what was asked for and not answered, so that a server that
// will not say is not asked for ever.
type stuck struct {
	changes uint64
	rows    string
}

// wanted is what the screen lacks.
type wanted struct {
	rows    imap.SeqSet // by number: unknown rows, and rows of unknown flags
	missing []store.UID // by UID: summaries that the listener does not hold
}

func (w wanted) empty() bool { return len(w.rows) == 0 && len(w.missing) == 0 }

// screenWants returns what to ask for: first what is visible, then one screen
// either side.
func (l *link) screenWants() wanted {
	v, renewed := l.s.takeVisible()
	if renewed {
		l.stuck = stuck{}
	}
	var w wanted
	if v.Epoch == l.s.epoch && v.Hi >= v.Lo && v.Lo > 0 {
		n := l.s.list.Len()
		w.rows = rowsWanted(l.s.list, min(int(v.Lo)-1, n), min(int(v.Hi), n))
		if len(w.rows) > 0 && l.stuck.rows == w.rows.String() && l.stuck.changes == l.s.changes {
			w.rows = nil
		}
	}
	if len(w.rows) == 0 {
		w.missing = v.Missing
		if len(w.missing) > windowMax {
			w.missing = w.missing[:windowMax]
		}
	}
	return w
}

// rowsWanted looks at rows [lo,hi) and one screen either side, where the next
// key may lead. The neighbours alone are worth a FETCH only when a good part of
// a screen is unknown: with every expunge one more row comes near.
func rowsWanted(list *store.List, lo, hi int) imap.SeqSet {
	page := min(hi-lo, windowMax)
	var set imap.SeqSet
	visible := addRows(&set, list, lo, hi)
	near := addRows(&set, list, max(0, lo-page), lo)
	near = max(near, addRows(&set, list, hi, min(list.Len(), hi+page)))
	if visible == 0 && near < (page+1)/2 {
		return nil
	}
	return set
}

// addRows adds the rows of [lo,hi) whose UID or flags are unknown, up to
// windowMax, and returns how many there are.
func addRows(set *imap.SeqSet, list *store.List, lo, hi int) (n int) {
	list.Rows(lo, hi, func(i int, r store.Row) bool {
		if r.UID == 0 || !r.Flags.Known() {
			set.AddNum(uint32(i) + 1)
			n++
		}
		return n < windowMax
	})
	return n
}

// fill asks for what the screen lacks.
func (l *link) fill(w wanted) error {
	if len(w.rows) > 0 {
		// Numbers may have moved since IDLE was left: look again when none can.
		if err := l.settle(); err != nil {
			return err
		}
		if w = l.screenWants(); len(w.rows) > 0 {
			asked := stuck{rows: w.rows.String()}
			if _, err := l.fetchRows(w.rows); err != nil {
				return err
			}
			asked.changes = l.s.changes
			l.stuck = asked
			return nil
		}
	}
	if len(w.missing) == 0 {
		return nil
	}
	l.s.missingAsked(w.missing)
	_, err := l.fetchSummaries(w.missing)
	return err
}

// screenGrace is how long a visit waits for the screen.
const screenGrace = 250 * time.Millisecond

// awaitScreen waits, once in a visit, until the listener has taken the Resync in
// and said what it shows of it: a visit that is over by then could never bring
// the rows that the screen lacks. It returns whether there is anything new.
func (l *link) awaitScreen(ctx context.Context) bool {
	if l.awaited {
		return false
	}
	l.awaited = true
	timer := time.NewTimer(screenGrace)
	defer timer.Stop()
	for {
		l.s.mu.Lock()
		v := l.s.visible
		l.s.mu.Unlock()
		switch {
		case v.Epoch == l.s.epoch:
			return true
		case v.Epoch == 0 && v.Hi == 0 && len(v.Missing) == 0:
			return false // nobody looks
		}
		select {
		case <-l.s.wake:
		case <-timer.C:
			return true
		case <-ctx.Done():
			return true
		}
	}
}

// visitForScreen tells whether a visit is due between visits because the screen
// wants rows or summaries. One that brought nothing is not made again before the
// next regular one, whatever the screen wants: the server will not say.
func (s *Session) visitForScreen() bool {
	s.mu.Lock()
	v := s.visible
	s.mu.Unlock()
	if !s.lacks(v) || s.visitedAt == s.brought && s.visitedFor {
		return false
	}
	s.visitedFor, s.visitedAt = true, s.brought
	return true
}

// lacks tells whether rows or summaries are missing of what is visible.
func (s *Session) lacks(v Visible) bool {
	if len(v.Missing) > 0 {
		return true
	}
	if v.Epoch != s.epoch || v.Lo == 0 || v.Hi < v.Lo {
		return false
	}
	lo, hi := min(int(v.Lo)-1, s.list.Len()), min(int(v.Hi), s.list.Len())
	return s.list.UnknownIn(lo, hi)
}
