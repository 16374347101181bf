package imapsession

import (
	"testing"
	"testing/synctest"
	"time"

	"tidings/store"
)

// TestACacheThatWasCleared: what another program took out of the cache comes back
// without a new start. What it never had is not asked for again and again.
func TestACacheThatWasCleared(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const n = 3000
		srv := newFake(t, n)
		cache := newFakeCache()
		f, _ := start(t, fillConfig(srv, cache))
		f.live(1)
		full := func() bool { return cache.filled() == n }
		for range 3 {
			f.untilLong("everything is kept", 3*time.Minute, full)
			time.Sleep(3 * time.Minute)
			synctest.Wait()
			cache.mu.Lock()
			clear(cache.summaries)
			cache.kept = store.Checkpoint{}
			cache.mu.Unlock()
		}
		f.untilLong("everything is kept again", 3*time.Minute, full)
		if kept := cache.checkpoint(); kept.List == nil || !kept.List.Equal(f.list) {
			t.Error("the list is not kept")
		}
		f.inStep(srv)

		time.Sleep(3 * time.Minute)
		synctest.Wait()
		cache.mu.Lock()
		cache.forgets = true
		cache.summaries = map[store.UID]*store.Summary{}
		cache.mu.Unlock()
		asked := len(headerFetches(srv.said("")))
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		again := len(headerFetches(srv.said("")))
		if again == asked {
			t.Error("it does not notice that the cache is empty")
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if now := len(headerFetches(srv.said(""))); now != again {
			t.Errorf("of a cache that keeps nothing it asked %d times more", now-again)
		}
	})
}
