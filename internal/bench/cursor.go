package bench

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Moves is what cursor moves cost.
type Moves struct {
	Octets []int  // to the terminal, per move
	First  Sample // from the key to the first octet
}

// MedianOctets is the middle move's octets.
func (m Moves) MedianOctets() int { return m.quantile(0.5) }

// MaxOctets is the dearest move's octets.
func (m Moves) MaxOctets() int { return m.quantile(1) }

func (m Moves) quantile(q float64) int {
	if len(m.Octets) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(m.Octets))
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}

// Cursor types down n times and up n times by turns of span rows, so that no
// move scrolls, at moments that have nothing to do with the program's frames.
func Cursor(t *Terminal, down, up string, n, span int) (Moves, error) {
	var m Moves
	if err := t.Quiet(500*time.Millisecond, 20*time.Second); err != nil {
		return m, err
	}
	for i := range n {
		key := down
		if i/span%2 == 1 {
			key = up
		}
		time.Sleep(time.Duration(rand.IntN(40)) * time.Millisecond)
		at := t.Type(key)
		if err := t.WaitOutput(at, time.Second); err != nil {
			return m, fmt.Errorf("key %q: %w", key, err)
		}
		if err := t.Quiet(60*time.Millisecond, 5*time.Second); err != nil {
			return m, err
		}
		first, octets := t.After(at)
		m.Octets = append(m.Octets, octets)
		m.First = append(m.First, first.Sub(at))
	}
	return m, nil
}
