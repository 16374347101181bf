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
