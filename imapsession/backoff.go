package imapsession

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	firstDelay    = time.Second
	maxDelay      = time.Minute
	longDelay     = 10 * time.Minute // after an hour of failures
	longAfter     = time.Hour
	retryEvery    = 10 * time.Second  // how often a key may cut a wait short
	soonest       = time.Second       // how often anything may: a key held down repeats
	stableAfter   = 10 * time.Second  // how long a link must have been live to clear the count
	maxStated     = time.Hour         // the longest back-off that a server can ask for
	doubtfulEvery = 200 * time.Second // three tries over ten minutes
)

// retryAsk is what the person asked of a session that waits.
type retryAsk uint8

const (
	retryNone retryAsk = iota
	retryHint          // a key, the terminal's focus: if it is not too soon
	retryForced
)

// backoff decides when to try again.
type backoff struct {
	failures int       // attempts in a row that failed
	since    time.Time // when the first of them failed
	atOnce   bool      // the first was the end of a link that was live
	doubtful int       // refusals in a row that may or may not be for good
	lastTry  time.Time // when a key last cut a wait short
}

// succeeded forgets the failures.
func (b *backoff) succeeded() {
	b.failures, b.doubtful = 0, 0
	b.since, b.atOnce = time.Time{}, false
}

// failed counts a failure and returns how long to wait: nothing for the first
// after a link that was live, then a second, doubling, with jitter, to a
// minute; after an hour of failures ten minutes; never less than the server
// asked for.
func (b *backoff) failed(f *fault, wasLive bool) time.Duration {
	now := time.Now()
	b.failures++
	if b.failures == 1 {
		b.since, b.atOnce = now, wasLive
	}
	doublings := b.failures - 1
	if b.atOnce {
		doublings--
	}
	var d time.Duration
	switch {
	case doublings < 0: // at once
	case now.Sub(b.since) >= longAfter:
		d = jitter(longDelay)
	default:
		d = jitter(min(firstDelay<<min(doublings, 8), maxDelay))
	}
	if f.doubtful {
		b.doubtful++
		d = max(d, doubtfulEvery)
	}
	return max(d, min(f.after, maxStated))
}

// jitter takes up to a quarter off, so that many clients do not come back in
// step.
func jitter(d time.Duration) time.Duration {
	return d - rand.N(d/4+1)
}

// takeRetry returns what the person asked for since the last call.
func (s *Session) takeRetry() retryAsk {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.retry
	s.retry = retryNone
	return r
}

// rest waits between two attempts: until d has passed, the person wants to try,
// or the machine woke up. It returns ctx's error.
func (s *Session) rest(ctx context.Context, d time.Duration, o restOptions) error {
	until := time.Now().Add(d)
	asked := false
	// soon ends the rest, but never twice within a moment.
	soon := func() {
		if at := s.backoff.lastTry.Add(soonest); o.forever != nil || at.Before(until) {
			until = at
		}
		o.forever, asked = nil, true
	}
	s.clock.slept()
	for {
		s.endRefused(asMonitor)
		s.answerFolders()
		left := time.Until(until)
		if o.forever != nil {
			s.finishAll(o.forever)
			left = clockCheck
		}
		if left <= 0 {
			if asked {
				s.backoff.lastTry = time.Now()
			}
			return ctx.Err()
		}
		timer := time.NewTimer(min(left, clockCheck))
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		case <-s.wake:
			timer.Stop()
		}
		if gap, slept := s.clock.slept(); slept && o.forever == nil {
			s.log.Info("the machine slept: trying at once", "for", gap.Round(time.Second))
			return ctx.Err()
		}
		switch s.takeRetry() {
		case retryForced:
			soon()
		case retryHint:
			if o.forever == nil && !o.stated && !o.visiting && time.Since(s.backoff.lastTry) >= retryEvery {
				soon()
			}
		}
		if o.mended != nil && o.forever != nil && o.mended(ctx) {
			soon()
		}
		if o.visiting && s.watchNow() != WatchVisit {
			return ctx.Err() // the connection is there again
		}
		if o.visiting && (s.hasJob(asMonitor) || s.visitForScreen()) {
			soon()
		}
	}
}

// restOptions say what may end a rest early.
type restOptions struct {
	// forever is why only the person ends it; commands end with it meanwhile.
	forever error
	// mended, where not nil, is asked every few seconds whether what made the rest
	// last for ever is over.
	mended func(context.Context) bool
	// stated: the server asked for the wait, so that a mere key does not cut it
	// short.
	stated bool
	// visiting: a queued command ends it, and so does a screen that lacks rows.
	visiting bool
}
