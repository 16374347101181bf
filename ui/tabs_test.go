package ui

import (
	"fmt"
	"strings"
	"testing"

	"tidings/imapsession"
	"tidings/internal/safetext"
)

// The current account's tab is on screen, with its count and its trouble,
// however many accounts there are and however narrow the screen is.
func TestTheCurrentTabIsOnScreen(t *testing.T) {
	names := []string{"work", "home", "the association", "lists", "monitoring", "a", "bb", "ccc", "dddd", "the tenth", "the eleventh"}
	many := func(o *Options) {
		o.Accounts = nil
		for _, name := range names {
			o.Accounts = append(o.Accounts, Account{Name: safetext.Clean(name), Session: newFakeSession()})
		}
	}
	for _, w := range []int{24, 40, 80, 300} {
		atScreen(t, w, 12, func(p *person) {
			for _, s := range p.sessions {
				s.start(3)
			}
			p.sessions[4].say(imapsession.StateEvent{State: imapsession.Waiting})
			p.idle()
			for i, name := range names {
				want := name + " 1"
				if i < 9 {
					want = fmt.Sprintf("%d %s", i+1, want)
				}
				if i == 4 {
					want += " ×"
				}
				if tabs := p.lines()[0]; !strings.Contains(tabs, " "+want+" ") {
					t.Errorf("at %d columns the tabs are %q, without %q", w, tabs, want)
				}
				p.press("A")
			}
		}, many)
	}
}
