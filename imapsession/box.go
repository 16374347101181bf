package imapsession

import (
	"context"

	"tidings/store"
)

// Box carries Events from a session to its one listener, in order. Putting
// never blocks. When more than 8,192 list events wait, they (and only they) are
// replaced, where the first of them stood, by one ResyncEvent of a new epoch;
// flag changes of one row may merge into the later position. Everything else
// is never merged or dropped.
type Box struct{}

// NewBox makes a Box; resync is called on the putting goroutine to make the
// ResyncEvent of an overflow (its list already contains every Change put).
func NewBox(resync func() ResyncEvent) *Box { return &Box{} }

// Put appends an event. Only the session's goroutine calls it.
func (b *Box) Put(ev Event) {}

// Next waits for events and returns at most limit of them (0: all).
// It returns ctx's error when ctx ends.
func (b *Box) Next(ctx context.Context, limit int) ([]Event, error) { return nil, ctx.Err() }

// Pending is the number of events that wait.
func (b *Box) Pending() int { return 0 }

var _ = store.Change{}
