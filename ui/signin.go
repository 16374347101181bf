package ui

import (
	tea "charm.land/bubbletea/v2"

	"tidings/imapsession"
)

// signedInMsg says what came of a sign-in that the terminal was lent for.
type signedInMsg struct {
	account int
	err     error
}

// signIn lends the terminal to the account's sign-in, which shows there what the
// person has to do. The list goes on meanwhile; the newest frame is painted in
// the end.
func (m *Model) signIn(a *account) {
	if a.cfg.SignIn == nil {
		m.say(a, own(sDim, "nobody signs in to this account: its config says where its secret comes from"))
		return
	}
	if m.signing {
		return
	}
	m.signing = true
	index, run, ctx := m.indexOf(a.root), a.cfg.SignIn, m.ctx
	m.later(func() tea.Msg {
		return foregroundMsg{
			run:  func() error { return run(ctx) },
			done: func(err error) tea.Msg { return signedInMsg{index, err} },
		}
	})
}

// signedIn says how it went, and has the session use what the sign-in gave.
func (m *Model) signedIn(msg signedInMsg) {
	m.signing = false
	a := m.box(msg.account)
	if msg.err != nil {
		// The terminal has shown why.
		m.say(a, own(sWarn, "not signed in"), own(sDim, "; R tries again"))
		return
	}
	m.say(a, own(sDim, "signing in again")) // the server has yet to agree
	a.cfg.Session.Retry(true)
	if a.opened != nil {
		a.opened.cfg.Session.Retry(true)
	}
}

// stopped is the status bar's word for a session that does not try again by
// itself.
func stopped(s imapsession.StateEvent) ink {
	if s.SignIn {
		return "signed out"
	}
	return "stopped"
}

// remedy is what the person can do about it.
func remedy(s imapsession.StateEvent) ink {
	if s.SignIn {
		return "R signs in again"
	}
	return "r tries again"
}
