//go:build unix

package ui

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// BenchmarkKeyToByte presses keys at random moments and measures until the
// first byte of their frame.
func BenchmarkKeyToByte(b *testing.B) {
	x := onTerminal(b, 120, 40, 200)
	x.sees("Q quit")
	var took []time.Duration
	keys := [2]string{"j", "k"}
	for i := 0; b.Loop(); i++ {
		time.Sleep(time.Duration(20+rand.IntN(40)) * time.Millisecond)
		x.mark()
		began := time.Now()
		x.press(keys[i%2])
		x.until("a byte", func([]string) bool { return x.out.Len() > 0 })
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
}
