package imapsession

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/store"
)

// TestTheMonitorHelps: where much is missing, the monitor fetches headers too, each
// connection others, and whatever else is its to do comes first.
func TestTheMonitorHelps(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const n = 12_000
		srv := newFake(t, n)
		srv.on = slowly
		cache := newFakeCache()
		f, _ := start(t, fillConfig(srv, cache))
		f.live(1)
		f.untilLong("it is under way", time.Minute, func() bool { return cache.filled() > 2000 })
		f.untilLong("the flags are known", time.Minute, func() bool { return f.unseen.Known })
		if len(headerFetches(srv.saidBy(1))) == 0 {
			t.Fatal("the monitor does not help")
		}
		for i := range 10 {
			time.Sleep(137 * time.Millisecond)
			f.mu.Lock()
			began, unread := time.Now(), f.unseen.N
			f.mu.Unlock()
			if r := f.do(StoreFlags{Target: f.target(store.UID(n - 100 + i)), Add: []string{`\Seen`}}); r.Err != nil {
				t.Error(r.Err)
			}
			if d := time.Since(began); d > 2*helpFor {
				t.Errorf("a command waited %v", d)
			}
			f.untilLong("the unread count is told", fillTurn+100*time.Millisecond, func() bool { return f.unseen.N == unread-1 })
		}
		began := time.Now()
		srv.arriveOn(1)
		f.untilLong("what arrives is told", 2*time.Second, func() bool { return f.list.Len() == n+1 && f.summaries[n+1] != nil })
		if d := time.Since(began); d > 100*time.Millisecond {
			t.Errorf("it was told after %v", d)
		}
		f.untilLong("everything is kept", time.Minute, func() bool { return cache.filled() == n+1 })
		asked := make([]int, n+2)
		for _, set := range headerFetches(srv.said("")) {
			for part := range strings.SplitSeq(set, ",") {
				lo, hi := 0, 0
				if got, _ := fmt.Sscanf(part, "%d:%d", &lo, &hi); got == 1 {
					hi = lo
				}
				for u := lo; u <= hi; u++ {
					asked[u]++
				}
			}
		}
		for u, times := range asked {
			if times > 1 {
				t.Fatalf("message %d was asked for %d times", u, times)
			}
		}
		for i, ev := range f.progress[1:] {
			if ev.Done < f.progress[i].Done {
				t.Errorf("progress goes back: %+v after %+v", ev, f.progress[i])
			}
		}
		f.inStep(srv)
	})
}

// TestTheMonitorHelpsNoMoreWhereLinksBreak: a message over which links break takes the
// monitor's once at most, and not at all where the worker's was first.
func TestTheMonitorHelpsNoMoreWhereLinksBreak(t *testing.T) {
	for _, bad := range []uint32{8_900, 6_543, 3} {
		bubble(t, func(t *testing.T) {
			const n = 9_000
			srv := newFake(t, n)
			cache := newFakeCache()
			var broke [3]int // by the first monitor, by later ones, by workers
			srv.on = func(c *fakeConn, tag, cmd string) bool {
				slowly(c, tag, cmd)
				if len(headerFetches([]string{cmd})) == 0 || !inSet(strings.Fields(cmd)[2], bad, 0) {
					return false
				}
				srv.with(func() {
					monitor := slices.ContainsFunc(c.said, func(s string) bool { return s == "IDLE" || strings.HasPrefix(s, "SELECT") })
					switch {
					case !monitor:
						broke[2]++
					case c.n == 1:
						broke[0]++
					default:
						broke[1]++
					}
				})
				c.send("* BYE Internal error")
				c.conn.Close()
				return true
			}
			f, _ := start(t, fillConfig(srv, cache))
			f.live(1)
			f.untilLong("all others are kept", time.Hour, func() bool { return cache.filled() == n-1 })
			if cache.summaries[store.UID(bad)] != nil {
				t.Error("the bad one is kept")
			}
			srv.with(func() {
				if broke[0] > 1 || broke[1] > 0 || broke[2] == 0 {
					t.Errorf("message %d: the links of the first monitor broke %d times, of others %d, of workers %d", bad, broke[0], broke[1], broke[2])
				}
			})
			f.inStep(srv)
		})
	}
}
