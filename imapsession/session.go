// Package imapsession keeps one account's mailbox in step with its server: it
// connects, logs in, selects, holds IDLE, runs queued commands, and recovers
// from everything that breaks.
//
// An account has at most two connections: the monitor, which stays in its
// mailbox, and the worker, opened on demand for what would keep the monitor from
// it. Each has one goroutine, which is its sole user and its sole waiter.
// What it learns comes from the tap's wire-ordered events; imapclient encodes
// its commands and decodes rich results, and is believed about nothing else.
// Everything that happens is said as an Event, in order, through the Box.
package imapsession

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"tidings/imapsession/wire"
	"tidings/internal/crash"
	"tidings/store"
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
	// Token is an OAuth2 access token (RFC 6749 §1.4); where it is set, Password
	// is not.
	Token string
	// Mechanism is the SASL mechanism that has to be used, "" for the best that
	// the server offers.
	Mechanism string
}

// String keeps the secret out of every formatted output.
func (Secret) String() string { return "[redacted]" }

// GoString keeps it out of %#v.
func (Secret) GoString() string { return "[redacted]" }

// LogValue keeps it out of slog.
func (Secret) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// Credentials is where a session gets its Secret from, once per log-in.
// Secret is called from the session's goroutine under ctx's deadline.
//
// Credentials that have a method Rejected() are told by it, on the same
// goroutine, when the server refused the Secret for good, or a token in
// it at all: the next Secret has to be another one. Those that have a method
// SignedIn(context.Context) bool are asked by it, while only signing in again
// helps, whether somebody did, here or in another process.
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
	// Connections is how many the account may have at most, 1 or 2; 0: 2.
	Connections int
	// Budget is what the account's sessions share, where there are several; nil:
	// there is this one. Guest: it is not the one that lasts.
	Budget *Budget
	Guest  bool
	// Cache is where the mailbox is kept between runs; nil: nowhere.
	Cache Cache
	// Outbox is where commands that change something are kept until they are done,
	// beyond the program's end; nil: nowhere.
	Outbox Outbox
	// Told returns the highest UID of the place that the person was told of, and
	// false where nothing is known of it. It is called once for each UIDVALIDITY,
	// before the first reconcile of a run. nil: nothing is known.
	Told func(store.Place) (store.UID, bool)
	// Backfill is how far back the cache is filled on the worker connection: 0
	// not at all, negative everything, else that far before now.
	Backfill time.Duration
	// NoSweep leaves the flags of rows that nobody looks at unknown, at a first
	// start: they cost some 45 octets each. What was known is asked for again in
	// any case.
	NoSweep bool
	// Prefetch: the next unread message is fetched into the Cache ahead of its
	// being opened, when there is nothing else to do.
	Prefetch bool

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

// withDefaults fills in what the config left open.
func (c Config) withDefaults() Config {
	if c.Mailbox == "" {
		c.Mailbox = "INBOX"
	}
	if c.Poll <= 0 {
		c.Poll = time.Minute
	}
	if c.Probe <= 0 {
		c.Probe = time.Minute
	}
	if c.MaxAge <= 0 {
		c.MaxAge = 24 * time.Hour
	}
	if c.FirstWindow <= 0 {
		c.FirstWindow = 60
	}
	if c.Dial == nil {
		c.Dial = dialTCP
	}
	if c.Wall == nil {
		c.Wall = func() time.Time { return time.Now().Round(0) }
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Account != "" {
		c.Log = c.Log.With("account", c.Account)
	}
	return c
}

// Session keeps one mailbox in step. Run is its goroutine; the other methods
// may be called from any goroutine and never block.
type Session struct {
	cfg  Config
	log  *slog.Logger
	box  *Box
	wake chan struct{} // capacity 1: something below changed

	mu         sync.Mutex
	lastID     CommandID
	queue      []*job // in the order in which they are done
	visible    Visible
	newVisible bool
	told       map[store.UID]time.Time // when summaries were published, for toldGrace
	retry      retryAsk
	tap        *wire.Tap // of the link in use
	lastSign   time.Time // of the links before it

	worker  worker
	larder  larder
	outbox  outbox
	folders keptFolders
	fill    backfill
	known   known
	mark    mark // Run's goroutine alone

	mailbox // Run's goroutine alone
	backoff backoff
	clock   clock
	signing signing
	quiet   time.Duration // see copyQuiet
	stride  int           // see strideMoves
	proven  bool          // this account has selected its mailbox before
	idleNo  int           // times in a row that IDLE came to nothing
	idleWhy string
}

// New makes a session; nothing happens before Run.
func New(cfg Config) *Session {
	cfg = cfg.withDefaults()
	s := &Session{cfg: cfg, log: cfg.Log, wake: make(chan struct{}, 1)}
	s.box = NewBox(s.overflow)
	s.mailbox = newMailbox(cfg.Mailbox, s.box, s.log)
	s.mailbox.writable = !cfg.ReadOnly
	s.worker.init(s)
	s.larder.init(s)
	s.fill.init(s)
	s.clock.wall = cfg.Wall
	s.quiet, s.stride = copyQuiet, strideMoves
	return s
}

// Events is where the session's events come out; it has one listener.
func (s *Session) Events() *Box { return s.box }

// Do queues a command, breaking IDLE, and returns its id at once. One that changes
// something is sent when it is in the Outbox.
func (s *Session) Do(c Command) CommandID {
	s.mu.Lock()
	s.lastID++
	j := &job{id: s.lastID, cmd: c, at: s.roleFor(c), asking: s.mayKeep(c)}
	j.since = time.Now()
	if p, ok := c.(FetchPart); ok && p.Into != nil {
		p.Into.attach(s.poke)
	}
	s.enqueue(j)
	s.mu.Unlock()
	s.poke()
	return j.id
}

// Cancel ends a queued or running command as soon as possible; its Result says
// context.Canceled unless it was done already, or a part of it. A body or a search
// that is on its way on the worker connection ends with that: it would be in the
// way for as long as it is. What else does not end within some seconds is given up
// together with its connection, which is made anew; but for a change of a few
// messages, whose answer is waited for. Cancel(0) stops the filling of the cache
// (ProgressEvent), until the program is started again or Retry is forced.
func (s *Session) Cancel(id CommandID) {
	if id == 0 {
		s.fill.hold(true)
		return
	}
	s.mu.Lock()
	for _, j := range s.queue {
		if j.id != id || j.canceled {
			continue
		}
		j.canceled = true
		if j.on == nil {
			break
		}
		if (fetches(j.cmd) || searches(j.cmd)) && j.on.role == asWorker {
			l := j.on
			crash.Go("cancel", func() { l.kill(errCanceled) }) // closing TLS may wait
			break
		}
		s.stopSoon(j)
	}
	s.mu.Unlock()
	s.endCanceled()
	s.poke()
}

// SetVisible replaces what the session knows of the screen.
func (s *Session) SetVisible(v Visible) {
	s.mu.Lock()
	s.visible = v
	s.visible.Missing = slices.DeleteFunc(slices.Clone(v.Missing), s.justTold)
	s.newVisible = true
	s.mu.Unlock()
	s.poke()
}

// Retry tries at once where the session is backing off (at most every 10 s) or
// has stopped (forced). Forced on a live link, it makes the link prove itself.
func (s *Session) Retry(forced bool) {
	if forced {
		s.fill.hold(false)
	}
	s.mu.Lock()
	if forced {
		s.retry = retryForced
	} else if s.retry == retryNone {
		s.retry = retryHint
	}
	s.mu.Unlock()
	s.poke()
}

// LastSign is when the server last proved that it lives; zero if never.
func (s *Session) LastSign() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tap != nil && s.tap.Stats().BytesIn > 0 {
		return s.tap.LastRead()
	}
	return s.lastSign
}

// poke wakes the session's goroutines wherever they wait.
func (s *Session) poke() {
	nudge(s.wake)
	nudge(s.worker.wake)
	nudge(s.larder.wake)
}

// nudge leaves a token in a channel of capacity 1.
func nudge(ch chan<- struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// useTap makes LastSign look at a new link; nil keeps what the last one proved.
func (s *Session) useTap(t *wire.Tap) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tap != nil && s.tap.Stats().BytesIn > 0 {
		s.lastSign = s.tap.LastRead()
	}
	s.tap = t
}
