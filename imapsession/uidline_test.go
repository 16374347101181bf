package imapsession

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tidings/store"
)

func TestUIDLines(t *testing.T) {
	var row []store.UID
	for u := store.UID(1); u <= 10_000; u++ {
		row = append(row, u)
	}
	if parts := uidLines(row); len(parts) != 1 {
		t.Errorf("ten thousand of a row are %d commands", len(parts))
	}
	if parts := uidLines(nil); len(parts) != 0 {
		t.Errorf("none at all: %v", parts)
	}
	rapid.Check(t, func(t *rapid.T) {
		uids := rapid.SliceOfN(rapid.Map(rapid.Uint32Range(1, 4_000_000_000), func(n uint32) store.UID { return store.UID(n) }), 0, 3000).Draw(t, "uids")
		if rapid.Bool().Draw(t, "near") {
			for i := range uids {
				uids[i] = uids[i]%5000 + 1
			}
		}
		want := slices.Compact(slices.Sorted(slices.Values(uids)))
		var got []store.UID
		for _, part := range uidLines(uids) {
			if n := len(uidSet(part).String()); n > 8000-100 {
				t.Fatalf("a set of %d octets", n)
			}
			got = append(got, part...)
		}
		if !slices.Equal(slices.Compact(got), want) {
			t.Fatal("UIDs were lost")
		}
	})
}
