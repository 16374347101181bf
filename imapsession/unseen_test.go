package imapsession

import (
	"strings"
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

// The link breaks between the word of a new message and its flags: nobody knows
// then how many are unread, and no figure says so.
func TestUnseenIsNotKnownWhereTheLinkBreaksOverNewRows(t *testing.T) {
	for _, test := range []struct {
		name string
		tell string // what happens to message 5, or behind it
	}{
		{"a new message", "* 301 EXISTS"},
		{"flags of a row that was not known", `* 5 FETCH (FLAGS (\Seen))`},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 300)
				f, _ := start(t, srv.config())
				f.live(1)
				c := srv.idling(t)
				f.until("300 unread", func() bool { return f.unseen.Known && f.unseen.N == 300 })
				srv.with(func() {
					srv.dialErr = errNoNetwork
					srv.on = func(c *fakeConn, _, _ string) bool {
						c.conn.Close()
						return true
					}
				})
				c.send(test.tell)
				f.until("the loss", func() bool { return f.states[len(f.states)-1].State == Waiting })
				if f.unseen.Known {
					t.Errorf("%d are said to be unread", f.unseen.N)
				}
			})
		})
	}
}

// A count that was under way when flags changed is of no time: it is asked for
// again.
func TestUnseenIsNotCountedAcrossAChange(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 5)
		asked := 0
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			if !strings.Contains(cmd, "RETURN (COUNT)") {
				return false
			}
			if asked++; asked > 1 {
				return false
			}
			srv.with(func() { srv.rows[2].flags = `\Seen` })
			c.send(`* 3 FETCH (UID 3 FLAGS (\Seen))`, `* ESEARCH (TAG "`+tag+`") UID COUNT 5`, tag+" OK counted before that")
			return true
		}
		f, _ := start(t, srv.config())
		f.live(1)
		f.until("4 unread", func() bool { return f.unseen.Known && f.unseen.N == 4 })
		srv.idling(t)
		if f.unseen.N != 4 || asked != 2 {
			t.Errorf("unread: %+v, asked %d times", f.unseen, asked)
		}
	})
}
