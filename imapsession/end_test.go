package imapsession

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestByeEndsTheLinkThatStaysOpen(t *testing.T) {
	for _, watch := range []Watch{WatchIdle, WatchPoll} {
		t.Run(fmt.Sprint("watch ", watch), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 3)
				cfg := srv.config()
				cfg.Watch = watch
				f, _ := start(t, cfg)
				f.live(1)
				synctest.Wait()
				began := time.Now()
				srv.last().send("* BYE session invalidated", "* BYE really")
				f.live(2)
				if took := time.Since(began); took > time.Second {
					t.Errorf("a BYE was believed after %v", took)
				}
				if n := len(f.alerts); n != 1 {
					t.Errorf("it was told of %d times", n)
				}
				if got := reasons(f); !strings.Contains(got, "session invalidated") {
					t.Errorf("reasons: %s", got)
				}
			})
		})
	}
}

func TestFloodOfAlertsCostsTheLink(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 3)
		f, _ := start(t, srv.config())
		f.live(1)
		srv.idling(t)
		first := srv.last()
		for range 10 * maxAlerts {
			first.send("* OK [ALERT] buy more space")
		}
		f.live(2)
		if n := len(f.alerts); n != maxAlerts {
			t.Errorf("%d alerts were passed on", n)
		}
		if got := reasons(f); !strings.Contains(got, "alerts within") {
			t.Errorf("reasons: %s", got)
		}
	})
}

// What a server says of rows before SELECT belongs to no mailbox.
func TestRowsBeforeSelectAreNoRows(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 5)
		f, _ := start(t, srv.config())
		f.live(1)
		srv.idling(t)
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			if c.n != 2 || !strings.HasPrefix(cmd, "AUTHENTICATE") {
				return false
			}
			c.send("* 2 EXPUNGE", "* 2 EXPUNGE", `* 1 FETCH (UID 1 FLAGS (\Deleted))`, "* 900 EXISTS",
				"* OK [UIDVALIDITY 99] new", tag+" NO [UNAVAILABLE] later")
			return true
		}
		srv.last().conn.Close()
		f.until("waiting", func() bool {
			return f.last().State == Waiting && strings.Contains(f.last().Reason.String(), "sign in")
		})
		f.inStep(srv)
		f.live(2)
		f.inStep(srv)
	})
}

// A port that waits for TLS, or for another protocol's client, takes the
// connection and says nothing.
func TestSilenceForAGreeting(t *testing.T) {
	for _, security := range []Security{Plaintext, Implicit, StartTLS} {
		bubble(t, func(t *testing.T) {
			f, stop := start(t, Config{
				Account: "fake", Host: "localhost", Security: security, Credentials: fixedSecret{User: "alice", Password: "secret"},
				Dial: func(context.Context, string, string) (net.Conn, error) {
					client, server := net.Pipe()
					go func() {
						defer server.Close()
						_, _ = io.Copy(io.Discard, server)
					}()
					return client, nil
				},
			})
			f.until("a wait", func() bool { return f.last().State == Waiting })
			if got := f.state().Reason.String(); !strings.Contains(got, "check host, port and tls in the config") {
				t.Errorf("security %v: the reason is %q", security, got)
			}
			stop()
		})
	}
}

// Greeting and log-in have their time in all: a server that sends an octet now
// and then does not hold the session up for ever.
func TestTrickleBeforeTheLogInEnds(t *testing.T) {
	for _, test := range []struct {
		name string
		at   string // the command that is answered in drops; "" is the greeting
		caps string // in the greeting
		want string
	}{
		{"greeting", "", "", "has not greeted us in 30s"},
		{"capabilities", "CAPABILITY", "", "has not said what it can do"},
		{"log-in", "AUTHENTICATE", fakeCaps, "has not let us in in 30s"},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 1)
				drip := func(c *fakeConn) {
					for range 1000 {
						if _, err := c.conn.Write([]byte("*")); err != nil {
							return
						}
						time.Sleep(20 * time.Second)
					}
				}
				srv.greeting = "* OK ready"
				if test.caps != "" {
					srv.greeting = "* OK [CAPABILITY " + test.caps + "] ready"
				}
				srv.on = func(c *fakeConn, tag, cmd string) bool {
					if test.at == "" || !strings.HasPrefix(cmd, test.at) {
						return false
					}
					go drip(c)
					return true
				}
				cfg := srv.config()
				if test.at == "" {
					cfg.Dial = func(context.Context, string, string) (net.Conn, error) {
						client, server := net.Pipe()
						go func() {
							defer server.Close()
							_, _ = server.Write([]byte("* OK "))
							drip(&fakeConn{conn: server})
						}()
						return client, nil
					}
				}
				began := time.Now()
				f, stop := start(t, cfg)
				f.until("waiting", func() bool { return f.last().State == Waiting })
				if took := time.Since(began); took != connectTimeout {
					t.Errorf("it was given up after %v", took)
				}
				if got := f.last().Reason.String(); !strings.Contains(got, test.want) {
					t.Errorf("reason: %s", got)
				}
				stop()
				time.Sleep(time.Minute) // until the last drop finds nobody
			})
		})
	}
}
