package demo

import (
	"net"
	"sync"
	"time"
)

// listener accepts peers on loopback alone and knows its connections, so that
// all of them end with the server.
type listener struct {
	net.Listener

	mu     sync.Mutex
	conns  map[*conn]struct{}
	closed bool
}

func newListener(l net.Listener) *listener {
	return &listener{Listener: l, conns: map[*conn]struct{}{}}
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if peer, ok := c.RemoteAddr().(*net.TCPAddr); !ok || !peer.IP.IsLoopback() {
			_ = c.Close()
			continue
		}
		wrapped := &conn{Conn: c, listener: l}
		l.mu.Lock()
		closed := l.closed
		l.conns[wrapped] = struct{}{}
		l.mu.Unlock()
		if closed {
			_ = wrapped.Close()
			return nil, net.ErrClosed
		}
		return wrapped, nil
	}
}

// closeConns cuts every connection, also those that are accepted from now on.
func (l *listener) closeConns() {
	l.mu.Lock()
	l.closed = true
	conns := make([]*conn, 0, len(l.conns))
	for c := range l.conns {
		conns = append(conns, c)
	}
	l.mu.Unlock()
	for _, c := range conns {
		_ = c.Close()
	}
}

// conn leaves its listener's book when it is closed, and gathers what is
// written: imapserver flushes after every response, which would make sixty
// packets of sixty summaries. What is written goes out when the server wants to
// read (it has answered all it was asked), when flush is called (IDLE), or when
// there is much of it.
type conn struct {
	net.Conn
	listener *listener

	mu      sync.Mutex // held while writing: a stalled client holds up itself
	pending []byte
}

const (
	// muchPending is how many bytes are written without waiting for more.
	muchPending = 64 << 10
	// writeTimeout is how long a client may refuse to read.
	writeTimeout = 30 * time.Second
	// closeTimeout is how long a connection that ends waits for its last bytes.
	closeTimeout = 100 * time.Millisecond
)

// Write implements net.Conn.
func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending = append(c.pending, p...)
	if len(c.pending) < muchPending {
		return len(p), nil
	}
	return len(p), c.send()
}

// Read implements net.Conn.
func (c *conn) Read(p []byte) (int, error) {
	if err := c.flush(); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

// flush sends what was gathered.
func (c *conn) flush() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.send()
}

// send is flush with the lock held.
func (c *conn) send() error {
	if len(c.pending) == 0 {
		return nil
	}
	if err := c.Conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	_, err := c.Conn.Write(c.pending)
	c.pending = c.pending[:0]
	return err
}

// SetWriteDeadline implements net.Conn: flush sets its own, as it comes after
// the one that imapserver means.
func (c *conn) SetWriteDeadline(time.Time) error { return nil }

// Close implements net.Conn.
func (c *conn) Close() error {
	c.listener.mu.Lock()
	delete(c.listener.conns, c)
	c.listener.mu.Unlock()
	// Also ends a write that waits for a stalled client.
	if err := c.Conn.SetWriteDeadline(time.Now().Add(closeTimeout)); err == nil && c.mu.TryLock() {
		if len(c.pending) > 0 {
			// The peer may be gone; that is why it is closed.
			_, _ = c.Conn.Write(c.pending)
			c.pending = nil
		}
		c.mu.Unlock()
	}
	return c.Conn.Close()
}
