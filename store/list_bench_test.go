package store

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
)

var sizes = []int{1_000, 10_000, 100_000, 1_000_000}

// someFlags are the flag sets of a lived-in mailbox.
var someFlags = []Flags{NoFlags, Seen | NoFlags, Seen | NoFlags, Seen | NoFlags, Seen | Answered | NoFlags, Seen | Flagged | NoFlags}

// loaded is a List of n known rows with gaps between the UIDs.
func loaded(n int) *List {
	rng := rand.New(rand.NewPCG(1, 2))
	var b Builder
	var uid UID
	for range n {
		uid += 1 + UID(rng.IntN(3))
		if err := b.Add(Row{uid, someFlags[rng.IntN(len(someFlags))]}); err != nil {
			panic(err)
		}
	}
	return b.List()
}

func bySize(b *testing.B, f func(b *testing.B, n int)) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			f(b, n)
		})
	}
}

func must(b testing.TB, l *List, c Change) {
	if _, err := l.Apply(c); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkExpungeArrive: a random row goes, a new one arrives and is filled,
// so that the size stays.
func BenchmarkExpungeArrive(b *testing.B) {
	bySize(b, func(b *testing.B, n int) {
		l := loaded(n)
		uid, _, _ := l.MaxUID()
		rng := rand.New(rand.NewPCG(3, 4))
		for b.Loop() {
			uid++
			must(b, l, Change{Kind: Expunge, Seq: 1 + rng.Uint32N(uint32(n))})
			must(b, l, Change{Kind: Exists, N: uint32(n)})
			must(b, l, Change{Kind: Fill, Seq: uint32(n), UID: uid, Flags: NoFlags})
		}
	})
}

// BenchmarkExpunge: random rows go until half are gone.
func BenchmarkExpunge(b *testing.B) {
	bySize(b, func(b *testing.B, n int) {
		l := loaded(n)
		rng := rand.New(rand.NewPCG(3, 4))
		for b.Loop() {
			if l.Len() <= n/2 {
				b.StopTimer()
				l = loaded(n)
				b.StartTimer()
			}
			must(b, l, Change{Kind: Expunge, Seq: 1 + rng.Uint32N(uint32(l.Len()))})
		}
	})
}

func BenchmarkArrive(b *testing.B) {
	bySize(b, func(b *testing.B, n int) {
		l := loaded(n)
		uid, _, _ := l.MaxUID()
		for b.Loop() {
			uid++
			must(b, l, Change{Kind: Exists, N: uint32(l.Len()) + 1})
			must(b, l, Change{Kind: Fill, Seq: uint32(l.Len()), UID: uid, Flags: NoFlags})
		}
	})
}

func BenchmarkFind(b *testing.B) {
	bySize(b, func(b *testing.B, n int) {
		l := loaded(n)
		uid, _, _ := l.MaxUID()
		rng := rand.New(rand.NewPCG(3, 4))
		for b.Loop() {
			l.Find(1 + UID(rng.Uint32N(uint32(uid))))
		}
	})
}

func BenchmarkRow(b *testing.B) {
	bySize(b, func(b *testing.B, n int) {
		l := loaded(n)
		rng := rand.New(rand.NewPCG(3, 4))
		for b.Loop() {
			l.Row(rng.IntN(n))
		}
	})
}

func BenchmarkSetFlags(b *testing.B) {
	bySize(b, func(b *testing.B, n int) {
		l := loaded(n)
		rng := rand.New(rand.NewPCG(3, 4))
		for b.Loop() {
			must(b, l, Change{Kind: SetFlags, Seq: 1 + rng.Uint32N(uint32(n)), Flags: someFlags[rng.IntN(len(someFlags))]})
		}
	})
}

var snapshot *List // keeps the compiler from leaving it on the stack

func BenchmarkSnapshot(b *testing.B) {
	bySize(b, func(b *testing.B, n int) {
		l := loaded(n)
		for b.Loop() {
			snapshot = l.Snapshot()
		}
	})
}

// BenchmarkStorm: 100,000 of a million expunged one by one, in the session's
// list and in the model's, which shared memory before.
func BenchmarkStorm(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		l := loaded(1_000_000)
		model := l.Snapshot()
		rng := rand.New(rand.NewPCG(3, 4))
		b.StartTimer()
		for range 100_000 {
			c := Change{Kind: Expunge, Seq: 1 + rng.Uint32N(uint32(l.Len()))}
			must(b, l, c)
			must(b, model, c)
		}
	}
}

// BenchmarkLoad: a million rows, by Builder and by windows of Fill.
func BenchmarkLoad(b *testing.B) {
	const n = 1_000_000
	b.Run("builder", func(b *testing.B) {
		for b.Loop() {
			loaded(n)
		}
	})
	b.Run("windows", func(b *testing.B) {
		for b.Loop() {
			windows(b, n, 300)
		}
	})
}

// windows is a List of n rows filled by windows of w rows, newest first, each
// in ascending order, as FETCHes do.
func windows(t testing.TB, n, w int) *List {
	l := new(List)
	must(t, l, Change{Kind: Exists, N: uint32(n)})
	rng := rand.New(rand.NewPCG(1, 2))
	for hi := n; hi > 0; hi -= w {
		for i := max(hi-w, 0); i < hi; i++ {
			must(t, l, Change{Kind: Fill, Seq: uint32(i) + 1, UID: 2*UID(i) + 1, Flags: someFlags[rng.IntN(len(someFlags))]})
		}
	}
	return l
}

// heapOf is what f leaves on the heap, in bytes.
func heapOf(f func() any) int {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&before)
	kept := f()
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(kept)
	return int(after.HeapAlloc) - int(before.HeapAlloc)
}
