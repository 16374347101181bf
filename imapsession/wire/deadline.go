package wire

import "time"

// writeTimeout is how long one write of at most writeChunk octets may take.
const (
	writeTimeout = 30 * time.Second
	writeChunk   = 32 << 10
)

var defaultTimeouts = Timeouts{
	PhaseConnect: 30 * time.Second,
	PhaseCommand: 60 * time.Second,
	PhaseIdle:    -1,
	PhaseDone:    10 * time.Second,
	PhaseProbe:   5 * time.Second,
}

func (ts Timeouts) orDefaults() Timeouts {
	for i, d := range ts {
		if d == 0 {
			ts[i] = defaultTimeouts[i]
		}
	}
	return ts
}

// SetPhase changes the read deadline, also of a Read that is waiting now: its
// time starts again.
func (t *Tap) SetPhase(p Phase) {
	if p >= phases {
		return
	}
	t.readMu.Lock()
	t.phase = p
	t.armLocked()
	t.readMu.Unlock()
}

// armRead starts the phase's time for the Read that follows. Under the same
// lock as SetPhase, so that the later of the two always rules.
func (t *Tap) armRead() {
	t.readMu.Lock()
	t.armLocked()
	t.readMu.Unlock()
}

func (t *Tap) armLocked() {
	var at time.Time
	if d := t.opts.Timeouts[t.phase]; d > 0 {
		at = time.Now().Add(d)
	}
	// An error means that the connection is gone; Read says so better.
	_ = t.conn.SetReadDeadline(at)
}

// LastRead is when the last byte came from the server; when the Tap was made,
// if none came.
func (t *Tap) LastRead() time.Time {
	t.readMu.Lock()
	defer t.readMu.Unlock()
	return t.lastRead
}

// SetDeadline is ignored: the Tap owns the deadlines.
func (t *Tap) SetDeadline(time.Time) error { return nil }

// SetReadDeadline is ignored: see SetPhase.
func (t *Tap) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline is ignored: every 32 KiB may take 30 s.
func (t *Tap) SetWriteDeadline(time.Time) error { return nil }
