//go:build unix

package ui

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/google/go-cmp/cmp"

	"tidings/internal/safetext"
	"tidings/internal/testserver"
)

// screenOptions are those of the program that TestWideCharactersInTmux watches
// and of the model that it compares it with.
func screenOptions(s *fakeSession) Options {
	return Options{
		Accounts: []Account{{Name: safetext.Const("work"), Session: s, MarkSeen: -1}},
		Notice:   NoticeOff, Environ: os.Environ(),
	}
}

// screenChild is the program in a terminal of its own.
func screenChild() {
	s := newFakeSession()
	s.narrow = os.Getenv("TIDINGS_TEST_SCREEN") == "narrow"
	s.start(90)
	signals := []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}
	if os.Getenv("TIDINGS_TEST_SCREEN") == "nohup" {
		signal.Ignore(syscall.SIGHUP)
		signals = signals[:2]
	}
	ctx, _ := signal.NotifyContext(context.Background(), signals...)
	ready()
	if err := Run(ctx, screenOptions(s)); errors.Is(err, errTerminalGone) {
		os.Exit(3)
	}
	os.Exit(0)
}

// ready tells the test that the child's signals are handled, and who it is.
func ready() {
	if path := os.Getenv("TIDINGS_TEST_READY"); path != "" {
		if err := os.WriteFile(path, fmt.Appendln(nil, os.Getpid()), 0); err != nil {
			panic(err)
		}
	}
}

// TestWideCharactersInTmux scrolls through CJK, emoji and RTL rows in a real
// tmux and holds every row of it against the frame. It guards the pinned
// version of the renderer: others are known to leave such rows corrupt.
func TestWideCharactersInTmux(t *testing.T) {
	if _, err := exec.LookPath("tmux"); err != nil {
		testserver.Missing(t, "tmux is not installed")
	}
	const w, h = 100, 30
	socket := fmt.Sprintf("tidings-ui-test-%d", os.Getpid())
	tmux := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("tmux", append([]string{"-L", socket, "-f", "/dev/null"}, args...)...)
		cmd.Env = append(os.Environ(), "SHELL=/bin/sh") // a service user's own shell says no
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("tmux %s: %v\n%s", args, err, out)
		}
		return string(out)
	}
	tmux("-u", "new-session", "-d", "-x", fmt.Sprint(w), "-y", fmt.Sprint(h),
		"exec env TIDINGS_TEST_SCREEN=1 LC_ALL=C.UTF-8 "+os.Args[0])
	t.Cleanup(func() { _ = exec.Command("tmux", "-L", socket, "kill-server").Run() })

	s := newFakeSession()
	s.start(90)
	m := newModel(screenOptions(s))
	m.ascii = false
	m.retheme()
	m.Update(tea.WindowSizeMsg{Width: w, Height: h})
	for s.box.Pending() > 0 {
		evs, err := s.box.Next(t.Context(), pumpBatch)
		if err != nil {
			t.Fatal(err)
		}
		m.Update(batchMsg{0, evs})
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	shows := func(after string) {
		t.Helper()
		want := frameLines(m)
		for i := range want {
			want[i] = strings.TrimRight(want[i], " ")
		}
		// The status bar speaks of the time; the rows do not.
		want = want[:h-3]
		deadline := time.Now().Add(patience)
		for {
			got := strings.Split(tmux("capture-pane", "-p"), "\n")[:h-3]
			for i := range got {
				got[i] = strings.TrimRight(got[i], " ")
			}
			if slices.Equal(got, want) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("after %s tmux shows something else (-frame +tmux):\n%s", after, cmp.Diff(want, got))
			}
			<-tick.C
		}
	}
	shows("the start")
	names := map[string]string{"ctrl+d": "C-d", "ctrl+u": "C-u"}
	for i, k := range strings.Fields("j j ctrl+d j k G k k ctrl+u ctrl+u j g n n ctrl+d ctrl+d k G g ctrl+d ctrl+u j j j") {
		m.Update(keyPress(k))
		name := k
		if n, ok := names[k]; ok {
			name = n
		}
		tmux("send-keys", name)
		shows(fmt.Sprintf("key %d, %s,", i, k))
	}
}
