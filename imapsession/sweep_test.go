package imapsession

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tidings/store"
)

// Without mod-sequences the flags of a kept list are asked for anew, newest rows
// first, and a command does not wait for the last of them.
func TestSweep(t *testing.T) {
	for _, test := range []struct {
		name, caps string
	}{
		{"with ESEARCH", fakeCaps},
		{"without", strings.Replace(fakeCaps, " ESEARCH", "", 1)},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 5_000)
				srv.setCaps(test.caps)
				cfg := srv.config()
				cfg.Cache = newFakeCache()
				var f *follower
				var id CommandID
				windows := 0
				srv.on = func(c *fakeConn, tag, cmd string) bool {
					if flagWindow.MatchString(cmd) {
						time.Sleep(60 * time.Millisecond)
						if windows++; windows == 3 {
							id = f.s.Do(StoreFlags{Target: f.target(4_990), Add: []string{`\Flagged`}})
						}
					}
					return false
				}
				// The first start knows nothing; the second knows all but the flags.
				for range 2 {
					windows = 0
					srv.with(func() { srv.lines = nil })
					var stop func()
					f, stop = start(t, cfg)
					f.live(1)
					f.fullyKnown()
					f.result(id)
					synctest.Wait()
					if f.list.Len() != 5_000 || windows < 5 {
						t.Errorf("%d rows after %d windows", f.list.Len(), windows)
					}
					last := ^uint32(0)
					turn := -1
					fetches := 0
					for _, line := range srv.said("") {
						if strings.HasPrefix(line, "UID STORE") {
							turn = fetches
						}
						found := flagWindow.FindStringSubmatch(line)
						if found == nil {
							continue
						}
						fetches++
						lo, hi := uint32(0), uint32(0)
						if n, _ := fmt.Sscan(found[1], &lo); n != 1 {
							t.Fatal(line)
						}
						if n, _ := fmt.Sscan(found[2], &hi); n != 1 || hi >= last || hi-lo > sweepRowsMax {
							t.Errorf("%q follows what ended at %d", line, last)
						}
						last = lo
					}
					if turn < 1 || turn > 6 || turn >= fetches {
						t.Errorf("the command had its turn after %d of %d windows", turn, fetches)
					}
					stop()
				}
			})
		})
	}
}

// flagWindow is a FETCH of flags alone, by UID or number; these are the same here.
var flagWindow = regexp.MustCompile(`^(?:UID )?FETCH (\d+):(\d+) \((?:UID )?FLAGS\)$`)

// UIDs are learnt in pieces, and told once for each; a server that will not search
// is asked by number instead.
func TestUIDsAreLearnt(t *testing.T) {
	for _, refuses := range []bool{false, true} {
		bubble(t, func(t *testing.T) {
			srv := newFake(t, 2_000)
			cfg := srv.config()
			cfg.Cache = newFakeCache()
			srv.on = func(c *fakeConn, tag, cmd string) bool {
				if refuses && strings.Contains(cmd, "RETURN (ALL)") {
					c.send(tag + " NO not today")
				}
				return refuses && strings.Contains(cmd, "RETURN (ALL)")
			}
			f, stop := start(t, cfg)
			f.live(1)
			f.fullyKnown()
			f.inStep(srv)
			if n := len(srv.said("RETURN (ALL)")); n != 1 {
				t.Errorf("%d searches", n)
			}
			if n := len(f.resyncs); n != 2 && !refuses {
				t.Errorf("%d lists told", n)
			}
			if !slices.IsSorted(f.list.UIDs(0, f.list.Len())) || f.list.Row(0).UID != store.UID(1) {
				t.Error("the rows are out of order")
			}
			stop()
		})
	}
}
