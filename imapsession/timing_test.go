package imapsession

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// bubble runs a test of timing under virtual time.
func bubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	inBubble = true
	defer func() { inBubble = false }()
	synctest.Test(t, func(t *testing.T) { test(t) })
}

// inBubble tells that a test runs under virtual time; tests run one by one.
var inBubble bool

func TestSilentLinkIsProbed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 3)
		f, _ := start(t, srv.config())
		f.live(1)
		synctest.Wait()
		began := time.Now()
		for range 5 {
			time.Sleep(61 * time.Second)
			synctest.Wait()
		}
		if n := len(srv.said("DONE")); n < 5 {
			t.Errorf("IDLE was left %d times in %v of silence", n, time.Since(began))
		}
		if n := len(srv.conns); n != 1 {
			t.Errorf("%d connections to a server that answers every probe", n)
		}
		if age := time.Since(f.s.LastSign()); age > 60*time.Second {
			t.Errorf("the last sign of life is %v old", age)
		}
	})
}

func TestSwallowedLineIsKnownDeadWithin70Seconds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 3)
		var deaf atomic.Bool
		srv.on = func(c *fakeConn, tag, cmd string) bool { return deaf.Load() && c.n == 1 }
		f, _ := start(t, srv.config())
		f.live(1)
		synctest.Wait()
		deaf.Store(true)
		srv.arrive(false)
		lastByte := f.s.LastSign()
		f.live(2)
		if took := time.Since(lastByte); took > 70*time.Second {
			t.Errorf("it took %v to replace a line that swallows everything", took)
		}
		want := "Letter 4"
		f.until("the mail that came meanwhile", func() bool {
			for _, s := range f.summaries {
				if s.Subject.String() == want {
					return true
				}
			}
			return false
		})
		if len(f.newMail) != 1 || !f.newMail[0].Gap || f.newMail[0].Count != 1 {
			t.Errorf("new mail of the gap: %+v", f.newMail)
		}
		if !strings.Contains(reasons(f), "stopped answering") {
			t.Errorf("reasons: %s", reasons(f))
		}
	})
}

func reasons(f *follower) string {
	var b strings.Builder
	for _, st := range f.states {
		b.WriteString(st.State.String() + ": " + st.Reason.String() + "; ")
	}
	return b.String()
}

func TestIdleIsRenewed(t *testing.T) {
	for _, test := range []struct {
		name string
		caps string
		most time.Duration
	}{
		{"everywhere", fakeCaps, 9 * time.Minute},
		{"at Gmail", fakeCaps + " X-GM-EXT-1", 4 * time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 1)
				srv.setCaps(test.caps)
				var renewed []time.Time
				srv.on = func(c *fakeConn, tag, cmd string) bool {
					if cmd == "IDLE" {
						renewed = append(renewed, time.Now())
					}
					return false
				}
				cfg := srv.config()
				cfg.Probe = time.Hour
				cfg.MaxAge = 100 * time.Hour
				f, stop := start(t, cfg)
				f.live(1)
				time.Sleep(time.Hour)
				stop()
				for i := 1; i < len(renewed); i++ {
					if d := renewed[i].Sub(renewed[i-1]); d > test.most+time.Second {
						t.Errorf("an IDLE lasted %v", d)
					}
				}
				if len(renewed) < 6 {
					t.Errorf("IDLE was entered %d times in an hour", len(renewed))
				}
			})
		})
	}
}

func TestSleepIsNoticed(t *testing.T) {
	for _, slept := range []time.Duration{clockJump + time.Second, 8 * time.Hour} {
		t.Run(slept.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 1)
				var deaf atomic.Bool
				srv.on = func(c *fakeConn, tag, cmd string) bool { return deaf.Load() && c.n == 1 }
				var asleep atomic.Int64
				cfg := srv.config()
				cfg.Wall = func() time.Time { return time.Now().Round(0).Add(time.Duration(asleep.Load())) }
				f, _ := start(t, cfg)
				f.live(1)
				synctest.Wait()
				deaf.Store(true)
				time.Sleep(time.Second)
				woke := time.Now()
				asleep.Store(int64(slept))
				f.live(2)
				// The clocks are compared every 10 s; the probe has 5 s.
				if d := time.Since(woke); d > 15*time.Second {
					t.Errorf("%v after waking the dead link was replaced", d)
				}
			})
		})
	}
}

func TestMaxAgeReplacesTheConnection(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 5)
		cfg := srv.config()
		cfg.MaxAge = time.Hour
		f, _ := start(t, cfg)
		f.live(1)
		began := time.Now()
		f.untilLong("the connection was replaced", 2*time.Hour, func() bool { return len(f.resyncs) == 2 })
		if d := time.Since(began); d < 59*time.Minute || d > 62*time.Minute {
			t.Errorf("the connection was replaced after %v", d)
		}
		for _, st := range f.states {
			if st.State == Waiting || st.Fatal || !st.Reason.IsEmpty() {
				t.Errorf("a planned renewal looks like trouble: %+v", st)
			}
		}
		if r := f.resyncs[1]; r.Arrived != 0 || len(r.Gone) != 0 || len(r.Changed) != 0 || r.Reload {
			t.Errorf("a renewal changed the list: %+v", r)
		}
		if n := len(srv.said("LOGOUT")); n != 1 {
			t.Errorf("%d LOGOUTs", n)
		}
	})
}

func TestPoll(t *testing.T) {
	for _, test := range []struct {
		name string
		caps string
		mode Watch
		note string
	}{
		{"because the config says so", fakeCaps, WatchPoll, ""},
		{"because there is no IDLE", strings.ReplaceAll(fakeCaps, " IDLE", ""), WatchIdle, "no IDLE"},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 1)
				srv.setCaps(test.caps)
				srv.on = func(c *fakeConn, tag, cmd string) bool {
					if cmd == "NOOP" {
						srv.mu.Lock()
						n := len(srv.rows)
						srv.mu.Unlock()
						c.send("* "+itoa(n)+" EXISTS", tag+" OK done")
						return true
					}
					return false
				}
				cfg := srv.config()
				cfg.Watch = test.mode
				cfg.Poll = 30 * time.Second
				f, _ := start(t, cfg)
				f.live(1)
				if st := f.state(); st.Watch != WatchPoll || !strings.Contains(st.Reason.String(), test.note) {
					t.Errorf("state %+v", st)
				}
				srv.arrive(false)
				began := time.Now()
				f.untilLong("new mail", time.Minute, func() bool { return len(f.newMail) == 1 })
				if d := time.Since(began); d > 31*time.Second {
					t.Errorf("new mail was noticed after %v", d)
				}
				if n := len(srv.said("IDLE")); n != 0 {
					t.Errorf("IDLE was sent")
				}
			})
		})
	}
}

func TestVisit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 2)
		cfg := srv.config()
		cfg.Watch = WatchVisit
		cfg.Poll = 5 * time.Minute
		f, _ := start(t, cfg)
		f.until("between visits", func() bool { return f.last().State == BetweenVisits })
		synctest.Wait()
		if !f.unseen.Known || f.unseen.N != 2 {
			t.Errorf("unread after a visit: %+v", f.unseen)
		}
		select {
		case <-srv.last().ended:
		default:
			t.Error("the connection is open between visits")
		}
		srv.arrive(false)
		began := time.Now()
		f.untilLong("new mail", time.Hour, func() bool { return len(f.newMail) == 1 })
		if d := time.Since(began); d < 4*time.Minute || d > 6*time.Minute {
			t.Errorf("the next visit came after %v", d)
		}
		f.until("between visits", func() bool { return f.last().State == BetweenVisits })
		// A command does not wait for the next visit.
		began = time.Now()
		if r := f.do(StoreFlags{Target: f.target(1), Add: []string{"\\Seen"}}); r.Err != nil || time.Since(began) > time.Second {
			t.Errorf("a command between visits: %v after %v", r.Err, time.Since(began))
		}
	})
}

func TestBackoff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 1)
		srv.dialErr = errNoNetwork
		f, _ := start(t, srv.config())
		time.Sleep(50 * time.Minute)
		synctest.Wait()
		srv.with(func() {
			// 1+2+4+8+16+32 s, then a minute each, up to a quarter less.
			if srv.dials < 50 || srv.dials > 75 {
				t.Errorf("%d attempts in 50 minutes", srv.dials)
			}
		})
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		srv.with(func() { srv.dials = 0 })
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		srv.with(func() {
			if srv.dials < 11 || srv.dials > 17 {
				t.Errorf("%d attempts in two hours, long after", srv.dials)
			}
			srv.dialErr = nil
		})
		began := time.Now()
		f.s.Retry(false)
		f.live(1)
		if time.Since(began) > 0 {
			t.Errorf("a key tried after %v", time.Since(began))
		}
	})
}

func TestServersBackoffIsObeyed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 1)
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			if c.n == 1 && strings.HasPrefix(cmd, "AUTHENTICATE") {
				c.send(tag + " NO Request is throttled. Suggested Backoff Time: 299961 milliseconds")
				return true
			}
			return false
		}
		f, _ := start(t, srv.config())
		began := time.Now()
		f.until("waiting", func() bool { return f.last().State == Waiting })
		f.s.Retry(false)
		f.untilLong("live", time.Hour, func() bool { return f.last().State == Live })
		if d := time.Since(began); d < 299961*time.Millisecond || d > 301*time.Second {
			t.Errorf("the server asked for five minutes and got %v", d)
		}
	})
}

func TestKeyCutsAWaitShortAtMostEvery10Seconds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 1)
		srv.dialErr = errNoNetwork
		f, _ := start(t, srv.config())
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		srv.with(func() { srv.dials = 0 })
		for range 100 {
			f.s.Retry(false)
			time.Sleep(100 * time.Millisecond)
		}
		synctest.Wait()
		srv.with(func() {
			if srv.dials < 1 || srv.dials > 3 {
				t.Errorf("100 keys in 10 s made %d attempts", srv.dials)
			}
		})
	})
}

func TestPollingLinkIsProbed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 3)
		var deaf atomic.Bool
		srv.on = func(c *fakeConn, tag, cmd string) bool { return deaf.Load() && c.n == 1 }
		cfg := srv.config()
		cfg.Watch, cfg.Poll = WatchPoll, 10*time.Minute
		f, _ := start(t, cfg)
		f.live(1)
		synctest.Wait()
		deaf.Store(true)
		lastByte := f.s.LastSign()
		f.live(2)
		if took := time.Since(lastByte); took > 70*time.Second {
			t.Errorf("it took %v to replace a line that swallows everything", took)
		}
	})
}

// Behind a link that was live the first attempt is made at once, the next after
// a second, and so on.
func TestBackoffBehindALiveLink(t *testing.T) {
	for _, test := range []struct {
		wasLive bool
		want    []time.Duration // in seconds, before the jitter
	}{
		{true, []time.Duration{0, 1, 2, 4, 8, 16, 32, 60, 60, 60}},
		{false, []time.Duration{1, 2, 4, 8, 16, 32, 60, 60, 60, 60}},
	} {
		bubble(t, func(t *testing.T) {
			var b backoff
			for i, want := range test.want {
				want *= time.Second
				d := b.failed(&fault{}, test.wasLive && i == 0)
				if d > want || d < want*3/4 {
					t.Errorf("was live %v: failure %d is followed by %v", test.wasLive, i+1, d)
				}
				time.Sleep(d)
			}
		})
	}
}

// Clients that lost the same server do not come back all at once.
func TestJitterSpreads(t *testing.T) {
	const d = time.Minute
	seen := map[time.Duration]bool{}
	for range 100 {
		j := jitter(d)
		if j > d || j < d*3/4 {
			t.Fatalf("%v became %v", d, j)
		}
		seen[j] = true
	}
	if len(seen) < 10 {
		t.Errorf("%d different waits of 100", len(seen))
	}
}
