package imapsession

import (
	"context"
	"slices"
	"sync"
	"time"

	"tidings/internal/safetext"
)

// Budget is how many connections the sessions of one account have together: that
// of the mailbox which is watched all the time, the home, and that of a folder
// which a person looks at, the guest. Two may be open at once: while there is a
// guest, the home does without its worker. Where there may be only one, it is the
// guest's, and the home is visited every Poll; each gives way when it is the
// other's turn.
//
// Any goroutine may call its methods, also while it holds a Session's mutex; none
// blocks but acquire. A nil Budget is one that never runs out.
type Budget struct {
	mu      sync.Mutex
	most    int
	until   time.Time // one, until then: the server refused a second
	home    *Session
	guest   *Session
	held    map[*Session]bool // monitors that are connected, or connect
	worker  bool              // the home's worker is
	waits   *Session          // for its turn
	changed chan struct{}     // closed, and replaced, when anything above changes
}

// workerGrace is how long a guest waits for the home's worker to end by itself.
const workerGrace = 2 * time.Second

// NewBudget makes the budget of an account that may have most connections, 1 or 2.
// A session with watch = "visit" has only one.
func NewBudget(most int) *Budget {
	return &Budget{most: most, held: map[*Session]bool{}, changed: make(chan struct{})}
}

// news wakes who waits in acquire. The caller holds b.mu.
func (b *Budget) news() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// join takes a session in, until the returned function is called.
func (b *Budget) join(s *Session) (leave func()) {
	if b == nil {
		return func() {}
	}
	b.mu.Lock()
	if s.cfg.Guest {
		b.guest = s
	} else {
		b.home = s
	}
	home := b.home
	b.news()
	b.mu.Unlock()
	if s.cfg.Guest && home != nil {
		home.worker.stepBack()
		home.poke()
	}
	return func() {
		b.mu.Lock()
		if b.guest == s {
			b.guest = nil
		}
		if b.waits == s {
			b.waits = nil
		}
		home := b.home
		b.news()
		b.mu.Unlock()
		if s.cfg.Guest && home != nil {
			home.claimAgain() // what the guest had not done yet
			home.poke()
		}
	}
}

// bequeath leaves to the home what a guest was asked to change and has not begun,
// as far as no Outbox hands it over.
func (s *Session) bequeath() {
	b := s.cfg.Budget
	if b == nil || !s.cfg.Guest {
		return
	}
	b.mu.Lock()
	home := b.home
	b.mu.Unlock()
	if home == nil {
		return
	}
	s.mu.Lock()
	var left []Command
	s.queue = slices.DeleteFunc(s.queue, func(j *job) bool {
		if !changes(j.cmd) || j.isKept() || j.canceled || j.stage != fresh {
			return false
		}
		left = append(left, j.cmd)
		return true
	})
	s.mu.Unlock()
	for _, c := range left {
		home.Do(c)
	}
}

// single tells whether there may be only one connection now. The caller holds
// b.mu.
func (b *Budget) single() bool { return b.most < 2 || time.Now().Before(b.until) }

// guested tells whether a guest has the connection that the worker would have.
func (b *Budget) guested() bool {
	if b == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.guest != nil
}

// visiting tells whether s is to connect for a moment only, every Poll: another
// session has the account's one connection.
func (b *Budget) visiting(s *Session) bool {
	if b == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return s == b.home && b.guest != nil && b.single()
}

// givesWay tells whether s is a guest and the home waits for its turn, which it
// ends by itself.
func (b *Budget) givesWay(s *Session) bool {
	if b == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return s == b.guest && b.waits != nil && b.waits == b.home && b.held[s] && b.single()
}

// refused: the server lets nobody else in. It returns whether that is why s, of
// two sessions, is not let in.
func (b *Budget) refused(s *Session) bool {
	if b == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.guest == nil || b.home == nil || b.single() {
		return false
	}
	b.until = time.Now().Add(aloneAfterRefusal)
	b.news()
	return true
}

// acquire waits until s may connect, and returns what ends that. The error is
// ctx's.
func (b *Budget) acquire(ctx context.Context, s *Session) (release func(), err error) {
	if b == nil {
		return func() {}, nil
	}
	evict := time.Now().Add(workerGrace)
	for {
		b.mu.Lock()
		room := 2
		if b.single() {
			room = 1
		}
		for h := range b.held {
			if h != s {
				room--
			}
		}
		full := room < 1 || b.waits != nil && b.waits != s && b.single()
		if !full && !(b.worker && s.cfg.Guest) {
			if b.waits == s {
				b.waits = nil
			}
			b.held[s] = true
			b.mu.Unlock()
			return func() { b.free(s) }, nil
		}
		var poke *Session
		if full && b.waits == nil && b.single() {
			b.waits = s
			poke = b.other(s)
		}
		changed, home := b.changed, b.home
		slow := b.worker && s.cfg.Guest && !time.Now().Before(evict)
		b.mu.Unlock()
		if poke != nil {
			poke.poke()
		}
		if slow && home != nil {
			home.worker.evict()
		}
		timer := time.NewTimer(workerGrace)
		select {
		case <-changed:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			b.mu.Lock()
			if b.waits == s {
				b.waits = nil
			}
			b.mu.Unlock()
			return nil, ctx.Err()
		}
		timer.Stop()
	}
}

func (b *Budget) free(s *Session) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.held, s)
	b.news()
}

// other is the session beside s; nil if there is none. The caller holds b.mu.
func (b *Budget) other(s *Session) *Session {
	if s == b.home {
		return b.guest
	}
	return b.home
}

// takeWorker tells the home's worker whether it may connect, and if so takes note
// that it does.
func (b *Budget) takeWorker() bool {
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.guest != nil {
		return false
	}
	b.worker = true
	return true
}

func (b *Budget) freeWorker() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.worker = false
	b.news()
}

// stepBack leaves all the worker's jobs to the monitor: the second connection is
// another session's.
func (w *worker) stepBack() {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	for _, j := range w.s.queue {
		j.at = asMonitor
	}
}

// evict closes a worker connection that does not end by itself.
func (w *worker) evict() {
	w.s.mu.Lock()
	l := w.link
	w.s.mu.Unlock()
	if l != nil {
		l.kill(&fault{text: "closed to let another folder be opened"})
	}
}

// stepsAside tells whether the monitor's link has to end for another session's
// sake, and why.
func (l *link) stepsAside() bool {
	b := l.s.cfg.Budget
	return l.role == asMonitor && (b.givesWay(l.s) || b.visiting(l.s) && l.watch != WatchVisit)
}

// aside ends a link that steps aside.
func (l *link) aside() error {
	l.s.checkpoint()
	l.farewell(visitFarewell)
	if l.s.cfg.Budget.visiting(l.s) {
		return nil // as a visit ends
	}
	return &fault{planned: true, text: "the account has one connection: the other mailbox is being checked"}
}

// watchNow is how new mail is noticed at the moment.
func (s *Session) watchNow() Watch {
	if s.cfg.Budget.visiting(s) {
		return WatchVisit
	}
	return s.cfg.Watch
}

// sharing says that another mailbox has the connection, while that is so.
func (s *Session) sharing() safetext.Text {
	if s.cfg.Watch != WatchVisit && s.cfg.Budget.visiting(s) {
		return safetext.Const("another folder is open, and the account has one connection")
	}
	return safetext.Text{}
}
