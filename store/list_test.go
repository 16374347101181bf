package store

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

// known makes a List of rows with these UIDs, 0 being an unknown one, and
// without flags set.
func known(t testing.TB, uids ...UID) *List {
	t.Helper()
	var b Builder
	for _, u := range uids {
		var err error
		if u == 0 {
			err = b.AddUnknown(1)
		} else {
			err = b.Add(Row{u, NoFlags})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return b.List()
}

func uids(l *List) []UID {
	us := []UID{}
	l.Rows(0, l.Len(), func(_ int, r Row) bool {
		us = append(us, r.UID)
		return true
	})
	return us
}

func TestApply(t *testing.T) {
	cases := []struct {
		name   string
		before []UID
		change Change
		after  []UID // nil: ErrDesync
		want   Applied
	}{
		{"exists extends", []UID{5}, Change{Kind: Exists, N: 3}, []UID{5, 0, 0}, Applied{Index: 1, Count: 2}},
		{"exists says the same again", []UID{5}, Change{Kind: Exists, N: 1}, []UID{5}, Applied{Index: 1}},
		{"exists shrinks", []UID{5, 6}, Change{Kind: Exists, N: 1}, nil, Applied{}},
		{"exists is absurd", []UID{5}, Change{Kind: Exists, N: 1<<32 - 1}, nil, Applied{}},
		{"expunge a known row", []UID{5, 6, 7}, Change{Kind: Expunge, Seq: 2}, []UID{5, 7}, Applied{Index: 1, Old: Row{6, NoFlags}, Count: 1}},
		{"expunge an unknown row", []UID{5, 0, 7}, Change{Kind: Expunge, Seq: 2}, []UID{5, 7}, Applied{Index: 1, Count: 1}},
		{"expunge 0", []UID{5}, Change{Kind: Expunge}, nil, Applied{}},
		{"expunge past the end", []UID{5}, Change{Kind: Expunge, Seq: 2}, nil, Applied{}},
		{"expunge in an empty mailbox", nil, Change{Kind: Expunge, Seq: 1}, nil, Applied{}},
		{"fill", []UID{5, 0, 9}, Change{Kind: Fill, Seq: 2, UID: 7, Flags: Seen | NoFlags}, []UID{5, 7, 9}, Applied{Index: 1, New: Row{7, Seen | NoFlags}}},
		{"fill says the same again", []UID{5}, Change{Kind: Fill, Seq: 1, UID: 5}, []UID{5}, Applied{Old: Row{5, NoFlags}, New: Row{5, NoFlags}}},
		{"fill another UID", []UID{5}, Change{Kind: Fill, Seq: 1, UID: 6}, nil, Applied{}},
		{"fill no UID", []UID{0}, Change{Kind: Fill, Seq: 1}, nil, Applied{}},
		{"fill below the row before", []UID{5, 0}, Change{Kind: Fill, Seq: 2, UID: 4}, nil, Applied{}},
		{"fill above the row after", []UID{0, 5}, Change{Kind: Fill, Seq: 1, UID: 6}, nil, Applied{}},
		{"fill a UID twice", []UID{5, 0}, Change{Kind: Fill, Seq: 2, UID: 5}, nil, Applied{}},
		{"fill far above a known row", []UID{5, 0, 0, 8, 0}, Change{Kind: Fill, Seq: 2, UID: 9}, nil, Applied{}},
		{"fill far below a known row", []UID{0, 5, 0, 0, 8}, Change{Kind: Fill, Seq: 4, UID: 4}, nil, Applied{}},
		{"set flags", []UID{5}, Change{Kind: SetFlags, Seq: 1, Flags: Seen | NoFlags}, []UID{5}, Applied{Old: Row{5, NoFlags}, New: Row{5, Seen | NoFlags}}},
		{"set flags with the UID", []UID{5}, Change{Kind: SetFlags, Seq: 1, UID: 5, Flags: Seen | NoFlags}, []UID{5}, Applied{Old: Row{5, NoFlags}, New: Row{5, Seen | NoFlags}}},
		{"set flags with another UID", []UID{5}, Change{Kind: SetFlags, Seq: 1, UID: 6, Flags: NoFlags}, nil, Applied{}},
		{"set flags that are not known", []UID{5}, Change{Kind: SetFlags, Seq: 1}, []UID{5}, Applied{Old: Row{5, NoFlags}, New: Row{5, NoFlags}}},
		{"set flags of an unknown row", []UID{0}, Change{Kind: SetFlags, Seq: 1, Flags: NoFlags}, []UID{0}, Applied{}},
		{"set flags of an unknown row with the UID", []UID{5, 0}, Change{Kind: SetFlags, Seq: 2, UID: 6, Flags: NoFlags}, []UID{5, 6}, Applied{Index: 1, New: Row{6, NoFlags}}},
		{"set flags with a UID out of order", []UID{5, 0}, Change{Kind: SetFlags, Seq: 2, UID: 4, Flags: NoFlags}, nil, Applied{}},
		{"vanished known", []UID{5, 0, 9}, Change{Kind: Vanished, UID: 9}, []UID{5, 0}, Applied{Index: 2, Old: Row{9, NoFlags}, Count: 1}},
		{"vanished between", []UID{5, 0, 0, 9}, Change{Kind: Vanished, UID: 7}, []UID{5, 0, 9}, Applied{Index: 2, Count: 1}},
		{"vanished below all", []UID{0, 5}, Change{Kind: Vanished, UID: 1}, []UID{5}, Applied{Count: 1}},
		{"vanished above all", []UID{5, 0}, Change{Kind: Vanished, UID: 8}, []UID{5}, Applied{Index: 1, Count: 1}},
		{"vanished with nothing known", []UID{0, 0}, Change{Kind: Vanished, UID: 8}, []UID{0}, Applied{Index: 1, Count: 1}},
		{"vanished where no row is unknown", []UID{5, 9, 0}, Change{Kind: Vanished, UID: 7}, nil, Applied{}},
		{"vanished above all where no row is unknown", []UID{0, 5}, Change{Kind: Vanished, UID: 7}, nil, Applied{}},
		{"vanished 0", []UID{0}, Change{Kind: Vanished}, nil, Applied{}},
		{"vanished from an empty mailbox", nil, Change{Kind: Vanished, UID: 1}, nil, Applied{}},
		{"no change", []UID{5}, Change{}, nil, Applied{}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			l := known(t, c.before...)
			got, err := l.Apply(c.change)
			want := c.after
			if c.after == nil {
				if !errors.Is(err, ErrDesync) {
					t.Errorf("%v, want ErrDesync", err)
				}
				want = c.before
			} else if err != nil {
				t.Error(err)
			}
			if got != c.want {
				t.Errorf("Applied %+v, want %+v", got, c.want)
			}
			if after := uids(l); !slices.Equal(after, want) {
				t.Errorf("the list is %v, want %v", after, want)
			}
			sound(t, l)
		})
	}
}

// A List of many pages against a flat slice, with storms and refills that
// empty pages, join them and split them again.
func TestLargeListAgainstFlatSlice(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 22))
	l := new(List)
	var flat []Row
	rows := 100_000
	apply := func(c Change) {
		t.Helper()
		if _, err := l.Apply(c); err != nil {
			t.Fatal(err)
		}
	}
	exists := func(n int) {
		apply(Change{Kind: Exists, N: uint32(n)})
		flat = append(flat, make([]Row, n-len(flat))...)
	}
	compare := func() {
		t.Helper()
		sound(t, l)
		i := 0
		l.Rows(0, l.Len(), func(at int, r Row) bool {
			if at != i || i >= len(flat) || r != flat[i] {
				t.Fatalf("row %d of %d is %v, want row %d of %d", at, l.Len(), r, i, len(flat))
			}
			i++
			return true
		})
		if i != len(flat) || l.Len() != i {
			t.Fatalf("%d rows, Len %d, want %d", i, l.Len(), len(flat))
		}
		for range 1000 {
			i := rng.IntN(len(flat))
			if r := l.Row(i); r != flat[i] {
				t.Fatalf("row %d is %v, want %v", i, r, flat[i])
			} else if r.UID != 0 {
				if at, ok := l.Find(r.UID); at != i || !ok {
					t.Fatalf("UID %d is found at %d, %v, want %d", r.UID, at, ok, i)
				}
			}
		}
	}
	exists(rows)
	// Scattered rows first, in no order, so that pages fill with short entries.
	for range rows / 100 {
		i := rng.IntN(rows)
		r := Row{UID(i) + 1, someFlags[rng.IntN(len(someFlags))]}
		apply(Change{Kind: Fill, Seq: uint32(i) + 1, UID: r.UID, Flags: r.Flags})
		flat[i] = r
	}
	compare()
	kept := l.Snapshot()
	keptFlat := slices.Clone(flat)
	for range 20 {
		switch rng.IntN(3) {
		case 0: // a stretch goes
			lo := rng.IntN(len(flat))
			hi := min(lo+rng.IntN(rows/8), len(flat))
			for range hi - lo {
				apply(Change{Kind: Expunge, Seq: uint32(lo) + 1})
			}
			flat = slices.Delete(flat, lo, hi)
		case 1: // single rows go
			for range 200 {
				i := rng.IntN(len(flat))
				apply(Change{Kind: Expunge, Seq: uint32(i) + 1})
				flat = slices.Delete(flat, i, i+1)
			}
		case 2: // a stretch of unknown rows is learnt
			lo := rng.IntN(len(flat))
			below, above := UID(0), UID(0)
			for i := lo - 1; i >= 0 && below == 0; i-- {
				below = flat[i].UID
			}
			hi := lo
			for hi < len(flat) && flat[hi].UID == 0 {
				hi++
			}
			if above = UID(3 * rows); hi < len(flat) {
				above = flat[hi].UID
			}
			for i := lo; i < min(hi, lo+3000) && below+1 < above; i++ {
				below++
				flat[i] = Row{below, NoFlags}
				apply(Change{Kind: Fill, Seq: uint32(i) + 1, UID: below, Flags: NoFlags})
			}
		}
		if len(flat) < rows/2 {
			exists(rows)
		}
		compare()
		entries := 0
		for _, r := range l.refs {
			entries += len(r.p.entries)
		}
		if len(l.refs) > 2+entries/20 {
			t.Fatalf("%d pages for %d entries", len(l.refs), entries)
		}
	}
	for l.Len() > 1 {
		apply(Change{Kind: Expunge, Seq: uint32(1 + rng.IntN(l.Len()))})
	}
	sound(t, l)
	if len(l.refs) != 1 || len(l.refs[0].p.entries) != 1 {
		t.Errorf("one row is left on %d pages", len(l.refs))
	}
	l, flat = kept, keptFlat
	compare()
}

func TestSnapshotsMayPartToGoroutines(t *testing.T) {
	l := loaded(50_000)
	lists := []*List{l}
	for range 3 {
		lists = append(lists, l.Snapshot())
	}
	done := make(chan struct{})
	for k, l := range lists { // each goes its own way; -race watches
		go func() {
			defer func() { done <- struct{}{} }()
			rng := rand.New(rand.NewPCG(uint64(k), 0))
			for range 2000 {
				l.Apply(Change{Kind: Expunge, Seq: 1 + rng.Uint32N(uint32(l.Len()))})
				l.Apply(Change{Kind: SetFlags, Seq: 1 + rng.Uint32N(uint32(l.Len())), Flags: Flagged | NoFlags})
				l = l.Snapshot()
			}
		}()
	}
	for range lists {
		<-done
	}
	for k, l := range lists {
		sound(t, l)
		if l.Len() < 48_000 {
			t.Errorf("list %d has %d rows", k, l.Len())
		}
	}
}

// A chunk keeps what was cut off it beyond its rows; that must not come back
// when unknown rows take the place.
func TestRowsThatWentStayGone(t *testing.T) {
	l := new(List)
	must(t, l, Change{Kind: Exists, N: 400})
	fill := func(from, to int) { // UID = sequence number
		for i := from; i <= to; i++ {
			must(t, l, Change{Kind: Fill, Seq: uint32(i), UID: UID(i), Flags: Seen | NoFlags})
		}
	}
	fill(1, 210)
	fill(350, 400)
	for seq := uint32(210); seq > 200; seq-- {
		must(t, l, Change{Kind: Expunge, Seq: seq})
	}
	if chunks := len(l.refs[0].p.entries); chunks != 3 {
		t.Fatalf("%d entries, the test wants a run between two chunks", chunks)
	}
	for range 140 { // of the unknown rows, until one chunk holds it all
		must(t, l, Change{Kind: Expunge, Seq: 201})
		sound(t, l)
	}
	l.Forget(0, 3)
	for i := 1; i <= 3; i++ {
		must(t, l, Change{Kind: Expunge, Seq: uint32(l.Len())})
	}
	must(t, l, Change{Kind: Exists, N: uint32(l.Len()) + 3})
	must(t, l, Change{Kind: Fill, Seq: uint32(l.Len()), UID: 500, Flags: NoFlags})
	for i := range l.Len() {
		want := Row{}
		switch {
		case i == l.Len()-1:
			want = Row{500, NoFlags}
		case i >= 3 && i < 200:
			want = Row{UID(i) + 1, Seen | NoFlags}
		case i >= 200 && i < l.Len()-3 && l.Row(i).UID != 0:
			want = Row{UID(400 - (l.Len() - 4 - i) - 3), Seen | NoFlags}
		}
		if got := l.Row(i); got != want {
			t.Errorf("row %d of %d is %v, want %v", i, l.Len(), got, want)
		}
	}
	sound(t, l)
}

// However the windows of a load fall, and whoever else holds a snapshot
// meanwhile: the rows are what the FETCHes said.
func TestLoadByWindows(t *testing.T) {
	rng := rand.New(rand.NewPCG(41, 42))
	for range 30 {
		n := 1 + rng.IntN(20_000)
		flat := make([]Row, n)
		l := new(List)
		must(t, l, Change{Kind: Exists, N: uint32(n)})
		size := 1 + rng.IntN(600)
		var starts []int
		for lo := 0; lo < n; lo += size {
			starts = append(starts, lo)
		}
		switch rng.IntN(3) {
		case 0:
			slices.Reverse(starts)
		case 1:
			rng.Shuffle(len(starts), func(i, j int) { starts[i], starts[j] = starts[j], starts[i] })
		}
		down := rng.IntN(2) == 0
		var kept *List
		var keptFlat []Row
		for k, lo := range starts {
			hi := min(lo+size, n)
			for j := range hi - lo {
				i := lo + j
				if down {
					i = hi - 1 - j
				}
				flat[i] = Row{UID(i) + 1, someFlags[rng.IntN(len(someFlags))]}
				must(t, l, Change{Kind: Fill, Seq: uint32(i) + 1, UID: flat[i].UID, Flags: flat[i].Flags})
			}
			if k == len(starts)/2 {
				kept, keptFlat = l.Snapshot(), slices.Clone(flat)
			}
		}
		same := func(l *List, flat []Row) {
			t.Helper()
			sound(t, l)
			l.Rows(0, n, func(i int, r Row) bool {
				if r != flat[i] {
					t.Fatalf("windows of %d: row %d is %v, want %v", size, i, r, flat[i])
				}
				return true
			})
		}
		same(l, flat)
		same(kept, keptFlat)
	}
}

func TestBuilder(t *testing.T) {
	var b Builder
	for _, bad := range []UID{0, 3, 2} {
		if bad == 3 {
			if err := b.Add(Row{3, NoFlags}); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Add(Row{UID: bad}); !errors.Is(err, ErrDesync) {
			t.Errorf("UID %d: %v, want ErrDesync", bad, err)
		}
	}
	for _, n := range []int{-1, maxRows} {
		if err := b.AddUnknown(n); !errors.Is(err, ErrDesync) {
			t.Errorf("%d unknown rows: %v, want ErrDesync", n, err)
		}
	}
	if err := b.AddUnknown(2); err != nil {
		t.Fatal(err)
	}
	if err := b.Add(Row{9, Seen | NoFlags}); err != nil {
		t.Fatal(err)
	}
	l := b.List()
	if got, want := uids(l), []UID{3, 0, 0, 9}; !slices.Equal(got, want) {
		t.Errorf("built %v, want %v", got, want)
	}
	if err := b.Add(Row{UID: 1}); err != nil {
		t.Errorf("the Builder does not start anew: %v", err)
	}
	if l.Len() != 4 {
		t.Errorf("the Builder writes a List that it gave away")
	}
}

func TestFromUIDs(t *testing.T) {
	want := []UID{2, 3, 70_000, 4_000_000_000}
	l, err := FromUIDs(want)
	if err != nil {
		t.Fatal(err)
	}
	if got := l.UIDs(0, l.Len()); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if f := l.Row(1).Flags; f.Known() {
		t.Errorf("flags %v are known", f)
	}
	if _, err := FromUIDs([]UID{2, 2}); !errors.Is(err, ErrDesync) {
		t.Errorf("a UID twice: %v, want ErrDesync", err)
	}
}

func TestForgetKeepsSnapshots(t *testing.T) {
	l := loaded(10_000)
	s := l.Snapshot()
	want := s.Snapshot()
	l.Forget(-5, 4_321)
	l.Forget(9_999, 20_000)
	sound(t, l)
	if l.Len() != 10_000 || l.CountUnknown() != 4_322 || l.Tail() != 9_999 {
		t.Errorf("%d rows, %d unknown, tail %d", l.Len(), l.CountUnknown(), l.Tail())
	}
	must(t, l, Change{Kind: Expunge, Seq: 6_000})
	if !s.Equal(want) {
		t.Error("forgetting changed a snapshot")
	}
	if l.Equal(s) {
		t.Error("a list with forgotten rows equals one with them")
	}
}

// 248 rows of 300 flag sets in turn: the palette has to be cleaned.
func TestMoreFlagSetsThanAPaletteHolds(t *testing.T) {
	l := loaded(1000)
	want := make([]Flags, 1000)
	rng := rand.New(rand.NewPCG(31, 32))
	for range 20_000 {
		i, f := rng.IntN(1000), NoFlags|Flags(rng.IntN(1000))<<setShift
		must(t, l, Change{Kind: SetFlags, Seq: uint32(i) + 1, Flags: f})
		want[i] = f
	}
	s := l.Snapshot()
	for range 700 { // joins chunks of full palettes
		i := rng.IntN(l.Len())
		must(t, l, Change{Kind: Expunge, Seq: uint32(i) + 1})
		want = slices.Delete(want, i, i+1)
	}
	for i, f := range want {
		if got := l.Row(i).Flags; got != f {
			t.Fatalf("row %d has flags %x, want %x", i, got, f)
		}
	}
	sound(t, l)
	sound(t, s)
}

func TestRowOutOfRangePanics(t *testing.T) {
	for _, i := range []int{-1, 3} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Row(%d) of 3 does not panic", i)
				}
			}()
			known(t, 1, 2, 3).Row(i)
		}()
	}
}
