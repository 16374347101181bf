package ui

import (
	"context"
	"time"
)

// firstPage is how long the start waits for the first page from the cache. It is
// there in a few milliseconds, whatever the mailbox's size; a screen that is
// taken earlier shows an empty list for a moment, and that flash is longer to
// the eye than the wait.
const firstPage = 30 * time.Millisecond

// preload applies what the session of the account on screen says until there are
// rows. It runs before the loop and the pumps do, and alone.
func (m *Model) preload(ctx context.Context) {
	a := m.account()
	if a == nil || a.cfg.Cache == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, firstPage)
	defer cancel()
	for !a.loaded && !a.state.Fatal {
		events, err := a.cfg.Session.Events().Next(ctx, pumpBatch)
		if err != nil {
			return
		}
		m.now = time.Now()
		m.apply(a, events)
	}
}
