package ui

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"tidings/imapsession"
	"tidings/store"
)

// BenchmarkViewStorm: a tenth of a mailbox is expunged at random, in batches,
// while a sorted view of all of it is open.
func BenchmarkViewStorm(b *testing.B) { benchStorm(b, true) }

// BenchmarkListStorm is the same in the list itself.
func BenchmarkListStorm(b *testing.B) { benchStorm(b, false) }

// BenchmarkListArrive: one message after the other arrives, and its UID is learnt,
// each in a batch of its own.
func BenchmarkListArrive(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m, _ := benchModel(b, 0, 120, 40, true)
			m.Update(batchMsg{0, []imapsession.Event{imapsession.ResyncEvent{Epoch: 9, Mailbox: "INBOX", UIDValidity: fakeValidity, List: benchRows(b, n)}}})
			b.ReportAllocs()
			for i := n; b.Loop(); i++ {
				m.Update(batchMsg{0, []imapsession.Event{
					imapsession.ListEvent{Epoch: 9, Change: store.Change{Kind: store.Exists, N: uint32(i + 1)}},
					imapsession.ListEvent{Epoch: 9, Change: store.Change{Kind: store.Fill, Seq: uint32(i + 1), UID: store.UID(i + 1), Flags: store.NoFlags}},
				}})
			}
		})
	}
}

// benchRows is a list of n rows with the UIDs from 1.
func benchRows(b *testing.B, n int) *store.List {
	var build store.Builder
	for i := range n {
		if err := build.Add(store.Row{UID: store.UID(i + 1), Flags: store.NoFlags}); err != nil {
			b.Fatal(err)
		}
	}
	return build.List()
}

func benchStorm(b *testing.B, sorted bool) {
	for _, n := range []int{1_000, 10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				m, f := benchModel(b, 0, 120, 40, true)
				a := m.accounts[0]
				list := benchRows(b, n)
				uids := list.UIDs(0, n)
				rng := rand.New(rand.NewPCG(1, 2))
				rng.Shuffle(n, func(i, j int) { uids[i], uids[j] = uids[j], uids[i] })
				m.Update(batchMsg{0, []imapsession.Event{imapsession.ResyncEvent{Epoch: 9, Mailbox: "INBOX", UIDValidity: fakeValidity, List: list}}})
				f.epoch = 9
				var p *projection
				if sorted {
					p = &projection{spec: viewSpec{sort: store.BySize}, order: store.NewOrder(a.view.list, uids, nil), sums: a.sums, mine: a.attends,
						stays: map[store.UID]bool{}, queue: map[store.UID]bool{}}
					a.view.project(p, false)
				}
				var batches []batchMsg
				left := n
				for left > n-n/10 {
					var evs []imapsession.Event
					for len(evs) < pumpBatch && left > n-n/10 {
						evs = append(evs, imapsession.ListEvent{Epoch: 9, Change: store.Change{Kind: store.Expunge, Seq: uint32(rng.IntN(left) + 1)}})
						left--
					}
					batches = append(batches, batchMsg{0, evs})
				}
				b.StartTimer()
				for _, batch := range batches {
					m.Update(batch)
				}
				if got := a.view.n(); got != left {
					b.Fatalf("%d messages are left, want %d", got, left)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n/10), "ns/expunge")
		})
	}
}
