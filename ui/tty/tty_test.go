//go:build unix

package tty

import (
	"os"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tidings/internal/testserver"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/term"
	"github.com/creack/pty"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// far is the other end of a terminal that a test has.
type far struct {
	*Terminal
	t      *testing.T
	events chan any
	gone   chan struct{}

	mu      sync.Mutex
	changed *sync.Cond
	out     strings.Builder
}

// onPty opens a Terminal of 80x24.
func onPty(t *testing.T) (f *far, press func(string)) {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		testserver.Missing(t, "no pseudo-terminal: "+err.Error())
	}
	if err := pty.Setsize(master, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	f = &far{t: t, events: make(chan any, 1000), gone: make(chan struct{})}
	f.changed = sync.NewCond(&f.mu)
	var once sync.Once
	f.Terminal = New(Options{
		Input: slave, Output: slave, Environ: []string{"TERM=xterm-256color"},
		Send: func(e any) { f.events <- e },
		Gone: func() { once.Do(func() { close(f.gone) }) },
	})
	read := make(chan struct{})
	go func() {
		defer close(read)
		b := make([]byte, 4096)
		for {
			n, err := master.Read(b)
			f.mu.Lock()
			f.out.Write(b[:n])
			f.changed.Broadcast()
			f.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	if err := f.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		f.Close()
		f.Close() // may be called again
		slave.Close()
		<-read
		master.Close()
	})
	press = func(s string) {
		t.Helper()
		if _, err := master.WriteString(s); err != nil {
			t.Fatal(err)
		}
	}
	return f, press
}

// writes waits for the terminal to be sent a text.
func (f *far) writes(text string) {
	f.t.Helper()
	late := false
	timer := time.AfterFunc(20*time.Second, func() {
		f.mu.Lock()
		late = true
		f.changed.Broadcast()
		f.mu.Unlock()
	})
	defer timer.Stop()
	f.mu.Lock()
	defer f.mu.Unlock()
	for !strings.Contains(f.out.String(), text) {
		if late {
			f.t.Fatalf("%q is not written, but %q", text, f.out.String())
		}
		f.changed.Wait()
	}
}

// hears waits for the next event.
func (f *far) hears() any {
	f.t.Helper()
	select {
	case e := <-f.events:
		return e
	case <-time.After(20 * time.Second):
		f.t.Fatal("nothing is heard")
		return nil
	}
}

func TestTerminal(t *testing.T) {
	f, press := onPty(t)
	f.writes(entering + questions)
	if w, h := f.Size(); w != 80 || h != 24 {
		t.Errorf("the size is %dx%d", w, h)
	}
	press("j\x1b[?2026;2$y\x1b[?62;c\x1b[I")
	if e, ok := f.hears().(uv.KeyPressEvent); !ok || e.Text != "j" {
		t.Errorf("heard %#v for a j", e)
	}
	if e, ok := f.hears().(uv.ModeReportEvent); !ok {
		t.Errorf("heard %#v for a mode's report", e)
	}
	if e, ok := f.hears().(uv.FocusEvent); !ok { // the answer between is not for others
		t.Errorf("heard %#v for the focus", e)
	}
	content := strings.Repeat(strings.Repeat(" ", 80)+"\n", 23) + "x" + strings.Repeat(" ", 79)
	f.Paint(Frame{Width: 80, Height: 24, Content: content})
	f.writes("\x1b[?2026h") // now that it is known to be understood
	f.writes("x")
	_, _ = f.Write([]byte("\a"))
	f.writes("\a")

	if err := f.Lend(func() error {
		f.writes(leaving)
		if err := f.Lend(nil); err == nil {
			t.Error("the terminal can be lent twice")
		}
		f.mu.Lock()
		f.out.Reset()
		f.mu.Unlock()
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	f.writes(entering)
	f.writes("x")
	if e := f.hears(); e != (Resumed{}) {
		t.Errorf("heard %#v at the resumption", e)
	}
	if e := f.hears(); e != (uv.WindowSizeEvent{Width: 80, Height: 24}) {
		t.Errorf("heard %#v after the resumption", e)
	}
	press("\x1b[?62;c")
	f.Close()
	f.writes(leaving)
}

// TestQuestions: Terminal.app would print those about modes.
func TestQuestions(t *testing.T) {
	if s := enter([]string{"TERM_PROGRAM=Apple_Terminal"}); strings.Contains(s, "$p") || !strings.HasSuffix(s, "\x1b[c") {
		t.Errorf("Terminal.app is sent %q", s)
	}
	for _, environ := range [][]string{nil, {"SSH_TTY=/dev/pts/3"}, {"TERM_PROGRAM=iTerm.app"}} {
		if s := enter(environ); !strings.Contains(s, "\x1b[?2026$p\x1b[?2027$p") {
			t.Errorf("%v: without the questions for modes: %q", environ, s)
		}
	}
}

// TestEveryModeIsPutBack: what entering sets leaving resets.
func TestEveryModeIsPutBack(t *testing.T) {
	modes := 0
	for seq := range strings.SplitSeq(entering, "\x1b[?") {
		if mode, ok := strings.CutSuffix(seq, "h"); ok {
			modes++
			if !strings.Contains(leaving, "\x1b[?"+mode+"l") {
				t.Errorf("mode %s is not reset", mode)
			}
		}
	}
	if modes < 4 || !strings.Contains(entering, "\x1b[?25l") || !strings.Contains(leaving, "\x1b[?25h") {
		t.Errorf("%d modes are set: %q", modes, entering)
	}
}

func (f *far) null() *os.File {
	file, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { file.Close() })
	return file
}

func TestNoTerminal(t *testing.T) {
	f, _ := onPty(t)
	f.Close()
	other := New(Options{Input: f.o.Input, Output: f.null(), Environ: nil})
	if err := other.Open(); err == nil || !strings.Contains(err.Error(), "is not a terminal") {
		t.Errorf("opening what is no terminal: %v", err)
	}
	if w, h := other.Size(); w != 0 || h != 0 {
		t.Errorf("its size is %dx%d", w, h)
	}
}

// TestContinued: stopped by somebody else and continued, the program has its
// terminal again, whatever the shell has made of it meanwhile.
func TestContinued(t *testing.T) {
	f, press := onPty(t)
	f.writes(entering + questions)
	press("\x1b[?62;c") // answered: nothing is thrown away later
	content := strings.Repeat(strings.Repeat(" ", 80)+"\n", 23) + "x" + strings.Repeat(" ", 79)
	f.Paint(Frame{Width: 80, Height: 24, Content: content})
	f.writes("x")
	raw, err := term.GetState(f.o.Input.Fd())
	if err != nil {
		t.Fatal(err)
	}
	f.Terminal.mu.Lock()
	cooked := f.hold.before
	f.Terminal.mu.Unlock()
	if err := term.Restore(f.o.Input.Fd(), cooked); err != nil { // as a shell does
		t.Fatal(err)
	}
	f.mu.Lock()
	f.out.Reset()
	f.mu.Unlock()
	if err := syscall.Kill(os.Getpid(), syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if e := f.hears(); e != (Resumed{}) {
		t.Errorf("heard %#v when it went on", e)
	}
	if e := f.hears(); e != (uv.WindowSizeEvent{Width: 80, Height: 24}) {
		t.Errorf("heard %#v after that", e)
	}
	f.writes(entering)
	f.writes("x")
	now, err := term.GetState(f.o.Input.Fd())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(now, raw) {
		t.Error("the settings are not those of before")
	}
}
