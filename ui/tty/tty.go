//go:build unix

// Package tty owns the terminal: nothing else in Tidings writes to it, reads
// from it or changes its settings while the screen is up.
//
// Bubble Tea's renderer looks 60 times a second whether there is something to
// draw; this package is asleep until there is. A [Terminal] is taken (raw mode,
// alternate screen, and the rest of modes.go) and given up in one place each:
// at the start and the end, around a suspension, and around a program that has
// the terminal for a while. What lies between is a hold, with two goroutines
// of its own:
//
//	Paint -> newest frame -> painter -> canvas -> one write
//	terminal -> keyboard -> events
//
// No method waits for the terminal to read, but those that give it up, and
// those for a fraction of a second only.
package tty

import (
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/term"

	"tidings/internal/crash"
)

const (
	// patience is how long giving the terminal up waits for a terminal that
	// does not read, before what it has not read is thrown away.
	patience = 100 * time.Millisecond
	// fresh is how long after a question its answer may still be under way.
	// Given up earlier, we wait for it (as long as answering takes at most): the
	// shell would take it for something typed.
	fresh     = 500 * time.Millisecond
	answering = 200 * time.Millisecond
	// stopping is how long a suspension takes to happen. It never does where
	// no shell could end it (the leader of its own session): then the screen is
	// back.
	stopping = 500 * time.Millisecond
)

// Resumed is the event that the terminal is ours again, after a suspension or
// after a program that had it.
type Resumed struct{}

// Options say which terminal, and who hears of it.
type Options struct {
	Input, Output *os.File
	Environ       []string
	// Send gets ultraviolet's events and Resumed, in order, from goroutines of
	// this package. It may block for as long as the events' receiver runs.
	Send func(event any)
	// Gone is called, from any goroutine and perhaps more than once, when there
	// is no terminal any more.
	Gone func()
}

// Terminal is a terminal that is ours from Open to Close. Its methods may be
// called from any goroutine.
type Terminal struct {
	o     Options
	inbox *inbox

	signals chan os.Signal
	suspend chan struct{}
	ended   chan struct{}

	mu     sync.Mutex
	hold   *hold   // nil: given up
	ready  *canvas // rehearsed, for the first hold
	closed bool
}

// hold is the time between taking the terminal and giving it up.
type hold struct {
	before   *term.State
	asked    time.Time
	device   *device
	keyboard *keyboard
	painter  *painter
}

// New makes a Terminal and leaves the terminal alone; Paint, Write and Size
// work already.
func New(o Options) *Terminal {
	return &Terminal{
		o: o, inbox: newInbox(),
		signals: make(chan os.Signal, 8), suspend: make(chan struct{}, 1), ended: make(chan struct{}),
	}
}

// Rehearse draws a frame and shows it to nobody. The first one that is painted
// after Open takes a fraction of the time then, if it is of the same size; this is
// for while there is nothing to do but to wait.
func (t *Terminal) Rehearse(f Frame) {
	c := newCanvas(t.o.Environ)
	c.rehearse(f)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ready = c
}

// Open takes the terminal.
func (t *Terminal) Open() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil // it is over before it began
	}
	for _, f := range []*os.File{t.o.Input, t.o.Output} {
		if !term.IsTerminal(f.Fd()) {
			return fmt.Errorf("%s is not a terminal; the screen needs one", f.Name())
		}
	}
	if err := t.take(nil); err != nil {
		return err
	}
	// Not SIGTSTP: once asked for, the runtime never gives its stopping back.
	signal.Notify(t.signals, syscall.SIGWINCH, syscall.SIGCONT)
	crash.Go("terminal signals", t.watch)
	return nil
}

// Close gives the terminal up for good. It may be called more than once, and
// after a panic of any goroutine of this package.
func (t *Terminal) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	t.closed = true
	signal.Stop(t.signals)
	close(t.ended)
	t.giveUp()
}

// Paint shows a frame. Only the newest one that was not drawn yet counts.
func (t *Terminal) Paint(f Frame) { t.inbox.paint(f) }

// AfterPaint has f called, on a goroutine of this package, when the frame that
// was last given to Paint, or one after it, has been written to the terminal;
// never, if that does not happen.
func (t *Terminal) AfterPaint(f func()) { t.inbox.afterwards(f) }

// Write has a sequence written that is no part of the frame, such as a bell.
// It makes Terminal an io.Writer; it never fails and never waits.
func (t *Terminal) Write(b []byte) (int, error) {
	t.inbox.write(string(b))
	return len(b), nil
}

// Size is the terminal's size in cells, 0x0 if it does not tell.
func (t *Terminal) Size() (width, height int) {
	width, height, err := term.GetSize(t.o.Output.Fd())
	if err != nil {
		return 0, 0
	}
	return width, height
}

// Suspend stops the program, as ctrl+z does any other, until the shell brings
// it to the foreground again; Resumed tells of it.
func (t *Terminal) Suspend() {
	select {
	case t.suspend <- struct{}{}:
	default: // it is being done
	}
}

// Lend gives the terminal up, runs f, which may start a program in it, and
// takes the terminal back. Frames go on being made meanwhile; the newest is
// painted in the end.
func (t *Terminal) Lend(f func() error) error {
	t.mu.Lock()
	h := t.hold
	if h == nil {
		t.mu.Unlock()
		return fmt.Errorf("the terminal is in use by another program; end that one first")
	}
	t.giveUp()
	t.mu.Unlock()

	err := f()

	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return err
	}
	// What the program leaves behind is not what we found.
	if back := t.retake(h.before); err == nil {
		err = back
	}
	t.mu.Unlock()
	t.resumed()
	return err
}

// watch handles signals until Close.
func (t *Terminal) watch() {
	for {
		select {
		case <-t.ended:
			return
		case <-t.suspend:
			t.stop()
		case s := <-t.signals:
			switch s {
			case syscall.SIGWINCH:
				t.resized()
			case syscall.SIGCONT: // somebody else stopped us
				t.mu.Lock()
				h := t.hold
				if h != nil && !t.closed {
					t.giveUp()
					_ = t.retake(h.before)
				}
				t.mu.Unlock()
				if h != nil {
					t.resumed()
				}
			}
		}
	}
}

// resized has everything painted anew. The terminal has moved its rows about
// even if its size is the old one again by now.
func (t *Terminal) resized() {
	t.inbox.spoil()
	w, h := t.Size()
	t.o.Send(uv.WindowSizeEvent{Width: w, Height: h})
}

func (t *Terminal) resumed() {
	t.o.Send(Resumed{})
	t.resized()
}

// stop suspends the program. It runs on watch's goroutine.
func (t *Terminal) stop() {
	t.mu.Lock()
	if t.hold == nil || t.closed {
		t.mu.Unlock()
		return
	}
	t.giveUp()
	_ = syscall.Kill(0, syscall.SIGTSTP) // the whole group, as the terminal does it
	timeout := time.NewTimer(stopping)
	for waiting := true; waiting; {
		select {
		case s := <-t.signals:
			waiting = s != syscall.SIGCONT
		case <-timeout.C:
			waiting = false
		}
	}
	timeout.Stop()
	// The shell may have changed the settings meanwhile; it gets those back. In
	// the background this stops us again.
	_ = t.retake(nil)
	t.mu.Unlock()
	t.resumed()
}

// take makes the terminal ours; before are the settings to put back, nil for
// those that it has now. Callers hold mu.
func (t *Terminal) take(before *term.State) error {
	now, err := term.MakeRaw(t.o.Input.Fd())
	if err != nil {
		return fmt.Errorf("the terminal's settings cannot be changed: %w", err)
	}
	if before == nil {
		before = now
	}
	keys, err := openKeyboard(t.o.Input, t.o.Environ, t.heard, t.o.Gone)
	if err != nil {
		_ = term.Restore(t.o.Input.Fd(), before)
		return fmt.Errorf("the terminal cannot be read: %w", err)
	}
	h := &hold{before: before, asked: time.Now(), device: openDevice(t.o.Output), keyboard: keys}
	c := t.ready
	if t.ready = nil; c == nil {
		c = newCanvas(t.o.Environ)
	}
	h.painter = newPainter(t.inbox, h.device, c, enter(t.o.Environ), t.o.Gone)
	t.hold = h
	t.inbox.repaint()
	crash.Go("painter", h.painter.run)
	crash.Go("keyboard", h.keyboard.run)
	return nil
}

// retake is take for a terminal that was given up. If it went away meanwhile,
// there is no keyboard that would notice.
func (t *Terminal) retake(before *term.State) error {
	err := t.take(before)
	if err != nil {
		t.o.Gone()
	}
	return err
}

// giveUp puts everything back as it was before take. Callers hold mu.
func (t *Terminal) giveUp() {
	h := t.hold
	if h == nil {
		return
	}
	t.hold = nil
	// What the terminal is going to answer must not reach the shell.
	early := time.Since(h.asked) < fresh && !h.keyboard.answered(answering)
	h.painter.end()
	h.keyboard.close()
	if early {
		forget(int(t.o.Input.Fd()), input)
	}
	_ = term.Restore(t.o.Input.Fd(), h.before)
	h.device.close()
}

// heard passes an event on, and learns from it.
func (t *Terminal) heard(event uv.Event) {
	if canSynchronize(event) {
		t.inbox.synchronize()
	}
	t.o.Send(event)
}
