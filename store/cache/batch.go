package cache

import (
	"maps"
	"slices"

	"tidings/store"
)

// What may wait to be written. More is dropped: it is asked for again.
const (
	maxSummaries = 16384
	maxBodies    = 16 << 20 // octets
)

// batch is what waits to be written. It is guarded by Cache.mu until the writer
// takes it; then it does not change any more.
type batch struct {
	places    map[store.Place]*pending
	summaries int
	bodies    int // octets
}

// pending is what waits for one mailbox.
type pending struct {
	checkpoint *store.Checkpoint
	summaries  []*store.Summary
	bodies     map[store.UID][]byte
	used       []store.UID // bodies that were read
	selected   store.UID
}

func newBatch() *batch { return &batch{places: make(map[store.Place]*pending)} }

func (b *batch) empty() bool { return len(b.places) == 0 }

// at returns what waits for a place, to be added to.
func (b *batch) at(place store.Place) *pending {
	p := b.places[place]
	if p == nil {
		p = new(pending)
		b.places[place] = p
	}
	return p
}

// drop forgets what waits for a mailbox under another UIDVALIDITY.
func (b *batch) drop(now store.Place) {
	for at, p := range b.places {
		if at.Mailbox == now.Mailbox && at.UIDValidity != now.UIDValidity {
			b.summaries -= len(p.summaries)
			for _, data := range p.bodies {
				b.bodies -= len(data)
			}
			delete(b.places, at)
		}
	}
}

// add puts summaries to those that wait, as far as there is room.
func (b *batch) add(at store.Place, sums []*store.Summary) {
	if room := maxSummaries - b.summaries; len(sums) > room {
		sums = sums[:max(room, 0)]
	}
	if len(sums) > 0 {
		p := b.at(at)
		p.summaries = append(p.summaries, sums...)
		b.summaries += len(sums)
	}
}

// addBody puts a message to those that wait, if there is room.
func (b *batch) addBody(at store.Place, uid store.UID, data []byte) {
	if b.bodies+len(data) > maxBodies {
		return
	}
	p := b.at(at)
	if p.bodies == nil {
		p.bodies = make(map[store.UID][]byte)
	}
	b.bodies += len(data) - len(p.bodies[uid])
	p.bodies[uid] = data
}

// under takes back what could not be written: it lies under what came later.
func (b *batch) under(old *batch, current map[string]uint32) {
	for at, q := range old.places {
		if v, ok := current[at.Mailbox]; ok && v != at.UIDValidity {
			continue
		}
		p := b.at(at)
		if p.checkpoint == nil {
			p.checkpoint = q.checkpoint
		}
		if p.selected == 0 {
			p.selected = q.selected
		}
		b.add(at, q.summaries)
		for _, uid := range slices.Sorted(maps.Keys(q.bodies)) {
			if p.bodies[uid] == nil {
				b.addBody(at, uid, q.bodies[uid])
			}
		}
	}
}

// find calls yield for each waiting summary of the wanted UIDs.
func (b *batch) find(at store.Place, wanted map[store.UID]bool, yield func(*store.Summary)) {
	if b == nil {
		return
	}
	if p := b.places[at]; p != nil {
		for _, s := range p.summaries {
			if wanted[s.UID] {
				yield(s)
			}
		}
	}
}

// body returns a waiting message.
func (b *batch) body(at store.Place, uid store.UID) []byte {
	if b == nil || b.places[at] == nil {
		return nil
	}
	return b.places[at].bodies[uid]
}
