// Package demo is an IMAP server with living mail, for `tidings demo`, for tests
// and for benchmarks.
//
// It listens on loopback alone, on a port and with a password of its own in
// every run. Its INBOX is generated: message i is a function of (seed, i), made
// when somebody asks for it, so that a million messages start as fast as three
// hundred. Its life (arrivals, other clients that read, flag, move, expunge)
// is a function of the seed too; Step performs one event of it.
//
// What it speaks: IMAP4rev1 with IDLE, MOVE, UIDPLUS, ESEARCH, SPECIAL-USE,
// LIST-EXTENDED, LIST-STATUS, NAMESPACE, LITERAL+, SASL-IR. Every session
// is told every change exactly once, numbered in its own view (RFC 3501 §5.5,
// §7.4.1). No lock is held while bytes are written: a client that does not read
// delays nobody.
package demo

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"

	"tidings/internal/crash"
)

// What `tidings demo` shows unless told otherwise.
const (
	DefaultMessages = 300
	DefaultRate     = 12 // events a minute
)

// Options say what mail there is and how lively it is.
type Options struct {
	// Seed makes content and life repeatable.
	Seed uint64
	// Rate is the mean number of events a minute; 0 is a quiet mailbox, which
	// changes only through Step and the mutating methods.
	Rate float64
	// Messages is the size of the generated INBOX, at most 4,000,000.
	Messages int
	// Now is the time that the mail's dates lead up to; zero is the time of
	// the start. Life takes its own dates from the clock.
	Now time.Time
	// Log gets what happens; nil discards it.
	Log *slog.Logger
}

// maxMessages keeps the generated part of a mailbox within reasonable memory.
const maxMessages = 4_000_000

// Server is a running demo server. Its methods may be called from any
// goroutine.
type Server struct {
	log      *slog.Logger
	password string
	listener *listener
	imap     *imapserver.Server
	stop     context.CancelFunc
	done     sync.WaitGroup
	writer   *writer // makes the letters

	// mu guards everything below and all mailboxes, rows and views. It is never
	// held while bytes are read or written, or letters made.
	mu        sync.Mutex
	mailboxes map[string]*mailbox
	flags     flagTable
	validity  uint32 // the last UIDVALIDITY given out
	life      *life
}

// Start makes the mail and serves it until Close is called or ctx ends.
func Start(ctx context.Context, opts Options) (*Server, error) {
	if opts.Messages < 0 || opts.Messages > maxMessages {
		return nil, fmt.Errorf("the demo's number of messages must be from 0 to %d, not %d", maxMessages, opts.Messages)
	}
	if opts.Rate < 0 || opts.Rate > 60_000 {
		return nil, fmt.Errorf("the demo's rate must be from 0 to 60000 events a minute, not %v", opts.Rate)
	}
	if opts.Now.IsZero() {
		opts.Now = time.Now()
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("the demo server cannot listen on loopback; is another security policy in the way? %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	s := &Server{
		log:      opts.Log,
		password: rand.Text(),
		listener: newListener(tcp),
		stop:     stop,
		writer:   newWriter(opts.Seed, opts.Messages, opts.Now),
		validity: 1_700_000_000,
	}
	s.mailboxes = map[string]*mailbox{}
	for _, f := range folders {
		s.mailboxes[f.name] = s.newMailbox(f.name, f.role)
	}
	s.fill(s.mailboxes["INBOX"], opts.Messages)
	s.life = newLife(s, opts.Seed)
	s.imap = imapserver.New(&imapserver.Options{
		NewSession: func(c *imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return &session{server: s, conn: c.NetConn().(*conn)}, nil, nil
		},
		Caps: imap.CapSet{
			imap.CapIMAP4rev1:    {},
			imap.CapNamespace:    {},
			imap.CapUIDPlus:      {},
			imap.CapESearch:      {},
			imap.CapMove:         {},
			imap.CapListExtended: {},
			imap.CapListStatus:   {},
			imap.CapStatusSize:   {},
			imap.CapSpecialUse:   {},
			imap.CapChildren:     {},
			imap.CapLiteralPlus:  {},
		},
		InsecureAuth: true, // loopback alone
		Logger:       slog.NewLogLogger(opts.Log.Handler(), slog.LevelDebug),
	})
	s.run("demo: listen", func() {
		if err := s.imap.Serve(s.listener); err != nil && ctx.Err() == nil {
			s.log.Error("demo: no more connections are accepted", "error", err)
		}
	})
	s.run("demo: life", func() { s.life.run(ctx, opts.Rate) })
	s.run("demo: end", func() {
		<-ctx.Done()
		// Its only error is that it was closed before.
		_ = s.imap.Close()
		s.listener.closeConns()
	})
	return s, nil
}

func (s *Server) run(name string, f func()) {
	s.done.Add(1)
	crash.Go(name, func() {
		defer s.done.Done()
		f()
	})
}

// Addr is where the server listens, "127.0.0.1:port".
func (s *Server) Addr() string { return s.listener.Addr().String() }

// User is the one account's name.
func (s *Server) User() string { return "demo@example.org" }

// Password is the account's, another one in every run.
func (s *Server) Password() string { return s.password }

// Close ends the server and cuts its connections. It may be called more than
// once.
func (s *Server) Close() error {
	s.stop()
	s.done.Wait()
	return nil
}
