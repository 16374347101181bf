package imapsession

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tidings/internal/testserver"
	"tidings/store"
	"tidings/store/query"
)

func uidsTo(n store.UID) (uids []store.UID) {
	for u := store.UID(1); u <= n; u++ {
		uids = append(uids, u)
	}
	return uids
}

// Whatever the server never answers ends some seconds after it was taken back, the
// connection is another one then, and what comes next is done on it.
func TestStoppedWithoutAnAnswer(t *testing.T) {
	q, err := query.Parse("body:x", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	const withoutMove = "IMAP4rev1 IDLE UIDPLUS ESEARCH SASL-IR AUTH=PLAIN"
	for _, test := range []struct {
		name  string
		caps  string
		mute  string // what is not answered
		cmd   func(f *follower) Command
		loose string // what is said of it, besides that it was taken back
	}{
		{"a body", fakeCaps, "UID FETCH", func(f *follower) Command { return FetchBody{Target: f.target(200)} }, ""},
		{"a search", fakeCaps, "UID SEARCH", func(f *follower) Command { return Search{Target: f.target(), Query: q} }, ""},
		{"folders", fakeCaps, "LIST", func(*follower) Command { return ListFolders{} }, ""},
		{"counting", fakeCaps, "STATUS", func(*follower) Command { return CountFolders{Names: []string{"Trash"}} }, ""},
		{"a look for what was moved", fakeCaps, "UID FETCH", func(f *follower) Command {
			return Locate{Landing: Landing{Place: store.Place{Mailbox: "INBOX", UIDValidity: 7}, Next: 3, Messages: []Identity{{UID: 1, MessageID: "a", Size: 1}}}}
		}, ""},
		{"flags", fakeCaps, "UID STORE", func(f *follower) Command {
			return StoreFlags{Target: f.target(uidsTo(200)...), Add: []string{`\Seen`}}
		}, ""},
		{"a move", fakeCaps, "UID MOVE", func(f *follower) Command { return Move{Target: f.target(uidsTo(200)...), Dest: "Trash"} }, "whether it is in Trash now is not known"},
		{"a move by COPY", withoutMove, "UID COPY", func(f *follower) Command { return Move{Target: f.target(uidsTo(200)...), Dest: "Trash"} }, "there may be a copy in Trash"},
		{"a copy", fakeCaps, "UID COPY", func(f *follower) Command { return Copy{Target: f.target(uidsTo(200)...), Dest: "Trash"} }, "there may be a copy in Trash"},
		{"an expunge", fakeCaps, "UID EXPUNGE", func(f *follower) Command { return Expunge{Target: f.target(uidsTo(200)...)} }, ""},
		{"flags elsewhere", fakeCaps, "UID STORE", func(*follower) Command { return StoreFlags{Target: inTrash(uidsTo(200)...), Add: []string{`\Seen`}} }, ""},
	} {
		for _, connections := range []int{1, 2} {
			t.Run(fmt.Sprintf("%s, %d connections", test.name, connections), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					srv := newFake(t, 200)
					withTrash(srv, 200)
					srv.setCaps(test.caps)
					var muted atomic.Bool
					cfg := srv.config()
					cfg.Connections, cfg.FirstWindow = connections, 200
					f, _ := start(t, cfg)
					f.live(1)
					f.until("the unread count", func() bool { return f.unseen.Known })
					srv.idling(t)
					srv.with(func() {
						srv.on = func(c *fakeConn, tag, cmd string) bool {
							return strings.HasPrefix(cmd, test.mute) && muted.CompareAndSwap(false, true) // and it never hears of it
						}
					})
					asked := len(srv.said(test.mute))
					id := f.s.Do(test.cmd(f))
					time.Sleep(time.Second)
					if len(srv.said(test.mute)) != asked+1 {
						t.Fatalf("%s was not asked for", test.mute)
					}
					began := time.Now()
					f.s.Cancel(id)
					r := f.result(id)
					if !errors.Is(r.Err, context.Canceled) || !strings.Contains(r.Err.Error(), test.loose) {
						t.Errorf("result %v, %q", r.Err, r.Note)
					}
					if d := time.Since(began); d > stopChange {
						t.Errorf("it took %v", d)
					}
					if r := f.do(flagCommand(f)); r.Err != nil {
						t.Errorf("the next command: %v", r.Err)
					}
					for _, st := range f.states {
						if st.State == Waiting {
							t.Errorf("it was told as a failure: %+v", st)
						}
					}
					f.inStep(srv)
				})
			})
		}
	}
}

// What waits behind a link that is silent ends at once when it is taken back.
func TestStoppedBehindASilentLink(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 9)
		f, _ := start(t, srv.config())
		f.live(1)
		srv.idling(t)
		srv.with(func() { srv.on = func(*fakeConn, string, string) bool { return true } })
		f.s.Do(StoreFlags{Target: f.target(1), Add: []string{`\Seen`}})
		synctest.Wait()
		id := f.s.Do(Move{Target: f.target(2), Dest: "Trash"})
		synctest.Wait()
		began := time.Now()
		f.s.Cancel(id)
		if r := f.result(id); !errors.Is(r.Err, context.Canceled) {
			t.Errorf("result %v", r.Err)
		}
		if d := time.Since(began); d > 0 {
			t.Errorf("it took %v", d)
		}
	})
}

// A move, copy or change of many on a slow server tells how far it is and ends
// between two portions: the connection stays, and what is said to be done is.
func TestStoppedBetweenTwoPortions(t *testing.T) {
	const all = 2000
	withoutMove := testserver.WithoutCapability("MOVE")
	for _, test := range []struct {
		name    string
		options []testserver.Option
		cmd     func(t Target) Command
		words   string
	}{
		{"MOVE", nil, func(t Target) Command { return Move{Target: t, Dest: "Archive"} }, "stopped when"},
		{"move by COPY", []testserver.Option{withoutMove}, func(t Target) Command { return Move{Target: t, Dest: "Archive"} }, "stopped when"},
		{"copy", nil, func(t Target) Command { return Copy{Target: t, Dest: "Archive"} }, "stopped when"},
		{"expunge", nil, func(t Target) Command { return Expunge{Target: t} }, "stopped when"},
	} {
		t.Run(test.name, func(t *testing.T) {
			srv := testserver.Dovecot(t, test.options...)
			srv.Fill(t, "INBOX", all, realistic)
			link := testserver.NewLink(t, srv.Addr)
			cfg := configFor(t, link.Addr(), srv.User, srv.Password)
			cfg.FirstWindow, cfg.Connections = all, 1
			f, _ := startSession(t, cfg, func(s *Session) { s.stride = 100 })
			f.until("the letters", func() bool { return f.list.CountKnown() == all && f.unseen.Known })
			conns := link.Conns()
			uids := f.list.UIDs(0, all)
			link.SetLatency(10*time.Millisecond, 10*time.Millisecond)
			id := f.s.Do(test.cmd(f.target(uids...)))
			f.until("progress", func() bool { return len(f.progress) > 0 })
			f.s.Cancel(id)
			r := f.result(id)
			var done, total int
			if _, err := fmt.Sscanf(r.Note.String(), "stopped when %d of %d were done", &done, &total); err != nil || r.Err != nil || done == 0 || done == total || total != all {
				t.Fatalf("result %v, %q", r.Err, r.Note)
			}
			link.SetLatency(0, 0)
			if p := f.progress[len(f.progress)-1]; !p.Ended || int(p.Done) != done {
				t.Errorf("the last progress is %+v", p)
			}
			if r := f.do(StoreFlags{Target: f.target(uids[all-1]), Add: []string{`\Flagged`}}); r.Err != nil {
				t.Error(r.Err)
			}
			if link.Conns() != conns {
				t.Error("the connection was made anew")
			}
			f.inStepWith(t, srv)
			here, there := len(srv.Rows(t, "INBOX")), len(srv.Rows(t, "Archive"))
			want := [2]int{all - done, done}
			switch test.name {
			case "copy":
				want[0] = all
			case "expunge":
				want[1] = 0
			}
			if [2]int{here, there} != want {
				t.Errorf("%d are here and %d there, where %d are said to be done", here, there, done)
			}
			if test.name != "expunge" && (r.Copied == nil || len(r.Copied.From) != done) {
				t.Errorf("what became of %d is not told: %+v", done, r.Copied)
			}
			t.Logf("%s, after %d reports", r.Note, len(f.progress))
		})
	}
}

// The filling of the cache ends behind what is under way, tells so, and goes on
// where it was when the person says so.
func TestStoppedFilling(t *testing.T) {
	for _, connections := range []int{1, 2} {
		t.Run(fmt.Sprint(connections), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				const all = 3000
				srv := newFake(t, all)
				srv.on = func(c *fakeConn, tag, cmd string) bool {
					if strings.Contains(cmd, "BODY.PEEK[HEADER.FIELDS") {
						time.Sleep(50 * time.Millisecond) // so that it takes its time
					}
					return false
				}
				cache := newFakeCache()
				cfg := fillConfig(srv, cache)
				cfg.Connections = connections
				f, _ := start(t, cfg)
				f.live(1)
				f.untilLong("some progress", time.Minute, func() bool {
					return len(f.progress) > 2 && !f.progress[len(f.progress)-1].Ended
				})
				f.s.Cancel(0)
				f.untilLong("its end", time.Minute, func() bool { return f.progress[len(f.progress)-1].Ended })
				last := f.progress[len(f.progress)-1]
				if last.Done == 0 || last.Done >= all || last.ID != 0 {
					t.Errorf("it ended with %+v", last)
				}
				kept, said := cache.filled(), len(headerFetches(srv.said("")))
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				if cache.filled() != kept || len(headerFetches(srv.said(""))) != said {
					t.Errorf("it went on: %d kept, then %d", kept, cache.filled())
				}
				if r := f.do(flagCommand(f)); r.Err != nil {
					t.Error(r.Err)
				}
				f.s.Retry(true)
				f.untilLong("everything is kept", time.Hour, func() bool { return cache.filled() == all })
				f.inStep(srv)
			})
		})
	}
}
