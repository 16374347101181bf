// Package imapsession keeps one account's mailbox in step with its server: it
// connects, logs in, selects, holds IDLE, runs queued commands, and recovers
// from everything that breaks.
package imapsession

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"time"

	"tidings/imapsession/wire"
)

// Watch is how a session notices new mail.
type Watch uint8

const (
	WatchIdle  Watch = iota // IDLE; NOOP every Poll where the server has no IDLE
	WatchPoll               // NOOP every Poll
	WatchVisit              // connect, reconcile, LOGOUT, every Poll
)

// Security is how a connection is protected.
type Security uint8

const (
	Implicit  Security = iota // TLS from the first byte
	StartTLS                  // plaintext greeting, then TLS (RFC 9051 §6.2.1)
	Plaintext                 // none: loopback, or where the config says so in words
)

// Secret is what a log-in needs. It never prints itself.
type Secret struct {
	User     string
	Password string
}

// String keeps the secret out of every formatted output.
func (Secret) String() string { return "[redacted]" }

// GoString keeps it out of %#v.
func (Secret) GoString() string { return "[redacted]" }

// LogValue keeps it out of slog.
func (Secret) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// Credentials is where a session gets its Secret from, once per log-in.
// Secret is called from the session's goroutine under ctx's deadline.
type Credentials interface {
	Secret(ctx context.Context) (Secret, error)
}

// Config is what a Session needs to know of its account.
type Config struct {
	Account     string // the config's name of it
	Host        string
	Port        int
	Security    Security
	TLS         *tls.Config // nil: the system's roots and Host
	Insecure    bool        // Plaintext to a host that is not loopback was asked for in words
	Credentials Credentials
	Mailbox     string // "" is INBOX
	Watch       Watch
	Poll        time.Duration // 0: 60 s
	Probe       time.Duration // 0: 60 s
	IdleRenew   time.Duration // 0: 9 min (4 where Gmail is seen)
	MaxAge      time.Duration // 0: 24 h
	ReadOnly    bool
	FirstWindow int // rows of the first fetch; 0: 60

	// Dial replaces net.Dialer in tests; nil: TCP with keepalive and
	// TCP_USER_TIMEOUT. The conn it returns is below TLS.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Wall is the wall clock, for the sleep detector; nil: time.Now().Round(0).
	Wall func() time.Time
	// Log gets states and reasons; nil: discarded. Trace gets the redacted wire
	// trace; nil: none.
	Log   *slog.Logger
	Trace *wire.Trace
}

// Session keeps one mailbox in step. Run is its goroutine; the other methods
// may be called from any goroutine and never block.
type Session struct{}

// New makes a session; nothing happens before Run.
func New(cfg Config) *Session { return &Session{} }

// Run connects and stays connected until ctx ends; it returns after the
// connections are closed (LOGOUT is a courtesy of at most 100 ms).
func (s *Session) Run(ctx context.Context) error { return nil }

// Events is where the session's events come out; it has one listener.
func (s *Session) Events() *Box { return nil }

// Do queues a command, breaking IDLE, and returns its id at once.
func (s *Session) Do(c Command) CommandID { return 0 }

// Cancel ends a queued or running command as soon as possible; its Result says
// context.Canceled unless it was done already.
func (s *Session) Cancel(id CommandID) {}

// SetVisible replaces what the session knows of the screen.
func (s *Session) SetVisible(v Visible) {}

// Retry tries at once where the session is backing off (at most every 10 s) or
// has stopped (forced).
func (s *Session) Retry(forced bool) {}

// LastSign is when the server last proved that it lives; zero if never.
func (s *Session) LastSign() time.Time { return time.Time{} }
