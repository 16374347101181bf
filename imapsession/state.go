package imapsession

import (
	"slices"
	"time"

	"tidings/internal/safetext"
)

// enter says a new state of the monitor connection.
func (s *Session) enter(ev StateEvent) {
	ev.ReadOnly = ev.ReadOnly || s.cfg.ReadOnly
	var more []any
	if !ev.Reason.IsEmpty() {
		more = append(more, "reason", ev.Reason.String())
	}
	if ev.Attempt > 0 {
		more = append(more, "attempt", ev.Attempt)
	}
	if ev.Fatal {
		more = append(more, "fatal", true)
	}
	s.log.Info("state: "+ev.State.String(), more...)
	s.box.Put(ev)
}

// String names a State for the log.
func (s State) String() string {
	switch s {
	case Offline:
		return "offline"
	case Connecting:
		return "connecting"
	case SigningIn:
		return "signing in"
	case Selecting:
		return "selecting"
	case Live:
		return "live"
	case Waiting:
		return "waiting"
	case BetweenVisits:
		return "between visits"
	}
	return "unknown"
}

// working says a state on the way to Live.
func (l *link) working(state State, reason safetext.Text) {
	l.s.enter(StateEvent{
		State:     state,
		Reason:    reason,
		Attempt:   l.s.backoff.failures,
		Transport: l.transport,
		Watch:     l.watch,
		ReadOnly:  l.readOnly,
	})
}

// live says that the list is in step.
func (l *link) live() {
	l.liveSince = time.Now()
	l.sayLive()
	l.s.worker.rise(true)
}

// sayLive says what the live link is like; the reason is why it is not as it
// could be, e.g. that IDLE was refused.
func (l *link) sayLive() {
	alone, _ := l.s.worker.news()
	l.s.worker.tell(alone)
	l.s.enter(StateEvent{
		State:     Live,
		Reason:    safetext.Join(nonEmpty(l.watchNote, alone), "; "),
		Transport: l.transport,
		Watch:     l.watch,
		ReadOnly:  l.readOnly,
	})
}

func nonEmpty(texts ...safetext.Text) []safetext.Text {
	return slices.DeleteFunc(texts, safetext.Text.IsEmpty)
}

// atRest does what is due where the monitor is about to wait, without a word to
// the server.
func (l *link) atRest() {
	l.s.tellUnseen()
	l.s.checkpoint()
	if _, changed := l.s.worker.news(); changed {
		l.sayLive()
	}
}
