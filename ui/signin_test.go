package ui

import (
	"context"
	"errors"
	"testing"

	"tidings/imapsession"
	"tidings/internal/safetext"
)

// TestSignInAgain: a grant that has ended is one clear state; R lends the
// terminal, once at a time, and the session uses what comes of it. The list stays.
func TestSignInAgain(t *testing.T) {
	answers := make(chan error)
	calls := 0
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(5)
		p.idle()
		p.server().say(imapsession.StateEvent{State: imapsession.Offline, Fatal: true, SignIn: true,
			Reason: safetext.Const("the server refused a token that is new: it said no; then sign in again: press R, or run tidings login work")})
		p.idle()
		p.sees(" sign in again: press R: the server refused a token that is new", "signed out", "R signs in again", "We shipped it")
		p.seesNot("stopped", "r tries again")
		p.press("R R R")
		p.press("j k")
		if calls != 1 {
			t.Errorf("the sign-in was started %d times", calls)
		}
		retried := p.server().retried()
		answers <- errors.New("interrupted")
		p.idle()
		p.sees("not signed in; R tries again", "We shipped it")
		if p.server().retried() != retried {
			t.Error("the session is made to try although nobody signed in")
		}
		p.press("R")
		answers <- nil
		p.idle()
		if calls != 2 || p.server().retried() == retried {
			t.Errorf("%d calls; the session was not told", calls)
		}
		p.server().live()
		p.idle()
		p.sees("live")
		p.seesNot("signed out")
		p.server().say(imapsession.StateEvent{State: imapsession.Offline, Fatal: true, SignIn: true,
			Reason: safetext.Const("sign in again: press R, or run tidings login work (you are not signed in)")})
		p.idle()
		p.sees(" sign in again: press R, or run tidings login work (you are not signed in)")
	}, func(o *Options) {
		answers = make(chan error)
		o.Accounts[0].SignIn = func(context.Context) error { calls++; return <-answers }
	})
}

// TestNothingToSignInTo: where a password comes from the config, R says so.
func TestNothingToSignInTo(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(5)
		p.idle()
		p.press("R")
		p.sees("nobody signs in to this account")
	})
}
