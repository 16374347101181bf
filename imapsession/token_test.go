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

	"github.com/emersion/go-imap/v2"

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

func capSet(caps string) imap.CapSet {
	set := imap.CapSet{}
	for _, c := range strings.Fields(caps) {
		set[imap.Cap(c)] = struct{}{}
	}
	return set
}

// TestWaysToSignIn: what is chosen of what is offered, and what never is.
func TestWaysToSignIn(t *testing.T) {
	password := Secret{User: "alice", Password: "secret"}
	token := Secret{User: "alice", Token: "token-0"}
	for _, test := range []struct {
		name     string
		caps     string
		secret   Secret
		security Security
		host     string
		insecure bool
		want     string // the mechanisms in order
		problem  string
	}{
		{name: "all", caps: "AUTH=PLAIN AUTH=LOGIN AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256 AUTH=XOAUTH2", secret: password, want: "SCRAM-SHA-256 SCRAM-SHA-1 PLAIN LOGIN-command LOGIN"},
		{name: "LOGINDISABLED", caps: "LOGINDISABLED AUTH=PLAIN AUTH=LOGIN", secret: password, want: "PLAIN LOGIN"},
		{name: "asked for", caps: "AUTH=PLAIN AUTH=SCRAM-SHA-256", secret: Secret{User: "a", Password: "b", Mechanism: "PLAIN"}, want: "PLAIN"},
		{name: "asked for and not there", caps: "AUTH=PLAIN", secret: Secret{User: "a", Password: "b", Mechanism: "SCRAM-SHA-256"}, problem: "does not offer SCRAM-SHA-256"},
		{name: "a token", caps: "AUTH=PLAIN AUTH=XOAUTH2 AUTH=OAUTHBEARER", secret: token, want: "OAUTHBEARER XOAUTH2"},
		{name: "a token, XOAUTH2 asked for", caps: "AUTH=XOAUTH2 AUTH=OAUTHBEARER", secret: Secret{User: "a", Token: "b", Mechanism: "XOAUTH2"}, want: "XOAUTH2"},
		{name: "a token is no password", caps: "AUTH=PLAIN", secret: token, problem: "takes no OAuth2 token"},
		{name: "a password is no token", caps: "LOGINDISABLED AUTH=XOAUTH2", secret: password, problem: "it wants OAuth2"},
		{name: "clear, elsewhere", caps: "AUTH=PLAIN AUTH=LOGIN", secret: password, security: Plaintext, host: "imap.example.org", problem: "not encrypted"},
		{name: "clear, elsewhere, SCRAM", caps: "AUTH=PLAIN AUTH=SCRAM-SHA-1", secret: password, security: Plaintext, host: "imap.example.org", want: "SCRAM-SHA-1"},
		{name: "clear, elsewhere, as the config says in words", caps: "LOGINDISABLED AUTH=PLAIN AUTH=SCRAM-SHA-1", secret: password, security: Plaintext, host: "imap.example.org", insecure: true, want: "SCRAM-SHA-1 PLAIN"},
		{name: "a token in the clear, whatever the config says", caps: "AUTH=XOAUTH2", secret: token, security: Plaintext, host: "imap.example.org", insecure: true, problem: "not encrypted"},
		{name: "a certificate", caps: "AUTH=PLAIN AUTH=EXTERNAL", secret: Secret{User: "a", Mechanism: "EXTERNAL"}, want: "EXTERNAL"},
		{name: "a certificate without TLS", caps: "AUTH=EXTERNAL", secret: Secret{User: "a", Mechanism: "EXTERNAL"}, security: Plaintext, host: "localhost", problem: "not encrypted"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.host == "" {
				test.host = "imap.example.org"
			}
			s := New(Config{Host: test.host, Security: test.security, Insecure: test.insecure})
			ways, err := (&link{s: s}).ways(capSet(test.caps), test.secret)
			var names []string
			for _, w := range ways {
				if w == byLogin {
					w = "LOGIN-command"
				}
				names = append(names, string(w))
			}
			if got := strings.Join(names, " "); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
			if test.problem != "" && (err == nil || !strings.Contains(err.Error(), test.problem)) {
				t.Errorf("error %v, want one with %q", err, test.problem)
			}
		})
	}
}

// TestRefusalsThatHelp: what servers are known to say, and what to do about it.
func TestRefusalsThatHelp(t *testing.T) {
	for _, test := range []struct {
		said, host, want string
		waits            bool
	}{
		{said: "NO [ALERT] Application-specific password required: https://support.example.org/185833 (Failure)", want: "make one in the account's security settings"},
		{said: "NO [ALERT] Your account is not enabled for IMAP use. Please visit your settings page and enable your account for IMAP access. (Failure)", want: "IMAP is switched off"},
		{said: "NO [ALERT] Please log in via your web browser: https://support.example.org/78754 (Failure)", want: "with a browser once"},
		{said: "NO [ALERT] Too many simultaneous connections. (Failure)", want: "connections = 1", waits: true},
		{said: "NO [LIMIT] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)", want: "connections = 1", waits: true},
		{said: "NO LOGIN failed. LogonDenied-BasicAuthBlocked-BasicAuthDisabled", want: "takes no passwords any more"},
		{said: "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)", host: "imap.gmail.com", want: `provider = "google"`},
		{said: "NO AUTHENTICATE failed.", host: "outlook.office365.com", want: `provider = "microsoft"`},
		{said: "NO [AUTHENTICATIONFAILED] Authentication Failed", host: "imap.mail.me.com", want: "app-specific password"},
		{said: "NO [UNAVAILABLE] Temporary authentication failure.", want: "at present", waits: true},
		{said: "NO [AUTHENTICATIONFAILED] you said secret-pass-1", want: "you said [redacted]"},
	} {
		t.Run(test.said, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 1)
				srv.on = refuse("AUTHENTICATE", test.said)
				cfg := srv.config()
				cfg.Credentials = fixedSecret{User: "alice", Password: "secret-pass-1"}
				if test.host != "" {
					cfg.Host, cfg.Insecure = test.host, true
				}
				f, _ := start(t, cfg)
				f.until("an outcome", func() bool { return f.last().State == Waiting || f.last().Fatal })
				st := f.state()
				if st.Fatal == test.waits || !strings.Contains(st.Reason.String(), test.want) {
					t.Errorf("state %+v, want %q", st, test.want)
				}
			})
		})
	}
}

// TestLoginAnswersAnyPrompt: servers that prompt with words of their own, or with
// none.
func TestLoginAnswersAnyPrompt(t *testing.T) {
	for _, prompts := range [][2]string{{"VXNlcm5hbWU6", "UGFzc3dvcmQ6"}, {"", ""}, {"VXNlciBOYW1lAA==", ""}} {
		bubble(t, func(t *testing.T) {
			srv := newFake(t, 1)
			srv.setCaps("IMAP4rev1 IDLE ESEARCH LOGINDISABLED AUTH=LOGIN")
			srv.on = challenge(prompts[0], "YWxpY2U=", prompts[1], "c2VjcmV0")
			f, _ := start(t, srv.config())
			f.live(1)
		})
	}
}

// TestServerWithoutProof: who cannot show that they know the password get no
// session, however they try.
func TestServerWithoutProof(t *testing.T) {
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for name, challenges := range map[string][]string{
		"OK at once":                      {},
		"an error, then OK":               {"e="},
		"an error, then an empty proof":   {"e=", "v="},
		"an error twice, then OK":         {"e=", "e="},
		"an empty proof before anything":  {"v="},
		"a proof of another conversation": {"r=abc,s=c2FsdA==,i=4096", "v=cmlnaHQ="},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 1)
				srv.setCaps("IMAP4rev1 IDLE SASL-IR LOGINDISABLED AUTH=SCRAM-SHA-256")
				srv.on = func(c *fakeConn, tag, cmd string) bool {
					if !strings.HasPrefix(cmd, "AUTHENTICATE") {
						return false
					}
					for _, challenge := range challenges {
						c.send("+ " + b64(challenge))
						if _, err := c.br.ReadString('\n'); err != nil {
							return true // the link was dropped
						}
					}
					c.send(tag + " OK [CAPABILITY " + srv.caps + "] welcome")
					return true
				}
				f, _ := start(t, srv.config())
				f.until("an outcome", func() bool { return f.last().State == Waiting || f.last().Fatal || f.last().State == Live })
				if st := f.state(); st.State == Live || len(srv.said("SELECT")) > 0 {
					t.Errorf("state %+v", st)
				}
			})
		})
	}
}

// FuzzChallenge: whatever a server answers in an exchange, it ends in an answer
// or an error.
func FuzzChallenge(f *testing.F) {
	f.Add([]byte(`{"status":"401","schemes":"bearer","scope":"mail"}`))
	f.Add([]byte(`{"status":400}`))
	f.Add([]byte("r=abc,s=c2FsdA==,i=4096"))
	f.Add([]byte("r=abc,s=c2FsdA==,i=99999999999999999999"))
	f.Add([]byte("e=other-error"))
	f.Add([]byte("v=abc"))
	f.Fuzz(func(t *testing.T, challenge []byte) {
		secret := Secret{User: "alice", Password: "secret", Token: "token-0"}
		l := &link{s: New(Config{Host: "imap.example.org"})}
		for _, m := range []mechanism{byOAuthBearer, byXOAuth2, byScram1, byPlain, byLoginSASL, byExternal} {
			c, proven, err := l.saslClient(m, secret)
			if err != nil {
				t.Fatal(err)
			}
			l.why = oauthProblem{}
			for range 4 {
				if _, err := c.Next(challenge); err != nil {
					break
				}
			}
			if proven != nil && proven() {
				t.Error("the server has proven something")
			}
			if s := l.why.String(); safetext.Clean(s).String() != s {
				t.Errorf("not fit to be shown: %q", s)
			}
		}
	})
}
