package imapsession

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-sasl"

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
	how, err := chooseMechanism(caps)
	if err != nil {
		return err
	}
	secret, err := l.secret(ctx)
	if err != nil {
		return err
	}
	l.taggedCode = ""
	watchdog := l.within(connectTimeout, "let us in")
	defer watchdog.Stop()
	if err := l.authenticate(how, secret); err != nil {
		return l.loginError(err)
	}
	l.pump()
	return l.learnCaps()
}

// mechanism is a way to sign in.
type mechanism uint8

const (
	byPlain   mechanism = iota + 1 // AUTHENTICATE PLAIN
	byLogin                        // the LOGIN command
	bySASLLog                      // AUTHENTICATE LOGIN, obsolete and still met
)

// chooseMechanism picks the first that the server offers of AUTHENTICATE PLAIN,
// LOGIN and AUTHENTICATE LOGIN.
func chooseMechanism(caps imap.CapSet) (mechanism, error) {
	switch {
	case caps.Has(imap.AuthCap("PLAIN")):
		return byPlain, nil
	case !caps.Has(imap.CapLoginDisabled):
		return byLogin, nil
	case caps.Has(imap.AuthCap("LOGIN")):
		return bySASLLog, nil
	}
	offered := caps.AuthMechanisms()
	if len(offered) == 0 {
		return 0, &fault{text: "the server allows no password here (LOGINDISABLED): set tls = \"implicit\" or \"starttls\" in the config" + Restart, fatal: true}
	}
	return 0, &fault{
		text:  fmt.Sprintf("the server offers no way to sign in with a password, only %s", say(strings.Join(offered, ", "))),
		fatal: true,
	}
}

// secretTimeout is how long a password may take to come; most servers wait no
// longer for a log-in.
const secretTimeout = 2 * time.Minute

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
	if err != nil {
		text := "the password could not be had: " + say(err.Error()).String()
		if !strings.Contains(text, "start Tidings") {
			text += "; mend that and press r"
		}
		return Secret{}, &fault{text: text, err: err, fatal: true}
	}
	if strings.ContainsRune(secret.User, 0) || strings.ContainsRune(secret.Password, 0) {
		return Secret{}, &fault{text: "the user name or the password contains a NUL, which IMAP cannot send; correct it" + restartOrR, fatal: true}
	}
	return secret, nil
}

func (l *link) authenticate(how mechanism, secret Secret) error {
	switch how {
	case byPlain:
		return l.client.Authenticate(sasl.NewPlainClient("", secret.User, secret.Password))
	case bySASLLog:
		return l.client.Authenticate(&loginMechanism{secret: secret})
	}
	return l.client.Login(secret.User, secret.Password).Wait()
}

// loginError classifies a failed log-in; the password is in none of it.
func (l *link) loginError(err error) error {
	l.pump()
	if !refused(err) {
		return l.lost(err)
	}
	f := loginFault(err, l.proven)
	if told, ok := l.s.cfg.Credentials.(interface{ Rejected() }); ok && f.fatal {
		told.Rejected()
	}
	return f
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

// loginMechanism is AUTHENTICATE LOGIN, which was never more than a draft:
// servers prompt with anything, so the order of the prompts decides.
type loginMechanism struct {
	secret Secret
	step   int
}

func (m *loginMechanism) Start() (string, []byte, error) { return "LOGIN", nil, nil }

func (m *loginMechanism) Next([]byte) ([]byte, error) {
	m.step++
	switch m.step {
	case 1:
		return []byte(m.secret.User), nil
	case 2:
		return []byte(m.secret.Password), nil
	}
	return nil, errors.New("the server asks for more than a user name and a password")
}
