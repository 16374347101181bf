package imapsession

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"tidings/store"
)

const (
	// witnessEvery is how often it is looked whether the cache still has what it had,
	// by witnessRows of the newest witnessAmong: "tidings cache clear" may be run
	// beside this program.
	witnessEvery = time.Minute
	witnessRows  = 64
	witnessAmong = 4096
)

// witness is some messages that were in the cache when it was looked last.
type witness struct {
	at   store.Place
	uids []store.UID
}

// question looks whether the cache still has the witness, and chooses another. If it
// has not, everything is looked up again, once: what was never there is no witness.
func (b *backfill) question(ctx context.Context) {
	s := b.s
	s.mu.Lock()
	at, list := b.at, b.list
	s.mu.Unlock()
	if list == nil || list.Len() == 0 {
		return
	}
	var uids []store.UID
	if b.witness.at == at {
		uids = slices.DeleteFunc(b.witness.uids, func(u store.UID) bool {
			_, there := list.Find(u)
			return !there
		})
	}
	b.witness = witness{}
	if len(uids) > 0 {
		missing, err := s.cfg.Cache.Missing(ctx, at, uids)
		if err != nil {
			return
		}
		if len(missing) > 0 {
			s.log.Info("the cache has lost what it had: it is filled again")
			b.covered = covered{}
			s.mu.Lock()
			b.lost = true
			s.mu.Unlock()
			nudge(b.wake)
			s.poke()
			return
		}
	}
	hi := list.Len() - rand.IntN(max(1, min(list.Len(), witnessAmong)-witnessRows+1))
	uids = list.UIDs(max(0, hi-witnessRows), hi)
	missing, err := s.cfg.Cache.Missing(ctx, at, uids)
	if err != nil {
		return
	}
	uids = slices.DeleteFunc(uids, func(u store.UID) bool { return slices.Contains(missing, u) })
	b.witness = witness{at, uids}
}

// takeLost tells, once, that the cache needs the list again.
func (b *backfill) takeLost() bool {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	lost := b.lost
	b.lost = false
	return lost
}
