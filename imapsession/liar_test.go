package imapsession

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// idling waits until the newest connection is in IDLE.
func (s *fakeServer) idling(t *testing.T) *fakeConn {
	t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.conns[len(s.conns)-1]
	if c.idle == "" {
		t.Fatal("the session is not in IDLE")
	}
	return c
}

// inStep fails the test unless the follower's list is the server's.
func (f *follower) inStep(srv *fakeServer) {
	f.t.Helper()
	synctest.Wait()
	srv.mu.Lock()
	var want []string
	for _, r := range srv.rows {
		want = append(want, fmt.Sprintf("%d(%s)", r.uid, r.flags))
	}
	srv.mu.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	var got []string
	for _, r := range rows(f.list) {
		got = append(got, r.String())
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		f.t.Errorf("the list is %v, the server has %v", got, want)
	}
}

func TestContradictionsAreReconciled(t *testing.T) {
	for _, test := range []struct {
		name string
		lie  func(srv *fakeServer, c *fakeConn)
	}{
		{"EXISTS shrinks", func(srv *fakeServer, c *fakeConn) {
			srv.with(func() { srv.rows = srv.rows[:3] })
			c.send("* 3 EXISTS")
		}},
		{"EXPUNGE out of range", func(srv *fakeServer, c *fakeConn) { c.send("* 99 EXPUNGE") }},
		{"EXPUNGE 0", func(srv *fakeServer, c *fakeConn) { c.send("* 0 EXPUNGE") }},
		{"another UID for a row", func(srv *fakeServer, c *fakeConn) {
			srv.with(func() { srv.rows[1].uid = 1000; srv.rows = append(srv.rows[:1], srv.rows[2:]...) })
			c.send(`* 2 FETCH (UID 1000 FLAGS (\Seen))`)
		}},
		{"VANISHED of everything there is", func(srv *fakeServer, c *fakeConn) { c.send("* VANISHED 1:4294967295") }},
		{"UIDVALIDITY changes", func(srv *fakeServer, c *fakeConn) {
			srv.with(func() { srv.validity = 8 })
			c.send("* OK [UIDVALIDITY 8] rebuilt")
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 5)
				f, _ := start(t, srv.config())
				f.live(1)
				test.lie(srv, srv.idling(t))
				f.live(2)
				f.inStep(srv)
				if len(f.resyncs) != 2 {
					t.Errorf("%d resyncs", len(f.resyncs))
				}
				if len(srv.conns) != 1 {
					t.Errorf("%d connections: selecting again was enough", len(srv.conns))
				}
			})
		})
	}
}

func TestServerThatNeverAgreesIsLeftAlone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 5)
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			if cmd == "IDLE" {
				c.idle = tag
				c.send("+ idling", "* 99 EXPUNGE")
				return true
			}
			return false
		}
		f, _ := start(t, srv.config())
		f.until("the link is dropped", func() bool { return strings.Contains(reasons(f), "contradicting itself") })
		time.Sleep(time.Hour)
		if n := len(srv.said("SELECT")); n > 450 { // a connection a minute, a few SELECTs each
			t.Errorf("SELECT was sent %d times in an hour", n)
		}
	})
}

func TestOddRowsCostNothing(t *testing.T) {
	for _, line := range []string{
		`* 99 FETCH (FLAGS (\Seen))`, `* 99 FETCH (UID 99 FLAGS (\Seen))`, `* 0 FETCH (FLAGS ())`,
		`* 5 EXISTS`, `* 5 RECENT`, `* 2 FETCH (FLAGS ())`, `* 2 FETCH (UID 2)`, `* 3 FETCH ()`,
		`* OK Still here`, `* STATUS Trash (MESSAGES 3)`, `* LIST () "/" Trash`, `* SEARCH 1 2`,
	} {
		t.Run(line, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 5)
				f, _ := start(t, srv.config())
				f.live(1)
				srv.idling(t).send(line)
				f.inStep(srv)
				if len(f.resyncs) != 1 || len(srv.conns) != 1 {
					t.Errorf("%d resyncs, %d connections", len(f.resyncs), len(srv.conns))
				}
				srv.arrive(true)
				f.until("new mail", func() bool { return len(f.newMail) == 1 })
				f.inStep(srv)
			})
		})
	}
}

func TestNewMailThatTheServerWillNotShow(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer func(c *fakeConn, tag string)
	}{
		{"NO to FETCH", func(c *fakeConn, tag string) { c.send(tag + " NO try later") }},
		{"OK without data", func(c *fakeConn, tag string) { c.send(tag + " OK done") }},
		{"data without a UID", func(c *fakeConn, tag string) { c.send(`* 6 FETCH (FLAGS ())`, tag+" OK done") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 5)
				quiet := true
				srv.on = func(c *fakeConn, tag, cmd string) bool {
					srv.mu.Lock()
					quiet := quiet
					srv.mu.Unlock()
					if quiet && (strings.Contains(cmd, "FETCH 6 ") || strings.Contains(cmd, "FETCH 6:*")) {
						test.answer(c, tag)
						return true
					}
					return false
				}
				f, _ := start(t, srv.config())
				f.live(1)
				srv.idling(t)
				srv.arrive(true)
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				if n := len(srv.said("FETCH 6")); n == 0 || n > 8 {
					t.Errorf("it was asked for %d times in ten minutes", n)
				}
				f.mu.Lock()
				if f.unseen.Known {
					t.Errorf("the unread count claims to know: %+v", f.unseen)
				}
				if len(f.newMail) != 0 {
					t.Errorf("told of mail that nobody saw: %+v", f.newMail)
				}
				f.mu.Unlock()
				srv.with(func() { quiet = false })
				srv.arrive(true)
				f.until("both", func() bool { return len(f.newMail) == 1 && f.newMail[0].Count == 2 })
				f.inStep(srv)
			})
		})
	}
}

func TestUIDNextIsNotBelieved(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 5)
		f, _ := start(t, srv.config())
		f.live(1)
		c := srv.idling(t)
		srv.arrive(false)
		c.send("* 6 EXISTS", "* OK [UIDNEXT 6] frozen")
		f.until("new mail", func() bool { return len(f.newMail) == 1 })
		f.inStep(srv)
	})
}

func TestIdleTroubles(t *testing.T) {
	for _, test := range []struct {
		name  string
		on    func(c *fakeConn, tag, cmd string) bool
		watch Watch
		note  string
	}{
		{"BAD to IDLE", func(c *fakeConn, tag, cmd string) bool {
			if cmd == "IDLE" {
				c.send(tag + " BAD no such command")
				return true
			}
			return false
		}, WatchPoll, "refuses IDLE"},
		{"no continuation", func(c *fakeConn, tag, cmd string) bool { return cmd == "IDLE" }, WatchPoll, "does not answer IDLE"},
		{"ends IDLE at once", func(c *fakeConn, tag, cmd string) bool {
			if cmd == "IDLE" {
				c.send("+ idling", tag+" OK that was it")
				return true
			}
			return false
		}, WatchPoll, "keeps ending IDLE"},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 2)
				srv.on = test.on
				cfg := srv.config()
				cfg.Poll = 20 * time.Second
				f, _ := start(t, cfg)
				f.untilLong("polling", time.Hour, func() bool {
					st := f.last()
					return st.State == Live && st.Watch == test.watch && strings.Contains(st.Reason.String(), test.note)
				})
				time.Sleep(time.Minute)
				synctest.Wait()
				if len(srv.said("NOOP")) < 2 {
					t.Error("it does not poll")
				}
				if n := len(srv.said("DONE")); n != 0 {
					t.Errorf("%d DONEs went out to a server that is not in IDLE", n)
				}
			})
		})
	}
}

func TestServerEndsIdleNowAndThen(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 2)
		f, _ := start(t, srv.config())
		f.live(1)
		for range 6 {
			c := srv.idling(t)
			time.Sleep(30 * time.Second)
			tag := c.idle
			c.idle = ""
			c.send(tag + " OK time is up")
		}
		srv.idling(t)
		if n := len(srv.said("DONE")); n != 0 {
			t.Errorf("%d stray DONEs", n)
		}
		if st := f.state(); st.Watch != WatchIdle || len(srv.conns) != 1 {
			t.Errorf("state %+v after %d connections", st, len(srv.conns))
		}
		srv.arrive(true)
		f.until("new mail", func() bool { return len(f.newMail) == 1 })
	})
}

func TestDoneIgnored(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 2)
		srv.on = func(c *fakeConn, tag, cmd string) bool { return c.n == 1 && tag == "DONE" }
		f, _ := start(t, srv.config())
		f.live(1)
		srv.idling(t)
		began := time.Now()
		r := f.do(StoreFlags{Target: f.target(2), Add: []string{"\\Flagged"}})
		if r.Err != nil {
			t.Errorf("the command did not survive: %v", r.Err)
		}
		if d := time.Since(began); d > 12*time.Second {
			t.Errorf("%v until the link was given up", d)
		}
		f.inStep(srv)
	})
}

func TestDoneIgnoredByATalker(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 2)
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			if c.n == 1 && tag == "DONE" {
				go func() {
					for {
						select {
						case <-c.ended:
							return
						case <-time.After(time.Second):
							c.send("* OK Still here")
						}
					}
				}()
				return true
			}
			return false
		}
		f, _ := start(t, srv.config())
		f.live(1)
		srv.idling(t)
		began := time.Now()
		if r := f.do(StoreFlags{Target: f.target(2), Add: []string{"\\Flagged"}}); r.Err != nil {
			t.Errorf("the command did not survive: %v", r.Err)
		}
		if d := time.Since(began); d > 40*time.Second {
			t.Errorf("%v until the link was given up", d)
		}
	})
}

func TestStillHereIsALifeSign(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 2)
		cfg := srv.config()
		cfg.IdleRenew = 24 * time.Hour
		f, _ := start(t, cfg)
		f.live(1)
		c := srv.idling(t)
		for range 8 {
			time.Sleep(50 * time.Second)
			c.send("* OK Still here")
		}
		synctest.Wait()
		if n := len(srv.said("DONE")); n != 0 {
			t.Errorf("a server that gives signs of life was probed %d times", n)
		}
		if age := time.Since(f.s.LastSign()); age > time.Second {
			t.Errorf("the last sign of life is %v old", age)
		}
	})
}

func TestByeAndAlert(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 2)
		f, _ := start(t, srv.config())
		f.live(1)
		c := srv.idling(t)
		c.send("* OK [ALERT] Maintenance at \x1b[31mnoon")
		f.until("the alert", func() bool { return len(f.alerts) == 1 })
		if s := f.alerts[0].Text.String(); !strings.Contains(s, "Maintenance at") || strings.Contains(s, "\x1b") {
			t.Errorf("alert %q", s)
		}
		c.send("* BYE too many flowers")
		c.conn.Close()
		f.live(2)
		if !strings.Contains(reasons(f), `the server closed the link: it said "too many flowers"`) {
			t.Errorf("reasons: %s", reasons(f))
		}
		if a := f.alerts[1]; !a.Bye || a.Text.String() != "too many flowers" {
			t.Errorf("BYE came as %+v", a)
		}
	})
}

func TestTruncatedLiteralIsNoMessage(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 9)
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			if c.n == 1 && strings.Contains(cmd, "BODY.PEEK[]<") {
				c.raw("* 9 FETCH (UID 9 RFC822.SIZE 2000 BODY[]<0> {2000}\r\nSubject: cut off here")
				c.conn.Close()
				return true
			}
			return false
		}
		f, _ := start(t, srv.config())
		f.live(1)
		r := f.do(FetchBody{Target: f.target(9)})
		if r.Err != nil {
			t.Fatalf("the body: %v", r.Err)
		}
		if b := f.bodies[r.ID]; string(b.Data) != fakeBody(9) || !b.Complete || b.Truncated {
			t.Errorf("%d octets, complete %v, truncated %v", len(b.Data), b.Complete, b.Truncated)
		}
	})
}

func TestNewRowThatIsKnownBeforeItIsAskedFor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 5)
		f, _ := start(t, srv.config())
		f.live(1)
		c := srv.idling(t)
		srv.arrive(false)
		c.send("* 6 EXISTS", `* 6 FETCH (UID 6 FLAGS ())`)
		f.until("new mail with its summary", func() bool { return len(f.newMail) == 1 && f.summaries[6] != nil })
		f.inStep(srv)
		if !f.unseen.Known || f.unseen.N != 6 {
			t.Errorf("unread: %+v", f.unseen)
		}
	})
}

func TestBurstOfMail(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 100)
		f, _ := start(t, srv.config())
		f.live(1)
		c := srv.idling(t)
		for range 999 {
			srv.arrive(false)
		}
		srv.with(func() { srv.next++; srv.rows = append(srv.rows, fakeRow{uid: srv.next, flags: "\\Seen"}) })
		c.send("* 1100 EXISTS")
		f.until("new mail", func() bool { return len(f.newMail) == 1 && f.newMail[0].Count == 1000 })
		if n := len(f.newMail[0].UIDs); n != 60 {
			t.Errorf("%d of them by name", n)
		}
		f.until("the unread count", func() bool { return f.unseen.Known && f.unseen.N == 1099 })
		if n := len(srv.said("FETCH")); n != 2 {
			t.Errorf("%d FETCHes", n)
		}
	})
}

func TestStormOfEventsWithASleepingListener(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const n = 20_000
		srv := newFake(t, n)
		cfg := srv.config()
		cfg.FirstWindow = n
		f, _ := start(t, cfg)
		f.live(1)
		f.until("the unread count", func() bool { return f.unseen.Known })
		c := srv.idling(t)
		awake := make(chan struct{})
		f.mu.Lock()
		f.asleep = awake
		f.mu.Unlock()
		var lines []string
		for i := range n - 10 {
			srv.rows[i].flags = "\\Seen"
			lines = append(lines, fmt.Sprintf("* %d FETCH (FLAGS (\\Seen))", i+1))
		}
		c.send(lines...)
		srv.with(func() { srv.rows = srv.rows[1:] })
		c.send("* 1 EXPUNGE")
		synctest.Wait()
		if p := f.s.box.Pending(); p > 3*boxLimit {
			t.Errorf("%d events wait", p)
		}
		close(awake)
		f.until("the count", func() bool { return f.list.Len() == n-1 && f.unseen.Known && f.unseen.N == 10 })
		f.inStep(srv)
		if len(f.resyncs) < 2 {
			t.Error("there was no overflow")
		}
		if r := f.do(StoreFlags{Target: f.target(n), Add: []string{"\\Seen"}}); r.Err != nil {
			t.Error(r.Err)
		}
		f.inStep(srv)
	})
}

func TestMessageThatIsNeverShownHidesNoOther(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 5)
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			switch {
			case strings.Contains(cmd, "FETCH 6 "):
				c.send(tag + " OK done")
			case strings.Contains(cmd, "FETCH 6:*"), strings.Contains(cmd, "FETCH 6:7 "):
				c.fetch(tag, false, "7 "+cmd)
			default:
				return false
			}
			return true
		}
		f, _ := start(t, srv.config())
		f.live(1)
		srv.idling(t)
		srv.arrive(true)
		srv.arrive(true)
		f.until("new mail", func() bool { return len(f.newMail) == 1 && f.newMail[0].Count == 2 && len(f.newMail[0].UIDs) == 1 })
		if f.summaries[7] == nil {
			t.Error("the message after it has no summary")
		}
	})
}
