package imapsession

import (
	"context"
	"errors"
	"slices"

	"tidings/internal/safetext"
	"tidings/store"
)

// larder is where bodies are kept: it answers FetchBody from the cache, whatever
// the link does, and knows which message is to be fetched ahead. It has a
// goroutine of its own, the only one of the session that waits for the disk to
// read a body.
type larder struct {
	s    *Session
	wake chan struct{} // capacity 1

	// Session.mu guards what follows.
	last   store.UID // the message of the session's mailbox that was opened last
	ahead  ahead
	closed bool // Run ends: nobody looks any more
}

// ahead is the message that is to be fetched before anybody opens it.
type ahead struct {
	at    store.Place
	uid   store.UID // 0: none
	state aheadState
}

type aheadState uint8

const (
	aheadUnasked aheadState = iota // whether it is kept has to be found out
	aheadMissing                   // it is not kept
	aheadDone                      // it is kept, or will not be fetched
)

func (d *larder) init(s *Session) {
	d.s, d.wake = s, make(chan struct{}, 1)
}

// mayKeep tells whether the cache is asked before the server is. The caller holds
// s.mu.
func (s *Session) mayKeep(c Command) bool {
	_, ok := c.(FetchBody)
	return ok && s.cfg.Cache != nil && !s.larder.closed
}

// run is the larder's goroutine; it ends with ctx.
func (d *larder) run(ctx context.Context) {
	defer d.close()
	for ctx.Err() == nil {
		if j := d.nextJob(); j != nil {
			d.look(ctx, j)
			continue
		}
		if a, ok := d.unasked(); ok {
			d.lookAhead(ctx, a)
			continue
		}
		select {
		case <-d.wake:
		case <-ctx.Done():
		}
	}
}

// close leaves what was not looked up to those who end the rest.
func (d *larder) close() {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	d.closed = true
	for _, j := range d.s.queue {
		j.asking = false
	}
}

// nextJob returns the oldest FetchBody for which the cache was not asked yet.
func (d *larder) nextJob() *job {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	for _, j := range d.s.queue {
		if j.asking {
			return j
		}
	}
	return nil
}

// look answers a FetchBody from the cache, or leaves it to a link.
func (d *larder) look(ctx context.Context, j *job) {
	s, c := d.s, j.cmd.(FetchBody)
	var data []byte
	if len(c.Target.UIDs) == 1 {
		data = d.read(ctx, store.Place{Mailbox: c.Target.Mailbox, UIDValidity: c.Target.UIDValidity}, c.Target.UIDs[0])
	}
	s.mu.Lock()
	i := slices.Index(s.queue, j)
	j.asking = false
	if data == nil || i < 0 || j.canceled {
		s.mu.Unlock()
		s.poke()
		return
	}
	s.queue = slices.Delete(s.queue, i, i+1)
	s.mu.Unlock()
	n := min(int64(len(data)), c.limit())
	s.box.Put(BodyEvent{
		ID:          j.id,
		UIDValidity: c.Target.UIDValidity,
		UID:         c.Target.UIDs[0],
		Data:        data[:n:n],
		Size:        int64(len(data)),
		Complete:    true,
		Truncated:   n < int64(len(data)),
	})
	d.note(c.Target)
	s.finish(j, nil, safetext.Text{})
	s.poke()
}

// read returns a message that is kept whole, or nil.
func (d *larder) read(ctx context.Context, at store.Place, uid store.UID) []byte {
	data, err := d.s.cfg.Cache.Body(ctx, at, uid)
	if err != nil && !errors.Is(err, ctx.Err()) {
		d.s.log.Warn("a message could not be read from the cache", "error", err)
	}
	return data
}

// opened takes what came of a message that somebody opened.
func (d *larder) opened(t Target, uid store.UID, data []byte, complete bool) {
	if d.s.cfg.Cache != nil {
		d.s.cfg.Cache.KeepBody(store.Place{Mailbox: t.Mailbox, UIDValidity: t.UIDValidity}, uid, data, complete)
	}
	d.note(t)
}

// note remembers what was opened last.
func (d *larder) note(t Target) {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	if t.Mailbox == d.s.cfg.Mailbox {
		d.last = t.UIDs[0]
	}
}

// unasked returns the message to be fetched ahead if it has to be found out
// whether it is kept.
func (d *larder) unasked() (ahead, bool) {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	return d.ahead, d.ahead.uid != 0 && d.ahead.state == aheadUnasked
}

// lookAhead finds out whether a message is kept.
func (d *larder) lookAhead(ctx context.Context, a ahead) {
	state := aheadMissing
	if d.read(ctx, a.at, a.uid) != nil {
		state = aheadDone
	}
	d.settle(a, state)
	nudge(d.s.wake)
}

// settle notes what was found out of a message, if it is still the one.
func (d *larder) settle(a ahead, state aheadState) {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	if d.ahead.at == a.at && d.ahead.uid == a.uid {
		d.ahead.state = state
	}
}
