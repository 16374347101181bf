package imapsession

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// r held down does not hammer a server with a wrong password.
func TestRetryHeldDown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 1)
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			if !strings.HasPrefix(cmd, "AUTHENTICATE") {
				return false
			}
			c.send(tag + " NO [AUTHENTICATIONFAILED] wrong")
			return true
		}
		f, _ := start(t, srv.config())
		f.until("offline", func() bool { return f.last().Fatal })
		before := srv.dials
		f.s.Retry(true)
		synctest.Wait()
		if n := srv.dials - before; n != 1 {
			t.Errorf("r pressed once: %d attempts at once", n)
		}
		for range 300 { // 10 s of key repeat
			f.s.Retry(true)
			time.Sleep(time.Second / 30)
		}
		if n := srv.dials - before; n < 8 || n > 12 {
			t.Errorf("r held down for 10 s: %d attempts", n)
		}
	})
}

// Between visits a screen that lacks rows is worth a visit; but not one after the
// other to a server that will not say.
func TestVisitForTheScreen(t *testing.T) {
	for _, test := range []struct {
		name    string
		refuses bool
		most    int // connections within five minutes
	}{
		{"a server that answers", false, 14},
		{"a server that refuses", true, 7},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 600)
				srv.on = func(c *fakeConn, tag, cmd string) bool {
					if !test.refuses || !strings.HasPrefix(cmd, "FETCH") {
						return false
					}
					c.send(tag + " NO not now")
					return true
				}
				cfg := srv.config()
				cfg.Watch = WatchVisit
				f, _ := start(t, cfg)
				f.until("between visits", func() bool { return f.last().State == BetweenVisits })
				// The person stays where rows are unknown: the screen says so with
				// every Resync, as ui does.
				began := time.Now()
				told := uint32(0)
				for time.Since(began) < 5*time.Minute {
					f.mu.Lock()
					epoch := f.epoch
					f.mu.Unlock()
					if epoch != told {
						told = epoch
						f.s.SetVisible(Visible{Epoch: epoch, Lo: 100, Hi: 140})
					}
					time.Sleep(50 * time.Millisecond)
				}
				synctest.Wait()
				f.mu.Lock()
				known := f.list.Row(110).UID != 0
				f.mu.Unlock()
				if known == test.refuses {
					t.Errorf("the row on screen is known: %v", known)
				}
				if srv.dials > test.most {
					t.Errorf("%d connections in five minutes", srv.dials)
				}
			})
		})
	}
}
