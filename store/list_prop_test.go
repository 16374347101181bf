package store

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// naive is a List as a flat slice: the rules and nothing else.
type naive []Row

func (m naive) find(uid UID) int {
	for i, r := range m {
		if r.UID == uid {
			return i
		}
	}
	return -1
}

// neighbours returns the highest known row below uid and the lowest above it.
func (m naive) neighbours(uid UID) (below, above int) {
	below, above = -1, len(m)
	for i, r := range m {
		if r.UID != 0 && r.UID < uid {
			below = i
		}
		if r.UID > uid && i < above {
			above = i
		}
	}
	return below, above
}

// apply returns the list after c, and ok false where c contradicts m.
func (m naive) apply(c Change) (after naive, a Applied, ok bool) {
	after = append(naive(nil), m...)
	if c.Kind == Exists {
		if int(c.N) < len(m) || c.N > maxRows {
			return m, Applied{}, false
		}
		return append(after, make(naive, int(c.N)-len(m))...), Applied{Index: len(m), Count: int(c.N) - len(m)}, true
	}
	var i int
	if c.Kind == Vanished {
		if c.UID == 0 {
			return m, Applied{}, false
		}
		if i = m.find(c.UID); i < 0 {
			below, above := m.neighbours(c.UID)
			if above-below == 1 {
				return m, Applied{}, false
			}
			i = above - 1
		}
	} else if c.Seq == 0 || int64(c.Seq) > int64(len(m)) {
		return m, Applied{}, false
	} else {
		i = int(c.Seq) - 1
	}
	old := m[i]
	switch c.Kind {
	case Expunge, Vanished:
		return append(after[:i], after[i+1:]...), Applied{Index: i, Old: old, Count: 1}, true
	case Fill:
		if c.UID == 0 {
			return m, Applied{}, false
		}
	case SetFlags:
	default:
		return m, Applied{}, false
	}
	if old.UID == 0 && c.UID != 0 {
		below, above := m.neighbours(c.UID)
		if m.find(c.UID) >= 0 || i <= below || i >= above {
			return m, Applied{}, false
		}
		after[i].UID = c.UID
	} else if c.UID != 0 && c.UID != old.UID {
		return m, Applied{}, false
	}
	if after[i].UID != 0 && c.Flags.Known() {
		after[i].Flags = c.Flags
	}
	return after, Applied{Index: i, Old: old, New: after[i]}, true
}

// check holds everything that l says against m, and l's own invariants.
func check(t *rapid.T, l *List, m naive) {
	t.Helper()
	if l.Len() != len(m) {
		t.Fatalf("Len %d, want %d", l.Len(), len(m))
	}
	known, maxUID, maxAt := 0, UID(0), -1
	for i, want := range m {
		if got := l.Row(i); got != want {
			t.Fatalf("row %d of %d is %v, want %v", i, len(m), got, want)
		}
		if want.UID != 0 {
			known++
			maxUID, maxAt = want.UID, i
			if at, ok := l.Find(want.UID); !ok || at != i {
				t.Fatalf("Find(%d) = %d, %v, want %d", want.UID, at, ok, i)
			}
		}
	}
	if l.CountKnown() != known || l.CountUnknown() != len(m)-known {
		t.Fatalf("%d known and %d unknown rows, want %d and %d", l.CountKnown(), l.CountUnknown(), known, len(m)-known)
	}
	for uid := UID(0); uid < min(maxUID, 10_000)+3; uid += 1 + min(maxUID, 10_000)/20 {
		below, above := m.neighbours(uid)
		want := uid != 0 && (m.find(uid) >= 0 || above-below > 1)
		if l.MayHold(uid) != want {
			t.Fatalf("MayHold(%d) = %v, want %v", uid, !want, want)
		}
		lo, hi := below+1, above
		if i := m.find(uid); i >= 0 {
			lo, hi = i, i
		}
		if a, b := l.Gap(uid); uid != 0 && (a != lo || b != hi) || uid == 0 && (a != 0 || b != 0) {
			t.Fatalf("Gap(%d) = [%d,%d), want [%d,%d)", uid, a, b, lo, hi)
		}
	}
	u, at, ok := l.MaxUID()
	if ok != (known > 0) || ok && (u != maxUID || at != maxAt) {
		t.Fatalf("MaxUID = %d, %d, %v, want %d, %d", u, at, ok, maxUID, maxAt)
	}
	if l.Tail() != maxAt+1 {
		t.Fatalf("Tail = %d, want %d", l.Tail(), maxAt+1)
	}
	sound(t, l)
}

type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

// sound checks the structure.
func sound(t fataler, l *List) {
	t.Helper()
	n, known := 0, 0
	for ri, r := range l.refs {
		if got := r.p.measure(); got != r.span {
			t.Fatalf("page %d: says %v, is %v", ri, r.span, got)
		}
		if len(r.p.entries) == 0 || len(r.p.entries) > pageEntries {
			t.Fatalf("page %d has %d entries", ri, len(r.p.entries))
		}
		n += int(r.n)
		known += int(r.known)
		for ei, e := range r.p.entries {
			if e.n == 0 || (e.c == nil) != (e.known == 0) {
				t.Fatalf("page %d entry %d: %d rows, %d known, chunk %v", ri, ei, e.n, e.known, e.c != nil)
			}
			if e.c != nil {
				if got := e.c.span(int(e.n)); got != e.span {
					t.Fatalf("page %d entry %d: says %v, is %v", ri, ei, e.span, got)
				}
				if e.c.palette[0] != 0 {
					t.Fatalf("page %d entry %d: palette starts with %v", ri, ei, e.c.palette[0])
				}
				for i := range e.n {
					if e.c.uids[i] == 0 && e.c.set[i] != 0 {
						t.Fatalf("page %d entry %d: unknown row %d has flags", ri, ei, i)
					}
				}
			}
			if ei > 0 && e.c == nil && r.p.entries[ei-1].c == nil {
				t.Fatalf("page %d: runs %d and %d are neighbours", ri, ei-1, ei)
			}
			next := ei + 1
			if next < len(r.p.entries) && r.p.entries[next].c == nil {
				next++
			}
			if e.c != nil && next < len(r.p.entries) {
				rows := 0
				for _, e := range r.p.entries[ei : next+1] {
					rows += int(e.n)
				}
				if rows <= chunkRows {
					t.Fatalf("page %d: entries %d to %d have %d rows together", ri, ei, next, rows)
				}
			}
		}
	}
	if n != l.n || known != l.known {
		t.Fatalf("says %d rows, %d known; has %d, %d", l.n, l.known, n, known)
	}
}

// drawChange draws a Change that fits m more often than not.
func drawChange(t *rapid.T, m naive) Change {
	kinds := []ChangeKind{Exists, Expunge, Expunge, Fill, Fill, Fill, Fill, SetFlags, SetFlags, Vanished, 0, 77}
	c := Change{Kind: rapid.SampledFrom(kinds).Draw(t, "kind")}
	sane := rapid.IntRange(0, 9).Draw(t, "sane") > 0
	flags := rapid.SampledFrom([]Flags{0, NoFlags, Seen | NoFlags, Seen | Flagged | NoFlags})
	if !sane {
		c.Seq = rapid.SampledFrom([]uint32{0, uint32(len(m)) + 1, math.MaxUint32, 1}).Draw(t, "seq")
		c.N = rapid.SampledFrom([]uint32{0, math.MaxUint32, uint32(max(len(m)-1, 0))}).Draw(t, "n")
		c.UID = UID(rapid.Uint32().Draw(t, "uid"))
		c.Flags = flags.Draw(t, "flags")
		return c
	}
	c.N = uint32(len(m) + rapid.IntRange(0, 40).Draw(t, "more"))
	if len(m) > 0 {
		c.Seq = uint32(rapid.IntRange(1, len(m)).Draw(t, "seq"))
	}
	c.Flags = flags.Draw(t, "flags")
	switch {
	case c.Kind == Vanished:
		c.UID = UID(rapid.IntRange(0, 3*len(m)+10).Draw(t, "uid"))
	case c.Kind == Fill && c.Seq > 0, c.Kind == SetFlags && c.Seq > 0 && rapid.Bool().Draw(t, "with uid"):
		c.UID = m[c.Seq-1].UID
		if c.UID == 0 { // a UID that leaves room for the unknown rows around
			c.UID = 3*UID(c.Seq) + UID(rapid.IntRange(0, 2).Draw(t, "jitter"))
		}
	}
	return c
}

func TestListAgainstNaiveModel(t *testing.T) { rapid.Check(t, listAgainstNaiveModel) }

// FuzzList lets the fuzzer look for interleavings that chance does not find.
func FuzzList(f *testing.F) { f.Fuzz(rapid.MakeFuzz(listAgainstNaiveModel)) }

func listAgainstNaiveModel(t *rapid.T) {
	l, m := new(List), naive(nil)
	type frozen struct {
		l *List
		m naive
	}
	var snapshots []frozen
	steps := rapid.IntRange(1, 120).Draw(t, "steps")
	for range steps {
		switch rapid.IntRange(0, 19).Draw(t, "step") {
		case 0:
			snapshots = append(snapshots, frozen{l.Snapshot(), m})
		case 1: // go on with a snapshot
			if n := len(snapshots); n > 0 {
				k := rapid.IntRange(0, n-1).Draw(t, "snapshot")
				l, m, snapshots[k] = snapshots[k].l, snapshots[k].m, frozen{l, m}
			}
		case 2: // a window is filled in order, as a FETCH does
			if len(m) == 0 {
				continue
			}
			lo := rapid.IntRange(0, len(m)-1).Draw(t, "lo")
			hi := min(lo+rapid.IntRange(1, 400).Draw(t, "rows"), len(m))
			for i := lo; i < hi; i++ {
				c := Change{Kind: Fill, Seq: uint32(i + 1), UID: 3*UID(i) + 3, Flags: NoFlags}
				after, _, ok := m.apply(c)
				if _, err := l.Apply(c); (err == nil) != ok {
					t.Fatalf("%+v: %v, model ok %v", c, err, ok)
				}
				m = after
			}
		case 3:
			n := uint32(len(m) + rapid.IntRange(0, 2000).Draw(t, "grow"))
			m, _, _ = m.apply(Change{Kind: Exists, N: n})
			if _, err := l.Apply(Change{Kind: Exists, N: n}); err != nil {
				t.Fatal(err)
			}
		case 4:
			lo := rapid.IntRange(0, len(m)).Draw(t, "forget from")
			hi := min(lo+rapid.IntRange(0, 500).Draw(t, "forget rows"), len(m))
			l.Forget(lo, hi)
			m = append(naive(nil), m...)
			clear(m[lo:hi])
		case 5: // a storm in one place
			if len(m) == 0 {
				continue
			}
			at := rapid.IntRange(1, len(m)).Draw(t, "storm at")
			for range min(rapid.IntRange(0, 300).Draw(t, "storm"), len(m)-at+1) {
				c := Change{Kind: Expunge, Seq: uint32(at)}
				m, _, _ = m.apply(c)
				if _, err := l.Apply(c); err != nil {
					t.Fatal(err)
				}
			}
		default:
			c := drawChange(t, m)
			after, want, ok := m.apply(c)
			got, err := l.Apply(c)
			if (err == nil) != ok || err != nil && !errors.Is(err, ErrDesync) {
				t.Fatalf("%+v: %v, model ok %v", c, err, ok)
			}
			if got != want {
				t.Fatalf("%+v: Applied %+v, want %+v", c, got, want)
			}
			m = after
		}
		sound(t, l)
	}
	check(t, l, m)
	for _, s := range snapshots {
		check(t, s.l, s.m)
	}
	// The same rows read as ranges.
	from := rapid.IntRange(0, len(m)).Draw(t, "from")
	to := rapid.IntRange(from, len(m)).Draw(t, "to")
	i := from
	l.Rows(from, to, func(at int, r Row) bool {
		if at != i || r != m[i] {
			t.Fatalf("Rows: row %d %v, want row %d %v", at, r, i, m[i])
		}
		i++
		return true
	})
	if i != to {
		t.Fatalf("Rows ended at %d, want %d", i, to)
	}
	i = from
	l.Known(from, to, func(at int, r Row) bool {
		for m[i].UID == 0 {
			i++
		}
		if at != i || r != m[i] {
			t.Fatalf("Known: row %d %v, want row %d %v", at, r, i, m[i])
		}
		i++
		return true
	})
	for ; i < to; i++ {
		if m[i].UID != 0 {
			t.Fatalf("Known left out row %d", i)
		}
	}
	i = from
	l.Unknown(from, to, func(lo, hi int) bool {
		for i < to && m[i].UID != 0 {
			i++
		}
		end := i
		for end < to && m[end].UID == 0 {
			end++
		}
		if lo != i || hi != end || lo == hi {
			t.Fatalf("Unknown: [%d,%d), want [%d,%d)", lo, hi, i, end)
		}
		i = end
		return true
	})
	for ; i < to; i++ {
		if m[i].UID == 0 {
			t.Fatalf("Unknown left out row %d", i)
		}
	}
}
