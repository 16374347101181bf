package store

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
)

// ordered is a List of n known rows and an Order of all of them, as by a sort.
func ordered(b testing.TB, n int) (*List, *Order) {
	var build Builder
	uids := make([]UID, n)
	for i := range n {
		uids[i] = UID(i + 1)
		if err := build.Add(Row{UID: uids[i], Flags: NoFlags}); err != nil {
			b.Fatal(err)
		}
	}
	l := build.List()
	rand.New(rand.NewPCG(1, 2)).Shuffle(n, func(i, j int) { uids[i], uids[j] = uids[j], uids[i] })
	return l, NewOrder(l, uids, nil)
}

// BenchmarkOrder: an arrival that is inserted anywhere and an expunge, each with
// the List's own part in it.
func BenchmarkOrder(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("arrival and expunge/%d", n), func(b *testing.B) {
			l, o := ordered(b, n)
			rng := rand.New(rand.NewPCG(3, 4))
			next := UID(n)
			b.ReportAllocs()
			for b.Loop() {
				next++
				for _, c := range [...]Change{
					{Kind: Exists, N: uint32(n + 1)},
					{Kind: Fill, Seq: uint32(n + 1), UID: next, Flags: NoFlags},
				} {
					a, err := l.Apply(c)
					if err != nil {
						b.Fatal(err)
					}
					o.Follow(c, a)
				}
				o.Insert(rng.IntN(o.Len()+1), next)
				c := Change{Kind: Expunge, Seq: uint32(rng.IntN(n) + 1)}
				a, err := l.Apply(c)
				if err != nil {
					b.Fatal(err)
				}
				o.Follow(c, a)
			}
		})
		b.Run(fmt.Sprintf("position/%d", n), func(b *testing.B) {
			_, o := ordered(b, n)
			rng := rand.New(rand.NewPCG(3, 4))
			for b.Loop() {
				if p := rng.IntN(n); o.At(p) == 0 {
					b.Fatal("nothing there")
				} else if q, ok := o.Pos(o.At(p)); !ok || q != p {
					b.Fatal("it is elsewhere")
				}
			}
		})
		b.Run(fmt.Sprintf("make/%d", n), func(b *testing.B) {
			l, o := ordered(b, n)
			var uids []UID
			for b.Loop() {
				uids = uids[:0]
				o.All(0, func(_ int, uid UID) bool { uids = append(uids, uid); return true })
				NewOrder(l, uids, nil)
			}
		})
	}
	// As a storm in a view has it.
	b.Run("100k expunges of a million", func(b *testing.B) {
		for range b.N {
			b.StopTimer()
			l, o := ordered(b, 1_000_000)
			rng := rand.New(rand.NewPCG(3, 4))
			b.StartTimer()
			for range 100_000 {
				c := Change{Kind: Expunge, Seq: uint32(rng.IntN(l.Len()) + 1)}
				a, err := l.Apply(c)
				if err != nil {
					b.Fatal(err)
				}
				o.Follow(c, a)
			}
		}
	})
}

// TestOrderBytes: what an open sorted view costs a row.
func TestOrderBytes(t *testing.T) {
	const n = 200_000
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	l, first := ordered(t, n)
	var uids []UID
	first.All(0, func(_ int, uid UID) bool { uids = append(uids, uid); return true })
	before := heap()
	o := NewOrder(l, uids, nil)
	if per := float64(heap()-before) / n; per > 8 {
		t.Errorf("%.2f bytes a row", per)
	}
	rng := rand.New(rand.NewPCG(5, 6))
	for range n / 2 { // half of them replaced
		c := Change{Kind: Expunge, Seq: uint32(rng.IntN(l.Len()) + 1)}
		a, err := l.Apply(c)
		if err != nil {
			t.Fatal(err)
		}
		o.Follow(c, a)
		p := rng.IntN(o.Len())
		uid := o.At(p)
		o.Remove(uid)
		o.Insert(rng.IntN(o.Len()+1), uid)
	}
	if size := 2048 * (len(o.leaves) + len(o.stands.parts)); float64(size)/float64(o.Len()) > 16 {
		t.Errorf("after a storm %.2f bytes a row", float64(size)/float64(o.Len()))
	}
	runtime.KeepAlive(first)
	runtime.KeepAlive(uids)
}
