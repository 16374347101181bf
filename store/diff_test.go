package store

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// rowsByUID is a List as a map.
func rowsByUID(l *List) map[UID]Row {
	m := make(map[UID]Row)
	l.Known(0, l.Len(), func(_ int, r Row) bool {
		m[r.UID] = r
		return true
	})
	return m
}

// TestDiff changes a List at random, before and after a Snapshot, and sees that
// the difference, applied to the old rows, gives the new ones.
func TestDiff(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b Builder
		uid := UID(0)
		for range rapid.IntRange(0, 2000).Draw(t, "rows") {
			uid += UID(rapid.SampledFrom([]int{1, 1, 1, 3}).Draw(t, "step"))
			if err := b.Add(Row{uid, NoFlags}); err != nil {
				t.Fatal(err)
			}
		}
		if rapid.Bool().Draw(t, "tail") {
			if err := b.AddUnknown(5); err != nil {
				t.Fatal(err)
			}
		}
		l := b.List()
		change := func() {
			for range rapid.IntRange(0, 30).Draw(t, "changes") {
				n := l.Len()
				var c Change
				switch kind := rapid.IntRange(0, 4).Draw(t, "kind"); {
				case kind == 0 || n == 0:
					c = Change{Kind: Exists, N: uint32(n + rapid.IntRange(0, 400).Draw(t, "more"))}
				case kind == 1:
					c = Change{Kind: Expunge, Seq: uint32(rapid.IntRange(1, n).Draw(t, "seq"))}
				case kind == 2:
					c = Change{Kind: SetFlags, Seq: uint32(rapid.IntRange(1, n).Draw(t, "seq")), Flags: NoFlags | Flags(rapid.IntRange(0, 3).Draw(t, "flags"))}
				case kind == 3:
					top, i, _ := l.MaxUID()
					if top == 0 || i+1 >= n {
						continue
					}
					c = Change{Kind: Fill, Seq: uint32(rapid.IntRange(i+2, n).Draw(t, "seq")), UID: top + UID(n), Flags: NoFlags}
				default:
					lo := rapid.IntRange(0, n).Draw(t, "forget")
					l.Forget(lo, min(lo+rapid.IntRange(0, 300).Draw(t, "forgotten"), n))
					continue
				}
				if _, err := l.Apply(c); err != nil {
					t.Fatal(err)
				}
			}
		}
		change()
		old := l.Snapshot()
		change()
		have := rowsByUID(old)
		last := UID(0)
		l.Diff(old, func(was, is Row) bool {
			at := max(was.UID, is.UID)
			if at <= last || was.UID != 0 && is.UID != 0 && was.UID != is.UID || was == is {
				t.Fatalf("%v after %d, %v", was, last, is)
			}
			last = at
			if have[at] != was {
				t.Fatalf("it was %v, not %v", have[at], was)
			}
			if is.UID == 0 {
				delete(have, at)
			} else {
				have[at] = is
			}
			return true
		})
		want := rowsByUID(l)
		if len(have) != len(want) {
			t.Fatalf("%d rows, want %d", len(have), len(want))
		}
		for uid, r := range want {
			if have[uid] != r {
				t.Fatalf("UID %d is %v, want %v", uid, have[uid], r)
			}
		}
	})
}

// BenchmarkDiff is what a Checkpoint costs after one arrival, one expunge in the
// middle and one change of flags.
func BenchmarkDiff(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var build Builder
			for i := range n {
				if err := build.Add(Row{UID(i + 1), NoFlags}); err != nil {
					b.Fatal(err)
				}
			}
			l := build.List()
			old := l.Snapshot()
			for _, c := range []Change{
				{Kind: Exists, N: uint32(n + 1)}, {Kind: Fill, Seq: uint32(n + 1), UID: UID(n + 1), Flags: NoFlags},
				{Kind: Expunge, Seq: uint32(n / 2)}, {Kind: SetFlags, Seq: 7, Flags: NoFlags | Seen},
			} {
				if _, err := l.Apply(c); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				found := 0
				l.Diff(old, func(Row, Row) bool {
					found++
					return true
				})
				if found != 3 {
					b.Fatalf("%d differences", found)
				}
			}
		})
	}
}
