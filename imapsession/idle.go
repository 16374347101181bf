package imapsession

import (
	"context"
	"io"
	"time"

	"tidings/imapsession/wire"
	"tidings/internal/safetext"
)

const (
	idleRenew      = 9 * time.Minute
	idleRenewGmail = 4 * time.Minute
	// idleRenewMost stays clear of imapclient's own restart after 28 minutes,
	// which does not wait for replies.
	idleRenewMost = 25 * time.Minute
	// doneLimit bounds the wait for DONE's reply from a server that talks on;
	// one that is silent is given up after PhaseDone.
	doneLimit = 30 * time.Second
	// maxIdleNo is how often IDLE may go wrong in a row before the session polls.
	maxIdleNo = 3
	// shortIdle: an IDLE that the server ends sooner went wrong.
	shortIdle = 2 * time.Second
)

// renewEvery is how long one IDLE may last.
func (l *link) renewEvery() time.Duration {
	d := l.s.cfg.IdleRenew
	if d <= 0 {
		d = idleRenew
	}
	if l.isGmail() {
		d = min(d, idleRenewGmail)
	}
	return min(d, idleRenewMost)
}

// waitForEvents holds IDLE, or sits between two polls, until there is something
// to do. It returns with DONE written or held (l.idle), never waiting for its
// reply.
func (l *link) waitForEvents(ctx context.Context) error {
	if l.watch == WatchIdle {
		return l.holdIdle(ctx)
	}
	return l.sitOut(ctx)
}

// holdIdle enters IDLE and stays in it until there is something to do.
func (l *link) holdIdle(ctx context.Context) error {
	if err := l.settle(); err != nil {
		return err
	}
	l.tap.SetPhase(wire.PhaseDone) // the continuation is due, and soon
	before := l.tagged
	entered := time.Now()
	l.m.modseqs.idle, l.proving = 0, byIdle
	idle, err := l.client.Idle()
	if err != nil {
		l.pump()
		l.tap.SetPhase(wire.PhaseCommand)
		if refused(err) {
			return l.idleRefused("the server refuses IDLE: it said " + words(err))
		}
		l.s.idleNo++
		l.s.idleWhy = "the server does not answer IDLE"
		return l.lost(err)
	}
	l.tap.SetPhase(wire.PhaseIdle)
	hold := l.idleUntilDue(ctx, entered, before)
	l.pump()
	if l.tagged != before {
		// The server ended it; imapclient does not notice. Its DONE, which would
		// be taken for a command, goes no further than the tap.
		err := idle.Close()
		l.tap.SetPhase(wire.PhaseCommand)
		if err == nil {
			err = idle.Wait()
		}
		return l.idleEnded(err, time.Since(entered))
	}
	if l.over() {
		l.tap.Close()
		idle.Close()
		_ = idle.Wait()
		return l.lost(io.EOF)
	}
	if hold {
		l.tap.HoldDone()
	}
	l.tap.SetPhase(wire.PhaseDone)
	if l.probeNow {
		l.tap.SetPhase(wire.PhaseProbe)
		l.probeNow = false
	}
	l.idle = idle
	if err := idle.Close(); err != nil {
		return l.lost(err)
	}
	l.s.idleNo = 0
	return nil
}

// idleUntilDue waits inside IDLE. hold tells that a command follows at once.
func (l *link) idleUntilDue(ctx context.Context, entered time.Time, tagged uint64) (hold bool) {
	renewAt := entered.Add(l.renewEvery())
	for {
		l.pump()
		if l.tagged != tagged || l.over() || ctx.Err() != nil || l.due() {
			return true
		}
		l.atRest()
		if l.probeNow {
			return false
		}
		probeAt := l.tap.LastRead().Add(l.s.cfg.Probe)
		now := time.Now()
		if !now.Before(probeAt) || !now.Before(renewAt) {
			return false
		}
		timer := time.NewTimer(min(probeAt.Sub(now), renewAt.Sub(now), l.nextDue(now), clockCheck))
		select {
		case <-l.tap.Ready():
		case <-l.s.wake:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		l.checkClock()
	}
}

// checkClock makes the link prove itself at once if the machine slept or the
// person asked.
func (l *link) checkClock() {
	if gap, slept := l.s.clock.slept(); slept {
		l.s.log.Info("the machine slept: probing the link", "for", gap.Round(time.Second))
		l.probeNow = true
	}
	if l.s.takeRetry() == retryForced {
		l.probeNow = true
	}
}

// settle waits for the tagged reply of the IDLE that was left, if it is still
// due.
func (l *link) settle() error {
	if l.idle == nil {
		return nil
	}
	idle := l.idle
	l.idle = nil
	watchdog := l.within(doneLimit, "ended IDLE")
	err := idle.Wait()
	watchdog.Stop()
	l.pump()
	l.tap.SetPhase(wire.PhaseCommand)
	if err != nil && !refused(err) {
		return l.lost(err)
	}
	return nil
}

// idleEnded takes note of an IDLE that the server ended by itself.
func (l *link) idleEnded(err error, after time.Duration) error {
	if err != nil && !refused(err) {
		return l.lost(err)
	}
	if err != nil {
		return l.idleRefused("the server ended IDLE: it said " + words(err))
	}
	if after >= shortIdle {
		return nil
	}
	l.s.idleNo++
	l.s.idleWhy = "the server keeps ending IDLE"
	if l.s.idleNo >= maxIdleNo {
		return l.idleRefused(l.s.idleWhy)
	}
	return nil
}

// idleRefused falls back to polling on this link, and says so.
func (l *link) idleRefused(why string) error {
	if l.expired {
		return errExpired()
	}
	l.fallBack(why)
	l.live()
	return nil
}

// fallBack makes the link poll and remembers why.
func (l *link) fallBack(why string) {
	l.watch = WatchPoll
	l.watchNote = say(why + "; asking every " + l.s.cfg.Poll.String() + " instead")
	l.s.log.Warn("no IDLE", "why", why)
}

// chooseWatch decides how new mail is noticed on this link.
func (l *link) chooseWatch() {
	l.watch, l.watchNote = l.s.watchNow(), safetext.Text{}
	switch {
	case l.watch != WatchIdle:
	case !l.canIdle():
		l.fallBack("the server has no IDLE")
	case l.s.idleNo >= maxIdleNo:
		l.fallBack(l.s.idleWhy)
		l.s.idleNo = 0 // the next link tries it again
	}
}

// sitOut waits until the next poll is due, or there is something else to do,
// and polls.
func (l *link) sitOut(ctx context.Context) error {
	if err := l.settle(); err != nil {
		return err
	}
	l.tap.SetPhase(wire.PhaseIdle)
	pollAt := time.Now().Add(l.s.cfg.Poll)
	for {
		l.pump()
		if l.over() || ctx.Err() != nil || l.due() || l.probeNow {
			break
		}
		l.atRest()
		now := time.Now()
		askAt := pollAt
		if probeAt := l.tap.LastRead().Add(l.s.cfg.Probe); probeAt.Before(askAt) {
			askAt = probeAt // a NOOP is a proof of life, too
		}
		if !now.Before(askAt) {
			break
		}
		timer := time.NewTimer(min(askAt.Sub(now), l.nextDue(now), clockCheck))
		select {
		case <-l.tap.Ready():
		case <-l.s.wake:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		l.checkClock()
	}
	if l.over() {
		return l.lost(io.EOF)
	}
	l.tap.SetPhase(wire.PhaseCommand)
	if ctx.Err() != nil || (l.due() && !l.probeNow) {
		return nil
	}
	return l.noop()
}

// noop asks whether anything happened; its reply is also a proof of life.
func (l *link) noop() error {
	l.tap.SetPhase(wire.PhaseDone) // nothing could be quicker to answer
	if l.probeNow {
		l.tap.SetPhase(wire.PhaseProbe)
		l.probeNow = false
	}
	watchdog := l.within(doneLimit, "answered NOOP")
	l.proving = byNoop
	err := l.client.Noop().Wait()
	watchdog.Stop()
	l.pump()
	l.tap.SetPhase(wire.PhaseCommand)
	if err != nil && !refused(err) {
		return l.lost(err)
	}
	return nil
}
