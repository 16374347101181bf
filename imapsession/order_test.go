package imapsession

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// breakOnce makes the first link break when the server reads what begins with
// cmd; done tells that the server obeys before.
func breakOnce(srv *fakeServer, cmd string, done bool) {
	broke := false
	srv.on = func(c *fakeConn, tag, got string) bool {
		if broke || !strings.HasPrefix(got, cmd) {
			return false
		}
		broke = true
		if done {
			(&fakeConn{srv: srv, conn: discard{c.conn}}).answer(tag, got)
		}
		c.conn.Close()
		return true
	}
}

// Two presses of U while the link is lost: the first is lost in flight and
// done again, but never after the second.
func TestLostCommandsKeepTheirPlace(t *testing.T) {
	for _, done := range []bool{false, true} {
		t.Run(fmt.Sprintf("the server obeyed the lost one: %v", done), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 3)
				f, _ := start(t, srv.config())
				f.live(1)
				srv.idling(t)
				breakOnce(srv, "UID STORE", done)
				ids := []CommandID{
					f.s.Do(StoreFlags{Target: f.target(2), Add: []string{"\\Seen"}}),
					f.s.Do(StoreFlags{Target: f.target(2), Remove: []string{"\\Seen"}}),
					f.s.Do(StoreFlags{Target: f.target(2), Add: []string{"\\Flagged"}}),
				}
				for _, id := range ids {
					if r := f.result(id); r.Err != nil {
						t.Errorf("command %d: %v", id, r.Err)
					}
				}
				if got := srv.rows[1].flags; got != "\\Flagged" {
					t.Errorf("the message has %q, said was %q", got, srv.said("STORE"))
				}
				f.inStep(srv)
			})
		})
	}
}

// A body that no link survives holds nothing else back, and is given up.
func TestBodyThatBreaksEveryLink(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 3)
		f, _ := start(t, srv.config())
		f.live(1)
		srv.idling(t)
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			if strings.Contains(cmd, "BODY.PEEK[]") {
				c.conn.Close()
				return true
			}
			return false
		}
		began := time.Now()
		body := f.s.Do(FetchBody{Target: f.target(3)})
		flag := f.s.Do(StoreFlags{Target: f.target(2), Add: []string{"\\Seen"}})
		if r := f.result(flag); r.Err != nil {
			t.Error(r.Err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("the flag waited %v for a body that breaks every link", took)
		}
		if r := f.result(body); r.Err == nil || !strings.Contains(r.Err.Error(), "given up") {
			t.Errorf("the body: %v", r.Err)
		}
		if n := len(srv.said("BODY.PEEK[]")); n != maxLost {
			t.Errorf("the body was asked for %d times", n)
		}
	})
}

func TestQueueOrder(t *testing.T) {
	s := New(Config{})
	a := s.Do(FetchBody{})
	b := s.Do(StoreFlags{})
	c := s.Do(FetchBody{})
	order := func() (ids []CommandID) {
		for _, j := range s.queue {
			ids = append(ids, j.id)
		}
		return ids
	}
	s.lose(s.queue[1])
	if got := order(); !slices.Equal(got, []CommandID{a, b, c}) {
		t.Errorf("after a change was lost: %v", got)
	}
	s.lose(s.queue[0])
	if got := order(); !slices.Equal(got, []CommandID{b, c, a}) {
		t.Errorf("after a body was lost: %v", got)
	}
}
