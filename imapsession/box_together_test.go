package imapsession

import (
	"testing"
	"testing/synctest"
)

// What belongs together reaches the listener in one piece, even one that waits
// for the first of it.
func TestTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := NewBox(func() ResyncEvent { return ResyncEvent{} })
		var got []Event
		go func() { got, _ = box.Next(t.Context(), 10) }()
		synctest.Wait()
		box.Together(func() {
			box.Put(ResyncEvent{Epoch: 1})
			synctest.Wait()
			if len(got) != 0 || box.Pending() != 1 {
				t.Errorf("the listener has %d events, %d wait", len(got), box.Pending())
			}
			box.Put(SummariesEvent{UIDValidity: 1})
		})
		synctest.Wait()
		if len(got) != 2 {
			t.Errorf("the listener has %d events, not both", len(got))
		}
	})
}
