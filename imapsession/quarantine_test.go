package imapsession

import (
	"strings"
	"sync/atomic"
	"testing"

	"tidings/store"
)

// The tap repairs all that is known to kill imapclient's decoder, so no server
// here can show the second step; what a death leads to is tested from there on.
func TestMessageThatKillsTheParserIsQuarantined(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 5)
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			set, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(cmd, "UID "), "FETCH "), " ")
			if strings.Contains(cmd, "HEADER.FIELDS") && inSet(set, 3, 5) {
				t.Errorf("the poison was asked for again: %s", cmd)
			}
			return false
		}
		cfg := srv.config()
		f, _ := startSession(t, cfg, func(s *Session) { s.deaths[3] = 2 })
		f.live(1)
		if sum := f.summaries[3]; sum == nil || !sum.Unreadable {
			t.Errorf("the message that cannot be read: %+v", sum)
		}
		for _, uid := range []store.UID{1, 2, 4, 5} {
			if sum := f.summaries[uid]; sum == nil || sum.Unreadable {
				t.Errorf("message %d: %+v", uid, sum)
			}
		}
		f.inStep(srv)
		srv.idling(t)
		srv.arrive(true)
		f.until("new mail", func() bool { return len(f.newMail) == 1 })
	})
}

// A server may give up a whole connection over one message that it cannot read
// itself. It must not cost the mailbox.
func TestMessageOverWhichTheServerClosesTheLink(t *testing.T) {
	for name, parting := range map[string]string{"with a word": "* BYE FETCH failed: Internal error\r\n", "without": ""} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 30)
				var closed atomic.Int32
				srv.on = func(c *fakeConn, tag, cmd string) bool {
					set, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(cmd, "UID "), "FETCH "), " ")
					if !strings.Contains(cmd, "HEADER.FIELDS") || !inSet(set, 17, 30) {
						return false
					}
					closed.Add(1)
					c.raw(parting)
					c.conn.Close()
					return true
				}
				f, _ := start(t, srv.config())
				f.live(1)
				f.until("all but one can be read", func() bool { return len(f.summaries) == 30 })
				for uid, sum := range f.summaries {
					if sum.Unreadable != (uid == 17) {
						t.Errorf("message %d: unreadable is %v", uid, sum.Unreadable)
					}
				}
				if n := closed.Load(); n > 6 {
					t.Errorf("%d links were closed before it was known over what", n)
				}
				f.inStep(srv)
				srv.idling(t)
				srv.arrive(true)
				f.until("new mail", func() bool { return len(f.newMail) == 1 })
			})
		})
	}
}
