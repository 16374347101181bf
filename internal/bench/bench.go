// Package bench measures Tidings from outside: the built binary in a terminal
// of 120x40 against a real server, beside other mail programs on the same
// machine in the same run. docs/PERFORMANCE.md holds the figures and says how
// to repeat them; `go run ./internal/bench/cmd -h` lists what can be measured.
//
// Nothing here asserts a time: what tests may hold the program to (octets,
// round trips, allocations) is asserted in e2e, with the tools of this package.
package bench

import (
	"fmt"
	"slices"
	"time"
)

// Sample is what was measured in repeated runs of one thing.
type Sample []time.Duration

// Min is the shortest run, 0 of an empty Sample.
func (s Sample) Min() time.Duration { return s.quantile(0) }

// Median is the middle run.
func (s Sample) Median() time.Duration { return s.quantile(0.5) }

// Max is the longest run.
func (s Sample) Max() time.Duration { return s.quantile(1) }

// P95 is the run that 95 % of the runs do not exceed.
func (s Sample) P95() time.Duration { return s.quantile(0.95) }

func (s Sample) quantile(q float64) time.Duration {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}

// String gives min / median / max in milliseconds.
func (s Sample) String() string {
	if len(s) == 0 {
		return "-"
	}
	return fmt.Sprintf("%s / %s / %s ms", Milliseconds(s.Min()), Milliseconds(s.Median()), Milliseconds(s.Max()))
}

// Milliseconds writes a duration as a table should have it, without the unit.
func Milliseconds(d time.Duration) string {
	f := float64(d) / float64(time.Millisecond)
	if f < 10 {
		return fmt.Sprintf("%.1f", f)
	}
	return fmt.Sprintf("%.0f", f)
}
