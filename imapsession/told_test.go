package imapsession

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tidings/store"
)

// Killed at any point, between telling and recording too, with a cache of any age
// or none: every message is told of, and of those that were recorded as told none
// ever again.
func TestToldAcrossKills(t *testing.T) {
	for seed := range uint64(20) {
		bubble(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 11))
			caps := []string{"", "CONDSTORE", "CONDSTORE QRESYNC"}[seed%3]
			srv := newModFake(t, 80, caps)
			kept := newFakeCache()
			mark := store.UID(80) // everything until now; UIDs have no gaps here
			runs := 12
			for run := range runs {
				kept.dying, kept.left = rng.IntN(2) == 0, rng.IntN(4)
				if rng.IntN(6) == 0 {
					kept = newFakeCache() // deleted
				}
				last := run == runs-1
				var commands atomic.Int64
				commands.Store(rng.Int64N(14))
				if last {
					commands.Store(1 << 30)
				}
				honest := srv.answerMods
				srv.with(func() {
					srv.on = func(c *fakeConn, tag, cmd string) bool {
						if commands.Add(-1) < 0 {
							c.conn.Close()
							return true
						}
						return honest(c, tag, cmd)
					}
				})
				cfg := srv.config()
				cfg.Cache = kept
				cfg.Told = func(store.Place) (store.UID, bool) { return mark, true }
				f, stop := start(t, cfg)
				for range rng.IntN(4) {
					time.Sleep(time.Duration(rng.IntN(3000)) * time.Millisecond)
					srv.with(func() { srv.deliver(1 + rng.IntN(3)*rng.IntN(60)) })
					if c, n := srv.newest(); c != nil && rng.IntN(2) == 0 {
						c.send("* " + itoa(n) + " EXISTS")
					}
				}
				if last {
					f.live(1)
					srv.idling(t).conn.Close() // what it was not told of is found now
					f.live(2)
				}
				time.Sleep(time.Duration(rng.IntN(2000)) * time.Millisecond)
				synctest.Wait()
				stop()
				newest := store.UID(srv.next - 1)
				told := mark
				for i, ev := range f.newMail {
					for _, u := range ev.UIDs {
						if u <= told || u > told+store.UID(ev.Count) {
							t.Errorf("seed %d, run %d: message %d is told of behind %d, with %d others", seed, run, u, told, ev.Count)
						}
					}
					told += store.UID(ev.Count)
					if i < len(f.newMail)-1 || rng.IntN(3) > 0 {
						mark = told // else killed in between: this batch comes again
					}
				}
				if told > newest || last && told != newest {
					t.Fatalf("seed %d, run %d: told of %d of %d messages", seed, run, told, newest)
				}
				if t.Failed() {
					t.FailNow()
				}
			}
		})
	}
}

// newest is the newest connection, nil if it is not in IDLE, and how many messages
// there are.
func (s *fakeServer) newest() (*fakeConn, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.conns); n > 0 && s.conns[n-1].idle != "" {
		return s.conns[n-1], len(s.rows)
	}
	return nil, len(s.rows)
}
