package wire

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/emersion/go-imap/v2"
)

// TestLimits: a breach ends the connection with ErrLimit, and imapclient never
// sees what breached.
func TestLimits(t *testing.T) {
	tests := []struct {
		name   string
		limits Limits
		input  string
	}{
		{"line", Limits{Line: 1000}, "* OK " + strings.Repeat("a", 1000) + "\r\n"},
		{"line without end", Limits{Line: 1000}, "* OK " + strings.Repeat("a", 1000)},
		{"text around literals", Limits{Line: 1000}, "* 5 FETCH (BODY[] {1}\r\na" + strings.Repeat(" BODY[] {1}\r\na", 100) + ")\r\n"},
		{"nesting in a body structure", Limits{}, "* 5 FETCH (BODYSTRUCTURE " + strings.Repeat("(", 100) + "\r\n"},
		{"nesting in an envelope, across a literal", Limits{}, "* 5 FETCH (ENVELOPE " + strings.Repeat("(", 40) + " {1}\r\na" + strings.Repeat("(", 40) + "\r\n"},
		{"nesting in a thread", Limits{}, "* THREAD " + strings.Repeat("(", 100) + "\r\n"},
		{"nesting in the unknown", Limits{}, "* X " + strings.Repeat("(", 65) + strings.Repeat(")", 65) + "\r\n"},
		{"four million parentheses", Limits{}, "* 5 FETCH (BODYSTRUCTURE " + strings.Repeat("(", 4000000) + "\r\n"},
		{"literal", Limits{Literal: 1000}, "* 5 FETCH (BODY[] {1001}\r\n"},
		{"literal of the unknown", Limits{Literal: 1000}, "* X {1001}\r\n"},
		{"default literal", Limits{}, "* 5 FETCH (BODY[] {1500000000}\r\n"},
		{"literal beyond 64 bits", Limits{Line: 1000}, "* X {" + strings.Repeat("9", 1000) + "}\r\n"},
		{"response", Limits{Response: 1000}, "* 5 FETCH (BODY[] {600}\r\n" + strings.Repeat("a", 600) + " BODY[] {600}\r\n"},
		{"events", Limits{Queue: 10}, strings.Repeat("* 5 EXISTS\r\n", 11)},
		{"texts of events", Limits{}, strings.Repeat("* OK [ALERT] "+strings.Repeat("a", 8000)+"\r\n", 2200)},
		{"numbers in a search", Limits{Line: 40 << 10}, "* SEARCH" + strings.Repeat(" 1", 80<<10+1) + "\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := dial(t, false, Options{Limits: tt.limits}, before("NOOP", tt.input))
				if err := s.alive(); err == nil {
					t.Fatal("the connection survived")
				}
				if err := s.tap.Err(); !errors.Is(err, ErrLimit) {
					t.Errorf("the tap ended with %v, want ErrLimit", err)
				}
			})
		})
	}
}

// TestNestingBeforeLogin: the input that ends a process that uses imapclient
// alone, where nobody has been asked for anything yet.
func TestNestingBeforeLogin(t *testing.T) {
	for _, first := range []string{"", "* OK hi\r\n"} {
		stream := first + "* 1 FETCH (BODYSTRUCTURE " + strings.Repeat("(", 1<<20) + "\r\n"
		_, _, err := through(t, Limits{}, [][]byte{[]byte(stream)})
		if !errors.Is(err, ErrLimit) && !errors.Is(err, ErrGreeting) {
			t.Errorf("after %q: %v", first, err)
		}
	}
}

func TestNotIMAP(t *testing.T) {
	for _, banner := range []string{
		"HTTP/1.1 400 Bad Request\r\n", "220 mail ESMTP\r\n", "+OK POP3 ready\r\n", "SSH-2.0-OpenSSH_9.2\r\n",
		"\x15\x03\x01\x00\x02\x02", "A1 OK hi\r\n", "* 5 EXISTS\r\n", "* CAPABILITY IMAP4rev1\r\n", "\r\nwhat\r\n",
	} {
		_, evs, err := through(t, Limits{}, [][]byte{[]byte(banner)})
		if !errors.Is(err, ErrGreeting) || len(evs) > 0 {
			t.Errorf("%q: %v, events %v", banner, err, evs)
		}
	}
	for _, banner := range []string{"* OK\r\n", "*  OK hello\r\n", "\r\n* OK hello\r\n", "* PREAUTH hi\r\n", "* BYE go away\r\n", "* ok [ALERT] hi\n"} {
		out, evs, err := through(t, Limits{}, [][]byte{[]byte(banner)})
		if errors.Is(err, ErrGreeting) || len(evs) != 1 || !strings.HasPrefix(out, "* ") {
			t.Errorf("%q: %q, %v, events %v", banner, out, err, evs)
		}
	}
}

// TestLongSearch: a SEARCH far above the line limit comes through, ascending,
// and leaves no large buffer behind.
func TestLongSearch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 300000
		var sb strings.Builder
		sb.WriteString("* SEARCH")
		for i := n; i > 0; i-- { // descending: quadratic in imapclient alone
			sb.WriteString(" " + itoa(i))
		}
		sb.WriteString("\r\n")
		s := dial(t, false, Options{Limits: Limits{Line: 200 << 10}}, before("UID", sb.String()))
		data, err := s.UIDSearch(&imap.SearchCriteria{}, nil).Wait()
		if err != nil {
			t.Fatalf("%v (tap: %v)", err, s.tap.Err())
		}
		if got := data.All.String(); got != "1:300000" {
			t.Errorf("found %.40s", got)
		}
		s.end()
		if c := cap(s.tap.in.out) + cap(s.tap.in.seg) + 4*cap(s.tap.in.nums); c > 4*keepBuffer {
			t.Errorf("%d octets of buffers are left", c)
		}
	})
}

// TestFloods: a server that never stops costs its own connection, and until
// then a bounded amount of memory, even if nobody takes the events.
func TestFloods(t *testing.T) {
	distinct := func(format string) string {
		var sb strings.Builder
		for i := range 4096 {
			fmt.Fprintf(&sb, format, i, strings.Repeat("k", 100))
		}
		return sb.String()
	}
	for name, script := range map[string]string{
		"a line without end":     strings.Repeat("a", 1<<16),
		"flags":                  "* 5 FETCH (FLAGS (\\Seen))\r\n",
		"flags never seen":       distinct("* 5 FETCH (FLAGS (k%d%s))\r\n"),
		"alerts":                 "* OK [ALERT] " + strings.Repeat("a", 5000) + "\r\n",
		"codes never seen":       distinct("* OK [X%d %s] y\r\n"),
		"vanished":               distinct("* VANISHED %d%.0s1,3,5,7,9,11,13,15,17,19,21,23,25,27,29\r\n"),
		"unknown":                distinct("* X%d %s\r\n"),
		"expunges":               "* 1 EXPUNGE\r\n",
		"literals in one answer": strings.Repeat("x {1000}\r\n"+strings.Repeat("a", 1000), 1000),
	} {
		t.Run(name, func(t *testing.T) {
			first := "* OK hi\r\n"
			if name == "literals in one answer" {
				first += "* X "
			}
			conn := &feeder{script: []byte(script), left: 1 << 40}
			tap := New(conn, Options{Greeting: first, Limits: Limits{Queue: 1 << 17, Response: 16 << 20}, Trace: NewTrace(0)})
			tap.Write([]byte(asked))
			before := heap()
			buf := make([]byte, 4096)
			var err error
			for err == nil {
				_, err = tap.Read(buf)
			}
			grown := heap() - before
			if !errors.Is(err, ErrLimit) {
				t.Errorf("ended with %v", err)
			}
			if grown > 24<<20 {
				t.Errorf("the flood made the heap grow by %d KiB", grown>>10)
			}
			runtime.KeepAlive(tap)
		})
	}
}

// heap is what is alive on the heap.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
