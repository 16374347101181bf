package imapsession

import (
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

// The kernel looks after a connection, too: it is asked whether it does as told.
func TestKernelFindsDeadLinks(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	conn, err := dialTCP(t.Context(), "tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	raw, err := conn.(*promptConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name          string
		level, option int
		want          int
	}{
		{"keepalive", unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
		{"seconds until the first probe", unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 15},
		{"seconds between probes", unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 15},
		{"probes", unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 4},
		{"milliseconds without an acknowledgement", unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 60_000},
	} {
		var got int
		var failed error
		if err := raw.Control(func(fd uintptr) { got, failed = unix.GetsockoptInt(int(fd), test.level, test.option) }); err != nil {
			t.Fatal(err)
		}
		if failed != nil || got != test.want {
			t.Errorf("%s: %d (%v), want %d", test.name, got, failed, test.want)
		}
	}
}
