package imapsession

import (
	"context"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// dialTCP dials with keepalive and TCP_USER_TIMEOUT, so that the kernel finds
// the dead links that it can find.
func dialTCP(ctx context.Context, network, addr string) (net.Conn, error) {
	d := net.Dialer{
		KeepAliveConfig: keepAlive,
		Control: func(_, _ string, c syscall.RawConn) error {
			// Only a help: a kernel that refuses it still has keepalive.
			return c.Control(func(fd uintptr) {
				_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(userTimeout/time.Millisecond))
			})
		},
	}
	conn, err := d.DialContext(ctx, network, addr)
	if tcp, ok := conn.(*net.TCPConn); ok && err == nil {
		if raw, err := tcp.SyscallConn(); err == nil {
			return &promptConn{tcp, raw}, nil
		}
	}
	return conn, err
}

// promptConn acknowledges at once what answers a command. A server that writes
// its answer in two pieces without TCP_NODELAY (Cyrus does, to DONE and the
// FETCH behind it) sends the second only when the first is acknowledged, and
// the kernel would let it wait for 40 ms.
type promptConn struct {
	*net.TCPConn
	raw syscall.RawConn
}

// Write writes and asks for prompt acknowledgements: the kernel takes every
// write for a reason to delay them again.
func (c *promptConn) Write(b []byte) (int, error) {
	n, err := c.TCPConn.Write(b)
	_ = c.raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1)
	})
	return n, err
}
