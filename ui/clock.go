package ui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"tidings/imapsession"
)

// clock is the screen's only regular timer. It fires when a figure on screen
// goes out of date and at no other time: at the next 15 s step of the age of
// the last sign of life, or at the next second of a countdown.
type clock struct {
	gen int       // the timer that counts; older ones are ignored when they fire
	due time.Time // when it fires; zero: none is running
}

type clockMsg struct{ gen int }

func (c *clock) fired(msg clockMsg) {
	if msg.gen == c.gen {
		c.due = time.Time{}
	}
}

// after is a command that brings msg when d has passed, unless the program ends
// before: no goroutine outlives it.
func (m *Model) after(d time.Duration, msg tea.Msg) tea.Cmd {
	done := m.done
	return func() tea.Msg {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
			return msg
		case <-done:
			return nil
		}
	}
}

// idleStep is how often the age on the status bar changes while all is well.
const idleStep = 15 * time.Second

// probeGrace is how long the answer to a probe may take before the link counts
// as unproven: without it, every healthy quiet link would look doubtful for the
// length of one round trip a minute.
const probeGrace = 2 * time.Second

// unproven reports whether a link that is said to be live has been silent for
// longer than it may be.
func (a *account) unproven(now time.Time) bool {
	return a.cfg.Probe > 0 && a.silence(now) > a.cfg.Probe+probeGrace
}

// silence is how long ago the server was last heard. The monotonic clock stands
// still while the machine sleeps, the wall clock may be set: the longer of both
// counts, for it is the one that claims less.
func (a *account) silence(now time.Time) time.Duration {
	return max(now.Sub(a.lastSign), now.Round(0).Sub(a.lastSign.Round(0)), 0)
}

// schedule returns a command for the next time at which the status bar, or the
// dates of the list, change by themselves; nil if one is on its way.
func (m *Model) schedule() tea.Cmd {
	a := m.account()
	if a == nil {
		return nil
	}
	at := m.now.Add(nextChange(a, m.now))
	if !m.clock.due.IsZero() && !at.Before(m.clock.due) {
		return nil // fires no later; it will look again then
	}
	m.clock.gen++
	m.clock.due = at
	return m.after(at.Sub(m.now), clockMsg{m.clock.gen})
}

// nextChange is how long the account's line in the status bar stays true.
func nextChange(a *account, now time.Time) time.Duration {
	if a.state.State == imapsession.Waiting && !a.state.Retry.IsZero() {
		if left := a.state.Retry.Sub(now); left > 0 {
			return max(left%time.Second, 10*time.Millisecond)
		}
		return time.Second
	}
	if a.lastSign.IsZero() {
		return idleStep
	}
	since := a.silence(now)
	next := idleStep - since%idleStep
	if p := a.cfg.Probe + probeGrace; p >= since && p-since < next && a.state.State == imapsession.Live {
		next = p - since + time.Millisecond
	}
	return max(next, 10*time.Millisecond)
}
