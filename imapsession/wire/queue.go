package wire

// queue holds the events that wait for the session. Almost all events of a
// large mailbox are FETCHes and numbers, which take 40 octets here; the rest
// stand beside, and their texts are counted.
type queue struct {
	events []queued
	spare  []queued // the slice that Each emptied last
	texts  int      // octets of the texts of full events
}

type queued struct {
	kind     Kind
	broken   bool
	hasFlags bool
	num, uid uint32
	modseq   uint64
	flags    *flagList
	full     *Event // everything, for the kinds that need more
}

// maxTexts bounds what the texts of waiting events take: a server that sends
// nothing but long ALERTs is cut off here, long before Limits.Queue.
const maxTexts = 16 << 20

// eventSize is what an Event takes without its texts, about.
const eventSize = 192

// push queues an event that is more than numbers and flags.
func (t *Tap) push(ev Event) error {
	q := queued{full: &ev}
	size := eventSize + len(ev.Arg) + len(ev.Text) + len(ev.Tag) + len(ev.Type) + 8*len(ev.UIDs)
	for _, name := range ev.FlagNames {
		size += 16 + len(name)
	}
	return t.enqueue(q, size)
}

func (t *Tap) enqueue(q queued, size int) error {
	t.mu.Lock()
	switch {
	case len(t.queue.events) >= t.opts.Limits.Queue:
		t.mu.Unlock()
		return limitError("events waiting to be taken", int64(t.opts.Limits.Queue))
	case t.queue.texts+size > maxTexts:
		t.mu.Unlock()
		return limitError("octets of texts waiting to be taken", maxTexts)
	}
	t.queue.texts += size
	t.queue.events = append(t.queue.events, q)
	t.mu.Unlock()
	t.poke()
	return nil
}

// Each calls f with every queued event, in wire order, and takes them off the
// queue. The Event is f's until f returns. Unlike Events it needs no memory
// that grows with their number.
func (t *Tap) Each(f func(*Event)) {
	t.mu.Lock()
	evs := t.queue.events
	t.queue.events, t.queue.spare, t.queue.texts = t.queue.spare, nil, 0
	t.mu.Unlock()
	var ev Event
	for i := range evs {
		ev = evs[i].event()
		f(&ev)
	}
	if cap(evs) > 4096 {
		return
	}
	clear(evs) // let the flag lists and texts go
	t.mu.Lock()
	t.queue.spare = evs[:0]
	t.mu.Unlock()
}

// Events takes all queued events, in wire order. The slice is the caller's;
// the FlagNames in it are shared and not to be modified.
func (t *Tap) Events() []Event {
	var evs []Event
	t.Each(func(ev *Event) { evs = append(evs, *ev) })
	return evs
}

func (q *queued) event() Event {
	if q.full != nil {
		return *q.full
	}
	ev := Event{Kind: q.kind, Num: q.num, UID: q.uid, ModSeq: q.modseq, HasFlags: q.hasFlags, Broken: q.broken}
	switch q.kind {
	case KindFetch:
		ev.Type = "FETCH"
		if q.flags != nil {
			ev.FlagNames = q.flags.names
		}
	case KindExists:
		ev.Type = "EXISTS"
	case KindRecent:
		ev.Type = "RECENT"
	case KindExpunge:
		ev.Type = "EXPUNGE"
	}
	return ev
}
