package state

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"tidings/store"
)

const (
	lastUID = 400
	kills   = 25
)

// tellChild is a process that tells of mail until the last has been told. What a
// screen would show stands in the file "screen", a line for each batch; mail
// arrives as time passes, whether or not anybody looks.
func tellChild(dir string) {
	began, err := strconv.ParseInt(os.Getenv("TIDINGS_TEST_BEGAN"), 10, 64)
	check(err)
	const apart = 2 * time.Millisecond
	arrived := func() (last store.UID, next <-chan time.Time) {
		since := time.Since(time.UnixMicro(began))
		return store.UID(min(since/apart, lastUID)), time.After(apart - since%apart)
	}
	screen, err := os.OpenFile(filepath.Join(dir, "screen"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	check(err)
	s := Open(Options{Dir: dir})
	m := s.Marks("alice", "INBOX")
	m.Told(at(7))
	<-m.Turn()
	for {
		mark, _ := m.Told(at(7))
		if mark == lastUID {
			m.Close()
			s.Close(time.Minute)
			os.Exit(0)
		}
		top, next := arrived()
		if top <= mark {
			<-next
			continue
		}
		_, err := fmt.Fprintf(screen, "%d %d\n", mark+1, top)
		check(err)
		recorded := make(chan struct{})
		m.Tell(at(7), top, func() { close(recorded) })
		<-recorded
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// TestKilledWhileTelling kills the process that tells at random moments, with
// another one waiting for its turn: every message is told of, and twice at most
// those of the last batch before a kill.
func TestKilledWhileTelling(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	began := time.Now()
	start := func() *exec.Cmd {
		c := exec.Command(self)
		c.Env = append(os.Environ(), "TIDINGS_TEST_TELL="+dir, "TIDINGS_TEST_BEGAN="+strconv.FormatInt(began.UnixMicro(), 10))
		c.Stderr = os.Stderr
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		return c
	}
	running := []*exec.Cmd{start(), start()}
	for range kills {
		<-time.After(time.Duration(5+rand.IntN(40)) * time.Millisecond) // the random moment
		victim := rand.IntN(2)
		_ = running[victim].Process.Kill()
		_ = running[victim].Wait()
		running[victim] = start()
	}
	for _, c := range running {
		if err := c.Wait(); err != nil {
			t.Errorf("a process that was not killed ended with %v", err)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "screen"))
	if err != nil {
		t.Fatal(err)
	}
	batches, again, told, lastFrom := 0, 0, 0, 1
	for line := range strings.Lines(string(text)) {
		var from, to int
		if n, err := fmt.Sscanf(line, "%d %d\n", &from, &to); n != 2 || err != nil {
			t.Fatalf("on the screen is %q", line)
		}
		switch {
		case from > told+1:
			t.Errorf("%d to %d were never told", told+1, from-1)
		case from <= told && from < lastFrom:
			t.Errorf("%d was told again, though the last batch began at %d", from, lastFrom)
		case from <= told:
			again++
		}
		batches++
		lastFrom, told = from, max(told, to)
	}
	if told != lastUID {
		t.Errorf("told up to %d of %d", told, lastUID)
	}
	if again > kills {
		t.Errorf("%d batches were told again, with %d kills", again, kills)
	}
	t.Logf("%d batches, %d kills, %d batches told again", batches, kills, again)
}
