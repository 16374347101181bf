package bench

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"tidings/internal/safetext"
	"tidings/store"
	"tidings/store/cache"
)

// Warm is how long the program took from its start to the newest subjects from
// its cache, with a server that accepts and then says nothing.
type Warm struct {
	Messages int
	Took     Sample
	Blank    int // runs in which a frame without rows was painted before
	RSS      int64
}

// WarmStarts measures the program at binary with caches of these sizes, which are
// made under work in the first run and kept. The first start of each size does
// not count.
func WarmStarts(h *Host, binary, work string, sizes []int, runs int) ([]Warm, error) {
	silent, err := silentServer()
	if err != nil {
		return nil, err
	}
	defer silent.Close()
	var all []Warm
	for _, n := range sizes {
		w := Warm{Messages: n}
		box := Mailbox{Addr: silent.Addr().String(), User: "warm", Password: "unused", Messages: n}
		home := filepath.Join(work, fmt.Sprintf("warm%d", n))
		if err := warmHome(home, box); err != nil {
			return nil, fmt.Errorf("make a cache of %d: %w", n, err)
		}
		config, err := TidingsConfig(home, box, "")
		if err != nil {
			return nil, err
		}
		for run := range runs + 1 {
			t, err := Start(Columns, Lines, homeEnv(home), binary, "--config", config)
			if err != nil {
				return nil, err
			}
			t.Calm = calm
			blank := false
			rows := newest(box)
			at, err := t.Wait(60*time.Second, "newest subjects", func(screen string) bool {
				shown := rows(screen)
				blank = blank || !shown && strings.Contains(screen, "INBOX")
				return shown
			})
			if err != nil {
				t.Kill()
				return nil, err
			}
			if run > 0 {
				w.Took = append(w.Took, at.Sub(t.Started))
				if blank {
					w.Blank++
				}
			}
			if run == runs { // the index is loaded behind the first paint
				_ = t.Quiet(time.Second, 20*time.Second)
				if u, err := ReadUsage(t.Cmd.Process.Pid); err == nil {
					w.RSS = u.RSS
				}
			}
			t.Kill()
			time.Sleep(100 * time.Millisecond)
		}
		all = append(all, w)
	}
	return all, nil
}

// silentServer accepts connections and says nothing on them.
func silentServer() (net.Listener, error) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() {
		var conns []net.Conn // held, so that nothing is closed
		for {
			c, err := silent.Accept()
			if err != nil {
				break
			}
			conns = append(conns, c)
		}
		for _, c := range conns {
			c.Close()
		}
	}()
	return silent, nil
}

// warmHome is a home with a cache of box, made by the store itself.
func warmHome(home string, box Mailbox) error {
	host, portText, err := net.SplitHostPort(box.Addr)
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return err
	}
	dir := filepath.Join(home, ".cache", "tidings")
	made := filepath.Join(home, "made")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if _, err := os.Stat(made); err != nil {
		if err := writeCache(made, box.Messages); err != nil {
			return err
		}
	}
	// The file's name has the port, which is another in each run.
	old, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return err
	}
	for _, name := range old {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	return os.Link(made, filepath.Join(dir, cache.FileName("bench", box.User, host, port)))
}

// writeCache makes a cache of n messages like those of WriteMaildir.
func writeCache(path string, n int) error {
	making := path + ".making"
	_ = os.Remove(making)
	c := cache.Open(cache.Options{Path: making, Say: func(string) {}})
	at := store.Place{Mailbox: "INBOX", UIDValidity: 7}
	seen := store.MakeFlags([]string{`\Seen`})
	var b store.Builder
	for i := range n {
		flags := seen
		if i%10 == 0 {
			flags = store.NoFlags
		}
		if err := b.Add(store.Row{UID: store.UID(i + 1), Flags: flags}); err != nil {
			return err
		}
	}
	ctx := context.Background()
	c.Keep(store.Checkpoint{Place: at, List: b.List(), ModSeq: 1, AsOf: time.Now(), Selected: store.UID(n)})
	if err := c.Settled(ctx); err != nil {
		return err
	}
	const batch = 5000
	for from := 0; from < n; from += batch {
		var sums []*store.Summary
		for i := from; i < min(from+batch, n); i++ {
			sums = append(sums, summary(i))
		}
		c.KeepSummaries(at, sums)
		if err := c.Settled(ctx); err != nil {
			return err
		}
	}
	c.Close(time.Minute)
	return os.Rename(making, path)
}

// summary is Message(n) as a list shows it, near enough.
func summary(n int) *store.Summary {
	who := people[n%len(people)]
	to := people[(n/7)%len(people)]
	date := epoch.Add(time.Duration(n) * 7 * time.Minute)
	person := func(name string) store.Address {
		return store.Address{Name: safetext.Clean(name), Addr: safetext.Clean(address(name)), Raw: address(name)}
	}
	return &store.Summary{
		UID: store.UID(n + 1), Internal: date, Date: date, Size: int64(2000 + n%1000),
		From: []store.Address{person(who)}, To: []store.Address{person(to)},
		Subject: safetext.Clean(Subject(n)), MessageID: fmt.Sprintf("%016x.%d@example.net", n, n),
	}
}
