package e2e

import (
	"strings"
	"syscall"
	"testing"

	"github.com/emersion/go-imap/v2"

	"tidings/internal/bench"
	"tidings/internal/testserver"
)

// TestAway ends the program and starts it again in one home: with the network
// gone it shows what is kept, where the person was; what arrived meanwhile is
// told once, in one line, whether it quit or was killed.
func TestAway(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, a account) {
		a.fill(t, "First letter", "Second letter", "Third letter", "Fourth letter")
		link, through := a.behind(t)
		env, config := testserver.Env(home(t)...), through.config(t)
		begin := func() *testserver.Terminal { return start(t, []string{"--config", config}, env) }
		quit := func(term *testserver.Terminal) {
			t.Helper()
			term.Send("Q")
			term.Exited(patience)
		}
		seesNot := func(term *testserver.Terminal, texts ...string) {
			t.Helper()
			screen := strings.Join(term.Screen(), "\n")
			for _, text := range texts {
				if strings.Contains(screen, text) {
					t.Errorf("%q is on the screen:\n%s", text, screen)
				}
			}
		}

		term := begin()
		waitSelected(term, "Fourth letter")
		term.WaitFor("live", patience)
		seesNot(term, " new")
		term.Send("j")
		waitSelected(term, "Third letter")
		term.Send("Enter")
		term.WaitFor("Subject Third letter", patience)
		term.Send("Escape")
		term.WaitGone("Subject Third letter", patience)
		quit(term)

		link.Refuse(true)
		term = begin()
		waitSelected(term, "Third letter")
		term.WaitFor("as of", patience)
		term.WaitFor("offline", patience)
		seesNot(term, "live", "heard")
		term.Send("Enter")
		term.WaitFor("Subject Third letter", patience) // from the cache
		if err := syscall.Kill(term.Pid(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		term.Exited(patience)

		for i, subject := range []string{"Fifth letter", "Sixth letter", "Seventh letter"} {
			a.deliver(t, bench.MessageWithSubject(5+i, subject))
		}
		a.store(t, a.selecting(t), a.uidOf(t, "Sixth letter"), imap.FlagFlagged)
		link.Heal()
		link.Refuse(false)
		term = begin()
		term.WaitFor("3 new since ", patience)
		term.WaitFor("1 flagged", patience)
		term.WaitFor("live", patience)
		waitSelected(term, "Third letter")
		quit(term)

		term = begin()
		waitSelected(term, "Third letter")
		term.WaitFor("live", patience)
		seesNot(term, " new", "as of")
		quit(term)
	})
}
