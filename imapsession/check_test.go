package imapsession

import (
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"tidings/internal/testserver"
)

func TestCheck(t *testing.T) {
	srv := testserver.Dovecot(t)
	srv.AppendN(t, "INBOX", 3)
	cfg := configFor(t, srv.TLSAddr, srv.User, srv.Password)
	cfg.Security = Implicit
	cfg.TLS = &tls.Config{RootCAs: srv.CAPool}
	r, err := Check(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if r.Transport.String() != "TLS 1.3" || r.Messages != 3 || r.UIDValidity == 0 || !r.Idle || len(r.Folders) == 0 {
		t.Errorf("report %+v", r)
	}
	if c := r.Certificate; !strings.HasPrefix(c.Fingerprint, "sha256:") || len(c.Fingerprint) != 7+64 || !c.Expires.After(time.Now()) || c.Issuer.IsEmpty() {
		t.Errorf("certificate %+v", c)
	}
	for _, c := range r.Capabilities {
		if !c.Has {
			t.Errorf("Dovecot is said to lack %s", c.Name)
		}
	}

	cfg.TLS = nil
	r, err = Check(t.Context(), cfg)
	if err == nil || !strings.Contains(err.Error(), "whom this machine trusts") {
		t.Errorf("an unknown authority: %v", err)
	}
	if r.Certificate.Fingerprint == "" {
		t.Error("the certificate that is not trusted is not shown")
	}
	cfg.TLS = &tls.Config{RootCAs: srv.CAPool}
	cfg.Credentials = fixedSecret{User: srv.User, Password: "wrong"}
	if _, err := Check(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "wrong user name or password") || strings.Contains(err.Error(), "\"wrong\"") {
		t.Errorf("a wrong password: %v", err)
	}
	if n := len(srv.Rows(t, "INBOX")); n != 3 {
		t.Errorf("%d messages afterwards", n)
	}
}

func TestCheckOfAServerWithoutIdle(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 3)
		srv.setCaps("IMAP4rev1 AUTH=PLAIN SASL-IR")
		r, err := Check(t.Context(), srv.config())
		if err != nil || r.Idle || r.IdleProblem.IsEmpty() {
			t.Errorf("%v, report %+v", err, r)
		}
		srv = newFake(t, 3)
		srv.on = func(c *fakeConn, tag, cmd string) bool { return cmd == "IDLE" }
		r, err = Check(t.Context(), srv.config())
		if err != nil || r.Idle || !strings.Contains(r.IdleProblem.String(), "does not answer") {
			t.Errorf("%v, report %+v", err, r)
		}
		if len(srv.said("SELECT")) != 0 {
			t.Error("a check selects for writing")
		}
	})
}
