//go:build unix

package ui

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"tidings/internal/emulator"
	"tidings/internal/testserver"

	"github.com/charmbracelet/x/term"
	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
)

// stuckTerminal starts the program on a terminal that reads the first frame and
// then nothing more, and has it paint until nothing more can be written.
func stuckTerminal(t *testing.T) (c *exec.Cmd, master, slave *os.File, screen vt10x.Terminal) {
	t.Helper()
	const w, h = 100, 30
	master, slave, err := pty.Open()
	if err != nil {
		testserver.Missing(t, "no pseudo-terminal: "+err.Error())
	}
	t.Cleanup(func() { master.Close(); slave.Close() })
	if err := pty.Setsize(master, &pty.Winsize{Rows: h, Cols: w}); err != nil {
		t.Fatal(err)
	}
	race := filepath.Join(t.TempDir(), "race")
	c = exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "TIDINGS_TEST_SCREEN=narrow", "TERM=xterm-256color", "LC_ALL=C.UTF-8", "GORACE=exitcode=66 atexit_sleep_ms=0 log_path="+race)
	c.Stdin, c.Stdout, c.Stderr = slave, slave, slave
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	killer := time.AfterFunc(patience, func() { _ = c.Process.Kill() })
	t.Cleanup(func() { killer.Stop(); _ = c.Process.Kill(); _ = c.Wait() })
	screen = emulator.New(vt10x.WithSize(w, h))
	shows(t, master, screen, w, h, "Q quit")
	// A size that changes has the whole screen painted: far more than a terminal
	// takes without being read from.
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range 80 {
		if err := c.Process.Signal(syscall.SIGWINCH); err != nil {
			t.Fatal(err)
		}
		<-tick.C
	}
	return c, master, slave, screen
}

// shows reads until the screen shows a text.
func shows(t *testing.T, master *os.File, screen vt10x.Terminal, w, h int, text string) {
	t.Helper()
	b := make([]byte, 64<<10)
	x := &terminalTest{screen: screen, w: w, h: h}
	_ = master.SetReadDeadline(time.Now().Add(patience)) // our end of the slave is open: nothing else would end it
	defer func() { _ = master.SetReadDeadline(time.Time{}) }()
	for !strings.Contains(strings.Join(x.lines(), "\n"), text) {
		n, err := master.Read(b)
		if err != nil {
			t.Fatalf("%v, before %q; the screen is\n%s", err, text, strings.Join(x.lines(), "\n"))
		}
		_, _ = screen.Write(b[:n])
	}
}

// TestQuittingWhileTheTerminalDoesNotRead: the program ends, and what the
// terminal finds when it reads again puts it back.
func TestQuittingWhileTheTerminalDoesNotRead(t *testing.T) {
	for name, quit := range map[string]func(c *exec.Cmd, master *os.File){
		"Q":       func(_ *exec.Cmd, master *os.File) { _, _ = master.WriteString("Q") },
		"SIGTERM": func(c *exec.Cmd, _ *os.File) { _ = c.Process.Signal(syscall.SIGTERM) },
	} {
		t.Run(name, func(t *testing.T) {
			c, master, slave, _ := stuckTerminal(t)
			raw, err := term.GetState(slave.Fd())
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			quit(c, master)
			if err := c.Wait(); err != nil {
				t.Fatalf("it ended with %v", err)
			}
			t.Logf("it took %v", time.Since(began))
			if now, err := term.GetState(slave.Fd()); err != nil || reflect.DeepEqual(now, raw) {
				t.Errorf("the settings were not put back (%v)", err)
			}
			if runtime.GOOS != "linux" {
				return // there a write that waits cannot be interrupted
			}
			slave.Close()
			var left strings.Builder
			b := make([]byte, 64<<10)
			for {
				n, err := master.Read(b)
				left.Write(b[:n])
				if err != nil {
					break
				}
			}
			if !strings.Contains(left.String(), "\x1b\\") {
				t.Error("the terminal was not stuck")
			}
			if !strings.HasSuffix(left.String(), "\x1b[?1049l\x1b[?25h") {
				t.Errorf("at last it wrote %q", left.String()[max(0, left.Len()-200):])
			}
		})
	}
}

// TestTheTerminalReadsAgain: what was pressed meanwhile has happened, and the
// newest frame is shown.
func TestTheTerminalReadsAgain(t *testing.T) {
	_, master, _, screen := stuckTerminal(t)
	if _, err := master.WriteString("jjjjG"); err != nil {
		t.Fatal(err)
	}
	shows(t, master, screen, 100, 30, "(1) ")
}
