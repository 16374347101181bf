package store

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestUIDSet holds a UIDSet against a map.
func TestUIDSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s UIDSet
		want := map[UID]bool{}
		// Close together, at the edges of pages, and anywhere.
		uids := rapid.OneOf(rapid.Uint32Range(1, 200), rapid.Uint32Range(4090, 4100), rapid.Uint32Min(1))
		for range rapid.IntRange(0, 300).Draw(t, "steps") {
			uid := UID(uids.Draw(t, "uid"))
			if rapid.Bool().Draw(t, "add") {
				if s.Add(uid) == want[uid] {
					t.Fatalf("Add(%d) with the UID there: %v", uid, want[uid])
				}
				want[uid] = true
			} else {
				if s.Remove(uid) != want[uid] {
					t.Fatalf("Remove(%d) with the UID there: %v", uid, want[uid])
				}
				delete(want, uid)
			}
			if s.Has(uid) != want[uid] || s.Len() != len(want) {
				t.Fatalf("after UID %d: Has %v, Len %d; want %v, %d", uid, s.Has(uid), s.Len(), want[uid], len(want))
			}
		}
		if got := s.All(); !slices.Equal(got, slices.Sorted(maps.Keys(want))) {
			t.Fatalf("All() = %v, want %v", got, slices.Sorted(maps.Keys(want)))
		}
	})
}

// TestUIDSetsTogether holds what two sets have in common, and both as one,
// against maps.
func TestUIDSetsTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		uids := rapid.SliceOf(rapid.OneOf(rapid.Uint32Range(1, 200), rapid.Uint32Range(4090, 4100), rapid.Uint32Range(100_000, 100_010)))
		var a, b UIDSet
		inA, both := map[UID]bool{}, map[UID]bool{}
		for _, u := range uids.Draw(t, "a") {
			a.Add(UID(u))
			inA[UID(u)], both[UID(u)] = true, true
		}
		common := 0
		for _, u := range uids.Draw(t, "b") {
			if b.Add(UID(u)) && inA[UID(u)] {
				common++
			}
			both[UID(u)] = true
		}
		if n := a.Common(&b); n != common || b.Common(&a) != n {
			t.Fatalf("%d in common, want %d", n, common)
		}
		alone := b.Len()
		a.AddAll(&b)
		if got := a.All(); !slices.Equal(got, slices.Sorted(maps.Keys(both))) || a.Len() != len(both) {
			t.Fatalf("together %v (%d), want %v", got, a.Len(), slices.Sorted(maps.Keys(both)))
		}
		a.Add(7_000_000)
		a.Remove(3)
		if b.Len() != alone || b.Has(7_000_000) {
			t.Fatal("the sets share members")
		}
	})
}
