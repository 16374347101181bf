package imapsession

import (
	"log/slog"
	"strings"
	"testing"
	"time"
)

// In quiet times a few rows are held against the server. One that differs,
// though nothing was said of it, has the whole mailbox read again.
func TestQuietListIsHeldAgainstTheServer(t *testing.T) {
	for _, test := range []struct {
		name    string
		untold  func(srv *fakeServer)
		resyncs int
	}{
		{"nothing happened", func(*fakeServer) {}, 1},
		{"flags changed", func(srv *fakeServer) {
			for i := range srv.rows {
				srv.rows[i].flags = `\Flagged`
			}
		}, 2},
		{"the oldest message was expunged, and one came", func(srv *fakeServer) {
			srv.rows = append(srv.rows[1:], fakeRow{uid: srv.next})
			srv.next++
		}, 2},
		{"more are said to exist than there are", func(srv *fakeServer) {
			srv.conns[0].send("* 4000000 EXISTS")
		}, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 40)
				var log strings.Builder
				cfg := srv.config()
				cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
				f, stop := start(t, cfg)
				f.live(1)
				srv.idling(t)
				test.untold(srv)
				asked := len(srv.said("(UID FLAGS)"))
				time.Sleep(auditEvery + time.Minute)
				f.inStep(srv)
				if n := len(srv.said("(UID FLAGS)")) - asked; n == 0 {
					t.Error("no row was asked for")
				}
				if len(f.resyncs) != test.resyncs {
					t.Errorf("%d resyncs", len(f.resyncs))
				}
				stop()
				if warned := strings.Contains(log.String(), "the server contradicts the list"); warned != (test.resyncs > 1) {
					t.Errorf("the log: %s", log.String())
				}
			})
		})
	}
}
