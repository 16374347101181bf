package imapsession

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/google/go-cmp/cmp"

	"tidings/internal/testserver"
	"tidings/store"
)

// mutate is another client that appends, flags, moves and expunges until done.
func mutate(c *imapclient.Client, seed uint64, done <-chan struct{}) error {
	rng := rand.New(rand.NewPCG(seed, 1))
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		return err
	}
	for n := 0; ; n++ {
		select {
		case <-done:
			return nil
		default:
		}
		var no *imap.Error
		if err := mutateOnce(c, rng, n); err != nil && !errors.As(err, &no) {
			return err // a NO means that another client was quicker
		}
	}
}

func mutateOnce(c *imapclient.Client, rng *rand.Rand, n int) error {
	count := uint32(0)
	if box := c.Mailbox(); box != nil { // imapclient sets it a moment after SELECT's Wait
		count = box.NumMessages
	}
	if what := rng.IntN(10); what < 4 || count < 20 {
		raw := testserver.Letter(n)
		cmd := c.Append("INBOX", int64(len(raw)), nil)
		if _, err := cmd.Write(raw); err != nil {
			return err
		}
		if err := cmd.Close(); err != nil {
			return err
		}
		_, err := cmd.Wait()
		return err
	} else if what < 8 {
		op := []imap.StoreFlagsOp{imap.StoreFlagsAdd, imap.StoreFlagsDel}[rng.IntN(2)]
		flag := []imap.Flag{imap.FlagSeen, imap.FlagFlagged, "$Work"}[rng.IntN(3)]
		return c.Store(imap.SeqSetNum(1+rng.Uint32N(count)), &imap.StoreFlags{Op: op, Flags: []imap.Flag{flag}}, nil).Close()
	}
	data, err := c.UIDSearch(&imap.SearchCriteria{SeqNum: []imap.SeqSet{imap.SeqSetNum(1 + rng.Uint32N(count))}}, nil).Wait()
	if err != nil {
		return err
	}
	uids := data.AllUIDs()
	if len(uids) == 0 {
		return nil
	}
	set := imap.UIDSetNum(uids...)
	if rng.IntN(2) == 0 {
		_, err = c.Move(set, "Archive").Wait()
		return err
	}
	if err := c.Store(set, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close(); err != nil {
		return err
	}
	return c.UIDExpunge(set).Close()
}

// act makes the session work on random messages of its own list.
func act(f *follower, rng *rand.Rand) (Command, CommandID, bool) {
	f.mu.Lock()
	n := f.list.Len()
	if n == 0 {
		f.mu.Unlock()
		return nil, 0, false
	}
	uid := f.list.Row(rng.IntN(n)).UID
	target := Target{Mailbox: "INBOX", UIDValidity: f.validity, UIDs: []store.UID{uid}}
	f.mu.Unlock()
	if uid == 0 {
		return nil, 0, false
	}
	var c Command
	switch rng.IntN(6) {
	case 0:
		c = StoreFlags{Target: target, Add: []string{"\\Seen"}}
	case 1:
		c = StoreFlags{Target: target, Remove: []string{"\\Seen"}}
	case 2:
		c = StoreFlags{Target: target, Add: []string{"\\Flagged"}, Remove: []string{"$Work"}}
	case 3, 4:
		c = FetchBody{Target: target}
	default:
		c = Move{Target: target, Dest: "Archive"}
	}
	return c, f.s.Do(c), true
}

// soak runs mutating clients against a session that works, too, and then holds
// the lists against the server's, row by row. cut, if not nil, breaks the link
// every now and then.
func soak(t *testing.T, srv *testserver.Server, addr string, seed uint64, d time.Duration, cut func()) {
	srv.AppendN(t, "INBOX", 50)
	admin := srv.Client(t)
	_ = admin.Create("Archive", nil).Wait()
	cfg := configFor(t, addr, srv.User, srv.Password)
	cfg.FirstWindow = 2000
	f, stop := start(t, cfg)
	f.live(1)

	done := make(chan struct{})
	var clients sync.WaitGroup
	errs := make(chan error, 4)
	for i := range 3 {
		c := srv.Client(t)
		clients.Go(func() { errs <- mutate(c, seed+uint64(i), done) })
	}
	rng := rand.New(rand.NewPCG(seed, 2))
	end := time.NewTimer(d)
	defer end.Stop()
	var ids []CommandID
	failures := map[string]int{}
	slowest := time.Duration(0)
loop:
	for n := 0; ; n++ {
		select {
		case <-end.C:
			break loop
		default:
		}
		if _, id, ok := act(f, rng); ok {
			ids = append(ids, id)
			if cut == nil || n%5 != 0 {
				began := time.Now()
				if r := f.result(id); r.Err != nil {
					failures[r.Err.Error()]++
				}
				slowest = max(slowest, time.Since(began))
			}
		}
		if cut != nil && n%40 == 39 {
			cut()
			f.s.Retry(true)
		}
	}
	close(done)
	clients.Wait()
	for range 3 {
		if err := <-errs; err != nil {
			t.Errorf("a mutating client: %v", err)
		}
	}
	for _, id := range ids {
		f.result(id)
	}
	want := srv.Rows(t, "INBOX")
	deadline := time.Now().Add(patience)
	for {
		f.mu.Lock()
		got := rows(f.list)
		screen := Visible{Epoch: f.epoch, Lo: 1, Hi: uint32(f.list.Len())}
		f.mu.Unlock()
		if sameRows(got, want) {
			break
		}
		f.s.SetVisible(screen) // rows that a gap left unknown are asked for
		if time.Now().After(deadline) {
			t.Fatalf("the listener's list is not the server's (-server +ours):\n%s", cmp.Diff(want, got))
		}
		f.wait()
	}
	unread := uint32(0)
	for _, r := range want {
		seen := false
		for _, name := range r.Flags {
			seen = seen || name == "\\Seen"
		}
		if !seen {
			unread++
		}
	}
	f.until(fmt.Sprintf("%d unread", unread), func() bool { return f.unseen.Known && f.unseen.N == unread })
	stop()
	if got := rows(f.s.list); !sameRows(got, want) {
		t.Errorf("the session's list is not the server's (-server +ours):\n%s", cmp.Diff(want, got))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	t.Logf("%d events, %d commands, %d rows at the end, %d resyncs, slowest command %v, refusals: %v",
		len(f.kinds), len(ids), len(want), len(f.resyncs), slowest.Round(time.Millisecond), failures)
	if cut == nil && len(f.resyncs) != 1 {
		t.Errorf("%d resyncs without a broken link: the list disagreed with the server meanwhile", len(f.resyncs))
	}
}

func TestSoak(t *testing.T) {
	srv := testserver.Dovecot(t)
	soak(t, srv, srv.Addr, 1, 5*time.Second, nil)
}

func TestSoakWithBrokenLinks(t *testing.T) {
	srv := testserver.Dovecot(t)
	link := testserver.NewLink(t, srv.Addr)
	soak(t, srv, link.Addr(), 7, 6*time.Second, link.Cut)
}
