package wire

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// TestPhaseDeadlines: a server that falls silent is given up after the phase's
// time, also where the phase begins while the Read waits already.
func TestPhaseDeadlines(t *testing.T) {
	for _, tt := range []struct {
		name  string
		phase Phase
		opts  Timeouts
		want  time.Duration // 0: never
	}{
		{"connect", PhaseConnect, Timeouts{}, 30 * time.Second},
		{"command", PhaseCommand, Timeouts{}, 60 * time.Second},
		{"idle", PhaseIdle, Timeouts{}, 0},
		{"done", PhaseDone, Timeouts{}, 10 * time.Second},
		{"probe", PhaseProbe, Timeouts{}, 5 * time.Second},
		{"own", PhaseIdle, Timeouts{PhaseIdle: 3 * time.Minute}, 3 * time.Minute},
		{"none", PhaseDone, Timeouts{PhaseDone: -1}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := dial(t, false, Options{Timeouts: tt.opts}, func(tag, command string) string {
					if command == "NOOP" {
						return "* OK wait\r\n" // and nothing more
					}
					return ""
				})
				s.tap.SetPhase(PhaseIdle)
				done := make(chan error, 1)
				go func() { done <- s.Noop().Wait() }()
				synctest.Wait() // the Read waits, without a deadline
				<-time.After(time.Minute)
				s.tap.SetPhase(tt.phase)
				start := time.Now()
				select {
				case err := <-done:
					if got := time.Since(start); err == nil || got != tt.want {
						t.Errorf("ended after %v with %v, want %v", got, err, tt.want)
					}
					if err := s.tap.Err(); !errors.Is(err, os.ErrDeadlineExceeded) {
						t.Errorf("the cause is %v", err)
					}
				case <-time.After(24 * time.Hour):
					if tt.want != 0 {
						t.Errorf("still waits after a day, want %v", tt.want)
					}
				}
			})
		})
	}
}

// TestSlowIsNotDead: what trickles is waited for; imapclient's own deadlines
// (30 s for a response, 5 min for a literal, absolute) do not count.
func TestSlowIsNotDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := dial(t, false, Options{}, nil)
		s.peer.answer = func(tag, command string) string {
			if !strings.Contains(command, "FETCH") {
				return ""
			}
			for _, b := range []byte(summary(1, 17) + tag + " OK done\r\n") {
				<-time.After(50 * time.Second)
				if _, err := s.peer.conn.Write([]byte{b}); err != nil {
					return ""
				}
			}
			return "* OK still here\r\n"
		}
		got, err := s.Fetch(imap.UIDSetNum(17), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{headerFields}}).Collect()
		if err != nil || len(got) != 1 {
			t.Fatalf("%d messages, %v", len(got), err)
		}
		if since := time.Since(s.tap.LastRead()); since > time.Minute {
			t.Errorf("the last sign of life is %v old", since)
		}
	})
}

// TestSilentGreeting: after 30 s, not 60.
func TestSilentGreeting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		tap := New(ours, Options{})
		c := imapclient.New(tap, nil)
		start := time.Now()
		if err := c.WaitGreeting(); err == nil || time.Since(start) != 30*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if !errors.Is(tap.Err(), os.ErrDeadlineExceeded) {
			t.Errorf("cause: %v", tap.Err())
		}
	})
}

// TestWriteDeadline: a peer that stops reading is given up 30 s after the
// write began, however much time the command took before.
func TestWriteDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		tap := New(ours, Options{})
		tap.SetWriteDeadline(time.Now().Add(time.Second)) // ignored
		start := time.Now()
		_, err := tap.Write([]byte("T1 NOOP\r\n"))
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 30*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if !errors.Is(tap.Err(), os.ErrDeadlineExceeded) {
			t.Errorf("Err is %v", tap.Err())
		}
		if _, err := tap.Write([]byte("T2 NOOP\r\n")); err == nil {
			t.Error("writing goes on after a failed write")
		}
		tap.Close()
	})
}

// TestSlowUpload: a large literal may take longer than 30 s in total.
func TestSlowUpload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		tap := New(ours, Options{})
		var got bytes.Buffer
		done := make(chan struct{})
		go func() {
			defer close(done)
			buf := make([]byte, 16<<10)
			for {
				n, err := theirs.Read(buf)
				got.Write(buf[:n])
				if err != nil {
					return
				}
				<-time.After(10 * time.Second)
			}
		}()
		body := bytes.Repeat([]byte("0123456789abcde\n"), 1<<14)
		tap.Write([]byte("T1 APPEND INBOX {" + itoa(len(body)) + "+}\r\n"))
		if _, err := tap.Write(body); err != nil {
			t.Fatal(err)
		}
		tap.Write([]byte("\r\n"))
		tap.Close()
		<-done
		if !bytes.Contains(got.Bytes(), body) {
			t.Error("the body did not arrive")
		}
	})
}

// TestCauses: Err keeps what imapclient's errors lose.
func TestCauses(t *testing.T) {
	reset := &net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	for _, tt := range []struct {
		name string
		err  error
		is   error
	}{
		{"end", io.EOF, io.EOF},
		{"reset", reset, syscall.ECONNRESET},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tap := New(&failing{err: tt.err}, Options{Greeting: "* PREAUTH hi\r\n"})
			c := imapclient.New(tap, nil)
			// The greeting and the end come at once: either may win, and what counts
			// is what the tap remembers of it.
			_ = c.WaitGreeting()
			<-c.Closed()
			if err := tap.Err(); !errors.Is(err, tt.is) {
				t.Errorf("Err is %v", err)
			}
			<-tap.Ready()
			tap.Close()
			if err := tap.Err(); !errors.Is(err, tt.is) {
				t.Errorf("after Close, Err is %v", err)
			}
		})
	}
}

// failing fails every Read.
type failing struct {
	feeder
	err error
}

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

// TestOwnClose: closing is no failure.
func TestOwnClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := dial(t, false, Options{}, nil)
		s.tap.Close()
		<-s.Closed()
		if err := s.tap.Err(); err != nil {
			t.Errorf("Err is %v after our own Close", err)
		}
	})
}
