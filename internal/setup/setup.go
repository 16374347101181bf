// Package setup goes from a mail address to an account of the config: it finds
// the server, looks whether it is there, says which ways to sign in it has, and
// writes the account. It asks nobody anything and signs in nowhere; package cli
// does both.
//
// What it is told comes from the network, before anything has been proven: a
// host is believed only if its own certificate, or that of the address's
// domain, vouches for it, and a person has to agree where neither does
// (Server.Foreign).
package setup

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"

	"tidings/internal/crash"
	"tidings/internal/safetext"
)

// The time limits of a Find, which takes no longer than all of them together.
const (
	askTime   = 3 * time.Second // DNS and autoconfig, side by side
	probeTime = 4 * time.Second // the candidates, side by side
)

// Address is a mail address.
type Address struct {
	Full   string // as it was typed
	Local  string
	Domain string // lower-case, internationalised names in their ASCII form
}

// ParseAddress takes an address apart, without a display name.
func ParseAddress(s string) (Address, error) {
	s = strings.TrimSpace(s)
	i := strings.LastIndexByte(s, '@')
	if i <= 0 || i == len(s)-1 || len(s) > 320 || strings.ContainsAny(s, " <>\",;:\\") || safetext.Clean(s).String() != s {
		return Address{}, fmt.Errorf("%.80q is not a mail address; expected one such as alice@example.org", s)
	}
	domain, err := idna.Lookup.ToASCII(strings.TrimSuffix(s[i+1:], "."))
	if err != nil || !validHost(domain) || !strings.Contains(domain, ".") {
		return Address{}, fmt.Errorf("%.80q is not a domain that mail could come from; expected an address such as alice@example.org", s[i+1:])
	}
	return Address{Full: s[:i+1] + strings.TrimSuffix(s[i+1:], "."), Local: s[:i], Domain: strings.ToLower(domain)}, nil
}

// Security is how a server's port is protected. There is no third way.
type Security uint8

const (
	Implicit Security = iota // TLS from the first byte
	StartTLS
)

// String is the value that tls has in the config.
func (s Security) String() string {
	if s == StartTLS {
		return "starttls"
	}
	return "implicit"
}

// Source is who named a server.
type Source string

const (
	FromPreset     Source = "known to Tidings"
	FromMX         Source = "known to Tidings, by where the domain's mail goes"
	FromSRV        Source = "named by the domain's DNS"
	FromAutoconfig Source = "named by the domain's autoconfig"
	FromGuess      Source = "found by trying the usual names"
)

// Server is an IMAP server that answered.
type Server struct {
	Host     string
	Port     int
	Security Security
	User     string // to sign in with
	Source   Source
	// Foreign: the host is not below the address's domain, and only DNS, which
	// anybody on the way can forge, says that it is the right one (RFC 6186 §6).
	Foreign  bool
	Provider *Provider // nil: none that Tidings knows
	// Mechanisms are the SASL mechanisms that it offers behind TLS, upper-case.
	Mechanisms []string
	// LoginDisabled: it takes no password by the LOGIN command (RFC 3501 §6.2.3).
	LoginDisabled bool
}

// TakesPassword tells whether the server has a way to sign in by a password.
func (s Server) TakesPassword() bool {
	for _, m := range s.Mechanisms {
		if m == "PLAIN" || m == "LOGIN" || strings.HasPrefix(m, "SCRAM-") {
			return true
		}
	}
	return !s.LoginDisabled
}

// TakesToken tells whether it takes OAuth2's access tokens.
func (s Server) TakesToken() bool {
	for _, m := range s.Mechanisms {
		if m == "XOAUTH2" || m == "OAUTHBEARER" {
			return true
		}
	}
	return false
}

// Resolver is what Find needs of a *net.Resolver.
type Resolver interface {
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
}

// Finder looks for servers. The zero value asks the real network.
type Finder struct {
	Resolver  Resolver          // nil: net.DefaultResolver
	Transport http.RoundTripper // of autoconfig; nil: a plain one
	// Dial connects below TLS; nil: net.Dialer.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// TLS is what is trusted; nil: the system's authorities. ServerName is set by
	// the Finder.
	TLS *tls.Config
}

// Finding is what Find found. At most one of Server, Offline and Why says more
// than nothing.
type Finding struct {
	Server *Server // nil: none
	// Offline: nobody could be asked; it may well be there.
	Offline bool
	// Likely is the server that Tidings knows, where that one does not answer.
	Likely *Server
	// Why says what was tried in vain, where there is no Server.
	Why safetext.Text
}

// Find looks for the address's server: first what Tidings knows, then what the
// domain says (SRV records, autoconfig, where its mail goes), then the usual
// names. It ends within seconds, and names no server that has not answered,
// behind a valid certificate, as an IMAP server does.
func (f Finder) Find(ctx context.Context, a Address) Finding {
	if p := providerOf(a.Domain); p != nil {
		if s, err := f.first(ctx, []Server{p.server(a, FromPreset)}); err == nil {
			return Finding{Server: s}
		}
		return unreached(a, p.server(a, FromPreset))
	}
	said := f.ask(ctx, a)
	groups := [][]Server{said.srv, said.autoconfig, said.mx}
	for _, group := range groups {
		if s, err := f.first(ctx, group); err == nil {
			return Finding{Server: s}
		}
	}
	if said.offline {
		return Finding{Offline: true, Why: safetext.Const("the name server does not answer")}
	}
	if s, err := f.first(ctx, guesses(a)); err == nil {
		return Finding{Server: s}
	}
	if len(said.mx) > 0 {
		return unreached(a, said.mx[0])
	}
	if said.unknown {
		return Finding{Why: safetext.Format("there is no domain %s that takes mail", safetext.Clean(a.Domain))}
	}
	return Finding{Why: safetext.Format("no server of %s could be found", safetext.Clean(a.Domain))}
}

// unreached is a server that is there, even if it does not answer now.
func unreached(a Address, s Server) Finding {
	return Finding{Offline: true, Likely: &s, Why: safetext.Format("%s, where mail of %s is, does not answer", safetext.Clean(s.Host), safetext.Clean(a.Domain))}
}

// told is what was said of a domain.
type told struct {
	srv, autoconfig, mx []Server
	offline             bool // no name server answered
	unknown             bool // the name server knows no such domain, or no mail of it
}

// ask asks DNS and autoconfig at once.
func (f Finder) ask(ctx context.Context, a Address) told {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	var t told
	var srvErr, mxErr error
	var running sync.WaitGroup
	for name, look := range map[string]func(){
		"setup SRV":        func() { t.srv, srvErr = f.srv(ctx, a) },
		"setup MX":         func() { t.mx, mxErr = f.mx(ctx, a) },
		"setup autoconfig": func() { t.autoconfig = f.autoconfig(ctx, a) },
	} {
		running.Add(1)
		crash.Go(name, func() {
			defer running.Done()
			look()
		})
	}
	running.Wait()
	t.offline = unanswered(srvErr) && unanswered(mxErr) && len(t.autoconfig) == 0
	t.unknown = notFound(mxErr)
	return t
}

// guesses are the usual names, the usual ports.
func guesses(a Address) []Server {
	var out []Server
	for _, at := range []struct {
		port     int
		security Security
	}{{993, Implicit}, {143, StartTLS}} {
		for _, host := range []string{"imap." + a.Domain, "mail." + a.Domain, a.Domain, "imaps." + a.Domain} {
			out = append(out, Server{Host: host, Port: at.port, Security: at.security, User: a.Full, Source: FromGuess})
		}
	}
	return out
}

// sameOwner tells whether a host is below the domain that the address's owner
// registered.
func sameOwner(host, domain string) bool {
	a, err := publicsuffix.EffectiveTLDPlusOne(strings.ToLower(host))
	b, err2 := publicsuffix.EffectiveTLDPlusOne(domain)
	return err == nil && err2 == nil && a == b
}

// validHost tells whether s is a host name that can be put into a config, a
// request or a sentence.
func validHost(s string) bool {
	if s == "" || len(s) > 253 || strings.HasPrefix(s, ".") || strings.Contains(s, "..") {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_':
		case c == '-' && i > 0 && s[i-1] != '.':
		default:
			return false
		}
	}
	return true
}
