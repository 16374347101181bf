package wire

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// readSize is how much is asked of the connection at once.
const readSize = 16 << 10

// keepBuffer is the capacity above which a buffer that one large response
// made grow is given back.
const keepBuffer = 64 << 10

// Tap is the conn that imapclient gets. Make one with New.
//
// Read is called by imapclient's reader goroutine alone. Write, HoldDone,
// Flush, Raw, SetPhase, Events, Each and Ready are for the session goroutine
// (and imapclient's IDLE goroutine, which writes DONE for it). Close, Err,
// Stats and LastRead are for anyone.
type Tap struct {
	conn  net.Conn
	opts  Options
	trace *Trace

	in  scanner // reader's side: only Read touches it
	out writer  // writer's side: guarded by its own mutex

	readMu   sync.Mutex // guards the phase and the arming of the read deadline
	phase    Phase
	lastRead time.Time

	mu      sync.Mutex // guards what follows; never held during I/O
	ready   chan struct{}
	queue   queue
	pending []pendingCommand
	secrets secrets
	stats   Stats
	err     error
	closed  bool
	seq     uint32 // LastFetch
	uid     uint32
}

// New puts a Tap on conn, which is plaintext or a *tls.Conn after its
// handshake. The Tap owns conn and its deadlines from then on: what imapclient
// sets (SetDeadline and its kin) is ignored, because its deadlines are
// absolute and kill slow but living transfers.
func New(conn net.Conn, opts Options) *Tap {
	opts.Limits = opts.Limits.orDefaults()
	opts.Timeouts = opts.Timeouts.orDefaults()
	t := &Tap{
		conn:     conn,
		opts:     opts,
		trace:    opts.Trace,
		ready:    make(chan struct{}, 1),
		lastRead: time.Now(),
	}
	t.in.tap = t
	t.in.raw = make([]byte, readSize)
	t.in.inject = opts.Greeting
	t.in.now = time.Now()
	t.out.tap = t
	return t
}

// Read hands repaired responses to imapclient. It returns buffered bytes
// before the error that ended the connection.
func (t *Tap) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if n := t.in.take(p); n > 0 {
			return n, nil
		}
		if t.in.err != nil {
			return 0, t.in.err
		}
		if t.in.inject != "" {
			b := []byte(t.in.inject)
			t.in.inject = ""
			if err := t.in.feed(b); err != nil {
				t.in.err = t.fail(err)
			}
			continue
		}
		t.armRead()
		n, err := t.conn.Read(t.in.raw)
		t.in.err = t.received(t.in.raw[:n], err)
	}
}

// received takes what one Read of the connection brought and returns the error
// that ends the stream, if any.
func (t *Tap) received(b []byte, err error) error {
	if len(b) > 0 {
		now := time.Now()
		t.readMu.Lock()
		t.lastRead = now
		t.readMu.Unlock()
		t.mu.Lock()
		t.stats.BytesIn += int64(len(b))
		t.mu.Unlock()
		t.in.now = now
		if ferr := t.in.feed(b); ferr != nil {
			// The offending bytes stay here. Closing frees the peer and whoever
			// writes to it.
			err := t.fail(ferr)
			t.conn.Close()
			return err
		}
	}
	if err != nil {
		return t.fail(err)
	}
	return nil
}

// fail records the first error, wakes the session and whoever waits in Raw,
// and returns err.
func (t *Tap) fail(err error) error {
	t.mu.Lock()
	ours := t.closed && (errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe))
	if t.err == nil && !ours {
		t.err = err
	}
	for i := range t.pending {
		if raw := t.pending[i].raw; raw != nil {
			raw.end(err)
			t.pending[i].raw = nil
		}
	}
	t.mu.Unlock()
	t.poke()
	return err
}

// Close closes the connection. A Close by the session is no error of the
// connection: Err stays what it was.
func (t *Tap) Close() error {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.out.stop()
	return t.conn.Close()
}

// LocalAddr is the local address of the connection.
func (t *Tap) LocalAddr() net.Addr { return t.conn.LocalAddr() }

// RemoteAddr is the server's address.
func (t *Tap) RemoteAddr() net.Addr { return t.conn.RemoteAddr() }

// Err is the first thing that went wrong, with its cause (errors.Is works:
// os.ErrDeadlineExceeded, io.EOF, ErrLimit ...), or nil. It stays nil when the
// session closed the connection, and when imapclient gave up on something it
// could not decode: where imapclient's commands fail and Err is nil, LastFetch
// is the message to suspect.
func (t *Tap) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// Stats counts what passed so far.
func (t *Tap) Stats() Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stats
}

// LastFetch is the message of the last FETCH response that was handed to
// imapclient, for the quarantine of what kills its decoder. The UID is 0 where
// the server did not say it.
func (t *Tap) LastFetch() (seq, uid uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.seq, t.uid
}

// Ready pokes (capacity 1) whenever Events has something or Err was set.
func (t *Tap) Ready() <-chan struct{} { return t.ready }

func (t *Tap) poke() {
	select {
	case t.ready <- struct{}{}:
	default:
	}
}
