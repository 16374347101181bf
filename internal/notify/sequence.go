package notify

import (
	"strings"
	"unicode/utf8"

	"tidings/internal/safetext"
)

// Bell is the terminal's bell. Multiplexers hand it on by their own settings
// (tmux: monitor-bell, bell-action), so it is never wrapped.
const Bell = "\a"

// maxText bounds a notice's text, in bytes: GNU screen passes no sequence
// longer than 256 bytes on, and no desktop shows more.
const maxText = 200

// Terminal is what stands between us and the terminal that the person sees.
type Terminal struct {
	tmux   bool
	screen bool
}

// Detect reads the process's environment ("NAME=value"). Of a tmux at the near
// end of an ssh session, TERM alone tells ("tmux-256color"); TERM=screen may be
// either of the two, and the wrong wrapping would be printed, so it says nothing.
func Detect(environ []string) Terminal {
	var t Terminal
	for _, e := range environ {
		switch name, value, _ := strings.Cut(e, "="); name {
		case "TMUX":
			t.tmux = t.tmux || value != ""
		case "TERM":
			t.tmux = t.tmux || strings.HasPrefix(value, "tmux")
		case "STY":
			t.screen = value != ""
		}
	}
	return t
}

// OSC9 is the desktop notice of iTerm2, kitty, WezTerm, Ghostty, foot and
// Windows Terminal: the sequence to write to the terminal as it is. Where a
// multiplexer stands between, the sequence is wrapped to pass through it (tmux
// does so only with allow-passthrough on, and drops it otherwise). It is empty
// for an empty text.
func (t Terminal) OSC9(text safetext.Text) string {
	s := oscText(text)
	if s == "" {
		return ""
	}
	return t.wrap("\x1b]9;" + s + "\a")
}

// oscText is text as OSC 9 may carry it. safetext has no control characters
// left, so that nothing in it ends the sequence early. OSC 9 is shared with
// ConEmu's sequences, which start with a number and a semicolon ("4;1;50" is a
// progress bar): a leading digit is kept from looking like one.
func oscText(text safetext.Text) string {
	s := text.TrimSpace().String()
	if len(s) > maxText {
		cut := maxText
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
	if digits > 0 && (digits == len(s) || s[digits] == ';') {
		s = "– " + s
	}
	return s
}

// wrap makes multiplexers pass seq on to the terminal outside. With both set,
// tmux runs within screen (the other way round, tmux does not hand STY down
// to new sessions): the outer wrapping comes first.
func (t Terminal) wrap(seq string) string {
	if t.screen {
		seq = "\x1bP" + seq + "\x1b\\"
	}
	if t.tmux {
		seq = "\x1bPtmux;" + strings.ReplaceAll(seq, "\x1b", "\x1b\x1b") + "\x1b\\"
	}
	return seq
}
