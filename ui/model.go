package ui

import (
	"context"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"tidings/imapsession"
	"tidings/internal/crash"
	"tidings/internal/notify"
	"tidings/internal/safetext"
	"tidings/store"
)

// Model is the whole screen: the one tea.Model. Everything below it is a plain
// struct with methods, changed by Update and read by View, both of which run
// on Bubble Tea's loop. Neither does any I/O, and neither does work that grows
// with a mailbox.
type Model struct {
	accounts []*account
	current  int
	lastBox  int // id of the folder that was opened last
	// pumped starts the pump of a mailbox that is opened; nil: nobody listens.
	pumped func(ctx context.Context, box int, events *imapsession.Box)
	opts   Options

	w, h    int
	now     time.Time // of the Update that runs, or ran last
	theme   *theme
	dark    bool
	profile colorprofile.Profile
	ascii   bool
	pen     pen

	reading bool // the reader has the keys, not the list
	pane    bool // the folders are shown and have the keys
	// recounting: a timer runs after which the folders are counted again.
	recounting bool
	over       shade // help or log, over everything else
	prompt     *prompt
	menu       *menu
	task       *task        // a file being written, a program running; nil: none
	command    *commandLine // what is typed behind ":"
	search     *searchLine  // what is typed behind "/"
	// searches are the lines that were typed there, the newest last.
	searches []string
	lines    []string    // and was before
	quit     bool        // the person quits
	signing  bool        // the terminal is lent for a sign-in
	end      func()      // ends the program
	lost     atomic.Bool // the terminal is gone; set by whoever reads it

	terminal notify.Terminal
	limiter  notify.Limiter
	ringing  bool // a timer for the limiter is running

	clock clock
	ctx   context.Context // ends with the program
	done  <-chan struct{} // closed when the program ends; nil: never
	cmds  []tea.Cmd       // gathered while an Update runs
	shown []func()        // to be called when the next frame is on the screen
}

// newModel makes the model; environ tells what terminal it is drawn on.
func newModel(o Options) *Model {
	env := environment(o.Environ)
	m := &Model{
		opts: o, ctx: context.Background(), now: time.Now(), dark: !lightByEnv(env), end: func() {}, profile: colorprofile.Env(o.Environ),
		ascii: plainConsole(env), terminal: notify.Detect(o.Environ),
	}
	for _, a := range o.Accounts {
		b := newAccount(a, o.EmojiText)
		b.labels = o.Keywords
		b.id = len(m.accounts)
		m.accounts = append(m.accounts, b)
	}
	m.retheme()
	return m
}

func (m *Model) retheme() {
	m.theme = newTheme(m.dark, m.profile, m.ascii)
	m.pen.theme = m.theme
}

// account is the one on screen; nil if there is none at all.
func (m *Model) account() *account {
	if len(m.accounts) == 0 {
		return nil
	}
	return m.accounts[m.current].onScreen()
}

// Init starts the clock.
func (m *Model) Init() tea.Cmd {
	for i, a := range m.accounts {
		m.later(m.awaitTurn(i, a))
	}
	m.later(m.schedule())
	return tea.Batch(m.cmds...)
}

// slow is how long something may be missing before its absence is drawn.
const slow = 100 * time.Millisecond

// placeholderMsg ends an account's 100 ms of blank rows.
type placeholderMsg struct{ account int }

// redrawMsg asks for nothing but a frame: what is drawn depends on the time.
type redrawMsg struct{}

// noticeMsg asks the limiter again.
type noticeMsg struct{}

// Update takes one message.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	m.now = time.Now()
	m.cmds = m.cmds[:0]
	if m.late(msg) {
		return m, nil
	}
	switch msg := msg.(type) {
	case batchMsg:
		m.apply(m.box(msg.account), msg.events)
	case tea.KeyPressMsg:
		m.key(msg)
	case tea.PasteMsg:
		switch {
		case m.command != nil:
			m.command.paste(msg.Content)
		case m.search != nil:
			m.pasteSearch(msg.Content)
		case m.prompt != nil:
			m.prompt.paste(msg.Content)
		}
	case tea.MouseClickMsg:
		m.click(msg.Mouse())
	case tea.MouseWheelMsg:
		m.wheel(msg.Mouse())
	case tea.WindowSizeMsg:
		m.w, m.h = msg.Width, msg.Height
	case tea.FocusMsg:
		m.wake()
	case tea.ResumeMsg:
		m.wake()
	case tea.BackgroundColorMsg:
		if m.dark != msg.IsDark() {
			m.dark = msg.IsDark()
			m.retheme()
		}
	case tea.ColorProfileMsg:
		if m.profile != msg.Profile {
			m.profile = msg.Profile
			m.retheme()
		}
	case tea.ModeReportMsg:
		// The renderer changes its width method on this report; so do we.
		if msg.Mode == ansi.ModeUnicodeCore && (msg.Value == ansi.ModeReset || msg.Value == ansi.ModeSet || msg.Value == ansi.ModePermanentlySet) {
			m.pen.method = ansi.GraphemeWidth
			m.rewrap()
		}
	case clockMsg:
		m.clock.fired(msg)
	case placeholderMsg:
		a := m.box(msg.account)
		a.waitPending, a.waiting = false, true
	case unseenMsg:
		m.unseenFor(m.box(msg.account))
	case countMsg:
		m.recountDue()
	case noticeMsg:
		m.ringing = false
		m.ring()
	case redrawMsg:
	case parsedMsg:
		m.parsed(msg)
	case pageMsg:
		m.pageArrived(m.box(msg.account), msg)
	case keptBodyMsg:
		m.keptBody(m.box(msg.account), msg)
	case foundMsg:
		m.foundSome(m.box(msg.account), msg)
	case viewMsg:
		m.viewMade(m.box(msg.account), msg)
	case placedMsg:
		m.placed(m.box(msg.account), msg)
	case nearMsg:
		m.nearFound(m.box(msg.account), msg)
	case recordedMsg:
		m.recorded(m.box(msg.account))
	case turnMsg:
		m.takeOver(m.box(msg.account))
	case keepMsg:
		m.box(msg.account).keepSelected()
	case taskMsg:
		m.taskEnded(msg)
	case slowTaskMsg:
		m.taskSlow(msg)
	case signedInMsg:
		m.signedIn(msg)
	case seenMsg:
		m.openLongEnough(msg)
	case barrierMsg:
		msg.do(m)
	}
	m.settle()
	return m, tea.Batch(m.cmds...)
}

// later has a command run when the Update is over. A panic in it, or in what
// Bubble Tea runs for it, is handled like everywhere else.
func (m *Model) later(c tea.Cmd) {
	if c != nil {
		m.cmds = append(m.cmds, guarded(c))
	}
}

func guarded(c tea.Cmd) tea.Cmd {
	return func() tea.Msg {
		defer crash.Handle("command")
		return c()
	}
}

// settle brings what follows from the new state about: sizes, what the
// sessions know of the screen, timers.
func (m *Model) settle() {
	for a := range m.boxes {
		m.letterReady(a)
	}
	l := m.layout()
	if a := m.account(); a != nil && a.reader != nil && l.split == alone {
		m.reading = true // the list it covers cannot have the keys
	} else if a == nil || a.reader == nil {
		m.reading = false
	}
	if m.over.kind != noShade {
		m.settleShade(l.body.w, l.body.h)
	}
	if a := m.account(); a != nil && m.pane {
		a.root.tree.settle(l.folders.h)
	}
	for a := range m.boxes {
		i := a.id
		a.lastSign = a.cfg.Session.LastSign()
		h := l.list.h
		if h == 0 { // the reader covers the list: its place is kept
			h = l.body.h
		}
		if a.view.h != h {
			a.view.resize(h)
		}
		m.followFinding(a)
		m.followView(a)
		a.followRange()
		missing := m.show(a)
		m.minding(i, a)
		switch {
		case !missing:
			a.waiting = false
		case !a.waiting && !a.waitPending:
			a.waitPending = true
			m.later(m.after(slow, placeholderMsg{i}))
		}
		if a.reader != nil {
			m.fitReader(a, l.reader)
		}
	}
	m.later(m.schedule())
}

// wake: the person is back (a key, or focus): a link that backs off tries now.
func (m *Model) wake() {
	for a := range m.boxes {
		if a.state.State == imapsession.Waiting {
			a.cfg.Session.Retry(false)
		}
	}
}

// announce has new mail told by bell or notice.
func (m *Model) announce(a *account, s *store.Summary, n int) {
	if m.opts.Notice == NoticeOff || m.opts.Notice == "" {
		return
	}
	arrival := notify.Arrival{Count: n}
	if len(m.accounts) > 1 {
		arrival.Account = a.cfg.Name
	}
	if s != nil {
		arrival.From, arrival.Subject = sender(s), s.Subject
	}
	m.limiter.Add(arrival)
	if !m.ringing {
		m.ring()
	}
}

func (m *Model) ring() {
	text, wait, ok := m.limiter.Due(m.now)
	if ok {
		m.later(noticeCmd(m.opts.Notice, m.terminal, text))
		_, wait, _ = m.limiter.Due(m.now)
	}
	if wait > 0 {
		m.ringing = true
		m.later(m.after(wait, noticeMsg{}))
	}
}

// title is the window's title.
func (m *Model) title() safetext.Text {
	a := m.account()
	if a == nil {
		return safetext.Const("Tidings")
	}
	who := safetext.Const("Tidings")
	if len(m.accounts) > 1 {
		who = a.cfg.Name
	}
	return notify.Title(a.unseen, a.counted, a.box, who)
}

func environment(environ []string) map[string]string {
	env := make(map[string]string, len(environ))
	for _, e := range environ {
		for i := range e {
			if e[i] == '=' {
				env[e[:i]] = e[i+1:]
				break
			}
		}
	}
	return env
}
