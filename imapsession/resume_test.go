package imapsession

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/google/go-cmp/cmp"

	"tidings/internal/testserver"
	"tidings/store/cache"
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

// meddler is another client.
type meddler struct {
	t    *testing.T
	srv  *testserver.Server
	c    *imapclient.Client // nil: to be made anew
	died int
}

// meddle does n things to the mailbox.
func (m *meddler) meddle(rng *rand.Rand, n int) {
	m.t.Helper()
	for i := range n {
		if m.c == nil {
			m.c = m.srv.Client(m.t)
		}
		var err error
		if m.c.Mailbox() == nil {
			_, err = m.c.Select("INBOX", nil).Wait()
		}
		if err == nil {
			err = meddleOnce(m.c, rng, i)
		}
		var no *imap.Error
		if err == nil || errors.As(err, &no) {
			continue
		}
		// Now and then Dovecot 2.3's process dies of a signal 11, with the session of
		// a client that does nothing unusual.
		m.c = nil
		if m.died++; m.died > 3 {
			m.t.Errorf("meddling: %v", err)
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

// askAgain is the probe of a session that shall learn the rest of what happened
// within a test's patience. What Dovecot tells in IDLE is what it sees change in the
// mailbox's directories; what comes later into its index it keeps until it is asked.
const askAgain = 5 * time.Second

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
			other := &meddler{t: t, srv: srv, c: srv.Client(t)}
			_ = other.c.Create("Archive", nil).Wait()
			kept := newFakeCache()
			cfg := configFor(t, link.Addr(), srv.User, srv.Password)
			cfg.Cache, cfg.Probe = kept, askAgain
			for round := range rounds {
				killed := round%2 == 0
				kept.mu.Lock()
				kept.dying, kept.left = killed, rng.IntN(6)
				kept.mu.Unlock()
				var busy sync.WaitGroup
				busy.Go(func() { other.meddle(rand.New(rand.NewPCG(seed, uint64(round))), 30) })
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
					last := kept.checkpoint()
					if got := rows(last.List); !sameRows(got, want) {
						t.Errorf("round %d: what is kept is not the server's (-server +kept):\n%s", round, cmp.Diff(want, got))
					}
				}
				other.meddle(rand.New(rand.NewPCG(seed, uint64(1000+round))), rng.IntN(40))
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
			inTheEnd(f.t).why = fmt.Sprintf("%s: (-want +got)\n%s", what, last)
		}
	}()
	f.untilLong(what, 20*time.Second, func() bool {
		last = diff()
		return last == ""
	})
}

// The same with the cache that is on disk, opened anew each time.
func TestReconcileAtRandomFromDisk(t *testing.T) {
	rounds := 8
	if testing.Short() {
		rounds = 3
	}
	for _, path := range reconcilePaths[:3] {
		t.Run(path.name, func(t *testing.T) {
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			rng := rand.New(rand.NewPCG(seed, 7))
			srv := testserver.Dovecot(t, testserver.WithoutCapability(path.without...))
			srv.AppendN(t, "INBOX", 250)
			link := testserver.NewLink(t, srv.Addr)
			other := &meddler{t: t, srv: srv, c: srv.Client(t)}
			_ = other.c.Create("Archive", nil).Wait()
			file := filepath.Join(t.TempDir(), "account.db")
			for round := range rounds {
				disk := cache.Open(cache.Options{Path: file, Say: func(said string) { t.Errorf("the cache says: %s", said) }})
				cfg := configFor(t, link.Addr(), srv.User, srv.Password)
				cfg.Cache, cfg.Probe = disk, askAgain
				var busy sync.WaitGroup
				busy.Go(func() { other.meddle(rand.New(rand.NewPCG(seed, uint64(round))), 30) })
				f, stop := start(t, cfg)
				if round%2 == 1 {
					link.CutAfter(testserver.ToClient, int64(600+rng.IntN(20_000)))
					for tries := 0; !f.hasBeen(Waiting); tries++ {
						if f.wait(); tries%10 == 9 {
							link.Cut()
						}
					}
					link.Heal()
				} else {
					busy.Wait()
					want := srv.Rows(t, "INBOX")
					f.untilDiff("the server's state", func() string {
						if got := rows(f.list); !sameRows(got, want) {
							return cmp.Diff(want, got)
						}
						return ""
					})
				}
				busy.Wait()
				// A link may break before the cache is read.
				f.until("a first list", func() bool { return len(f.resyncs) > 0 })
				stop()
				if first := f.resyncs[0]; round > 0 && first.AsOf.IsZero() {
					t.Errorf("round %d: the first list told is not the cache's", round)
				}
				disk.Close(10 * time.Second)
				other.meddle(rand.New(rand.NewPCG(seed, uint64(1000+round))), rng.IntN(40))
			}
		})
	}
}
