package store

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestTree: a conversation is read from its root, whatever names whom.
func TestTree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(t, "messages")
		th := NewThreads(n)
		for i := range n {
			k := Kin{UID: UID(i + 1), ID: uint64(i + 1)}
			for range rapid.IntRange(0, 3).Draw(t, "refs") {
				k.Refs = append(k.Refs, uint64(rapid.IntRange(1, 45).Draw(t, "ref"))) // itself, later and missing ones included
			}
			k.Refs = append(k.Refs, 99) // all are of one
			th.Add(k)
		}
		for range rapid.IntRange(0, n-1).Draw(t, "gone") {
			if uid := UID(rapid.IntRange(1, n).Draw(t, "uid")); th.Has(uid) && th.Len() > 1 {
				th.Remove(uid)
			}
		}
		var any UID
		for uid := UID(1); any == 0; uid++ {
			if th.Has(uid) {
				any = uid
			}
		}
		tree := th.Tree(any)
		var got []UID
		for i, b := range tree {
			got = append(got, b.UID)
			switch {
			case (b.Depth == 0) != (i == 0):
				t.Fatalf("branch %d of %v has depth %d", i, tree, b.Depth)
			case i > 0 && b.Depth > tree[i-1].Depth+1:
				t.Fatalf("branch %d of %v is below nothing", i, tree)
			}
			more := false // of the same depth, before one less deep
			for _, c := range tree[i+1:] {
				if c.Depth < b.Depth {
					break
				}
				more = more || c.Depth == b.Depth
			}
			if b.Depth > 0 && more != (b.More&(1<<b.Depth) != 0) {
				t.Fatalf("branch %d of %v: more to come is %v", i, tree, more)
			}
		}
		slices.Sort(got)
		if want := th.Members(any); !slices.Equal(got, want) || len(want) != th.Len() {
			t.Fatalf("the tree has %v, the conversation %v of %d", got, want, th.Len())
		}
	})
}
