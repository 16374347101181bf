package setup

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const passwords = "AUTH=PLAIN SASL-IR"

// document is an autoconfig document with these incoming servers.
func document(servers ...string) string {
	return `<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1"><emailProvider id="example.org"><domain>example.org</domain>` + strings.Join(servers, "") +
		`<outgoingServer type="smtp"><hostname>smtp.example.org</hostname></outgoingServer></emailProvider></clientConfig>`
}

func incoming(kind, host, port, socket, user string) string {
	return fmt.Sprintf(`<incomingServer type="%s"><hostname>%s</hostname><port>%s</port><socketType>%s</socketType><username>%s</username><authentication>password-cleartext</authentication></incomingServer>`,
		kind, host, port, socket, user)
}

func srv(host string, port uint16) []*net.SRV { return []*net.SRV{{Target: host, Port: port}} }

func TestFind(t *testing.T) {
	cases := []struct {
		name    string
		address string
		build   func(*world)
		want    Server // Mechanisms as one string is compared apart
		caps    string
	}{
		{"SRV", "alice@example.org", func(w *world) {
			w.srv["imaps.example.org"] = srv("mx7.example.org.", 9993)
			w.imap("mx7.example.org:9993", passwords)
			w.imap("imap.example.org:993", passwords) // a guess would find this one
		}, Server{Host: "mx7.example.org", Port: 9993, Source: FromSRV}, "PLAIN"},
		{"SRV, STARTTLS", "alice@example.org", func(w *world) {
			w.srv["imaps.example.org"] = srv(".", 0) // there is none, says RFC 6186 §3.4
			w.srv["imap.example.org"] = srv("imap.example.org.", 143)
			w.imap("imap.example.org:143", passwords)
		}, Server{Host: "imap.example.org", Port: 143, Security: StartTLS, Source: FromSRV}, "PLAIN"},
		{"SRV to another owner's host", "alice@example.org", func(w *world) {
			w.srv["imaps.example.org"] = srv("imap.hoster.example.", 993)
			w.imap("imap.hoster.example:993", passwords)
		}, Server{Host: "imap.hoster.example", Port: 993, Source: FromSRV, Foreign: true}, "PLAIN"},
		{"SRV that leads nowhere", "alice@example.org", func(w *world) {
			w.srv["imaps.example.org"] = srv("gone.example.org.", 993)
			w.imap("imap.example.org:993", passwords)
		}, Server{Host: "imap.example.org", Port: 993, Source: FromGuess}, "PLAIN"},
		{"autoconfig", "alice@example.org", func(w *world) {
			w.web("autoconfig.example.org", "/mail/config-v1.1.xml", document(
				incoming("pop3", "pop.example.org", "995", "SSL", "%EMAILADDRESS%"),
				incoming("imap", "IMAP.hoster.example", "993", "SSL", "%EMAILLOCALPART%")))
			w.imap("imap.hoster.example:993", passwords+" AUTH=SCRAM-SHA-256")
		}, Server{Host: "imap.hoster.example", Port: 993, User: "alice", Source: FromAutoconfig}, "PLAIN SCRAM-SHA-256"},
		{"well-known autoconfig", "alice@example.org", func(w *world) {
			w.web("example.org", "/.well-known/autoconfig/mail/config-v1.1.xml", document(incoming("imap", "a.example.org", "143", "STARTTLS", "x-%EMAILLOCALPART%@%EMAILDOMAIN%")))
			w.imap("a.example.org:143", "AUTH=XOAUTH2 LOGINDISABLED")
		}, Server{Host: "a.example.org", Port: 143, Security: StartTLS, User: "x-alice@example.org", Source: FromAutoconfig, LoginDisabled: true}, "XOAUTH2"},
		{"guess", "alice@example.org", func(w *world) {
			w.imap("mail.example.org:993", "")
			w.imap("example.org:143", passwords)
		}, Server{Host: "mail.example.org", Port: 993, Source: FromGuess}, ""},
		{"guess, STARTTLS", "alice@example.org", func(w *world) { w.imap("mail.example.org:143", passwords) },
			Server{Host: "mail.example.org", Port: 143, Security: StartTLS, Source: FromGuess}, "PLAIN"},
		{"guess past a certificate of another name", "alice@example.org", func(w *world) {
			w.imap("imap.example.org:993", passwords, "hoster.example")
			w.imap("mail.example.org:993", passwords)
		}, Server{Host: "mail.example.org", Port: 993, Source: FromGuess}, "PLAIN"},
		{"guess past what is no IMAP server", "alice@example.org", func(w *world) {
			w.listen("imap.example.org:993", func(c net.Conn) { fmt.Fprint(c, "SSH-2.0-x\r\n") })
			w.listen("imap.example.org:143", func(c net.Conn) { fmt.Fprint(c, "220 smtp ready\r\n") })
			w.imap("mail.example.org:143", passwords)
		}, Server{Host: "mail.example.org", Port: 143, Security: StartTLS, Source: FromGuess}, "PLAIN"},
		{"an internationalised domain", "alice@bücher.example", func(w *world) { w.imap("imap.xn--bcher-kva.example:993", "") },
			Server{Host: "imap.xn--bcher-kva.example", Port: 993, User: "alice@bücher.example", Source: FromGuess}, ""},
		{"Gmail", "alice@gmail.com", func(w *world) { w.imap("imap.gmail.com:993", "AUTH=XOAUTH2 AUTH=OAUTHBEARER AUTH=PLAIN") },
			Server{Host: "imap.gmail.com", Port: 993, Source: FromPreset}, "XOAUTH2 OAUTHBEARER PLAIN"},
		{"Yahoo somewhere", "alice@yahoo.co.uk", func(w *world) { w.imap("imap.mail.yahoo.com:993", "") },
			Server{Host: "imap.mail.yahoo.com", Port: 993, Source: FromPreset}, ""},
		{"a domain whose mail Google has", "alice@example.org", func(w *world) {
			w.mx["example.org"] = []*net.MX{{Host: "aspmx.l.google.com.", Pref: 1}}
			w.imap("imap.gmail.com:993", "AUTH=XOAUTH2")
		}, Server{Host: "imap.gmail.com", Port: 993, Source: FromMX}, "XOAUTH2"},
		{"a domain whose mail Microsoft has", "alice@example.org", func(w *world) {
			w.mx["example.org"] = []*net.MX{{Host: "example-org.mail.protection.outlook.com.", Pref: 1}}
			w.imap("outlook.office365.com:993", "AUTH=XOAUTH2 AUTH=PLAIN")
		}, Server{Host: "outlook.office365.com", Port: 993, Source: FromMX}, "XOAUTH2 PLAIN"},
		{"SRV to a known provider is not foreign", "alice@example.org", func(w *world) {
			w.srv["imaps.example.org"] = srv("imap.fastmail.com.", 993)
			w.imap("imap.fastmail.com:993", "")
		}, Server{Host: "imap.fastmail.com", Port: 993, Source: FromSRV}, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			c.build(w)
			a, err := ParseAddress(c.address)
			if err != nil {
				t.Fatal(err)
			}
			found := w.finder().Find(t.Context(), a)
			if found.Server == nil {
				t.Fatalf("nothing is found: %s (tried %v)", found.Why, w.dialed)
			}
			got := *found.Server
			if c.want.User == "" {
				c.want.User = c.address
			}
			if got.Host != c.want.Host || got.Port != c.want.Port || got.Security != c.want.Security || got.User != c.want.User ||
				got.Source != c.want.Source || got.Foreign != c.want.Foreign || got.LoginDisabled != c.want.LoginDisabled || strings.Join(got.Mechanisms, " ") != c.caps {
				t.Errorf("got  %+v\nwant %+v %q", got, c.want, c.caps)
			}
		})
	}
}

// TestProviderNeedsNoDNS: for an address of a large provider nobody is asked but
// the provider.
func TestProviderNeedsNoDNS(t *testing.T) {
	w := newWorld(t)
	w.dns = errors.New("nobody is to be asked")
	w.imap("imap.gmail.com:993", "")
	a, _ := ParseAddress("alice@googlemail.com")
	found := w.finder().Find(t.Context(), a)
	if found.Server == nil || len(w.dialed) != 1 {
		t.Errorf("found %+v, connected to %v", found, w.dialed)
	}
	if p := found.Server.Provider; p == nil || p.OAuth2 != "google" || !strings.Contains(p.Hint, "app password") {
		t.Errorf("the provider is %+v", p)
	}
}

// TestNothingFound: what is not there is told from what cannot be asked.
func TestNothingFound(t *testing.T) {
	timeout := &net.DNSError{Err: "i/o timeout", IsTimeout: true}
	cases := []struct {
		name    string
		address string
		build   func(*world)
		offline bool
		why     string
	}{
		{"no such domain", "alice@example.org", func(*world) {}, false, "there is no domain example.org that takes mail"},
		{"no server", "alice@example.org", func(w *world) { w.mx["example.org"] = []*net.MX{{Host: "mx.example.org."}} }, false, "no server of example.org could be found"},
		{"offline", "alice@example.org", func(w *world) { w.dns = timeout }, true, "the name server does not answer"},
		{"offline, at a provider", "alice@gmail.com", func(w *world) { w.dns = timeout }, true, "imap.gmail.com, where mail of gmail.com is, does not answer"},
		{"a provider that its mail goes to", "alice@example.org", func(w *world) {
			w.mx["example.org"] = []*net.MX{{Host: "example-org.mail.protection.outlook.com."}}
		}, true, "outlook.office365.com, where mail of example.org is, does not answer"},
		{"plain http is not asked, plain IMAP not named", "alice@example.org", func(w *world) {
			w.mx["example.org"] = []*net.MX{{Host: "mx.example.org."}}
			w.web("autoconfig.example.org", "/mail/config-v1.1.xml", document(incoming("imap", "imap.example.org", "143", "plain", "")))
		}, false, "no server"},
		{"a server without TLS", "alice@example.org", func(w *world) {
			w.mx["example.org"] = []*net.MX{{Host: "mx.example.org."}}
			w.listen("imap.example.org:143", func(c net.Conn) { talk(c, "AUTH=PLAIN", nil, "") })
		}, false, "no server"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			c.build(w)
			a, err := ParseAddress(c.address)
			if err != nil {
				t.Fatal(err)
			}
			found := w.finder().Find(t.Context(), a)
			if found.Server != nil || found.Offline != c.offline || !strings.Contains(found.Why.String(), c.why) {
				t.Errorf("got %+v", found)
			}
			if likely := strings.HasSuffix(c.why, " is, does not answer"); likely != (found.Likely != nil) {
				t.Errorf("the likely server is %+v", found.Likely)
			}
			if w.hasDialed("autoconfig.example.org:80") {
				t.Error("autoconfig is asked for in the clear")
			}
		})
	}
}

// silent never answers, as a name server behind a firewall.
type silent struct{}

func (silent) LookupSRV(ctx context.Context, _, _, _ string) (string, []*net.SRV, error) {
	<-ctx.Done()
	return "", nil, ctx.Err()
}

func (silent) LookupMX(ctx context.Context, _ string) ([]*net.MX, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

type silentWeb struct{}

func (silentWeb) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// TestSilence: whoever says nothing costs a few seconds, all together.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := Finder{Resolver: silent{}, Transport: silentWeb{}, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		a, _ := ParseAddress("alice@example.org")
		began := time.Now()
		if found := f.Find(t.Context(), a); !found.Offline || time.Since(began) != askTime {
			t.Errorf("%+v after %v", found, time.Since(began))
		}
		// Names that resolve, servers that take the connection and say nothing.
		w := newWorld(t)
		f.Resolver, f.Transport = w, silentWeb{}
		w.srv["imaps.example.org"] = srv("imap.example.org", 993)
		var open []net.Conn
		f.Dial = func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			w.mu.Lock()
			defer w.mu.Unlock()
			open = append(open, theirs)
			return ours, nil
		}
		began = time.Now()
		if found := f.Find(t.Context(), a); found.Server != nil || time.Since(began) != askTime+2*probeTime {
			t.Errorf("%+v after %v", found, time.Since(began))
		}
		for _, c := range open {
			c.Close()
		}
		// And with somebody who does not want to wait.
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began = time.Now()
		f.Resolver = silent{}
		if found := f.Find(ctx, a); found.Server != nil || time.Since(began) != time.Second {
			t.Errorf("%+v after %v", found, time.Since(began))
		}
	})
}

// TestProbeIsNotFooled: what a server sends before TLS does not count behind it,
// floods end, and no name or password is ever sent.
func TestProbeIsNotFooled(t *testing.T) {
	w := newWorld(t)
	w.listen("injects.example.org:143", func(c net.Conn) {
		fmt.Fprint(c, "* OK ready\r\n")
		buf := make([]byte, 100)
		_, _ = c.Read(buf)
		fmt.Fprint(c, "a OK go\r\n* CAPABILITY AUTH=PLAIN\r\na OK\r\n")
		_, _ = c.Read(buf)
	})
	w.listen("floods.example.org:143", func(c net.Conn) {
		for {
			if _, err := fmt.Fprint(c, "* OK "+strings.Repeat("x", 500)+"\r\n"); err != nil {
				return
			}
		}
	})
	w.listen("endless.example.org:143", func(c net.Conn) {
		for {
			if _, err := fmt.Fprint(c, "* OK xxxxxxxxxxxxxxxxxxxxxx"); err != nil {
				return
			}
		}
	})
	w.listen("refuses.example.org:143", func(c net.Conn) {
		fmt.Fprint(c, "* OK ready\r\n")
		buf := make([]byte, 100)
		_, _ = c.Read(buf)
		fmt.Fprint(c, "a NO never\r\n")
	})
	for _, host := range []string{"injects", "floods", "endless", "refuses"} {
		s := Server{Host: host + ".example.org", Port: 143, Security: StartTLS}
		if err := w.finder().Probe(t.Context(), &s); err == nil || len(s.Mechanisms) > 0 {
			t.Errorf("%s: %v, %v", host, err, s.Mechanisms)
		}
	}
}

func TestParseAddress(t *testing.T) {
	for s, want := range map[string]Address{
		"alice@example.org":                       {"alice@example.org", "alice", "example.org"},
		" Alice@Example.ORG. ":                    {"Alice@Example.ORG", "Alice", "example.org"},
		"a+b@mail.example.org":                    {"a+b@mail.example.org", "a+b", "mail.example.org"},
		"alice@bücher.example":                    {"alice@bücher.example", "alice", "xn--bcher-kva.example"},
		"\"a\"@x.example.org":                     {},
		"alice":                                   {},
		"alice@":                                  {},
		"@example.org":                            {},
		"alice@localhost":                         {},
		"alice@exa mple.org":                      {},
		"alice@example.org/../":                   {},
		"alice@-example.org":                      {},
		"alice@[127.0.0.1]":                       {},
		"al\x1b[31mice@example.org":               {},
		"Alice <alice@example.org>":               {},
		strings.Repeat("a", 400) + "@example.org": {},
	} {
		got, err := ParseAddress(s)
		if got != want || (err != nil) != (want == Address{}) {
			t.Errorf("%q is %+v, %v", s, got, err)
		}
		if err != nil && strings.ContainsRune(err.Error(), 0x1b) {
			t.Errorf("the error is not fit to be shown: %q", err)
		}
	}
}

func TestWaysIn(t *testing.T) {
	for _, c := range []struct {
		s               Server
		password, token bool
	}{
		{Server{}, true, false},
		{Server{LoginDisabled: true}, false, false},
		{Server{LoginDisabled: true, Mechanisms: []string{"PLAIN"}}, true, false},
		{Server{LoginDisabled: true, Mechanisms: []string{"XOAUTH2"}}, false, true},
		{Server{LoginDisabled: true, Mechanisms: []string{"SCRAM-SHA-256", "OAUTHBEARER"}}, true, true},
	} {
		if c.s.TakesPassword() != c.password || c.s.TakesToken() != c.token {
			t.Errorf("%+v: password %v, token %v", c.s, c.s.TakesPassword(), c.s.TakesToken())
		}
	}
}

// TestProviders: the table is in order.
func TestProviders(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range providers {
		if !validHost(p.Host) || p.Port != 993 || p.Name == "" || len(p.domains)+len(p.mx) == 0 {
			t.Errorf("%+v", p)
		}
		for _, d := range p.domains {
			if seen[d] {
				t.Errorf("%s stands twice", d)
			}
			seen[d] = true
		}
	}
	for domain, want := range map[string]string{
		"yahoo.com": "Yahoo", "yahoo.co.uk": "Yahoo", "yahoo.com.br": "Yahoo", "yahoo.evil.example": "", "yahoo.example": "",
		"hotmail.fr": "Outlook.com", "outlook.office.example": "", "gmail.com": "Gmail", "gmail.com.evil.example": "", "example.org": "",
	} {
		got := ""
		if p := providerOf(domain); p != nil {
			got = p.Name
		}
		if got != want {
			t.Errorf("%s is of %q, want %q", domain, got, want)
		}
	}
	for host, want := range map[string]string{
		"aspmx.l.google.com.": "Gmail", "smtp.google.com": "Gmail", "evilgoogle.com": "", "x.mail.protection.outlook.com.": "Microsoft 365",
		"hotmail-com.olc.protection.outlook.com": "Outlook.com", "mx.example.org": "",
	} {
		got := ""
		if p := providerByMX(host); p != nil {
			got = p.Name
		}
		if got != want {
			t.Errorf("mail to %s is at %q, want %q", host, got, want)
		}
	}
}
