package cache

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/internal/safetext"
	"tidings/store"
)

// kinLetters are n summaries of which many are alike in what they are sorted and
// threaded by, or lack it.
func kinLetters(seed uint64, n int) []*store.Summary {
	rng := rand.New(rand.NewPCG(seed, 1))
	pick := func(from ...string) string { return from[rng.IntN(len(from))] }
	var all []*store.Summary
	for i := range n {
		s := &store.Summary{
			UID: store.UID(1 + i*3), Size: rng.Int64N(5) * 1000,
			Subject: safetext.Clean(pick("", "Re: ", "AW: Re[2]: ") + pick("", "Élan", "elan", "Zebra", "[list] alpha", "会議", "alpha")),
		}
		if rng.IntN(4) > 0 {
			s.Internal = time.Unix(1_700_000_000+rng.Int64N(20)*86400, 0)
		}
		if rng.IntN(4) > 0 {
			s.Date = time.Unix(1_700_000_000+rng.Int64N(20)*86400, 0)
		}
		if rng.IntN(5) > 0 {
			s.From = []store.Address{{Name: safetext.Clean(pick("", "Zoë", "zoe", "Anna", "\"Bob\"")), Addr: safetext.Clean(pick("a", "b") + "@example.org")}}
		}
		if rng.IntN(5) > 0 {
			s.MessageID = fmt.Sprint("m", i, "@example.org")
		}
		for range rng.IntN(4) {
			s.References = append(s.References, fmt.Sprint("m", rng.IntN(n), "@example.org"))
		}
		if rng.IntN(2) > 0 {
			s.InReplyTo = []string{fmt.Sprint("m", rng.IntN(n), "@example.org")}
		}
		all = append(all, s)
	}
	return all
}

func TestSorted(t *testing.T) {
	c := open(t, t.TempDir()+"/a.db")
	all := kinLetters(3, 500)
	c.KeepSummaries(store.Place{Mailbox: "Other", UIDValidity: 7}, all[:10])
	c.KeepSummaries(inbox, all)
	settled(t, c)
	for by := store.ByArrival; by <= store.BySize; by++ {
		want := slices.Clone(all)
		slices.SortFunc(want, func(a, b *store.Summary) int { return store.Compare(by, a, b) })
		got, err := c.Sorted(context.Background(), inbox, by)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(uidsOf(want), got); d != "" {
			t.Errorf("by %d (-want +got):\n%s", by, d)
		}
	}
	since := time.Unix(1_700_000_000+12*86400, 0)
	var want []store.UID
	for _, s := range all {
		at := s.Internal
		if at.IsZero() {
			at = s.Date
		}
		if !at.IsZero() && !at.Before(since) {
			want = append(want, s.UID)
		}
	}
	got, err := c.Since(context.Background(), inbox, since)
	if err != nil || !slices.Equal(got, want) || len(got) == 0 {
		t.Errorf("since %v: %v (%v), want %v", since, got, err, want)
	}
}

func uidsOf(all []*store.Summary) []store.UID {
	var uids []store.UID
	for _, s := range all {
		uids = append(uids, s.UID)
	}
	return uids
}

func TestKin(t *testing.T) {
	c := open(t, t.TempDir()+"/a.db")
	all := kinLetters(5, 500)
	c.KeepSummaries(inbox, all)
	settled(t, c)
	var got, want []store.Kin
	err := c.Kin(context.Background(), inbox, func(k store.Kin) bool {
		k.Refs = append([]uint64(nil), k.Refs...)
		got = append(got, k)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		want = append(want, store.KinOf(s))
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	n := 0
	if err := c.Kin(context.Background(), inbox, func(store.Kin) bool { n++; return n < 3 }); err != nil || n != 3 {
		t.Errorf("a walk that ends at the third message read %d (%v)", n, err)
	}
}

// Another UIDVALIDITY, another mailbox and a context that has ended give nothing.
func TestSortedElsewhere(t *testing.T) {
	c := open(t, t.TempDir()+"/a.db")
	c.KeepSummaries(inbox, kinLetters(7, 20))
	settled(t, c)
	for _, at := range []store.Place{{Mailbox: "INBOX", UIDValidity: 8}, {Mailbox: "Nowhere", UIDValidity: 7}} {
		got, err := c.Sorted(context.Background(), at, store.ByDate)
		if err != nil || len(got) != 0 {
			t.Errorf("%v: %v (%v)", at, got, err)
		}
		err = c.Kin(context.Background(), at, func(k store.Kin) bool { t.Errorf("%v: %v", at, k); return false })
		if err != nil {
			t.Error(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.Sorted(ctx, inbox, store.ByDate); err != context.Canceled {
		t.Errorf("a context that has ended gives %v", err)
	}
}

// BenchmarkSorted reads what a view is made from.
func BenchmarkSorted(b *testing.B) {
	for _, n := range sizes {
		if n > 100_000 && testing.Short() {
			continue
		}
		path := keptFile(b, n, true)
		c := open(b, path)
		for by, name := range map[store.SortKey]string{store.ByDate: "date", store.BySubject: "subject"} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				for b.Loop() {
					if got, err := c.Sorted(context.Background(), inbox, by); err != nil || len(got) != n {
						b.Fatalf("%d messages (%v)", len(got), err)
					}
				}
			})
		}
		b.Run(fmt.Sprintf("conversations/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				t := store.NewThreads(n)
				if err := c.Kin(context.Background(), inbox, func(k store.Kin) bool { t.Add(k); return true }); err != nil || t.Len() != n {
					b.Fatalf("%d messages (%v)", t.Len(), err)
				}
			}
		})
	}
}
