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

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tidings/store"
)

// Every command that changes something is what it was, written down and read.
func TestCommandsAreKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		target := Target{
			Mailbox:     string(rapid.SliceOfN(rapid.Byte(), 1, 8).Draw(t, "mailbox")),
			UIDValidity: rapid.Uint32().Draw(t, "validity"),
			UIDs: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) store.UID {
				return store.UID(rapid.OneOf(rapid.Uint32Range(1, 9), rapid.Uint32Min(1)).Draw(t, "uid"))
			}), 1, 20).Draw(t, "uids"),
		}
		dest := string(rapid.SliceOfN(rapid.Byte(), 1, 8).Draw(t, "dest"))
		c := rapid.SampledFrom([]Command{
			StoreFlags{Target: target, Add: []string{`\Seen`}, Remove: []string{"$Junk", "é"}},
			StoreFlags{Target: target, Remove: []string{`\Flagged`}},
			Move{Target: target, Dest: dest}, Copy{Target: target, Dest: dest}, Expunge{Target: target}, CreateFolder{Name: dest},
		}).Draw(t, "command")
		if !changes(c) {
			t.Fatalf("%T is said to change nothing", c)
		}
		got, err := decodeCommand(encodeCommand(c))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

func FuzzDecodeCommand(f *testing.F) {
	f.Add([]byte(`{"do":"move","uids":"1:5,9","name":"QQ=="}`), uint8(1))
	f.Add([]byte(`{"do":"copy","uids":"4294967295","name":"QQ=="}`), uint8(2))
	f.Add([]byte(`{"do":"flags","uids":"7:3"}`), uint8(9))
	f.Fuzz(func(t *testing.T, b []byte, at uint8) {
		e := store.Entry{Place: store.Place{Mailbox: "INBOX", UIDValidity: 1}, Command: b, Progress: store.Progress{Stage: at}}
		c, err := decodeCommand(e)
		if err != nil {
			return
		}
		again, err := decodeCommand(encodeCommand(c))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, again); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

// outboxed is a session with an outbox in a bubble.
func outboxed(t *testing.T, srv *fakeServer, out *memoryOutbox) (f *follower, stop func()) {
	cfg := srv.config()
	cfg.Outbox = out
	return start(t, cfg)
}

// Nothing is sent before it is on the disk; what does not change anything does not
// wait for that; and what the disk refuses is done all the same.
func TestDurableBeforeItIsSent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv, out := newFake(t, 5), newMemoryOutbox(t)
		f, _ := outboxed(t, srv, out)
		f.live(1)
		out.answers(false)
		began := time.Now()
		first := f.s.Do(StoreFlags{Target: f.target(5), Add: []string{`\Flagged`}})
		second := f.s.Do(StoreFlags{Target: f.target(5), Remove: []string{`\Flagged`}})
		if r := f.do(FetchBody{Target: f.target(1)}); r.Err != nil {
			t.Error(r.Err)
		}
		synctest.Wait()
		if got := srv.said("UID STORE"); len(got) > 0 {
			t.Errorf("sent before it was on the disk: %q", got)
		}
		out.answers(true)
		f.result(first)
		f.result(second)
		synctest.Wait()
		if got := strings.Join(srv.said("UID STORE"), "; "); got != `UID STORE 5 +FLAGS (\Flagged); UID STORE 5 -FLAGS (\Flagged)` {
			t.Errorf("sent: %s", got)
		}
		if got := out.kept(false); len(got) > 0 {
			t.Errorf("what is done is kept: %v", got)
		}
		if d := time.Since(began); d > 0 {
			t.Errorf("it took %v of virtual time", d)
		}
		out.broken = errors.New("the disk is full")
		if r := f.do(Move{Target: f.target(4), Dest: "Trash"}); r.Err != nil {
			t.Error(r.Err)
		}
		f.inStep(srv)
	})
}

// What was asked for offline outlives the program, and is done in its order before
// what the next run is asked for.
func TestOfflineActionsAreDoneInTheNextRun(t *testing.T) {
	for _, how := range []string{"ended", "killed"} {
		t.Run(how, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv, out := newFake(t, 9), newMemoryOutbox(t)
				srv.dialErr = errNoNetwork
				f, stop := outboxed(t, srv, out)
				f.until("offline", func() bool { return f.last().State == Waiting })
				at := func(uids ...store.UID) Target { return Target{Mailbox: "INBOX", UIDValidity: 7, UIDs: uids} }
				ids := []CommandID{
					f.s.Do(StoreFlags{Target: at(3), Add: []string{`\Seen`}}),
					f.s.Do(Move{Target: at(4, 5), Dest: "Trash"}),
					f.s.Do(Move{Target: at(6), Dest: "Trash"}),
					f.s.Do(StoreFlags{Target: at(3), Remove: []string{`\Seen`}}),
				}
				f.s.Cancel(ids[2])
				if r := f.result(ids[2]); !errors.Is(r.Err, context.Canceled) {
					t.Errorf("taken back: %v", r.Err)
				}
				synctest.Wait()
				if how == "ended" {
					stop()
					if r := f.results[ids[0]]; !errors.Is(r.Err, errKept) {
						t.Errorf("at the end: %v", r.Err)
					}
				}
				var queued []CommandID
				for _, q := range f.queued {
					queued = append(queued, q.ID)
				}
				if !slices.Equal(queued, ids) {
					t.Errorf("told as queued: %v", queued)
				}
				if n := len(out.kept(how == "killed")); n != 3 {
					t.Fatalf("%d actions are kept", n)
				}
				asked := time.Now()
				time.Sleep(time.Hour)
				srv.with(func() { srv.dialErr = nil })
				g, _ := outboxed(t, srv, out)
				last := g.s.Do(StoreFlags{Target: at(9), Add: []string{`\Flagged`}})
				g.result(last)
				g.until("the end of all", func() bool { return len(g.results) == 4 })
				if how == "ended" {
					want := `UID STORE 3 +FLAGS (\Seen); UID MOVE 4:5 "Trash"; UID STORE 3 -FLAGS (\Seen); UID STORE 9 +FLAGS (\Flagged)`
					if got := strings.Join(slices.DeleteFunc(srv.said("UID "), func(l string) bool { return !strings.HasPrefix(l, "UID STORE") && !strings.HasPrefix(l, "UID MOVE") }), "; "); got != want {
						t.Errorf("sent:\n%s", got)
					}
				}
				earlier := 0
				for _, q := range g.queued {
					if q.Earlier && !q.Since.After(asked) {
						earlier++
					}
				}
				if earlier != 3 {
					t.Errorf("%d are told to be from earlier: %+v", earlier, g.queued)
				}
				g.inStep(srv)
				if n := len(out.kept(false)); n != 0 {
					t.Errorf("%d actions are still kept", n)
				}
			})
		})
	}
}

// Folders are known without a network, once a run has had one: where an action
// goes can be said then.
func TestFoldersAreKnownOffline(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv, out := newFake(t, 3), newMemoryOutbox(t)
		f, stop := outboxed(t, srv, out)
		f.live(1)
		synctest.Wait()
		stop()
		srv.with(func() { srv.dialErr = errNoNetwork })
		f, _ = outboxed(t, srv, out)
		if r := f.do(ListFolders{}); r.Err != nil {
			t.Fatal(r.Err)
		}
		if trash, ok := FolderFor(f.folders, "trash", ""); !ok || trash.Raw != "Trash" || f.folders[0].Raw != "INBOX" {
			t.Errorf("folders %+v", f.folders)
		}
		if n := len(srv.said(`LIST ""`)); n != 1 {
			t.Errorf("they were listed %d times", n)
		}
	})
}

// What cannot be done any more is dropped, and said to be.
func TestRenumberedActionsAreDropped(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv, out := newFake(t, 5), newMemoryOutbox(t)
		out.Put(encodeCommand(Move{Target: Target{Mailbox: "INBOX", UIDValidity: 6, UIDs: []store.UID{3}}, Dest: "Trash"}), func(int64, error) {})
		out.kept(true)
		f, _ := outboxed(t, srv, out)
		f.until("its end", func() bool { return len(f.results) == 1 })
		for _, r := range f.results {
			if !errors.Is(r.Err, errRenumbered) {
				t.Errorf("result %v", r.Err)
			}
		}
		if len(srv.said("UID MOVE")) > 0 || len(out.kept(false)) > 0 {
			t.Error("it was sent, or is still kept")
		}
	})
}

// A session that may change nothing leaves what waits to one that may.
func TestReadOnlyLeavesTheOutboxAlone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv, out := newFake(t, 5), newMemoryOutbox(t)
		out.Put(encodeCommand(Move{Target: Target{Mailbox: "INBOX", UIDValidity: 7, UIDs: []store.UID{3}}, Dest: "Trash"}), func(int64, error) {})
		out.kept(true)
		cfg := srv.config()
		cfg.Outbox, cfg.ReadOnly = out, true
		f, stop := start(t, cfg)
		f.live(1)
		if r := f.do(Move{Target: f.target(4), Dest: "Trash"}); r.Err == nil {
			t.Error("it was moved")
		}
		stop()
		if len(out.kept(false)) != 1 || len(srv.said("UID MOVE")) > 0 {
			t.Errorf("kept %v, said %q", out.kept(false), srv.said("UID MOVE"))
		}
	})
}

// What becomes of a COPY whose answer was lost, with what came into the other
// mailbox since.
func TestLostCopyIsLookedFor(t *testing.T) {
	const original = "like 3"
	for _, test := range []struct {
		name    string
		arrived []string // what is new there: "like n" or "dated"
		validity,
		landing uint32
		unclear bool
		copies  int // COPYs sent in this run
	}{
		{"one is there", []string{"like 2", original}, 9, 9, false, 0},
		{"none is there", []string{"like 2"}, 9, 9, false, 1},
		{"nothing came", nil, 9, 9, false, 1},
		{"two are there", []string{original, original}, 9, 9, true, 0},
		{"one of another date", []string{"dated"}, 9, 9, true, 0},
		{"renumbered", []string{original}, 10, 9, true, 0},
		{"nothing was known", []string{original}, 9, 0, true, 0},
	} {
		for _, connections := range []int{1, 2} {
			t.Run(fmt.Sprintf("%s, %d connections", test.name, connections), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					srv, out := newFake(t, 5), newMemoryOutbox(t)
					archive := newFake(t, 0)
					archive.validity, archive.next = test.validity, 50+uint32(len(test.arrived))
					for i := range test.arrived {
						archive.rows = append(archive.rows, fakeRow{uid: 50 + uint32(i)})
					}
					srv.others = map[string]*fakeServer{"Archive": archive}
					srv.on = func(c *fakeConn, tag, cmd string) bool {
						switch {
						case strings.HasPrefix(cmd, "STATUS"):
							c.send(fmt.Sprintf("* STATUS Archive (MESSAGES %d UIDNEXT %d UIDVALIDITY %d)", len(archive.rows), archive.next, archive.validity), tag+" OK done")
						case strings.HasPrefix(cmd, "UID FETCH") && (strings.Contains(cmd, "BODY.PEEK[HEADER]") || strings.Contains(cmd, "RFC822.SIZE") && !strings.Contains(cmd, "BODY.PEEK")):
							likeRows(c, tag, cmd, archive, test.arrived)
						default:
							return false
						}
						return true
					}
					e := encodeCommand(Copy{Target: Target{Mailbox: "INBOX", UIDValidity: 7, UIDs: []store.UID{3}}, Dest: "Archive"})
					e.Stage = uint8(copying)
					if test.landing != 0 {
						e.Landing = store.Landing{UIDValidity: test.landing, Next: 50}
					}
					out.Put(e, func(int64, error) {})
					out.kept(true)
					cfg := srv.config()
					cfg.Outbox, cfg.Connections = out, connections
					f, _ := start(t, cfg)
					var id CommandID
					f.until("a decision", func() bool {
						for _, q := range f.queued {
							id = q.ID
							if !q.Unclear.IsEmpty() {
								return true
							}
						}
						return len(f.results) > 0
					})
					_, ended := f.results[id]
					if ended == test.unclear || len(srv.said("UID COPY")) != test.copies {
						t.Fatalf("ended %v, %d copies: %+v; told %+v", ended, len(srv.said("UID COPY")), f.results[id], f.queued)
					}
					if !test.unclear {
						if r := f.results[id]; r.Err != nil || r.Copied == nil || !slices.Equal(r.Copied.From, []store.UID{3}) {
							t.Errorf("result %+v", r)
						}
						return
					}
					if len(out.kept(false)) != 1 {
						t.Error("it is not kept")
					}
					// What is aimed elsewhere passes it, what is aimed at the same does not.
					if r := f.do(StoreFlags{Target: f.target(4), Add: []string{`\Seen`}}); r.Err != nil {
						t.Error(r.Err)
					}
					same := f.s.Do(Expunge{Target: f.target(3)})
					synctest.Wait()
					if len(srv.said("EXPUNGE")) > 0 {
						t.Error("the original is removed, and whether there is a copy is not known")
					}
					f.s.Again(id)
					if r := f.result(id); r.Err != nil || len(srv.said("UID COPY")) != 1 {
						t.Errorf("done again: %+v", r)
					}
					if r := f.result(same); r.Err != nil {
						t.Error(r.Err)
					}
				})
			})
		}
	}
}

// A copy of which an earlier run knew that it was made, and was killed before it had
// taken it out, is done; it is neither made again nor taken for gone.
func TestCopyMadeInAnEarlierRun(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv, out := newFake(t, 5), newMemoryOutbox(t)
		e := encodeCommand(Copy{Target: Target{Mailbox: "INBOX", UIDValidity: 7, UIDs: []store.UID{3}}, Dest: "Archive"})
		e.Stage = uint8(copied)
		out.Put(e, func(int64, error) {})
		out.kept(true)
		f, _ := outboxed(t, srv, out)
		f.until("its end", func() bool { return len(f.results) == 1 })
		for _, r := range f.results {
			if r.Err != nil {
				t.Errorf("result %v", r.Err)
			}
		}
		if len(srv.said("UID COPY")) > 0 || len(out.kept(false)) > 0 {
			t.Error("it was made again, or is still kept")
		}
	})
}

// likeRows answers a FETCH of what a copy is known again by.
func likeRows(c *fakeConn, tag, cmd string, archive *fakeServer, arrived []string) {
	set, _, _ := strings.Cut(strings.TrimPrefix(cmd, "UID FETCH "), " ")
	box := c.box()
	var out []string
	for i, r := range box.rows {
		if !inSet(set, r.uid, box.rows[len(box.rows)-1].uid) {
			continue
		}
		word, date := fmt.Sprintf("like %d", r.uid), "20"
		if box == archive {
			if word = arrived[i]; word == "dated" {
				word, date = "like 3", "21"
			}
		}
		head := "Message-ID: <" + word + "@example.org>\r\n\r\n"
		if strings.Contains(cmd, "HEADER") {
			out = append(out, fmt.Sprintf("* %d FETCH (UID %d BODY[HEADER] {%d}\r\n%s)", i+1, r.uid, len(head), head))
		} else {
			out = append(out, fmt.Sprintf(`* %d FETCH (UID %d INTERNALDATE "%s-Nov-2026 10:00:00 +0000" RFC822.SIZE 100)`, i+1, r.uid, date))
		}
	}
	c.send(append(out, tag+" OK done")...)
}
