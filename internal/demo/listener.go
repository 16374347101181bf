package demo

import (
	"net"
	"sync"
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

// conn leaves its listener's book when it is closed.
type conn struct {
	net.Conn
	listener *listener
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.listener.mu.Lock()
	delete(c.listener.conns, c)
	c.listener.mu.Unlock()
	return c.Conn.Close()
}
