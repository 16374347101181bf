package ui

import (
	"context"
	"sync/atomic"

	tea "charm.land/bubbletea/v2"

	"tidings/internal/safetext"
)

// task is something outside of the screen that is under way: a file being
// written, a program running. There is one at most.
type task struct {
	what   ink
	about  safetext.Text
	cancel func()
	// came are the octets that were fetched for it, of all that there are; 0 where
	// nothing is fetched, or nobody knows how much.
	came *atomic.Int64
	of   int64
}

// taskMsg ends a task.
type taskMsg struct {
	task *task
	box  int
	then func(*Model, *account)
}

// slowTaskMsg: a task takes longer than a moment.
type slowTaskMsg struct {
	task *task
	box  int
}

// start has f called on a goroutine of its own, with a context that Esc ends; what
// it returns is called on the loop.
func (m *Model) start(a *account, what ink, about safetext.Text, f func(context.Context) func(*Model, *account)) bool {
	if !m.undertake(a, what, about, func(ctx context.Context, end func(func(*Model, *account)) tea.Msg) tea.Msg {
		return end(f(ctx))
	}) {
		return false
	}
	m.later(m.after(slow*5, slowTaskMsg{m.task, m.indexOf(a)}))
	return true
}

// startOf is start for what fetches octets, as many as of, and counts those that
// have come.
func (m *Model) startOf(a *account, what ink, about safetext.Text, of int64, f func(context.Context, *atomic.Int64) func(*Model, *account)) {
	came := new(atomic.Int64)
	if m.start(a, what, about, func(ctx context.Context) func(*Model, *account) { return f(ctx, came) }) {
		m.task.of, m.task.came = of, came
	}
}

// percent is how far a task is that fetches something.
func (t *task) percent() int { return int(min(t.came.Load(), t.of) * 100 / t.of) }

// progress says how far a task is that fetches something.
func (t *task) progress(narrow bool) ink {
	done := ink(thousands(t.percent())) + "%"
	if narrow {
		return t.what + " " + done + ", Esc stops"
	}
	return t.what + " " + done + " of " + ink(octets(t.of)) + ", Esc stops"
}

// lend is start for what needs the terminal, which is lent to it.
func (m *Model) lend(a *account, what ink, about safetext.Text, f func(context.Context) error, then func(error) func(*Model, *account)) {
	m.undertake(a, what, about, func(ctx context.Context, end func(func(*Model, *account)) tea.Msg) tea.Msg {
		return foregroundMsg{
			run:  func() error { return f(ctx) },
			done: func(err error) tea.Msg { return end(then(err)) },
		}
	})
}

// undertake runs a command that ends in what end makes, unless one runs already; it
// reports whether it does.
func (m *Model) undertake(a *account, what ink, about safetext.Text, f func(ctx context.Context, end func(func(*Model, *account)) tea.Msg) tea.Msg) bool {
	if m.opts.Ways == nil {
		m.say(a, own(sWarn, "there are no files and programs here"))
		return false
	}
	if t := m.task; t != nil {
		m.say(a, own(sWarn, "still "+t.what+" "), said(sPlain, t.about), own(sDim, "; Esc stops it"))
		return false
	}
	ctx, cancel := context.WithCancel(m.ctx)
	t := &task{what: what, about: about, cancel: cancel}
	m.task = t
	box := m.indexOf(a)
	m.later(func() tea.Msg {
		return f(ctx, func(then func(*Model, *account)) tea.Msg { return taskMsg{t, box, then} })
	})
	return true
}

// taskEnded says what came of a task.
func (m *Model) taskEnded(msg taskMsg) {
	msg.task.cancel()
	if m.task == msg.task {
		m.task = nil
	}
	if a := m.box(msg.box); a != nil && msg.then != nil {
		msg.then(m, a)
	}
}

// taskSlow says that a task takes its time.
func (m *Model) taskSlow(msg slowTaskMsg) {
	if a := m.box(msg.box); a != nil && m.task == msg.task {
		m.say(a, own(sDim, msg.task.what+" "), said(sPlain, msg.task.about), own(sDim, "; Esc stops it"))
	}
}

// stopTask ends what is under way. Its own end says so.
func (m *Model) stopTask() bool {
	if m.task == nil {
		return false
	}
	m.task.cancel()
	return true
}
