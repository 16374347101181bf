package imapsession

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/xdg-go/scram"

	"tidings/imapsession/wire"
)

// logIn signs in and ends with the capabilities known. Every error is a *fault.
func (l *link) logIn(ctx context.Context) error {
	caps := l.client.Caps() // asks, if the greeting did not say; gives up after 30 s
	switch {
	case caps == nil && l.over():
		return l.lost(io.EOF)
	case caps == nil:
		return &fault{text: "the server has not said what it can do: the link was dropped"}
	}
	if l.preauth {
		l.caps = caps
		return nil
	}
	// Before anything is asked of a person or a program.
	if len(caps.AuthMechanisms()) == 0 && caps.Has(imap.CapLoginDisabled) {
		return loginDisabled(l.s.cfg.Security)
	}
	secret, err := l.secret(ctx)
	if err != nil {
		return err
	}
	ways, err := l.ways(caps, secret)
	if err != nil {
		return err
	}
	if err := l.signIn(ways, secret); err != nil {
		return err
	}
	l.s.signing.succeeded(l.role)
	l.byToken = secret.Token != ""
	l.pump()
	return l.learnCaps()
}

// loginDisabled is what to do about a server that takes no password and names
// no other way: mostly it wants TLS first.
func loginDisabled(by Security) *fault {
	if by == Plaintext {
		return &fault{text: "the server allows no password here (LOGINDISABLED): set tls = \"implicit\" or \"starttls\" in the config" + Restart, fatal: true}
	}
	return &fault{text: "the server allows no password, nor any other way to sign in (LOGINDISABLED), though the link is encrypted: ask who runs the server, or correct host and port in the config" + Restart, fatal: true}
}

// mechanism is a way to sign in, by its SASL name.
type mechanism string

const (
	byOAuthBearer mechanism = "OAUTHBEARER"
	byXOAuth2     mechanism = "XOAUTH2"
	byScram256    mechanism = "SCRAM-SHA-256"
	byScram1      mechanism = "SCRAM-SHA-1"
	byPlain       mechanism = "PLAIN"
	byLoginSASL   mechanism = "LOGIN" // AUTHENTICATE LOGIN, obsolete and still met
	byExternal    mechanism = "EXTERNAL"
	byLogin       mechanism = "the LOGIN command"
)

// readable tells whether it shows the secret to whoever can read the link.
func (m mechanism) readable() bool {
	return m != byScram256 && m != byScram1 && m != byExternal
}

// The ways to sign in by each kind of secret, best first.
var (
	tokenWays    = []mechanism{byOAuthBearer, byXOAuth2}
	passwordWays = []mechanism{byScram256, byScram1, byPlain, byLogin, byLoginSASL}
)

// ways returns what the server and the config share, best first, at least one.
func (l *link) ways(caps imap.CapSet, secret Secret) ([]mechanism, error) {
	wanted := passwordWays
	kind := "a password"
	switch {
	case secret.Mechanism == string(byExternal):
		wanted, kind = []mechanism{byExternal}, "a client certificate"
	case secret.Token != "":
		wanted, kind = tokenWays, "an OAuth2 token"
	}
	var ways []mechanism
	unprotected := false
	for _, m := range wanted {
		name := string(m)
		if m == byLogin {
			name = "LOGIN"
		}
		switch {
		case secret.Mechanism != "" && !strings.EqualFold(secret.Mechanism, name):
		case m == byLogin && caps.Has(imap.CapLoginDisabled):
		case m != byLogin && !caps.Has(imap.AuthCap(string(m))):
		case m.readable() && !l.mayShow(secret), m == byExternal && l.s.cfg.Security == Plaintext:
			unprotected = true
		default:
			ways = append(ways, m)
		}
	}
	if len(ways) > 0 {
		return l.s.signing.order(ways), nil
	}
	offers := "nothing else"
	if names := mechanisms(caps); len(names) > 0 {
		var out []string
		for _, n := range names {
			out = append(out, n.String())
		}
		offers = "only " + strings.Join(out, ", ")
	}
	f := &fault{fatal: true}
	switch {
	case unprotected:
		f.text = "the link is not encrypted, and the server offers no way to sign in that does not show " + kind + " to whoever listens: set tls = \"implicit\" or \"starttls\" in the config" + Restart
	case secret.Mechanism != "":
		f.text = fmt.Sprintf("the server does not offer %s, which the config asks for, %s; correct the config", say(secret.Mechanism), offers) + Restart
	case secret.Token != "":
		f.text = fmt.Sprintf("the server takes no OAuth2 token (OAUTHBEARER or XOAUTH2), it offers %s: take [account.oauth2] out of the config", offers) + Restart
	default:
		f.text = fmt.Sprintf("the server offers no way to sign in with a password, %s", offers)
		if caps.Has(imap.AuthCap("XOAUTH2")) || caps.Has(imap.AuthCap("OAUTHBEARER")) {
			f.text += ": it wants OAuth2, [account.oauth2] in the config (tidings setup writes it)"
		}
	}
	return nil, f
}

// mayShow tells whether a secret may go over this link readable: it is
// encrypted, or never leaves this machine, or it is a password of which the
// config says so in words (insecure = true).
func (l *link) mayShow(secret Secret) bool {
	cfg := l.s.cfg
	return cfg.Security != Plaintext || isLoopbackHost(cfg.Host) || cfg.Insecure && secret.Token == ""
}

// signIn tries the best way. A server may offer SCRAM for all and yet have
// passwords for which it cannot do it; over a link that is encrypted, the next
// way that is not SCRAM is then tried, too, and kept to if it works.
func (l *link) signIn(ways []mechanism, secret Secret) error {
	best := ways[0]
	err := l.try(best, secret)
	if err == nil || best.readable() || best == byExternal || !refused(err) || l.s.cfg.Security == Plaintext || l.over() {
		return l.judge(best, secret, err)
	}
	next := slices.IndexFunc(ways, mechanism.readable)
	if next < 0 || !credentialsRefused(err) {
		return l.judge(best, secret, err)
	}
	l.s.log.Info("the server refused "+string(best)+", trying another way", "way", string(ways[next]))
	err = l.try(ways[next], secret)
	if err == nil {
		l.s.signing.prefer(ways[next])
	}
	return l.judge(ways[next], secret, err)
}

// try signs in by one way. The error is imapclient's, or a *fault.
func (l *link) try(m mechanism, secret Secret) error {
	l.taggedCode = ""
	l.why = oauthProblem{}
	watchdog := l.within(connectTimeout, "let us in")
	defer watchdog.Stop()
	if m == byLogin {
		return l.client.Login(secret.User, secret.Password).Wait()
	}
	c, proven, err := l.saslClient(m, secret)
	if err != nil {
		return err
	}
	c.inline = l.client.Caps().Has(imap.CapSASLIR)
	if err := l.client.Authenticate(c); err != nil {
		return err
	}
	if proven != nil && !proven() {
		return unproven(errors.New("it said OK before its proof"))
	}
	return nil
}

// saslClient makes the exchange of one mechanism. proven is nil where the server
// proves nothing.
func (l *link) saslClient(m mechanism, secret Secret) (c *saslClient, proven func() bool, err error) {
	switch m {
	case byOAuthBearer:
		return bearerClient(secret, l.s.cfg.Host, l.s.cfg.Port, &l.why), nil, nil
	case byXOAuth2:
		return xoauth2Client(secret, &l.why), nil, nil
	case byExternal:
		return externalClient(secret.User), nil, nil
	case byLoginSASL:
		return loginClient(secret), nil, nil
	case byScram256, byScram1:
		hash := scram.SHA256
		if m == byScram1 {
			hash = scram.SHA1
		}
		c, proven, err = scramClient(string(m), hash, secret)
		if err != nil {
			err = &fault{text: "the user name or the password has characters that SCRAM cannot carry; set auth = \"plain\" in the config" + Restart, err: err, fatal: true}
		}
		return c, proven, err
	}
	return plainClient(secret), nil, nil
}

// secretTimeout is how long a password may take to come; most servers wait no
// longer for a log-in.
const secretTimeout = 2 * time.Minute

// SecretError is what Credentials return of a secret that cannot be had, where
// that means something other than "mend it and press r".
type SecretError struct {
	Text string // a sentence for the person, without outside text's control characters
	// Transient: the usual back-off applies, and never less than After.
	Transient bool
	After     time.Duration
	// SignIn: nothing but signing in again helps.
	SignIn bool
	Err    error
}

func (e *SecretError) Error() string { return e.Text }
func (e *SecretError) Unwrap() error { return e.Err }

// secret asks the account's Credentials, within the phase's time.
func (l *link) secret(ctx context.Context) (Secret, error) {
	if l.s.cfg.Credentials == nil {
		return Secret{}, &fault{text: "no credentials are configured for this account", fatal: true}
	}
	// A person may have to unlock something first; the server owes us nothing
	// meanwhile.
	l.tap.SetPhase(wire.PhaseIdle)
	defer l.tap.SetPhase(wire.PhaseConnect)
	ctx, cancel := context.WithTimeout(ctx, secretTimeout)
	defer cancel()
	secret, err := l.s.cfg.Credentials.Secret(ctx)
	var known *SecretError
	switch {
	case errors.As(err, &known):
		return Secret{}, &fault{text: say(known.Text).String(), err: err, fatal: !known.Transient, after: known.After, signIn: known.SignIn}
	case err != nil:
		text := "the password could not be had: " + say(err.Error()).String()
		if !strings.Contains(text, "start Tidings") {
			text += "; mend that and press r"
		}
		return Secret{}, &fault{text: text, err: err, fatal: true}
	}
	if strings.ContainsRune(secret.User, 0) || strings.ContainsRune(secret.Password, 0) {
		return Secret{}, &fault{text: "the user name or the password contains a NUL, which IMAP cannot send; correct it" + restartOrR, fatal: true}
	}
	// An octet 1 would end the token's field and begin another.
	if secret.Token != "" && strings.ContainsFunc(secret.User+secret.Token, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return Secret{}, &fault{text: "the user name or the token contains a control character; correct it" + restartOrR, fatal: true}
	}
	return secret, nil
}

// signing is what is remembered from one log-in to the next, by both
// connections.
type signing struct {
	mu       sync.Mutex
	better   mechanism // works where the best one was refused
	renewals [2]int    // tokens in a row that the server refused, by role
}

func (s *signing) prefer(m mechanism) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.better = m
}

// order puts the way that is known to work first.
func (s *signing) order(ways []mechanism) []mechanism {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(ways, s.better); i > 0 {
		return append([]mechanism{s.better}, slices.Delete(slices.Clone(ways), i, i+1)...)
	}
	return ways
}

func (s *signing) succeeded(r role) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renewals[r] = 0
}

// renewed counts a token that the server refused, and tells whether another one
// is worth a try.
func (s *signing) renewed(r role) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renewals[r]++
	return s.renewals[r] == 1
}

// learnCaps makes the capabilities after log-in known. Where the OK did not
// bring them, imapclient asks for them on a goroutine of its own; our own
// CAPABILITY behind it is the barrier.
func (l *link) learnCaps() error {
	l.caps = l.client.Caps()
	if l.taggedCode == "CAPABILITY" && l.caps != nil {
		return nil
	}
	caps, err := l.client.Capability().Wait()
	if err != nil {
		return l.lost(err)
	}
	l.caps = caps
	l.pump()
	return nil
}

// canIdle tells whether the server has IDLE.
func (l *link) canIdle() bool {
	return l.caps.Has(imap.CapIdle)
}

// isGmail tells Gmail's servers, which need IDLE renewed more often.
func (l *link) isGmail() bool { return l.caps.Has("X-GM-EXT-1") }
