package imapsession

import (
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tidings/imapsession/wire"
	"tidings/internal/testserver"
)

// introspector says of one token that it is alice's.
func introspector(t testing.TB, token string) string {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		answer := map[string]any{"active": false}
		if r.PostFormValue("token") == token {
			answer = map[string]any{"active": true, "username": "alice", "scope": "mail"}
		}
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// TestDovecotSignsIn: every mechanism, against a server that implements it.
func TestDovecotSignsIn(t *testing.T) {
	const token = "ya29.good-token_0123456789"
	for _, test := range []struct {
		name        string
		offers      []string
		oauth       bool
		secret      Secret // User is filled in, and Password where there is no Token
		wrong       bool
		hashed      bool
		certificate bool
		said        string // in the trace, before what is left out
		problem     string
		security    Security
	}{
		{name: "the best for a password", offers: []string{"plain", "login", "scram-sha-1", "scram-sha-256"}, said: "AUTHENTICATE SCRAM-SHA-256"},
		{name: "the second best", offers: []string{"plain", "scram-sha-1"}, said: "AUTHENTICATE SCRAM-SHA-1"},
		{name: "PLAIN", offers: []string{"plain", "login"}, said: "AUTHENTICATE PLAIN"},
		{name: "LOGIN because it has to be", offers: []string{"plain", "login"}, secret: Secret{Mechanism: "LOGIN"}, said: "T1 LOGIN"},
		{name: "SCRAM without TLS", offers: []string{"plain", "scram-sha-256"}, security: Plaintext, said: "AUTHENTICATE SCRAM-SHA-256"},
		{name: "SCRAM with a wrong password", offers: []string{"scram-sha-256"}, wrong: true, problem: "wrong user name or password"},
		{name: "SCRAM that the server cannot do", offers: []string{"plain", "scram-sha-256"}, hashed: true, said: "AUTHENTICATE PLAIN"},
		{name: "SCRAM that the server cannot do, without TLS", offers: []string{"plain", "scram-sha-256"}, hashed: true, security: Plaintext, problem: "only an encrypted link"},
		{name: "EXTERNAL", offers: []string{"plain"}, certificate: true, secret: Secret{Mechanism: "EXTERNAL"}, said: "AUTHENTICATE EXTERNAL"},
		{name: "EXTERNAL for another user", offers: []string{"plain"}, certificate: true, secret: Secret{User: "bob", Mechanism: "EXTERNAL"}, problem: "does not take the client certificate"},
		{name: "OAUTHBEARER", offers: []string{"plain"}, oauth: true, secret: Secret{Token: token}, said: "AUTHENTICATE OAUTHBEARER"},
		{name: "XOAUTH2", offers: []string{"plain"}, oauth: true, secret: Secret{Token: token, Mechanism: "XOAUTH2"}, said: "AUTHENTICATE XOAUTH2"},
		{name: "OAUTHBEARER, refused", offers: []string{"plain"}, oauth: true, secret: Secret{Token: "stale-token-xyz"}, problem: "(status invalid_token)"},
		{name: "XOAUTH2, refused", offers: []string{"plain"}, oauth: true, secret: Secret{Token: "stale-token-xyz", Mechanism: "XOAUTH2"}, problem: "(status 401, it wants the scope mail)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			opts := []testserver.Option{testserver.Mechanisms(test.offers...)}
			if test.oauth {
				opts = append(opts, testserver.OAuth2(testserver.Introspection{URL: introspector(t, token)}))
			}
			if test.hashed {
				opts = append(opts, testserver.HashedPassword())
			}
			if test.certificate {
				opts = append(opts, testserver.ClientCertificates())
			}
			srv := testserver.Dovecot(t, opts...)
			secret := test.secret
			if secret.User == "" {
				secret.User = srv.User
			}
			if secret.Token == "" && !test.certificate {
				secret.Password = srv.Password
			}
			if test.wrong {
				secret.Password = "wrong-" + srv.Password
			}
			addr := srv.TLSAddr
			if test.security == Plaintext {
				addr = srv.Addr
			}
			cfg := configFor(t, addr, srv.User, srv.Password)
			cfg.Credentials = fixedSecret(secret)
			cfg.Security = test.security
			if test.security == Implicit {
				cfg.TLS = &tls.Config{RootCAs: srv.CAPool}
			}
			if test.certificate {
				certificate, err := srv.Authority.Client(srv.User)
				if err != nil {
					t.Fatal(err)
				}
				cfg.TLS.Certificates = []tls.Certificate{certificate}
			}
			cfg.Trace = wire.NewTrace(0)
			_, err := Check(t.Context(), cfg)
			var trace strings.Builder
			for _, line := range cfg.Trace.Lines() {
				trace.WriteString(line.Text + "\n")
			}
			switch {
			case test.problem == "" && err != nil:
				t.Errorf("refused: %v\n%s", err, trace.String())
			case test.problem != "" && (err == nil || !strings.Contains(err.Error(), test.problem)):
				t.Errorf("error %v, want one with %q", err, test.problem)
			}
			if test.said != "" && !strings.Contains(trace.String(), test.said+" [redacted]") {
				t.Errorf("not signed in by %s:\n%s", test.said, trace.String())
			}
			places := trace.String()
			if err != nil {
				places += err.Error()
			}
			for _, s := range []string{srv.Password, token, "stale-token-xyz"} {
				if strings.Contains(places, s) {
					t.Errorf("the secret shows: %s", places)
				}
			}
		})
	}
}
