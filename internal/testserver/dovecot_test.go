package testserver

import (
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/google/go-cmp/cmp"
)

func TestDovecotServesItsAccount(t *testing.T) {
	for _, format := range []string{"maildir", "sdbox", "mdbox"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			s := Dovecot(t, MailFormat(format))
			s.AppendN(t, "INBOX", 2)
			uid := s.Append(t, "INBOX", Letter(7), `\Seen`, "$Work")
			want := []Row{{1, []string{}}, {2, []string{}}, {uid, []string{"$Work", `\Seen`}}}
			if diff := cmp.Diff(want, s.Rows(t, "INBOX")); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			client := s.Client(t)
			folders, err := client.List("", "*", nil).Collect()
			if err != nil {
				t.Fatal(err)
			}
			roles := map[string]bool{}
			for _, f := range folders {
				for _, attr := range f.Attrs {
					roles[f.Mailbox+" "+string(attr)] = true
				}
			}
			for name, role := range specialUse {
				if !roles[name+` \`+role] {
					t.Errorf("LIST does not show %s as \\%s: %v", name, role, roles)
				}
			}
		})
	}
}

func TestDovecotDeliversToMaildir(t *testing.T) {
	s := Dovecot(t)
	s.Fill(t, "INBOX", 3, func(i int) Mail {
		return Mail{Raw: Letter(i), Flags: map[int]string{0: "", 1: "S", 2: "FS"}[i], Date: time.Unix(1_700_000_000+int64(i), 0)}
	})
	s.Deliver(t, Letter(99))
	want := []Row{{1, []string{}}, {2, []string{`\Seen`}}, {3, []string{`\Flagged`, `\Seen`}}, {4, []string{}}}
	if diff := cmp.Diff(want, s.Rows(t, "INBOX")); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestDovecotTLS(t *testing.T) {
	s := Dovecot(t)
	config := &tls.Config{RootCAs: s.CAPool, ServerName: "127.0.0.1"}
	implicit, err := imapclient.DialTLS(s.TLSAddr, &imapclient.Options{TLSConfig: config})
	if err != nil {
		t.Fatalf("TLS: %v", err)
	}
	defer implicit.Close()
	if err := implicit.Login(s.User, s.Password).Wait(); err != nil {
		t.Errorf("log in over TLS: %v", err)
	}
	upgraded, err := imapclient.DialStartTLS(s.Addr, &imapclient.Options{TLSConfig: config})
	if err != nil {
		t.Fatalf("STARTTLS: %v", err)
	}
	defer upgraded.Close()
	if err := upgraded.Login(s.User, s.Password).Wait(); err != nil {
		t.Errorf("log in over STARTTLS: %v", err)
	}
	stranger, err := imapclient.DialTLS(s.TLSAddr, nil)
	if err == nil {
		stranger.Close()
		t.Error("the certificate is trusted without its CA")
	}
}

func TestDovecotRefusesAWrongPassword(t *testing.T) {
	s := Dovecot(t)
	client, err := imapclient.DialInsecure(s.Addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	err = client.Login(s.User, "wrong").Wait()
	if err == nil || !strings.Contains(err.Error(), string(imap.ResponseCodeAuthenticationFailed)) {
		t.Errorf("a wrong password: %v", err)
	}
}

func TestDovecotWithoutCapabilities(t *testing.T) {
	without := []string{"MOVE", "UIDPLUS", "IDLE", "ESEARCH"}
	plain := Dovecot(t)
	if caps := plain.Client(t).Caps(); len(caps) == 0 {
		t.Error("no capabilities at all")
	} else {
		for _, name := range without {
			if !caps.Has(imap.Cap(name)) {
				t.Errorf("the default server lacks %s", name)
			}
		}
	}
	s := Dovecot(t, WithoutCapability(without...))
	caps := s.Client(t).Caps()
	for _, name := range without {
		if caps.Has(imap.Cap(name)) {
			t.Errorf("%s is still announced", name)
		}
	}
	if !caps.Has("CONDSTORE") {
		t.Errorf("what was not named is gone too: %v", fmt.Sprint(caps))
	}
}

func TestDovecotNoPlaintextLogin(t *testing.T) {
	s := Dovecot(t, NoPlaintextLogin())
	client, err := imapclient.DialInsecure(s.Addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if !client.Caps().Has(imap.CapLoginDisabled) {
		t.Error("LOGINDISABLED is not announced on the plain port")
	}
	config := &tls.Config{RootCAs: s.CAPool, ServerName: "127.0.0.2"}
	upgraded, err := imapclient.DialStartTLS(s.Addr, &imapclient.Options{TLSConfig: config})
	if err != nil {
		t.Fatalf("STARTTLS: %v", err)
	}
	defer upgraded.Close()
	if err := upgraded.Login(s.User, s.Password).Wait(); err != nil {
		t.Errorf("log in after STARTTLS: %v", err)
	}
}

func TestDovecotRestartsWithItsMail(t *testing.T) {
	s := Dovecot(t)
	client := s.Client(t)
	uid := s.Append(t, "INBOX", Letter(1), `\Seen`)
	addr := s.Addr
	s.Stop()
	if err := client.Noop().Wait(); err == nil {
		t.Error("a stopped server answers")
	}
	if conn, err := net.Dial("tcp", addr); err == nil {
		_ = conn.Close()
		t.Error("a stopped server listens")
	}
	squatter, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.start(); err == nil || !strings.Contains(s.Log(), "in use") {
		t.Errorf("started on a port that is taken: %v\n%s", err, s.Log())
	}
	_ = squatter.Close()
	s.Restart(t)
	if diff := cmp.Diff([]Row{{uid, []string{`\Seen`}}}, s.Rows(t, "INBOX")); s.Addr != addr || diff != "" {
		t.Errorf("at %s, was %s; rows (-want +got):\n%s", s.Addr, addr, diff)
	}
}
