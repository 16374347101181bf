package ui

import (
	"strconv"
	"strings"

	"github.com/charmbracelet/colorprofile"
)

// style is an entry of the theme.
type style uint8

const (
	sPlain style = iota
	sBold
	sDim      // second in rank: dates, hints
	sFaint    // placeholders, tombstones, rules
	sLeaving  // on its way to another mailbox
	sAccent   // the cursor mark, headings
	sUnread   // the unread mark
	sFlagged  // the flag mark
	sAnswered // the answered and attachment marks
	sGood
	sWarn
	sBad
	sQuote1
	sQuote2
	sQuote3
	sLink
	sBar // the status bar, and its ranks
	sBarBold
	sBarDim
	sBarGood
	sBarWarn
	sBarBad
	sBarAccent // the cursor mark on a bar
	sPick      // the chosen line of a prompt
	nStyles
)

// theme is how styles and marks come out on this terminal. Every difference
// that a colour makes is made by a mark or an attribute as well, so that
// nothing is lost under NO_COLOR.
type theme struct {
	sgr      [nStyles]string
	ellipsis string
	marks    marks
}

// marks are the signs of the list; each is one cell wide.
type marks struct {
	cursor, unread, flagged, answered, attached ink
	leaving, gone, waiting                      ink
	live, quiet, down, up, rule, bar, prompt    ink
	bullet, dash, quote                         ink
}

var unicodeMarks = marks{
	cursor: "▌", unread: "●", flagged: "⚑", answered: "↩", attached: "@",
	leaving: "→", gone: "×", waiting: "·",
	live: "●", quiet: "◌", down: "○", up: "↑", rule: "─", bar: "│", prompt: "›",
	bullet: "·", dash: "–", quote: "▏",
}

// asciiMarks are for consoles whose font or locale has nothing else.
var asciiMarks = marks{
	cursor: ">", unread: "*", flagged: "!", answered: "r", attached: "@",
	leaving: ">", gone: "x", waiting: ".",
	live: "*", quiet: "?", down: "o", up: "^", rule: "-", bar: "|", prompt: ">",
	bullet: "-", dash: "-", quote: "|",
}

// newTheme makes the theme for a background and a colour profile.
func newTheme(dark bool, profile colorprofile.Profile, ascii bool) *theme {
	t := &theme{ellipsis: "…", marks: unicodeMarks}
	if ascii {
		t.ellipsis, t.marks = "~", asciiMarks
	}
	codes := sixteen
	if profile > colorprofile.ANSI {
		codes = onLight
		if dark {
			codes = onDark
		}
	} else if profile == colorprofile.ANSI && !dark {
		codes[sAccent], codes[sUnread], codes[sLink] = "34", "1;34", "4;34"
		codes[sFlagged], codes[sWarn] = "1;35", "1;35"
	}
	for i, c := range codes {
		// Each style starts from nothing: a style's bytes never depend on the
		// one before it.
		t.sgr[i] = "\x1b[m"
		if c != "" {
			t.sgr[i] = "\x1b[0;" + c + "m"
		}
	}
	return t
}

var onDark = [nStyles]string{
	sPlain: "", sBold: "1", sDim: "38;5;246", sFaint: "38;5;240", sLeaving: "9;38;5;242",
	sAccent: "38;5;75", sUnread: "38;5;75", sFlagged: "38;5;221", sAnswered: "38;5;108",
	sGood: "38;5;114", sWarn: "38;5;215", sBad: "38;5;203",
	sQuote1: "38;5;109", sQuote2: "38;5;139", sQuote3: "38;5;144", sLink: "4;38;5;75",
	sBar: "38;5;252;48;5;236", sBarBold: "1;38;5;255;48;5;236", sBarDim: "38;5;246;48;5;236",
	sBarGood: "38;5;114;48;5;236", sBarWarn: "38;5;215;48;5;236", sBarBad: "1;38;5;210;48;5;236",
	sBarAccent: "38;5;75;48;5;236", sPick: "1;38;5;75",
}

var onLight = [nStyles]string{
	sPlain: "", sBold: "1", sDim: "38;5;242", sFaint: "38;5;248", sLeaving: "9;38;5;246",
	sAccent: "38;5;26", sUnread: "38;5;26", sFlagged: "38;5;130", sAnswered: "38;5;65",
	sGood: "38;5;28", sWarn: "38;5;130", sBad: "38;5;160",
	sQuote1: "38;5;24", sQuote2: "38;5;96", sQuote3: "38;5;94", sLink: "4;38;5;26",
	sBar: "38;5;236;48;5;254", sBarBold: "1;38;5;232;48;5;254", sBarDim: "38;5;242;48;5;254",
	sBarGood: "38;5;28;48;5;254", sBarWarn: "38;5;130;48;5;254", sBarBad: "1;38;5;124;48;5;254",
	sBarAccent: "38;5;26;48;5;254", sPick: "1;38;5;26",
}

// sixteen leaves the choice of shades to the terminal's own palette, and is
// whole without its colours (the renderer drops them under NO_COLOR).
var sixteen = [nStyles]string{
	sPlain: "", sBold: "1", sDim: "2", sFaint: "2", sLeaving: "2;9",
	sAccent: "36", sUnread: "1;36", sFlagged: "1;33", sAnswered: "32",
	sGood: "32", sWarn: "1;33", sBad: "1;31",
	sQuote1: "36", sQuote2: "35", sQuote3: "32", sLink: "4;36",
	sBar: "7", sBarBold: "1;7", sBarDim: "7", sBarGood: "7", sBarWarn: "1;7", sBarBad: "1;7",
	sBarAccent: "7", sPick: "1;7",
}

// lightByEnv reports whether the environment speaks of a light background; the
// terminal's own answer, where it gives one, comes later and counts more.
// COLORFGBG is "foreground;background", by the numbers of the 16 colours.
func lightByEnv(env map[string]string) bool {
	v := env["COLORFGBG"]
	bg := v[strings.LastIndexByte(v, ';')+1:]
	return bg == "7" || bg == "15"
}

// plainConsole reports whether the terminal should get ASCII marks: the Linux
// console and old terminals, or a locale that is not UTF-8.
func plainConsole(env map[string]string) bool {
	switch env["TERM"] {
	case "linux", "vt100", "vt220", "dumb":
		return true
	}
	// The marks count as one cell; this makes the renderer count most as two.
	if wide, err := strconv.ParseBool(env["RUNEWIDTH_EASTASIAN"]); err == nil && wide {
		return true
	}
	for _, k := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := env[k]; v != "" {
			u := strings.ToUpper(v)
			return !strings.Contains(u, "UTF-8") && !strings.Contains(u, "UTF8")
		}
	}
	return false
}
