package bench

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"tidings/internal/emulator"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
)

// Terminal is a program in a pseudo-terminal, with a screen that can be waited
// on. Its text must be narrow: the emulator knows no wide characters. What the
// program writes is only noted when it comes; the emulator, which takes more time
// than the program does, reads it when somebody looks.
type Terminal struct {
	Started time.Time // right before the program was started
	Cmd     *exec.Cmd
	// Calm is how long the program has to be silent before Wait looks at what it
	// wrote, so that looking takes nothing from what is measured; at most ten
	// times as long. 0: it looks at once.
	Calm time.Duration

	pty *os.File

	mu     sync.Mutex
	output int64     // octets the program wrote
	last   time.Time // when the last of them came
	log    []chunk
	closed bool
	change chan struct{} // closed and replaced at each change

	look   sync.Mutex // taken before mu
	screen vt10x.Terminal
	seen   int // chunks of log that the screen shows
}

// chunk is one read from the terminal.
type chunk struct {
	at   time.Time
	size int
	data []byte // nil once the screen shows it
}

// Start runs a program in a new terminal of cols x rows with TERM=xterm-256color
// and this environment (nothing is inherited but PATH).
func Start(cols, rows int, env []string, name string, args ...string) (*Terminal, error) {
	cmd := exec.Command(name, args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "TERM=xterm-256color", "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "COLORTERM=truecolor"}, env...)
	t := &Terminal{Cmd: cmd, screen: emulator.New(vt10x.WithSize(cols, rows)), change: make(chan struct{})}
	ptmx, tty, err := pty.Open()
	if err != nil {
		return nil, err
	}
	defer tty.Close()
	if err := pty.Setsize(ptmx, &pty.Winsize{Cols: uint16(cols), Rows: uint16(rows)}); err != nil {
		return nil, err
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	t.pty = ptmx
	t.Started = time.Now()
	if err := cmd.Start(); err != nil {
		ptmx.Close()
		return nil, err
	}
	go t.read()
	return t, nil
}

func (t *Terminal) read() {
	buf := make([]byte, 64<<10)
	for {
		n, err := t.pty.Read(buf)
		now := time.Now()
		t.mu.Lock()
		if n > 0 {
			t.output += int64(n)
			t.last = now
			t.log = append(t.log, chunk{now, n, slices.Clone(buf[:n])})
		}
		if err != nil {
			t.closed = true
		}
		close(t.change)
		t.change = make(chan struct{})
		t.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Type sends keys as typed and says when.
func (t *Terminal) Type(keys string) time.Time {
	now := time.Now()
	_, _ = t.pty.WriteString(keys)
	return now
}

// Screen is what the terminal shows, rows separated by newlines.
func (t *Terminal) Screen() string {
	t.look.Lock()
	defer t.look.Unlock()
	for t.show() {
	}
	return t.screen.String()
}

// show gives the screen the next chunk; false where there is none. look is held.
func (t *Terminal) show() bool {
	t.mu.Lock()
	if t.seen == len(t.log) {
		t.mu.Unlock()
		return false
	}
	c := &t.log[t.seen]
	data := c.data
	c.data = nil
	t.seen++
	t.mu.Unlock()
	t.screen.Write(data)
	return true
}

// Output is how many octets the program wrote so far.
func (t *Terminal) Output() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.output
}

// Wait waits until the screen meets a condition and returns when the octets
// arrived that made it so. It fails when the program ends, or after limit.
func (t *Terminal) Wait(limit time.Duration, what string, holds func(screen string) bool) (time.Time, error) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		t.mu.Lock()
		closed, change := t.closed, t.change
		t.mu.Unlock()
		if at, ok := t.find(holds); ok {
			return at, nil
		}
		if closed {
			return time.Time{}, fmt.Errorf("program ended while waiting for %s; the screen:\n%s", what, trimScreen(t.Screen()))
		}
		select {
		case <-change:
			_ = t.Quiet(t.Calm, 10*t.Calm)
		case <-timer.C:
			return time.Time{}, fmt.Errorf("no %s within %v; the screen:\n%s", what, limit, trimScreen(t.Screen()))
		}
	}
}

// find looks at what was written, chunk by chunk, until a condition is met, and
// returns when that chunk came.
func (t *Terminal) find(holds func(screen string) bool) (at time.Time, ok bool) {
	t.look.Lock()
	defer t.look.Unlock()
	for ok = holds(t.screen.String()); !ok && t.show(); {
		ok = holds(t.screen.String())
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.seen > 0 {
		at = t.log[t.seen-1].at
	}
	return at, ok
}

// WaitText waits for a text on the screen.
func (t *Terminal) WaitText(limit time.Duration, text string) (time.Time, error) {
	return t.Wait(limit, fmt.Sprintf("%q", text), func(s string) bool { return strings.Contains(s, text) })
}

// Quiet waits until the program has written nothing for a while.
func (t *Terminal) Quiet(quiet, limit time.Duration) error {
	end := time.Now().Add(limit)
	for {
		t.mu.Lock()
		last, closed := t.last, t.closed
		t.mu.Unlock()
		since := time.Since(last)
		if since >= quiet || closed {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("never silent for %v within %v", quiet, limit)
		}
		time.Sleep(quiet - since)
	}
}

// After is when the first octet after a moment came, and how many octets came
// since; 0 if none did.
func (t *Terminal) After(moment time.Time) (first time.Time, octets int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := len(t.log) - 1; i >= 0 && t.log[i].at.After(moment); i-- {
		first = t.log[i].at
		octets += t.log[i].size
	}
	return first, octets
}

// WaitOutput waits until something is written after a moment.
func (t *Terminal) WaitOutput(moment time.Time, limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		t.mu.Lock()
		written, closed, change := t.last.After(moment), t.closed, t.change
		t.mu.Unlock()
		if written {
			return nil
		}
		if closed {
			return fmt.Errorf("the program ended; the screen:\n%s", trimScreen(t.Screen()))
		}
		select {
		case <-change:
		case <-timer.C:
			return fmt.Errorf("nothing was drawn within %v; the screen:\n%s", limit, trimScreen(t.Screen()))
		}
	}
}

// Exit waits for the program's end and gives its status; -1 if it had to be
// killed after limit.
func (t *Terminal) Exit(limit time.Duration) int {
	timer := time.AfterFunc(limit, func() { _ = t.Cmd.Process.Kill() })
	defer timer.Stop()
	_ = t.Cmd.Wait()
	t.pty.Close()
	return t.Cmd.ProcessState.ExitCode()
}

// Kill ends the program at once.
func (t *Terminal) Kill() {
	_ = t.Cmd.Process.Kill()
	t.Exit(time.Second)
}

// trimScreen drops empty rows and trailing blanks for messages.
func trimScreen(s string) string {
	var out []string
	for line := range strings.SplitSeq(s, "\n") {
		if line = strings.TrimRight(line, " "); line != "" {
			out = append(out, "  | "+line)
		}
	}
	return strings.Join(out, "\n")
}
