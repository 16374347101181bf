package wire

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestRaw(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := dial(t, false, Options{}, func(tag, command string) string {
			switch command {
			case "ID NIL":
				return "* ID (\"name\" NIL {3}\r\na\r\n NIL)\r\n* 3 EXPUNGE\r\n* LIST () \"/\" x\r\n* VANISHED 9\r\n" +
					"* 2 FETCH (UID 7 X {4}\r\n* 1 FLAGS (\\Seen))\r\n* OK [ALERT] hear\r\n" + tag + " OK [DONE] thanks\r\n"
			case "FROB":
				return tag + " BAD what\r\n"
			}
			return ""
		})
		got, err := s.tap.Raw(t.Context(), "ID NIL")
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"* ID (\"name\" NIL {3}\r\na\r\n NIL)", "* 3 EXPUNGE", "* LIST () \"/\" x", "* VANISHED 9", "* 2 FETCH (UID 7 X {4}\r\n* 1 FLAGS (\\Seen))", "* OK [ALERT] hear"}
		if strings.Join(got.Untagged, "|") != strings.Join(want, "|") {
			t.Errorf("replies %q", got.Untagged)
		}
		if got.Tagged.Type != "OK" || got.Tagged.Code != "DONE" || got.Tagged.Text != "thanks" {
			t.Errorf("tagged %+v", got.Tagged)
		}
		evs := strings.Join(briefs(s.tap.Events()), "; ")
		if evs != "ID broken; expunge 3; LIST; vanished 9:9; fetch 2 uid 7 [\\Seen] broken; OK ALERT hear" {
			t.Errorf("events %s", evs)
		}
		synctest.Wait() // imapclient reads on
		if n := s.Mailbox().NumMessages; n != 19 {
			t.Errorf("imapclient counts %d messages after an EXPUNGE of 20", n)
		}
		got, err = s.tap.Raw(t.Context(), "FROB")
		if err != nil || got.Tagged.Type != "BAD" || len(got.Untagged) != 0 {
			t.Errorf("%+v, %v", got, err)
		}
		if err := s.alive(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.tap.Raw(t.Context(), "NOOP\r\nT1 LOGOUT"); err == nil {
			t.Error("two commands in one line")
		}
	})
}

// TestRawTimeout: when the caller gives up, late replies reach nobody, and
// imapclient's commands go on.
func TestRawTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var late string
		s := dial(t, false, Options{}, func(tag, command string) string {
			switch command {
			case "SLOW":
				late = tag
				return "* OK wait\r\n"
			case "NOOP":
				return "* LIST () \"/\" x\r\n" + late + " OK at last\r\n" + tag + " OK\r\n"
			}
			return ""
		})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if _, err := s.tap.Raw(ctx, "SLOW"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Raw: %v", err)
		}
		if err := s.alive(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestRawDeath: a connection that ends ends Raw, with the cause.
func TestRawDeath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := dial(t, false, Options{Limits: Limits{Line: 1000}}, func(tag, command string) string {
			if command == "FLOOD" {
				return "* X " + strings.Repeat("a", 2000) + "\r\n"
			}
			return ""
		})
		if _, err := s.tap.Raw(t.Context(), "FLOOD"); !errors.Is(err, ErrLimit) {
			t.Errorf("Raw: %v", err)
		}
		if _, err := s.tap.Raw(t.Context(), "NOOP"); err == nil {
			t.Error("Raw on a dead connection")
		}
	})
}

// TestRawFlood: replies to a raw command that never end cost the connection, and
// until then a bounded amount of memory.
func TestRawFlood(t *testing.T) {
	conn := &feeder{script: []byte("* LSUB () \"/\" " + strings.Repeat("x", 8<<10) + "\r\n"), left: 1 << 40}
	tap := New(conn, Options{Greeting: "* OK hi\r\n"})
	call, err := tap.Start(`LSUB "" "*"`)
	if err != nil {
		t.Fatal(err)
	}
	before := heap()
	buf := make([]byte, 4096)
	for err == nil {
		_, err = tap.Read(buf)
	}
	grown := heap() - before
	if !errors.Is(err, ErrLimit) {
		t.Errorf("ended with %v", err)
	}
	if grown > maxRawReply+(8<<20) {
		t.Errorf("the flood made the heap grow by %d KiB", grown>>10)
	}
	select {
	case <-call.Done():
		if _, err := call.Reply(); !errors.Is(err, ErrLimit) {
			t.Errorf("the caller hears of %v", err)
		}
	default:
		t.Error("the caller waits on")
	}
	runtime.KeepAlive(tap)
}
