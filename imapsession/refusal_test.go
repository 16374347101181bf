package imapsession

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tidings/store"
)

func lastQueued(f *follower) QueuedEvent {
	if len(f.queued) == 0 {
		return QueuedEvent{}
	}
	return f.queued[len(f.queued)-1]
}

// What the server will not do for now stays in the outbox, is tried again with
// growing rests, each told in the server's words, and is done in the end.
func TestRefusedForNow(t *testing.T) {
	const withoutMove = "IMAP4rev1 IDLE UIDPLUS ESEARCH SASL-IR AUTH=PLAIN"
	for _, test := range []struct {
		name   string
		caps   string
		refuse string // the command that the server refuses
		cmd    func(f *follower) Command
	}{
		{"MOVE", fakeCaps, "UID MOVE", moveCommand},
		{"COPY", withoutMove, "UID COPY", moveCommand},
		{"STORE behind a COPY", withoutMove, "UID STORE", moveCommand},
		{"EXPUNGE behind a COPY", withoutMove, "UID EXPUNGE", moveCommand},
		{"flags", fakeCaps, "UID STORE", flagCommand},
		{"copy", fakeCaps, "UID COPY", func(f *follower) Command { return Copy{Target: f.target(3), Dest: "Trash"} }},
		{"expunge", fakeCaps, "UID EXPUNGE", func(f *follower) Command { return Expunge{Target: f.target(3)} }},
		{"a folder", fakeCaps, "CREATE", func(*follower) Command { return CreateFolder{Name: "New"} }},
		{"the other mailbox", fakeCaps, "SELECT Trash", func(*follower) Command { return Move{Target: inTrash(3), Dest: "Archive"} }},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				const times = 4
				srv, out := newFake(t, 5), newMemoryOutbox(t)
				withTrash(srv, 3).validity = inTrash(3).UIDValidity
				srv.setCaps(test.caps)
				var at []time.Time
				srv.on = func(c *fakeConn, tag, cmd string) bool {
					if !strings.HasPrefix(strings.ReplaceAll(cmd, `"`, ""), test.refuse) {
						return false
					}
					if at = append(at, time.Now()); len(at) > times {
						return false
					}
					c.send(fmt.Sprintf("%s NO [UNAVAILABLE] the backend sleeps, part %d", tag, len(at)))
					return true
				}
				f, _ := outboxed(t, srv, out)
				f.live(1)
				id := f.s.Do(test.cmd(f))
				for n := 1; n <= times; n++ {
					f.untilLong("a refusal", time.Hour, func() bool {
						q := lastQueued(f)
						return q.ID == id && strings.Contains(q.Refused.String(), fmt.Sprintf("sleeps, part %d", n))
					})
					if time.Until(lastQueued(f).Retry) <= 0 {
						t.Errorf("after refusal %d it does not rest", n)
					}
					if len(out.kept(false)) != 1 {
						t.Error("it is not in the outbox any more")
					}
				}
				f.untilLong("the end", time.Hour, func() bool { _, ended := f.results[id]; return ended })
				if r := f.result(id); r.Err != nil || !r.Note.IsEmpty() {
					t.Errorf("in the end: %v, %q", r.Err, r.Note)
				}
				for i := 2; i < len(at); i++ {
					if at[i].Sub(at[i-1]) < 2*at[i-1].Sub(at[i-2]) {
						t.Errorf("the rests do not grow: %v", at)
					}
				}
				if n := len(srv.said("COPY")); strings.Contains(test.name, "behind") && n != 1 {
					t.Errorf("it was copied %d times", n)
				}
				synctest.Wait()
				if n := len(out.kept(false)); n != 0 {
					t.Errorf("%d actions are still kept", n)
				}
				f.inStep(srv)
			})
		})
	}
}

// What does not pass ends with the server's words, and what it did not reach is as
// it was: at once where that is clear, and else after some tries.
func TestRefusedForGood(t *testing.T) {
	for _, test := range []struct {
		code  string
		cmd   func(f *follower) Command
		tries int
	}{
		{"", moveCommand, 1},
		{"[NOPERM] ", moveCommand, 1},
		{"[TRYCREATE] ", moveCommand, 1},
		{"[LIMIT] ", flagCommand, 1},
		{"[OVERQUOTA] ", flagCommand, 1},
		{"[LIMIT] ", moveCommand, someTries},
		{"[OVERQUOTA] ", moveCommand, someTries},
		{"[SERVERBUG] ", flagCommand, someTries},
	} {
		t.Run(test.code, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv, out := newFake(t, 5), newMemoryOutbox(t)
				tries := 0
				srv.on = func(c *fakeConn, tag, cmd string) bool {
					if !strings.HasPrefix(cmd, "UID MOVE") && !strings.HasPrefix(cmd, "UID STORE") {
						return false
					}
					tries++
					c.send(tag + " NO " + test.code + "not today")
					return true
				}
				f, _ := outboxed(t, srv, out)
				f.live(1)
				id := f.s.Do(test.cmd(f))
				f.untilLong("the end", time.Hour, func() bool { _, ended := f.results[id]; return ended })
				r := f.result(id)
				if r.Err == nil || !strings.Contains(r.Err.Error(), "not today") {
					t.Errorf("result %v", r.Err)
				}
				if tries != test.tries {
					t.Errorf("tried %d times, want %d", tries, test.tries)
				}
				if test.tries > 1 && !strings.Contains(r.Err.Error(), fmt.Sprintf("tried %d times", test.tries)) {
					t.Errorf("how often it was tried is not said: %v", r.Err)
				}
				synctest.Wait()
				if len(out.kept(false)) > 0 || len(srv.rows) != 5 {
					t.Errorf("%d kept, %d messages", len(out.kept(false)), len(srv.rows))
				}
			})
		})
	}
}

// While one rests, what would meet the same refusal waits behind it, and what is
// aimed at the same messages; the rest goes on. The person may have it tried at
// once, or take it out.
func TestWhatRestsHoldsUpItsLikeOnly(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv, out := newFake(t, 9), newMemoryOutbox(t)
		closed := true
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			if !strings.HasPrefix(cmd, "UID MOVE") || !strings.Contains(cmd, "Archive") || !closed {
				return false
			}
			c.send(tag + " NO [INUSE] Archive is locked. Backoff Time: 600 seconds")
			return true
		}
		f, stop := outboxed(t, srv, out)
		f.live(1)
		first := f.s.Do(Move{Target: f.target(1), Dest: "Archive"})
		f.until("the refusal", func() bool { return !lastQueued(f).Refused.IsEmpty() })
		if q := lastQueued(f); time.Until(q.Retry) < 9*time.Minute {
			t.Errorf("it rests %v where the server asked for ten minutes", time.Until(q.Retry))
		}
		alike := f.s.Do(Move{Target: f.target(2), Dest: "Archive"})
		same := f.s.Do(StoreFlags{Target: f.target(1), Add: []string{`\Seen`}})
		if r := f.do(StoreFlags{Target: f.target(3), Add: []string{`\Seen`}}); r.Err != nil {
			t.Error(r.Err)
		}
		if r := f.do(Move{Target: f.target(4), Dest: "Trash"}); r.Err != nil {
			t.Error(r.Err)
		}
		synctest.Wait()
		if n := len(srv.said("Archive")); n != 1 {
			t.Errorf("Archive was asked %d times", n)
		}
		for _, id := range []CommandID{first, alike, same} {
			if r, ended := f.results[id]; ended {
				t.Errorf("%d ended: %+v", id, r)
			}
		}
		f.s.Again(first)
		f.until("another refusal", func() bool { return len(srv.said("Archive")) == 2 })
		synctest.Wait()
		f.s.Cancel(alike)
		f.result(alike)
		stop() // the next run tries it at once
		if n := len(out.kept(false)); n != 2 {
			t.Errorf("%d actions are kept", n)
		}
		srv.with(func() { closed = false })
		g, _ := outboxed(t, srv, out)
		g.until("the end of both", func() bool { return len(g.results) == 2 })
		g.inStep(srv)
		if _, ok := g.list.Find(store.UID(1)); ok || len(out.kept(false)) > 0 {
			t.Error("it was not moved in the end")
		}
	})
}

// A move of which another client was quicker with some is no refusal.
func TestExpungedWhileItIsMoved(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv, out := newFake(t, 9), newMemoryOutbox(t)
		told := false
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			if !strings.HasPrefix(cmd, "UID MOVE") || told {
				return false
			}
			told = true
			srv.with(func() { srv.rows = append(srv.rows[:3:3], srv.rows[4:]...) })
			c.send("* 4 EXPUNGE", tag+" NO [EXPUNGEISSUED] Some of the messages no longer exist")
			return true
		}
		f, _ := outboxed(t, srv, out)
		f.live(1)
		if r := f.do(Move{Target: f.target(3, 4, 5), Dest: "Trash"}); r.Err != nil {
			t.Error(r.Err)
		}
		if said := srv.said("UID MOVE"); len(said) != 2 || !strings.Contains(said[1], "UID MOVE 3,5 ") {
			t.Errorf("said %q", said)
		}
		f.inStep(srv)
	})
}
