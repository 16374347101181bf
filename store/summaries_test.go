package store

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestSummariesAgainstSlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(-1, 6).Draw(t, "limit")
		s := NewSummaries(limit)
		limit = max(limit, 1)
		var model []*Summary // used last first
		find := func(uid UID) int {
			return slices.IndexFunc(model, func(m *Summary) bool { return m.UID == uid })
		}
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			uid := UID(rapid.Uint32Range(1, 9).Draw(t, "uid"))
			i := find(uid)
			var want *Summary
			if i >= 0 {
				want = model[i]
			}
			switch rapid.IntRange(0, 9).Draw(t, "op") {
			case 0:
				s.Drop(uid)
				if i >= 0 {
					model = slices.Delete(model, i, i+1)
				}
			case 1:
				if got := s.Peek(uid); got != want {
					t.Fatalf("Peek(%d) = %v, want %v", uid, got, want)
				}
			case 2, 3, 4:
				if got := s.Get(uid); got != want {
					t.Fatalf("Get(%d) = %v, want %v", uid, got, want)
				}
				if i >= 0 {
					model = slices.Insert(slices.Delete(model, i, i+1), 0, want)
				}
			default:
				sum := &Summary{UID: uid}
				s.Put(sum)
				if i >= 0 {
					model = slices.Delete(model, i, i+1)
				}
				model = slices.Insert(model, 0, sum)
				model = model[:min(len(model), limit)]
			}
			if s.Len() != len(model) {
				t.Fatalf("Len %d, want %d", s.Len(), len(model))
			}
			for uid := UID(1); uid <= 9; uid++ {
				if i := find(uid); (s.Peek(uid) != nil) != (i >= 0) {
					t.Fatalf("UID %d: held %v, want %v", uid, s.Peek(uid) != nil, i >= 0)
				}
			}
		}
		s.Reset()
		if s.Len() != 0 || s.Get(1) != nil {
			t.Fatal("Reset leaves something")
		}
	})
}

func TestSummariesInUseAllocateNothing(t *testing.T) {
	s := NewSummaries(4)
	var sums [8]*Summary
	for i := range sums {
		sums[i] = &Summary{UID: UID(i) + 1}
		s.Put(sums[i])
	}
	i := 0
	if got := testing.AllocsPerRun(100, func() {
		s.Put(sums[i%8])
		s.Get(UID(i%8) + 1)
		i++
	}); got > 0 {
		t.Errorf("%v allocations for a Put into a full cache and a Get", got)
	}
}
