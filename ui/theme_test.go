package ui

import (
	"image/color"
	"regexp"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
)

var sgr = regexp.MustCompile("\x1b\\[[0-9;]*m")

// TestThemes: every profile gets colours it has, light and dark backgrounds get
// different ones, and no two styles that mean different things look the same
// where there are colours.
func TestThemes(t *testing.T) {
	for _, c := range []struct {
		name    string
		profile colorprofile.Profile
		rich    bool
	}{
		{"no colour", colorprofile.ASCII, false}, {"16", colorprofile.ANSI, false},
		{"256", colorprofile.ANSI256, true}, {"true colour", colorprofile.TrueColor, true},
	} {
		dark, light := newTheme(true, c.profile, false), newTheme(false, c.profile, false)
		for s := range nStyles {
			for _, th := range []*theme{dark, light} {
				if got := th.sgr[s]; sgr.FindString(got) != got || got == "" {
					t.Errorf("%s: style %d is %q", c.name, s, got)
				}
				if !c.rich && strings.Contains(th.sgr[s], "38;5") {
					t.Errorf("%s: style %d uses 256 colours: %q", c.name, s, th.sgr[s])
				}
			}
		}
		if c.rich && dark.sgr[sDim] == light.sgr[sDim] {
			t.Errorf("%s: the background makes no difference", c.name)
		}
		for _, pair := range [][2]style{{sPlain, sBold}, {sPlain, sDim}, {sBar, sPlain}, {sLeaving, sPlain}, {sBar, sBarBold}} {
			if dark.sgr[pair[0]] == dark.sgr[pair[1]] {
				t.Errorf("%s: styles %d and %d look the same", c.name, pair[0], pair[1])
			}
		}
	}
}

// TestBackgroundIsFollowed: the terminal says that it is light, and is
// believed.
func TestBackgroundIsFollowed(t *testing.T) {
	atScreen(t, 80, 24, func(p *person) {
		p.server().start(5)
		p.idle()
		before := p.m.View().Content
		p.send(tea.BackgroundColorMsg{Color: color.White})
		if p.m.View().Content == before {
			t.Error("a white background changes nothing")
		}
		p.send(tea.BackgroundColorMsg{Color: color.Black})
		if p.m.View().Content != before {
			t.Error("a black background is not what was assumed")
		}
	})
}

// TestPlainConsole: where Unicode marks would not come out, ASCII ones do.
func TestPlainConsole(t *testing.T) {
	for _, c := range []struct {
		environ []string
		want    bool
	}{
		{[]string{"TERM=xterm-256color", "LANG=en_GB.UTF-8"}, false},
		{[]string{"TERM=xterm-256color"}, false},
		{[]string{"TERM=linux", "LANG=en_GB.UTF-8"}, true},
		{[]string{"TERM=xterm", "LANG=C"}, true},
		{[]string{"TERM=xterm", "LANG=en_GB.utf8", "LC_ALL=C"}, true},
		{[]string{"TERM=xterm", "LANG=en_GB.utf8", "RUNEWIDTH_EASTASIAN=1"}, true},
	} {
		if got := plainConsole(environment(c.environ)); got != c.want {
			t.Errorf("%v: %v, want %v", c.environ, got, c.want)
		}
	}
	atScreen(t, 80, 24, func(p *person) {
		p.server().narrow = true
		p.server().start(50)
		p.idle()
		for _, l := range p.lines() {
			for _, r := range l {
				if r > 0x7e {
					t.Fatalf("%q on a console without Unicode: %q", r, l)
				}
			}
		}
	}, func(o *Options) { o.Environ = []string{"TERM=linux"} })
}

func TestLightByEnvironment(t *testing.T) {
	for v, want := range map[string]bool{"0;15": true, "0;default;7": true, "15;0": false, "": false, "12;8": false} {
		if got := lightByEnv(map[string]string{"COLORFGBG": v}); got != want {
			t.Errorf("COLORFGBG=%s: light is %v", v, got)
		}
	}
}
