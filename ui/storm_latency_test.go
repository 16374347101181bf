//go:build unix

package ui

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/store"
)

// BenchmarkKeyInAStorm has 100,000 of a million messages expunged, one by one, as
// fast as the session's list, the Box and the model take them, and once spread over
// some seconds. Meanwhile keys open the help and close it; what is measured is how
// long it takes until the terminal shows that. Once is enough:
//
//	go test -run X -bench KeyInAStorm -benchtime 1x ./ui
func BenchmarkKeyInAStorm(b *testing.B) {
	for _, test := range []struct {
		name  string
		rests time.Duration // between two bursts of 2,000
	}{{"at once", 0}, {"over five seconds", 100 * time.Millisecond}} {
		b.Run(test.name, func(b *testing.B) {
			const n = 1_000_000
			x := onTerminal(b, 120, 40, 100)
			x.sees("(100)")
			x.session.list = *benchRows(b, n)
			x.session.say(x.session.resync())
			x.session.count()
			x.sees(thousands(n))
			var took []time.Duration
			var whole time.Duration
			for range b.N {
				left := x.session.list.Len()
				began, over := time.Now(), make(chan time.Duration)
				go func() {
					rng := rand.New(rand.NewPCG(1, 2))
					for i := range n / 10 {
						x.session.change(store.Change{Kind: store.Expunge, Seq: uint32(rng.IntN(left-i) + 1)}, 0)
						if i%2000 == 1999 && test.rests > 0 {
							time.Sleep(test.rests)
						}
					}
					over <- time.Since(began)
				}()
				pressed := func(key string, shown bool) {
					began := time.Now()
					x.press(key)
					x.until("the help", func(lines []string) bool {
						return strings.Contains(strings.Join(lines, "\n"), "half a page down") == shown
					})
					took = append(took, time.Since(began))
				}
				for storming := true; storming; {
					pressed("?", true)
					pressed("?", false)
					select {
					case <-over:
						storming = false
					default:
					}
				}
				x.sees("of " + thousands(left-n/10)) // the model has it all
				whole += time.Since(began)
			}
			slices.Sort(took)
			ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
			b.ReportMetric(ms(took[len(took)/2]), "p50-ms")
			b.ReportMetric(ms(took[len(took)*95/100]), "p95-ms")
			b.ReportMetric(ms(took[len(took)-1]), "max-ms")
			b.ReportMetric(float64(len(took))/float64(b.N), "keys/storm")
			b.ReportMetric(ms(whole)/float64(b.N), "ms/storm")
			b.ReportMetric(0, "ns/op")
		})
	}
}
