package ui

import (
	"strings"
	"testing"
	"time"

	"tidings/imapsession"
	"tidings/internal/safetext"
	"tidings/store"
)

func TestSilenceIsNotLife(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(5)
		p.idle()
		p.sees("live", "heard just now")
		p.wait(16 * time.Second)
		p.sees("live", "heard 15 s ago")
		p.wait(30 * time.Second)
		p.sees("live", "heard 45 s ago")
		p.wait(17 * time.Second)
		p.sees("unproven")
		p.seesNot("live")
		p.server().signAt(time.Now())
		p.wait(16 * time.Second)
		p.sees("live")
	})
}

func TestUnprovenIsNeverJustNow(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(5)
		p.idle()
		p.wait(8 * time.Second)
		p.sees("unproven", "silent for over 5 s")
		p.seesNot("just now")
		p.wait(8 * time.Second)
		p.sees("unproven", "heard 15 s ago")
	}, func(o *Options) { o.Accounts[0].Probe = 5 * time.Second })
}

func TestCountdownAndKeysRetry(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(5)
		p.server().say(imapsession.StateEvent{State: imapsession.Waiting, Attempt: 2, Retry: time.Now().Add(30 * time.Second), Reason: safetext.Const("connection refused")})
		p.idle()
		p.sees("retry in 30 s", "connection refused")
		p.wait(2500 * time.Millisecond)
		p.sees("retry in 28 s")
		p.press("j")
		if p.server().retried() == 0 {
			t.Error("a key during back-off did not try again")
		}
		p.press("r")
		p.server().live()
		p.idle()
		p.sees("live", "back online")
	})
}

func TestAnEmptyScreenHasTheWholeReason(t *testing.T) {
	const reason = "the certificate of imap.example.org was issued by somebody whom this computer does not trust; " +
		"name the issuer's certificate in ca_file, or pin this one"
	for _, size := range [][2]int{{40, 8}, {80, 24}, {300, 100}} {
		atScreen(t, size[0], size[1], func(p *person) {
			whole := func() bool {
				return strings.Contains(strings.Join(strings.Fields(strings.Join(p.lines(), " ")), " "), reason)
			}
			p.server().say(imapsession.StateEvent{State: imapsession.Offline, Fatal: true, Reason: safetext.Const(reason)})
			p.idle()
			p.sees("Not connected")
			if !whole() {
				t.Errorf("at %v the reason is not whole:\n%s", size, strings.Join(p.lines(), "\n"))
			}
			p.server().say(imapsession.StateEvent{State: imapsession.Connecting})
			p.idle()
			p.sees("Not connected yet")
			p.server().start(1)
			p.idle()
			p.seesNot("Not connected")
		})
	}
}

func TestNoticesAreGathered(t *testing.T) {
	bells := func(p *person) (n int) {
		for _, r := range p.raw {
			if r == "\a" {
				n++
			}
		}
		return n
	}
	atScreen(t, 80, 24, func(p *person) {
		p.server().start(5)
		p.idle()
		for range 10 {
			p.server().deliver(false)
			p.idle()
		}
		if n := bells(p); n != 1 {
			t.Errorf("%d bells at once, want 1", n)
		}
		p.wait(3 * time.Second)
		if n := bells(p); n != 2 {
			t.Errorf("%d bells after 3 s, want 2", n)
		}
		uid := p.server().nextUID
		p.server().nextUID++
		n := uint32(p.server().list.Len() + 1)
		p.server().change(store.Change{Kind: store.Exists, N: n}, 0)
		p.server().change(store.Change{Kind: store.Fill, Seq: n, UID: uid, Flags: store.MakeFlags([]string{`\Seen`})}, uid)
		p.server().say(imapsession.NewMailEvent{UIDValidity: fakeValidity, UIDs: []store.UID{uid}, Count: 1})
		p.wait(3 * time.Second)
		if n := bells(p); n != 2 {
			t.Errorf("a message that was read already rang")
		}
	})
}

func TestQuitFromAnywhere(t *testing.T) {
	for _, where := range []string{"", "enter", "?", "L", "m", "f"} {
		for _, key := range []string{"Q", "ctrl+c"} {
			if where == "m" && key == "Q" {
				continue // there it is a letter that is typed
			}
			atScreen(t, 80, 24, func(p *person) {
				p.server().start(5)
				p.idle()
				p.press(where)
				p.press(key)
				if !p.quit {
					t.Errorf("%s after %q does not quit", key, where)
				}
			})
		}
	}
	atScreen(t, 80, 24, func(p *person) {
		p.press("q")
		p.sees("Q quits")
		if p.quit {
			t.Error("q quits")
		}
	})
}

// A count of the list as it was before the newest Resync says nothing of this one.
func TestUnreadCountOfAnotherEpoch(t *testing.T) {
	atScreen(t, 80, 24, func(p *person) {
		f := p.server()
		f.start(5)
		p.idle()
		f.say(imapsession.UnseenEvent{Epoch: f.epoch - 1, N: 4, Known: true})
		f.say(imapsession.UnseenEvent{Epoch: f.epoch - 1})
		p.idle()
		p.sees("2 unread of 5")
		f.say(imapsession.UnseenEvent{Epoch: f.epoch})
		p.idle()
		p.sees("? unread of 5")
	})
}

func TestAccounts(t *testing.T) {
	atScreen(t, 80, 24, func(p *person) {
		p.sessions[0].start(5)
		p.sessions[1].start(30)
		p.idle()
		p.sees("1 work 2", "2 home 10", "INBOX  2 unread of 5")
		p.press("2")
		p.sees("INBOX  10 unread of 30")
		p.press("A")
		p.sees("INBOX  2 unread of 5")
		p.press("9")
		p.sees("INBOX  2 unread of 5", "there is no account 9")
		if got, want := p.m.title().String(), "(2) INBOX – work"; got != want {
			t.Errorf("the title is %q, want %q", got, want)
		}
	}, func(o *Options) {
		o.Accounts = append(o.Accounts, Account{Name: safetext.Const("home"), Session: newFakeSession(), Probe: time.Minute})
	})
}

func TestNewsOfAnotherAccount(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.sessions[0].start(5)
		p.sessions[1].start(5)
		p.idle()
		p.sessions[1].deliver(false)
		p.idle()
		p.sees("home new: ", "2 home 3")
		p.press("2")
		p.sees("14:30 new: ")
	}, func(o *Options) {
		o.Accounts = append(o.Accounts, Account{Name: safetext.Const("home"), Session: newFakeSession(), Probe: time.Minute})
	})
}

func TestPollingClaimsNoMoreThanItChecked(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(5)
		p.server().say(imapsession.StateEvent{State: imapsession.Live, Watch: imapsession.WatchPoll})
		p.idle()
		p.sees("● live", "polling")
		p.wait(3 * time.Minute)
		p.sees("checked 3 min ago")
		p.seesNot("● live")
	})
}

func TestVisiting(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(5)
		p.server().say(imapsession.StateEvent{State: imapsession.BetweenVisits, Watch: imapsession.WatchVisit, Retry: time.Now().Add(5 * time.Minute)})
		p.wait(40 * time.Second)
		p.sees("checked 30 s ago", "next at 14:35:00")
		p.seesNot("● live")
	})
}
