package imapsession

import (
	"testing"
	"testing/synctest"
	"time"

	"tidings/store"
)

// A screen that looked before a summary reached it does not have it fetched
// again; one that still misses it later does.
func TestMissingSummariesOnTheirWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{})
		missing := func() []store.UID {
			v, _ := s.takeVisible()
			return v.Missing
		}
		s.SetVisible(Visible{Missing: []store.UID{7, 8}})
		s.missingTold([]*store.Summary{{UID: 7}})
		if got := missing(); len(got) != 1 || got[0] != 8 {
			t.Errorf("asked for before it was told, now missing: %v", got)
		}
		s.SetVisible(Visible{Missing: []store.UID{7, 8}})
		if got := missing(); len(got) != 1 || got[0] != 8 {
			t.Errorf("told, and not yet read: missing %v", got)
		}
		time.Sleep(toldGrace)
		s.SetVisible(Visible{Missing: []store.UID{7}})
		if got := missing(); len(got) != 1 {
			t.Errorf("told long ago: missing %v", got)
		}
		s.missingTold([]*store.Summary{{UID: 9}})
		if len(s.told) != 1 {
			t.Errorf("%d summaries are remembered, not only the last", len(s.told))
		}
	})
}
