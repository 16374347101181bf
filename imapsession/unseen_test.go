package imapsession

import (
	"testing"
)

// A change of flags that hits a row of unknown flags leaves the count in doubt,
// whether or not its UID is said; it is asked for again.
func TestUnseenFollowsRowsThatAreNotKnown(t *testing.T) {
	for _, told := range []string{`* 5 FETCH (FLAGS (\Seen))`, `* 5 FETCH (UID 5 FLAGS (\Seen))`} {
		t.Run(told, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 300)
				f, _ := start(t, srv.config())
				f.live(1)
				srv.idling(t)
				f.until("300 unread", func() bool { return f.unseen.Known && f.unseen.N == 300 })
				srv.with(func() { srv.rows[4].flags = `\Seen` })
				srv.last().send(told)
				f.until("299 unread", func() bool { return f.unseen.Known && f.unseen.N == 299 })
			})
		})
	}
}
