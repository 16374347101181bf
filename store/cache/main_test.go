package cache

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	osexec "os/exec"
	"strconv"
	"testing"
	"time"

	"go.uber.org/goleak"
	"tidings/store"
)

// childEnv makes the test's binary a process that keeps Checkpoints in the file
// that it names.
const childEnv = "TIDINGS_TEST_CACHE"

// scrollEnv makes it one that scrolls through the mailbox in the file.
const scrollEnv = "TIDINGS_TEST_SCROLL"

func TestMain(m *testing.M) {
	if path := os.Getenv(childEnv); path != "" {
		child(path)
		return
	}
	if path := os.Getenv(scrollEnv); path != "" {
		scroll(path)
		return
	}
	if err := flag.Set("rapid.checks", strconv.Itoa(100/fewer)); err != nil { // unless the command line says otherwise
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// child keeps one state after the other until it is killed, and says how far it
// has come.
func child(path string) {
	c := Open(Options{Path: path, Bodies: 1 << 20, Say: func(s string) { fmt.Println("said", s) }})
	states(func(n uint64, cp store.Checkpoint, sums []*store.Summary) bool {
		c.Keep(cp)
		c.KeepSummaries(cp.Place, sums)
		c.KeepBody(cp.Place, sums[0].UID, make([]byte, 3000), true)
		fmt.Println("kept", n)
		if n%3 == 1 {
			if err := c.Settled(context.Background()); err != nil {
				fmt.Println("said", err)
			}
			fmt.Println("settled", n)
		}
		return true
	})
}

// states yields what a mailbox was like after each of its changes; the ModSeq is
// the number of the state.
func states(yield func(n uint64, cp store.Checkpoint, sums []*store.Summary) bool) {
	l := new(store.List)
	must := func(c store.Change) {
		if _, err := l.Apply(c); err != nil {
			panic(err)
		}
	}
	uid := store.UID(0)
	for n := uint64(1); ; n++ {
		var sums []*store.Summary
		for range 40 {
			uid++
			must(store.Change{Kind: store.Exists, N: uint32(l.Len() + 1)})
			must(store.Change{Kind: store.Fill, Seq: uint32(l.Len()), UID: uid, Flags: store.NoFlags})
			sums = append(sums, sumOf(uid))
		}
		for i := range 30 {
			must(store.Change{Kind: store.SetFlags, Seq: uint32((int(n)*7+i*13)%l.Len() + 1), Flags: store.MakeFlags([]string{`\Seen`, fmt.Sprint("k", n%5)})})
		}
		if l.Len() > 600 {
			for range 40 {
				must(store.Change{Kind: store.Expunge, Seq: uint32(int(n)*31%l.Len() + 1)})
			}
		}
		cp := store.Checkpoint{Place: inbox, List: l.Snapshot(), ModSeq: n, AsOf: time.UnixMilli(int64(n))}
		if !yield(n, cp, sums) {
			return
		}
	}
}

// process is a child of the test.
type process struct {
	*osexec.Cmd
	lines *bufio.Scanner
}

// start starts a child on the file.
func start(t testing.TB, path string) *process {
	t.Helper()
	cmd := osexec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	return &process{cmd, bufio.NewScanner(out)}
}

// next is the child's next line: what it did, and the number of the state.
func (p *process) next(t testing.TB) (word string, n uint64) {
	t.Helper()
	if !p.lines.Scan() {
		t.Fatal("the child ended")
	}
	if _, err := fmt.Sscan(p.lines.Text(), &word, &n); err != nil {
		t.Fatalf("the child says %q", p.lines.Text())
	}
	return word, n
}

// kill ends the child as a crash does, and returns how far it had come.
func (p *process) kill(t testing.TB) (kept, settled uint64) {
	t.Helper()
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for p.lines.Scan() {
		var word string
		var n uint64
		if k, _ := fmt.Sscan(p.lines.Text(), &word, &n); k == 2 {
			if word == "kept" {
				kept = n
			} else {
				settled = n
			}
		}
	}
	_ = p.Wait()
	return kept, settled
}
