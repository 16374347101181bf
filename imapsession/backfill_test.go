package imapsession

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tidings/internal/testserver"
	"tidings/store"
)

// fillConfig is a Config under which the cache is filled.
func fillConfig(srv *fakeServer, cache *fakeCache) Config {
	cfg := srv.config()
	cfg.Cache, cfg.Backfill = cache, -1
	return cfg
}

func (c *fakeCache) filled() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.summaries)
}

// headerFetches are the ranges of UIDs that a connection asked headers of.
func headerFetches(said []string) []string {
	var out []string
	for _, cmd := range said {
		if strings.HasPrefix(cmd, "UID FETCH") && strings.Contains(cmd, "HEADER.FIELDS") && !strings.Contains(cmd, "FLAGS") {
			out = append(out, strings.Fields(cmd)[2])
		}
	}
	return out
}

func TestCacheIsFilledByTheWorker(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 5000)
		cache := newFakeCache()
		f, _ := start(t, fillConfig(srv, cache))
		f.live(1)
		f.untilLong("everything is kept", time.Minute, func() bool { return cache.filled() == 5000 })
		synctest.Wait()
		if sum := cache.summaries[1234]; sum.Subject.String() != "Letter 1234" || sum.Size != int64(fakeSize(1234)) || sum.Internal.IsZero() {
			t.Errorf("summary %+v", sum)
		}
		if said := headerFetches(srv.saidBy(1)); len(said) > 0 {
			t.Errorf("the monitor asked for %v", said)
		}
		ranges := headerFetches(srv.saidBy(2))
		if len(ranges) == 0 || !strings.HasSuffix(ranges[0], ":4940") || !strings.HasPrefix(ranges[len(ranges)-1], "1:") {
			t.Errorf("not newest first, or not what was missing: %v", ranges)
		}
		if said := strings.Join(srv.saidBy(2), "\n"); strings.Contains(said, "SELECT") || strings.Contains(said, "BODY[") {
			t.Errorf("the worker said\n%s", said)
		}
		if len(f.progress) == 0 {
			t.Fatal("no progress was told")
		}
		last := f.progress[len(f.progress)-1]
		if last.ID != 0 || !last.Ended || last.Done != 5000 || last.Total != 5000 {
			t.Errorf("at last %+v", last)
		}
		for i, ev := range f.progress[1:] {
			if ev.Done < f.progress[i].Done {
				t.Errorf("progress goes back: %+v after %+v", ev, f.progress[i])
			}
		}
		f.inStep(srv)

		// Nothing is missing: nothing more is asked, and nothing told.
		n, told := len(ranges), len(f.progress)
		for range 3 {
			srv.arriveOn(1)
			time.Sleep(time.Minute)
			synctest.Wait()
		}
		if got := headerFetches(srv.said("")); len(got) != n || len(f.progress) != told {
			t.Errorf("later it asked for %v and told %+v", got[n:], f.progress[told:])
		}
		if cache.filled() != 5003 {
			t.Errorf("%d summaries are kept", cache.filled())
		}
	})
}

func TestFillingLooksOnlyForWhatIsMissing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 3000)
		cache := newFakeCache()
		for u := store.UID(1); u <= 3000; u++ {
			// The newest comes with the monitor's first rows, which may be kept
			// before or after the filling looks.
			if u%1000 > 10 || u == 3000 {
				cache.summaries[u] = &store.Summary{UID: u}
			}
		}
		cache.kept.UIDValidity = srv.validity
		f, _ := start(t, fillConfig(srv, cache))
		f.live(1)
		f.untilLong("everything is kept", time.Minute, func() bool { return cache.filled() == 3000 })
		synctest.Wait()
		got := headerFetches(srv.saidBy(2))
		if want := []string{"2000:2010,1000:1010,1:10"}; !slices.Equal(got, want) {
			t.Errorf("it asked for %v, not %v", got, want)
		}
	})
}

func TestFillingWithOneConnection(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 5000)
		trash := withTrash(srv, 3)
		cache := newFakeCache()
		cfg := fillConfig(srv, cache)
		cfg.Connections = 1
		f, _ := start(t, cfg)
		f.live(1)
		if r := f.do(StoreFlags{Target: f.target(4999), Add: []string{`\Seen`}}); r.Err != nil {
			t.Error(r.Err)
		}
		if r := f.do(StoreFlags{Target: inTrash(3), Add: []string{`\Seen`}}); r.Err != nil || trash.rows[2].flags != `\Seen` {
			t.Error(r.Err)
		}
		f.untilLong("everything is kept", time.Minute, func() bool { return cache.filled() == 5000 })
		srv.idling(t)
		if len(srv.conns) != 1 {
			t.Errorf("%d connections", len(srv.conns))
		}
		f.inStep(srv)
	})
}

func TestFillingGivesCommandsTheirTurn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 20000)
		withTrash(srv, 3)
		srv.on = slowly // 1,000 a second
		f, stop := start(t, fillConfig(srv, newFakeCache()))
		f.live(1)
		time.Sleep(5 * time.Second) // it is under way
		for range 10 {
			time.Sleep(137 * time.Millisecond)
			began := time.Now()
			if r := f.do(StoreFlags{Target: inTrash(3), Add: []string{`\Seen`}}); r.Err != nil {
				t.Error(r.Err)
			}
			if d := time.Since(began); d > 75*time.Millisecond {
				t.Errorf("a command waited %v", d)
			}
		}
		f.mu.Lock()
		told := slices.Clone(f.progress)
		f.mu.Unlock()
		stop()
		for _, c := range srv.conns {
			<-c.ended
		}
		ev := told[len(told)-1] // the monitor helps
		if ev.Rate < 1500 || ev.Rate > 2500 || ev.Left <= 0 || ev.Ended {
			t.Errorf("progress %+v", ev)
		}
		for _, ev := range told {
			if ev.Total != 20000 {
				t.Errorf("progress %+v", ev)
			}
		}
	})
}

// slowly has each header that is asked for take a millisecond, on each connection.
func slowly(_ *fakeConn, _, cmd string) bool {
	if strings.HasPrefix(cmd, "UID FETCH") && strings.Contains(cmd, "HEADER.FIELDS") {
		for part := range strings.SplitSeq(strings.Fields(cmd)[2], ",") {
			lo, hi := 0, 0
			if n, _ := fmt.Sscanf(part, "%d:%d", &lo, &hi); n == 2 {
				time.Sleep(time.Duration(hi-lo) * time.Millisecond)
			}
			time.Sleep(time.Millisecond)
		}
	}
	return false
}

// A server says nothing of messages that it has not told a connection of yet.
// They are asked for again, once: others may be gone.
func TestFillingMessagesThatTheWorkerWasNotToldOf(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 3000)
		cache := newFakeCache()
		told := false
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			switch {
			case c.n == 1:
			case cmd == "NOOP" && len(headerFetches(srv.saidBy(2))) > 0:
				told = true
			case !told && strings.HasPrefix(cmd, "UID FETCH"):
				c.send(tag + " OK done")
				return true
			case strings.HasPrefix(cmd, "UID FETCH") && inSet(strings.Fields(cmd)[2], 777, 0):
				set := strings.Fields(cmd)[2]
				srv.mu.Lock()
				defer srv.mu.Unlock()
				for _, r := range srv.rows {
					if r.uid != 777 && inSet(set, r.uid, 0) {
						c.send(fmt.Sprintf("* %d FETCH (UID %d RFC822.SIZE 9 BODY[HEADER.FIELDS (SUBJECT)] {2}\r\n\r\n)", r.uid, r.uid))
					}
				}
				c.send(tag + " OK done")
				return true
			}
			return false
		}
		f, _ := start(t, fillConfig(srv, cache))
		f.live(1)
		f.untilLong("all that can be had is kept", time.Minute, func() bool { return cache.filled() == 2999 })
		time.Sleep(time.Minute)
		synctest.Wait()
		asked := 0
		for _, set := range headerFetches(srv.saidBy(2)) {
			if inSet(set, 777, 0) {
				asked++
			}
		}
		if asked != 2 || cache.summaries[777] != nil {
			t.Errorf("message 777 was asked for %d times", asked)
		}
		if last := f.progress[len(f.progress)-1]; !last.Ended {
			t.Errorf("at last %+v", last)
		}
	})
}

func TestFillingSurvivesABadMessage(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 3000)
		cache := newFakeCache()
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			if c.n > 1 && strings.HasPrefix(cmd, "UID FETCH") && inSet(strings.Fields(cmd)[2], 777, 0) {
				c.send("* BYE Internal error")
				c.conn.Close()
				return true
			}
			return false
		}
		f, _ := start(t, fillConfig(srv, cache))
		f.live(1)
		f.untilLong("all others are kept", time.Hour, func() bool { return cache.filled() == 2999 })
		if cache.summaries[777] != nil || cache.summaries[776] == nil {
			t.Error("the wrong one was left out")
		}
		synctest.Wait()
		if n := len(f.states); f.last().State != Live || len(f.resyncs) > 2 { // the second tells the UIDs learnt
			t.Errorf("the monitor suffered: %d states, %d resyncs", n, len(f.resyncs))
		}
		if n := len(srv.conns); n > 10 {
			t.Errorf("%d connections", n)
		}
	})
}

func TestFillingGoesOnAfterAReconnect(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 20000)
		cache := newFakeCache()
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			if strings.HasPrefix(cmd, "UID FETCH") && strings.Contains(cmd, "HEADER.FIELDS") {
				time.Sleep(20 * time.Millisecond)
			}
			return false
		}
		f, _ := start(t, fillConfig(srv, cache))
		f.live(1)
		time.Sleep(200 * time.Millisecond)
		srv.with(func() {
			for _, c := range srv.conns {
				c.conn.Close()
			}
		})
		f.live(2)
		f.untilLong("everything is kept", time.Hour, func() bool { return cache.filled() == 20000 })
		f.inStep(srv)
	})
}

func TestFillingBackToADate(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 3000)
		cache := newFakeCache()
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			if !strings.Contains(cmd, " SINCE ") {
				return false
			}
			if !strings.Contains(cmd, `SINCE "3-Oct-1999"`) { // synctest's clock is at 2000-01-01
				t.Errorf("it said %s", cmd)
			}
			c.send(fmt.Sprintf(`* ESEARCH (TAG "%s") UID ALL 17,2001:3000`, tag), tag+" OK done")
			return true
		}
		cfg := fillConfig(srv, cache)
		cfg.Backfill = 90 * 24 * time.Hour
		f, _ := start(t, cfg)
		f.live(1)
		f.untilLong("what is new enough is kept", time.Minute, func() bool { return cache.filled() == 1001 })
		time.Sleep(time.Minute)
		synctest.Wait()
		if cache.filled() != 1001 || cache.summaries[17] == nil {
			t.Errorf("%d are kept", cache.filled())
		}
		if last := f.progress[len(f.progress)-1]; last.Done != 1001 || last.Total != 1001 || !last.Ended {
			t.Errorf("at last %+v", last)
		}
	})
}

func TestFillingIsOff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 3000)
		cache := newFakeCache()
		cfg := fillConfig(srv, cache)
		cfg.Backfill = 0
		f, _ := start(t, cfg)
		f.live(1)
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := cache.filled(); n > 100 || len(srv.conns) != 1 || len(f.progress) != 0 {
			t.Errorf("%d are kept, %d connections", n, len(srv.conns))
		}
	})
}

func TestQuitWhileFilling(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 3000)
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			return c.n == 2 && strings.HasPrefix(cmd, "UID FETCH")
		}
		f, stop := start(t, fillConfig(srv, newFakeCache()))
		f.live(1)
		time.Sleep(time.Second)
		synctest.Wait()
		if len(headerFetches(srv.saidBy(2))) == 0 {
			t.Fatal("it is not filling")
		}
		began := time.Now()
		stop()
		if d := time.Since(began); d > 150*time.Millisecond {
			t.Errorf("it took %v", d)
		}
	})
}

// On Dovecot the cache ends up with every header, with one connection and with
// two, and where links are cut meanwhile.
func TestFillingFromDovecot(t *testing.T) {
	srv := testserver.Dovecot(t)
	const n = 3000
	srv.Fill(t, "INBOX", n, func(i int) testserver.Mail { return testserver.Mail{Raw: testserver.Letter(i)} })
	for _, test := range []struct {
		name        string
		connections int
		cut         int64
	}{
		{"two connections", 2, 0},
		{"one connection", 1, 0},
		{"links are cut", 2, 100_000},
	} {
		t.Run(test.name, func(t *testing.T) {
			link := testserver.NewLink(t, srv.Addr)
			cache := newFakeCache()
			cfg := configFor(t, link.Addr(), srv.User, srv.Password)
			cfg.Cache, cfg.Backfill, cfg.Connections = cache, -1, test.connections
			if test.cut > 0 {
				link.CutAfter(testserver.ToClient, test.cut)
			}
			f, _ := start(t, cfg)
			if test.cut > 0 {
				f.untilLong("a broken link", time.Minute, func() bool { return f.last().State == Waiting })
				link.Heal()
				f.s.Retry(true)
			}
			f.untilLong("everything is kept", time.Minute, func() bool { return cache.filled() == n })
			for i := range n {
				sum := cache.summaries[store.UID(i+1)]
				if sum == nil || sum.Subject.String() != fmt.Sprintf("Letter %d", i) || sum.Size == 0 || sum.Internal.IsZero() || len(sum.From) != 1 {
					t.Fatalf("message %d: %+v", i+1, sum)
				}
			}
			if want := test.connections; test.cut == 0 && link.Conns() != want {
				t.Errorf("%d connections, not %d", link.Conns(), want)
			}
		})
	}
	t.Run("many arrive meanwhile", func(t *testing.T) {
		cache := newFakeCache()
		cfg := configFor(t, srv.Addr, srv.User, srv.Password)
		cfg.Cache, cfg.Backfill = cache, -1
		f, _ := start(t, cfg)
		f.untilLong("everything is kept", time.Minute, func() bool { return cache.filled() == n })
		srv.Fill(t, "INBOX", 700, func(i int) testserver.Mail { return testserver.Mail{Raw: testserver.Letter(n + i)} })
		f.untilLong("the new ones are kept", time.Minute, func() bool { return cache.filled() == n+700 })
	})
	for _, row := range srv.Rows(t, "INBOX") {
		if len(row.Flags) > 0 {
			t.Fatalf("message %d was changed: %v", row.UID, row.Flags)
		}
	}
}

// TestFillingBeginsBesideTheFirstRows: where the cache has nothing, the worker does
// not wait until the monitor has read its first rows.
func TestFillingBeginsBesideTheFirstRows(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 5000)
		cache := newFakeCache()
		filled := make(chan struct{})
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			if c.n == 1 && strings.HasPrefix(cmd, "FETCH") {
				<-filled // the first rows take as long as all the rest
			}
			return false
		}
		f, _ := start(t, fillConfig(srv, cache))
		f.untilLong("everything is kept", time.Minute, func() bool { return cache.filled() == 4940 })
		if len(f.resyncs) > 0 {
			t.Error("the monitor was not held up")
		}
		close(filled)
		f.live(1)
		f.untilLong("the first rows are kept, too", time.Minute, func() bool { return cache.filled() == 5000 })
		if got := headerFetches(srv.saidBy(2)); !strings.HasSuffix(got[0], ":4940") {
			t.Errorf("it began with %s", got[0])
		}
		f.inStep(srv)
	})
}

// TestProgressCountsWhatIsLacking: what a filling began with is a part of the
// mailbox; when the monitor has all of it, that is not taken for filled.
func TestProgressCountsWhatIsLacking(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const n = fillLead + 6000
		srv := newFake(t, n)
		cache := newFakeCache()
		begun := make(chan struct{})
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			if c.n == 1 && strings.HasPrefix(cmd, "FETCH") {
				<-begun
			}
			if c.n == 2 && strings.HasPrefix(cmd, "UID FETCH") {
				var lo, hi int
				if n, _ := fmt.Sscanf(strings.Fields(cmd)[2], "%d:%d", &lo, &hi); n == 2 {
					time.Sleep(time.Duration(hi-lo+1) * 100 * time.Microsecond) // progress is told, at times
				}
			}
			return false
		}
		f, _ := start(t, fillConfig(srv, cache))
		f.untilLong("some headers are kept", time.Minute, func() bool { return cache.filled() > 500 && len(f.progress) > 0 })
		if len(f.resyncs) > 0 {
			t.Error("the monitor was not held up")
		}
		close(begun)
		f.live(1)
		f.untilLong("everything is kept", time.Minute, func() bool { return cache.filled() == n })
		f.untilLong("the end is told", time.Minute, func() bool {
			return len(f.progress) > 0 && f.progress[len(f.progress)-1].Ended
		})
		for i, ev := range f.progress[1:] {
			if ev.Done < f.progress[i].Done {
				t.Errorf("progress goes back: %+v after %+v", ev, f.progress[i])
			}
		}
		if last := f.progress[len(f.progress)-1]; last.Done != n || last.Total != n {
			t.Errorf("at last %+v", last)
		}
	})
}

// TestFillingLeavesAServerThatBreaksAlone: a server that breaks the link before a
// header was asked for is not connected to again and again.
func TestFillingLeavesAServerThatBreaksAlone(t *testing.T) {
	for _, at := range []string{"EXAMINE", "UID SEARCH", "NOOP"} {
		t.Run(at, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 500)
				srv.on = func(c *fakeConn, _, cmd string) bool {
					if c.n > 1 && strings.HasPrefix(cmd, at) {
						c.conn.Close()
						return true
					}
					return false
				}
				f, _ := start(t, fillConfig(srv, newFakeCache()))
				f.live(1)
				time.Sleep(time.Minute)
				synctest.Wait()
				if n := len(srv.conns); n < 2 || n > 9 { // after 2, 4, 8 ... seconds
					t.Errorf("%d connections in a minute", n)
				}
				if f.last().State != Live || len(f.states) > 6 {
					t.Errorf("the monitor suffered: %+v", f.states)
				}
			})
		})
	}
}
