//go:build unix

package tty

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	uv "github.com/charmbracelet/ultraviolet"

	"tidings/internal/crash"
)

// keyboard reads the terminal for one hold: keys, mouse, focus, and answers.
//
// Bubble Tea could do it, but gives its reader up while that still waits, and
// loses what it read behind the key that quits: this one is waited for, and
// then no byte is read that a program behind us should get.
type keyboard struct {
	input  cancelReader
	term   string
	heard  func(uv.Event)
	gone   func()
	ctx    context.Context
	cancel context.CancelFunc
	quiet  chan struct{} // closed when every question was answered
	done   chan struct{} // closed when nothing is read any more
}

type cancelReader interface {
	io.ReadCloser
	Cancel() bool
}

func openKeyboard(f *os.File, environ []string, heard func(uv.Event), gone func()) (*keyboard, error) {
	input, err := uv.NewCancelReader(f)
	if err != nil {
		return nil, err
	}
	k := &keyboard{
		input: input, term: uv.Environ(environ).Getenv("TERM"), heard: heard, gone: gone,
		quiet: make(chan struct{}), done: make(chan struct{}),
	}
	k.ctx, k.cancel = context.WithCancel(context.Background())
	return k, nil
}

// run passes events on until close, or until the terminal is gone.
func (k *keyboard) run() {
	defer close(k.done)
	events := make(chan uv.Event)
	stream := make(chan struct{})
	crash.Go("decoder", func() {
		defer close(stream)
		_ = uv.NewTerminalReader(k, k.term).StreamEvents(k.ctx, events)
	})
	answered := false
	for {
		select {
		case <-stream:
			return
		case e := <-events:
			if endsAnswers(e) {
				if !answered {
					close(k.quiet)
				}
				answered = true
				continue
			}
			k.heard(e)
		}
	}
}

// Read reads for the decoder. The end of a terminal's input is the end of the
// terminal: Bubble Tea would take it in silence and draw for nobody, for ever,
// where a terminal goes away without a SIGHUP (a killed multiplexer, an ssh
// without a controlling terminal).
func (k *keyboard) Read(b []byte) (int, error) {
	n, err := k.input.Read(b)
	if n == 0 && (errors.Is(err, io.EOF) || errors.Is(err, syscall.EIO)) {
		k.gone()
	}
	return n, err
}

// answered waits at most d for the answers to all questions, and reports
// whether they are there.
func (k *keyboard) answered(d time.Duration) bool {
	select {
	case <-k.done:
		return true // nobody is going to answer
	case <-k.quiet:
		return true
	default:
	}
	return within(d, k.quiet)
}

// close ends run and returns when nothing is read any more.
func (k *keyboard) close() {
	k.cancel()
	if k.input.Cancel() && within(patience, k.done) {
		_ = k.input.Close()
	}
}
