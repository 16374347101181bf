package testserver

import (
	"bytes"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// echo accepts connections, greets each with a line, and answers every byte.
func echo(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = conn.Write([]byte("hello\n"))
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	return listener.Addr().String()
}

func dial(t *testing.T, l *Link) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", l.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	read(t, conn, "hello\n")
	return conn
}

func read(t *testing.T, conn net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != want {
		t.Fatalf("read %q, %v; want %q", got, err, want)
	}
}

func TestLinkCountsBytesAndRoundTrips(t *testing.T) {
	l := NewLink(t, echo(t))
	conn := dial(t, l)
	if l.RoundTrips() != 0 {
		t.Errorf("the greeting counts as a round trip")
	}
	for _, flight := range []string{"one", "two", "three"} {
		_, _ = conn.Write([]byte(flight))
		read(t, conn, flight)
	}
	if l.RoundTrips() != 3 || l.Bytes(ToServer) != 11 || l.Bytes(ToClient) != 17 || l.Conns() != 1 {
		t.Errorf("%d round trips, %d bytes there, %d back, %d connections; want 3, 11, 17, 1",
			l.RoundTrips(), l.Bytes(ToServer), l.Bytes(ToClient), l.Conns())
	}
}

func TestLinkCutsWithReset(t *testing.T) {
	l := NewLink(t, echo(t))
	conn := dial(t, l)
	l.Cut()
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("after Cut: %v, want a reset", err)
	}
	if l.Open() != 0 {
		t.Errorf("%d connections are open", l.Open())
	}
}

func TestLinkFinIsEOF(t *testing.T) {
	l := NewLink(t, echo(t))
	conn := dial(t, l)
	l.Fin(ToClient)
	if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("after Fin: %v, want EOF", err)
	}
}

func TestLinkRefuses(t *testing.T) {
	l := NewLink(t, echo(t))
	l.Refuse(true)
	conn, err := net.Dial("tcp", l.Addr())
	if err == nil {
		_, err = conn.Read(make([]byte, 1))
		_ = conn.Close()
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a refused connection: %v, want a reset", err)
	}
	l.Heal()
	dial(t, l)
}

func TestLinkCutsAfterBytes(t *testing.T) {
	l := NewLink(t, echo(t))
	conn := dial(t, l)
	l.CutAfter(ToServer, 4)
	_, _ = conn.Write([]byte("123456"))
	if _, err := io.ReadAll(conn); err == nil {
		t.Error("the connection was not cut")
	}
	if got := l.Bytes(ToServer); got != 4 {
		t.Errorf("%d bytes reached the server, want 4", got)
	}
}

func TestLinkInMemoryKeepsVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server, l := Pipe()
		l.SetLatency(20*time.Millisecond, 30*time.Millisecond)
		go func() {
			_, _ = io.Copy(server, server)
			_ = server.Close()
		}()
		begin := time.Now()
		_, _ = client.Write([]byte("ping"))
		_, _ = io.ReadFull(client, make([]byte, 4))
		if took := time.Since(begin); took != 50*time.Millisecond {
			t.Errorf("a round trip took %v, want 50ms", took)
		}
		l.SetLatency(0, 0)
		l.SetBandwidth(ToServer, 1000)
		begin = time.Now()
		go func() { _, _ = client.Write(bytes.Repeat([]byte("x"), 2000)) }()
		_, _ = io.ReadFull(client, make([]byte, 2000))
		if took := time.Since(begin); took < 1900*time.Millisecond || took > 2100*time.Millisecond {
			t.Errorf("2000 bytes at 1000 a second took %v", took)
		}
		_ = client.Close()
		l.Close()
	})
}

func TestLinkSwallowsAndStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server, l := Pipe()
		defer l.Close()
		got := make(chan byte, 16)
		go func() {
			buf := make([]byte, 1)
			for {
				if _, err := server.Read(buf); err != nil {
					close(got)
					return
				}
				got <- buf[0]
			}
		}()
		l.Swallow(ToServer, true)
		_, _ = client.Write([]byte("a")) // succeeds: that is the point
		synctest.Wait()
		if len(got) != 0 || l.Read(ToServer) != 1 || l.Bytes(ToServer) != 0 {
			t.Errorf("swallowed: %d bytes arrived, %d read, %d delivered", len(got), l.Read(ToServer), l.Bytes(ToServer))
		}
		l.Heal()
		l.Stall(ToServer, true)
		go func() { _, _ = client.Write([]byte("bcd")) }()
		time.Sleep(time.Hour)
		if len(got) != 0 {
			t.Errorf("%d bytes came through a stalled link", len(got))
		}
		l.SetSlice(ToServer, 1)
		l.Stall(ToServer, false)
		for _, want := range []byte("bcd") {
			if c := <-got; c != want {
				t.Errorf("got %q, want %q", c, want)
			}
		}
		_ = client.Close()
		if _, open := <-got; open {
			t.Error("the client's end did not reach the server")
		}
	})
}
