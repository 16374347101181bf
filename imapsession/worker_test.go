package imapsession

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tidings/internal/testserver"
	"tidings/store"
)

// withTrash gives a fake server a second mailbox of n messages; its UIDVALIDITY
// is 8.
func withTrash(srv *fakeServer, n int) *fakeServer {
	trash := newFake(srv.t, n)
	trash.validity = 8
	srv.others = map[string]*fakeServer{"Trash": trash}
	return trash
}

func inTrash(uids ...store.UID) Target {
	return Target{Mailbox: "Trash", UIDValidity: 8, UIDs: uids}
}

// saidBy is what one connection said, the n-th that was made.
func (s *fakeServer) saidBy(n int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n > len(s.conns) {
		return nil
	}
	return slices.Clone(s.conns[n-1].said)
}

func TestAnotherMailboxIsTheWorkers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 5)
		trash := withTrash(srv, 9)
		f, _ := start(t, srv.config())
		f.live(1)
		srv.idling(t)
		before := srv.saidBy(1)
		if r := f.do(StoreFlags{Target: inTrash(3), Add: []string{"\\Seen"}}); r.Err != nil || !r.Note.IsEmpty() {
			t.Errorf("flags in Trash: %v %q", r.Err, r.Note)
		}
		if trash.rows[2].flags != "\\Seen" || srv.rows[2].flags != "" {
			t.Errorf("flags are %q in Trash and %q in INBOX", trash.rows[2].flags, srv.rows[2].flags)
		}
		if r := f.do(Move{Target: inTrash(3, 5), Dest: "INBOX"}); r.Err != nil || !r.Note.IsEmpty() {
			t.Errorf("a move out of Trash: %v %q", r.Err, r.Note)
		}
		if len(trash.rows) != 7 {
			t.Errorf("%d messages are left in Trash", len(trash.rows))
		}
		id := f.s.Do(FetchBody{Target: inTrash(9)})
		if r := f.result(id); r.Err != nil || string(f.bodies[id].Data) != fakeBody(9) {
			t.Errorf("a body in Trash: %v, %d octets", r.Err, len(f.bodies[id].Data))
		}
		if got := srv.saidBy(1); !slices.Equal(got, before) {
			t.Errorf("the monitor said %q", got[len(before):])
		}
		if n := len(srv.conns); n != 2 {
			t.Errorf("%d connections", n)
		}
		for _, ev := range f.kinds[slices.Index(f.kinds, "ResultEvent"):] {
			if ev == "ListEvent" || ev == "ResyncEvent" || ev == "SummariesEvent" {
				t.Errorf("the listener was told of rows of another mailbox: %s", ev)
			}
		}
		// Unused for a minute it is closed, and made again when it is needed.
		time.Sleep(unusedFor + time.Second)
		synctest.Wait()
		if got := srv.saidBy(2); got[len(got)-1] != "LOGOUT" {
			t.Errorf("the worker's last words: %q", got)
		}
		if r := f.do(StoreFlags{Target: inTrash(9), Add: []string{"\\Seen"}}); r.Err != nil || len(srv.conns) != 3 {
			t.Errorf("a minute later: %v on %d connections", r.Err, len(srv.conns))
		}
	})
}

func TestWorkerHitsWhatItWasAimedAtOrNothing(t *testing.T) {
	for _, connections := range []int{1, 2} {
		t.Run(fmt.Sprintf("%d connections", connections), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 5)
				trash := withTrash(srv, 3)
				cfg := srv.config()
				cfg.Connections = connections
				f, _ := start(t, cfg)
				f.live(1)
				for _, test := range []struct {
					cmd Command
					err string
				}{
					{StoreFlags{Target: Target{Mailbox: "Trash", UIDValidity: 7, UIDs: []store.UID{1}}, Add: []string{"\\Seen"}}, "renumbered"},
					{Move{Target: Target{Mailbox: "Trash", UIDValidity: 7, UIDs: []store.UID{1}}, Dest: "INBOX"}, "renumbered"},
					{StoreFlags{Target: inTrash(77), Add: []string{"\\Seen"}}, "gone"},
					{Move{Target: inTrash(77), Dest: "INBOX"}, "gone"},
					{FetchBody{Target: inTrash(77)}, "gone"},
					{FetchBody{Target: Target{Mailbox: "Nowhere", UIDValidity: 1, UIDs: []store.UID{1}}}, "would not open Nowhere"},
					{Move{Target: inTrash(1), Dest: "Trash"}, "in Trash already"},
				} {
					if r := f.do(test.cmd); r.Err == nil || !strings.Contains(r.Err.Error(), test.err) {
						t.Errorf("%+v ended with %v, not with %q", test.cmd, r.Err, test.err)
					}
				}
				if n := len(srv.said("UID MOVE")); n != 0 {
					t.Errorf("UID MOVE was sent %d times", n)
				}
				if len(trash.rows) != 3 || trash.rows[0].flags != "" {
					t.Errorf("something was changed: %v", trash.rows)
				}
				if got := len(srv.conns); got != connections {
					t.Errorf("%d connections of %d", got, connections)
				}
			})
		})
	}
}

func TestOneConnectionDoesItAll(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 5)
		trash := withTrash(srv, 9)
		cfg := srv.config()
		cfg.Connections = 1
		f, _ := start(t, cfg)
		f.live(1)
		srv.idling(t)
		// A letter arrives while the link is elsewhere.
		srv.with(func() {
			srv.on = func(c *fakeConn, tag, cmd string) bool {
				if strings.HasPrefix(cmd, "UID MOVE") {
					srv.arrive(false)
				}
				return false
			}
		})
		if r := f.do(Move{Target: inTrash(2), Dest: "Archive"}); r.Err != nil || !r.Note.IsEmpty() {
			t.Errorf("the move: %v %q", r.Err, r.Note)
		}
		if len(trash.rows) != 8 || len(srv.rows) != 6 || len(srv.conns) != 1 {
			t.Errorf("%d left in Trash, %d in INBOX, %d connections", len(trash.rows), len(srv.rows), len(srv.conns))
		}
		f.live(2)
		f.until("the letter", func() bool { return len(f.newMail) == 1 })
		f.inStep(srv)
		if r := f.do(StoreFlags{Target: f.target(6), Add: []string{"\\Seen"}}); r.Err != nil || srv.rows[5].flags != "\\Seen" {
			t.Errorf("flags at home again: %v", r.Err)
		}
	})
}

func TestServerThatAllowsOneConnection(t *testing.T) {
	for _, refusal := range []string{
		"NO [LIMIT] no more than one",
		"NO [INUSE] somebody is there",
		"NO [ALERT] Too many simultaneous connections. (Failure)",
		"NO [UNAVAILABLE] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=1)",
	} {
		t.Run(refusal, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 5)
				trash := withTrash(srv, 9)
				srv.on = func(c *fakeConn, tag, cmd string) bool {
					if c.n == 1 || !strings.HasPrefix(cmd, "AUTHENTICATE") {
						return false
					}
					c.send(tag + " " + refusal)
					return true
				}
				f, _ := start(t, srv.config())
				f.live(1)
				if r := f.do(StoreFlags{Target: inTrash(3), Add: []string{"\\Seen"}}); r.Err != nil || trash.rows[2].flags != "\\Seen" {
					t.Errorf("flags in Trash: %v", r.Err)
				}
				f.live(2)
				if why := f.last().Reason.String(); !strings.Contains(why, "no second connection") {
					t.Errorf("the state's reason is %q", why)
				}
				for i := range 5 {
					f.do(StoreFlags{Target: inTrash(store.UID(i + 1)), Add: []string{"\\Flagged"}})
				}
				if n := len(srv.conns); n != 2 {
					t.Errorf("%d connections: a server that allows one was asked again and again", n)
				}
				// Later it is asked again; if it has changed its mind, nothing is said
				// of it any more.
				srv.with(func() { srv.on = nil })
				time.Sleep(aloneAfterRefusal + time.Second)
				f.do(StoreFlags{Target: inTrash(3), Add: []string{"\\Flagged"}})
				f.until("no reason", func() bool { return f.last().State == Live && f.last().Reason.IsEmpty() })
				if n := len(srv.conns); n != 3 {
					t.Errorf("%d connections", n)
				}
			})
		})
	}
}

func TestWorkerGivesWayToTheMonitor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 5)
		withTrash(srv, 9)
		f, _ := start(t, srv.config())
		f.live(1)
		f.do(StoreFlags{Target: inTrash(3), Add: []string{"\\Seen"}})
		// The monitor's link breaks, and the server has room for one connection.
		srv.with(func() {
			srv.on = func(c *fakeConn, tag, cmd string) bool {
				if c.n < 3 || !strings.HasPrefix(cmd, "AUTHENTICATE") {
					return false
				}
				select {
				case <-srv.conns[1].ended:
					return false
				default:
					c.send(tag + " NO [LIMIT] one is enough")
					return true
				}
			}
			srv.conns[0].conn.Close()
		})
		f.live(2)
		if n := len(srv.conns); n > 5 {
			t.Errorf("%d connections", n)
		}
	})
}

func TestLongBodyIsTheWorkers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 6000)
		f, _ := start(t, srv.config())
		f.live(1)
		srv.idling(t)
		id := f.s.Do(FetchBody{Target: f.target(6000)}) // 1.3 MB
		if r := f.result(id); r.Err != nil || string(f.bodies[id].Data) != fakeBody(6000) {
			t.Errorf("%v, %d octets", r.Err, len(f.bodies[id].Data))
		}
		if n := strings.Count(strings.Join(srv.saidBy(1), "\n"), "BODY.PEEK[]"); n != 1 {
			t.Errorf("the monitor fetched %d parts", n)
		}
		worker := strings.Join(srv.saidBy(2), "\n")
		if !strings.Contains(worker, "EXAMINE INBOX") || strings.Contains(worker, "SELECT") || !strings.Contains(worker, "BODY.PEEK[]<262144.") {
			t.Errorf("the worker said:\n%s", worker)
		}
	})
}

func TestCancelledBodyEndsAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 6000)
		withTrash(srv, 3)
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			return c.n == 2 && strings.Contains(cmd, "BODY.PEEK[]") // it never comes
		}
		f, _ := start(t, srv.config())
		f.live(1)
		id := f.s.Do(FetchBody{Target: f.target(6000)})
		f.until("the first part", func() bool { return len(f.bodies[id].Data) > 0 })
		synctest.Wait()
		began := time.Now()
		f.s.Cancel(id)
		if r := f.result(id); !errors.Is(r.Err, context.Canceled) {
			t.Errorf("result %v", r.Err)
		}
		if d := time.Since(began); d > 0 {
			t.Errorf("it took %v of virtual time", d)
		}
		if r := f.do(StoreFlags{Target: inTrash(3), Add: []string{"\\Seen"}}); r.Err != nil {
			t.Errorf("the next command: %v", r.Err)
		}
		if len(srv.conns) != 3 {
			t.Errorf("%d connections", len(srv.conns))
		}
	})
}

func TestWorkerSurvivesItsLink(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 5)
		trash := withTrash(srv, 9)
		broken := 0
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			if strings.HasPrefix(cmd, "UID STORE") && broken < 2 {
				broken++
				c.conn.Close()
				return true
			}
			return false
		}
		f, _ := start(t, srv.config())
		f.live(1)
		if r := f.do(StoreFlags{Target: inTrash(3), Add: []string{"\\Seen"}}); r.Err != nil || trash.rows[2].flags != "\\Seen" {
			t.Errorf("flags in Trash: %v", r.Err)
		}
		srv.with(func() { broken = -1000 })
		if r := f.do(StoreFlags{Target: inTrash(4), Add: []string{"\\Seen"}}); r.Err == nil || !strings.Contains(r.Err.Error(), "given up") {
			t.Errorf("where every link breaks: %v", r.Err)
		}
		f.live(1)
		if f.last().State != Live && len(f.resyncs) != 1 {
			t.Errorf("the monitor's state is %+v", f.last())
		}
	})
}

func TestQuitWhateverTheWorkerDoes(t *testing.T) {
	for _, word := range []string{"AUTHENTICATE", "SELECT Trash", "UID STORE", "LOGOUT", ""} {
		t.Run(word, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 5)
				withTrash(srv, 9)
				srv.on = func(c *fakeConn, tag, cmd string) bool {
					return c.n == 2 && word != "" && strings.HasPrefix(cmd, word)
				}
				f, stop := start(t, srv.config())
				f.live(1)
				f.s.Do(StoreFlags{Target: inTrash(3), Add: []string{"\\Seen"}})
				synctest.Wait()
				if len(srv.conns) != 2 {
					t.Fatalf("%d connections", len(srv.conns))
				}
				began := time.Now()
				stop()
				if d := time.Since(began); d > 150*time.Millisecond {
					t.Errorf("it took %v", d)
				}
			})
		})
	}
}

func TestReadOnlyAccountOnlyExamines(t *testing.T) {
	for _, connections := range []int{1, 2} {
		bubble(t, func(t *testing.T) {
			srv := newFake(t, 5)
			withTrash(srv, 9)
			cfg := srv.config()
			cfg.ReadOnly, cfg.Connections = true, connections
			f, _ := start(t, cfg)
			f.live(1)
			if r := f.do(FetchBody{Target: inTrash(3)}); r.Err != nil {
				t.Error(r.Err)
			}
			if r := f.do(Move{Target: inTrash(3), Dest: "INBOX"}); r.Err == nil {
				t.Error("a read-only account moved a message")
			}
			for _, word := range []string{"SELECT", "STORE", "MOVE", "COPY", "EXPUNGE"} {
				if said := srv.said(word); len(said) > 0 {
					t.Errorf("with %d connections it said %q", connections, said)
				}
			}
		})
	}
}

// On Dovecot: what is in other mailboxes, with one connection and with two, and
// where the server allows only one.
func TestWorkerOnDovecot(t *testing.T) {
	for _, test := range []struct {
		name        string
		options     []testserver.Option
		connections int
	}{
		{"two connections", nil, 2},
		{"one connection", nil, 1},
		{"one allowed", []testserver.Option{testserver.MaxConnections(2)}, 2}, // one of them is the test's
	} {
		t.Run(test.name, func(t *testing.T) {
			srv := testserver.Dovecot(t, test.options...)
			client := srv.Client(t)
			if err := client.Create("Archive", nil).Wait(); err != nil {
				t.Fatal(err)
			}
			for i := range 20 {
				testserver.Append(t, client, "INBOX", testserver.Letter(i))
				testserver.Append(t, client, "Archive", testserver.Letter(100+i))
			}
			sel, err := client.Select("Archive", nil).Wait()
			if err != nil {
				t.Fatal(err)
			}
			there := func(uids ...store.UID) Target {
				return Target{Mailbox: "Archive", UIDValidity: sel.UIDValidity, UIDs: uids}
			}
			cfg := configFor(t, srv.Addr, srv.User, srv.Password)
			cfg.Connections = test.connections
			f, _ := start(t, cfg)
			f.live(1)
			if r := f.do(StoreFlags{Target: there(3, 4), Add: []string{"\\Flagged"}}); r.Err != nil || !r.Note.IsEmpty() {
				t.Errorf("flags: %v %q", r.Err, r.Note)
			}
			if r := f.do(Move{Target: there(3, 5), Dest: "INBOX"}); r.Err != nil || !r.Note.IsEmpty() {
				t.Errorf("move: %v %q", r.Err, r.Note)
			}
			id := f.s.Do(FetchBody{Target: there(7)})
			if r := f.result(id); r.Err != nil || !strings.Contains(string(f.bodies[id].Data), "Subject:") {
				t.Errorf("body: %v", r.Err)
			}
			f.until("what was moved here", func() bool { return f.list.Len() == 22 && f.list.CountUnknown() == 0 })
			f.until("the same as the server", func() bool {
				return sameRows(rows(f.list), testserver.Rows(t, client, "INBOX"))
			})
			f.until("live, and whether alone", func() bool {
				alone := strings.Contains(f.last().Reason.String(), "no second connection")
				return f.last().State == Live && alone == (test.options != nil)
			})
			left := testserver.Rows(t, client, "Archive")
			if len(left) != 18 || !slices.Contains(left[2].Flags, "\\Flagged") {
				t.Errorf("in Archive: %v", left)
			}
		})
	}
}
