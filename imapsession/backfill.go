package imapsession

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"

	"tidings/imapsession/wire"
	"tidings/store"
)

const (
	// fillFor is how long a chunk may last, besides a round trip, so that a command
	// gets its turn.
	fillFor = 50 * time.Millisecond
	// fillFirst is how many headers are asked for while nothing is measured,
	// fillMost how many at most at once. Towards the end the chunks become smaller,
	// down to fillLast, so that little is left to be written when the last one comes.
	fillFirst = 50
	fillMost  = 4000
	fillLast  = 250
	// fillLead is how many UIDs a first filling begins with. A server takes its time
	// for a long list, and the monitor is about to get it.
	fillLead = 10_000
	// fillLine bounds the set of UIDs in a command line.
	fillLine = 7 << 10
	// fillVisit is how long a visit may last for the filling.
	fillVisit = 10 * time.Second
	// fillRefused is how long a server is left alone that refused.
	fillRefused = 10 * time.Minute
)

// fetchHeaders is the FETCH of a chunk of summaries; flags are the monitor's.
var fetchHeaders = " (UID INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (" + strings.Join(summaryFields, " ") + ")])"

// flight is a chunk of the filling that is under way.
type flight struct {
	at   store.Place
	uids []store.UID // descending
	call *wire.FetchCall
}

// firstEach is the least that the first chunk is believed of what a message takes, in
// seconds: a few of them may have come at once.
const firstEach = 50e-6

// pace is how fast a link brings headers.
type pace struct {
	trip  time.Duration // a round trip
	each  float64       // how many seconds a message takes; 0: not known yet
	ended time.Time     // when the last chunk came, while more were under way
	warm  bool          // the server has the mailbox's files open
}

// chunk is how many messages to ask for at once: they last d and a round trip.
// Two chunks are under way, so that the server always has something to do; where
// the person's own commands wait for them (shared), it is the two together that last
// so long.
func (p *pace) chunk(d time.Duration, shared bool) int {
	if p.each == 0 {
		return fillFirst
	}
	n := (d + p.trip).Seconds() / p.each
	if shared {
		n /= 2
	}
	return min(max(int(n), 1), fillMost)
}

// came measures a chunk of n messages, but for the first: with that the server
// opens its files, which takes far longer than a few headers and tells nothing of
// the next ones.
func (p *pace) came(n int, began time.Time) {
	now := time.Now()
	if p.ended.After(began) {
		began = p.ended // it waited for the one before it
	}
	p.ended = now
	if !p.warm {
		p.warm = true
		return
	}
	took := max(now.Sub(began), time.Microsecond)
	each := took.Seconds() / float64(n)
	if p.each == 0 {
		p.each = max(each, firstEach)
		return
	}
	// Of two chunks that are noticed together the first seems slow and the second
	// fast: what they took is right on average, which their rates are not.
	p.each += (min(each, 4*p.each) - p.each) / 4
}

// rate is how many messages come in a second; 0: not known yet.
func (p *pace) rate() float64 {
	if p.each == 0 {
		return 0
	}
	return 1 / p.each
}

// fillSome fetches headers that the cache lacks, until there are none, or the link
// is wanted for something else. worked tells whether it fetched any.
func (l *link) fillSome(ctx context.Context, wanted func() bool) (worked bool, err error) {
	b := &l.s.fill
	l.helps = l.role == asMonitor && b.monitors() == some
	if !l.helps {
		if !b.occupy() {
			return false, nil
		}
		defer b.leave()
	}
	if err := l.prepareFill(); err != nil {
		return false, l.fillBroke(nil, err)
	}
	var flights []flight
	for {
		for len(flights) < 2 && ctx.Err() == nil && !l.over() && !wanted() && !l.behindMail {
			f, err := l.takeOff()
			if err != nil {
				return worked, l.fillBroke(append(flights, f), err)
			}
			if f.call == nil {
				break
			}
			flights = append(flights, f)
		}
		if len(flights) == 0 && l.behindMail && ctx.Err() == nil {
			// The server answers a connection for messages only that it has told
			// it of; this one may not have listened since they came.
			l.behindMail = false
			if err := l.noop(); err != nil {
				return worked, l.fillBroke(nil, err)
			}
			continue
		}
		if len(flights) == 0 {
			l.filling.ended = time.Time{}
			b.report(ctx.Err() != nil)
			return worked, nil
		}
		f := flights[0]
		began := l.fillBegan
		<-f.call.Done()
		l.filling.came(len(f.uids), began)
		l.fillBegan = time.Now()
		l.pump()
		reply, err := f.call.Reply()
		if err != nil {
			l.keepFetched(f)
			return worked, l.fillBroke(flights, l.lost(err))
		}
		flights = flights[1:]
		next, err := l.refuel(flights, wanted)
		l.landed(f, reply.Tagged)
		worked = true
		if len(next.uids) > 0 {
			flights = append(flights, next)
		}
		if err != nil {
			return worked, l.fillBroke(flights, err)
		}
	}
}

// refuel keeps two chunks under way before the one that came is read.
func (l *link) refuel(flights []flight, wanted func() bool) (flight, error) {
	if len(flights) > 1 || l.over() || wanted() || l.behindMail {
		return flight{}, nil
	}
	return l.takeOff()
}

// takeOff sends the FETCH of the next chunk. Where there is none, its call is nil.
func (l *link) takeOff() (flight, error) {
	b := &l.s.fill
	now, _ := b.ready()
	if !now || l.helps && b.monitors() != some {
		return flight{}, nil
	}
	lasts := fillFor
	if l.helps {
		lasts = helpFor
	}
	at, uids := b.take(l.filling.chunk(lasts, l.role == asMonitor))
	if at != l.m.place() {
		b.took(at, uids, true)
		return flight{}, nil // another UIDVALIDITY: selected again next time
	}
	f := flight{at: at, uids: uids}
	set, n := fillSet(uids)
	if n < len(uids) {
		b.took(at, uids[n:], true)
		f.uids = uids[:n]
	}
	if n == 0 {
		return f, nil
	}
	if l.filling.ended.IsZero() {
		l.fillBegan = time.Now()
	}
	nums := make([]uint32, n)
	for i, u := range f.uids {
		nums[i] = uint32(u)
	}
	call, err := l.tap.Fetch("UID FETCH "+set+fetchHeaders, nums, headerMax)
	if err != nil {
		return f, l.lost(err)
	}
	f.call = call
	return f, nil
}

// fillSet writes UIDs, which descend, as a set, and tells for how many of them a
// line has room.
func fillSet(uids []store.UID) (set string, n int) {
	line := make([]byte, 0, fillLine)
	for n < len(uids) && len(line) < fillLine-22 {
		hi := uids[n]
		lo := hi
		for n++; n < len(uids) && uids[n] == lo-1; n++ {
			lo--
		}
		if len(line) > 0 {
			line = append(line, ',')
		}
		line = strconv.AppendUint(line, uint64(lo), 10)
		if hi > lo {
			line = strconv.AppendUint(append(line, ':'), uint64(hi), 10)
		}
	}
	return string(line), n
}

// prepareFill opens the mailbox on a worker, measures the round trip, and asks
// which messages are to be filled.
func (l *link) prepareFill() error {
	s := l.s
	if err := l.settle(); err != nil {
		return err
	}
	if l.role == asWorker {
		leads := s.fill.leads()
		refusal, err := l.visit(s.cfg.Mailbox, false, false)
		if err != nil {
			return err
		}
		if refusal != nil {
			if !s.fill.lead(store.Place{}, nil) {
				s.fill.pause(fillRefused)
			}
			return nil
		}
		if leads {
			if err := l.leadFill(); err != nil {
				return err
			}
		}
		s.mu.Lock()
		waits, stale := s.fill.list == nil, s.fill.at != l.m.place()
		s.mu.Unlock()
		if waits {
			return nil
		}
		if stale {
			s.fill.pause(time.Second) // the monitor will notice
			return nil
		}
	}
	if l.filling.trip == 0 { // what is to be fetched is looked up meanwhile
		began := time.Now()
		if err := l.noop(); err != nil {
			return err
		}
		l.filling.trip = max(time.Since(began), 1)
	}
	if l.helps {
		return nil
	}
	return l.askScope()
}

// leadFill begins a first filling: the newest UIDs are asked for here, but for those
// of the rows that the monitor is about to read. Where that leads to nothing, the
// filling begins when the monitor is done.
func (l *link) leadFill() error {
	b, all := &l.s.fill, l.m.list
	hi := all.Len() - l.s.cfg.FirstWindow
	if !l.hasESearch() || hi <= 0 {
		b.lead(store.Place{}, nil)
		return nil
	}
	lo := max(0, hi-fillLead)
	moves := l.m.moves
	uids, err := l.searchUIDs(&imap.SearchCriteria{SeqNum: []imap.SeqSet{seqRange(uint32(lo)+1, uint32(hi))}}, hi-lo)
	if err != nil {
		return err
	}
	var list *store.List
	if l.desync == nil && moves == l.m.moves && len(uids) == hi-lo {
		list, err = spliced(all, lo, uids, nil)
	}
	if err != nil {
		l.s.log.Warn("the server's search and its numbering disagree on the worker connection", "error", err)
		list = nil
	}
	b.lead(l.m.place(), list)
	return nil
}

// askScope finds out which messages are to be filled, where not all are.
func (l *link) askScope() error {
	s := l.s
	s.mu.Lock()
	at, asked := s.fill.at, s.fill.scope.asked
	s.mu.Unlock()
	if asked || s.cfg.Backfill < 0 || at != l.m.place() {
		return nil
	}
	since := s.cfg.Wall().Add(-s.cfg.Backfill)
	options := &imap.SearchOptions{ReturnAll: l.hasESearch()}
	data, err := l.client.UIDSearch(&imap.SearchCriteria{Since: since}, options).Wait()
	refusal, err := l.drain(err)
	if err != nil {
		return err
	}
	var uids []store.UID
	if refusal != nil {
		s.log.Warn("the server would not say which messages are new enough to be kept", "it said", words(refusal))
	} else if found, ok := data.All.(imap.UIDSet); ok && uint64(countSet(found)) <= uint64(l.m.list.Len()) {
		nums, _ := found.Nums()
		for _, u := range nums {
			uids = append(uids, store.UID(u))
		}
	}
	slices.Sort(uids)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fill.at == at {
		s.fill.scope = scope{asked: true, uids: uids}
		nudge(s.fill.wake)
	}
	return nil
}

// landed takes in what a chunk brought.
func (l *link) landed(f flight, tagged wire.Event) {
	b := &l.s.fill
	got := l.keepFetched(f)
	refused := tagged.Type != "OK"
	b.goes(l.role, l.filling.rate())
	b.s.mu.Lock()
	if f.at == b.at && f.uids[len(f.uids)-1] < b.suspect || b.narrow == 0 {
		b.breaks, b.narrow, b.suspect = 0, 0, 0
	}
	b.s.mu.Unlock()
	if refused {
		l.s.log.Warn("the server refused headers", "it said", say(tagged.Text).String(), "asked for", len(f.uids), "got", got)
	}
	switch {
	case refused && got == 0:
		b.took(f.at, f.uids, true)
		b.pause(fillRefused)
	default:
		b.took(f.at, f.uids, false)
		if again := b.unanswered(f); len(again) > 0 {
			b.putBack(f.at, again)
			l.behindMail = true
		}
	}
	b.report(false)
}

// unanswered are those messages of a chunk that the server said nothing of, and
// that are to be asked for once more. A second time they are taken for gone.
func (b *backfill) unanswered(f flight) (again []store.UID) {
	came := make(map[store.UID]bool, len(f.uids))
	for _, m := range f.call.Messages() {
		came[store.UID(m.UID)] = true
	}
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	for _, u := range f.uids {
		if b.inVain[u] {
			delete(b.inVain, u)
		} else if !came[u] && f.at == b.at {
			again = append(again, u)
			b.inVain[u] = true
		}
	}
	return again
}

// keepFetched makes summaries of what a chunk brought, leaves them in the cache,
// and tells how many they are.
func (l *link) keepFetched(f flight) int {
	sums := make([]*store.Summary, 0, len(f.uids))
	for _, m := range f.call.Messages() {
		if m.Body != nil {
			sums = append(sums, newSummary(store.UID(m.UID), m.Date, m.Size, m.Body))
		}
	}
	if len(sums) > 0 {
		l.s.cfg.Cache.KeepSummaries(f.at, sums)
	}
	return len(sums)
}

// fillBroke gives back what was under way when the link broke. Where it breaks
// again and again, fewer messages are asked for, and at last the one over which it
// breaks is left out.
func (l *link) fillBroke(flights []flight, err error) error {
	b := &l.s.fill
	for _, f := range slices.Backward(flights) {
		b.took(f.at, f.uids, true)
	}
	b.broke(flights)
	b.report(true)
	return err
}

// broke counts a link that broke during the filling.
func (b *backfill) broke(flights []flight) {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	b.blank, b.broken, b.rate = false, true, [2]float64{}
	b.breaks++
	if b.breaks > 1 && len(flights) > 0 {
		first := flights[0].uids
		if len(first) == 1 && len(b.todo) > 0 && b.todo[0] == first[0] {
			b.todo = b.todo[1:]
			b.s.log.Error("the link breaks over the headers of a message: it is left out", "uid", first[0])
		}
		b.narrow, b.suspect = max(1, len(first)/8), first[len(first)-1]
	}
	b.after = time.Now().Add(min(time.Second<<min(b.breaks, 10), longDelay))
}

// pause stops the filling for a while.
func (b *backfill) pause(d time.Duration) {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	b.after = time.Now().Add(d)
}
