package imapsession

import (
	"time"

	"github.com/emersion/go-imap/v2"

	"tidings/store"
)

// fetchNew brings the rows that no NewMailEvent has told of, whether or not
// their UIDs are known by now. Right behind DONE it asks by UID, from above the
// one before them (never from UIDNEXT, which some servers freeze); if that has no
// news, by sequence number.
func (l *link) fetchNew() error {
	s := l.s
	l.newTries++
	l.newAt = time.Now().Add(newPause(l.newTries))
	var sums []*store.Summary
	var err error
	if below, ok := l.belowNew(); ok && l.newTries == 1 {
		var set imap.UIDSet
		set.AddRange(imap.UID(below)+1, 0)
		cmd := l.client.Fetch(set, summaryItems()) // its mod-sequence can wait for the next start
		settled := l.settle()
		sums, err = l.gather(cmd)
		if settled != nil {
			err = settled
		}
	} else {
		if err := l.settle(); err != nil {
			return err
		}
		n := s.list.Len()
		lo := max(s.freshFrom, n-s.cfg.FirstWindow)
		if lo >= n || l.desync != nil {
			return nil
		}
		sums, err = l.fetchRows(seqRange(uint32(lo)+1, uint32(n)))
	}
	if err != nil {
		return err
	}
	l.announce(sums)
	return nil
}

// belowNew is the UID of the row before the new ones; ok tells that they may be
// asked for by UID from there on.
func (l *link) belowNew() (uid store.UID, ok bool) {
	s := l.s
	if s.freshFrom == 0 || s.list.Len()-s.freshFrom > directTail || len(s.quarantined()) > 0 || s.pace() < windowMax {
		return 0, false
	}
	uid = s.list.Row(s.freshFrom - 1).UID
	return uid, uid != 0 && uid != ^store.UID(0)
}

// maxNewTries is how often new rows are asked for before they are left to the
// next event: some servers count a message before they have it.
const maxNewTries = 4

// newWanted tells whether there are new rows to ask for.
func (l *link) newWanted() bool {
	return l.s.freshFrom < l.s.list.Len() && l.newTries < maxNewTries
}

// newDue tells whether it is time to ask for them.
func (l *link) newDue(now time.Time) bool {
	return l.newWanted() && !now.Before(l.newAt)
}

// newPause is how long to wait before new rows are asked for again.
func newPause(tries int) time.Duration {
	if tries < 2 {
		return 0 // by number, at once
	}
	return time.Second << (2 * (tries - 2))
}

// announce tells of the new mail whose summaries have just been published.
// Of many new rows at once, the oldest wait until somebody looks at them.
func (l *link) announce(sums []*store.Summary) {
	s := l.s
	if l.desync != nil {
		return
	}
	first := s.freshFrom
	// A message that the server will not show must not hide those after it.
	patient := l.newTries < maxNewTries-1
	uids := s.advanceFresh(sums, max(first, s.list.Len()-s.cfg.FirstWindow), patient)
	if s.freshFrom == first {
		return
	}
	l.newTries, l.newAt = 0, time.Time{}
	if s.list.CountUnknown() > 0 {
		l.sweepAgain()
	}
	ev := NewMailEvent{UIDValidity: s.uidValidity, UIDs: uids, Count: s.freshFrom - first}
	s.log.Info("new mail", "count", ev.Count)
	s.box.Put(ev)
}

// advanceFresh moves freshFrom behind the rows from row on that have a summary
// in sums, and returns their UIDs. If patient, it stops before the first that has
// none.
func (m *mailbox) advanceFresh(sums []*store.Summary, from int, patient bool) (uids []store.UID) {
	have := make(map[store.UID]bool, len(sums))
	for _, sum := range sums {
		have[sum.UID] = true
	}
	m.list.Rows(from, m.list.Len(), func(i int, r store.Row) bool {
		if r.UID == 0 || !have[r.UID] {
			return !patient
		}
		uids = append(uids, r.UID)
		m.freshFrom = i + 1
		return true
	})
	return uids
}
