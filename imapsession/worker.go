package imapsession

import (
	"context"
	"errors"
	"io"
	"regexp"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"

	"tidings/imapsession/wire"
	"tidings/internal/safetext"
)

// role is what a connection is there for.
type role uint8

const (
	asMonitor role = iota // follows the session's mailbox; its goroutine is Run's
	asWorker              // does what is elsewhere, or long
)

func (r role) String() string {
	if r == asWorker {
		return "worker"
	}
	return "monitor"
}

const (
	// unusedFor is how long a worker connection stays open for the next command.
	unusedFor = time.Minute
	// aloneAfterRefusal and aloneAfterFailure are how long the session does with
	// one connection before it tries to make a second one again.
	aloneAfterRefusal = 10 * time.Minute
	aloneAfterFailure = time.Minute
)

// worker is the account's second connection, opened on demand. Where there may
// be none, the monitor does its work in its own turns.
type worker struct {
	s    *Session
	wake chan struct{} // capacity 1

	// Session.mu guards what follows.
	up    bool      // the monitor is live: there is a network, and a way in
	until time.Time // no second connection before then
	why   safetext.Text
	said  safetext.Text // the why that the monitor's state carries
	link  *link

	broken int // connections in a row that did nothing; the worker's goroutine alone
}

func (w *worker) init(s *Session) {
	w.s, w.wake = s, make(chan struct{}, 1)
}

// allowed tells whether the account may ever have two connections. A visit is
// for servers that allow a mailbox only one.
func (c *Config) allowsWorker() bool {
	return c.Connections != 1 && c.Watch != WatchVisit
}

// roleFor is whose a command is. The caller holds s.mu.
func (s *Session) roleFor(c Command) role {
	if _, ok := c.(CountFolders); ok && s.worker.usable() {
		return asWorker // a server may look into every mailbox for it
	}
	if t, _, ok := aim(c); ok && t.Mailbox != s.cfg.Mailbox && s.worker.usable() {
		return asWorker
	}
	return asMonitor
}

// usable tells whether work may be left to the worker. The caller holds s.mu.
func (w *worker) usable() bool {
	return w.s.cfg.allowsWorker() && !w.s.cfg.Budget.guested() && !time.Now().Before(w.until)
}

// handOver leaves a job that a monitor has begun to the worker, if there can be
// one.
func (s *Session) handOver(j *job) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.worker.usable() {
		return false
	}
	j.at = asWorker
	return true
}

// run is the worker's goroutine; it ends with ctx.
func (w *worker) run(ctx context.Context) {
	for ctx.Err() == nil {
		w.s.endRefused(asWorker)
		if wanted, later := w.wanted(); !wanted {
			timer := time.NewTimer(later)
			select {
			case <-w.wake:
			case <-timer.C:
			case <-ctx.Done():
			}
			timer.Stop()
			continue
		}
		err := w.attempt(ctx)
		if ctx.Err() != nil || err == nil || errors.Is(err, errCanceled) {
			continue
		}
		w.failed(asFault(err))
	}
}

// wanted tells whether there is something to do and a way to do it, and otherwise
// when to look again.
func (w *worker) wanted() (now bool, later time.Duration) {
	fill, at := w.s.fill.ready()
	later = time.Hour
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	for _, t := range []time.Time{at, w.until} {
		if d := time.Until(t); d > 0 {
			later = min(later, d)
		}
	}
	if !w.up || !w.usable() {
		return false, later
	}
	return fill || w.s.hasJobLocked(asWorker), later
}

// lives tells whether the monitor does.
func (w *worker) lives() bool {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	return w.up
}

// attempt makes the connection and serves it until it is not used any more. The
// error is a *fault.
func (w *worker) attempt(ctx context.Context) error {
	if !w.s.cfg.Budget.takeWorker() {
		return nil
	}
	defer w.s.cfg.Budget.freeWorker()
	l, err := w.s.connect(ctx, asWorker)
	if err != nil {
		f := *asFault(err)
		f.unmade = true
		return &f
	}
	defer l.close()
	w.hold(l)
	defer w.hold(nil)
	if err := l.logIn(ctx); err != nil {
		f := *asFault(err)
		f.unmade, f.refused = !f.planned, (refused(err) || f.fatal) && !f.planned
		return &f
	}
	l.tap.SetPhase(wire.PhaseCommand)
	w.welcome()
	err = w.serve(ctx, l)
	if j := l.running; j != nil {
		if errors.Is(err, errCanceled) {
			w.s.letGo(j)
		} else {
			w.s.lose(j)
		}
	}
	return err
}

// hold makes a link known to those who may have to close it.
func (w *worker) hold(l *link) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	w.link = l
}

// serve does what is queued until nothing was for unusedFor.
func (w *worker) serve(ctx context.Context, l *link) error {
	used := time.Now()
	for {
		l.pump()
		switch {
		case l.over():
			return l.lost(io.EOF)
		case l.expired:
			l.tellRejected()
			return errExpired()
		case ctx.Err() != nil:
			l.farewell(farewellTime)
			return errStopped
		case w.s.cfg.Budget.guested():
			l.farewell(visitFarewell)
			return nil
		}
		if j := w.s.nextJob(l); j != nil {
			if err := l.do(j); err != nil {
				return err
			}
			used = time.Now()
			w.broken = 0
			continue
		}
		fillNow, fillAt := w.s.fill.ready()
		if fillNow && w.lives() {
			worked, err := l.fillSome(ctx, func() bool { return !w.lives() || w.s.hasJob(asWorker) || w.s.cfg.Budget.guested() })
			if err != nil {
				f := *asFault(err)
				f.filling = true
				return &f
			}
			if worked {
				used, w.broken = time.Now(), 0
				continue
			}
			fillAt = time.Now().Add(time.Second) // the monitor is about to end it
		}
		left := time.Until(used.Add(unusedFor))
		if left <= 0 {
			l.farewell(visitFarewell)
			return nil
		}
		if !fillAt.IsZero() {
			left = min(left, max(time.Until(fillAt), time.Millisecond))
		}
		timer := time.NewTimer(left)
		l.tap.SetPhase(wire.PhaseIdle) // nothing is due
		select {
		case <-l.tap.Ready():
		case <-w.wake:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		l.tap.SetPhase(wire.PhaseCommand)
	}
}

// welcome takes note that there is a second connection.
func (w *worker) welcome() {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	w.why = safetext.Text{}
	nudge(w.s.wake) // it says so, if it said otherwise
}

// failed decides what becomes of the work when the second connection was not
// made, or broke. One that broke is made again, unless it keeps breaking.
func (w *worker) failed(f *fault) {
	s := w.s
	s.log.Warn("no worker connection", "reason", f.text, "cause", causeOf(f))
	if f.filling {
		return // it takes its time before it tries again
	}
	w.broken++
	s.mu.Lock()
	up := w.up && w.usable()
	s.mu.Unlock()
	switch {
	case !up: // the monitor's is gone as well, or this one gave way to it
	case f.refused || isLimit(f):
		w.alone(aloneAfterRefusal, say("the server allows no second connection ("+f.text+"): what is elsewhere or long takes turns with watching"))
	case f.unmade || w.broken > maxBroken:
		w.alone(aloneAfterFailure, say("no second connection could be made ("+f.text+"): what is elsewhere or long takes turns with watching"))
	}
}

// maxBroken is how many worker connections in a row may break before the monitor
// does the work for a while.
const maxBroken = 2

// alone makes the session do with one connection for d: what waits for the
// worker is the monitor's from now on.
func (w *worker) alone(d time.Duration, why safetext.Text) {
	s := w.s
	s.mu.Lock()
	defer s.mu.Unlock()
	w.until, w.why = time.Now().Add(d), why
	for _, j := range s.queue {
		j.at = asMonitor
	}
	nudge(s.wake)
}

// rise tells the worker whether the monitor is live: there is a network then, and
// a way in.
func (w *worker) rise(up bool) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	w.up = up
	nudge(w.wake)
}

// giveWay closes the worker's connection: the monitor is not let in, perhaps
// because this one is there.
func (w *worker) giveWay(f *fault) {
	w.s.mu.Lock()
	l := w.link
	w.s.mu.Unlock()
	if l == nil {
		return
	}
	w.alone(aloneAfterRefusal, say("the server allows no second connection ("+f.text+"): what is elsewhere or long takes turns with watching"))
	l.kill(&fault{text: "closed to let the monitor in"})
}

// news returns why there is only one connection, empty where there may be two,
// and whether that changed since it was told.
func (w *worker) news() (why safetext.Text, changed bool) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	if time.Now().Before(w.until) {
		why = w.why
	}
	return why, why != w.said
}

// tell notes what the monitor's state says now of the second connection.
func (w *worker) tell(why safetext.Text) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	w.said = why
}

// limitWords are how servers say that a connection is one too many.
var limitWords = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)too many|maximum (number|amount) of|connection limit|simultaneous|concurrent|connections? exceeded`)
})

// isLimit tells whether a server refused a connection because the account has
// enough of them.
func isLimit(f *fault) bool {
	var no *imap.Error
	if errors.As(f, &no) && (no.Code == imap.ResponseCodeLimit || no.Code == imap.ResponseCodeInUse) {
		return true
	}
	return limitWords().MatchString(f.text)
}
