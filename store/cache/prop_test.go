package cache

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
	"tidings/store"
)

// anyFlags draws a set of flags, unknown ones and keywords included.
func anyFlags(t *rapid.T) store.Flags {
	if rapid.IntRange(0, 9).Draw(t, "unknown") == 0 {
		return 0
	}
	f := store.NoFlags | store.Flags(rapid.IntRange(0, 127).Draw(t, "system"))
	if rapid.Bool().Draw(t, "keywords") {
		f = f.With(rapid.SliceOfN(rapid.SampledFrom([]string{"$Junk", "a", "b", "c", "läbel", "x y"}), 0, 4).Draw(t, "names"), nil)
	}
	if rapid.IntRange(0, 20).Draw(t, "lost") == 0 {
		f = f.Incomplete()
	}
	return f
}

// anyList draws a mailbox.
func anyList(t *rapid.T) *store.List {
	var b store.Builder
	uid := store.UID(0)
	for range rapid.IntRange(0, 12).Draw(t, "stretches") {
		if rapid.IntRange(0, 3).Draw(t, "kind") == 0 {
			if err := b.AddUnknown(rapid.IntRange(1, 600).Draw(t, "unknown rows")); err != nil {
				t.Fatal(err)
			}
			continue
		}
		f := anyFlags(t)
		for range rapid.IntRange(1, 90).Draw(t, "rows") {
			uid += store.UID(1 + rapid.SampledFrom([]int{0, 0, 0, 5}).Draw(t, "step"))
			if err := b.Add(store.Row{UID: uid, Flags: f}); err != nil {
				t.Fatal(err)
			}
		}
		f = anyFlags(t)
		uid++
		if err := b.Add(store.Row{UID: uid, Flags: f}); err != nil {
			t.Fatal(err)
		}
	}
	if rapid.IntRange(0, 5).Draw(t, "far") == 0 {
		if err := b.Add(store.Row{UID: 1<<32 - 1, Flags: anyFlags(t)}); err != nil {
			t.Fatal(err)
		}
	}
	return b.List()
}

// change changes a few rows, as a server does.
func change(t *rapid.T, l *store.List) {
	for range rapid.IntRange(0, 20).Draw(t, "changes") {
		n := l.Len()
		c := store.Change{Kind: store.Exists, N: uint32(n + rapid.IntRange(0, 3).Draw(t, "more"))}
		if n > 0 {
			seq := uint32(rapid.IntRange(1, n).Draw(t, "seq"))
			switch rapid.IntRange(0, 3).Draw(t, "change") {
			case 0:
				c = store.Change{Kind: store.Expunge, Seq: seq}
			case 1:
				c = store.Change{Kind: store.SetFlags, Seq: seq, Flags: anyFlags(t)}
			case 2:
				l.Forget(int(seq)-1, int(seq)+rapid.IntRange(0, 100).Draw(t, "forgotten"))
				continue
			}
		}
		if _, err := l.Apply(c); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCheckpoints keeps Checkpoints at random, in one run and over several, of
// one UIDVALIDITY and another: what is found is always the last one.
func TestCheckpoints(t *testing.T) {
	base, n := t.TempDir(), 0
	rapid.Check(t, func(rt *rapid.T) {
		path := ""
		if rapid.Bool().Draw(rt, "on disk") {
			n++
			path = filepath.Join(base, fmt.Sprint(n), "a.db")
		}
		say := func(s string) { rt.Errorf("the person was told: %s", s) }
		c := Open(Options{Path: path, Say: say})
		defer func() { c.Close(time.Minute) }()
		want := map[string]store.Checkpoint{}
		sums := map[store.Place]map[store.UID]*store.Summary{}
		left := map[store.Place]map[store.UID]bool{} // UIDs that were in the list once
		check := func() {
			for name, cp := range want {
				var page store.Checkpoint
				var first []*store.Summary
				got, err := c.Load(context.Background(), name, func(p store.Checkpoint, s []*store.Summary) { page, first = p, s })
				if err != nil {
					rt.Fatal(err)
				}
				if got.List == nil || !got.List.Equal(cp.List) {
					rt.Fatalf("%s: the rows are others", name)
				}
				if got.Place != cp.Place || got.ModSeq != cp.ModSeq || !got.AsOf.Equal(cp.AsOf) || got.Selected != cp.Selected {
					rt.Fatalf("%s: %+v, want %+v", name, got, cp)
				}
				checkPage(rt, page, first, cp)
				// A UID never comes back on a server; here it may, and then its summary
				// may have been swept or not.
				all := slices.DeleteFunc(cp.List.UIDs(0, cp.List.Len()), func(uid store.UID) bool { return left[cp.Place][uid] })
				var have, lack []store.UID
				for _, uid := range all {
					if sums[cp.Place][uid] != nil {
						have = append(have, uid)
					} else {
						lack = append(lack, uid)
					}
				}
				missing, err := c.Missing(context.Background(), cp.Place, all)
				if err != nil || !cmp.Equal(lack, missing) {
					rt.Fatalf("missing are %v, want %v", missing, lack)
				}
				found, err := c.Summaries(context.Background(), cp.Place, all)
				if err != nil || len(found) != len(have) {
					rt.Fatalf("%d summaries, want %d; %v", len(found), len(have), err)
				}
			}
		}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			name := rapid.SampledFrom([]string{"INBOX", "Arch\x00&AOk-"}).Draw(rt, "mailbox")
			cp, ok := want[name]
			switch step := rapid.IntRange(0, 9).Draw(rt, "step"); {
			case step < 2 || !ok:
				// Another list, perhaps of another UIDVALIDITY.
				old := cp.Place
				cp.Place = store.Place{Mailbox: name, UIDValidity: max(old.UIDValidity, 1) + uint32(rapid.IntRange(0, 1).Draw(rt, "validity"))}
				if ok && cp.Place != old {
					delete(sums, old)
					delete(left, old)
					delete(left, cp.Place)
					cp.Selected = 0
				}
				cp.List = anyList(rt)
			case step < 7:
				cp.List = cp.List.Snapshot()
				change(rt, cp.List)
			case step == 7:
				c.Close(time.Minute)
				if path == "" {
					clear(want)
					clear(sums)
				}
				c = Open(Options{Path: path, Say: say})
				check()
				continue
			default:
				check()
				continue
			}
			cp.ModSeq = rapid.Uint64Range(0, 1<<63-1).Draw(rt, "modseq")
			cp.AsOf = time.UnixMilli(rapid.Int64Range(1, 1<<41).Draw(rt, "asof"))
			if uids := cp.List.UIDs(0, cp.List.Len()); len(uids) > 0 {
				given := cp
				if rapid.Bool().Draw(rt, "selects") {
					cp.Selected = rapid.SampledFrom(uids).Draw(rt, "selected")
					given.Selected = cp.Selected
				} else {
					given.Selected = 0
				}
				c.Keep(store.Checkpoint{Place: cp.Place, List: cp.List.Snapshot(), ModSeq: cp.ModSeq, AsOf: cp.AsOf, Selected: given.Selected})
				if rapid.Bool().Draw(rt, "summaries") {
					var some []*store.Summary
					for _, uid := range uids[len(uids)/2:] {
						some = append(some, sumOf(uid))
						if sums[cp.Place] == nil {
							sums[cp.Place] = map[store.UID]*store.Summary{}
						}
						sums[cp.Place][uid] = some[len(some)-1]
					}
					c.KeepSummaries(cp.Place, some)
				}
			} else {
				c.Keep(store.Checkpoint{Place: cp.Place, List: cp.List.Snapshot(), ModSeq: cp.ModSeq, AsOf: cp.AsOf})
			}
			if left[cp.Place] == nil {
				left[cp.Place] = map[store.UID]bool{}
			}
			if ok && want[name].Place == cp.Place {
				for _, uid := range want[name].List.UIDs(0, want[name].List.Len()) {
					if _, stays := cp.List.Find(uid); !stays {
						left[want[name].Place][uid] = true
					}
				}
			}
			want[name] = cp
			if rapid.Bool().Draw(rt, "settle") {
				settled(t, c)
			}
		}
		settled(t, c)
		check()
	})
}

// checkPage holds the first page of a Load against the whole.
func checkPage(t *rapid.T, page store.Checkpoint, sums []*store.Summary, cp store.Checkpoint) {
	if page.List == nil || page.List.Len() != cp.List.Len() {
		t.Fatalf("the first page has %v rows, want %d", page.List, cp.List.Len())
	}
	page.List.Known(0, page.List.Len(), func(i int, r store.Row) bool {
		if cp.List.Row(i) != r {
			t.Fatalf("row %d of the first page is %v, want %v", i, r, cp.List.Row(i))
		}
		return true
	})
	n := 0
	for i := cp.List.Len() - 1; i >= 0 && n < newestRows; i-- {
		if r := cp.List.Row(i); r.UID != 0 {
			if n++; page.List.Row(i) != r {
				t.Fatalf("row %d of %d is not on the first page", i, cp.List.Len())
			}
		}
	}
	if i, ok := cp.List.Find(page.Selected); ok {
		if page.List.Row(i).UID != page.Selected {
			t.Fatalf("the selected message is not on the first page")
		}
	}
	for _, s := range sums {
		if _, ok := page.List.Find(s.UID); !ok {
			t.Fatalf("a summary of UID %d, which is not on the page", s.UID)
		}
	}
}
