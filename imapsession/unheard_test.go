package imapsession

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tidings/store"
)

// untold has a connection of a fake server be as some are about a message that
// came a moment ago: what names it finds nothing, until the server has told of it.
type untold struct {
	conn int // which connection; 0: the first, and so on
	uid  int
	told bool
}

// withhold adds a message to box, of which a connection has not heard.
func withhold(srv, box *fakeServer, conn int) *untold {
	box.arrive(false)
	u := &untold{conn: conn, uid: int(box.next) - 1}
	srv.with(func() {
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			if c.n != u.conn || u.told {
				return false
			}
			switch word, rest, _ := strings.Cut(cmd, " "); {
			case word == "NOOP":
				u.told = true
				c.send(fmt.Sprintf("* %d EXISTS", len(box.rows)), tag+" OK done")
				return true
			case word == "SELECT" || word == "EXAMINE":
				u.told = true
			case word == "UID" && inSet(strings.Fields(rest)[1], uint32(u.uid), uint32(u.uid)):
				c.send(tag + " OK found nothing")
				return true
			}
			return false
		}
	})
	return u
}

// A message that another connection has just put where it is can be acted on
// before this one was told of it. Taking something back and doing it again is
// that quick.
func TestAMessageThatTheLinkHasNotHeardOf(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(Target) Command
		left int // messages of six
	}{
		{"flags", func(t Target) Command { return StoreFlags{Target: t, Add: []string{`\Seen`}} }, 6},
		{"move", func(t Target) Command { return Move{Target: t, Dest: "Archive"} }, 5},
		{"copy", func(t Target) Command { return Copy{Target: t, Dest: "Archive"} }, 6},
		{"expunge", func(t Target) Command { return Expunge{Target: t} }, 5},
		{"body", func(t Target) Command { return FetchBody{Target: t} }, 6},
	} {
		t.Run(test.name+" by the monitor", func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 5)
				f, _ := start(t, srv.config())
				f.live(1)
				srv.idling(t)
				u := withhold(srv, srv, 1)
				if r := f.do(test.do(f.target(store.UID(u.uid)))); r.Err != nil || !r.Note.IsEmpty() {
					t.Errorf("result: %v, %q", r.Err, r.Note)
				}
				if len(srv.rows) != test.left {
					t.Errorf("%d messages are left, want %d", len(srv.rows), test.left)
				}
				f.inStep(srv)
			})
		})
		t.Run(test.name+" by the worker", func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 5)
				trash := withTrash(srv, 5)
				f, _ := start(t, srv.config())
				f.live(1)
				if r := f.do(StoreFlags{Target: inTrash(3), Add: []string{`\Flagged`}}); r.Err != nil {
					t.Fatal(r.Err)
				}
				u := withhold(srv, trash, 2)
				if r := f.do(test.do(inTrash(store.UID(u.uid)))); r.Err != nil || !r.Note.IsEmpty() {
					t.Errorf("result: %v, %q", r.Err, r.Note)
				}
				if len(trash.rows) != test.left {
					t.Errorf("%d messages are left, want %d", len(trash.rows), test.left)
				}
			})
		})
	}
}

// What the link knows of costs no question more.
func TestAMessageThatTheLinkKnowsCostsNoNoop(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 5)
		f, _ := start(t, srv.config())
		f.live(1)
		time.Sleep(time.Second)
		before := len(srv.said("NOOP"))
		f.do(StoreFlags{Target: f.target(5), Add: []string{`\Seen`}})
		f.do(Move{Target: f.target(2), Dest: "Trash"})
		if n := len(srv.said("NOOP")) - before; n != 0 {
			t.Errorf("%d NOOPs", n)
		}
	})
}

// What was moved there a moment ago is found, though the link has not heard of it.
func TestLocateWhatTheLinkHasNotHeardOf(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 5)
		f, _ := start(t, srv.config())
		f.live(1)
		srv.idling(t)
		u := withhold(srv, srv, 1)
		srv.with(func() {
			silent := srv.on
			srv.on = func(c *fakeConn, tag, cmd string) bool {
				if u.told && strings.HasPrefix(cmd, "UID FETCH 6:*") && strings.Contains(cmd, `FIELDS ("MESSAGE-ID")`) {
					const h = "Message-ID: <a@x>\r\n\r\n"
					c.send(fmt.Sprintf("* 6 FETCH (UID 6 RFC822.SIZE 10 BODY[HEADER.FIELDS (MESSAGE-ID)] {%d}\r\n%s)", len(h), h), tag+" OK done")
					return true
				}
				return silent(c, tag, cmd)
			}
		})
		landing := Landing{Place: store.Place{Mailbox: "INBOX", UIDValidity: 7}, Next: 6, Messages: []Identity{{3, "a@x", 10}}}
		if r := f.do(Locate{Landing: landing}); r.Err != nil || r.Copied.Map()[3] != 6 {
			t.Errorf("%v, %+v", r.Err, r.Copied)
		}
	})
}
