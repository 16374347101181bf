package imapsession

import (
	"context"
	"sync"
	"time"

	"tidings/internal/crash"
	"tidings/store"
)

// loadTimeout is how long a link waits for the disk before it reads the mailbox
// from the server alone.
const loadTimeout = 30 * time.Second

// known is what an earlier run left in the cache, on its way in. It is told as
// epoch 0 by the goroutine that loads it, as soon as it is there and unless the
// server's own account was told before; Run's goroutine takes it over then.
type known struct {
	done chan struct{} // closed when all is loaded, or nothing will be

	mu   sync.Mutex
	over bool             // nothing from the cache may be told any more
	all  store.Checkpoint // what was loaded; its List is nil where nothing was
}

// load starts to read the cache, beside connecting.
func (s *Session) load(ctx context.Context) {
	k := &s.known
	k.done = make(chan struct{})
	if s.cfg.Cache == nil {
		close(k.done)
		return
	}
	crash.Go("cache of "+s.cfg.Account, func() {
		defer close(k.done)
		s.loadKnown(ctx)
	})
}

// loadKnown reads the cache and tells of it: the newest rows first, then all.
func (s *Session) loadKnown(ctx context.Context) {
	began := time.Now()
	var first *store.List
	var selected store.UID
	all, err := s.cfg.Cache.Load(ctx, s.cfg.Mailbox, func(cp store.Checkpoint, sums []*store.Summary) {
		if cp.List == nil {
			return
		}
		first, selected = cp.List.Snapshot(), cp.Selected
		s.log.Info("the newest rows are loaded from the cache", "messages", first.Len(), "after", time.Since(began))
		s.tellKnown(cp, selected, sums)
	})
	if err != nil {
		s.log.Warn("the cache was not loaded", "error", err)
		return
	}
	if all.List == nil || ctx.Err() != nil {
		return
	}
	s.log.Info("the cache is loaded", "messages", all.List.Len(), "known", all.List.CountKnown(), "after", time.Since(began))
	if first == nil || first.Len() != all.List.Len() || first.CountKnown() != all.List.CountKnown() {
		if first != nil {
			all.Selected = 0 // told already
		}
		s.tellKnown(all, all.Selected, nil)
	}
	s.known.mu.Lock()
	defer s.known.mu.Unlock()
	if !s.known.over {
		s.known.all = all
	}
}

// tellKnown tells the listener what the cache has.
func (s *Session) tellKnown(cp store.Checkpoint, selected store.UID, sums []*store.Summary) {
	k := &s.known
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.over {
		return
	}
	asOf := cp.AsOf
	if asOf.IsZero() {
		asOf = time.Unix(0, 0) // it is from the cache all the same
	}
	s.box.Together(func() {
		s.box.Put(ResyncEvent{
			Mailbox:     s.cfg.Mailbox,
			UIDValidity: cp.UIDValidity,
			List:        cp.List.Snapshot(),
			AsOf:        asOf,
			Selected:    selected,
		})
		if len(sums) > 0 {
			s.missingTold(sums)
			s.box.Put(SummariesEvent{UIDValidity: cp.UIDValidity, Summaries: sums})
		}
	})
}

// takeKnown waits until the cache is loaded and makes it what the mailbox was
// when the program last ran. From then on only the server's own account is told.
// Where the disk does not answer, the mailbox is read anew.
func (s *Session) takeKnown(ctx context.Context) {
	k := &s.known
	timer := time.NewTimer(loadTimeout)
	defer timer.Stop()
	select {
	case <-k.done:
	case <-timer.C:
		s.log.Warn("the cache does not answer: the mailbox is read from the server")
	case <-ctx.Done():
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.over {
		return
	}
	k.over = true
	if k.all.List == nil {
		s.fill.begin()
		return
	}
	if s.selected {
		return
	}
	s.list, s.uidValidity, s.selected = k.all.List, k.all.UIDValidity, true
	s.modseqs.reset(k.all.ModSeq)
	s.freshFrom = s.list.Len()
	k.all = store.Checkpoint{}
}

// forgetKnown keeps the cache from telling anything when the session has ended.
func (s *Session) forgetKnown() {
	s.known.mu.Lock()
	defer s.known.mu.Unlock()
	s.known.over = true
}

// mark is what the person was told of in an earlier run.
type mark struct {
	uidValidity uint32
	asked, has  bool
	over        bool // the first reconcile at this UIDVALIDITY is done
	uid         store.UID
}

// toldMark returns the highest UID that the person was told of, as long as no
// list of this UIDVALIDITY was told in this run.
func (s *Session) toldMark() (store.UID, bool) {
	if s.cfg.Told == nil {
		return 0, false
	}
	if !s.mark.asked || s.mark.uidValidity != s.uidValidity {
		s.mark = mark{asked: true, uidValidity: s.uidValidity}
		s.mark.uid, s.mark.has = s.cfg.Told(s.place())
	}
	return s.mark.uid, s.mark.has && !s.mark.over
}
