package imapsession

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/emersion/go-imap/v2"

	"tidings/internal/testserver"
	"tidings/store"
)

// What it costs to find that nothing has happened does not grow with the mailbox;
// what it costs to find what has vanished grows with that.
func TestWarmStartOctets(t *testing.T) {
	for _, test := range []struct {
		name     string
		without  []string
		messages int
		vanish   int // one of so many, at random; 0: none
		flag     int // messages whose flags change
		most     int64
		full     bool
	}{
		{"QRESYNC, 1k", nil, 1_000, 0, 0, 1_700, false},
		{"CONDSTORE, 1k", []string{"QRESYNC"}, 1_000, 0, 0, 1_700, false},
		{"QRESYNC, 100k", nil, 100_000, 0, 0, 1_700, true},
		{"CONDSTORE, 100k", []string{"QRESYNC"}, 100_000, 0, 0, 1_700, true},
		{"CONDSTORE, 1k, ten flags", []string{"QRESYNC"}, 1_000, 0, 10, 2_500, false},
		{"QRESYNC, 20k, 1 % vanished", nil, 20_000, 100, 0, 4_000, true},
		{"CONDSTORE, 100k, 1 % vanished", []string{"QRESYNC"}, 100_000, 100, 0, 20_000, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.full && testing.Short() {
				t.Skip("builds a large mailbox")
			}
			srv := testserver.Dovecot(t, testserver.WithoutCapability(test.without...))
			srv.Fill(t, "INBOX", test.messages, realistic)
			link := testserver.NewLink(t, srv.Addr)
			cache := newFakeCache()
			cfg := configFor(t, link.Addr(), srv.User, srv.Password)
			cfg.Cache = cache
			f, stop := start(t, cfg)
			complete := func() bool {
				known := f.list.CountUnknown() == 0 && f.list.Len() > 0
				f.list.Known(0, f.list.Len(), func(_ int, r store.Row) bool {
					known = known && r.Flags.Known()
					return known
				})
				return known && f.unseen.Known
			}
			f.live(1)
			f.until("the whole index", complete)
			stop()

			other := srv.Client(t)
			if _, err := other.Select("INBOX", nil).Wait(); err != nil {
				t.Fatal(err)
			}
			var gone, flagged imap.UIDSet
			if test.vanish > 0 {
				rng := rand.New(rand.NewPCG(1, 2))
				for range test.messages / test.vanish {
					gone.AddNum(imap.UID(1 + rng.IntN(test.messages-1)))
				}
				must(t, other.Store(gone, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close())
				must(t, other.UIDExpunge(gone).Close())
			}
			for i := range test.flag {
				flagged.AddNum(imap.UID(7 * (i + 1)))
			}
			if test.flag > 0 {
				must(t, other.Store(flagged, add("\\Flagged"), nil).Close())
			}

			link.ResetCounters()
			var atLogin, reconciled int64
			f, stop = startSession(t, cfg, func(s *Session) {
				s.cfg.Credentials = secretThen{s.cfg.Credentials, func() { atLogin = link.Bytes(testserver.ToClient) }}
			})
			f.live(1)
			reconciled = link.Bytes(testserver.ToClient)
			f.mu.Lock()
			full := complete()
			left := f.list.Len()
			f.mu.Unlock()
			if n := int(countSet(gone)); !full && f.list.CountUnknown() > 0 || left != test.messages-n {
				t.Errorf("%d rows of %d, %d unknown", left, test.messages-n, f.list.CountUnknown())
			}
			stop()
			octets := reconciled - atLogin
			t.Logf("%d messages, %d vanished: %d octets from the server after log-in was asked for", test.messages, countSet(gone), octets)
			if octets >= test.most {
				t.Errorf("%d octets, more than %d", octets, test.most)
			}
		})
	}
}

// secretThen calls then when the secret is asked for: right before the log-in.
type secretThen struct {
	Credentials
	then func()
}

func (s secretThen) Secret(ctx context.Context) (Secret, error) {
	s.then()
	return s.Credentials.Secret(ctx)
}
