package imapsession

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tidings/internal/testserver"
	"tidings/store"
)

// A key that is pressed while the link is in IDLE: DONE and the command leave
// together, and one round trip later the effect is confirmed.
func TestACommandOutOfIdleCostsOneRoundTrip(t *testing.T) {
	srv := testserver.Dovecot(t)
	srv.Fill(t, "INBOX", 20, realistic)
	for name, c := range map[string]func(f *follower) Command{
		"flag": func(f *follower) Command { return StoreFlags{Target: f.target(3), Add: []string{`\Flagged`}} },
		"move": func(f *follower) Command { return Move{Target: f.target(4), Dest: "Trash"} },
	} {
		t.Run(name, func(t *testing.T) {
			client := srv.Client(t)
			_ = client.Create("Trash", nil).Wait() // it may be there
			link := testserver.NewLink(t, srv.Addr)
			f, _ := start(t, configFor(t, link.Addr(), srv.User, srv.Password))
			f.live(1)
			f.until("the unread count", func() bool { return f.unseen.Known })
			link.SetLatency(100*time.Millisecond, 100*time.Millisecond)
			if r := f.do(StoreFlags{Target: f.target(9), Add: []string{`\Answered`}}); r.Err != nil {
				t.Fatal(r.Err)
			}
			atRest(link)
			link.ResetCounters()
			if r := f.do(c(f)); r.Err != nil {
				t.Fatal(r.Err)
			}
			if trips := link.RoundTrips(); trips != 1 {
				t.Errorf("%d round trips, want 1", trips)
			}
		})
	}
}

// written keeps what is written to a connection, write by write.
type written struct {
	net.Conn
	mu  *sync.Mutex
	all *[]string
}

func (w written) Write(p []byte) (int, error) {
	w.mu.Lock()
	*w.all = append(*w.all, string(p))
	w.mu.Unlock()
	return w.Conn.Write(p)
}

// DONE and the command behind it leave in one write.
func TestDoneAndTheCommandLeaveTogether(t *testing.T) {
	srv := testserver.Dovecot(t)
	srv.Fill(t, "INBOX", 20, realistic)
	var mu sync.Mutex
	var all []string
	cfg := configFor(t, srv.Addr, srv.User, srv.Password)
	cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		return written{c, &mu, &all}, err
	}
	f, _ := start(t, cfg)
	f.live(1)
	f.until("the unread count", func() bool { return f.unseen.Known })
	last := func() string {
		mu.Lock()
		defer mu.Unlock()
		return all[len(all)-1]
	}
	for _, c := range []Command{
		StoreFlags{Target: f.target(3), Add: []string{`\Flagged`}}, Move{Target: f.target(4), Dest: "Trash"}, FetchBody{Target: f.target(5)},
	} {
		for !strings.Contains(last(), " IDLE\r\n") {
			f.wait()
		}
		mu.Lock()
		before := len(all)
		mu.Unlock()
		if r := f.do(c); r.Err != nil {
			t.Fatal(r.Err)
		}
		mu.Lock()
		if first := all[before]; !strings.HasPrefix(first, "DONE\r\n") || strings.Count(first, "\r\n") != 2 {
			t.Errorf("%T: the first write was %q", c, first)
		}
		mu.Unlock()
	}
}

// atRest waits until nothing has come over a link for three round trips of 200 ms:
// it is in IDLE then.
func atRest(link *testserver.Link) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for quiet, last := 0, int64(-1); quiet < 12; quiet++ {
		<-tick.C
		if n := link.Bytes(testserver.Both); n != last {
			quiet, last = 0, n
		}
	}
}

// Ten thousand messages are marked read by one command: their UIDs are a range.
func TestMarkingTenThousandRead(t *testing.T) {
	const n = 10_000
	srv := testserver.Dovecot(t)
	srv.Fill(t, "INBOX", n, func(i int) testserver.Mail {
		m := realistic(i)
		m.Flags = ""
		return m
	})
	link := testserver.NewLink(t, srv.Addr)
	f, _ := start(t, configFor(t, link.Addr(), srv.User, srv.Password))
	f.live(1)
	var uids []store.UID
	for _, r := range srv.Rows(t, "INBOX") {
		uids = append(uids, store.UID(r.UID))
	}
	link.ResetCounters()
	began := time.Now()
	r := f.do(StoreFlags{Target: f.target(uids...), Add: []string{`\Seen`}})
	took := time.Since(began)
	if r.Err != nil || !r.Note.IsEmpty() {
		t.Fatalf("%v %v", r.Err, r.Note)
	}
	sent := link.Bytes(testserver.ToServer)
	t.Logf("%d messages marked read in %v: %d octets to the server, %d back, %d round trips", n, took.Round(time.Millisecond), sent, link.Bytes(testserver.ToClient), link.RoundTrips())
	if sent > 200 {
		t.Errorf("%d octets were sent", sent)
	}
	if i := slices.IndexFunc(srv.Rows(t, "INBOX"), func(r testserver.Row) bool { return !slices.Contains(r.Flags, `\Seen`) }); i >= 0 {
		t.Errorf("message %d is not read", i+1)
	}
	if i, ok := f.list.Find(uids[n-1]); !ok || !f.list.Row(i).Flags.Has(store.Seen) {
		t.Error("the listener's last row is not read")
	}
}
