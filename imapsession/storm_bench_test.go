package imapsession

import (
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"testing"

	"tidings/imapsession/wire"
	"tidings/store"
)

// stormy is a session's side of a storm: the list of a large mailbox, the Box
// with a listener that keeps pace in batches as ui does, and a cache that gets
// Checkpoints.
type stormy struct {
	s     *Session
	l     *link
	cache *fakeCache
	model *store.List
	epoch uint32
}

func newStormy(tb testing.TB, n int) *stormy {
	tb.Helper()
	cache := newFakeCache()
	cfg := Config{Cache: cache, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	s := New(cfg)
	var b store.Builder
	for i := range n {
		if err := b.Add(store.Row{UID: store.UID(2*i + 1), Flags: store.NoFlags | store.Flags(i%2)}); err != nil {
			tb.Fatal(err)
		}
	}
	s.list, s.uidValidity, s.selected, s.silent = b.List(), 7, true, false
	s.freshFrom, s.epoch = n, 1
	s.keep()
	return &stormy{s: s, l: &link{s: s, m: &s.mailbox, opened: true}, cache: cache, model: s.list.Snapshot(), epoch: 1}
}

// take gives a wire event to the session.
func (st *stormy) take(ev wire.Event) { st.l.apply(ev) }

// pass lets the listener take what waits, and the cache.
func (st *stormy) pass(tb testing.TB) {
	st.s.checkpoint()
	for {
		evs := st.s.box.take(2048)
		if evs == nil {
			return
		}
		for _, ev := range evs {
			switch ev := ev.(type) {
			case ResyncEvent:
				st.model, st.epoch = ev.List, ev.Epoch
			case ListEvent:
				if ev.Epoch != st.epoch {
					continue
				}
				if _, err := st.model.Apply(ev.Change); err != nil {
					tb.Fatal(err)
				}
			}
		}
	}
}

// storm expunges k rows at random, one by one or as ranges of UIDs. What comes at
// once before the listener gets a turn is burst events.
func (st *stormy) storm(tb testing.TB, k int, ranges bool, burst int) {
	rng := rand.New(rand.NewPCG(3, 4))
	n := st.s.list.Len()
	for done := 0; done < k; {
		if !ranges {
			st.take(wire.Event{Kind: wire.KindExpunge, Num: uint32(1 + rng.IntN(n-done))})
			done++
		} else {
			// A stretch of the list, as one VANISHED names it.
			m := min(100, k-done)
			from := rng.IntN(n - done - m + 1)
			var uids []wire.UIDRange
			st.s.list.Known(from, from+m, func(_ int, r store.Row) bool {
				uids = append(uids, wire.UIDRange{Lo: uint32(r.UID), Hi: uint32(r.UID)})
				return true
			})
			st.take(wire.Event{Kind: wire.KindVanished, UIDs: uids})
			done += m
		}
		if done%burst == 0 {
			st.pass(tb)
		}
	}
	st.pass(tb)
}

// A tenth of a mailbox goes, in the session, the model and the cache's copy.
func BenchmarkExpungeStorm(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000, 1_000_000} {
		for _, form := range []string{"one by one", "VANISHED"} {
			for _, burst := range []int{2_000, 100_000} {
				b.Run(fmt.Sprintf("%d, %s, bursts of %d", n, form, burst), func(b *testing.B) {
					k := n / 10
					for range b.N {
						b.StopTimer()
						st := newStormy(b, n)
						runtime.GC()
						b.StartTimer()
						st.storm(b, k, form == "VANISHED", burst)
					}
					b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/storm")
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*k), "ns/expunge")
					b.ReportMetric(0, "ns/op")
				})
			}
		}
	}
}

// All three copies agree after a storm, and take what they may: 16 bytes a row in
// the session and the model together after a load, 24 after a storm, with a third
// copy in the cache's hands.
func TestStormOfCopies(t *testing.T) {
	n := 1_000_000
	if testing.Short() {
		n = 100_000
	}
	for _, form := range []string{"one by one", "VANISHED"} {
		t.Run(form, func(t *testing.T) {
			before := heap()
			st := newStormy(t, n)
			loaded := float64(heap()-before) / float64(n)
			st.storm(t, n/10, form == "VANISHED", 20_000)
			st.s.keep()
			left := st.s.list.Len()
			after := float64(heap()-before) / float64(left)
			t.Logf("%d rows: %.1f bytes a row in all copies after the load, %.1f after the storm", n, loaded, after)
			if loaded > 16 || after > 24 {
				t.Errorf("%.1f and %.1f bytes a row", loaded, after)
			}
			if left != n-n/10 || !st.model.Equal(st.s.list) || !st.cache.checkpoint().List.Equal(st.s.list) {
				t.Errorf("the copies differ: %d, %d rows", left, st.model.Len())
			}
		})
	}
}

// heap is what is in use, garbage collected.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
