package ui

import (
	"testing"

	tea "charm.land/bubbletea/v2"
)

// TestAllocations: what happens most costs next to nothing, however large the
// mailbox is.
func TestAllocations(t *testing.T) {
	for _, n := range []int{1000, 50_000} {
		m, _ := benchModel(t, n, 120, 40, true)
		keys := []tea.Msg{keyPress("j"), keyPress("k")}
		i := 0
		if got := testing.AllocsPerRun(100, func() { m.Update(keys[i%2]); i++ }); got > 1 {
			t.Errorf("%d messages: a cursor key costs %.0f allocations", n, got)
		}
		if got := testing.AllocsPerRun(100, func() { _ = m.View() }); got > 30 {
			t.Errorf("%d messages: a frame costs %.0f allocations", n, got)
		}
	}
}
