package e2e

import (
	"strings"
	"syscall"
	"testing"

	"tidings/internal/bench"
	"tidings/internal/testserver"
)

func TestSmallPane(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, a account) {
		a.fill(t, "First letter", "Second letter", "Third letter")
		term := a.monitor(t, testserver.Size(40, 8))
		term.WaitFor("Third letter", patience)
		term.WaitFor("live", patience)
		a.deliver(t, bench.MessageWithSubject(9, "Fresh bread"))
		waitRow(term, "Fresh bread", "unread", func(row string) bool { return strings.Contains(row, "●") })
		term.Send("?")
		waitNoRow(term, "Fresh bread")
		term.Send("Escape")
		waitRow(term, "Fresh bread", "back", func(string) bool { return true })
		// Smaller than it can draw well, then large: it never gives up.
		term.Resize(12, 3)
		term.WaitGone("Third letter", patience)
		term.Resize(200, 50)
		term.WaitFor("Third letter", patience)
		term.WaitFor("1 unread of 4", patience)
		term.Send("Q")
		if status := term.Exited(patience); status != 0 {
			t.Errorf("exit status %d", status)
		}
	})
}

func TestDemoLives(t *testing.T) {
	t.Parallel()
	term := start(t, []string{"demo", "--seed", "3", "--rate", "600", "--messages", "40"})
	term.WaitFor("live", patience)
	before := strings.Join(term.Screen()[:bench.Lines-3], "\n")
	term.WaitFor("new: ", patience)
	term.WaitUntil("another list", patience, func(s []string) bool {
		return strings.Join(s[:bench.Lines-3], "\n") != before
	})
	term.Send("Q")
	if status := term.Exited(patience); status != 0 {
		t.Errorf("exit status %d", status)
	}
}

// TestSignalsEndCleanly: a dropped ssh session and a shutdown leave the
// terminal as it was.
func TestSignalsEndCleanly(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			term := start(t, []string{"demo", "--rate", "0"}, testserver.Record())
			term.WaitFor("live", patience)
			pid := term.Pid()
			if err := syscall.Kill(pid, signal); err != nil {
				t.Fatal(err)
			}
			term.Exited(patience)
			out := string(term.Output())
			if enter, leave := strings.LastIndex(out, "\x1b[?1049h"), strings.LastIndex(out, "\x1b[?1049l"); enter < 0 || leave < enter {
				t.Errorf("the alternate screen was entered at %d and left at %d", enter, leave)
			}
			if show, hide := strings.LastIndex(out, "\x1b[?25h"), strings.LastIndex(out, "\x1b[?25l"); show < hide {
				t.Errorf("the cursor was hidden at %d and shown at %d", hide, show)
			}
		})
	}
}
