package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"tidings/internal/bench"
	"tidings/internal/testserver"
)

// behind puts a link between the account's server and the program. Other
// clients go to the server itself.
func (a account) behind(t *testing.T) (*testserver.Link, account) {
	t.Helper()
	link := testserver.NewLink(t, a.addr)
	through := a
	through.addr = link.Addr()
	return link, through
}

func TestReconnectShowsWhatChangedMeanwhile(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, a account) {
		a.fill(t, "First letter", "Second letter", "Third letter", "Fourth letter")
		link, through := a.behind(t)
		term := through.monitor(t)
		waitSelected(term, "Fourth letter")
		term.WaitFor("live", patience)
		term.Send("j", "j")
		waitSelected(term, "Second letter")

		link.Refuse(true)
		link.Cut()
		term.WaitFor("retry in", patience)
		a.expunge(t, "Third letter")
		a.store(t, a.selecting(t), a.uidOf(t, "First letter"), imap.FlagFlagged)
		a.deliver(t, bench.MessageWithSubject(9, "Fifth letter"))
		// What is asked for while the link is down waits for it.
		term.Send("!")
		waitRow(term, "Second letter", "drawn as flagged", func(row string) bool { return strings.Contains(row, "⚑") })
		if screen := term.Screen(); !testserver.Shows(screen, "retry in") && !testserver.Shows(screen, "connecting") {
			t.Errorf("the screen claims a link that is down:\n%s", strings.Join(screen, "\n"))
		}

		link.Heal()
		waitRow(term, "Fifth letter", "arrived", func(row string) bool { return strings.Contains(row, "●") })
		waitNoRow(term, "Third letter")
		waitRow(term, "First letter", "flagged", func(row string) bool { return strings.Contains(row, "⚑") })
		term.WaitFor("live", patience)
		term.WaitFor("1 unread of 4", patience)
		screen := term.Screen()
		if !selected(screen, "Second letter") {
			t.Errorf("the cursor left its message:\n%s", strings.Join(screen, "\n"))
		}
		for _, subject := range []string{"First letter", "Second letter", "Fourth letter", "Fifth letter"} {
			rows := 0
			for _, row := range screen[:len(screen)-3] {
				if strings.Contains(row, subject) {
					rows++
				}
			}
			if rows != 1 {
				t.Errorf("%q stands in %d rows:\n%s", subject, rows, strings.Join(screen, "\n"))
			}
		}
		a.inMailbox(t, "INBOX", `\Flagged on "Second letter"`, func(m []seen) bool {
			return has(find(m, "Second letter").flags, imap.FlagFlagged)
		})
	})
}

// TestDeadLinkStopsNothing: with a line that swallows everything, keys still
// draw and Q still quits. The bound is the test's patience with a busy machine;
// docs/PERFORMANCE.md has the time.
func TestDeadLinkStopsNothing(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, a account) {
		a.fill(t, "First letter", "Second letter")
		link, through := a.behind(t)
		term := through.monitor(t)
		waitSelected(term, "Second letter")
		term.WaitFor("live", patience)
		link.Swallow(testserver.Both, true)
		term.Send("!")
		waitRow(term, "Second letter", "drawn as flagged", func(row string) bool { return strings.Contains(row, "⚑") })
		term.Send("j")
		waitSelected(term, "First letter")
		term.Send("Q")
		if status := term.Exited(5 * time.Second); status != 0 {
			t.Errorf("exit status %d", status)
		}
	})
}

func TestQuitWhileConnecting(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, a account) {
		link, through := a.behind(t)
		link.Swallow(testserver.Both, true)
		term := through.monitor(t)
		term.WaitFor("connecting", patience)
		term.Send("Q")
		if status := term.Exited(5 * time.Second); status != 0 {
			t.Errorf("exit status %d", status)
		}
	})
}
