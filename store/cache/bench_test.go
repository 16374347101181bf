package cache

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tidings/internal/safetext"
	"tidings/store"
)

// sizes are the mailboxes of the benchmarks; the largest is left out with -short.
var sizes = []int{1_000, 10_000, 100_000, 1_000_000}

// vocabulary makes subjects and names of some variety, so that the search index
// has as much to do as with mail.
var vocabulary = sync.OnceValue(func() []string {
	var words []string
	x := uint64(88172645463325252)
	for range 4000 {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		w := make([]byte, 3+x%7)
		y := x
		for i := range w {
			w[i] = "etaoinshrdlucmfwypvbgkjqxz"[min(y%26, y>>8%26)]
			y = y>>3 ^ y*0x9e3779b97f4a7c15
		}
		words = append(words, string(w))
	}
	return words
})

// mailOf is a summary of the usual size.
func mailOf(uid store.UID) *store.Summary {
	v := vocabulary()
	x := uint64(uid) * 0x9e3779b97f4a7c15
	word := func() string {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		return v[min(x%4000, x>>20%4000)]
	}
	address := func() store.Address {
		raw := word() + "." + word() + "@" + word() + ".example"
		return store.Address{Name: safetext.Clean(word() + " " + word()), Addr: safetext.Clean(raw), Raw: raw}
	}
	at := time.Unix(1400000000+int64(uid)*61, 0).In(time.FixedZone("", 7200))
	return &store.Summary{
		UID: uid, Internal: at, Date: at.Add(-time.Minute), Size: int64(x % 100000),
		From: []store.Address{address()}, To: []store.Address{address()},
		Subject:   safetext.Clean(word() + " " + word() + " " + word() + " " + word() + " " + word()),
		MessageID: fmt.Sprintf("%x.%x@mail.example", x, uid),
		References: []string{
			fmt.Sprintf("%x@mail.example", x>>7), fmt.Sprintf("%x@mail.example", x>>9),
		},
		InReplyTo: []string{fmt.Sprintf("%x@mail.example", x>>9)},
	}
}

// keptFile makes a cache with n messages, of which the newest few thousand (all, if
// whole) have summaries, and returns its path.
func keptFile(b *testing.B, n int, whole bool) string {
	path := filepath.Join(b.TempDir(), "a.db")
	c := Open(Options{Path: path, Say: func(s string) { b.Error(s) }})
	defer c.Close(time.Minute)
	c.Keep(store.Checkpoint{Place: inbox, List: listOf(b, n), ModSeq: 1, AsOf: time.Now()})
	from := max(1, n-3000)
	if whole {
		from = 1
	}
	keepRange(b, c, from, n)
	return path
}

func keepRange(b *testing.B, c *Cache, from, to int) {
	for lo := from; lo <= to; lo += keptChunk {
		var sums []*store.Summary
		for uid := lo; uid < min(lo+keptChunk, to+1); uid++ {
			sums = append(sums, mailOf(store.UID(uid)))
		}
		c.KeepSummaries(inbox, sums)
		settled(b, c)
	}
	settled(b, c)
}

// BenchmarkFirstPage is from nothing to the newest rows and their summaries.
func BenchmarkFirstPage(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			path := keptFile(b, n, false)
			var page, whole time.Duration
			b.ReportAllocs()
			for b.Loop() {
				start := time.Now()
				c := Open(Options{Path: path})
				cp, err := c.Load(context.Background(), "INBOX", func(store.Checkpoint, []*store.Summary) { page += time.Since(start) })
				if err != nil || cp.List.Len() != n {
					b.Fatal(err)
				}
				whole += time.Since(start)
				c.Close(time.Second)
			}
			b.ReportMetric(float64(page.Microseconds())/float64(b.N)/1000, "ms/page")
			b.ReportMetric(float64(whole.Microseconds())/float64(b.N)/1000, "ms/index")
		})
	}
}

// BenchmarkKeepSummaries is the writer's share of a cold fill, for one message:
// summary, sort keys and search index.
func BenchmarkKeepSummaries(b *testing.B) {
	for _, chunk := range []int{500, 4000} {
		b.Run(fmt.Sprint(chunk), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "a.db")
			c := Open(Options{Path: path, Say: func(s string) { b.Error(s) }})
			defer c.Close(time.Minute)
			uid := 0
			var sums []*store.Summary
			var busy time.Duration
			for b.Loop() {
				uid++
				if sums = append(sums, mailOf(store.UID(uid))); len(sums) == chunk {
					start := time.Now()
					c.KeepSummaries(inbox, sums)
					settled(b, c)
					busy += time.Since(start)
					sums = nil
				}
			}
			b.ReportMetric(float64(busy.Microseconds())/float64(uid), "µs/message")
			settled(b, c)
			if info, err := os.Stat(path); err == nil {
				b.ReportMetric(float64(info.Size())/float64(uid), "octets/message")
			}
		})
	}
}

// BenchmarkOpen is from nothing to knowing what is kept of a mailbox, where something
// is and where nothing is, and what the end of the program waits for.
func BenchmarkOpen(b *testing.B) {
	for _, name := range []string{"file", "none", "memory"} {
		b.Run(name, func(b *testing.B) {
			path := ""
			switch name {
			case "file":
				path = keptFile(b, 1000, true)
			case "none":
				path = filepath.Join(b.TempDir(), "a.db")
			}
			var closing time.Duration
			for b.Loop() {
				c := Open(Options{Path: path})
				if _, err := c.Missing(context.Background(), inbox, []store.UID{1}); err != nil {
					b.Fatal(err)
				}
				start := time.Now()
				c.Close(time.Minute)
				closing += time.Since(start)
			}
			b.ReportMetric(float64(closing.Microseconds())/float64(b.N)/1000, "ms/close")
		})
	}
}

// BenchmarkGone is what it takes of this process's time that a thousand messages of a
// mailbox are expunged, all over it, until nothing is left of them in the file.
func BenchmarkGone(b *testing.B) {
	const n, some = 100_000, 1000
	path := keptFile(b, n, true)
	c := Open(Options{Path: path, Say: func(s string) { b.Error(s) }})
	defer c.Close(time.Minute)
	if cp, err := c.Load(context.Background(), inbox.Mailbox, nil); err != nil || cp.List.Len() != n {
		b.Fatal(err)
	}
	order := rand.New(rand.NewPCG(1, 2)).Perm(n)
	var spent time.Duration
	rounds := 0
	for b.Loop() {
		if rounds++; rounds*some > n {
			b.Fatal("none are left; fewer rounds, please")
		}
		gone := make(map[int]bool)
		for _, uid := range order[:rounds*some] {
			gone[uid+1] = true
		}
		var rest store.Builder
		for uid := 1; uid <= n; uid++ {
			if !gone[uid] {
				if err := rest.Add(store.Row{UID: store.UID(uid)}); err != nil {
					b.Fatal(err)
				}
			}
		}
		list := rest.List()
		was := busyTime()
		c.Keep(store.Checkpoint{Place: inbox, List: list, ModSeq: uint64(rounds + 1), AsOf: time.Now()})
		for left := true; left; time.Sleep(time.Millisecond) {
			settled(b, c)
			err := c.read(context.Background(), func(r *conn) (err error) {
				_, left, err = findInt(r.Conn, "SELECT 1 FROM gone LIMIT 1")
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		spent += busyTime() - was
	}
	b.ReportMetric(float64(spent.Microseconds())/1000/float64(rounds), "ms-of-CPU/1000")
}

// busyTime is how long this process has had a CPU.
func busyTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkScroll opens a mailbox all of which is cached in a process of its own
// and scrolls it from end to end, a screen at a time: how long a screen takes,
// and how much memory the process takes at most.
func BenchmarkScroll(b *testing.B) {
	for _, n := range sizes {
		if n > 100_000 && testing.Short() {
			continue
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			path := keptFile(b, n, true)
			b.ResetTimer()
			for b.Loop() {
				cmd := osexec.Command(os.Args[0])
				cmd.Env = append(os.Environ(), scrollEnv+"="+path)
				out, err := cmd.CombinedOutput()
				var peak, screen float64
				if k, _ := fmt.Sscan(string(out), &peak, &screen); err != nil || k != 2 {
					b.Fatalf("%v: %s", err, out)
				}
				b.ReportMetric(peak, "MB-resident")
				b.ReportMetric(screen, "µs/screen")
			}
		})
	}
}

// scroll is the process of BenchmarkScroll.
func scroll(path string) {
	c := Open(Options{Path: path, Say: func(s string) { fmt.Println(s) }})
	defer c.Close(time.Minute)
	cp, err := c.Load(context.Background(), "INBOX", nil)
	if err != nil || cp.List == nil {
		fmt.Println("nothing is loaded", err)
		return
	}
	start, screens := time.Now(), 0
	for at := cp.List.Len(); at > 0; at -= 50 {
		uids := cp.List.UIDs(at-50, at)
		sums, err := c.Summaries(context.Background(), cp.Place, uids)
		if err != nil || len(sums) != len(uids) {
			fmt.Println("summaries are missing", err)
			return
		}
		screens++
	}
	took := time.Since(start)
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		var kb int
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kb); n == 1 {
			fmt.Println(float64(kb)/1024, float64(took.Microseconds())/float64(screens))
		}
	}
}

// keptChunk is how many summaries are kept at a time: what a slow server sends while
// the writer lingers. The search index gets a segment for each.
const keptChunk = 500
