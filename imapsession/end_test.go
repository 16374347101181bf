package imapsession

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestByeEndsTheLinkThatStaysOpen(t *testing.T) {
	for _, watch := range []Watch{WatchIdle, WatchPoll} {
		t.Run(fmt.Sprint("watch ", watch), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 3)
				cfg := srv.config()
				cfg.Watch = watch
				f, _ := start(t, cfg)
				f.live(1)
				synctest.Wait()
				began := time.Now()
				srv.last().send("* BYE session invalidated", "* BYE really")
				f.live(2)
				if took := time.Since(began); took > time.Second {
					t.Errorf("a BYE was believed after %v", took)
				}
				if n := len(f.alerts); n != 1 {
					t.Errorf("it was told of %d times", n)
				}
				if got := reasons(f); !strings.Contains(got, "session invalidated") {
					t.Errorf("reasons: %s", got)
				}
			})
		})
	}
}

func TestFloodOfAlertsCostsTheLink(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 3)
		f, _ := start(t, srv.config())
		f.live(1)
		srv.idling(t)
		first := srv.last()
		for range 10 * maxAlerts {
			first.send("* OK [ALERT] buy more space")
		}
		f.live(2)
		if n := len(f.alerts); n != maxAlerts {
			t.Errorf("%d alerts were passed on", n)
		}
		if got := reasons(f); !strings.Contains(got, "alerts within") {
			t.Errorf("reasons: %s", got)
		}
	})
}

// What a server says of rows before SELECT belongs to no mailbox.
func TestRowsBeforeSelectAreNoRows(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 5)
		f, _ := start(t, srv.config())
		f.live(1)
		srv.idling(t)
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			if c.n != 2 || !strings.HasPrefix(cmd, "AUTHENTICATE") {
				return false
			}
			c.send("* 2 EXPUNGE", "* 2 EXPUNGE", `* 1 FETCH (UID 1 FLAGS (\Deleted))`, "* 900 EXISTS",
				"* OK [UIDVALIDITY 99] new", tag+" NO [UNAVAILABLE] later")
			return true
		}
		srv.last().conn.Close()
		f.until("waiting", func() bool {
			return f.last().State == Waiting && strings.Contains(f.last().Reason.String(), "sign in")
		})
		f.inStep(srv)
		f.live(2)
		f.inStep(srv)
	})
}
