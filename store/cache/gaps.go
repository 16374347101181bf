package cache

import (
	"encoding/binary"

	"tidings/store"
)

// gap is a run of n unknown rows right after the known row of the UID, which is
// zero where none is known before.
type gap struct {
	after store.UID
	n     uint32
}

// gapsOf returns the runs of unknown rows, ascending.
func gapsOf(l *store.List) []gap {
	var gaps []gap
	l.Unknown(0, l.Len(), func(lo, hi int) bool {
		g := gap{n: uint32(hi - lo)}
		if lo > 0 {
			g.after = l.Row(lo - 1).UID
		}
		gaps = append(gaps, g)
		return true
	})
	return gaps
}

// encodeGaps writes for each gap how far it is from the one before, and its
// length, as varints.
func encodeGaps(gaps []gap) []byte {
	b := []byte{}
	last := store.UID(0)
	for _, g := range gaps {
		b = binary.AppendUvarint(b, uint64(g.after-last))
		b = binary.AppendUvarint(b, uint64(g.n))
		last = g.after
	}
	return b
}

// decodeGaps reads what encodeGaps wrote, rows being how many unknown rows there
// have to be, negative where that is not known; false where it is anything else.
func decodeGaps(b []byte, rows int64) ([]gap, bool) {
	var gaps []gap
	var last, sum uint64
	for len(b) > 0 {
		step, i := binary.Uvarint(b)
		if i <= 0 {
			return nil, false
		}
		n, j := binary.Uvarint(b[i:])
		if j <= 0 {
			return nil, false
		}
		b = b[i+j:]
		if step == 0 && len(gaps) > 0 || step > 1<<32-1-last || n == 0 || n > 1<<32-1 {
			return nil, false
		}
		last += step
		if sum += n; rows >= 0 && sum > uint64(rows) {
			return nil, false
		}
		gaps = append(gaps, gap{store.UID(last), uint32(n)})
	}
	return gaps, rows < 0 || sum == uint64(rows)
}
