package imapsession

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tidings/store"
)

func TestCommandsBreakIdleInOneFlush(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 5)
		f, _ := start(t, srv.config())
		f.live(1)
		srv.idling(t)
		began := time.Now()
		if r := f.do(StoreFlags{Target: f.target(5), Add: []string{"\\Flagged"}}); r.Err != nil || !r.Note.IsEmpty() {
			t.Errorf("result %v %q", r.Err, r.Note)
		}
		if d := time.Since(began); d > 0 {
			t.Errorf("it took %v of virtual time: DONE was held until its timer", d)
		}
		f.inStep(srv)
		got := strings.Join(srv.said(""), "\n")
		if !strings.Contains(got, "DONE\nUID STORE 5 +FLAGS (\\Flagged)") {
			t.Errorf("the session said:\n%s", got)
		}
	})
}

func TestResultFollowsTheEventsOfItsCommand(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 5)
		f, _ := start(t, srv.config())
		f.live(1)
		srv.idling(t)
		f.do(Move{Target: f.target(2, 4), Dest: "Trash"})
		f.inStep(srv)
		kinds := strings.Join(f.kinds, " ")
		if !strings.Contains(kinds, "ListEvent ListEvent ResultEvent") {
			t.Errorf("events: %s", kinds)
		}
		if f.unseen.N != 3 || !f.unseen.Known {
			t.Errorf("unread after two of five moved: %+v", f.unseen)
		}
	})
}

func TestBodyComesInParts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 2000)
		cfg := srv.config()
		f, _ := start(t, cfg)
		f.live(1)
		srv.idling(t)
		// Message 2000 has 440 KB: two parts, and a command gets its turn between.
		id := f.s.Do(FetchBody{Target: f.target(2000)})
		other := f.s.Do(StoreFlags{Target: f.target(1999), Add: []string{"\\Seen"}})
		if r := f.result(id); r.Err != nil {
			t.Fatal(r.Err)
		}
		f.result(other)
		b := f.bodies[id]
		if string(b.Data) != fakeBody(2000) || !b.Complete || b.Truncated || b.Size != int64(len(fakeBody(2000))) {
			t.Errorf("%d of %d octets, complete %v, truncated %v", len(b.Data), b.Size, b.Complete, b.Truncated)
		}
		all := strings.Join(srv.said(""), "\n")
		if !strings.Contains(all, "BODY.PEEK[]<0.262144>)\nUID STORE") {
			t.Errorf("the flag waited for the whole body:\n%s", all)
		}
		id = f.s.Do(FetchBody{Target: f.target(2000), Limit: 1000})
		f.result(id)
		if b := f.bodies[id]; len(b.Data) != 1000 || !b.Complete || !b.Truncated {
			t.Errorf("with a limit: %d octets, complete %v, truncated %v", len(b.Data), b.Complete, b.Truncated)
		}
		if r := f.do(FetchBody{Target: f.target(4000)}); !errors.Is(r.Err, errGone) {
			t.Errorf("the body of a message that is gone: %v", r.Err)
		}
		if n := len(srv.said("BODY[")); n != 0 {
			t.Errorf("%d FETCHes that mark as read", n)
		}
	})
}

func TestCancel(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 3)
		srv.dialErr = errNoNetwork
		f, _ := start(t, srv.config())
		f.until("waiting", func() bool { return f.last().State == Waiting })
		id := f.s.Do(FetchBody{Target: Target{Mailbox: "INBOX", UIDs: []store.UID{1}}})
		synctest.Wait()
		if _, ended := f.results[id]; ended {
			t.Fatal("a command ended while the link was down")
		}
		f.s.Cancel(id)
		if r := f.result(id); !errors.Is(r.Err, context.Canceled) {
			t.Errorf("result %v", r.Err)
		}
	})
}

func TestCommandsSurviveAReconnect(t *testing.T) {
	for _, test := range []struct {
		name    string
		caps    string
		breakAt string // the command that the first link dies on
		done    bool   // the server did it before the link died
		cmd     func(f *follower) Command
		wire    string // must be sent this often
		times   int
		err     string
		note    string
		left    int
	}{
		{"flags", fakeCaps, "UID STORE", false, flagCommand, "UID STORE", 2, "", "", 5},
		{"flags that were set", fakeCaps, "UID STORE", true, flagCommand, "UID STORE", 2, "", "", 5},
		{"a move", fakeCaps, "UID MOVE", false, moveCommand, "UID MOVE", 2, "", "", 4},
		{"a move that was made", fakeCaps, "UID MOVE", true, moveCommand, "UID MOVE", 1, "", "should be in Trash", 4},
		{"a copy whose reply was lost", withoutMove, "UID COPY", true, moveCommand, "UID COPY", 1, "may be a copy in Trash", "", 5},
		{"a deletion after the copy", withoutMove, "UID STORE", false, moveCommand, "UID COPY", 1, "", "", 4},
		{"an expunge after the copy", withoutMove, "UID EXPUNGE", false, moveCommand, "UID COPY", 1, "", "", 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 5)
				srv.setCaps(test.caps)
				srv.on = func(c *fakeConn, tag, cmd string) bool {
					if c.n > 1 || !strings.HasPrefix(cmd, test.breakAt) {
						return false
					}
					if test.done {
						silent := &fakeConn{srv: srv, conn: discard{c.conn}}
						silent.answer(tag, cmd)
					}
					c.conn.Close()
					return true
				}
				f, _ := start(t, srv.config())
				f.live(1)
				srv.idling(t)
				r := f.do(test.cmd(f))
				switch {
				case test.err == "" && r.Err != nil:
					t.Errorf("it failed: %v", r.Err)
				case test.err != "" && (r.Err == nil || !strings.Contains(r.Err.Error(), test.err)):
					t.Errorf("it ended with %v, not with %q", r.Err, test.err)
				case !strings.Contains(r.Note.String(), test.note):
					t.Errorf("note %q lacks %q", r.Note, test.note)
				}
				if n := len(srv.said(test.wire)); n != test.times {
					t.Errorf("%s was sent %d times", test.wire, n)
				}
				f.inStep(srv)
				if len(srv.rows) != test.left {
					t.Errorf("%d messages are left", len(srv.rows))
				}
			})
		})
	}
}

const withoutMove = "IMAP4rev1 IDLE UIDPLUS ESEARCH SASL-IR AUTH=PLAIN"

func flagCommand(f *follower) Command {
	return StoreFlags{Target: f.target(3), Add: []string{"\\Flagged"}}
}

func moveCommand(f *follower) Command { return Move{Target: f.target(3), Dest: "Trash"} }

func TestMoveNeverDestroys(t *testing.T) {
	for _, test := range []struct {
		name   string
		caps   string
		refuse string // the command that the server refuses
		never  string // what must not be sent
		err    string
		note   string
		left   int
	}{
		{"MOVE", fakeCaps, "", "COPY", "", "", 4},
		{"MOVE refused", fakeCaps, "UID MOVE", "COPY", "no mailbox named", "", 5},
		{"COPY", withoutMove, "", "MOVE", "", "", 4},
		{"COPY refused", withoutMove, "UID COPY", "STORE", "no mailbox named", "", 5},
		{"STORE refused", withoutMove, "UID STORE", "EXPUNGE", "the original stays", "", 5},
		{"EXPUNGE refused", withoutMove, "UID EXPUNGE", "MOVE", "", "marked deleted", 5},
		{"without UIDPLUS", strings.ReplaceAll(withoutMove, " UIDPLUS", ""), "", "EXPUNGE", "", "no UIDPLUS", 5},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 5)
				srv.setCaps(test.caps)
				srv.on = func(c *fakeConn, tag, cmd string) bool {
					if test.refuse == "" || !strings.HasPrefix(cmd, test.refuse) {
						return false
					}
					c.send(tag + " NO [TRYCREATE] no such mailbox")
					return true
				}
				f, _ := start(t, srv.config())
				f.live(1)
				r := f.do(moveCommand(f))
				switch {
				case test.err == "" && r.Err != nil:
					t.Errorf("it failed: %v", r.Err)
				case test.err != "" && (r.Err == nil || !strings.Contains(r.Err.Error(), test.err)):
					t.Errorf("it ended with %v, not with %q", r.Err, test.err)
				case !strings.Contains(r.Note.String(), test.note):
					t.Errorf("note %q lacks %q", r.Note, test.note)
				}
				if said := srv.said(test.never); len(said) != 0 {
					t.Errorf("this went out: %q", said)
				}
				if len(srv.rows) != test.left {
					t.Errorf("%d messages are left", len(srv.rows))
				}
				f.inStep(srv)
			})
		})
	}
}

func TestReadOnlyChangesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 5)
		cfg := srv.config()
		cfg.ReadOnly = true
		f, _ := start(t, cfg)
		f.live(1)
		if !f.state().ReadOnly {
			t.Error("the state does not say that it is read-only")
		}
		for _, c := range []Command{
			flagCommand(f), moveCommand(f), Copy{Target: f.target(3), Dest: "Trash"}, Expunge{Target: f.target(3)}, CreateFolder{Name: "New"},
			StoreFlags{Target: inTrash(3), Add: []string{`\Seen`}}, Move{Target: inTrash(3), Dest: "INBOX"}, Expunge{Target: inTrash(3)},
		} {
			if r := f.do(c); r.Err == nil || !strings.Contains(r.Err.Error(), "read_only") {
				t.Errorf("%T ended with %v", c, r.Err)
			}
		}
		if r := f.do(FetchBody{Target: f.target(3)}); r.Err != nil {
			t.Errorf("a body: %v", r.Err)
		}
		if r := f.do(ListFolders{}); r.Err != nil || len(f.folders) != 2 || f.folders[1].Role != "trash" {
			t.Errorf("folders: %v %+v", r.Err, f.folders)
		}
		for _, line := range srv.said("") {
			for _, bad := range []string{"SELECT", "STORE", "MOVE", "COPY", "EXPUNGE", "CLOSE", "BODY[", "CREATE", "SUBSCRIBE", "APPEND", "DELETE", "RENAME"} {
				if strings.Contains(line, bad) {
					t.Errorf("this went out: %q", line)
				}
			}
		}
	})
}

// A mailbox that the server opens read-only is not asked to change.
func TestMailboxThatTheServerOpensReadOnly(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 5)
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			if !strings.HasPrefix(cmd, "SELECT ") {
				return false
			}
			c.choose("INBOX")
			c.send("* 5 EXISTS", "* OK [UIDVALIDITY 7] ok", tag+" OK [READ-ONLY] look, do not touch")
			return true
		}
		f, _ := start(t, srv.config())
		f.live(1)
		if !f.state().ReadOnly {
			t.Error("the state does not say that it is read-only")
		}
		for _, c := range []Command{flagCommand(f), moveCommand(f), Expunge{Target: f.target(3)}} {
			if r := f.do(c); r.Err == nil || !strings.Contains(r.Err.Error(), "read-only") {
				t.Errorf("%T ended with %v", c, r.Err)
			}
		}
		for _, what := range []string{"STORE", "MOVE", "COPY", "EXPUNGE"} {
			if said := srv.said(what); len(said) > 0 {
				t.Errorf("this went out: %q", said)
			}
		}
	})
}

func TestCommandsThatAimAtNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 5)
		withTrash(srv, 3).validity = 9
		f, _ := start(t, srv.config())
		f.live(1)
		for _, test := range []struct {
			cmd Command
			err string
		}{
			{StoreFlags{Target: Target{Mailbox: "INBOX", UIDValidity: 6, UIDs: []store.UID{3}}, Add: []string{"\\Seen"}}, "UIDVALIDITY"},
			{StoreFlags{Target: Target{Mailbox: "Trash", UIDValidity: 8, UIDs: []store.UID{3}}, Add: []string{"\\Seen"}}, "renumbered"},
			{StoreFlags{Target: Target{UIDValidity: 7, UIDs: []store.UID{3}}, Add: []string{"\\Seen"}}, "no mailbox"},
			{StoreFlags{Target: f.target(), Add: []string{"\\Seen"}}, "no message"},
			{StoreFlags{Target: f.target(3)}, "no flag"},
			{StoreFlags{Target: f.target(3), Add: []string{"a) b"}}, "no flag"},
			{StoreFlags{Target: f.target(99), Add: []string{"\\Seen"}}, "gone"},
			{Move{Target: f.target(99), Dest: "Trash"}, "gone"},
			{Move{Target: f.target(3), Dest: "INBOX"}, "already"},
			{Move{Target: f.target(3), Dest: "a\r\nb"}, "no name"},
			{FetchBody{Target: f.target(1, 2)}, "one message"},
		} {
			if r := f.do(test.cmd); r.Err == nil || !strings.Contains(r.Err.Error(), test.err) {
				t.Errorf("%+v ended with %v", test.cmd, r.Err)
			}
		}
		f.inStep(srv)
	})
}

func TestFlagThatTheServerDoesNotKeep(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 5)
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			if strings.HasPrefix(cmd, "UID STORE") {
				c.send(tag + " OK gladly")
				return true
			}
			return false
		}
		f, _ := start(t, srv.config())
		f.live(1)
		if r := f.do(flagCommand(f)); r.Err != nil || !strings.Contains(r.Note.String(), "did not take the change") {
			t.Errorf("result %v, note %q", r.Err, r.Note)
		}
		f.inStep(srv)
	})
}

func TestUIDValidityChangedMeanwhile(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 5)
		f, _ := start(t, srv.config())
		f.live(1)
		old := f.target(3)
		srv.idling(t)
		srv.with(func() { srv.dialErr = errNoNetwork })
		srv.last().conn.Close()
		f.until("waiting", func() bool { return f.last().State == Waiting })
		id := f.s.Do(StoreFlags{Target: old, Add: []string{"\\Seen"}})
		srv.with(func() { srv.dialErr = nil; srv.validity = 8 })
		f.live(2)
		if r := f.result(id); r.Err == nil || !strings.Contains(r.Err.Error(), "UIDVALIDITY") {
			t.Errorf("result %v", r.Err)
		}
		if rs := f.resyncs[1]; !rs.Reload || rs.UIDValidity != 8 || rs.Arrived != 0 {
			t.Errorf("resync %+v", rs)
		}
		if len(srv.said("STORE")) != 0 {
			t.Error("the command was sent to another message")
		}
		if len(f.newMail) != 0 {
			t.Errorf("a reload is no new mail: %+v", f.newMail)
		}
	})
}

// TestBodyGoesOnFromWhatIsThere: what the listener has is not fetched again.
func TestBodyGoesOnFromWhatIsThere(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 2000)
		f, _ := start(t, srv.config())
		f.live(1)
		srv.idling(t)
		whole := fakeBody(2000)
		have := []byte(whole[:300_000])
		id := f.s.Do(FetchBody{Target: f.target(2000), Limit: 64 << 20, Have: have[:300_000:300_000]})
		if r := f.result(id); r.Err != nil {
			t.Fatal(r.Err)
		}
		if b := f.bodies[id]; string(b.Data) != whole || !b.Complete || b.Truncated {
			t.Errorf("%d of %d octets, complete %v, truncated %v", len(b.Data), b.Size, b.Complete, b.Truncated)
		}
		if said := srv.said("BODY.PEEK[]"); len(said) != 1 || !strings.Contains(said[0], "<300000.") {
			t.Errorf("asked was %q", said)
		}
	})
}

// TestBodyComesThoughTheLinkKeepsBreaking: as long as each link brings something,
// none of it is asked for twice and it is not given up.
func TestBodyComesThoughTheLinkKeepsBreaking(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 6000)
		asked := map[*fakeConn]int{}
		broken := 0
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			if !strings.Contains(cmd, "BODY.PEEK[]") {
				return false
			}
			if asked[c]++; asked[c] < 2 {
				return false
			}
			broken++
			c.conn.Close()
			return true
		}
		f, _ := start(t, srv.config())
		f.live(1)
		id := f.s.Do(FetchBody{Target: f.target(6000)}) // 1.3 MB: six parts
		if r := f.result(id); r.Err != nil {
			t.Fatal(r.Err)
		}
		if string(f.bodies[id].Data) != fakeBody(6000) {
			t.Errorf("%d octets", len(f.bodies[id].Data))
		}
		if broken <= maxLost {
			t.Errorf("the link broke %d times", broken)
		}
	})
}
