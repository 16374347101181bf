package store

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"unsafe"
)

func TestChunkFitsItsSizeClass(t *testing.T) {
	if n := unsafe.Sizeof(chunk{}); n > 1280 {
		t.Errorf("a chunk takes %d bytes and so the allocator's next class after 1280", n)
	}
	if chunkRows+1 > 256 {
		t.Errorf("%d rows can have more flag sets than a byte can name", chunkRows)
	}
}

// Both copies of a List, the session's and the model's, have to stay within 16
// bytes a message after the load and within 24 after a storm, also where they
// share nothing.
func TestBytesPerRow(t *testing.T) {
	const n = 50_000
	apart := func(make func() *List) func() any {
		return func() any { return [2]*List{make(), make()} }
	}
	cases := []struct {
		name string
		most float64 // bytes a row that is left
		rows int
		make func() any
	}{
		{"builder, snapshot", 16, n, func() any { l := loaded(n); return [2]*List{l, l.Snapshot()} }},
		{"builder, apart", 16, n, apart(func() *List { return loaded(n) })},
		{"windows of 60", 16, n, apart(func() *List { return windows(t, n, 60) })},
		{"windows of 125", 16, n, apart(func() *List { return windows(t, n, 125) })},
		{"windows of 200", 16, n, apart(func() *List { return windows(t, n, 200) })},
		{"windows of 249", 16, n, apart(func() *List { return windows(t, n, 249) })},
		{"windows of 300", 16, n, apart(func() *List { return windows(t, n, 300) })},
		{"windows of 500", 16, n, apart(func() *List { return windows(t, n, 500) })},
		{"windows of 300, rows downwards", 16, n, apart(func() *List { return windowsDown(t, n, 300) })},
		{"windows of 300 in no order", 16, n, apart(func() *List { return windowsShuffled(t, n, 300) })},
		{"storm of a tenth", 24, n - n/10, apart(func() *List { return stormed(t, n, n/10) })},
		{"storm of half", 24, n / 2, apart(func() *List { return stormed(t, n, n/2) })},
		{"storm of nine tenths", 24, n / 10, apart(func() *List { return stormed(t, n, n/10*9) })},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			per := float64(heapOf(c.make)) / float64(c.rows)
			t.Logf("%.2f bytes a row in both copies", per)
			if per > c.most {
				t.Errorf("%.2f bytes a row in both copies, want at most %.0f", per, c.most)
			}
		})
	}
}

// windowsDown is windows from the oldest on, each filled from its end.
func windowsDown(t testing.TB, n, w int) *List {
	l := new(List)
	must(t, l, Change{Kind: Exists, N: uint32(n)})
	for lo := 0; lo < n; lo += w {
		for i := min(lo+w, n) - 1; i >= lo; i-- {
			must(t, l, Change{Kind: Fill, Seq: uint32(i) + 1, UID: 2*UID(i) + 1, Flags: someFlags[i%len(someFlags)]})
		}
	}
	return l
}

// windowsShuffled is windows in no order, as someone who jumps about asks.
func windowsShuffled(t testing.TB, n, w int) *List {
	l := new(List)
	must(t, l, Change{Kind: Exists, N: uint32(n)})
	for _, k := range rand.New(rand.NewPCG(5, 6)).Perm((n + w - 1) / w) {
		for i := k * w; i < min(k*w+w, n); i++ {
			must(t, l, Change{Kind: Fill, Seq: uint32(i) + 1, UID: 2*UID(i) + 1, Flags: someFlags[i%len(someFlags)]})
		}
	}
	return l
}

func stormed(t testing.TB, n, gone int) *List {
	l := loaded(n)
	rng := rand.New(rand.NewPCG(5, 6))
	for range gone {
		must(t, l, Change{Kind: Expunge, Seq: 1 + rng.Uint32N(uint32(l.Len()))})
	}
	return l
}

func TestUnknownRowsCostNothing(t *testing.T) {
	for _, n := range []int{100_000, maxRows} {
		got := heapOf(func() any {
			l := new(List)
			must(t, l, Change{Kind: Exists, N: uint32(n)})
			for i := n - 60; i < n; i++ {
				must(t, l, Change{Kind: Fill, Seq: uint32(i) + 1, UID: UID(i) + 1, Flags: NoFlags})
			}
			return l
		})
		if got > 8<<10 {
			t.Errorf("%d messages, 60 of them known: %d bytes, want at most 8 KiB", n, got)
		}
	}
}

// Rows that are learnt here and there must not cost a chunk each.
func TestScatteredRowsCostNoMoreThanAll(t *testing.T) {
	const n = 60_000
	for _, every := range []int{2, 3, 100, 124, 247, 300} {
		for _, order := range []string{"up", "down", "shuffled"} {
			t.Run(fmt.Sprint(every, " ", order), func(t *testing.T) {
				var rows []int
				for i := 0; i < n; i += every {
					rows = append(rows, i)
				}
				switch order {
				case "down":
					for i, j := 0, len(rows)-1; i < j; i, j = i+1, j-1 {
						rows[i], rows[j] = rows[j], rows[i]
					}
				case "shuffled":
					rand.New(rand.NewPCG(7, 8)).Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
				}
				l := new(List)
				must(t, l, Change{Kind: Exists, N: n})
				for _, i := range rows {
					must(t, l, Change{Kind: Fill, Seq: uint32(i) + 1, UID: UID(i) + 1, Flags: NoFlags})
				}
				sound(t, l)
				chunks := 0
				for _, r := range l.refs {
					for _, e := range r.p.entries {
						if e.c != nil {
							chunks++
						}
					}
				}
				if most := 2*n/chunkRows + 2*len(l.refs); chunks > most {
					t.Errorf("%d rows of %d known: %d chunks, want at most %d", len(rows), n, chunks, most)
				}
			})
		}
	}
}

// A server that claims the largest mailbox and describes messages far apart
// must not cost more than a mailbox of that size does.
func TestScatteredLiesAreBounded(t *testing.T) {
	const claimed, told = maxRows, 20_000
	got := heapOf(func() any {
		l := new(List)
		must(t, l, Change{Kind: Exists, N: claimed})
		for i := range told {
			must(t, l, Change{Kind: Fill, Seq: uint32(i*(claimed/told)) + 1, UID: UID(i) + 1})
		}
		return l
	})
	// A row of a full load costs 5.5 bytes; each lie is one chunk and its place.
	full := float64(claimed) * 5.5
	t.Logf("%d bytes for %d rows told of", got, told)
	if most := full * told / (claimed / chunkRows); float64(got) > 1.2*most {
		t.Errorf("%d bytes for %d rows, want at most %.0f", got, told, 1.2*most)
	}
	if full > 100<<20 {
		t.Errorf("the largest list costs %.0f bytes", full)
	}
}

// What one expunge has to look at and to move, counted: spans passed on the way
// to the row, and rows moved up, eight to a cache line of UIDs and so an eighth
// of a span each. It may grow sixfold from a thousand messages to a million.
func TestExpungeWorkGrowth(t *testing.T) {
	work := func(n int) float64 {
		l := stormed(t, n, n/10) // not fresh from the Builder
		rng := rand.New(rand.NewPCG(9, 10))
		total := 0.0
		const tries = 2000
		for range tries {
			i := rng.IntN(l.Len())
			ri, ei, off := l.locate(i)
			passed := 2
			if i > l.Len()/2 {
				passed += len(l.refs) - 1 - ri + len(l.refs[ri].p.entries) - 1 - ei
			} else {
				passed += ri + ei
			}
			total += float64(passed) + float64(int(l.refs[ri].p.entries[ei].n)-off)/8
		}
		return total / tries
	}
	small := work(1_000)
	for _, n := range sizes[1:] {
		growth := work(n) / small
		t.Logf("%d messages: %.1f times the work of 1,000", n, growth)
		if growth > 6 {
			t.Errorf("an expunge of %d messages is %.1f times the work of one of 1,000, want at most 6", n, growth)
		}
	}
}

func TestSteadyChangesAllocateNothing(t *testing.T) {
	l := loaded(100_000)
	rng := rand.New(rand.NewPCG(11, 12))
	n := uint32(l.Len())
	got := testing.AllocsPerRun(1000, func() {
		must(t, l, Change{Kind: Expunge, Seq: 1 + rng.Uint32N(n)})
		n--
		must(t, l, Change{Kind: SetFlags, Seq: 1 + rng.Uint32N(n), Flags: someFlags[rng.IntN(len(someFlags))]})
		l.Find(UID(rng.Uint32N(200_000)))
		l.Row(rng.IntN(int(n)))
	})
	if got > 0 {
		t.Errorf("%v allocations for an expunge, a flag change, a find and a read", got)
	}
	s := l.Snapshot() // the first write after it copies, the second does not
	seen := NoFlags
	write := func() {
		seen ^= Seen
		must(t, s, Change{Kind: SetFlags, Seq: 500, Flags: seen})
	}
	write()
	write() // both sets are in the palette now
	if got := testing.AllocsPerRun(1000, write); got > 0 {
		t.Errorf("%v allocations for a flag change long after a Snapshot", got)
	}
}

func TestSnapshotCopiesNoRow(t *testing.T) {
	l := loaded(1_000_000)
	var s *List
	if got := heapOf(func() any { s = l.Snapshot(); return s }); got > 16<<10 {
		t.Errorf("a snapshot of a million rows takes %d bytes", got)
	}
	// The first write after it copies a page and a chunk.
	if got := heapOf(func() any {
		must(t, s, Change{Kind: Expunge, Seq: 500_000})
		return s
	}); got > 16<<10 {
		t.Errorf("the first expunge after a snapshot takes %d bytes", got)
	}
	if l.Len() != 1_000_000 || s.Len() != 999_999 {
		t.Errorf("%d and %d rows", l.Len(), s.Len())
	}
}
