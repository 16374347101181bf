package imapsession

import (
	"testing"
	"testing/synctest"
	"time"

	"tidings/store"
)

// The list of the run before is told before there is a link, first its newest
// rows and then all, and stays for as long as there is none.
func TestKnownBeforeTheNetwork(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 300)
		cache := newFakeCache()
		cfg := srv.config()
		cfg.Cache = cache
		f, stop := start(t, cfg)
		f.live(1)
		f.s.SetVisible(Visible{Epoch: f.epoch, Lo: 1, Hi: 200})
		f.until("the first rows", func() bool { return f.list.Row(0).UID != 0 })
		stop()
		kept := cache.checkpoint()
		if kept.List == nil || kept.List.Len() != 300 || kept.UIDValidity != 7 || kept.AsOf.IsZero() {
			t.Fatalf("kept: %+v", kept)
		}

		time.Sleep(time.Hour)
		srv.with(func() { srv.dialErr = errNoNetwork })
		cache.rest = make(chan struct{})
		f, stop = start(t, cfg)
		f.until("the newest rows", func() bool { return len(f.resyncs) == 1 })
		if ev := f.resyncs[0]; ev.Epoch != 0 || !ev.AsOf.Equal(kept.AsOf) || ev.List.Len() != 300 || ev.List.CountKnown() != 60 {
			t.Errorf("first told: epoch %d, as of %v, %d of %d rows", ev.Epoch, ev.AsOf, ev.List.CountKnown(), ev.List.Len())
		}
		if len(f.summaries) != 60 {
			t.Errorf("%d summaries with it", len(f.summaries))
		}
		close(cache.rest)
		f.until("all rows", func() bool { return len(f.resyncs) == 2 })
		if !f.list.Equal(kept.List) || f.epoch != 0 {
			t.Errorf("the list told is not the one that was kept")
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(f.resyncs) != 2 || cache.checkpoint().AsOf != kept.AsOf {
			t.Errorf("%d lists told with no network; as of %v", len(f.resyncs), cache.checkpoint().AsOf)
		}
		srv.with(func() { srv.dialErr = nil })
		f.s.Retry(true)
		f.live(1)
		if ev := f.resyncs[2]; ev.Epoch != 1 || !ev.AsOf.IsZero() || len(ev.Gone) != 0 || ev.Arrived != 0 || ev.Reload {
			t.Errorf("confirmed by %+v", ev)
		}
		stop()
	})
}

// A cache that is slow to load is waited for, and nothing of it is told once the
// server's own list was.
func TestSlowCache(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 100)
		cache := newFakeCache()
		cfg := srv.config()
		cfg.Cache = cache
		_, stop := start(t, cfg)
		stop()
		f, stop := start(t, cfg)
		f.live(1)
		stop()
		cache.loading = make(chan struct{})
		f, stop = start(t, cfg)
		time.Sleep(loadTimeout - time.Second)
		synctest.Wait()
		if f.state().State != Selecting {
			t.Errorf("the session did not wait for its cache: %v", f.state().State)
		}
		f.live(1)
		close(cache.loading)
		synctest.Wait()
		for _, ev := range f.resyncs {
			if ev.Epoch == 0 {
				t.Error("the cache's list was told behind the server's")
			}
		}
		stop()
	})
}

// Checkpoints come no more often than every 250 ms, and the last change is in
// one of them though nothing else happens.
func TestCheckpoints(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 100)
		cache := newFakeCache()
		cfg := srv.config()
		cfg.Cache = cache
		f, _ := start(t, cfg)
		f.live(1)
		c := srv.idling(t)
		time.Sleep(time.Second)
		var at []time.Time
		cache.mu.Lock()
		cache.onKeep = func(store.Checkpoint) { at = append(at, time.Now()) }
		cache.mu.Unlock()
		for range 40 {
			time.Sleep(25 * time.Millisecond)
			c.send("* 1 EXPUNGE")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if n := cache.checkpoint().List.Len(); n != 60 {
			t.Errorf("%d rows are kept", n)
		}
		cache.mu.Lock()
		defer cache.mu.Unlock()
		if len(at) < 4 || len(at) > 6 {
			t.Errorf("%d checkpoints in a second", len(at))
		}
		for i := 1; i < len(at); i++ {
			if d := at[i].Sub(at[i-1]); d < checkpointEvery {
				t.Errorf("a checkpoint after %v", d)
			}
		}
	})
}
