package imapsession

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"tidings/store"
)

// Events of a few letters: what the tests below put and read.
func letter(s string) Event {
	kind, n := s[0], uint32(0)
	fmt.Sscan(s[1:], &n)
	switch kind {
	case 'e': // an expunge
		return ListEvent{Change: store.Change{Kind: store.Expunge, Seq: n}}
	case 'f': // \Seen is set
		return ListEvent{Change: store.Change{Kind: store.SetFlags, Seq: n, Flags: store.Seen | store.NoFlags}}
	case 'g': // \Seen is cleared
		return ListEvent{Change: store.Change{Kind: store.SetFlags, Seq: n, Flags: store.NoFlags}}
	case 'u': // \Seen is set, and the UID said
		return ListEvent{Change: store.Change{Kind: store.SetFlags, Seq: n, UID: 77, Flags: store.Seen | store.NoFlags}}
	case 'r': // a result
		return ResultEvent{ID: CommandID(n)}
	case 'S': // a Resync of the session's own
		return ResyncEvent{Epoch: n, Arrived: 1}
	}
	panic(s)
}

func letters(evs []Event) string {
	var out []string
	for _, ev := range evs {
		switch ev := ev.(type) {
		case ListEvent:
			kind := "e"
			switch {
			case ev.Change.Kind == store.Expunge:
			case ev.Change.UID != 0:
				kind = "u"
			case ev.Change.Flags.Has(store.Seen):
				kind = "f"
			default:
				kind = "g"
			}
			out = append(out, fmt.Sprint(kind, ev.Change.Seq))
		case ResultEvent:
			out = append(out, fmt.Sprint("r", ev.ID))
		case ResyncEvent:
			kind := "R" // made for an overflow
			if ev.Arrived > 0 {
				kind = "S"
			}
			out = append(out, fmt.Sprint(kind, ev.Epoch))
		default:
			out = append(out, fmt.Sprintf("%T", ev))
		}
	}
	return strings.Join(out, " ")
}

func TestBoxOverflow(t *testing.T) {
	cases := []struct {
		name     string
		put, out string // a number alone takes so many events out first
	}{
		{"as many as may wait", "e1 e2 e3", "e1 e2 e3"},
		{"one more", "e1 e2 e3 e4", "R100"},
		{"stands where the first stood, and nothing else is lost", "r1 e1 r2 e2 e3 r3 e4 r4", "r1 R100 r2 r3 r4"},
		{"other events do not count", "r1 r2 r3 r4 r5 e1", "r1 r2 r3 r4 r5 e1"},
		{"what comes after goes on", "e1 e2 e3 e4 e5 r1 e6", "R100 e5 r1 e6"},
		{"a second overflow takes the first one's place", "r1 e1 e2 e3 e4 r2 e5 e6 e7 e8 r3", "r1 R101 r2 r3"},
		{"what was taken out does not count", "e1 e2 e3 2 e4 e5", "e3 e4 e5"},
		{"a Resync that was taken out is not replaced", "e1 e2 e3 e4 1 e5 r1 e6 e7 e8", "R101 r1"},
		{"a Resync of the session's own suffices", "e1 r1 e2 S7 e3 e4", "S7 r1 e3 e4"},
		{"and counts no further", "e1 S7 e2 e3 e4 e5", "S7 R100"},
		{"several keep their order", "r1 e1 S7 r2 e2 S8 e3 r3 e4", "r1 S7 S8 r2 e3 r3 e4"},
		{"with too many after them", "e1 S7 e2 S8 r1 e3 e4 e5 e6 r2", "S7 S8 r1 R100 r2"},
		{"one's own after an overflow", "e1 e2 e3 e4 r1 S7 e5 e6 e7 e8", "R100 r1 S7 R101"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			epoch := uint32(99)
			b := newBox(3, func() ResyncEvent {
				epoch++
				return ResyncEvent{Epoch: epoch}
			})
			for s := range strings.FieldsSeq(c.put) {
				var n int
				if _, err := fmt.Sscan(s, &n); err == nil {
					if _, err := b.Next(t.Context(), n); err != nil {
						t.Fatal(err)
					}
					continue
				}
				b.Put(letter(s))
			}
			waits := b.Pending()
			evs, err := b.Next(t.Context(), 0)
			if err != nil {
				t.Fatal(err)
			}
			if got := letters(evs); got != c.out {
				t.Errorf("%q, want %q", got, c.out)
			}
			if waits != len(evs) || b.Pending() != 0 {
				t.Errorf("Pending %d before %d events and %d after", waits, len(evs), b.Pending())
			}
		})
	}
}

func TestBoxMergesFlagsOfNeighbours(t *testing.T) {
	for put, want := range map[string]string{
		"f1 g1":          "g1",
		"f1 g1 f1":       "f1",
		"f1 f2 g1":       "f1 f2 g1",
		"f1 r1 g1":       "f1 r1 g1",
		"f1 e1 g1":       "f1 e1 g1",
		"f1 S1 g1":       "f1 S1 g1",
		"u1 g1":          "u1 g1", // the UID may be news
		"u1 u1":          "u1",
		"e1 e1":          "e1 e1",
		"f1 g1 f2 g2 e1": "g1 g2 e1",
	} {
		b := NewBox(nil)
		for s := range strings.FieldsSeq(put) {
			b.Put(letter(s))
		}
		evs, err := b.Next(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := letters(evs); got != want {
			t.Errorf("%q gives %q, want %q", put, got, want)
		}
	}
}

func TestBoxLimitIsAsPromised(t *testing.T) {
	resyncs := 0
	b := NewBox(func() ResyncEvent { resyncs++; return ResyncEvent{} })
	for i := range 8192 {
		b.Put(letter(fmt.Sprint("e", i)))
	}
	if resyncs != 0 || b.Pending() != 8192 {
		t.Errorf("%d Resyncs and %d events after 8,192 list events", resyncs, b.Pending())
	}
	b.Put(letter("e1"))
	if resyncs != 1 || b.Pending() != 1 {
		t.Errorf("%d Resyncs and %d events after one more", resyncs, b.Pending())
	}
}

func TestBoxLimitOfNext(t *testing.T) {
	b := NewBox(nil)
	for i := range 10 {
		b.Put(letter(fmt.Sprint("r", i)))
	}
	for _, want := range []string{"r0 r1 r2", "r3 r4 r5", "r6 r7 r8", "r9"} {
		evs, err := b.Next(t.Context(), 3)
		if err != nil {
			t.Fatal(err)
		}
		if got := letters(evs); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestBoxNextWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBox(nil)
		ctx, cancel := context.WithCancel(t.Context())
		got := make(chan string, 1)
		next := func() {
			evs, err := b.Next(ctx, 0)
			if errors.Is(err, context.Canceled) {
				got <- "canceled"
				return
			}
			got <- letters(evs)
		}
		go next()
		synctest.Wait()
		select {
		case s := <-got:
			t.Fatalf("Next of an empty Box gives %q", s)
		default:
		}
		b.Put(letter("r1"))
		synctest.Wait()
		if s := <-got; s != "r1" {
			t.Errorf("%q, want r1", s)
		}
		go next()
		synctest.Wait()
		cancel()
		synctest.Wait()
		if s := <-got; s != "canceled" {
			t.Errorf("%q, want an end with the context", s)
		}
		// A listener that has ended takes nothing.
		b.Put(letter("r2"))
		if _, err := b.Next(ctx, 0); !errors.Is(err, context.Canceled) || b.Pending() != 1 {
			t.Errorf("%v, %d wait", err, b.Pending())
		}
	})
}

// A session and a listener on two goroutines: every event that is no list
// event comes, in order, and the lists end equal.
func TestBoxBetweenGoroutines(t *testing.T) {
	const rounds = 20_000
	list := new(store.List)
	epoch := uint32(0)
	resync := func() ResyncEvent {
		epoch++
		return ResyncEvent{Epoch: epoch, List: list.Snapshot()}
	}
	b := newBox(50, resync)
	done := make(chan *store.List)
	go func() {
		mine, at, results := new(store.List), uint32(0), 0
		defer func() { done <- mine }()
		for results < rounds/10 {
			evs, err := b.Next(t.Context(), 1+results%40)
			if err != nil {
				t.Error(err)
				return
			}
			for _, ev := range evs {
				switch ev := ev.(type) {
				case ResyncEvent:
					mine, at = ev.List, ev.Epoch
				case ListEvent:
					if ev.Epoch != at {
						continue
					}
					if _, err := mine.Apply(ev.Change); err != nil {
						t.Error(err)
						return
					}
				case ResultEvent:
					if results++; ev.ID != CommandID(results) {
						t.Errorf("result %d came as number %d", ev.ID, results)
						return
					}
				}
			}
		}
	}()
	b.Put(resync())
	rng := rand.New(rand.NewPCG(1, 2))
	uid := store.UID(0)
	for i := range rounds {
		var c store.Change
		switch n := uint32(list.Len()); {
		case n < 100 || rng.IntN(3) == 0:
			c = store.Change{Kind: store.Exists, N: n + 1}
		case list.Tail() < list.Len():
			uid++
			c = store.Change{Kind: store.Fill, Seq: uint32(list.Tail()) + 1, UID: uid, Flags: store.NoFlags}
		default:
			c = store.Change{Kind: store.Expunge, Seq: 1 + rng.Uint32N(n)}
		}
		if _, err := list.Apply(c); err != nil {
			t.Fatal(err)
		}
		b.Put(ListEvent{Epoch: epoch, Change: c})
		if i%10 == 9 {
			b.Put(ResultEvent{ID: CommandID(i/10 + 1)})
		}
	}
	if mine := <-done; !mine.Equal(list) {
		t.Error("the lists differ")
	}
}

// A Box that nobody empties does not grow with list events.
func TestBoxUnreadStaysSmall(t *testing.T) {
	list := new(store.List)
	epoch := uint32(0)
	b := newBox(100, func() ResyncEvent {
		epoch++
		return ResyncEvent{Epoch: epoch, List: list.Snapshot()}
	})
	for range 100_000 {
		c := store.Change{Kind: store.Exists, N: uint32(list.Len()) + 1}
		if _, err := list.Apply(c); err != nil {
			t.Fatal(err)
		}
		b.Put(ListEvent{Epoch: epoch, Change: c})
	}
	if n := b.Pending(); n > 101 {
		t.Errorf("%d events wait", n)
	}
	if n := cap(b.queue); n > 1000 {
		t.Errorf("room for %d events", n)
	}
}

// The index of the Box's own Resync has to follow when the queue moves down.
func TestBoxOverflowAfterMovingDown(t *testing.T) {
	for results := range 40 {
		epoch := uint32(0)
		b := newBox(3, func() ResyncEvent { epoch++; return ResyncEvent{Epoch: epoch} })
		var want []Event
		put := func(s string) {
			ev := letter(s)
			if _, ok := ev.(ResultEvent); ok {
				want = append(want, ev)
			}
			b.Put(ev)
		}
		var got []Event
		take := func(n int) {
			evs, err := b.Next(t.Context(), n)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, evs...)
		}
		for i := range results {
			put(fmt.Sprint("r", i))
		}
		for range 4 {
			put("e1")
		}
		if results > 0 {
			take(results) // the Resync comes next
		}
		for i := range 2 * results {
			put(fmt.Sprint("r", 100+i)) // makes the queue move down on the way
		}
		for range 4 {
			put("e1")
		}
		take(0)
		resyncs := 0
		got = slices.DeleteFunc(got, func(ev Event) bool {
			_, ok := ev.(ResyncEvent)
			if ok {
				resyncs++
			}
			return ok
		})
		if letters(got) != letters(want) || resyncs != 1 {
			t.Fatalf("%d results first: %q and %d Resyncs, want %q and one", results, letters(got), resyncs, letters(want))
		}
	}
}

func TestBoxAllocatesOncePerBatch(t *testing.T) {
	b := NewBox(nil)
	ev := letter("e1")
	batch := func() {
		for range 80 {
			b.Put(ev)
		}
		if evs, err := b.Next(t.Context(), 0); err != nil || len(evs) != 80 {
			t.Fatal(len(evs), err)
		}
	}
	batch()
	if got := testing.AllocsPerRun(100, batch); got > 1 {
		t.Errorf("%v allocations for 80 events in one batch, want the batch alone", got)
	}
}

func BenchmarkBox(b *testing.B) {
	b.ReportAllocs()
	box := NewBox(nil)
	ctx := b.Context()
	i := uint32(0)
	for b.Loop() {
		i++
		box.Put(ListEvent{Change: store.Change{Kind: store.Expunge, Seq: i}})
		if i%80 == 0 {
			if _, err := box.Next(ctx, 2048); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkStorm: 100,000 expunges of a million messages, as a session applies
// and puts them and a listener takes and applies them, a batch per 2,048.
func BenchmarkStorm(b *testing.B) {
	uids := make([]store.UID, 1_000_000)
	for i := range uids {
		uids[i] = store.UID(i) + 1
	}
	full, err := store.FromUIDs(uids)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		list, mine, epoch := full.Snapshot(), full.Snapshot(), uint32(0)
		box := NewBox(func() ResyncEvent { epoch++; return ResyncEvent{Epoch: epoch, List: list.Snapshot()} })
		at := epoch
		take := func() {
			evs, err := box.Next(b.Context(), 2048)
			if err != nil {
				b.Fatal(err)
			}
			for _, ev := range evs {
				switch ev := ev.(type) {
				case ResyncEvent:
					mine, at = ev.List, ev.Epoch
				case ListEvent:
					if ev.Epoch != at {
						continue
					}
					if _, err := mine.Apply(ev.Change); err != nil {
						b.Fatal(err)
					}
				}
			}
		}
		rng := rand.New(rand.NewPCG(3, 4))
		for range 100_000 {
			c := store.Change{Kind: store.Expunge, Seq: 1 + rng.Uint32N(uint32(list.Len()))}
			if _, err := list.Apply(c); err != nil {
				b.Fatal(err)
			}
			box.Put(ListEvent{Epoch: epoch, Change: c})
			if box.Pending() >= 2048 {
				take()
			}
		}
		for box.Pending() > 0 {
			take()
		}
		if !mine.Equal(list) {
			b.Fatal("the lists differ")
		}
	}
}
