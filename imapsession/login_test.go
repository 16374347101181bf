package imapsession

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"

	"tidings/internal/safetext"
)

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
