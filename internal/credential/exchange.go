package credential

import (
	"sync"
	"time"
)

// exchanges are the moments in which the only copy of a grant is on its way: a
// refresh token has been shown to the provider, which may have taken it back, and
// the one that takes its place is not stored yet. A program that ended then would
// have lost the sign-in.
type exchanges struct {
	mu   sync.Mutex
	n    int
	none chan struct{} // closed when n is 0 again
}

// underWay are those of this process, whatever account they are of.
var underWay exchanges

func (e *exchanges) begin() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.n == 0 {
		e.none = make(chan struct{})
	}
	e.n++
}

func (e *exchanges) end() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.n--; e.n == 0 {
		close(e.none)
	}
}

// Settle waits until no grant is on its way any more, at most so long, and tells
// whether that came about. It is for the end of the program, when the contexts of
// all who want a token have ended: none is asked for any more then, so without an
// exchange under way it returns at once.
func Settle(within time.Duration) bool {
	underWay.mu.Lock()
	n, none := underWay.n, underWay.none
	underWay.mu.Unlock()
	if n == 0 {
		return true
	}
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-none:
		return true
	case <-timer.C:
		return false
	}
}
