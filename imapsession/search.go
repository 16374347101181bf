package imapsession

import (
	"errors"
	"math"
	"time"

	"github.com/emersion/go-imap/v2"

	"tidings/internal/safetext"
	"tidings/store"
	"tidings/store/query"
)

// A search goes through the mailbox in windows of UIDs, newest first: so hits
// come as they are found, it can be taken back between two of them, the other
// commands have their turns, and no server is silent for longer than one window
// takes.
const (
	searchSpan     = 5000 // UIDs of the first window of what a server's index knows
	searchSpanText = 200  // and of what it may have to read every message for
	searchSpanMin  = 50
	slowWindow     = time.Second            // a window that takes longer is too large
	quickWindow    = 200 * time.Millisecond // one that takes less may grow
	// longWindow is what makes a search the worker's: the monitor has to watch.
	longWindow = 500 * time.Millisecond
)

// searchPart is how far a Search has come; it survives a reconnect.
type searchPart struct {
	begun  bool
	first  uint32 // the highest UID of the first window
	top    uint32 // the highest UID that was not looked at yet
	span   uint32
	toldAt time.Time // when the last ProgressEvent went out
}

// search asks for the next window of a search and, if that was the last, ends the
// job; else the other jobs have their turn first.
func (l *link) search(j *job, c Search) error {
	s := &j.search
	if !s.begun {
		s.begin(l.highestUID(), c.Query)
	}
	if s.top == 0 {
		l.s.finish(j, nil, safetext.Text{})
		return nil
	}
	lo := uint32(1)
	if s.top > s.span {
		lo = s.top - s.span + 1
	}
	began := time.Now()
	uids, refusal, err := l.searchWindow(c.Query, lo, s.top)
	if err != nil {
		return err
	}
	took := time.Since(began)
	switch {
	case l.s.isCanceled(j):
		return nil // ended at the next turn
	case refusal != nil:
		l.s.finish(j, refusal, safetext.Text{})
		return nil
	case l.desyncing():
		return nil // asked again behind the reselection, which may renumber
	}
	s.top = lo - 1
	s.pace(took)
	if len(uids) > 0 {
		l.s.box.Put(SearchEvent{
			ID:    j.id,
			Place: store.Place{Mailbox: c.Target.Mailbox, UIDValidity: c.Target.UIDValidity},
			UIDs:  uids,
		})
	}
	if s.top == 0 {
		l.tellSearched(j, true)
		l.s.finish(j, nil, safetext.Text{})
		return nil
	}
	l.tellSearched(j, false)
	if took > longWindow && l.role == asMonitor {
		l.s.handOver(j)
	}
	l.s.letPass(j)
	return nil
}

// begin starts at the newest message.
func (s *searchPart) begin(highest uint32, q query.Query) {
	s.begun, s.first, s.top, s.span = true, highest, highest, searchSpan
	if !q.Exact() {
		s.span = searchSpanText
	}
}

// pace keeps a window to a second or so.
func (s *searchPart) pace(took time.Duration) {
	switch {
	case took > slowWindow:
		s.span = max(s.span/2, searchSpanMin)
	case took < quickWindow:
		s.span = uint32(min(uint64(s.span)*4, math.MaxUint32))
	}
}

// highestUID is the highest that a message of the mailbox can have, as far as that
// is known; 0 where there is none. Numbers above it are those of messages that
// arrive meanwhile.
func (l *link) highestUID() uint32 {
	n := l.m.list.Len()
	if n == 0 {
		return 0
	}
	if u := l.m.list.Row(n - 1).UID; u != 0 {
		return uint32(u)
	}
	return math.MaxUint32
}

// tellSearched says how far a search has come, now and then.
func (l *link) tellSearched(j *job, ended bool) {
	s := &j.search
	now := time.Now()
	if s.first == math.MaxUint32 || !ended && now.Sub(s.toldAt) < progressEvery || ended && s.toldAt.IsZero() {
		return
	}
	s.toldAt = now
	l.s.box.Put(ProgressEvent{ID: j.id, Done: int64(s.first - s.top), Total: int64(s.first), Ended: ended})
}

// progressEvery is how far two ProgressEvents of one command lie apart.
const progressEvery = 100 * time.Millisecond

// searchWindow asks which of the messages lo to hi match, and returns them in
// descending order. refusal says why the server would not search.
func (l *link) searchWindow(q query.Query, lo, hi uint32) (uids []store.UID, refusal, err error) {
	c := criteria(q.Root)
	if !isASCII(q) {
		// Its text travels as a literal, for which the server may have to ask.
		if err := l.settle(); err != nil {
			return nil, nil, err
		}
	}
	var window imap.UIDSet
	window.AddRange(imap.UID(lo), imap.UID(hi))
	c.UID = append(c.UID, window)
	var options *imap.SearchOptions
	if l.hasESearch() {
		options = &imap.SearchOptions{ReturnAll: true}
	}
	cmd := l.client.UIDSearch(&c, options)
	settled := l.settle()
	data, err := cmd.Wait()
	no, err := l.drain(err)
	switch {
	case settled != nil:
		return nil, nil, settled
	case err != nil:
		return nil, nil, err
	case no != nil:
		return nil, searchRefused(no), nil
	}
	set, _ := data.All.(imap.UIDSet)
	uids, ok := within(set, lo, hi, l.m.list.Len())
	if !ok {
		return nil, errors.New("the server named more messages than there are: what it found is not to be believed"), nil
	}
	return uids, nil, nil
}

// within lists those of a set that are of lo to hi, in descending order; ok is
// false where they are more than limit: a few octets can name four thousand
// million of them.
func within(set imap.UIDSet, lo, hi uint32, limit int) (uids []store.UID, ok bool) {
	for i := len(set) - 1; i >= 0; i-- {
		first, last := uint32(set[i].Start), uint32(set[i].Stop)
		if first > last {
			first, last = last, first
		}
		first, last = max(first, lo), min(last, hi)
		if first > last {
			continue
		}
		if uint64(len(uids))+uint64(last-first)+1 > uint64(limit) {
			return nil, false
		}
		for u := last; ; u-- {
			uids = append(uids, store.UID(u))
			if u == first {
				break
			}
		}
	}
	return uids, true
}

// searchRefused is the server's refusal of a SEARCH.
func searchRefused(no error) error {
	var refusal *imap.Error
	if errors.As(no, &refusal) && refusal.Code == imap.ResponseCodeBadCharset {
		return errors.New("the server cannot search for letters beyond ASCII: it said " + words(no))
	}
	return errors.New("the server would not search: it said " + words(no))
}
