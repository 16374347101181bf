package imapsession

import (
	"context"
	"slices"
	"sync"

	"tidings/store"
)

// boxLimit is how many list events may wait before a snapshot is cheaper.
const boxLimit = 8192

// Box carries Events from a session to its one listener, in order. Putting
// never blocks. When more than 8,192 list events wait, they (and only they) are
// replaced, where the first of them stood, by one ResyncEvent of a new epoch;
// flag changes of one row may merge into the later position. Everything else
// is never merged or dropped.
//
// On overflow a ResyncEvent that the session put itself takes the place of the
// list events before it; only if those after it are too many is there another.
type Box struct {
	limit  int
	resync func() ResyncEvent
	wake   chan struct{} // holds a token when Next should look again

	mu    sync.Mutex
	queue []Event // queue[head:] waits
	head  int
	lists int // ListEvents that wait
	// own is the index of the last ResyncEvent if it was made here for an
	// overflow and still waits, else -1.
	own int
	// held counts those who are putting what belongs together: Next waits for the
	// rest of it.
	held int
}

// NewBox makes a Box; resync is called on the putting goroutine to make the
// ResyncEvent of an overflow (its list already contains every Change put). It
// must not call the Box.
func NewBox(resync func() ResyncEvent) *Box { return newBox(boxLimit, resync) }

func newBox(limit int, resync func() ResyncEvent) *Box {
	return &Box{limit: limit, resync: resync, wake: make(chan struct{}, 1), own: -1}
}

// Put appends an event. List events and, once there were any, ResyncEvents are
// put by the session's goroutine alone.
func (b *Box) Put(ev Event) {
	b.mu.Lock()
	b.put(ev)
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// Together runs put and hands what it puts to the listener in one piece, as far
// as that asks for so many at a time: rows without their summaries would be
// asked for again. put must not wait.
func (b *Box) Together(put func()) {
	b.hold(1)
	defer func() {
		b.hold(-1)
		select {
		case b.wake <- struct{}{}:
		default:
		}
	}()
	put()
}

func (b *Box) hold(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held += n
}

func (b *Box) put(ev Event) {
	switch le := ev.(type) {
	case ListEvent:
		if n := len(b.queue); n > b.head {
			if last, ok := b.queue[n-1].(ListEvent); ok && merges(last, le) {
				b.queue[n-1] = ev
				return
			}
		}
		b.lists++
	case ResyncEvent:
		b.own = -1
	}
	if b.head > 0 && len(b.queue) == cap(b.queue) && b.head >= len(b.queue)/2 {
		b.compact()
	}
	b.queue = append(b.queue, ev)
	if b.lists > b.limit {
		b.overflow()
	}
}

// merges tells whether b says all that a said. Only neighbours are asked, so
// that nothing (a fill, a Result, a ResyncEvent, a moved row) stands between. To
// look further back would cost a map per event and gain little: a storm of flag
// changes hits many rows once, not one row often.
func merges(a, b ListEvent) bool {
	return a.Change.Kind == store.SetFlags && b.Change.Kind == store.SetFlags &&
		a.Epoch == b.Epoch && a.UID == b.UID &&
		a.Change.Seq == b.Change.Seq && a.Change.UID == b.Change.UID &&
		b.Change.Flags.Known()
}

// compact moves what waits to the start of the queue.
func (b *Box) compact() {
	n := copy(b.queue, b.queue[b.head:])
	clear(b.queue[n:])
	b.queue = b.queue[:n]
	if b.own >= 0 {
		b.own -= b.head
	}
	b.head = 0
}

// overflow makes room: one list event too many waits.
func (b *Box) overflow() {
	first, last := -1, -1 // the first list event, the last ResyncEvent
	for i, ev := range b.queue[b.head:] {
		switch ev.(type) {
		case ListEvent:
			if first < 0 {
				first = b.head + i
			}
		case ResyncEvent:
			last = b.head + i
		}
	}
	if first < last {
		b.supersede(first, last)
	} else {
		b.replace(first)
	}
}

// supersede drops the list events before the ResyncEvent at last: they do
// nothing that it does not undo. It and those before it, in their order, move to
// first, where the first list event stood, so that what comes after (a Result)
// never finds an older list than it would have.
func (b *Box) supersede(first, last int) {
	rest := slices.Clone(b.queue[first:last])
	w := first
	keep := func(ev Event) {
		b.queue[w] = ev
		w++
	}
	for _, ev := range rest {
		if _, ok := ev.(ResyncEvent); ok {
			keep(ev)
		}
	}
	keep(b.queue[last])
	for _, ev := range rest {
		switch ev.(type) {
		case ResyncEvent:
		case ListEvent:
			b.lists--
		default:
			keep(ev)
		}
	}
	b.queue = slices.Delete(b.queue, w, last+1)
}

// replace puts a new ResyncEvent where the first list event stood, at first, in
// place of all. If there is one already that was made here, and that they
// followed, the new one takes its place instead.
func (b *Box) replace(first int) {
	if b.own < 0 {
		b.own = first
	}
	b.queue[b.own] = b.resync()
	b.queue = slices.DeleteFunc(b.queue, func(ev Event) bool {
		_, ok := ev.(ListEvent)
		return ok
	})
	b.lists = 0
}

// Next waits for events and returns at most limit of them (0: all), which are
// the caller's. It returns ctx's error when ctx ends; what waits then stays.
// Only the listener's goroutine calls it.
func (b *Box) Next(ctx context.Context, limit int) ([]Event, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if evs := b.take(limit); evs != nil {
			return evs, nil
		}
		select {
		case <-b.wake:
		case <-ctx.Done():
		}
	}
}

// take removes up to limit events (0: all); nil where none wait.
func (b *Box) take(limit int) []Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := len(b.queue) - b.head
	if n == 0 || b.held > 0 {
		return nil
	}
	if limit > 0 {
		n = min(n, limit)
	}
	evs := make([]Event, n)
	copy(evs, b.queue[b.head:])
	clear(b.queue[b.head : b.head+n])
	b.head += n
	for _, ev := range evs {
		if _, ok := ev.(ListEvent); ok {
			b.lists--
		}
	}
	if b.own < b.head {
		b.own = -1
	}
	if b.head == len(b.queue) {
		b.queue, b.head = b.queue[:0], 0
		if cap(b.queue) > boxLimit {
			b.queue = nil // a storm is over
		}
	}
	return evs
}

// Pending is the number of events that wait. Any goroutine may call it.
func (b *Box) Pending() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.queue) - b.head
}
