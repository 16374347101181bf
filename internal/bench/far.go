package bench

import (
	"io"
	"net"
	"time"

	"tidings/internal/testserver"
)

// Count is what passed a line.
type Count struct {
	Down, Up    int64 // octets from and to the server
	Connections int
	// RoundTrips are those that the program waited for after TCP's handshake:
	// the greeting, and each flight of commands.
	RoundTrips int
}

func counted(l *testserver.Link) Count {
	return Count{l.Bytes(testserver.ToClient), l.Bytes(testserver.ToServer), l.Conns(), l.RoundTrips() + l.Conns()}
}

// Settled waits until nothing has passed a link for a while, 20 s at most.
func Settled(l *testserver.Link, quiet time.Duration) {
	last, since := counted(l), time.Now()
	for end := time.Now().Add(20 * time.Second); time.Since(since) < quiet && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
		if now := counted(l); now != last {
			last, since = now, time.Now()
		}
	}
}

// handshake listens in front of addr and adds what a Link cannot: it connects
// one and a half round trips after the program did, which is when a server that
// far away would have accepted it. It ends with h.
func handshake(h *Host, addr string, roundTrip time.Duration) (string, error) {
	return forward(h, roundTrip*3/2, func() string { return addr })
}

// forward listens and carries each connection, after a pause, to where target
// then says. It ends with h.
func forward(h *Host, pause time.Duration, target func() string) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	h.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			go carry(near, pause, target())
		}
	}()
	return l.Addr().String(), nil
}

// carry passes octets both ways; one side's end, whatever it was, is the
// other's RST.
func carry(near net.Conn, pause time.Duration, target string) {
	time.Sleep(pause)
	far, err := net.Dial("tcp", target)
	if err != nil {
		_ = near.Close()
		return
	}
	done := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		go func() {
			_, _ = io.Copy(way[0], way[1])
			done <- struct{}{}
		}()
	}
	<-done
	for _, c := range []net.Conn{near, far} {
		_ = c.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
	}
}
