package imapsession

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/google/go-cmp/cmp"

	"tidings/internal/testserver"
)

// reconcilePaths are the ways to reconcile, by what Dovecot is told not to offer.
var reconcilePaths = []struct {
	name    string
	without []string
}{
	{"QRESYNC", nil},
	{"CONDSTORE", []string{"QRESYNC"}},
	{"plain", []string{"QRESYNC", "CONDSTORE"}},
	{"CONDSTORE without ESEARCH", []string{"QRESYNC", "ESEARCH", "SEARCHRES"}},
	{"plain without ESEARCH", []string{"QRESYNC", "CONDSTORE", "ESEARCH", "SEARCHRES"}},
}

// meddle is another client that does n things to the mailbox.
func meddle(t *testing.T, c *imapclient.Client, rng *rand.Rand, n int) {
	t.Helper()
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		t.Error(err)
		return
	}
	for i := range n {
		var no *imap.Error
		if err := meddleOnce(c, rng, i); err != nil && !errors.As(err, &no) {
			t.Errorf("meddling: %v", err)
			return
		}
	}
}

func meddleOnce(c *imapclient.Client, rng *rand.Rand, n int) error {
	data, err := c.UIDSearch(&imap.SearchCriteria{}, nil).Wait()
	if err != nil {
		return err
	}
	uids := data.AllUIDs()
	if len(uids) > 40 && rng.IntN(4) == 0 {
		// Some of everything, or a stretch of it.
		var set imap.UIDSet
		from := rng.IntN(len(uids))
		for i := range 1 + rng.IntN(8) {
			set.AddNum(uids[(from+i*(1+n%3))%len(uids)])
		}
		if rng.IntN(2) == 0 {
			_, err = c.Move(set, "Archive").Wait()
			return err
		}
		if err := c.Store(set, add(imap.FlagDeleted), nil).Close(); err != nil {
			return err
		}
		return c.UIDExpunge(set).Close()
	}
	if len(uids) > 0 && rng.IntN(6) == 0 {
		_, err = c.Copy(imap.UIDSetNum(uids[rng.IntN(len(uids))]), "INBOX").Wait()
		return err
	}
	return mutateOnce(c, rng, n)
}

// However a session learns what happened while it was away, and wherever it is
// killed, it ends with what the server has: another client meddles before, during
// and after, the link is cut at any octet, and of what was handed to the cache
// only a part may have reached the disk.
func TestReconcileAtRandom(t *testing.T) {
	rounds := 14
	if testing.Short() {
		rounds = 4
	}
	for _, path := range reconcilePaths {
		t.Run(path.name, func(t *testing.T) {
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			rng := rand.New(rand.NewPCG(seed, 7))
			srv := testserver.Dovecot(t, testserver.WithoutCapability(path.without...))
			srv.AppendN(t, "INBOX", 250)
			link := testserver.NewLink(t, srv.Addr)
			link.SetSlice(testserver.ToClient, 997)
			other := srv.Client(t)
			_ = other.Create("Archive", nil).Wait()
			cache := newFakeCache()
			cfg := configFor(t, link.Addr(), srv.User, srv.Password)
			cfg.Cache = cache
			for round := range rounds {
				killed := round%2 == 0
				cache.mu.Lock()
				cache.dying, cache.left = killed, rng.IntN(6)
				cache.mu.Unlock()
				var busy sync.WaitGroup
				busy.Go(func() { meddle(t, other, rand.New(rand.NewPCG(seed, uint64(round))), 30) })
				f, stop := start(t, cfg)
				if killed {
					// Not even this far, sometimes.
					link.CutAfter(testserver.ToClient, int64(600+rng.IntN(30_000)))
					for tries := 0; !f.hasBeen(Waiting); tries++ {
						if f.wait(); tries%10 == 9 {
							link.Cut() // so few octets came that it did not break
						}
					}
					stop()
					link.Heal()
					link.SetSlice(testserver.ToClient, 997)
					busy.Wait()
				} else {
					busy.Wait()
					want := srv.Rows(t, "INBOX")
					f.untilDiff("the server's state", func() string {
						if got := rows(f.list); !sameRows(got, want) {
							return cmp.Diff(want, got)
						}
						return ""
					})
					stop()
					kept := cache.checkpoint()
					if got := rows(kept.List); !sameRows(got, want) {
						t.Errorf("round %d: what is kept is not the server's (-server +kept):\n%s", round, cmp.Diff(want, got))
					}
				}
				meddle(t, other, rand.New(rand.NewPCG(seed, uint64(1000+round))), rng.IntN(40))
			}
		})
	}
}

// hasBeen tells whether the session was in a state.
func (f *follower) hasBeen(state State) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(f.states, func(ev StateEvent) bool { return ev.State == state })
}

// untilDiff is until with a reason why not.
func (f *follower) untilDiff(what string, diff func() string) {
	f.t.Helper()
	last := ""
	defer func() {
		if last != "" {
			f.t.Logf("%s: (-want +got)\n%s", what, last)
		}
	}()
	f.untilLong(what, 20*time.Second, func() bool {
		last = diff()
		return last == ""
	})
}
