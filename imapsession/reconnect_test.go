package imapsession

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-imap/v2"

	"tidings/internal/testserver"
	"tidings/store"
)

func TestReconnectTellsWhatHappenedMeanwhile(t *testing.T) {
	for _, test := range []struct {
		name    string
		options []testserver.Option
	}{
		{"with ESEARCH", nil},
		{"without ESEARCH", []testserver.Option{testserver.WithoutCapability("ESEARCH", "SEARCHRES")}},
	} {
		t.Run(test.name, func(t *testing.T) {
			srv := testserver.Dovecot(t, test.options...)
			uids := srv.AppendN(t, "INBOX", 150)
			link := testserver.NewLink(t, srv.Addr)
			f, stop := start(t, configFor(t, link.Addr(), srv.User, srv.Password))
			f.live(1)
			f.until("the unread count", func() bool { return f.unseen.Known })

			link.Refuse(true)
			link.Cut()
			f.until("waiting", func() bool { return f.last().State == Waiting })
			other := srv.Client(t)
			if _, err := other.Select("INBOX", nil).Wait(); err != nil {
				t.Fatal(err)
			}
			must(t, other.Store(imap.UIDSetNum(imap.UID(uids[149])), add("\\Flagged"), nil).Close())
			gone := imap.UIDSetNum(imap.UID(uids[140]), imap.UID(uids[100]), imap.UID(uids[3]))
			must(t, other.Store(gone, add("\\Deleted"), nil).Close())
			must(t, other.UIDExpunge(gone).Close())
			arrived := srv.AppendN(t, "INBOX", 3)
			link.Refuse(false)
			f.s.Retry(true)
			f.live(2)

			r := f.resyncs[len(f.resyncs)-1]
			if want := []store.UID{store.UID(uids[100]), store.UID(uids[140])}; !slices.Equal(r.Gone, want) {
				t.Errorf("gone %v, want %v: of the unknown rows nothing can be said", r.Gone, want)
			}
			if want := []store.UID{store.UID(uids[149])}; !slices.Equal(r.Changed, want) || r.Arrived != 3 || r.Reload {
				t.Errorf("resync: changed %v, arrived %d, reload %v", r.Changed, r.Arrived, r.Reload)
			}
			if len(f.newMail) != 1 || !f.newMail[0].Gap || f.newMail[0].Count != 3 || len(f.newMail[0].UIDs) != 3 ||
				uint32(f.newMail[0].UIDs[2]) != arrived[2] {
				t.Errorf("new mail: %+v", f.newMail)
			}
			f.until("the unread count", func() bool { return f.unseen.Known && f.unseen.N == 150 })
			f.s.SetVisible(Visible{Epoch: f.epoch, Lo: 1, Hi: 150})
			want := srv.Rows(t, "INBOX")
			f.until("every row is the server's", func() bool { return sameRows(rows(f.list), want) })
			stop()
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func add(flag imap.Flag) *imap.StoreFlags {
	return &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{flag}}
}

func TestMoveOnDovecot(t *testing.T) {
	for _, test := range []struct {
		name    string
		without []string
		left    int // with the original marked \Deleted where it cannot be removed
		note    bool
	}{
		{"MOVE", nil, 2, false},
		{"COPY and UID EXPUNGE", []string{"MOVE"}, 2, false},
		{"COPY alone", []string{"MOVE", "UIDPLUS"}, 3, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			srv := testserver.Dovecot(t, testserver.WithoutCapability(test.without...))
			uids := srv.AppendN(t, "INBOX", 3)
			must(t, srv.Client(t).Create("Archive", nil).Wait())
			// Somebody else has marked another message deleted: it must survive.
			other := srv.Client(t)
			if _, err := other.Select("INBOX", nil).Wait(); err != nil {
				t.Fatal(err)
			}
			must(t, other.Store(imap.UIDSetNum(imap.UID(uids[0])), add("\\Deleted"), nil).Close())
			f, _ := start(t, configFor(t, srv.Addr, srv.User, srv.Password))
			f.live(1)
			r := f.do(Move{Target: f.target(store.UID(uids[1])), Dest: "Archive"})
			if r.Err != nil || r.Note.IsEmpty() == test.note {
				t.Errorf("result %v, note %q", r.Err, r.Note)
			}
			if n := len(srv.Rows(t, "Archive")); n != 1 {
				t.Errorf("%d messages in Archive", n)
			}
			want := srv.Rows(t, "INBOX")
			if len(want) != test.left {
				t.Errorf("INBOX holds %v", want)
			}
			f.until("in step", func() bool { return sameRows(rows(f.list), want) })
			if r := f.do(Move{Target: f.target(store.UID(uids[2])), Dest: "Nowhere"}); r.Err == nil {
				t.Error("a move to nowhere succeeded")
			}
			if got := srv.Rows(t, "INBOX"); !sameRows(got, want) {
				t.Errorf("a refused move left %v of %v", got, want)
			}
		})
	}
}

func TestGapIsOneNotice(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 100)
		f, _ := start(t, srv.config())
		f.live(1)
		srv.idling(t)
		for range 200 {
			srv.arrive(false)
		}
		srv.last().conn.Close()
		f.live(2)
		synctest.Wait()
		if len(f.newMail) != 1 || f.newMail[0].Count != 200 || len(f.newMail[0].UIDs) != 60 || !f.newMail[0].Gap {
			t.Errorf("%d notices, the first: %+v", len(f.newMail), f.newMail[0])
		}
		srv.arrive(true)
		f.until("the next one", func() bool { return len(f.newMail) == 2 && !f.newMail[1].Gap })
	})
}

func TestMailToAnEmptyMailboxDuringAGap(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 0)
		f, _ := start(t, srv.config())
		f.live(1)
		srv.idling(t)
		srv.arrive(false)
		srv.last().conn.Close()
		f.live(2)
		f.inStep(srv)
		if len(f.newMail) != 1 || f.newMail[0].Count != 1 {
			t.Errorf("new mail: %+v", f.newMail)
		}
	})
}

func TestReconnectIsAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 5)
		f, _ := start(t, srv.config())
		f.live(1)
		srv.idling(t)
		time.Sleep(time.Minute)
		for n := range 3 {
			cut := time.Now()
			srv.last().conn.Close()
			f.live(n + 2)
			if d := time.Since(cut); d > 0 {
				t.Errorf("back after %v", d)
			}
			time.Sleep(time.Minute)
		}
		// A server that lets us in and throws us out is not hammered.
		srv.with(func() {
			srv.dials = 0
			srv.on = func(c *fakeConn, tag, cmd string) bool {
				if cmd == "IDLE" {
					c.conn.Close()
				}
				return cmd == "IDLE"
			}
		})
		srv.last().conn.Close()
		time.Sleep(10 * time.Minute)
		srv.with(func() {
			if srv.dials > 25 {
				t.Errorf("%d connections in ten minutes", srv.dials)
			}
		})
	})
}

func TestRowsThatComeIntoViewAreFetched(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 1000)
		f, _ := start(t, srv.config())
		f.live(1)
		srv.idling(t)
		f.s.SetVisible(Visible{Epoch: f.epoch, Lo: 401, Hi: 440})
		f.until("the screen", func() bool {
			for i := 400; i < 440; i++ {
				if r := f.list.Row(i); r.UID == 0 || f.summaries[r.UID] == nil {
					return false
				}
			}
			return true
		})
		synctest.Wait()
		if n := len(srv.said("FETCH")); n != 2 {
			t.Errorf("%d FETCHes: %q", n, srv.said("FETCH"))
		}
		// One row further: what lies either side is there already.
		f.s.SetVisible(Visible{Epoch: f.epoch, Lo: 402, Hi: 441})
		synctest.Wait()
		if n := len(srv.said("FETCH")); n != 2 {
			t.Errorf("%d FETCHes after one row: %q", n, srv.said("FETCH"))
		}
		// A listener that has thrown summaries away asks for them, later.
		time.Sleep(toldGrace)
		f.s.SetVisible(Visible{Epoch: f.epoch, Lo: 402, Hi: 441, Missing: []store.UID{410, 990, 5000}})
		f.mu.Lock()
		delete(f.summaries, 410)
		delete(f.summaries, 990)
		f.mu.Unlock()
		f.until("the missing summaries", func() bool { return f.summaries[410] != nil && f.summaries[990] != nil })
		synctest.Wait()
		if n := len(srv.said("FETCH")); n != 3 {
			t.Errorf("%d FETCHes after a missing one", n)
		}
		// Those of another epoch are not looked at.
		f.s.SetVisible(Visible{Epoch: f.epoch + 1, Lo: 1, Hi: 40})
		synctest.Wait()
		if n := len(srv.said("FETCH")); n != 3 {
			t.Errorf("rows of another epoch were fetched")
		}
	})
}

// A link can break between the word that mail has come and its summary.
func TestMailThatComesAsTheLinkBreaks(t *testing.T) {
	for _, test := range []struct {
		name string
		has  int
		say  []string
	}{
		{"counted", 5, []string{"* 6 EXISTS"}},
		{"counted and known", 5, []string{"* 6 EXISTS", "* 6 FETCH (UID 6 FLAGS ())"}},
		{"counted in an empty mailbox", 0, []string{"* 1 EXISTS"}},
		{"counted and known in an empty mailbox", 0, []string{"* 1 EXISTS", "* 1 FETCH (UID 1 FLAGS ())"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, test.has)
				f, _ := start(t, srv.config())
				f.live(1)
				c := srv.idling(t)
				srv.with(func() {
					srv.on = func(c *fakeConn, tag, cmd string) bool {
						if c.n == 1 && strings.Contains(cmd, "FETCH") {
							c.conn.Close()
							return true
						}
						return false
					}
				})
				srv.arrive(false)
				c.send(test.say...)
				f.live(2)
				synctest.Wait()
				uid := store.UID(test.has + 1)
				if len(f.newMail) != 1 || f.newMail[0].Count != 1 || !slices.Equal(f.newMail[0].UIDs, []store.UID{uid}) {
					t.Errorf("new mail: %+v", f.newMail)
				}
				f.inStep(srv)
			})
		})
	}
}
