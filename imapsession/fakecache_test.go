package imapsession

import (
	"context"
	"slices"
	"sync"

	"tidings/store"
)

// fakeCache is a Cache in memory. What is kept in it survives the session.
type fakeCache struct {
	mu        sync.Mutex
	kept      store.Checkpoint
	keeps     int
	summaries map[store.UID]*store.Summary
	bodies    map[store.UID][]byte
	// loading, if not nil, holds Load back until it is closed; rest is between the
	// newest rows and all.
	loading, rest chan struct{}
	newest        int // rows that first gets; 0: 60
	onKeep        func(store.Checkpoint)
	// left is how many more Keeps reach the disk, if dying: what a killed process
	// had not written is lost.
	dying bool
	left  int
	// forgets: summaries are not kept.
	forgets bool
}

func newFakeCache() *fakeCache {
	return &fakeCache{summaries: map[store.UID]*store.Summary{}, bodies: map[store.UID][]byte{}}
}

func (c *fakeCache) Load(ctx context.Context, mailbox string, first func(store.Checkpoint, []*store.Summary)) (store.Checkpoint, error) {
	wait := func(ch chan struct{}) bool {
		if ch == nil {
			return true
		}
		select {
		case <-ch:
			return true
		case <-ctx.Done():
			return false
		}
	}
	if !wait(c.loading) {
		return store.Checkpoint{}, ctx.Err()
	}
	c.mu.Lock()
	all := c.kept
	if all.List == nil || all.Mailbox != mailbox {
		c.mu.Unlock()
		return store.Checkpoint{}, nil
	}
	all.List = all.List.Snapshot()
	c.kept.List = all.List.Snapshot()
	page := all
	page.List = all.List.Snapshot()
	n := c.newest
	if n == 0 {
		n = 60
	}
	page.List.Forget(0, max(0, page.List.Len()-n))
	var sums []*store.Summary
	for _, u := range page.List.UIDs(0, page.List.Len()) {
		if sum := c.summaries[u]; sum != nil {
			sums = append(sums, sum)
		}
	}
	c.mu.Unlock()
	first(page, sums)
	if !wait(c.rest) {
		return store.Checkpoint{}, ctx.Err()
	}
	return all, nil
}

func (c *fakeCache) Keep(cp store.Checkpoint) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dying {
		if c.left--; c.left < 0 {
			return
		}
	}
	if c.kept.UIDValidity != 0 && cp.UIDValidity != c.kept.UIDValidity {
		c.summaries, c.bodies = map[store.UID]*store.Summary{}, map[store.UID][]byte{}
	}
	if cp.Selected == 0 {
		cp.Selected = c.kept.Selected
	}
	c.kept = cp
	c.keeps++
	if c.onKeep != nil {
		c.onKeep(cp)
	}
}

func (c *fakeCache) KeepSummaries(at store.Place, sums []*store.Summary) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.forgets {
		return
	}
	for _, sum := range sums {
		c.summaries[sum.UID] = sum
	}
}

func (c *fakeCache) KeepBody(_ store.Place, uid store.UID, data []byte, complete bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if complete {
		c.bodies[uid] = data
	}
}

func (c *fakeCache) Body(_ context.Context, _ store.Place, uid store.UID) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bodies[uid], nil
}

func (c *fakeCache) Missing(_ context.Context, _ store.Place, uids []store.UID) ([]store.UID, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(uids), func(u store.UID) bool { return c.summaries[u] != nil }), nil
}

func (c *fakeCache) Settled(context.Context) error { return nil }

// checkpoint is what was kept last.
func (c *fakeCache) checkpoint() store.Checkpoint {
	c.mu.Lock()
	defer c.mu.Unlock()
	cp := c.kept
	if cp.List != nil {
		cp.List = cp.List.Snapshot()
		c.kept.List = cp.List.Snapshot()
	}
	return cp
}
