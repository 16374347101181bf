package imapsession

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tidings/internal/safetext"
)

// mint is a Credentials that gives tokens: a new one whenever the last one was
// rejected, until it is revoked.
type mint struct {
	mu       sync.Mutex
	n        int
	rejected int
	revoked  bool
	signedIn bool
}

func (m *mint) Secret(context.Context) (Secret, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.revoked {
		return Secret{}, &SecretError{Text: "sign in again: press R, or run tidings login work (the provider has ended the sign-in)", SignIn: true}
	}
	return Secret{User: "alice", Token: m.token()}, nil
}

func (m *mint) token() string { return fmt.Sprintf("token-%d", m.n) }

func (m *mint) Rejected() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.n++
	m.rejected++
}

func (m *mint) SignInCommand() string { return "tidings login work" }

// machine is a mint for which nobody signs in.
type machine struct{ *mint }

func (machine) SignInCommand() string { return "" }

func (m *mint) SignedIn(context.Context) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.signedIn {
		m.revoked = false
	}
	return m.signedIn
}

// xoauth2Only has a fake server take the tokens that are good.
func xoauth2Only(srv *fakeServer, good func(token string) bool) {
	srv.setCaps("IMAP4rev1 IDLE MOVE UIDPLUS ESEARCH SASL-IR AUTH=XOAUTH2")
	srv.on = func(c *fakeConn, tag, cmd string) bool {
		b64, ok := strings.CutPrefix(cmd, "AUTHENTICATE XOAUTH2 ")
		if !ok {
			return false
		}
		said, _ := base64.StdEncoding.DecodeString(b64)
		_, token, _ := strings.Cut(strings.TrimRight(string(said), "\x01"), "Bearer ")
		if good(token) {
			c.send(tag + " OK [CAPABILITY " + srv.caps + "] welcome")
			return true
		}
		c.send("+ " + base64.StdEncoding.EncodeToString([]byte(`{"status":"400","schemes":"Bearer","scope":"https://mail.example.org/"}`)))
		if line, err := c.br.ReadString('\n'); err != nil || line != "\r\n" {
			srv.t.Errorf("the error step was answered by %q, %v", line, err)
		}
		c.send(tag + " NO [AUTHENTICATIONFAILED] invalid credentials for " + token)
		return true
	}
}

// quiet fails the test if the person was told anything but that all is well.
func quiet(t *testing.T, f *follower) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.alerts) > 0 {
		t.Errorf("alerts: %v", f.alerts)
	}
	for _, st := range f.states {
		if st.State == Waiting || st.Fatal || !st.Reason.IsEmpty() {
			t.Errorf("the person was told: %+v", st)
		}
	}
}

func TestTokenRunsOutInMidSession(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(srv *fakeServer, c *fakeConn)
	}{
		{"Exchange's BYE", func(_ *fakeServer, c *fakeConn) {
			c.send("* BYE Session invalidated - AccessTokenExpired")
			c.conn.Close()
		}},
		{"Gmail's BYE, the link stays open", func(_ *fakeServer, c *fakeConn) { c.send("* BYE Session expired, please login again.") }},
		{"BYE with a code", func(_ *fakeServer, c *fakeConn) {
			c.send("* BYE [EXPIRED] bye")
			c.conn.Close()
		}},
		{"a NO to every command", notConnected("NO")},
		{"Exchange's BAD to every command", notConnected("BAD")},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 5)
				m := &mint{}
				xoauth2Only(srv, func(token string) bool {
					m.mu.Lock()
					defer m.mu.Unlock()
					return token == m.token()
				})
				cfg := srv.config()
				cfg.Credentials = m
				f, _ := start(t, cfg)
				f.live(1)
				time.Sleep(3 * time.Hour)
				synctest.Wait()
				test.end(srv, srv.last())
				f.live(2)
				synctest.Wait()
				quiet(t, f)
				if m.rejected != 1 {
					t.Errorf("the credentials heard of it %d times", m.rejected)
				}
				if f.list.Len() != 5 || f.resyncs[len(f.resyncs)-1].Reload {
					t.Errorf("%d rows, reloaded: %v", f.list.Len(), f.resyncs[len(f.resyncs)-1].Reload)
				}
			})
		})
	}
}

// notConnected has the first connection refuse every command.
func notConnected(how string) func(*fakeServer, *fakeConn) {
	return func(srv *fakeServer, _ *fakeConn) {
		on := srv.on
		srv.with(func() {
			srv.on = func(c *fakeConn, tag, cmd string) bool {
				if c.n == 1 && tag != "DONE" {
					c.send(tag + " " + how + " User is authenticated but not connected.")
					return true
				}
				return on(c, tag, cmd)
			}
		})
	}
}

// TestSignedInWithoutMailbox: Exchange takes the token of an account whose IMAP
// is switched off, and opens nothing. That is said, and tried again: it may be
// switched on.
func TestSignedInWithoutMailbox(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 1)
		m := &mint{}
		xoauth2Only(srv, func(string) bool { return true })
		on := srv.on
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			if strings.HasPrefix(cmd, "SELECT") && c.n < 3 {
				c.send(tag + " BAD User is authenticated but not connected.")
				return true
			}
			return on(c, tag, cmd)
		}
		cfg := srv.config()
		cfg.Credentials = m
		f, _ := start(t, cfg)
		f.until("what it says", func() bool { return f.last().State == Waiting })
		if st := f.state(); st.Fatal || !strings.Contains(st.Reason.String(), "IMAP is switched on") {
			t.Errorf("state %+v", st)
		}
		f.live(1)
	})
}

// A command that is refused for the token's sake is done with the next one.
func TestCommandOutlivesItsToken(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 3)
		m := &mint{}
		xoauth2Only(srv, func(string) bool { return true })
		on := srv.on
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			if c.n == 1 && strings.HasPrefix(cmd, "UID STORE") {
				c.send(tag + " NO [EXPIRED] AccessTokenExpired")
				return true
			}
			return on(c, tag, cmd)
		}
		cfg := srv.config()
		cfg.Credentials = m
		f, _ := start(t, cfg)
		f.live(1)
		time.Sleep(time.Hour)
		if r := f.do(StoreFlags{Target: f.target(2), Add: []string{`\Seen`}}); r.Err != nil {
			t.Errorf("the command ended with %v", r.Err)
		}
		quiet(t, f)
		if n := len(srv.said("UID STORE")); n != 2 {
			t.Errorf("the command was sent %d times", n)
		}
	})
}

// A stale token is renewed without a word; a new one that is refused, too, is the
// person's business, and the server's challenge is part of what they are told.
func TestTokenIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 3)
		m := &mint{}
		xoauth2Only(srv, func(token string) bool { return token == "token-1" })
		cfg := srv.config()
		cfg.Credentials = m
		f, _ := start(t, cfg)
		f.live(1)
		quiet(t, f)
	})
	for _, tc := range []struct {
		who    Credentials
		signIn bool
		wants  string
	}{
		{&mint{}, true, "press R, or run tidings login work"},
		{machine{&mint{}}, false, "then press r"},
	} {
		bubble(t, func(t *testing.T) {
			srv := newFake(t, 3)
			xoauth2Only(srv, func(string) bool { return false })
			cfg := srv.config()
			cfg.Credentials = tc.who
			f, _ := start(t, cfg)
			f.until("the end", func() bool { return f.last().Fatal })
			st := f.state()
			for _, want := range []string{"status 400", "scope https://mail.example.org/", "user in the config", tc.wants} {
				if !strings.Contains(st.Reason.String(), want) {
					t.Errorf("the reason lacks %q: %s", want, st.Reason)
				}
			}
			if st.SignIn != tc.signIn || strings.Contains(st.Reason.String(), "token-") {
				t.Errorf("state %+v", st)
			}
			time.Sleep(24 * time.Hour)
			srv.with(func() {
				if srv.dials != 2 {
					t.Errorf("%d attempts", srv.dials)
				}
			})
		})
	}
}

// TestRevokedGrant: one clear state, the list stays, and a sign-in elsewhere
// brings the session back by itself.
func TestRevokedGrant(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 4)
		m := &mint{}
		xoauth2Only(srv, func(string) bool { return true })
		cfg := srv.config()
		cfg.Credentials = m
		f, _ := start(t, cfg)
		f.live(1)
		time.Sleep(time.Hour)
		m.mu.Lock()
		m.revoked = true
		m.mu.Unlock()
		srv.last().send("* BYE Session invalidated - AccessTokenExpired")
		f.until("the end", func() bool { return f.last().Fatal })
		st := f.state()
		want := safetext.Const("sign in again: press R, or run tidings login work (the provider has ended the sign-in)")
		if st.State != Offline || !st.SignIn || st.Reason != want {
			t.Errorf("state %+v", st)
		}
		if f.list.Len() != 4 {
			t.Errorf("%d rows are left on screen", f.list.Len())
		}
		time.Sleep(time.Hour)
		srv.with(func() {
			if srv.dials != 2 {
				t.Errorf("%d attempts", srv.dials)
			}
		})
		m.mu.Lock()
		m.signedIn = true
		m.mu.Unlock()
		began := time.Now()
		f.live(2)
		if took := time.Since(began); took > 2*clockCheck {
			t.Errorf("it took %v to notice the sign-in", took)
		}
	})
}

// A provider that is busy is asked again; what was wrong is said meanwhile.
func TestTokenEndpointIsBusy(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 2)
		xoauth2Only(srv, func(string) bool { return true })
		cfg := srv.config()
		busy := &busyMint{times: 2}
		cfg.Credentials = busy
		f, _ := start(t, cfg)
		f.live(1)
		if got := reasons(f); !strings.Contains(got, "it cannot at present") {
			t.Errorf("reasons: %s", got)
		}
	})
}

type busyMint struct {
	mint
	times int
}

func (b *busyMint) Secret(ctx context.Context) (Secret, error) {
	if b.times--; b.times >= 0 {
		return Secret{}, &SecretError{Text: "the provider gives no new token: it cannot at present", Transient: true}
	}
	return b.mint.Secret(ctx)
}
