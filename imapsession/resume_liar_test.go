package imapsession

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tidings/store"
)

// fullyKnown waits until UIDs and flags of all rows are known.
func (f *follower) fullyKnown() {
	f.t.Helper()
	f.until("all rows", func() bool {
		known := f.list.CountUnknown() == 0
		f.list.Known(0, f.list.Len(), func(_ int, r store.Row) bool {
			known = known && r.Flags.Known()
			return known
		})
		return known && f.epoch > 0
	})
}

// happenings is what the other client did meanwhile.
func happenings(m *modFake) {
	m.flag(3, `\Flagged`)
	m.flag(90, `\Seen`)
	m.expunge(5, 6, 7, 50)
	m.deliver(3)
	m.flag(101, `\Seen`)
	m.expunge(102)
}

// Whatever a server says of the past, the list ends as the mailbox is.
func TestResumeWithLiars(t *testing.T) {
	for _, test := range []struct {
		name    string
		caps    string
		happens func(m *modFake)
		lie     func(m *modFake)
		asks    string // a command that has to be sent
		never   string // one that must not
	}{
		{"honest, CONDSTORE", "CONDSTORE", happenings, nil, "CHANGEDSINCE 1)", ""},
		{"honest, QRESYNC", "CONDSTORE QRESYNC", happenings, nil, "(CHANGEDSINCE 1 VANISHED)", "SEARCH RETURN (ALL)"},
		{"honest, nothing happened, CONDSTORE", "CONDSTORE", func(*modFake) {}, nil, "", "FETCH"},
		{"honest, nothing happened, QRESYNC", "CONDSTORE QRESYNC", func(*modFake) {}, nil, "", "FETCH"},
		{"honest, all gone", "CONDSTORE QRESYNC", func(m *modFake) {
			for u := range uint32(100) {
				m.expunge(u + 1)
			}
		}, nil, "", "FETCH"},
		{"honest, flags alone", "CONDSTORE", func(m *modFake) { m.flag(7, `\Seen`) }, nil, "CHANGEDSINCE", "SEARCH RETURN (ALL)"},
		{"honest, arrivals alone", "CONDSTORE", func(m *modFake) { m.deliver(2) }, nil, "CHANGEDSINCE", "SEARCH RETURN (ALL)"},
		{"honest, as many came as went", "CONDSTORE", func(m *modFake) { m.expunge(9, 40); m.deliver(2) }, nil, "CHANGEDSINCE", ""},
		{"HIGHESTMODSEQ goes back", "CONDSTORE QRESYNC", happenings, func(m *modFake) { m.modseq = 1; m.highest = "HIGHESTMODSEQ 0" }, "SEARCH RETURN (ALL)", "CHANGEDSINCE"},
		{"NOMODSEQ", "CONDSTORE QRESYNC", happenings, func(m *modFake) { m.highest = "NOMODSEQ" }, "SEARCH RETURN (ALL)", "CHANGEDSINCE"},
		{"BAD to CHANGEDSINCE", "CONDSTORE", happenings, func(m *modFake) { m.refuses = true }, "SEARCH RETURN (ALL)", ""},
		{"BAD to VANISHED", "CONDSTORE QRESYNC", happenings, func(m *modFake) { m.refuses = true }, "SEARCH RETURN (ALL)", ""},
		{"EXISTS grows, UIDNEXT does not, nothing is said of it", "CONDSTORE QRESYNC", func(m *modFake) { m.deliver(3) },
			func(m *modFake) {
				m.uidNext = 101
				m.rows = func([]fakeRow) []int { return nil }
				m.highest = "HIGHESTMODSEQ 1"
			}, "SEARCH RETURN (ALL)", ""},
		{"the same without mod-sequences", "", func(m *modFake) { m.deliver(3) }, func(m *modFake) { m.uidNext = 101 }, "SEARCH RETURN (ALL)", ""},
		{"VANISHED names what is still there", "CONDSTORE QRESYNC", happenings,
			func(m *modFake) { m.vanished = func(u []uint32) []uint32 { return append(u, 20, 21) } }, "SEARCH RETURN (ALL)", ""},
		{"VANISHED names nothing", "CONDSTORE QRESYNC", happenings,
			func(m *modFake) { m.vanished = func([]uint32) []uint32 { return nil } }, "SEARCH RETURN (ALL)", ""},
		{"VANISHED names what never was", "CONDSTORE QRESYNC", happenings,
			func(m *modFake) { m.vanished = func(u []uint32) []uint32 { return append(u, 4000, 5000) } }, "VANISHED", "SEARCH RETURN (ALL)"},
		{"CHANGEDSINCE with wrong numbers", "CONDSTORE", happenings,
			func(m *modFake) { m.number = func(i int) int { return max(1, i) } }, "SEARCH RETURN (ALL)", ""},
		{"CHANGEDSINCE names all", "CONDSTORE", happenings, func(m *modFake) {
			m.rows = func(rows []fakeRow) (all []int) {
				for i := range rows {
					all = append(all, i)
				}
				return all
			}
		}, "CHANGEDSINCE", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newModFake(t, 100, test.caps)
				cache := newFakeCache()
				cfg := srv.config()
				cfg.Cache = cache
				f, stop := start(t, cfg)
				f.live(1)
				f.fullyKnown()
				stop()
				test.happens(srv)
				if test.lie != nil {
					test.lie(srv)
				}
				srv.with(func() { srv.lines = nil })
				f, stop = start(t, cfg)
				f.live(1)
				before := srv.said("FETCH")
				f.fullyKnown()
				f.inStep(srv.fakeServer)
				if test.asks != "" && len(srv.said(test.asks)) == 0 {
					t.Errorf("%s was not sent: %q", test.asks, srv.said(""))
				}
				if test.never != "" && (len(srv.said(test.never)) > 0 || test.never == "FETCH" && len(before) > 0) {
					t.Errorf("%q was sent", srv.said(test.never))
				}
				if n := len(srv.said("SELECT")); n > 3 {
					t.Errorf("%d SELECTs", n)
				}
				stop()
				if kept := cache.checkpoint(); !kept.List.Equal(f.list) {
					t.Error("what is kept is not what was told")
				}
			})
		})
	}
}

// A mailbox with another UIDVALIDITY has nothing to do with what is kept: it is
// kept anew, and that is said.
func TestUIDValidityChangedWhileAway(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newModFake(t, 30, "CONDSTORE QRESYNC")
		cache := newFakeCache()
		cfg := srv.config()
		cfg.Cache = cache
		var asked []store.Place
		cfg.Told = func(at store.Place) (store.UID, bool) {
			asked = append(asked, at)
			return 30, at.UIDValidity == 7
		}
		f, stop := start(t, cfg)
		f.live(1)
		stop()
		srv.with(func() { srv.validity, srv.fakeServer.rows = 8, srv.fakeServer.rows[:20] })
		f, stop = start(t, cfg)
		f.live(1)
		if r := f.resyncs[len(f.resyncs)-1]; !r.Reload || r.UIDValidity != 8 || r.Arrived != 0 || len(f.newMail) != 0 {
			t.Errorf("resync %+v, new mail %v", r, f.newMail)
		}
		f.inStep(srv.fakeServer)
		stop()
		if kept := cache.checkpoint(); kept.UIDValidity != 8 || kept.List.Len() != 20 {
			t.Errorf("kept: %d rows of UIDVALIDITY %d", kept.List.Len(), kept.UIDValidity)
		}
		want := []store.Place{{Mailbox: "INBOX", UIDValidity: 7}, {Mailbox: "INBOX", UIDValidity: 8}}
		if !slices.Equal(asked, want) {
			t.Errorf("asked what was told of %v", asked)
		}
	})
}

// What is above the mark has arrived while nobody watched: one notice, whatever
// the cache knew of it.
func TestToldMark(t *testing.T) {
	for _, test := range []struct {
		name    string
		cached  bool // there is a cache, of the first 100
		lost    int  // what arrived after the cache was last written
		mark    store.UID
		has     bool
		arrived int
		gone    []uint32
	}{
		{"nothing new", true, 0, 100, true, 0, nil},
		{"three new", true, 3, 100, true, 3, nil},
		{"killed before it told", true, 3, 95, true, 8, nil},
		{"more than a window", true, 200, 100, true, 200, nil},
		{"no mark, but a cache", true, 3, 0, false, 3, nil},
		{"no mark and no cache", false, 3, 0, false, 0, nil},
		{"a mark and no cache", false, 3, 100, true, 3, nil},
		{"a mark far below, and no cache", false, 0, 10, true, 90, nil},
		{"the mark's message is gone", true, 3, 95, true, 7, []uint32{95, 97}},
		{"the mark's message is gone, no cache", false, 3, 20, true, 82, []uint32{20, 97}},
		{"a mark above all", true, 0, 500, true, 0, nil},
		{"everything is news", false, 0, 0, true, 100, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newModFake(t, 100, "CONDSTORE")
				cfg := srv.config()
				cache := newFakeCache()
				cfg.Cache = cache
				if test.cached {
					f, stop := start(t, cfg)
					f.live(1)
					f.fullyKnown()
					stop()
				}
				srv.deliver(test.lost)
				if len(test.gone) > 0 {
					srv.expunge(test.gone...)
				}
				cfg.Told = func(at store.Place) (store.UID, bool) {
					if at != (store.Place{Mailbox: "INBOX", UIDValidity: 7}) {
						t.Errorf("asked of %v", at)
					}
					return test.mark, test.has
				}
				f, stop := start(t, cfg)
				f.live(1)
				synctest.Wait()
				total := 0
				for _, ev := range f.newMail {
					total += ev.Count
					for _, u := range ev.UIDs {
						if u <= test.mark {
							t.Errorf("message %d was told of again", u)
						}
					}
				}
				if total != test.arrived || len(f.newMail) > 1 {
					t.Errorf("%d notices of %d messages", len(f.newMail), total)
				}
				if test.arrived > 0 && len(f.newMail) > 0 {
					ev := f.newMail[0]
					if !ev.Gap || len(ev.UIDs) != min(test.arrived, 60) || ev.UIDs[len(ev.UIDs)-1] != f.list.Row(f.list.Len()-1).UID {
						t.Errorf("told: %+v", ev)
					}
				}
				// A reconnect in the same run does not tell it again.
				srv.idling(t).conn.Close()
				f.live(2)
				srv.deliver(1)
				srv.idling(t).conn.Close()
				f.live(3)
				synctest.Wait()
				again := 0
				for _, ev := range f.newMail {
					again += ev.Count
				}
				if again != total+1 {
					t.Errorf("%d told of after two reconnects and one arrival, %d before", again, total)
				}
				stop()
			})
		})
	}
}

// Mod-sequences are kept only when they are sure: not one from a FETCH by number,
// which tells of a flag while an expunge of before it is held back.
func TestModSeqsAreKeptWhenSure(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newModFake(t, 20, "CONDSTORE QRESYNC")
		cache := newFakeCache()
		cfg := srv.config()
		cfg.Cache = cache
		kept := func() uint64 {
			synctest.Wait()
			time.Sleep(checkpointEvery)
			synctest.Wait()
			return cache.checkpoint().ModSeq
		}
		f, _ := start(t, cfg)
		f.live(1)
		c := srv.idling(t)
		if n := kept(); n != 1 {
			t.Errorf("%d is kept after SELECT said 1", n)
		}
		// Within IDLE nothing is sure before it has ended.
		c.send(`* 3 FETCH (UID 3 FLAGS (\Seen) MODSEQ (5))`)
		if n := kept(); n != 1 {
			t.Errorf("%d is kept while IDLE lasts", n)
		}
		time.Sleep(2 * time.Minute) // it is renewed
		if n := kept(); n != 5 {
			t.Errorf("%d is kept after IDLE said 5", n)
		}
		// A flag change is told of with a STORE of ours, an expunge held back.
		srv.with(func() {
			honest := srv.on
			srv.on = func(c *fakeConn, tag, cmd string) bool {
				if strings.HasPrefix(cmd, "UID STORE") {
					c.send(`* 4 FETCH (UID 4 FLAGS (\Flagged) MODSEQ (9))`, tag+" OK done")
					return true
				}
				if cmd == "NOOP" {
					c.send("* VANISHED 6", tag+" OK done")
					return true
				}
				return honest(c, tag, cmd)
			}
		})
		noops := len(srv.said("NOOP"))
		f.do(StoreFlags{Target: f.target(4), Add: []string{`\Flagged`}})
		synctest.Wait()
		if cp := cache.checkpoint(); cp.ModSeq == 9 && cp.List.Len() == 20 {
			t.Errorf("9 is kept with 20 rows: the expunge is lost if the program ends here")
		}
		f.until("the expunge", func() bool { return f.list.Len() == 19 })
		if n := kept(); n != 9 || len(srv.said("NOOP")) != noops+1 {
			t.Errorf("%d is kept after a NOOP, %d NOOPs", n, len(srv.said("NOOP"))-noops)
		}
		// A HIGHESTMODSEQ that is lower counts.
		srv.idling(t).send("* OK [HIGHESTMODSEQ 7] an expunge is held back", "* 1 EXPUNGE")
		if n := kept(); n != 7 {
			t.Errorf("%d is kept after the server took 9 back", n)
		}
	})
}
