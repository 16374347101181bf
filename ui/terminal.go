package ui

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"

	"tidings/internal/crash"
	"tidings/internal/notify"
	"tidings/internal/safetext"
)

// Everything that touches the terminal is in this file: which program runs,
// what it asks of the terminal, what is written to it besides the frame, and
// how it is put back.

// framesPerSecond is the most frames a second that are drawn. Bubble Tea's
// renderer runs a ticker at this rate for as long as the program lives, and a
// key waits half a period on average to be seen. Measured on two cores, on a
// 120x40 terminal (BenchmarkKeyToByte; the idle cost by /proc/PID/schedstat
// over 20 s):
//
//	rate   key to first byte, p50 / p95   idle, of one core
//	30     18.5 / 40.4 ms                 0.45 %
//	60      9.6 / 18.9 ms                 0.64 %
//	120     6.8 / 12.4 ms                 0.88 %
//
// At 60 the eye waits less than a frame of most screens; 120 would cost a
// program that stands for weeks a third more for three milliseconds.
const framesPerSecond = 60

// Run shows the monitor until the person quits or ctx ends. The sessions'
// goroutines are the caller's. The terminal is restored when it returns, and on
// a panic of any goroutine started by crash.Go.
func Run(ctx context.Context, o Options) error {
	if o.Environ == nil {
		o.Environ = os.Environ()
	}
	return run(ctx, newModel(o), o)
}

func run(ctx context.Context, m *Model, o Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := newProgram(ctx, m, o)
	dying := make(chan struct{})
	remove := crash.OnPanic(func() {
		close(dying)
		p.Kill()
	})
	defer remove()
	for i, a := range o.Accounts {
		startPump(ctx, i, a.Session.Events(), p.Send)
	}
	err := loop(p)
	select {
	case <-dying:
		// Another goroutine panicked. The program must not end by our returning
		// before its report is written; package crash ends it.
		select {}
	default:
	}
	if m.lost.Load() {
		return errTerminalGone
	}
	if m.quit || ctx.Err() != nil && errors.Is(err, tea.ErrProgramKilled) || errors.Is(err, tea.ErrInterrupted) {
		return nil
	}
	return err
}

// loop runs Bubble Tea's loop, and with it Update and View. A panic is handled
// here, while the terminal's restoring is still registered.
func loop(p *tea.Program) error {
	defer crash.Handle("screen")
	_, err := p.Run()
	return err
}

func newProgram(ctx context.Context, m *Model, o Options, extra ...tea.ProgramOption) *tea.Program {
	// Quitting ends the context instead of returning tea.Quit: for that one
	// Bubble Tea waits up to half a second for its reader of keys, which hangs
	// if anything was typed, or answered by the terminal, behind the Q.
	ctx, m.end = context.WithCancel(ctx)
	m.done = ctx.Done()
	if o.Input == nil && term.IsTerminal(os.Stdin.Fd()) {
		o.Input = os.Stdin
	}
	if f, ok := o.Input.(*os.File); ok {
		o.Input = keyboard{f, func() {
			m.lost.Store(true)
			m.end()
		}}
	}
	return tea.NewProgram(m, append(programOptions(ctx, o), extra...)...)
}

// errTerminalGone: there is nobody left to tell, but a status for who waits.
var errTerminalGone = errors.New("the terminal is gone")

// keyboard is the terminal's input. Bubble Tea takes the end of it in silence
// and would draw for nobody, for ever, where a terminal goes away without a
// SIGHUP (a killed multiplexer or test, an ssh without a controlling terminal).
type keyboard struct {
	*os.File
	gone func()
}

func (k keyboard) Read(b []byte) (int, error) {
	n, err := k.File.Read(b)
	if n == 0 && (errors.Is(err, io.EOF) || errors.Is(err, syscall.EIO)) {
		k.gone()
	}
	return n, err
}

func programOptions(ctx context.Context, o Options) []tea.ProgramOption {
	opts := []tea.ProgramOption{
		tea.WithContext(ctx),
		// Signals end ctx, which cli watches. Bubble Tea's own handler would wait
		// for ever to hand the same signal to a loop that has ended by then.
		tea.WithoutSignalHandler(),
		// Bubble Tea would print a panic's value, which may quote a mail, and
		// would not report it. Update and View run below crash.Handle in loop,
		// commands below the one in guarded.
		tea.WithoutCatchPanics(),
		tea.WithFPS(framesPerSecond),
		tea.WithEnvironment(o.Environ),
	}
	if o.Input != nil {
		opts = append(opts, tea.WithInput(o.Input))
	}
	if o.Output != nil {
		opts = append(opts, tea.WithOutput(o.Output))
	}
	return opts
}

// View is the frame.
func (m *Model) View() tea.View {
	v := tea.NewView(m.frame())
	v.AltScreen = true
	v.ReportFocus = true
	v.MouseMode = tea.MouseModeCellMotion
	v.WindowTitle = m.title().String()
	return v
}

// probeTerminal asks the terminal for its background, and under ssh also for
// synchronized output and grapheme widths, which Bubble Tea asks for everywhere
// else. (Terminal.app would print the question; its answer is known to be no.)
func probeTerminal(env map[string]string) tea.Cmd {
	if env["SSH_TTY"] == "" || strings.Contains(env["TERM_PROGRAM"], "Apple") {
		return tea.RequestBackgroundColor
	}
	return tea.Batch(
		tea.RequestBackgroundColor,
		tea.Raw(ansi.RequestModeSynchronizedOutput+ansi.RequestModeUnicodeCore),
	)
}

// noticeCmd tells of new mail.
func noticeCmd(kind NoticeKind, t notify.Terminal, text safetext.Text) tea.Cmd {
	if kind == NoticeOSC9 {
		return tea.Raw(t.OSC9(text))
	}
	return tea.Raw(notify.Bell)
}
