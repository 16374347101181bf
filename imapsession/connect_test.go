package imapsession

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"tidings/internal/testserver"
)

func TestLogIn(t *testing.T) {
	const base = "IMAP4rev1 IDLE ESEARCH"
	for _, test := range []struct {
		name     string
		greeting string
		caps     string
		on       func(c *fakeConn, tag, cmd string) bool
		said     string // a command that was sent
		never    string
		fatal    string // the reason of a fatal state; "" is success
		waits    string // the reason of a wait
	}{
		{name: "PLAIN with SASL-IR", caps: base + " SASL-IR AUTH=PLAIN AUTH=LOGIN", said: "AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==", never: "LOGIN alice"},
		{name: "PLAIN without SASL-IR", caps: base + " AUTH=PLAIN", said: "AUTHENTICATE PLAIN", on: challenge("", "AGFsaWNlAHNlY3JldA=="), never: "LOGIN alice"},
		{name: "LOGIN", caps: base, said: `LOGIN "alice" "secret"`, never: "AUTHENTICATE"},
		{name: "AUTHENTICATE LOGIN", caps: base + " LOGINDISABLED AUTH=LOGIN", said: "AUTHENTICATE LOGIN",
			on: challenge("VXNlciBOYW1lAA==", "YWxpY2U=", "UGFzc3dvcmQA", "c2VjcmV0"), never: `LOGIN "`},
		{name: "LOGINDISABLED", caps: base + " LOGINDISABLED", never: "LOGIN", fatal: "allows no password here"},
		{name: "no mechanism that we know", caps: base + " LOGINDISABLED AUTH=GSSAPI", never: "AUTH", fatal: "only GSSAPI"},
		{name: "wrong password", caps: fakeCaps, on: refuse("AUTHENTICATE", "NO [AUTHENTICATIONFAILED] Authentication failed."),
			fatal: `wrong user name or password: the server said "Authentication failed." [AUTHENTICATIONFAILED]; correct it and start Tidings again, or press r if the password comes from a command or a file, R if you type it`},
		{name: "expired", caps: fakeCaps, on: refuse("AUTHENTICATE", "NO [EXPIRED] old"), fatal: "has expired"},
		{name: "not authorized", caps: fakeCaps, on: refuse("AUTHENTICATE", "NO [AUTHORIZATIONFAILED] no"), fatal: "not to this account"},
		{name: "refused without a code", caps: fakeCaps, on: refuse("AUTHENTICATE", "NO go away"), fatal: `it said "go away"`},
		{name: "unavailable", caps: fakeCaps, on: refuse("AUTHENTICATE", "NO [UNAVAILABLE] back soon"), waits: "at present"},
		{name: "too many connections", caps: fakeCaps, on: refuse("AUTHENTICATE", "NO [LIMIT] too many"), waits: "too many"},
		{name: "escape sequences in the refusal", caps: fakeCaps, on: refuse("AUTHENTICATE", "NO [AUTHENTICATIONFAILED] \x1b[2Jconnected"), fatal: "connected"},
		{name: "missing folder", caps: fakeCaps, on: refuse("SELECT", "NO [NONEXISTENT] Unknown Mailbox: Inboks"), fatal: "there is no mailbox named INBOX"},
		{name: "PREAUTH without TLS", greeting: "* PREAUTH [CAPABILITY IMAP4rev1] welcome", never: "SELECT", fatal: "PREAUTH"},
		{name: "BYE for a greeting", greeting: "* BYE too busy", waits: `turned us away: it said "too busy"`},
		{name: "SMTP", greeting: "220 mail.example.org ESMTP", waits: "not an IMAP server: it said"},
		{name: "HTTP", greeting: "HTTP/1.1 400 Bad Request", waits: "not an IMAP server: it said"},
		{name: "greeting without capabilities", greeting: "* OK hello", caps: fakeCaps, said: "AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA=="},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 2)
				if test.caps != "" {
					srv.setCaps(test.caps)
				}
				if test.greeting != "" {
					srv.greeting = test.greeting
				}
				srv.on = test.on
				var log strings.Builder
				cfg := srv.config()
				cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
				f, stop := start(t, cfg)
				f.until("an outcome", func() bool {
					st := f.last()
					return st.State == Live || st.State == Waiting || st.Fatal
				})
				st := f.state()
				reason := st.Reason.String()
				switch {
				case test.fatal != "" && (!st.Fatal || !strings.Contains(reason, test.fatal)):
					t.Errorf("state %+v, not fatal with %q", st, test.fatal)
				case test.waits != "" && (st.State != Waiting || !strings.Contains(reason, test.waits)):
					t.Errorf("state %+v, not waiting with %q", st, test.waits)
				case test.fatal == "" && test.waits == "" && st.State != Live:
					t.Errorf("state %+v, not live", st)
				}
				if test.said != "" && len(srv.said(test.said)) == 0 {
					t.Errorf("%q was not sent, but %q", test.said, srv.said(""))
				}
				if test.never != "" && len(srv.said(test.never)) > 0 {
					t.Errorf("this was sent: %q", srv.said(test.never))
				}
				if st.Fatal {
					if r := f.do(ListFolders{}); r.Err == nil || !strings.Contains(r.Err.Error(), test.fatal) {
						t.Errorf("a command behind it ended with %v", r.Err)
					}
					time.Sleep(24 * time.Hour)
					srv.with(func() {
						if srv.dials != 1 {
							t.Errorf("%d attempts behind a fatal refusal", srv.dials)
						}
					})
					f.s.Retry(true)
					time.Sleep(time.Second)
					srv.with(func() {
						if srv.dials != 2 {
							t.Errorf("%d attempts after the person asked for one", srv.dials)
						}
					})
				}
				stop()
				if strings.Contains(reason, "\x1b") {
					t.Errorf("an escape sequence reached the screen: %q", reason)
				}
				for _, place := range []string{log.String(), reasons(f), fmt.Sprintf("%+v", cfg.Trace)} {
					for _, secret := range []string{"secret", "AGFsaWNlAHNlY3JldA", "c2VjcmV0"} {
						if strings.Contains(place, secret) {
							t.Errorf("the password is in %q", place)
						}
					}
				}
			})
		})
	}
}

// refuse answers commands that begin with a word.
func refuse(word, reply string) func(c *fakeConn, tag, cmd string) bool {
	return func(c *fakeConn, tag, cmd string) bool {
		if !strings.HasPrefix(cmd, word) {
			return false
		}
		c.send(tag + " " + reply)
		return true
	}
}

// challenge runs a SASL exchange: what the server says, what it expects.
func challenge(steps ...string) func(c *fakeConn, tag, cmd string) bool {
	return func(c *fakeConn, tag, cmd string) bool {
		if !strings.HasPrefix(cmd, "AUTHENTICATE") {
			return false
		}
		for i := 0; i+1 < len(steps); i += 2 {
			c.send("+ " + steps[i])
			line, err := c.br.ReadString('\n')
			if err != nil {
				return true
			}
			if got := strings.TrimSpace(line); got != steps[i+1] {
				c.send(tag + " NO [AUTHENTICATIONFAILED] that is not " + steps[i+1])
				return true
			}
		}
		c.send(tag + " OK [CAPABILITY " + c.srv.caps + "] welcome")
		return true
	}
}

func TestRefusalWithoutAReasonOnAnAccountThatWorked(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 2)
		f, _ := start(t, srv.config())
		f.live(1)
		srv.idling(t)
		srv.with(func() { srv.on = refuse("AUTHENTICATE", "NO go away") })
		began := time.Now()
		srv.last().conn.Close()
		f.untilLong("it is given up", time.Hour, func() bool { return f.last().Fatal })
		if d := time.Since(began); d < 8*time.Minute || d > 14*time.Minute {
			t.Errorf("it was given up after %v", d)
		}
		if n := len(srv.said("AUTHENTICATE")); n != 1+4 {
			t.Errorf("%d log-ins", n)
		}
	})
}

func TestPlaintextOnlyToThisMachine(t *testing.T) {
	for _, test := range []struct {
		host     string
		insecure bool
		allowed  bool
	}{
		{"localhost", false, true}, {"127.0.0.1", false, true}, {"::1", false, true}, {"127.9.9.9", false, true},
		{"imap.example.org", false, false}, {"192.0.2.1", false, false}, {"localhost.example.org", false, false},
		{"imap.example.org", true, true},
	} {
		t.Run(test.host, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 2)
				cfg := srv.config()
				cfg.Host, cfg.Insecure = test.host, test.insecure
				f, _ := start(t, cfg)
				f.until("an outcome", func() bool { return f.last().State == Live || f.last().Fatal })
				if live := f.state().State == Live; live != test.allowed {
					t.Errorf("state %+v", f.state())
				}
				if !test.allowed && srv.dials > 0 {
					t.Error("it was dialled all the same")
				}
			})
		})
	}
}

// startTLSServer plays the plaintext phase; script gets the conn and decides.
func startTLSServer(script func(c net.Conn, br *bufio.Reader)) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			script(server, bufio.NewReader(server))
		}()
		return client, nil
	}
}

func TestStartTLSTrustsNothingBeforeTLS(t *testing.T) {
	ca, err := testserver.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	serverTLS, err := ca.ServerTLS()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		script func(c net.Conn, br *bufio.Reader)
		reason string
		fatal  bool
	}{
		{"PREAUTH", func(c net.Conn, br *bufio.Reader) { fmt.Fprint(c, "* PREAUTH welcome\r\n"); br.ReadString('\n') }, "PREAUTH", true},
		{"refused", func(c net.Conn, br *bufio.Reader) {
			fmt.Fprint(c, "* OK hi\r\n")
			br.ReadString('\n')
			fmt.Fprint(c, "S1 NO not today\r\n")
			br.ReadString('\n')
		}, "refused STARTTLS", true},
		{"stripped", func(c net.Conn, br *bufio.Reader) {
			fmt.Fprint(c, "* OK hi\r\n")
			br.ReadString('\n')
			fmt.Fprint(c, "S1 BAD unknown command\r\n")
			br.ReadString('\n')
		}, "refused STARTTLS", true},
		{"injected behind the OK", func(c net.Conn, br *bufio.Reader) {
			fmt.Fprint(c, "* OK hi\r\n")
			br.ReadString('\n')
			fmt.Fprint(c, "S1 OK go ahead\r\n* 3 EXISTS\r\n")
			tls.Server(c, serverTLS).Handshake()
		}, "before TLS began", false},
		{"endless talk", func(c net.Conn, br *bufio.Reader) {
			fmt.Fprint(c, "* OK hi\r\n")
			br.ReadString('\n')
			for range 100 {
				if _, err := fmt.Fprint(c, "* 3 EXISTS\r\n"); err != nil {
					return
				}
			}
		}, "talks on", false},
		{"endless line", func(c net.Conn, br *bufio.Reader) {
			for range 100 {
				if _, err := fmt.Fprint(c, strings.Repeat("x", 1000)); err != nil {
					return
				}
			}
		}, "no IMAP server", false},
		{"SSH", func(c net.Conn, br *bufio.Reader) { fmt.Fprint(c, "SSH-2.0-OpenSSH_9.2\r\n"); br.ReadString('\n') }, "no IMAP server", false},
		{"silence", func(c net.Conn, br *bufio.Reader) { br.ReadString('\n') }, "has not greeted us in 30s; if that stays so, check host, port and tls", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				cfg := Config{
					Host: "localhost", Port: 143, Security: StartTLS, TLS: &tls.Config{RootCAs: ca.Pool()},
					Credentials: fixedSecret{User: "alice", Password: "secret"},
					Dial:        startTLSServer(test.script),
				}
				f, _ := start(t, cfg)
				f.until("an outcome", func() bool { return f.last().State == Waiting || f.last().Fatal || f.last().State == Live })
				st := f.state()
				if !strings.Contains(st.Reason.String(), test.reason) || st.Fatal != test.fatal {
					t.Errorf("state %+v", st)
				}
			})
		})
	}
}

// Where the link is encrypted, TLS is not what a server waits for that takes no
// password: nobody is sent to set what is set.
func TestLoginDisabledUnderTLS(t *testing.T) {
	ca, err := testserver.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	serverTLS, err := ca.ServerTLS()
	if err != nil {
		t.Fatal(err)
	}
	f, _ := start(t, Config{
		Host: "localhost", Port: 143, Security: StartTLS, TLS: &tls.Config{RootCAs: ca.Pool()},
		Credentials: fixedSecret{User: "alice", Password: "secret"},
		Dial: startTLSServer(func(c net.Conn, br *bufio.Reader) {
			fmt.Fprint(c, "* OK hi\r\n")
			br.ReadString('\n')
			fmt.Fprint(c, "S1 OK go ahead\r\n")
			tc := tls.Server(c, serverTLS)
			for br := bufio.NewReader(tc); ; {
				line, err := br.ReadString('\n')
				if err != nil {
					return
				}
				tag, _, _ := strings.Cut(line, " ")
				fmt.Fprintf(tc, "* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n%s OK done\r\n", tag)
			}
		}),
	})
	f.until("an outcome", func() bool { return f.last().State == Waiting || f.last().Fatal })
	st := f.state()
	if reason := st.Reason.String(); !st.Fatal || !strings.Contains(reason, "LOGINDISABLED") || strings.Contains(reason, "starttls") {
		t.Errorf("state %+v", st)
	}
}

func TestSecurityAgainstDovecot(t *testing.T) {
	srv := testserver.Dovecot(t)
	srv.AppendN(t, "INBOX", 3)
	for _, test := range []struct {
		name     string
		addr     string
		security Security
		trust    bool
		live     bool
		reason   string
	}{
		{"implicit", srv.TLSAddr, Implicit, true, true, "TLS 1.3"},
		{"starttls", srv.Addr, StartTLS, true, true, "TLS 1.3"},
		{"unknown authority", srv.TLSAddr, Implicit, false, false, "whom this machine trusts"},
		{"starttls, unknown authority", srv.Addr, StartTLS, false, false, "whom this machine trusts"},
		{"TLS on the plain port", srv.Addr, Implicit, true, false, "does not speak TLS on this port"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := configFor(t, test.addr, srv.User, srv.Password)
			cfg.Security = test.security
			if test.trust {
				cfg.TLS = &tls.Config{RootCAs: srv.CAPool}
			}
			f, stop := start(t, cfg)
			defer stop()
			f.until("an outcome", func() bool {
				st := f.last()
				return st.State == Live || st.State == Waiting || st.Fatal
			})
			st := f.state()
			if (st.State == Live) != test.live || !strings.Contains(st.Transport.String()+st.Reason.String(), test.reason) {
				t.Errorf("state %+v", st)
			}
			if test.live && len(subjects(f)) != 3 {
				t.Errorf("subjects %q", subjects(f))
			}
		})
	}
}

// TestServerRefusesTLS: a server that ends TLS by an alert is quoted, and what to
// do about it is said, whether the alert comes in the handshake or behind it.
func TestServerRefusesTLS(t *testing.T) {
	ca, err := testserver.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, reason string
		change       func(*tls.Config)
	}{
		{"old", "nothing newer than TLS 1.1", func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }},
		{"wants a certificate, TLS 1.2", "handshake failure", func(c *tls.Config) {
			c.ClientAuth, c.MaxVersion = tls.RequireAnyClientCert, tls.VersionTLS12
		}},
		{"wants a certificate, TLS 1.3", "see tls_certificate", func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert }},
	} {
		t.Run(test.name, func(t *testing.T) {
			serverTLS, err := ca.ServerTLS()
			if err != nil {
				t.Fatal(err)
			}
			serverTLS = serverTLS.Clone()
			test.change(serverTLS)
			now := time.Now() // by which the certificates are valid; a bubble's time is another
			bubble(t, func(t *testing.T) {
				f, _ := start(t, Config{
					Host: "localhost", Security: Implicit, TLS: &tls.Config{RootCAs: ca.Pool(), Time: func() time.Time { return now }},
					Credentials: fixedSecret{User: "alice", Password: "secret"},
					Dial: startTLSServer(func(c net.Conn, _ *bufio.Reader) {
						tc := tls.Server(c, serverTLS)
						if err := tc.Handshake(); err == nil {
							t.Error("the handshake went through")
						}
					}),
				})
				f.until("an outcome", func() bool { return f.last().State == Waiting || f.last().Fatal || f.last().State == Live })
				if got := f.state().Reason.String(); !strings.Contains(got, "the server refused TLS: it said") || !strings.Contains(got, test.reason) {
					t.Errorf("the reason is %q", got)
				}
			})
		})
	}
}
