package imapsession

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"

	"tidings/imapsession/wire"
	"tidings/internal/safetext"
)

// Report is what Check found of an account. Everything in it is safe to show.
type Report struct {
	Account   safetext.Text
	Address   safetext.Text // host:port
	Transport safetext.Text // "TLS 1.3", or "not encrypted"
	// Certificate is the server's own; zero without TLS.
	Certificate Certificate
	// Mechanisms are the ways to sign in that the server offers; LOGIN means
	// the command.
	Mechanisms []safetext.Text
	// Capabilities are those that matter to Tidings.
	Capabilities []Capability
	Folders      []Folder
	Mailbox      safetext.Text
	Messages     uint32
	UIDValidity  uint32
	// Idle tells whether IDLE answers; IdleReply is how long DONE took to be
	// answered, and IdleProblem why IDLE cannot be used.
	Idle        bool
	IdleReply   time.Duration
	IdleProblem safetext.Text
	// Gmail: its folders are labels (X-GM-EXT-1).
	Gmail bool
	// RoundTrip is the time that a NOOP took.
	RoundTrip time.Duration
}

// Certificate is what a person needs to know of a server's certificate.
type Certificate struct {
	Subject     safetext.Text
	Issuer      safetext.Text
	Expires     time.Time
	Fingerprint string // "sha256:" and 64 hex digits, as tls_fingerprint wants it
}

// Capability is one capability that matters, and what it is good for.
type Capability struct {
	Name string
	Has  bool
	Use  safetext.Text
}

// usedCapabilities are those that change what Tidings does.
var usedCapabilities = []struct {
	name imap.Cap
	use  safetext.Text
}{
	{imap.CapIdle, safetext.Const("new mail shows at once")},
	{imap.CapMove, safetext.Const("messages move in one step")},
	{imap.CapUIDPlus, safetext.Const("single messages can be removed for good")},
	{imap.CapESearch, safetext.Const("counting and reconciling are cheap")},
	{imap.CapCondStore, safetext.Const("a start and a reconnect fetch only the flags that changed")},
	{imap.CapQResync, safetext.Const("a start and a reconnect cost only what changed")},
	{imap.CapSpecialUse, safetext.Const("the server says which folder is Trash, Archive, Sent ...")},
	{imap.CapSASLIR, safetext.Const("one round trip less to sign in")},
}

// Check connects once as a Session would, looks around, and disconnects. The
// Report holds what was found until the error, if there is one; the error is a
// sentence that says what to do. The mailbox is only examined.
func Check(ctx context.Context, cfg Config) (Report, error) {
	cfg.ReadOnly = true
	s := New(cfg)
	report := Report{
		Account: safetext.Clean(cfg.Account),
		Address: safetext.Clean(fmt.Sprintf("%s:%d", s.cfg.Host, s.cfg.Port)),
		Mailbox: safetext.Clean(s.cfg.Mailbox),
	}
	// The certificate is of interest above all where it is not trusted.
	var seen *tls.ConnectionState
	if s.cfg.Security != Plaintext {
		s.cfg.TLS = watchCertificate(s.cfg.TLS, &seen)
	}
	err := s.lookOnce(ctx, &report, &seen)
	var f *fault
	if errors.As(err, &f) && f.planned { // a token whose time was over
		err = s.lookOnce(ctx, &report, &seen)
	}
	return report, err
}

// lookOnce makes one connection for a Check. The error is a *fault.
func (s *Session) lookOnce(ctx context.Context, report *Report, seen **tls.ConnectionState) error {
	l, err := s.connect(ctx, asMonitor)
	report.Certificate = describeCertificate(*seen)
	var untrusted *tls.CertificateVerificationError
	if errors.As(err, &untrusted) {
		report.Certificate = describeCertificate(&tls.ConnectionState{PeerCertificates: untrusted.UnverifiedCertificates})
	}
	if err != nil {
		return err
	}
	defer l.close()
	report.Transport = l.transport
	if err := l.look(ctx, report); err != nil {
		return asFault(err)
	}
	l.farewell(farewellTime)
	return nil
}

// look fills in the report behind the greeting.
func (l *link) look(ctx context.Context, r *Report) error {
	before := l.client.Caps() // some are only advertised until one is signed in
	r.Mechanisms = mechanisms(before)
	if err := l.logIn(ctx); err != nil {
		return err
	}
	l.tap.SetPhase(wire.PhaseCommand)
	for _, c := range usedCapabilities {
		r.Capabilities = append(r.Capabilities, Capability{Name: string(c.name), Has: l.caps.Has(c.name) || before.Has(c.name), Use: c.use})
	}
	r.Gmail = l.isGmail()
	sel, err := l.selectMailbox()
	if err != nil {
		return err
	}
	r.Messages, r.UIDValidity = sel.count, sel.uidValidity
	var refusal error
	if r.Folders, _, _, refusal, err = l.folders(); err != nil {
		return err
	}
	if refusal != nil {
		return &fault{text: "the server would not list the folders: it said " + words(refusal), err: refusal}
	}
	began := time.Now()
	if err := l.noop(); err != nil {
		return err
	}
	r.RoundTrip = time.Since(began)
	return l.tryIdle(r)
}

// tryIdle enters IDLE and leaves it. That it is refused is a finding; that it
// never answers costs the link, but not the report.
func (l *link) tryIdle(r *Report) error {
	if !l.canIdle() {
		r.IdleProblem = safetext.Const("the server does not have IDLE: it will be asked at intervals")
		return nil
	}
	l.tap.SetPhase(wire.PhaseDone)
	idle, err := l.client.Idle()
	if err == nil {
		began := time.Now()
		if err = idle.Close(); err == nil {
			err = idle.Wait()
		}
		r.IdleReply = time.Since(began)
	}
	l.pump()
	l.tap.SetPhase(wire.PhaseCommand)
	switch {
	case err == nil:
		r.Idle = true
	case refused(err):
		r.IdleProblem = say("the server refuses IDLE: it said " + words(err))
	default:
		var f *fault
		if errors.As(l.lost(err), &f) {
			r.IdleProblem = say("IDLE does not answer: " + f.text)
		}
	}
	return nil
}

// mechanisms lists the ways to sign in.
func mechanisms(caps imap.CapSet) []safetext.Text {
	names := caps.AuthMechanisms()
	slices.Sort(names)
	if !caps.Has(imap.CapLoginDisabled) {
		names = append(names, "LOGIN (command)")
	}
	out := make([]safetext.Text, len(names))
	for i, n := range names {
		out[i] = say(strings.ToUpper(n[:1]) + n[1:])
	}
	return out
}

// watchCertificate returns a copy of cfg that also notes what the server
// presented. crypto/tls calls VerifyConnection only behind a chain that it
// trusts, so a certificate that it does not trust is found in its error.
func watchCertificate(cfg *tls.Config, seen **tls.ConnectionState) *tls.Config {
	out := &tls.Config{}
	if cfg != nil {
		out = cfg.Clone()
	}
	verify := out.VerifyConnection
	out.VerifyConnection = func(cs tls.ConnectionState) error {
		*seen = &cs
		if verify != nil {
			return verify(cs)
		}
		return nil
	}
	return out
}

func describeCertificate(cs *tls.ConnectionState) Certificate {
	if cs == nil || len(cs.PeerCertificates) == 0 {
		return Certificate{}
	}
	c := cs.PeerCertificates[0]
	sum := sha256.Sum256(c.Raw)
	return Certificate{
		Subject:     say(c.Subject.String()),
		Issuer:      say(c.Issuer.String()),
		Expires:     c.NotAfter,
		Fingerprint: "sha256:" + hex.EncodeToString(sum[:]),
	}
}
