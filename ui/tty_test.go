//go:build unix

package ui

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"
	"github.com/hinshun/vt10x"

	"tidings/internal/emulator"
	"tidings/internal/safetext"
	"tidings/internal/testserver"
	"tidings/store"
)

// terminalTest runs the real program on a pseudo terminal whose other end is
// an emulator. What it asserts is what a person would see, and how many bytes
// it took to show it. It waits for conditions, never for time to pass; patience
// only bounds how long a failure takes.
type terminalTest struct {
	t       testing.TB
	session *fakeSession
	program *program
	master  *os.File
	ended   chan error

	mu      sync.Mutex
	changed *sync.Cond
	screen  vt10x.Terminal
	out     bytes.Buffer // everything written since the last mark
	writes  int
	w, h    int
	expired bool
}

const patience = 20 * time.Second

// onTerminal starts the program on a w x h terminal.
func onTerminal(t testing.TB, w, h int, messages int, environ ...string) *terminalTest {
	t.Helper()
	master, tty, err := pty.Open()
	if err != nil {
		testserver.Missing(t, "no pseudo-terminal: "+err.Error())
	}
	if err := pty.Setsize(master, &pty.Winsize{Rows: uint16(h), Cols: uint16(w)}); err != nil {
		t.Fatal(err)
	}
	x := &terminalTest{
		t: t, session: newFakeSession(), master: master, ended: make(chan error, 1),
		screen: emulator.New(vt10x.WithSize(w, h)), w: w, h: h,
	}
	x.changed = sync.NewCond(&x.mu)
	x.session.narrow = true
	x.session.start(messages)
	o := Options{
		Accounts: []Account{{Name: safetext.Const("work"), Session: x.session, Probe: time.Minute}},
		Notice:   NoticeOff, Input: tty, Output: tty,
		Environ: append([]string{"TERM=xterm-256color", "LANG=C.UTF-8"}, environ...),
	}
	ctx, cancel := context.WithCancel(context.Background())
	m := newModel(o)
	x.program, err = newProgram(context.Background(), m, o)
	if err != nil {
		t.Fatal(err)
	}
	m.done = ctx.Done()
	pumped, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(pumped)
		(&pump{box: x.session.box, send: x.program.Send}).run(ctx)
	}()
	go func() {
		defer close(over)
		x.ended <- x.program.Run()
	}()
	read := make(chan struct{})
	go func() {
		defer close(read)
		b := make([]byte, 64<<10)
		for {
			n, err := master.Read(b)
			x.mu.Lock()
			x.out.Write(b[:n])
			x.writes++
			_, _ = x.screen.Write(b[:n])
			x.changed.Broadcast()
			x.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-pumped
		x.program.Quit()
		<-over
		tty.Close()
		master.Close()
		<-read
	})
	return x
}

// lines is what the emulator shows.
func (x *terminalTest) lines() []string {
	out := make([]string, x.h)
	for y := range x.h {
		var b strings.Builder
		for i := range x.w {
			c := x.screen.Cell(i, y).Char
			if c == 0 {
				c = ' '
			}
			b.WriteRune(c)
		}
		out[y] = strings.TrimRight(b.String(), " ")
	}
	return out
}

// until waits for the screen to satisfy ok.
func (x *terminalTest) until(what string, ok func(lines []string) bool) {
	x.t.Helper()
	timer := time.AfterFunc(patience, func() {
		x.mu.Lock()
		x.expired = true
		x.changed.Broadcast()
		x.mu.Unlock()
	})
	defer timer.Stop()
	x.mu.Lock()
	defer x.mu.Unlock()
	for !ok(x.lines()) {
		if x.expired {
			x.t.Fatalf("never saw %s; the screen is\n%s", what, strings.Join(x.lines(), "\n"))
		}
		x.changed.Wait()
	}
}

// sees waits for a text to be on screen.
func (x *terminalTest) sees(text string) {
	x.t.Helper()
	x.until(text, func(lines []string) bool { return strings.Contains(strings.Join(lines, "\n"), text) })
}

// selects waits for the cursor to be on a line with text.
func (x *terminalTest) selects(text string) {
	x.t.Helper()
	x.until("the cursor on "+text, func(lines []string) bool {
		for _, l := range lines {
			if strings.HasPrefix(l, "▌") {
				return strings.Contains(l, text)
			}
		}
		return false
	})
}

// press writes keys as a terminal sends them.
func (x *terminalTest) press(keys string) {
	x.t.Helper()
	if _, err := x.master.WriteString(keys); err != nil {
		x.t.Fatal(err)
	}
}

// mark forgets what was written so far; bytes tells how much was since.
func (x *terminalTest) mark() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.out.Reset()
}

func (x *terminalTest) written() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.out.String()
}

// settles waits until the emulator shows exactly the model's frame.
func (x *terminalTest) settles() {
	x.t.Helper()
	timer := time.AfterFunc(patience, func() {
		x.mu.Lock()
		x.expired = true
		x.changed.Broadcast()
		x.mu.Unlock()
	})
	defer timer.Stop()
	for {
		x.mu.Lock()
		seen := x.writes
		x.mu.Unlock()
		frame := make(chan []string, 1)
		x.program.Send(barrierMsg{func(m *Model) {
			lines := frameLines(m)
			for i := range lines {
				lines[i] = strings.TrimRight(lines[i], " ")
			}
			frame <- lines
		}})
		want := <-frame
		x.mu.Lock()
		for {
			if slices.Equal(x.lines(), want) {
				x.mu.Unlock()
				return
			}
			if x.expired {
				x.mu.Unlock()
				x.t.Fatalf("the terminal differs from the frame (-frame +terminal):\n%s", cmp.Diff(want, x.lines()))
			}
			if x.writes != seen {
				break // something was drawn since: the frame may be another
			}
			x.changed.Wait()
		}
		x.mu.Unlock()
	}
}

// TestTheTerminalShowsTheFrame has anything happen on a real terminal and
// compares what it shows with what was drawn.
func TestTheTerminalShowsTheFrame(t *testing.T) {
	for seed := range uint64(3) {
		r := rand.New(rand.NewPCG(seed, 2))
		x := onTerminal(t, 100, 30, 120)
		x.sees("Q quit")
		keys := []string{"j", "k", "j", "j", "\x04", "\x15", "g", "G", "n", "p", "!", "U", "?", "L", "\x1b[6~", "\x1b[5~", "\r", "h"}
		for step := range 150 {
			switch r.IntN(4) {
			case 0:
				x.session.deliver(false)
			case 1:
				if n := x.session.list.Len(); n > 20 {
					x.session.expunge(x.session.list.Row(r.IntN(n)).UID)
				}
			case 2:
				if n := x.session.list.Len(); n > 0 {
					x.session.flag(x.session.list.Row(r.IntN(n)).UID, `\Seen`)
				}
			default:
				x.press(keys[r.IntN(len(keys))])
			}
			if step%5 == 0 {
				x.settles()
			}
		}
	}
}

func TestOnATerminal(t *testing.T) {
	x := onTerminal(t, 120, 40, 200)
	x.selects("(200)")
	x.press("jj")
	x.selects("(198)")
	x.session.deliver(false)
	x.sees("(201)")
	x.sees("new: ")
	x.session.expunge(198)
	x.sees("×")
	x.selects("(198)")
	x.press("\x1b[B") // down
	x.selects("(197)")
	x.press("G")
	x.selects("(1)")
	x.press("?")
	x.sees("half a page down")
	x.press("Qjjj") // also with more keys behind it
	select {
	case err := <-x.ended:
		if !errors.Is(err, tea.ErrProgramKilled) {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("Q does not quit")
	}
	for _, undo := range []string{"\x1b[?1049l", "\x1b[?25h", "\x1b[?1004l"} {
		x.until("the undoing "+undo, func([]string) bool { return strings.Contains(x.out.String(), undo) })
	}
}

// TestBytes holds how much is written to the terminal for what happens most.
func TestBytes(t *testing.T) {
	for _, n := range []int{200, 100_000} {
		x := onTerminal(t, 120, 40, n)
		x.selects("(" + itoa(n) + ")")
		x.sees("● live")
		x.settles() // the terminal has read the frame to its end
		const moves = 20
		x.mark()
		for i := range moves {
			x.press("j")
			x.selects("(" + itoa(n-1-i) + ")")
		}
		if got := len(x.written()) / moves; got > 12 { // 7, and now and then the status bar's age
			t.Errorf("%d messages: a cursor move costs %d bytes, 12 are allowed\n%q", n, got, x.written())
		} else {
			t.Logf("%d messages: a cursor move costs %d bytes", n, got)
		}
		x.press("g")
		x.selects("(" + itoa(n) + ")")
		x.mark()
		const arrivals = 8
		for i := range arrivals {
			x.session.deliver(false)
			x.sees("(" + itoa(n+1+i) + ")")
			x.sees(itoaComma(n + 1 + i))
		}
		if got := len(x.written()) / arrivals; got > 600 {
			t.Errorf("%d messages: an arrival costs %d bytes, 600 are allowed\n%q", n, got, x.written())
		} else {
			t.Logf("%d messages: an arrival costs %d bytes", n, got)
		}
		x.mark()
		x.session.flag(store.UID(n), `\Flagged`)
		x.sees("flagged by another client")
		t.Logf("%d messages: a flag costs %d bytes", n, len(x.written()))
	}
}

func itoa(n int) string      { return strings.ReplaceAll(thousands(n), ",", "") }
func itoaComma(n int) string { return thousands(n) }

// TestSSH: under ssh the terminal is asked for synchronized output as well.
func TestSSH(t *testing.T) {
	x := onTerminal(t, 80, 24, 5, "SSH_TTY=/dev/pts/9")
	x.selects("(5)")
	x.until("the question for mode 2026", func([]string) bool { return strings.Contains(x.out.String(), "\x1b[?2026$p") })
}

// TestNoColour: under NO_COLOR no colour is written, and nothing is lost.
func TestNoColour(t *testing.T) {
	x := onTerminal(t, 80, 24, 50, "NO_COLOR=1")
	x.selects("(50)")
	x.press("jjj")
	x.selects("(47)")
	x.sees("●")
	for _, seq := range strings.Split(x.written(), "\x1b[") {
		i := strings.IndexFunc(seq, func(r rune) bool { return r >= '@' })
		if i < 0 || seq[i] != 'm' || strings.HasPrefix(seq, ">") {
			continue
		}
		for _, p := range strings.Split(seq[:i], ";") {
			if len(p) == 2 && (p[0] == '3' || p[0] == '4') {
				t.Fatalf("a colour under NO_COLOR: %q", seq[:i])
			}
		}
	}
}
