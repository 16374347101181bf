package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/muesli/cancelreader"

	"tidings/internal/crash"
	"tidings/internal/run"
	"tidings/internal/safetext"
)

// dialog asks a person questions, line by line, in a terminal that works as a
// shell's does. It is for one goroutine at a time.
type dialog struct {
	out    io.Writer
	in     *bufio.Reader
	fd     int // of the terminal; -1: it is none
	cancel func()
	// late is where the line goes that a question was still waiting for when its
	// time ended: the next question gets it. nil: nobody reads.
	late chan answered
}

type answered struct {
	text string
	err  error
}

// errNoAnswer: the input has ended, or the person has pressed ctrl+c.
var errNoAnswer = errors.New("interrupted; nothing was changed")

// newDialog asks on the terminal that the program was started in. Whoever gets
// one closes it.
func (p Program) newDialog(ctx context.Context) (*dialog, error) {
	if err := p.needTerminal(); err != nil {
		return nil, err
	}
	return dialogOn(ctx, p.Stdin.(*os.File), p.Stdout)
}

// dialogOn asks on a terminal. What was not read by the end of ctx or Close is
// left there for others.
func dialogOn(ctx context.Context, terminal *os.File, out io.Writer) (*dialog, error) {
	r, err := cancelreader.NewReader(terminal)
	if err != nil {
		return nil, fmt.Errorf("the terminal cannot be read: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { r.Cancel() })
	d := &dialog{out: out, in: bufio.NewReader(r), fd: int(terminal.Fd())}
	d.cancel = func() {
		stop()
		// Whoever reads still has to have noticed, or would eat the next key.
		if r.Cancel() && d.late != nil {
			<-d.late
		}
		r.Close()
	}
	return d, nil
}

// close gives the terminal's input back to others.
func (d *dialog) close() { d.cancel() }

// read waits for a line until ctx ends. Blanks around it are part of it.
func (d *dialog) read(ctx context.Context) (string, error) {
	if d.late == nil {
		d.late = make(chan answered, 1)
		lines, in := d.late, d.in
		crash.Go("dialog", func() {
			text, err := in.ReadString('\n')
			lines <- answered{text, err}
		})
	}
	select {
	case a := <-d.late:
		d.late = nil
		if a.err != nil {
			return "", errNoAnswer
		}
		return strings.TrimRight(a.text, "\r\n"), nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// readBy says what failed while the screen had lent its terminal, and waits for the
// person to have read it, or for ctx to end.
func (d *dialog) readBy(ctx context.Context, err error) {
	fmt.Fprintf(d.out, "\n%s\nEnter goes back to the mail: ", safetext.Clean(err.Error()))
	_, _ = d.read(ctx)
}

// untilRead is readBy in a dialog of its own; ctrl+c goes back as well.
func (p Program) untilRead(ctx context.Context, err error) {
	d, noDialog := p.newDialog(ctx)
	if noDialog != nil {
		return
	}
	defer d.close()
	here, leave := context.WithCancel(ctx)
	defer leave()
	defer p.interrupts.until(leave)()
	d.readBy(here, err)
}

// say prints a line.
func (d *dialog) say(text safetext.Text) { fmt.Fprintln(d.out, text) }

// line asks for a line of text; an empty one is what is offered.
func (d *dialog) line(question, offered string) (string, error) {
	if offered != "" {
		question += " [" + safetext.Clean(offered).String() + "]"
	}
	fmt.Fprint(d.out, question+": ")
	text, err := d.read(context.Background())
	if err != nil {
		fmt.Fprintln(d.out)
		return "", err
	}
	if text = strings.TrimSpace(text); text == "" {
		return offered, nil
	}
	return text, nil
}

// yes asks a question that is answered by yes or no.
func (d *dialog) yes(question string, offered bool) (bool, error) {
	keys := " [y/N]"
	if offered {
		keys = " [Y/n]"
	}
	for {
		answer, err := d.line(question+keys, "")
		if err != nil {
			return false, err
		}
		switch strings.ToLower(answer) {
		case "":
			return offered, nil
		case "y", "yes":
			return true, nil
		case "n", "no":
			return false, nil
		}
		fmt.Fprintln(d.out, "Please answer y or n.")
	}
}

// choose has the person pick one of several options, the first of which is
// offered; it returns its index.
func (d *dialog) choose(question string, options ...string) (int, error) {
	fmt.Fprintln(d.out, question)
	for i, o := range options {
		fmt.Fprintf(d.out, "  %d  %s\n", i+1, safetext.Clean(o))
	}
	for {
		answer, err := d.line("Number", "1")
		if err != nil {
			return 0, err
		}
		if n, err := strconv.Atoi(answer); err == nil && n >= 1 && n <= len(options) {
			return n - 1, nil
		}
		fmt.Fprintf(d.out, "Please answer with a number from 1 to %d.\n", len(options))
	}
}

// unseen asks for a line that is not shown while it is typed or pasted, until
// ctx ends.
func (d *dialog) unseen(ctx context.Context, question string) (string, error) {
	if d.fd >= 0 {
		show, err := run.HideTyping(d.fd)
		if err != nil {
			return "", fmt.Errorf("the terminal would show what is typed: %w", err)
		}
		defer show()
	}
	fmt.Fprint(d.out, question)
	defer fmt.Fprintln(d.out)
	return d.read(ctx)
}
