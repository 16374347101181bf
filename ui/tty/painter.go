//go:build unix

package tty

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// frameGap is the time between two frames where many follow one another. A
	// frame that comes later than that after the one before is painted at once;
	// whoever presses a key never waits for a clock: 0.5 ms to the first byte
	// (p95 0.7), where a renderer with 60 ticks a second took 9.5 (18), and idle
	// 0.02 % of a core instead of 0.6. 8 ms are half a frame of most screens.
	frameGap = 8 * time.Millisecond
	// frameBurst frames may come without that gap; each gap earns one back. A
	// mail that arrives is two: the mailbox's new count, and a moment later, when
	// the server has told what it is, the row.
	frameBurst = 2
)

// maxBeside bounds what waits to be written beside the frame. It fills up only
// while the terminal does not read; the oldest is left out then.
const maxBeside = 64

// inbox is where a painter finds what there is to paint. It outlives painters.
// It may be used by any goroutine and never blocks.
type inbox struct {
	wake chan struct{} // has one element if there is work

	mu   sync.Mutex
	work work
}

// work is what there is to paint.
type work struct {
	frame        Frame
	beside       []string // sequences, each whole
	after        []func() // to be called when the frame is written
	anew         bool     // nothing is known of what the screen shows
	synchronized bool     // the terminal knows mode 2026
}

func newInbox() *inbox { return &inbox{wake: make(chan struct{}, 1)} }

func (i *inbox) paint(f Frame) { i.change(func(w *work) { w.frame = f }) }
func (i *inbox) repaint()      { i.change(func(w *work) { w.anew = true }) }
func (i *inbox) synchronize()  { i.change(func(w *work) { w.synchronized = true }) }

// spoil: what the screen shows is not known any more, and a frame that fits it
// is about to come.
func (i *inbox) spoil() {
	i.mu.Lock()
	i.work.anew = true
	i.mu.Unlock()
}

func (i *inbox) write(sequence string) {
	i.change(func(w *work) {
		w.beside = append(w.beside, sequence)
		if len(w.beside) > maxBeside {
			w.beside = w.beside[1:]
		}
	})
}

func (i *inbox) afterwards(f func()) { i.change(func(w *work) { w.after = append(w.after, f) }) }

func (i *inbox) change(f func(*work)) {
	i.mu.Lock()
	f(&i.work)
	i.mu.Unlock()
	select {
	case i.wake <- struct{}{}:
	default:
	}
}

// take returns the work. The frame stays for the next painter, and what is to be
// called stays until there is a frame.
func (i *inbox) take() work {
	i.mu.Lock()
	defer i.mu.Unlock()
	w := i.work
	i.work.beside, i.work.anew = nil, false
	if w.frame.Width > 0 && w.frame.Height > 0 {
		i.work.after = nil
	} else {
		w.after = nil
	}
	return w
}

// painter paints for one hold. It alone writes to the terminal.
type painter struct {
	inbox  *inbox
	device terminalWriter
	canvas *canvas
	enter  string
	gone   func()

	ending chan struct{} // closed by end
	done   chan struct{} // closed when run is over
	late   atomic.Bool   // the terminal does not read; we cannot wait for it
	left   bool          // the modes are put back; valid when done
}

// terminalWriter is the terminal, for writing.
type terminalWriter interface {
	Write([]byte) (int, error)
	// limit has Writes fail with os.ErrDeadlineExceeded, also those under way,
	// when d has passed. It may be called from any goroutine.
	limit(d time.Duration)
	// forgetOutput throws away what the terminal has not read.
	forgetOutput()
}

func newPainter(i *inbox, d terminalWriter, c *canvas, enter string, gone func()) *painter {
	return &painter{inbox: i, device: d, canvas: c, enter: enter, gone: gone, ending: make(chan struct{}), done: make(chan struct{})}
}

// run enters the modes, paints until end, and leaves them.
func (p *painter) run() {
	defer close(p.done)
	p.write([]byte(p.enter))
	free := time.Now() // when the whole burst is there again
	for {
		select {
		case <-p.ending:
			p.leave()
			return
		case <-p.inbox.wake:
		}
		if wait := time.Until(free) - (frameBurst-1)*frameGap; wait > 0 {
			select {
			case <-p.ending:
				p.leave()
				return
			case <-time.After(wait):
			}
		}
		began := time.Now()
		w := p.inbox.take()
		var out []byte
		for _, s := range w.beside {
			out = append(out, s...)
		}
		drawn := p.canvas.draw(w.frame, w.anew, w.synchronized)
		if out == nil {
			out = drawn
		} else {
			out = append(out, drawn...)
		}
		if len(out) > 0 {
			if !p.write(out) {
				continue // what is in w.after did not come to pass
			}
			if free.Before(began) {
				free = began
			}
			free = free.Add(frameGap)
		}
		for _, f := range w.after {
			f()
		}
	}
}

// write waits for the terminal to take b, and reports whether it did.
func (p *painter) write(b []byte) bool {
	_, err := p.device.Write(b)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		p.gone()
	}
	return err == nil
}

// leave puts the terminal back as enter found it.
func (p *painter) leave() {
	seq := p.canvas.leave() + leaving
	for range 2 {
		if p.late.Load() {
			p.device.forgetOutput()
			seq = cut + seq
		}
		p.device.limit(patience)
		if _, err := p.device.Write([]byte(seq)); !errors.Is(err, os.ErrDeadlineExceeded) {
			p.left = true
			return
		}
		p.late.Store(true)
	}
}

// end has run leave and waits for it, but not for ever. If run has panicked,
// it leaves in its place.
func (p *painter) end() {
	close(p.ending)
	if !within(patience, p.done) {
		p.late.Store(true)
		p.device.limit(0)
		if !within(3*patience, p.done) {
			return // it cannot be interrupted; the settings are put back at least
		}
	}
	if !p.left {
		p.leave()
	}
}

// within waits for done to be closed and reports whether it was.
func within(d time.Duration, done <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}
