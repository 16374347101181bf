package imapsession

import (
	"fmt"
	"testing"
	"time"

	"tidings/internal/testserver"
	"tidings/store"
)

// A command on one message whose link is cut at any octet, in either direction,
// never loses the message and never copies it twice; and the Result is true.
func TestCutAnywhere(t *testing.T) {
	move := func(t Target) Command { return Move{Target: t, Dest: "Archive"} }
	withoutMove := testserver.WithoutCapability("MOVE")
	for _, test := range []struct {
		name    string
		options []testserver.Option
		step    int64
		command func(Target) Command
		// How many there are of the message when the Result is nil.
		here, there int
	}{
		{"MOVE", nil, 5, move, 0, 1},
		{"move by COPY", []testserver.Option{withoutMove}, 13, move, 0, 1},
		{"move without UIDPLUS", []testserver.Option{testserver.WithoutCapability("MOVE", "UIDPLUS")}, 13, move, 1, 1},
		{"copy", nil, 9, func(t Target) Command { return Copy{Target: t, Dest: "Archive"} }, 1, 1},
		{"expunge", nil, 9, func(t Target) Command { return Expunge{Target: t} }, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			srv := testserver.Dovecot(t, test.options...)
			writer, reader := srv.Client(t), srv.Client(t)
			_ = writer.Create("Archive", nil).Wait()
			link := testserver.NewLink(t, srv.Addr)
			ends := map[string]int{}
			cuts := 0
			for _, dir := range []testserver.Direction{testserver.ToServer, testserver.ToClient} {
				for n, cut := int64(1), true; cut; n += test.step {
					uid := store.UID(testserver.Append(t, writer, "INBOX", testserver.Letter(int(n))))
					cfg := configFor(t, link.Addr(), srv.User, srv.Password)
					f, stop := startSession(t, cfg, func(s *Session) { s.quiet = 10 * time.Millisecond })
					f.until("the letter", func() bool { _, ok := f.list.Find(uid); return ok && f.unseen.Known })
					before, conns := len(testserver.Rows(t, reader, "Archive")), link.Conns()
					link.CutAfter(dir, n)
					id := f.s.Do(test.command(f.target(uid)))
					f.until("a result or a broken link", func() bool {
						_, ended := f.results[id]
						return ended || link.Open() == 0 || link.Conns() > conns
					})
					link.Heal()
					f.s.Retry(true)
					r := f.result(id)
					stop()
					if cut = link.Conns() > conns; cut {
						cuts++
					}
					here := 0
					for _, row := range testserver.Rows(t, reader, "INBOX") {
						if row.UID == uint32(uid) {
							here++
						}
					}
					there := len(testserver.Rows(t, reader, "Archive")) - before
					what := fmt.Sprintf("%v cut %d octets on: %v %q; here %d, there %d", dir, n, r.Err, r.Note, here, there)
					ends[fmt.Sprintf("%v %q", r.Err, r.Note)]++
					switch {
					case here+there == 0 && test.here+test.there > 0:
						t.Fatalf("the message is lost: %s", what)
					case there > 1:
						t.Errorf("copied twice: %s", what)
					case r.Err != nil:
						t.Errorf("not done: %s", what)
					case here != test.here || there != test.there:
						t.Errorf("said to be done: %s", what)
					}
				}
			}
			if cuts < 20 {
				t.Errorf("the link was cut %d times only", cuts)
			}
			t.Logf("%d cuts: %v", cuts, ends)
		})
	}
}
