package imapsession

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"tidings/store"
)

// watchConns has it noted how many connections are open at any command; most is
// the largest number.
func (s *fakeServer) watchConns() (most func() int) {
	n := 0
	s.on = func(c *fakeConn, _, cmd string) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		open := 0
		for _, c := range s.conns {
			select {
			case <-c.ended:
			default:
				open++
			}
		}
		n = max(n, open)
		return false
	}
	return func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return n
	}
}

// pair is the sessions of one account: of its INBOX, and of a folder beside it.
func pair(srv *fakeServer, connections int) (home, guest Config) {
	home = srv.config()
	home.Connections, home.Budget = connections, NewBudget(connections)
	guest = home
	guest.Mailbox, guest.Guest, guest.Connections = "Trash", true, 1
	return home, guest
}

func TestAFolderIsOpenBesideTheInbox(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 5)
		trash := withTrash(srv, 9)
		most := srv.watchConns()
		a, b := pair(srv, 2)
		home, _ := start(t, a)
		home.live(1)
		// The worker is there, and leaves when the folder is opened.
		if r := home.do(StoreFlags{Target: inTrash(3), Add: []string{`\Seen`}}); r.Err != nil {
			t.Fatal(r.Err)
		}
		guest, shut := start(t, b)
		guest.live(1)
		if n := guest.list.Len(); n != 9 {
			t.Errorf("the folder has %d rows", n)
		}
		if home.state().State != Live {
			t.Errorf("the inbox is %v", home.state().State)
		}
		srv.arriveOn(1)
		home.until("mail in the inbox", func() bool { return home.list.Len() == 6 })
		// What is aimed elsewhere is done by turns, without a third connection.
		if r := home.do(StoreFlags{Target: inTrash(4), Add: []string{`\Seen`}}); r.Err != nil {
			t.Error(r.Err)
		}
		if r := guest.do(StoreFlags{Target: inTrash(5), Add: []string{`\Flagged`}}); r.Err != nil {
			t.Error(r.Err)
		}
		if trash.rows[3].flags != `\Seen` || trash.rows[4].flags != `\Flagged` {
			t.Errorf("the flags are %q and %q", trash.rows[3].flags, trash.rows[4].flags)
		}
		if n := most(); n > 2 {
			t.Errorf("%d connections were open", n)
		}
		shut()
		// The worker may come back.
		dials := srv.dials
		if r := home.do(StoreFlags{Target: inTrash(6), Add: []string{`\Seen`}}); r.Err != nil {
			t.Error(r.Err)
		}
		if srv.dials != dials+1 {
			t.Errorf("%d connections were made for what is elsewhere", srv.dials-dials)
		}
	})
}

// With one connection, the folder has it, and the inbox is looked at every Poll.
func TestOneConnectionIsShared(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 5)
		withTrash(srv, 9)
		most := srv.watchConns()
		a, b := pair(srv, 1)
		home, _ := start(t, a)
		home.live(1)
		guest, shut := start(t, b)
		guest.live(1)
		if st := home.state(); st.State != BetweenVisits || st.Watch != WatchVisit || st.Reason.IsEmpty() {
			t.Errorf("the inbox is %+v", st)
		}
		arrived := time.Now()
		srv.with(func() {
			srv.rows = append(srv.rows, fakeRow{uid: srv.next})
			srv.next++
		})
		home.untilLong("mail in the inbox", 5*time.Minute, func() bool { return home.list.Len() == 6 })
		if d := time.Since(arrived); d > time.Minute+10*time.Second {
			t.Errorf("it took %v to be seen", d)
		}
		guest.live(2)
		if n := most(); n > 1 {
			t.Errorf("%d connections were open", n)
		}
		// What is to be done in the inbox is not left until then.
		asked := time.Now()
		if r := home.do(StoreFlags{Target: home.target(2), Add: []string{`\Seen`}}); r.Err != nil {
			t.Error(r.Err)
		}
		if d := time.Since(asked); d > 10*time.Second {
			t.Errorf("it took %v", d)
		}
		guest.live(3)
		shut()
		home.untilLong("live again", 20*time.Second, func() bool { return home.last().State == Live && home.last().Watch == WatchIdle })
		if n := most(); n > 1 {
			t.Errorf("%d connections were open", n)
		}
	})
}

// A server that lets nobody in twice makes the two share.
func TestASecondConnectionIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 5)
		withTrash(srv, 9)
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			if !strings.HasPrefix(cmd, "AUTHENTICATE") && !strings.HasPrefix(cmd, "LOGIN") {
				return false
			}
			srv.mu.Lock()
			defer srv.mu.Unlock()
			for _, other := range srv.conns[:c.n-1] {
				select {
				case <-other.ended:
				default:
					go c.send(tag + " NO [LIMIT] Too many connections")
					return true
				}
			}
			return false
		}
		a, b := pair(srv, 2)
		home, _ := start(t, a)
		home.live(1)
		guest, _ := start(t, b)
		guest.untilLong("live", time.Minute, func() bool { return guest.last().State == Live })
		if st := home.state(); st.State != BetweenVisits {
			t.Errorf("the inbox is %+v", st)
		}
		home.untilLong("a visit", 2*time.Minute, func() bool {
			n := 0
			for _, st := range home.states {
				if st.State == Live {
					n++
				}
			}
			return n > 1
		})
	})
}

func TestNoSuchFolder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 5)
		a, b := pair(srv, 2)
		b.Mailbox = "Nowhere"
		home, _ := start(t, a)
		home.live(1)
		guest, _ := start(t, b)
		guest.until("stopped", func() bool { return guest.last().Fatal })
		if home.state().State != Live {
			t.Errorf("the inbox is %v", home.state().State)
		}
	})
}

// What a folder was asked for and had not done when it was closed is done all the
// same.
func TestAClosedFolderLeavesWhatWaits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 5)
		trash := withTrash(srv, 9)
		a, b := pair(srv, 2)
		home, _ := start(t, a)
		home.live(1)
		b.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no way there") }
		guest, shut := start(t, b)
		guest.s.Do(StoreFlags{Target: inTrash(3), Add: []string{`\Seen`}})
		shut()
		home.untilLong("done", time.Minute, func() bool {
			trash.mu.Lock()
			defer trash.mu.Unlock()
			return trash.rows[2].flags == `\Seen`
		})
	})
}

// A folder whose name no decoder accepts is opened, counted and acted in like any
// other.
func TestAFolderOfABrokenName(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 5)
		jerry := newFake(t, 4)
		jerry.validity = 9
		srv.others = map[string]*fakeServer{"Tom & Jerry": jerry}
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			switch {
			case strings.HasPrefix(cmd, "LIST"):
				c.send(`* LIST () "." INBOX`, `* LIST () "." "Tom & Jerry"`, `* LIST () "." "good"`, `* LIST () "." "&broken"`, tag+" OK done")
			case strings.HasPrefix(cmd, `STATUS "Tom & Jerry"`):
				c.send(`* STATUS "Tom & Jerry" (MESSAGES 4 UNSEEN 4)`, tag+" OK done")
			default:
				return false
			}
			return true
		}
		a, b := pair(srv, 2)
		home, _ := start(t, a)
		home.live(1)
		if r := home.do(ListFolders{}); r.Err != nil || len(home.folders) != 4 {
			t.Fatalf("%v; %d folders", r.Err, len(home.folders))
		}
		odd := home.folders[1]
		if odd.Name.String() != "Tom & Jerry" {
			t.Fatalf("the folder is %+v", odd)
		}
		if got, _ := home.count(odd.Raw); got[odd.Raw].Unseen != 4 {
			t.Errorf("counted %v", got)
		}
		b.Mailbox = odd.Raw
		guest, _ := start(t, b)
		guest.live(1)
		if guest.list.Len() != 4 {
			t.Errorf("it has %d rows", guest.list.Len())
		}
		target := Target{Mailbox: odd.Raw, UIDValidity: 9, UIDs: []store.UID{2}}
		if r := guest.do(StoreFlags{Target: target, Add: []string{`\Seen`}}); r.Err != nil || jerry.rows[1].flags != `\Seen` {
			t.Errorf("%v; the flags are %q", r.Err, jerry.rows[1].flags)
		}
	})
}
