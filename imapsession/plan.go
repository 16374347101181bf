package imapsession

import (
	"cmp"
	"context"
	"runtime/debug"
	"slices"
	"time"

	"tidings/store"
)

const (
	// planWindow is how many rows are looked up in the cache at once, and
	// planAhead how many UIDs wait to be fetched before more are looked up.
	planWindow = 4096
	planAhead  = 4096
	// unsettledMax is how many summaries may wait for the disk: with it, what the
	// filling takes in memory is bounded, whatever the disk does.
	unsettledMax = 8192
)

// backfill fills the cache with the headers that it lacks, newest first. Its
// goroutine finds out what is missing and waits for the disk; the worker's link
// fetches it. The monitor's helps with much, and does it all where it is alone.
type backfill struct {
	s    *Session
	wake chan struct{} // capacity 1

	// Session.mu guards what follows.
	busy    bool // a link is at it; one that helps does not count
	at      store.Place
	list    *store.List // as it was when it was lent
	blank   bool        // none was lent, and the cache has nothing of the mailbox
	held    bool        // the person wants no more of it
	renewed bool        // it was lent since the goroutine looked: behind is that of another
	scope   scope
	todo    []store.UID        // to be fetched, descending
	flying  int                // UIDs that are being fetched
	inVain  map[store.UID]bool // asked for once, and the server said nothing
	behind  int                // rows of the list of which it is not known whether they are kept
	after   time.Time          // not before then
	breaks  int                // times in a row that the link broke meanwhile
	broken  bool               // a link ever broke meanwhile
	narrow  int                // if not 0: how many may be asked for at once, down to suspect
	suspect store.UID
	rate    [2]float64 // messages a second, lately, of each role
	active  bool       // progress was told and is not at its end
	toldAt  time.Time

	lost bool // the cache does not have any more what it had: the list goes there again

	covered covered // of the goroutine alone: what it has looked up
	witness witness // of the goroutine alone
}

// scope is what of the mailbox is to be filled, where that is not all of it.
type scope struct {
	asked bool
	uids  []store.UID // ascending; what is above the last is in it, too
}

// holds tells whether a message is to be filled.
func (sc *scope) holds(u store.UID) bool {
	if !sc.asked {
		return true // there is none
	}
	_, ok := slices.BinarySearch(sc.uids, u)
	return ok || len(sc.uids) > 0 && u > sc.uids[len(sc.uids)-1]
}

func (b *backfill) init(s *Session) {
	b.s, b.wake = s, make(chan struct{}, 1)
}

// wanted tells whether there is anything to fill at all.
func (b *backfill) wanted() bool {
	return b.s.cfg.Backfill != 0 && b.s.cfg.Cache != nil
}

// lend hands over the list of the session's mailbox, whose UIDs are to be filled.
// Run's goroutine calls it, with a snapshot.
func (b *backfill) lend(at store.Place, list *store.List) {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	b.lendLocked(at, list)
}

func (b *backfill) lendLocked(at store.Place, list *store.List) {
	if at != b.at {
		b.at, b.todo, b.scope, b.narrow, b.suspect = at, nil, scope{}, 0, 0
		b.inVain = map[store.UID]bool{}
	}
	b.list, b.renewed, b.blank = list, true, false
	nudge(b.wake)
}

// begin tells that the cache has nothing of the mailbox: a worker may begin while
// the monitor reads its first rows.
func (b *backfill) begin() {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	b.blank = b.wanted() && b.list == nil
}

// leads tells whether a worker is to begin before the monitor has a list.
func (b *backfill) leads() bool {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	return b.blank
}

// lead hands over what a worker has found out of the mailbox, nil for nothing. It
// counts as long as the monitor has no list.
func (b *backfill) lead(at store.Place, list *store.List) (counts bool) {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	counts, b.blank = b.blank, false
	if counts && list != nil {
		b.lendLocked(at, list)
	}
	return counts
}

// bulky is after how many summaries memory is given back.
const bulky = 5000

// run is the goroutine; it ends with ctx.
func (b *backfill) run(ctx context.Context) {
	if !b.wanted() {
		return
	}
	given := 0 // summaries asked for since the disk was waited for
	total := 0 // and since memory was given back
	look := time.NewTicker(witnessEvery)
	defer look.Stop()
	for ctx.Err() == nil {
		if given >= unsettledMax {
			if err := b.s.cfg.Cache.Settled(ctx); err != nil && ctx.Err() == nil {
				b.s.log.Warn("the cache does not settle", "error", err)
			}
			given = 0
			continue
		}
		if n, more := b.plan(ctx); more {
			given += n
			total += n
			continue
		}
		if total >= bulky && b.idle() {
			// By itself the runtime would keep what the filling took for minutes.
			if b.s.cfg.Cache.Settled(ctx) == nil {
				debug.FreeOSMemory()
			}
			total = 0
			continue
		}
		select {
		case <-b.wake:
		case <-look.C:
			if b.idle() {
				b.question(ctx)
			}
		case <-ctx.Done():
		}
	}
}

// idle tells whether everything that was to be filled is.
func (b *backfill) idle() bool {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	return len(b.todo) == 0 && b.flying == 0 && b.behind == 0
}

// plan looks the next rows up in the cache and puts what is missing on the list
// of what to fetch. It tells how many those are, and whether there may be more to
// look up.
func (b *backfill) plan(ctx context.Context) (n int, more bool) {
	s := b.s
	s.mu.Lock()
	at, list, sc := b.at, b.list, b.scope
	full := len(b.todo) >= planAhead
	s.mu.Unlock()
	defer b.looked(list)
	if list == nil || s.cfg.Backfill > 0 && !sc.asked {
		return 0, false
	}
	lo, hi, behind := b.covered.next(at, list)
	if full {
		s.mu.Lock()
		if b.at == at && !sc.asked {
			b.behind = behind
		}
		s.mu.Unlock()
		return 0, false
	}
	if lo == hi {
		s.mu.Lock()
		if b.at == at {
			b.behind = 0
		}
		s.mu.Unlock()
		b.looked(list)
		b.report(false)
		return 0, false
	}
	var uids []store.UID
	for _, u := range list.UIDs(lo, hi) {
		if sc.holds(u) {
			uids = append(uids, u)
		}
	}
	slices.Reverse(uids)
	var missing []store.UID
	var err error
	if len(uids) > 0 {
		missing, err = s.cfg.Cache.Missing(ctx, at, uids)
	}
	if err != nil {
		if ctx.Err() == nil {
			s.log.Warn("the cache does not say what it lacks: it is not filled", "error", err)
		}
		return 0, false
	}
	b.covered.add(list, lo, hi)
	s.mu.Lock()
	if b.at == at {
		b.todo = append(b.todo, missing...)
		if b.behind = behind - (hi - lo); sc.asked {
			b.behind, _ = slices.BinarySearch(sc.uids, list.Row(lo).UID)
		}
	}
	s.mu.Unlock()
	if len(missing) > 0 {
		s.poke()
	}
	return len(missing), true
}

// looked notes that behind is what list leaves, unless another was lent meanwhile.
func (b *backfill) looked(list *store.List) {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	if b.list == list {
		b.renewed = false
	}
}

// take gives a link up to n UIDs to fetch, newest first, and the place that they
// are of.
func (b *backfill) take(n int) (at store.Place, uids []store.UID) {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	if b.narrow > 0 {
		n = min(n, b.narrow)
	}
	n = min(n, max(fillLast, (len(b.todo)+b.behind)/2), len(b.todo))
	uids = b.todo[:n:n]
	b.todo = b.todo[n:]
	b.flying += n
	slices.SortFunc(uids, func(a, b store.UID) int { return cmp.Compare(b, a) })
	if len(b.todo) < planAhead {
		nudge(b.wake)
	}
	return b.at, uids
}

// took notes that UIDs have been fetched, or will not be; back are those that
// have to be fetched again.
func (b *backfill) took(at store.Place, uids []store.UID, back bool) {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	b.flying -= len(uids)
	if back && at == b.at {
		b.todo = slices.Concat(uids, b.todo)
	}
}

// putBack has UIDs that were taken, and noted so, fetched again.
func (b *backfill) putBack(at store.Place, uids []store.UID) {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	if at == b.at {
		b.todo = slices.Concat(uids, b.todo)
	}
}

// ready tells whether there is something for a link to do now, and otherwise when
// there may be, if that is known.
func (b *backfill) ready() (now bool, at time.Time) {
	if !b.wanted() {
		return false, time.Time{}
	}
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	unasked := b.s.cfg.Backfill > 0 && !b.scope.asked && b.list != nil
	if len(b.todo) == 0 && !unasked && !b.blank || b.held {
		return false, time.Time{}
	}
	if time.Now().Before(b.after) {
		return false, b.after
	}
	return true, time.Time{}
}

// hold stops the filling behind what is under way, or lets it go on.
func (b *backfill) hold(yes bool) {
	b.s.mu.Lock()
	changed := b.held != yes
	b.held = yes
	b.s.mu.Unlock()
	if !changed {
		return
	}
	b.report(false)
	b.s.poke()
}

// reportEvery is the shortest time between two reports.
const reportEvery = 100 * time.Millisecond

// report tells the listener how far it is. ended: nothing is done at present.
func (b *backfill) report(ended bool) {
	s := b.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.list == nil {
		return
	}
	total, unknown := b.list.Len(), b.list.CountUnknown()
	if b.scope.asked {
		total, unknown = len(b.scope.uids), 0
	}
	left := len(b.todo) + b.flying
	idle := left == 0 && b.behind == 0
	ended = ended || b.held && b.flying == 0
	if b.renewed && !ended {
		return // nobody has counted what it lacks
	}
	now := time.Now()
	switch {
	case b.flying > 0 && !b.active:
		b.active = true
	case !b.active, !idle && !ended && now.Sub(b.toldAt) < reportEvery:
		return
	}
	b.toldAt = now
	ev := ProgressEvent{
		Total: int64(total),
		Done:  max(0, int64(total-min(total, left+b.behind+unknown))),
		Rate:  b.rate[asMonitor] + b.rate[asWorker],
		Ended: ended || idle,
	}
	if idle && unknown == 0 {
		ev.Done = ev.Total
	}
	if ev.Rate > 0 && !ev.Ended {
		ev.Left = time.Duration(float64(ev.Total-ev.Done) / ev.Rate * float64(time.Second))
	}
	b.active = !ev.Ended
	s.box.Put(ev)
	if ev.Ended {
		nudge(b.wake)
	}
}

// covered is what of a mailbox was looked up: intervals of UIDs, descending, in
// which no known row is left.
type covered struct {
	at   store.Place
	runs []uidRun
}

type uidRun struct{ lo, hi store.UID }

// next returns the newest rows [lo,hi) that are not covered, at most planWindow of
// them, and how many known rows are not covered.
func (c *covered) next(at store.Place, list *store.List) (lo, hi, behind int) {
	if at != c.at {
		*c = covered{at: at}
	}
	end := list.Len()
	gap := func(from, to int) {
		n := knownRows(list, from, to)
		if n > 0 && hi == 0 {
			lo, hi = window(list, from, to)
		}
		behind += n
	}
	for _, run := range c.runs {
		gap(indexAbove(list, run.hi), end)
		end = indexFrom(list, run.lo)
	}
	gap(0, end)
	return lo, hi, behind
}

// knownRows counts the known rows of [from,to).
func knownRows(list *store.List, from, to int) int {
	n := max(0, to-from)
	list.Unknown(from, to, func(a, b int) bool {
		n -= b - a
		return true
	})
	return n
}

// window is the newest run of known rows in [from,to), cut to planWindow.
func window(list *store.List, from, to int) (lo, hi int) {
	lo, hi = from, to
	last := from
	list.Unknown(from, to, func(a, b int) bool {
		if a > last {
			lo, hi = last, a
		}
		last = b
		return true
	})
	if last > from && last < to {
		lo, hi = last, to
	}
	return max(lo, hi-planWindow), hi
}

// indexAbove is the index of the first row that may be above UID u.
func indexAbove(list *store.List, u store.UID) int {
	if i, ok := list.Find(u); ok {
		return i + 1
	}
	lo, _ := list.Gap(u)
	return lo
}

// indexFrom is the index of the first known row that is not below UID u.
func indexFrom(list *store.List, u store.UID) int {
	if i, ok := list.Find(u); ok {
		return i
	}
	_, hi := list.Gap(u)
	return hi
}

// add notes that the rows [lo,hi), all known, were looked up.
func (c *covered) add(list *store.List, lo, hi int) {
	run := uidRun{list.Row(lo).UID, list.Row(hi - 1).UID}
	i := 0
	for i < len(c.runs) && c.runs[i].lo > run.hi {
		i++
	}
	if i > 0 && indexFrom(list, c.runs[i-1].lo) == hi {
		c.runs[i-1].lo = run.lo
		if i < len(c.runs) && indexAbove(list, c.runs[i].hi) == lo {
			c.runs[i-1].lo = c.runs[i].lo
			c.runs = slices.Delete(c.runs, i, i+1)
		}
		return
	}
	if i < len(c.runs) && indexAbove(list, c.runs[i].hi) == lo {
		c.runs[i].hi = run.hi
		return
	}
	c.runs = slices.Insert(c.runs, i, run)
}
