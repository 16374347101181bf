package ui

import (
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"tidings/imapsession"
)

func TestOpeningMarksRead(t *testing.T) {
	for _, c := range []struct {
		name  string
		after time.Duration
		wait  time.Duration
		want  bool
	}{
		{"at once", 0, 0, true},
		{"after a while", 2 * time.Second, 3 * time.Second, true},
		{"not before", 2 * time.Second, time.Second, false},
		{"never", -1, time.Minute, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			atScreen(t, 80, 24, func(p *person) {
				p.server().start(49)
				p.idle() // the newest, uid 49, is unread
				p.press("enter")
				p.wait(c.wait)
				got := false
				for _, s := range p.server().pending() {
					if f, ok := s.cmd.(imapsession.StoreFlags); ok && f.Target.UIDs[0] == 49 && f.Add[0] == `\Seen` {
						got = true
					}
				}
				if got != c.want {
					t.Errorf("marked read: %v, want %v", got, c.want)
				}
			}, func(o *Options) { o.Accounts[0].MarkSeen = c.after })
		})
	}
}

func TestReadOnlyNeverMarks(t *testing.T) {
	atScreen(t, 80, 24, func(p *person) {
		p.server().start(49)
		p.idle()
		p.press("enter U ! d a m esc")
		for _, s := range p.server().pending() {
			if _, ok := s.cmd.(imapsession.FetchBody); !ok {
				t.Errorf("a read-only account sent %#v", s.cmd)
			}
		}
	}, func(o *Options) { o.Accounts[0].ReadOnly = true })
}

func TestReaderKeepsItsMessage(t *testing.T) {
	atScreen(t, 80, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("enter")
		p.answerBody(letter, true)
		p.sees("the window opens at 22:00", "alice@example.org")
		p.server().deliver(false)
		p.server().expunge(50)
		p.idle()
		p.sees("the window opens at 22:00", "expunged")
		p.press("d")
		p.sees("nothing was done")
		p.press("esc")
		p.selects("(50)")
	})
}

func TestANarrowReaderNamesItsMessage(t *testing.T) {
	atScreen(t, 16, 3, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("enter")
		p.answerBody(letter, true)
		if got := p.lines()[0]; !strings.HasPrefix(got, "▌(50) In") {
			t.Errorf("the reader's first line is %q", got)
		}
	})
}

func TestGrowingBody(t *testing.T) {
	atScreen(t, 100, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("enter")
		p.answerBody(letter[:400], false)
		p.sees("Hi Bob", "of 8")
		p.seesNot("It is warm")
		p.answerBody(letter, true)
		p.sees("It is warm")
		p.seesNot(" of 1 KiB")
	})
}

func TestWideScreensReadBesideTheList(t *testing.T) {
	atScreen(t, 160, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("enter")
		p.answerBody(letter, true)
		p.sees("the window opens", "(40)")
		p.press("j") // scrolls the text
		p.selects("(50)")
		p.press("tab j")
		p.selects("(49)")
		p.sees("the window opens") // still the other message
		p.send(tea.WindowSizeMsg{Width: 80, Height: 24})
		p.press("esc")
		p.selects("(49)")
		p.seesNot("the window opens")
	})
}

func TestEmojiAsText(t *testing.T) {
	atScreen(t, 120, 30, func(p *person) {
		p.server().start(50)
		p.idle()
		p.press("enter")
		p.answerBody(letter, true)
		p.sees("done")
		p.press("esc")
		for _, l := range append(p.lines(), "") {
			for _, r := range l {
				if r >= 0x1f000 {
					t.Fatalf("an emoji is drawn: %q", l)
				}
			}
		}
	}, func(o *Options) { o.EmojiText = true })
}
