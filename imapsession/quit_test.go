package imapsession

import (
	"context"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Quitting never waits for the network, whatever it does at that moment.
func TestQuitWhateverTheLinkDoes(t *testing.T) {
	deafTo := func(words ...string) func(*fakeConn, string, string) bool {
		return func(c *fakeConn, tag, cmd string) bool {
			for _, w := range words {
				if strings.HasPrefix(cmd, w) || tag == w {
					return true
				}
			}
			return false
		}
	}
	for _, test := range []struct {
		name    string
		prepare func(srv *fakeServer, cfg *Config)
		at      State
		logout  bool
	}{
		{"in IDLE", func(*fakeServer, *Config) {}, Live, true},
		{"in IDLE, nobody answers", func(srv *fakeServer, _ *Config) { srv.on = deafTo("DONE", "LOGOUT") }, Live, true},
		{"while dialling", func(_ *fakeServer, cfg *Config) {
			cfg.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}
		}, Connecting, false},
		{"while signing in", func(srv *fakeServer, _ *Config) { srv.on = deafTo("AUTHENTICATE") }, SigningIn, false},
		{"while selecting", func(srv *fakeServer, _ *Config) { srv.on = deafTo("SELECT") }, Selecting, false},
		{"while fetching", func(srv *fakeServer, _ *Config) { srv.on = deafTo("FETCH") }, Selecting, false},
		{"while IDLE is not answered", func(srv *fakeServer, _ *Config) { srv.on = deafTo("IDLE") }, Live, false},
		{"while backing off", func(srv *fakeServer, _ *Config) { srv.dialErr = errNoNetwork }, Waiting, false},
		{"after a fatal refusal", func(srv *fakeServer, _ *Config) {
			srv.on = refuse("AUTHENTICATE", "NO [AUTHENTICATIONFAILED] no")
		}, Offline, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 5)
				cfg := srv.config()
				test.prepare(srv, &cfg)
				f, stop := start(t, cfg)
				f.until("the state", func() bool { return f.last().State == test.at })
				synctest.Wait()
				began := time.Now()
				stop()
				if d := time.Since(began); d > 150*time.Millisecond {
					t.Errorf("it took %v", d)
				}
				if got := len(srv.said("LOGOUT")) > 0; got != test.logout {
					t.Errorf("LOGOUT sent: %v", got)
				}
			})
		})
	}
}

func TestAskedByHandALiveLinkProvesItself(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 5)
		f, _ := start(t, srv.config())
		f.live(1)
		srv.idling(t)
		time.Sleep(20 * time.Second)
		f.s.Retry(true)
		synctest.Wait()
		if age := time.Since(f.s.LastSign()); age > 0 {
			t.Errorf("the last sign of life is %v old", age)
		}
		if len(srv.conns) != 1 {
			t.Error("a link that answers was dropped")
		}
		srv.with(func() { srv.on = func(c *fakeConn, tag, cmd string) bool { return c.n == 1 } })
		began := time.Now()
		f.s.Retry(true)
		f.live(2)
		if d := time.Since(began); d > 6*time.Second {
			t.Errorf("a dead link was replaced %v after the key", d)
		}
	})
}
