package store

// Summaries keeps the Summaries of one mailbox and UIDVALIDITY that were used
// last, up to a number. It belongs to one goroutine.
type Summaries struct {
	cap   int
	byUID map[UID]*cached
	// ring is a circle: ring.next was used last, ring.prev is the first to go.
	ring cached
}

type cached struct {
	next, prev *cached
	sum        *Summary
}

// NewSummaries returns an empty cache of at most limit summaries; a limit below
// one is one.
func NewSummaries(limit int) *Summaries {
	s := &Summaries{cap: max(limit, 1)}
	s.Reset()
	return s
}

// Reset drops everything (UIDVALIDITY changed).
func (s *Summaries) Reset() {
	s.byUID = make(map[UID]*cached)
	s.ring.next, s.ring.prev = &s.ring, &s.ring
}

// Len is the number of summaries held.
func (s *Summaries) Len() int { return len(s.byUID) }

// Get returns the summary of uid, nil where it is not held, and keeps it from
// being dropped soon.
func (s *Summaries) Get(uid UID) *Summary {
	c := s.byUID[uid]
	if c == nil {
		return nil
	}
	c.unlink()
	c.link(&s.ring)
	return c.sum
}

// Peek is Get without a say in what is dropped.
func (s *Summaries) Peek(uid UID) *Summary {
	if c := s.byUID[uid]; c != nil {
		return c.sum
	}
	return nil
}

// Put holds sum under its UID, replacing an older one; where there is no room
// the one whose use lies back longest is dropped.
func (s *Summaries) Put(sum *Summary) {
	c := s.byUID[sum.UID]
	switch {
	case c != nil:
		c.unlink()
	case len(s.byUID) >= s.cap:
		c = s.ring.prev
		delete(s.byUID, c.sum.UID)
		c.unlink()
		s.byUID[sum.UID] = c
	default:
		c = new(cached)
		s.byUID[sum.UID] = c
	}
	c.sum = sum
	c.link(&s.ring)
}

// Drop forgets uid (the message is gone, or is to be asked for again).
func (s *Summaries) Drop(uid UID) {
	if c := s.byUID[uid]; c != nil {
		c.unlink()
		delete(s.byUID, uid)
	}
}

func (c *cached) unlink() {
	c.prev.next, c.next.prev = c.next, c.prev
}

func (c *cached) link(ring *cached) {
	c.prev, c.next = ring, ring.next
	c.prev.next, c.next.prev = c, c
}

// All returns the summaries held, in no particular order.
func (s *Summaries) All() []*Summary {
	all := make([]*Summary, 0, len(s.byUID))
	for _, c := range s.byUID {
		all = append(all, c.sum)
	}
	return all
}
