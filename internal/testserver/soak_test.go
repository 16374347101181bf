package testserver

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/google/go-cmp/cmp"

	"tidings/internal/demo"
)

// TestSoak lets several clients change a mailbox while one watches in IDLE and
// out of it. What the watcher has by the arithmetic of EXISTS and EXPUNGE alone
// must in the end be what the server has, row by row. TIDINGS_SOAK_STEPS makes
// it longer.
func TestSoak(t *testing.T) {
	steps := 60
	if more, err := strconv.Atoi(os.Getenv("TIDINGS_SOAK_STEPS")); err == nil {
		steps = more
	}
	peers := map[string]func(testing.TB) peer{"demo": demoPeer, "dovecot": dovecotPeer}
	for name, start := range peers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t)
			seeder := p.login(t)
			fill(t, seeder, 40)
			watchers := []*rawClient{dialRaw(t, p), dialRaw(t, p)}
			for _, w := range watchers {
				w.open("INBOX")
			}

			var running sync.WaitGroup
			stopped, done := make(chan struct{}), make(chan struct{})
			for seed := range 4 {
				client := p.login(t)
				running.Go(func() {
					if err := mutate(client, rand.New(rand.NewPCG(uint64(seed), 7)), steps); err != nil {
						t.Errorf("client %d: %v", seed, err)
					}
				})
			}
			go func() {
				defer close(done)
				running.Wait()
				close(stopped)
				// Something to see for a watcher that idles, so that it looks up.
				if _, err := appendTo(seeder, []byte("Subject: the end\r\n\r\n")); err != nil {
					t.Errorf("append: %v", err)
				}
			}()

			var watching sync.WaitGroup
			for i, w := range watchers {
				watching.Go(func() {
					for round := 0; ; round++ {
						select {
						case <-stopped:
							return
						default:
						}
						if i == 0 && round%3 == 0 {
							// In IDLE until something has happened, or for no time at all.
							begin := len(w.log)
							w.idle(func() bool { return len(w.log) > begin+round%5 || isClosed(stopped) })
						}
						w.do("FETCH %d:* (UID FLAGS)", max(1, len(w.rows)-3))
						w.do("UID SEARCH RETURN (COUNT) UNSEEN")
						w.ok("NOOP")
					}
				})
			}
			watching.Wait()
			<-done
			want := Rows(t, p.login(t), "INBOX")
			for i, w := range watchers {
				w.ok("NOOP")
				w.learn()
				if diff := cmp.Diff(want, w.asRows()); diff != "" {
					t.Errorf("watcher %d holds (-server +watcher):\n%s", i, diff)
				}
			}
		})
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// mutate changes INBOX in random ways. Messages vanish under it all the time;
// only what no server may answer is an error.
func mutate(client *imapclient.Client, rng *rand.Rand, steps int) error {
	if _, err := client.Select("INBOX", nil).Wait(); err != nil {
		return err
	}
	var mine []imap.UID
	for range steps {
		if roll := rng.IntN(10); roll < 3 || len(mine) == 0 {
			uid, err := appendTo(client, Letter(rng.IntN(1000)))
			if err != nil {
				return fmt.Errorf("append: %w", err)
			}
			mine = append(mine, uid)
			continue
		} else if roll < 7 {
			op := []imap.StoreFlagsOp{imap.StoreFlagsAdd, imap.StoreFlagsDel, imap.StoreFlagsSet}[rng.IntN(3)]
			flags := []imap.Flag{imap.FlagSeen, imap.FlagFlagged, "$label1"}[rng.IntN(3):]
			set := imap.UIDSet{{Start: imap.UID(1 + rng.IntN(60)), Stop: imap.UID(1 + rng.IntN(60))}}
			if err := client.Store(set, &imap.StoreFlags{Op: op, Flags: flags}, nil).Close(); err != nil {
				return fmt.Errorf("store: %w", err)
			}
			continue
		}
		at := rng.IntN(len(mine))
		set := imap.UIDSetNum(mine[at], imap.UID(1+rng.IntN(40)))
		mine = append(mine[:at], mine[at+1:]...)
		if rng.IntN(2) == 0 {
			_, err := client.Move(set, "Archive").Wait()
			var refused *imap.Error
			if errors.As(err, &refused) && refused.Code == "EXPUNGEISSUED" {
				continue // another client was faster
			}
			if err != nil {
				return fmt.Errorf("move: %w", err)
			}
			continue
		}
		if err := client.Store(set, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close(); err != nil {
			return fmt.Errorf("store: %w", err)
		}
		if err := client.UIDExpunge(set).Close(); err != nil {
			return fmt.Errorf("expunge: %w", err)
		}
	}
	return nil
}

func appendTo(client *imapclient.Client, raw []byte) (imap.UID, error) {
	cmd := client.Append("INBOX", int64(len(raw)), nil)
	if _, err := cmd.Write(raw); err != nil {
		return 0, err
	}
	if err := cmd.Close(); err != nil {
		return 0, err
	}
	data, err := cmd.Wait()
	if err != nil {
		return 0, err
	}
	return data.UID, nil
}

// TestSoakLife watches the demo's own life, a thousand events of it, in IDLE.
func TestSoakLife(t *testing.T) {
	s, err := demo.Start(t.Context(), demo.Options{Seed: 3, Messages: 120})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w := dialRaw(t, peer{s.Addr(), s.User(), s.Password()})
	w.open("INBOX")
	stopped, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for range 1000 {
			s.Step()
		}
		close(stopped)
		// Something to see for a watcher that idles, so that it looks up.
		s.Arrive()
	}()
	for round := 0; !isClosed(stopped); round++ {
		begin := len(w.log)
		w.idle(func() bool { return len(w.log) > begin+round%7 || isClosed(stopped) })
		w.do("FETCH %d:* (UID FLAGS)", max(1, len(w.rows)-5))
	}
	<-done
	w.ok("NOOP")
	w.learn()
	want := []Row{}
	for _, row := range s.Rows("INBOX") {
		want = append(want, Row(row))
	}
	if diff := cmp.Diff(want, w.asRows()); diff != "" {
		t.Errorf("the watcher holds (-server +watcher):\n%s", diff)
	}
}
