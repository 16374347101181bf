package imapsession

import "time"

const (
	// The monitor helps where at least helpFrom headers are missing and the worker
	// alone brings fewer than helpBelow in a second: with more, the cache's writer has
	// enough to do. What it asked for lasts helpFor at most, besides a round trip: it
	// is where a person's commands come first.
	helpFrom  = 5000
	helpBelow = 50_000
	helpFor   = 10 * time.Millisecond
	// fillTurn is how long the monitor fetches headers before it looks at what else is
	// to be done in the background.
	fillTurn = time.Second
)

// share is what of the filling is left to a link.
type share uint8

const (
	none share = iota
	some       // it helps
	all
)

// monitors is the monitor's share of what is to be filled.
func (b *backfill) monitors() share {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	switch {
	case b.busy && !b.s.worker.usable():
		return none // the worker is about to leave it
	case !b.s.cfg.allowsWorker():
		return all
	// A message over which links break must not take the monitor's with it.
	case !b.s.worker.usable() && b.breaks == 0:
		return all
	case b.broken || !b.s.worker.usable() || b.held || time.Now().Before(b.after):
		return none
	}
	if alone := b.rate[asWorker]; alone == 0 || alone >= helpBelow || len(b.todo) == 0 || len(b.todo)+b.behind < helpFrom {
		return none
	}
	return some
}

// occupy makes a link the one that fetches, if there is none.
func (b *backfill) occupy() bool {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	if b.busy {
		return false
	}
	b.busy = true
	return true
}

// leave ends what occupy began.
func (b *backfill) leave() {
	b.s.mu.Lock()
	b.busy = false
	b.s.mu.Unlock()
	nudge(b.s.wake) // the monitor may be next
}

// goes notes how many messages a link brings in a second.
func (b *backfill) goes(r role, rate float64) {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	b.rate[r] = rate
}

// fillDue tells whether the monitor is to fetch headers for the cache: it has nothing
// better to do, and there is no worker for it, or enough for both.
func (l *link) fillDue() bool {
	if !l.s.fill.wanted() || l.desync != nil || l.watch == WatchVisit && time.Since(l.started) > fillVisit {
		return false
	}
	switch l.s.fill.monitors() {
	case all:
		now, _ := l.s.fill.ready()
		return now
	case some:
		return true
	}
	return false
}

// fillInTurn is the monitor's turn of the filling.
func (l *link) fillInTurn() error {
	began := time.Now()
	wanted := func() bool { return l.dueElse() || time.Since(began) >= fillTurn }
	if _, err := l.fillSome(l.ctx, wanted); err != nil {
		return err
	}
	if l.s.fill.monitors() == none {
		l.s.fill.goes(asMonitor, 0)
	}
	if !l.dueElse() {
		l.atRest() // it may go on like this for long
	}
	return nil
}
