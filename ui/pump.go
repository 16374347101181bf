package ui

import (
	"context"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"

	"tidings/imapsession"
	"tidings/internal/crash"
)

const (
	// pumpWindow is the least time between two batches of one account: faster
	// than a frame gains nothing, and a storm of events costs 60 Updates a
	// second instead of thousands.
	pumpWindow = 16 * time.Millisecond
	// pumpBurst batches may follow one another without that pause; each window
	// earns one back. What happens alone (a row, its summary, its notice, in
	// three replies of the server) is on screen in the next frame, and a storm
	// is held to the window all the same.
	pumpBurst = 4
	// pumpBatch bounds what one Update has to apply.
	pumpBatch = 2048
)

// batchMsg is what one account's session said, in order.
type batchMsg struct {
	account int
	events  []imapsession.Event
}

// barrierMsg runs a function on the loop when everything that was sent before
// it has been applied.
type barrierMsg struct{ do func(*Model) }

// pump carries events from one account's Box to the program: the first few
// batches at once, then one per window. It is the only sender of batches, so they
// arrive in order. While the terminal does not take frames, send blocks and
// the Box collects; the session never notices.
type pump struct {
	account int
	box     *imapsession.Box
	send    func(tea.Msg)
	inHand  atomic.Int64 // events taken from the box and not yet applied by send
}

func startPump(ctx context.Context, account int, box *imapsession.Box, send func(tea.Msg)) *pump {
	p := &pump{account: account, box: box, send: send}
	crash.Go("pump", func() { p.run(ctx) })
	return p
}

func (p *pump) run(ctx context.Context) {
	free := time.Now() // when the whole burst is there again
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	for {
		p.inHand.Store(0)
		events, err := p.box.Next(ctx, pumpBatch)
		if err != nil {
			return
		}
		p.inHand.Store(int64(len(events)))
		if wait := time.Until(free) - (pumpBurst-1)*pumpWindow; wait > 0 {
			timer.Reset(wait)
			select {
			case <-ctx.Done():
				return
			case <-timer.C:
			}
			if room := pumpBatch - len(events); room > 0 && p.box.Pending() > 0 {
				more, err := p.box.Next(ctx, room)
				if err != nil {
					return
				}
				events = append(events, more...)
			}
		}
		p.send(batchMsg{p.account, events})
		if now := time.Now(); free.Before(now) {
			free = now
		}
		free = free.Add(pumpWindow)
	}
}

// Pending is the number of events that have not been sent. Zero, followed by a
// barrierMsg that comes back, means that the screen has seen everything.
func (p *pump) Pending() int { return p.box.Pending() + int(p.inHand.Load()) }
