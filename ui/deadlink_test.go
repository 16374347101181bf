package ui

import (
	"strings"
	"testing"

	"tidings/imapsession"
)

// Nobody ever answers: every action is drawn by the frame after its key all the
// same, and the command is on its way by then; on ten thousand messages, too.
func TestActionsAreDrawnAtOnceOnADeadLink(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(10_000)
		p.idle()
		sent := func() int { return len(p.server().pending()) }
		// now sends one key, and looks at the very next frame: no timer fires and no
		// event is read in between.
		now := func(key, want string) {
			p.t.Helper()
			before := sent()
			p.send(keyPress(key))
			for _, l := range p.lines() {
				if (strings.HasPrefix(l, "▌") || strings.HasPrefix(l, "█")) && !strings.Contains(l, want) {
					t.Errorf("the frame after %s has %q, want %q", key, l, want)
				}
			}
			if sent() != before+1 {
				t.Errorf("%s sent %d commands", key, sent()-before)
			}
		}
		p.press("j")
		now("!", "⚑")
		now("U", "…")
		now("u", "…")
		p.press("X")
		p.sees("10,000 marked")
		now("U", "…")
		c := p.server().pending()[sent()-1].cmd.(imapsession.StoreFlags)
		if len(c.Target.UIDs) < 3000 {
			t.Errorf("it is aimed at %d messages", len(c.Target.UIDs))
		}
		p.sees("0 of 3,334 messages done", "Esc stops")
		p.press("esc")
		if n := len(p.server().canceled); n != 1 {
			t.Errorf("Esc took %d commands back", n)
		}
		p.sees("stopping", "10,000 marked") // the marks are the next Esc's
	})
}
