package imapsession

import (
	"slices"
	"time"

	"tidings/store"
)

// stride is how many messages a command is given at once, where there are many: as
// many as are done in half a second or so. Between two commands the job tells how
// far it is, and may be stopped.
type stride struct{ n int }

const (
	strideMoves = 200    // the first one, of messages that are moved or copied
	strideFlags = 10_000 // and of flags, which cost next to nothing
	strideLeast = 10
	strideMost  = 100_000
	strideQuick = 250 * time.Millisecond // a command that takes less may grow
	strideSlow  = time.Second            // and one that takes longer shrinks
)

// of returns those messages that the next command is given, of uids in ascending
// order: one command line.
func (p *stride) of(uids []store.UID, first int) []store.UID {
	if p.n == 0 {
		p.n = first
	}
	return uidLines(uids[:min(len(uids), p.n)])[0]
}

// took notes how long a command on n messages took.
func (p *stride) took(n int, d time.Duration) {
	switch {
	case d > strideSlow:
		p.n = max(min(p.n, n)/2, strideLeast)
	case d < strideQuick && n*2 > p.n:
		p.n = min(2*p.n, strideMost)
	}
}

// ascending returns UIDs in their order.
func ascending(uids []store.UID) []store.UID {
	if slices.IsSorted(uids) {
		return uids
	}
	return slices.Sorted(slices.Values(uids))
}

// without returns the UIDs that are not among others; both ascend.
func without(uids, others []store.UID) []store.UID {
	out := []store.UID{}
	for _, u := range uids {
		if _, ok := slices.BinarySearch(others, u); !ok {
			out = append(out, u)
		}
	}
	return out
}
