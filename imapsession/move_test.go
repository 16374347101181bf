package imapsession

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"tidings/store"
)

// What is said of a move that came to an end half-way is what happened.
func TestMoveTellsHowFarItCame(t *testing.T) {
	const withoutMove = "IMAP4rev1 IDLE UIDPLUS ESEARCH SASL-IR AUTH=PLAIN"
	t.Run("the second of two commands is refused", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			const rows = 2000
			var uids []store.UID
			for u := store.UID(1); u < rows; u += 2 { // no two follow one another
				uids = append(uids, u)
			}
			srv := newFake(t, rows)
			moves := 0
			srv.on = func(c *fakeConn, tag, cmd string) bool {
				if !strings.HasPrefix(cmd, "UID MOVE") {
					return false
				}
				if moves++; moves == 1 {
					return false
				}
				c.send(tag + " NO [OVERQUOTA] full")
				return true
			}
			cfg := srv.config()
			cfg.FirstWindow = rows
			f, _ := start(t, cfg)
			f.live(1)
			r := f.do(Move{Target: f.target(uids...), Dest: "Trash"})
			if want := fmt.Sprintf(`%d of 1000 messages were moved to Trash; then the server refused: it said "full" [OVERQUOTA]`, strideMoves); r.Err != nil || r.Note.String() != want {
				t.Errorf("result %v, %q", r.Err, r.Note)
			}
			f.inStep(srv)
		})
	})
	t.Run("a copy without COPYUID", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			srv := newFake(t, 5)
			srv.setCaps(withoutMove)
			srv.on = func(c *fakeConn, tag, cmd string) bool {
				if !strings.HasPrefix(cmd, "UID COPY") {
					return false
				}
				c.send(tag + " OK copied")
				return true
			}
			f, _ := start(t, srv.config())
			f.live(1)
			r := f.do(Move{Target: f.target(3), Dest: "Trash"})
			if r.Err == nil || errors.Is(r.Err, errGone) || !strings.Contains(r.Err.Error(), "nothing was removed") {
				t.Errorf("result %v", r.Err)
			}
			if len(srv.rows) != 5 || len(srv.said("UID STORE")) > 0 {
				t.Errorf("%d messages are left; said %q", len(srv.rows), srv.said("UID STORE"))
			}
			srv.with(func() { srv.rows = append(srv.rows[:2:2], srv.rows[3:]...) })
			srv.on = func(c *fakeConn, tag, cmd string) bool {
				switch {
				case strings.HasPrefix(cmd, "UID COPY"):
					c.send(tag + " OK copied nothing")
				case cmd == "NOOP":
					c.send("* 3 EXPUNGE", tag+" OK done")
				default:
					return false
				}
				return true
			}
			if r := f.do(Move{Target: f.target(3), Dest: "Trash"}); !errors.Is(r.Err, errGone) {
				t.Errorf("of a message that is gone: %v", r.Err)
			}
		})
	})
	t.Run("the mailbox is numbered anew behind the copy", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			srv := newFake(t, 5)
			srv.setCaps(withoutMove)
			srv.on = func(c *fakeConn, tag, cmd string) bool {
				if !strings.HasPrefix(cmd, "UID STORE") {
					return false
				}
				srv.with(func() { srv.validity++ })
				c.conn.Close()
				return true
			}
			f, _ := start(t, srv.config())
			f.live(1)
			r := f.do(Move{Target: f.target(3), Dest: "Trash"})
			if r.Err == nil || !strings.Contains(r.Err.Error(), "UIDVALIDITY") || !strings.Contains(r.Err.Error(), "there is a copy in Trash") {
				t.Errorf("result %v", r.Err)
			}
		})
	})
	t.Run("taken back behind the copy", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			srv := newFake(t, 5)
			srv.setCaps(withoutMove)
			var f *follower
			ids := make(chan CommandID, 1)
			srv.on = func(c *fakeConn, tag, cmd string) bool {
				if !strings.HasPrefix(cmd, "UID STORE") {
					return false
				}
				f.s.Cancel(<-ids)
				c.conn.Close()
				return true
			}
			f, _ = start(t, srv.config())
			f.live(1)
			id := f.s.Do(Move{Target: f.target(3), Dest: "Trash"})
			ids <- id
			r := f.result(id)
			if !errors.Is(r.Err, context.Canceled) || !strings.Contains(r.Err.Error(), "there is a copy in Trash") {
				t.Errorf("result %v", r.Err)
			}
		})
	})
}

// A refused move of a message whose row is not known has moved nothing: it is
// looked for before it is said where it is.
func TestARefusedMoveOfAnUnknownRow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 300)
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			if !strings.HasPrefix(cmd, "UID MOVE") {
				return false
			}
			c.send(tag + " NO [TRYCREATE] no such mailbox")
			return true
		}
		cfg := srv.config()
		cfg.FirstWindow = 10
		f, _ := start(t, cfg)
		f.live(1)
		for _, uids := range [][]store.UID{{5}, {5, 299}, {5, 6, 7}} {
			r := f.do(Move{Target: f.target(uids...), Dest: "Nope"})
			if r.Err == nil || !strings.Contains(r.Err.Error(), "nothing was moved") || !r.Note.IsEmpty() {
				t.Errorf("of %d: %v, %q", uids, r.Err, r.Note)
			}
		}
	})
}

// Where a message stays although the server names its copy, it was not refused: at
// Gmail, All Mail keeps all that there is, and to take an archiving back is to put
// the label on again.
func TestAMoveThatLeavesTheMessage(t *testing.T) {
	for _, test := range []struct{ caps, note string }{
		{fakeCaps, "it is in INBOX now, but the server did not remove it here"},
		{fakeCaps + " X-GM-EXT-1", ""},
	} {
		bubble(t, func(t *testing.T) {
			srv := newFake(t, 5)
			srv.setCaps(test.caps)
			withTrash(srv, 5)
			srv.on = func(c *fakeConn, tag, cmd string) bool {
				if !strings.HasPrefix(cmd, "UID MOVE") {
					return false
				}
				c.send("* OK [COPYUID 7 3 6] moved", tag+" OK done")
				return true
			}
			f, _ := start(t, srv.config())
			f.live(1)
			r := f.do(Move{Target: inTrash(3), Dest: "INBOX"})
			if r.Err != nil || r.Note.String() != test.note {
				t.Errorf("result %v, %q", r.Err, r.Note)
			}
			if r.Copied == nil || r.Copied.Map()[3] != 6 {
				t.Errorf("it became %+v", r.Copied)
			}
		})
	}
}
