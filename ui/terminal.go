package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"tidings/imapsession"
	"tidings/internal/crash"
	"tidings/internal/notify"
	"tidings/internal/safetext"
	"tidings/ui/tty"
)

// Everything that joins Bubble Tea and the terminal is in this file. Bubble Tea
// has the loop: it calls Update and View and runs commands. The terminal is
// package tty's: input, output, settings and signals.
//
// Should Bubble Tea's renderer learn to sleep, this file alone changes (and
// package tty goes): options loses what stands below its comment on the
// terminal, the model is given to Bubble Tea without shown around it, Run does
// without the Terminal and sends tea.RequestBackgroundColor().

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
	p, err := newProgram(ctx, m, o)
	if err != nil {
		return err
	}
	dying := make(chan struct{})
	remove := crash.OnPanic(func() {
		close(dying)
		p.terminal.Close()
	})
	defer remove()
	m.w, m.h = p.terminal.Size()
	m.settle()
	_, f := shown{m, p.terminal}.frame()
	p.terminal.Rehearse(f)
	m.preload(ctx)
	m.w, m.h = p.terminal.Size()
	m.settle()
	shown{m, p.terminal}.View() // the terminal has it as soon as it is open
	for i, a := range o.Accounts {
		startPump(ctx, i, a.Session.Events(), p.Send)
	}
	m.pumped = func(ctx context.Context, box int, events *imapsession.Box) { startPump(ctx, box, events, p.Send) }
	err = p.loop()
	m.keepAll()
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

// errTerminalGone: there is nobody left to tell, but a status for who waits.
var errTerminalGone = errors.New("the terminal is gone")

// program is Bubble Tea's loop and the terminal that it is shown on.
type program struct {
	*tea.Program
	terminal *tty.Terminal
}

func newProgram(ctx context.Context, m *Model, o Options) (*program, error) {
	// Quitting ends the context instead of returning tea.Quit: that one would
	// have a last frame made.
	ctx, m.end = context.WithCancel(ctx)
	m.ctx, m.done = ctx, ctx.Done()
	in, out := os.Stdin, os.Stdout
	for _, f := range []struct {
		given any
		file  **os.File
	}{{o.Input, &in}, {o.Output, &out}} {
		if f.given == nil {
			continue
		}
		file, ok := f.given.(*os.File)
		if !ok {
			return nil, fmt.Errorf("the screen was given a %T; it needs a terminal", f.given)
		}
		*f.file = file
	}
	p := &program{}
	p.terminal = tty.New(tty.Options{
		Input: in, Output: out, Environ: o.Environ,
		Send: func(event any) { p.Send(event) },
		Gone: func() {
			m.lost.Store(true)
			m.end()
		},
	})
	p.Program = tea.NewProgram(shown{m, p.terminal}, p.options(ctx, o.Environ, out)...)
	return p, nil
}

func (p *program) options(ctx context.Context, environ []string, out *os.File) []tea.ProgramOption {
	return []tea.ProgramOption{
		tea.WithContext(ctx),
		// Signals end ctx, which cli watches. Bubble Tea's own handler would wait
		// for ever to hand the same signal to a loop that has ended by then.
		tea.WithoutSignalHandler(),
		// Bubble Tea would print a panic's value, which may quote a mail, and
		// would not report it. Update and View run below crash.Handle in loop,
		// commands below the one in guarded.
		tea.WithoutCatchPanics(),
		tea.WithEnvironment(environ),

		// The terminal is not Bubble Tea's. Its ticker cannot be stopped; once a
		// second is as slow as it gets. What it still writes (answers to commands
		// such as tea.SetClipboard) it writes at that pace; tea.Raw comes at once.
		tea.WithoutRenderer(),
		tea.WithFPS(1),
		tea.WithInput(nil),
		tea.WithOutput(p.terminal),
		tea.WithFilter(p.filter),
		tea.WithColorProfile(colorprofile.Detect(out, environ)),
	}
}

// loop runs Bubble Tea's loop, and with it Update and View, on the terminal. A
// panic is handled here, while the terminal's restoring is still registered.
func (p *program) loop() error {
	defer crash.Handle("screen")
	return p.Run()
}

// Run takes the terminal for as long as the loop runs.
func (p *program) Run() error {
	if err := p.terminal.Open(); err != nil {
		return err
	}
	_, err := p.Program.Run()
	p.terminal.Close()
	return err
}

// filter sees each message before Bubble Tea does, and keeps for the terminal
// what is meant for it.
func (p *program) filter(_ tea.Model, msg tea.Msg) tea.Msg {
	switch msg := msg.(type) {
	case tea.RawMsg:
		_, _ = io.WriteString(p.terminal, fmt.Sprint(msg.Msg))
		return nil
	case tea.SuspendMsg:
		p.terminal.Suspend()
		return nil
	case tty.Resumed:
		return tea.ResumeMsg{}
	case tea.WindowSizeMsg:
		// Bubble Tea's first one knows no size, and may be late.
		msg.Width, msg.Height = p.terminal.Size()
		return msg
	case foregroundMsg:
		crash.Go("foreground", func() { p.Send(msg.done(p.terminal.Lend(msg.run))) })
		return nil
	}
	return msg
}

// foregroundMsg has run called while the terminal is not ours: an editor or a
// pager may run in it. (tea.Exec would stop the loop, and knows nothing of what
// we set on the terminal.) done makes the message that follows.
type foregroundMsg struct {
	run  func() error
	done func(error) tea.Msg
}

// shown is the model as Bubble Tea gets it: what View returns is handed to the
// terminal.
type shown struct {
	*Model
	terminal *tty.Terminal
}

func (s shown) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	_, cmd := s.Model.Update(msg)
	return s, cmd
}

func (s shown) View() tea.View {
	v, f := s.frame()
	s.terminal.Paint(f)
	for _, told := range s.Model.shown {
		s.terminal.AfterPaint(told)
	}
	s.Model.shown = nil
	return v
}

// frame is the View, and what the terminal is given of it.
func (s shown) frame() (tea.View, tty.Frame) {
	v := s.Model.View()
	f := tty.Frame{
		Width: s.w, Height: s.h, Content: v.Content, Method: s.pen.method,
		Profile: s.profile, Title: v.WindowTitle,
	}
	if b := v.ProgressBar; b != nil {
		f.Progress = tty.Progress{State: tty.ProgressState(b.State), Percent: b.Value}
	}
	return v, f
}

// View is the frame.
func (m *Model) View() tea.View {
	v := tea.NewView(m.frame())
	v.AltScreen = true
	v.ReportFocus = true
	v.MouseMode = tea.MouseModeCellMotion
	v.WindowTitle = m.title().String()
	v.ProgressBar = m.progressBar()
	return v
}

// noticeCmd tells of new mail.
func noticeCmd(kind NoticeKind, t notify.Terminal, text safetext.Text) tea.Cmd {
	if kind == NoticeOSC9 {
		return tea.Raw(t.OSC9(text))
	}
	return tea.Raw(notify.Bell)
}
