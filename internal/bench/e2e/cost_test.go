package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"tidings/internal/bench"
	"tidings/internal/demo"
	"tidings/internal/testserver"
)

// narrow is how a terminal whose octets are counted is made: a bare
// pseudo-terminal, since tmux draws for itself.
func (a account) narrow(t *testing.T, addr string) *bench.Terminal {
	t.Helper()
	a.addr = addr
	// What is fetched ahead, in its own time, is no part of what these cost.
	config := a.config(t, `tls = "none"`, "[cache]", `backfill = "off"`, "prefetch = false")
	term, err := bench.Start(bench.Columns, bench.Lines, home(t), binary, "--config", config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(term.Kill)
	return term
}

func wait(t *testing.T, term *bench.Terminal, what string, holds func(screen string) bool) {
	t.Helper()
	if _, err := term.Wait(patience, what, holds); err != nil {
		t.Fatal(err)
	}
}

func showing(texts ...string) func(string) bool {
	return func(screen string) bool {
		for _, text := range texts {
			if !strings.Contains(screen, text) {
				return false
			}
		}
		return true
	}
}

// TestOpeningCosts: what the server sends for opening does not grow with the
// mailbox, and few replies are waited for.
func TestOpeningCosts(t *testing.T) {
	t.Parallel()
	const limit, trips = 55 << 10, 6
	for _, n := range []int{1_000, 100_000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			s := testserver.Dovecot(t)
			if err := bench.WriteUniformMaildir(s.Maildir, n, 400); err != nil {
				t.Fatal(err)
			}
			own(t, s.Maildir)
			a := onDovecot(s)
			// The server's first open makes its index.
			a.selecting(t).Close()
			link := testserver.NewLink(t, a.addr)
			link.SetLatency(20*time.Millisecond, 20*time.Millisecond)
			term := a.narrow(t, link.Addr())
			wait(t, term, "newest subjects", showing(bench.Subject(n-1), bench.Subject(n-10)))
			if got := link.RoundTrips() + link.Conns(); got > trips {
				t.Errorf("%d round trips after TCP until the newest subjects were shown, more than %d", got, trips)
			}
			wait(t, term, "unread count", func(s string) bool { return strings.Contains(s, " unread of ") && !strings.Contains(s, "? unread of") })
			bench.Settled(link, 300*time.Millisecond)
			if got := link.Bytes(testserver.ToClient); got >= limit {
				t.Errorf("the server sent %d octets for opening, not under %d", got, limit)
			} else {
				t.Logf("%d octets, %d round trips", got, link.RoundTrips()+link.Conns())
			}
		})
	}
}

// own gives mail to the user that Dovecot runs as.
func own(t *testing.T, dir string) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	if out, err := exec.Command("chown", "-R", "nobody", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// TestArrivalCosts: one message more costs the same at any size, on the line
// and on the screen.
func TestArrivalCosts(t *testing.T) {
	t.Parallel()
	const onLine, onScreen, onMove = 900, 600, 60
	for _, n := range []int{1_000, 100_000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			s, err := demo.Start(t.Context(), demo.Options{Messages: n})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			a := account{addr: s.Addr(), user: s.User(), password: s.Password()}
			other := a.client(t)
			for i := range bench.Lines {
				testserver.Append(t, other, "INBOX", bench.MessageWithSubject(i, fmt.Sprintf("Narrow %02d", i)), `\Seen`)
			}
			link := testserver.NewLink(t, a.addr)
			term := a.narrow(t, link.Addr())
			wait(t, term, "newest subjects", showing("Narrow 39", "Narrow 10"))
			wait(t, term, "unread count", func(s string) bool { return strings.Contains(s, " unread of ") && !strings.Contains(s, "? unread of") })
			rest(t, term, link)

			down, drawn := link.Bytes(testserver.ToClient), term.Output()
			testserver.Append(t, other, "INBOX", bench.MessageWithSubject(77, "Fresh bread"))
			wait(t, term, "arrived message", showing("Fresh bread"))
			rest(t, term, link)
			down, drawn = link.Bytes(testserver.ToClient)-down, term.Output()-drawn
			t.Logf("an arrival: %d octets from the server, %d to the terminal", down, drawn)
			if down >= onLine {
				t.Errorf("the server sent %d octets for one arrival, not under %d", down, onLine)
			}
			if drawn >= onScreen {
				t.Errorf("the terminal got %d octets for one arrival, not under %d", drawn, onScreen)
			}

			moves, err := bench.Cursor(term, "j", "k", 20, 10)
			if err != nil {
				t.Fatal(err)
			}
			// The age of the last sign of life may be redrawn within a move or two.
			t.Logf("a cursor move: %d octets to the terminal, %d at most", moves.MedianOctets(), moves.MaxOctets())
			if got := moves.MedianOctets(); got >= onMove {
				t.Errorf("the terminal got %d octets for a cursor move, not under %d", got, onMove)
			}
		})
	}
}

// rest waits until neither line nor screen moves.
func rest(t *testing.T, term *bench.Terminal, link *testserver.Link) {
	t.Helper()
	bench.Settled(link, 300*time.Millisecond)
	if err := term.Quiet(300*time.Millisecond, patience); err != nil {
		t.Fatal(err)
	}
}
