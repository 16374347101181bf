package wire

// eventCost is what an Event takes in memory, about, without its texts.
const eventCost = 192

// queue holds the events that wait for the session. Its two slices change
// places, so that a session that keeps up causes no garbage but what it takes.
type queue struct {
	events []Event
}

// push queues an event. It reports whether the queue is within its limit.
func (t *Tap) push(ev Event) error {
	t.mu.Lock()
	if len(t.queue.events) >= t.opts.Limits.Queue {
		t.mu.Unlock()
		return limitError("events waiting", int64(t.opts.Limits.Queue))
	}
	t.queue.events = append(t.queue.events, ev)
	t.mu.Unlock()
	t.poke()
	return nil
}

// Events takes all queued events, in wire order. The slice is the caller's;
// the FlagNames in it are shared and not to be modified.
func (t *Tap) Events() []Event {
	t.mu.Lock()
	defer t.mu.Unlock()
	evs := t.queue.events
	t.queue.events = nil
	return evs
}
