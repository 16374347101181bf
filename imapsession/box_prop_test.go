package imapsession

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tidings/store"
)

// boxServer is a mailbox as the server has it, and what is on the wire.
type boxServer struct {
	rows    []store.Row
	nextUID store.UID
	// history holds the rows at every version; each wire event makes one.
	history [][]store.Row
	wire    []boxWire
}

type boxWire struct {
	version int
	change  store.Change
	result  bool // the tagged reply of a command, not a change
}

func (s *boxServer) version() int { return len(s.history) - 1 }

// say puts c on the wire, at the version that it makes.
func (s *boxServer) say(c store.Change) {
	s.history = append(s.history, slices.Clone(s.rows))
	s.wire = append(s.wire, boxWire{version: s.version(), change: c})
}

// tagged stamps the version into the ListEvent of c, where nothing reads it.
func tagged(epoch uint32, c store.Change, version int) ListEvent {
	ev := ListEvent{Epoch: epoch, Change: c}
	if c.Kind == store.Exists {
		ev.UID = store.UID(version)
	} else {
		ev.Change.N = uint32(version)
	}
	return ev
}

func versionOf(ev ListEvent) int {
	if ev.Change.Kind == store.Exists {
		return int(ev.UID)
	}
	return int(ev.Change.N)
}

// boxSession applies the wire to its list and puts Events, as Session does.
type boxSession struct {
	list    *store.List
	epoch   uint32
	version int            // of the wire, applied to list
	at      map[uint32]int // by epoch: the version its ResyncEvent carries
	box     *Box
	results int
	made    int // ResyncEvents made for an overflow
}

func (s *boxSession) resync() ResyncEvent {
	s.epoch++
	s.at[s.epoch] = s.version
	return ResyncEvent{Epoch: s.epoch, List: s.list.Snapshot()}
}

// boxListener is what the model does with Events.
type boxListener struct {
	list    *store.List
	epoch   uint32
	version int
	results int
}

// Server, session list, Box and the listener's list under random
// interleavings: after every event the listener holds a state that the server
// had, never an older one than before, and a Result finds everything applied
// that came before it. Nothing but list events is lost. At the end both lists
// are the server's.
func TestBoxKeepsTwoListsInStep(t *testing.T) {
	overflows := 0
	rapid.Check(t, func(t *rapid.T) {
		srv := &boxServer{nextUID: 1, history: [][]store.Row{nil}}
		ses := &boxSession{list: new(store.List), at: map[uint32]int{}}
		ses.box = newBox(rapid.SampledFrom([]int{1, 2, 5, 20, 1000}).Draw(t, "limit"), func() ResyncEvent {
			ses.made++
			return ses.resync()
		})
		lis := &boxListener{list: new(store.List)}
		ses.box.Put(ses.resync())

		steps := rapid.IntRange(1, 150).Draw(t, "steps")
		for range steps {
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0, 1, 2, 3:
				srv.live(t)
			case 4, 5, 6:
				n := min(len(srv.wire), rapid.IntRange(1, 30).Draw(t, "read"))
				for range n {
					if len(srv.wire) > 0 { // a desync empties it
						ses.read(t, srv)
					}
				}
			case 7, 8:
				lis.drain(t, srv, ses, rapid.IntRange(0, 12).Draw(t, "limit of Next"))
			case 9:
				if rapid.IntRange(0, 3).Draw(t, "cut") == 0 {
					ses.reselect(t, srv)
				}
			}
		}
		for i, r := range srv.rows { // load what is not known yet
			srv.say(store.Change{Kind: store.Fill, Seq: uint32(i) + 1, UID: r.UID, Flags: r.Flags})
		}
		for len(srv.wire) > 0 {
			ses.read(t, srv)
		}
		// A desync on the way leaves rows unknown again; ask for them.
		for i, r := range srv.rows {
			if ses.list.Row(i).UID == 0 || !ses.list.Row(i).Flags.Known() {
				srv.say(store.Change{Kind: store.Fill, Seq: uint32(i) + 1, UID: r.UID, Flags: r.Flags})
				ses.read(t, srv)
			}
		}
		for ses.box.Pending() > 0 {
			lis.drain(t, srv, ses, 7)
		}
		var b store.Builder
		for _, r := range srv.rows {
			if err := b.Add(r); err != nil {
				t.Fatal(err)
			}
		}
		want := b.List()
		if !ses.list.Equal(want) {
			t.Fatalf("the session's list is %v, want %v", boxRows(ses.list), srv.rows)
		}
		if !lis.list.Equal(want) {
			t.Fatalf("the listener's list is %v, want %v", boxRows(lis.list), srv.rows)
		}
		if lis.results != ses.results {
			t.Fatalf("%d results of %d came", lis.results, ses.results)
		}
		overflows += ses.made
	})
	if overflows == 0 {
		t.Error("no Box ever overflowed: the test does not test it")
	}
}

// live lets the server's mailbox change once, or answer a fetch, or lie.
func (s *boxServer) live(t *rapid.T) {
	flags := rapid.SampledFrom([]store.Flags{store.NoFlags, store.Seen | store.NoFlags, store.Flagged | store.NoFlags})
	n := len(s.rows)
	at := 0
	if n > 0 {
		at = rapid.IntRange(0, n-1).Draw(t, "row")
	}
	switch k := rapid.IntRange(0, 11).Draw(t, "happens"); {
	case k <= 1 || n == 0: // arrivals
		for range rapid.IntRange(1, 5).Draw(t, "arrive") {
			s.nextUID += store.UID(rapid.IntRange(0, 3).Draw(t, "gap"))
			s.rows = append(s.rows, store.Row{UID: s.nextUID, Flags: store.NoFlags})
			s.nextUID++
		}
		s.say(store.Change{Kind: store.Exists, N: uint32(len(s.rows))})
	case k <= 3: // expunges, by number or by UID
		uid := s.rows[at].UID
		s.rows = slices.Delete(slices.Clone(s.rows), at, at+1)
		if rapid.Bool().Draw(t, "vanished") {
			s.say(store.Change{Kind: store.Vanished, UID: uid})
		} else {
			s.say(store.Change{Kind: store.Expunge, Seq: uint32(at) + 1})
		}
	case k <= 6: // flags, often of the same row twice
		s.rows = slices.Clone(s.rows)
		for range rapid.IntRange(1, 3).Draw(t, "times") {
			s.rows[at].Flags = flags.Draw(t, "flags")
			c := store.Change{Kind: store.SetFlags, Seq: uint32(at) + 1, Flags: s.rows[at].Flags}
			if rapid.Bool().Draw(t, "with UID") {
				c.UID = s.rows[at].UID
			}
			s.say(c)
		}
	case k <= 9: // rows are asked for
		for i := at; i < min(at+rapid.IntRange(1, 6).Draw(t, "rows"), n); i++ {
			s.say(store.Change{Kind: store.Fill, Seq: uint32(i) + 1, UID: s.rows[i].UID, Flags: s.rows[i].Flags})
		}
	case k == 10: // a command ends
		s.wire = append(s.wire, boxWire{version: s.version(), result: true})
	case k == 11: // a lie
		if rapid.IntRange(0, 3).Draw(t, "lie") == 0 {
			s.say(store.Change{Kind: store.Expunge, Seq: uint32(n) + 50})
		}
	}
}

// read lets the session take one wire event.
func (s *boxSession) read(t *rapid.T, srv *boxServer) {
	w := srv.wire[0]
	srv.wire = srv.wire[1:]
	if w.result {
		s.result(w.version)
		return
	}
	_, err := s.list.Apply(w.change)
	if errors.Is(err, store.ErrDesync) {
		s.reselect(t, srv)
		return
	}
	s.version = w.version
	s.box.Put(tagged(s.epoch, w.change, w.version))
}

// result ends a command when the list is at version.
func (s *boxSession) result(version int) {
	s.results++
	s.box.Put(ResultEvent{ID: CommandID(s.results), Err: versionError(version)})
}

// versionError carries a version through a ResultEvent.
type versionError int

func (versionError) Error() string { return "" }

// reselect: what was on the wire is lost, commands end all the same, and some
// rows are known again.
func (s *boxSession) reselect(t *rapid.T, srv *boxServer) {
	for _, w := range srv.wire {
		if w.result {
			s.result(s.version)
		}
	}
	srv.wire = nil
	for range rapid.IntRange(0, 3).Draw(t, "meanwhile") {
		srv.live(t)
	}
	srv.wire = nil
	var b store.Builder
	for _, r := range srv.rows {
		var err error
		if rapid.IntRange(0, 2).Draw(t, "learnt") > 0 {
			err = b.Add(r)
		} else {
			err = b.AddUnknown(1)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	s.list = b.List()
	s.version = srv.version()
	s.box.Put(s.resync())
}

// drain takes events and holds the listener to the server's history after each.
func (l *boxListener) drain(t *rapid.T, srv *boxServer, ses *boxSession, limit int) {
	pending := ses.box.Pending()
	if pending == 0 {
		return
	}
	evs, err := ses.box.Next(t.Context(), limit)
	if err != nil {
		t.Fatal(err)
	}
	if want := pending; limit > 0 {
		want = min(pending, limit)
		if len(evs) != want {
			t.Fatalf("Next(%d) gave %d of %d events", limit, len(evs), pending)
		}
	}
	for _, ev := range evs {
		version := l.version
		switch ev := ev.(type) {
		case ResyncEvent:
			if ev.Epoch <= l.epoch {
				t.Fatalf("epoch %d after %d", ev.Epoch, l.epoch)
			}
			l.list, l.epoch, l.version = ev.List, ev.Epoch, ses.at[ev.Epoch]
		case ListEvent:
			if ev.Epoch != l.epoch {
				continue
			}
			if _, err := l.list.Apply(ev.Change); err != nil {
				t.Fatalf("epoch %d, %+v: %v", ev.Epoch, ev.Change, err)
			}
			l.version = versionOf(ev)
		case ResultEvent:
			if l.results++; ev.ID != CommandID(l.results) {
				t.Fatalf("result %d came as number %d", ev.ID, l.results)
			}
			if at := int(ev.Err.(versionError)); l.version < at {
				t.Fatalf("a result of version %d finds the list at version %d", at, l.version)
			}
		}
		if l.version < version {
			t.Fatalf("the list went from version %d back to %d", version, l.version)
		}
		server := srv.history[l.version]
		if l.list.Len() != len(server) {
			t.Fatalf("at version %d: %d rows, the server had %d", l.version, l.list.Len(), len(server))
		}
		for i, want := range server {
			got := l.list.Row(i)
			if got.UID != 0 && got.UID != want.UID || got.Flags.Known() && got.Flags != want.Flags {
				t.Fatalf("at version %d: row %d is %v, the server had %v", l.version, i, got, want)
			}
		}
	}
	if ses.box.Pending() == 0 && !l.list.Equal(ses.list) {
		t.Fatalf("nothing waits, and the lists differ: %v, the session has %v", boxRows(l.list), boxRows(ses.list))
	}
}

func boxRows(l *store.List) string {
	var rows []store.Row
	l.Rows(0, l.Len(), func(_ int, r store.Row) bool {
		rows = append(rows, r)
		return true
	})
	return fmt.Sprint(rows)
}
