package imapsession

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"tidings/internal/testserver"
	"tidings/store"
)

// A move of one message whose link is cut at any octet, in either direction,
// never loses the message and never copies it twice; and the Result is true.
func TestMoveCutAnywhere(t *testing.T) {
	for _, test := range []struct {
		name    string
		options []testserver.Option
		step    int64
	}{
		{"MOVE", nil, 3},
		{"COPY", []testserver.Option{testserver.WithoutCapability("MOVE")}, 7},
	} {
		t.Run(test.name, func(t *testing.T) {
			srv := testserver.Dovecot(t, test.options...)
			writer, reader := srv.Client(t), srv.Client(t)
			_ = writer.Create("Archive", nil).Wait()
			link := testserver.NewLink(t, srv.Addr)
			ends := map[string]int{}
			moved, copied := 0, 0
			for _, dir := range []testserver.Direction{testserver.ToServer, testserver.ToClient} {
				for n, cut := int64(1), true; cut; n += test.step {
					uid := store.UID(testserver.Append(t, writer, "INBOX", testserver.Letter(int(n))))
					f, stop := start(t, configFor(t, link.Addr(), srv.User, srv.Password))
					f.until("the letter", func() bool { _, ok := f.list.Find(uid); return ok && f.unseen.Known })
					before, conns := len(testserver.Rows(t, reader, "Archive")), link.Conns()
					link.CutAfter(dir, n)
					id := f.s.Do(Move{Target: f.target(uid), Dest: "Archive"})
					f.until("a result or a broken link", func() bool {
						_, ended := f.results[id]
						return ended || link.Open() == 0 || link.Conns() > conns
					})
					link.Heal()
					f.s.Retry(true)
					r := f.result(id)
					stop()
					cut = link.Conns() > conns

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
					case here+there == 0:
						t.Fatalf("the message is lost: %s", what)
					case there > 1:
						t.Errorf("copied twice: %s", what)
					case r.Err == nil && (here != 0 || there != 1):
						t.Errorf("said to be moved: %s", what)
					case errors.Is(r.Err, errGone):
						t.Errorf("said to be gone: %s", what)
					case r.Err != nil && here == 0:
						t.Errorf("said to have failed: %s", what)
					case r.Err != nil && there == 1 && !strings.Contains(r.Err.Error(), "copy in"):
						t.Errorf("the copy is not told of: %s", what)
					}
					moved, copied = moved+1-here, copied+there
				}
			}
			t.Logf("%d moved, %d copied: %v", moved, copied, ends)
		})
	}
}
