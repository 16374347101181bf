package ui

import (
	"strings"
	"testing"
)

// TestKeymap: no key means two things in one pane, and everything that is
// handled is explained.
func TestKeymap(t *testing.T) {
	explained := map[action]bool{}
	for _, pane := range []where{inList, inReader, inOverlay, inPrompt} {
		seen := map[string]action{}
		for _, b := range keymap {
			if b.help != "" {
				explained[b.act] = true
			}
			if b.in&pane == 0 {
				continue
			}
			for _, k := range b.keys {
				if other, twice := seen[k]; twice && other != b.act {
					t.Errorf("%q means two things in pane %d", k, pane)
				}
				seen[k] = b.act
				if lookup(k, pane) != b.act {
					t.Errorf("%q in pane %d is not found", k, pane)
				}
			}
		}
	}
	for _, b := range keymap {
		if b.act != actQuitHint && !explained[b.act] {
			t.Errorf("%v is in no help", b.keys)
		}
		if b.hint != "" && b.show == "" {
			t.Errorf("%v has a hint and no key to show", b.keys)
		}
	}
	md := KeysMarkdown()
	for _, b := range keymap {
		if b.help != "" && !strings.Contains(md, "| "+string(b.help)+" |") {
			t.Errorf("the docs lack %q", b.help)
		}
	}
}

// TestHelpTellsEverything scrolls through the help on a small screen.
func TestHelpTellsEverything(t *testing.T) {
	atScreen(t, 60, 10, func(p *person) {
		p.press("?")
		var all strings.Builder
		for range 120 {
			all.WriteString(strings.Join(p.lines(), "\n"))
			p.press("j")
		}
		for _, b := range keymap {
			if !strings.Contains(all.String(), string(b.help)) {
				t.Errorf("the help never shows %q", b.help)
			}
		}
		p.press("esc")
		p.seesNot("Reading")
	})
}
