package wire

// queue holds the events that wait for the session, in chunks, so that growing
// moves nothing. Almost all events of a large mailbox are FETCHes and numbers,
// which take 40 octets here; the rest stand beside, and their texts are
// counted.
type queue struct {
	chunks [][]queued
	spare  []queued // an emptied chunk
	count  int
	texts  int // octets of the texts of full events
}

// chunk is how many events one chunk of the queue has room for.
const chunk = 256

// add appends an event.
func (q *queue) add(ev queued) {
	n := len(q.chunks)
	if n == 0 || len(q.chunks[n-1]) == chunk {
		c := q.spare
		if q.spare = nil; c == nil {
			c = make([]queued, 0, chunk)
		}
		q.chunks = append(q.chunks, c)
		n++
	}
	q.chunks[n-1] = append(q.chunks[n-1], ev)
	q.count++
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
	case t.queue.count >= t.opts.Limits.Queue:
		t.mu.Unlock()
		return limitError("events waiting to be taken", int64(t.opts.Limits.Queue))
	case t.queue.texts+size > maxTexts:
		t.mu.Unlock()
		return limitError("octets of texts waiting to be taken", maxTexts)
	}
	t.queue.texts += size
	t.queue.add(q)
	t.mu.Unlock()
	t.poke()
	return nil
}

// Each calls f with every queued event, in wire order, and takes them off the
// queue. The Event is f's until f returns. What comes meanwhile is for the next
// call. Unlike Events it needs no memory that grows with their number.
func (t *Tap) Each(f func(*Event)) {
	t.mu.Lock()
	chunks := t.queue.chunks
	t.queue.chunks, t.queue.count, t.queue.texts = nil, 0, 0
	t.mu.Unlock()
	if len(chunks) == 0 {
		return
	}
	var ev Event
	for _, c := range chunks {
		for i := range c {
			ev = c[i].event()
			f(&ev)
		}
	}
	c := chunks[0]
	clear(c) // let the flag lists and texts go
	t.mu.Lock()
	t.queue.spare = c[:0]
	t.mu.Unlock()
}

// Events takes all queued events, in wire order. The slice is the caller's;
// the FlagNames in it are shared and not to be modified.
func (t *Tap) Events() []Event {
	t.mu.Lock()
	n := t.queue.count
	t.mu.Unlock()
	if n == 0 {
		return nil
	}
	evs := make([]Event, 0, n)
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
