package cache

import (
	"slices"

	"tidings/store"
)

// give adds to what waits, and wakes the writer.
func (c *Cache) give(at store.Place, add func(b *batch)) {
	c.mu.Lock()
	v, known := c.places[at.Mailbox]
	if c.closing || known && v != at.UIDValidity {
		c.mu.Unlock()
		return
	}
	add(c.waits)
	c.asked++
	c.mu.Unlock()
	c.poke()
}

// Keep replaces what is kept of a mailbox's rows; of several that wait, the
// newest counts. Another UIDVALIDITY drops all that was kept under the old one.
// It does not block.
func (c *Cache) Keep(cp store.Checkpoint) {
	if cp.List == nil || cp.Mailbox == "" {
		return
	}
	c.mu.Lock()
	if c.places[cp.Mailbox] != cp.UIDValidity {
		c.places[cp.Mailbox] = cp.UIDValidity
		c.waits.drop(cp.Place)
	}
	c.mu.Unlock()
	c.give(cp.Place, func(b *batch) {
		p := b.at(cp.Place)
		if cp.Selected != 0 {
			p.selected = cp.Selected
		}
		p.checkpoint = &cp
	})
}

// KeepSummaries adds summaries; those of messages that the index does not know
// yet are kept as well. It does not block.
func (c *Cache) KeepSummaries(at store.Place, sums []*store.Summary) {
	if len(sums) > 0 {
		c.give(at, func(b *batch) { b.add(at, sums) })
	}
}

// KeepSelected remembers on which message the person is. It does not block.
func (c *Cache) KeepSelected(at store.Place, uid store.UID) {
	if uid != 0 {
		c.give(at, func(b *batch) { b.at(at).selected = uid })
	}
}

// KeepBody adds a message's bytes, if they are all of it and bodies are kept. It
// does not block; data must not change afterwards.
func (c *Cache) KeepBody(at store.Place, uid store.UID, data []byte, complete bool) {
	// One message must not drive out all others.
	if complete && uid != 0 && int64(len(data)) <= c.o.Bodies/4 {
		c.give(at, func(b *batch) { b.addBody(at, uid, slices.Clip(data)) })
	}
}
