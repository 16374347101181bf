package wire

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-imap/v2"
)

// writes is a conn that keeps every Write apart, with its time.
type writes struct {
	feeder
	got []string
	at  []time.Time
}

func (w *writes) Write(p []byte) (int, error) {
	w.got = append(w.got, string(p))
	w.at = append(w.at, time.Now())
	return len(p), nil
}

// TestHoldDone: DONE and what follows leave in one write, or DONE alone after
// a millisecond, or at once by Flush.
func TestHoldDone(t *testing.T) {
	idling := func(t *testing.T) (*Tap, *writes) {
		w := &writes{}
		tap := New(w, Options{})
		tap.Write([]byte("T1 IDLE\r\n"))
		w.got = nil
		tap.HoldDone()
		return tap, w
	}
	want := func(t *testing.T, w *writes, want ...string) {
		t.Helper()
		if strings.Join(w.got, "|") != strings.Join(want, "|") {
			t.Errorf("writes %q, want %q", w.got, want)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		tap, w := idling(t)
		tap.Write([]byte("DONE\r\n"))
		want(t, w)
		tap.Write([]byte("T2 NOOP\r\n"))
		want(t, w, "DONE\r\nT2 NOOP\r\n")
		<-time.After(time.Second)
		synctest.Wait()
		want(t, w, "DONE\r\nT2 NOOP\r\n")
	})
	synctest.Test(t, func(t *testing.T) {
		tap, w := idling(t)
		start := time.Now()
		tap.Write([]byte("DONE\r\n"))
		<-time.After(time.Second)
		synctest.Wait()
		want(t, w, "DONE\r\n")
		if d := w.at[len(w.at)-1].Sub(start); d != time.Millisecond {
			t.Errorf("released after %v", d)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		tap, w := idling(t)
		tap.Write([]byte("DONE\r\n"))
		if err := tap.Flush(); err != nil {
			t.Error(err)
		}
		want(t, w, "DONE\r\n")
		<-time.After(time.Second)
		synctest.Wait()
		tap.Write([]byte("T2 IDLE\r\n"))
		tap.Write([]byte("DONE\r\n")) // held once only
		want(t, w, "DONE\r\n", "T2 IDLE\r\n", "DONE\r\n")
	})
	synctest.Test(t, func(t *testing.T) {
		tap, w := idling(t)
		tap.Write([]byte("DONE\r\n"))
		tap.Close()
		<-time.After(time.Second)
		synctest.Wait()
		want(t, w)
	})
}

// TestDoneBehindIdle: in the hands of imapclient, DONE and the next command
// are one segment and both are answered.
func TestDoneBehindIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		idle := ""
		s := dial(t, false, Options{}, func(tag, command string) string {
			switch {
			case command == "IDLE":
				idle = tag
			case tag == "DONE":
				return idle + " OK idle done\r\n"
			}
			return ""
		})
		cmd, err := s.Idle()
		if err != nil {
			t.Fatal(err)
		}
		s.tap.HoldDone()
		if err := cmd.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Fetch(imap.UIDSetNum(1), &imap.FetchOptions{UID: true}).Collect(); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestIdleEndedByServer: a DONE that nobody waits for would be taken for a
// command.
func TestIdleEndedByServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := dial(t, false, Options{}, func(tag, command string) string {
			if command == "IDLE" {
				return "+ idling\r\n" + tag + " BAD enough\r\n"
			}
			return ""
		})
		cmd, err := s.Idle()
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		evs := s.tap.Events()
		if got := strings.Join(briefs(evs), "; "); got != "+ idling; T3 BAD enough" {
			t.Errorf("events %s", got)
		}
		cmd.Close()
		if err := cmd.Wait(); err == nil {
			t.Error("the IDLE that the server refused ended well")
		}
		if err := s.alive(); err != nil {
			t.Fatal(err)
		}
		s.end()
		for _, line := range s.peer.got {
			if line == "DONE" {
				t.Error("DONE was sent although IDLE was over")
			}
		}
	})
}

// TestContinuations: one request is one; the others are dropped.
func TestContinuations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := dial(t, false, Options{}, func(tag, command string) string {
			switch {
			case command == "IDLE":
				return "+ idling\r\n+ still idling\r\n+\r\n"
			case tag == "DONE":
				return "T3 OK\r\n"
			}
			return ""
		})
		cmd, err := s.Idle()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Close()
		if err := cmd.Wait(); err != nil {
			t.Fatalf("%v (tap: %v)", err, s.tap.Err())
		}
		if err := s.alive(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestPartialWrites: a command leaves whole, whatever pieces it is written in.
func TestPartialWrites(t *testing.T) {
	w := &writes{}
	tap := New(w, Options{})
	const stream = "T1 NOOP\r\nT2 APPEND INBOX {5+}\r\nab\r\nc\r\nT3 UID FETCH 1:9 (UID FLAGS)\r\n"
	for _, ch := range []byte(stream) {
		if n, err := tap.Write([]byte{ch}); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	}
	if got := strings.Join(w.got, ""); got != stream {
		t.Errorf("sent %q", got)
	}
	if tap.Stats().Commands != 3 || len(tap.pending) != 3 || tap.pending[2].want != itemUID|itemFlags {
		t.Errorf("%d commands, pending %+v", tap.Stats().Commands, tap.pending)
	}
}
