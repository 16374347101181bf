package imapsession

import (
	"time"

	"tidings/store"
)

// checkpointEvery is how often the list is handed to the cache at most, while the
// link is up.
const checkpointEvery = 250 * time.Millisecond

// place names the mailbox as it is now.
func (m *mailbox) place() store.Place {
	return store.Place{Mailbox: m.name, UIDValidity: m.uidValidity}
}

// checkpoint hands the list to the cache if anything in it has changed, or the cache
// has lost it, and the last time is long enough ago.
func (s *Session) checkpoint() {
	if s.selected && s.fill.takeLost() {
		s.unkept = true
	}
	if s.checkpointIn(time.Now()) == 0 {
		s.keep()
	}
}

// checkpointIn is how long until a Checkpoint is due, negative for never.
func (s *Session) checkpointIn(now time.Time) time.Duration {
	if s.cfg.Cache == nil || !s.unkept || s.silent {
		return -1
	}
	return max(0, s.keptAt.Add(checkpointEvery).Sub(now))
}

// keep hands the list to the cache, as it is between two responses of the server:
// at any such moment it holds every change up to what is sure of its mod-sequences.
func (s *Session) keep() {
	if s.cfg.Cache == nil || s.silent || !s.selected {
		return
	}
	s.unkept, s.keptAt = false, time.Now()
	s.cfg.Cache.Keep(store.Checkpoint{
		Place:  s.place(),
		List:   s.list.Snapshot(),
		ModSeq: s.modseqs.sure,
		AsOf:   s.LastSign(),
	})
	if s.fill.wanted() {
		s.fill.lend(s.place(), s.list.Snapshot())
	}
}

// keepLast hands over the list of a link that has ended, unless it was found to
// be wrong.
func (l *link) keepLast() {
	if l.liveSince.IsZero() || l.m != &l.s.mailbox || l.desync != nil {
		return
	}
	l.s.keep()
}

// keepSummaries leaves summaries in the cache, but for those that stand for
// messages which could not be read.
func (l *link) keepSummaries(sums []*store.Summary) {
	if l.s.cfg.Cache == nil || len(sums) == 0 {
		return
	}
	var good []*store.Summary
	for _, sum := range sums {
		if !sum.Unreadable {
			good = append(good, sum)
		}
	}
	if len(good) > 0 {
		l.s.cfg.Cache.KeepSummaries(l.m.place(), good)
	}
}
