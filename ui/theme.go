package ui

import (
	"strconv"
	"strings"

	"charm.land/lipgloss/v2"
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
	sTagRed    // labels
	sTagYellow
	sTagGreen
	sTagCyan
	sTagBlue
	sTagMagenta
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
	marked, markedCursor, pending               ink
	live, quiet, down, up, rule, bar, prompt    ink
	bullet, dash, quote                         ink
	folded, unfolded                            ink
	trunk, fork, last, orphan                   ink // of a conversation's tree
}

var unicodeMarks = marks{
	cursor: "▌", unread: "●", flagged: "⚑", answered: "↩", attached: "@",
	leaving: "→", gone: "×", waiting: "·", marked: "✓", markedCursor: "█", pending: "…",
	live: "●", quiet: "◌", down: "○", up: "↑", rule: "─", bar: "│", prompt: "›",
	bullet: "·", dash: "–", quote: "▏",
	folded: "▸", unfolded: "▾", trunk: "│", fork: "├", last: "└", orphan: "╌",
}

// asciiMarks are for consoles whose font or locale has nothing else.
var asciiMarks = marks{
	cursor: ">", unread: "*", flagged: "!", answered: "r", attached: "@",
	leaving: ">", gone: "x", waiting: ".", marked: "+", markedCursor: "#", pending: "~",
	live: "*", quiet: "?", down: "o", up: "^", rule: "-", bar: "|", prompt: ">",
	bullet: "-", dash: "-", quote: "|",
	folded: "+", unfolded: "-", trunk: "|", fork: "|", last: "`", orphan: "~",
}

// newTheme makes the theme for a background and a colour profile. Lip Gloss
// turns the styles into sequences here, once; rows are then put together by
// hand from these, which costs a hundredth of rendering each of them.
func newTheme(dark bool, profile colorprofile.Profile, ascii bool) *theme {
	t := &theme{ellipsis: "…", marks: unicodeMarks}
	if ascii {
		t.ellipsis, t.marks = "~", asciiMarks
	}
	styles := sixteen(dark)
	if profile > colorprofile.ANSI {
		styles = shades(dark)
	}
	for i, s := range styles {
		t.sgr[i] = opening(s)
	}
	return t
}

// opening is the sequence that starts a style from nothing: a style's bytes
// never depend on the one before it.
func opening(s lipgloss.Style) string {
	before, _, _ := strings.Cut(s.Render("x"), "x")
	codes, styled := strings.CutPrefix(before, "\x1b[")
	if !styled {
		return "\x1b[m"
	}
	return "\x1b[0;" + codes
}

// shades are the styles where there are 256 colours or more.
func shades(dark bool) [nStyles]lipgloss.Style {
	plain := lipgloss.NewStyle()
	pick := lipgloss.LightDark(dark)
	on := func(s lipgloss.Style) func(light, dark string) lipgloss.Style {
		return func(light, dark string) lipgloss.Style {
			return s.Foreground(pick(lipgloss.Color(light), lipgloss.Color(dark)))
		}
	}
	page := on(plain)
	bar := on(plain.Background(pick(lipgloss.Color("254"), lipgloss.Color("236"))))
	return [nStyles]lipgloss.Style{
		sPlain: plain, sBold: plain.Bold(true),
		sDim: page("242", "246"), sFaint: page("248", "240"), sLeaving: page("246", "242").Strikethrough(true),
		sAccent: page("26", "75"), sUnread: page("26", "75"), sFlagged: page("130", "221"), sAnswered: page("65", "108"),
		sGood: page("28", "114"), sWarn: page("130", "215"), sBad: page("160", "203"),
		sQuote1: page("24", "109"), sQuote2: page("96", "139"), sQuote3: page("94", "144"),
		sLink: page("26", "75").Underline(true),
		sBar:  bar("236", "252"), sBarBold: bar("232", "255").Bold(true), sBarDim: bar("242", "246"),
		sBarGood: bar("28", "114"), sBarWarn: bar("130", "215"), sBarBad: bar("124", "210").Bold(true),
		sBarAccent: bar("26", "75"), sPick: page("26", "75").Bold(true),
		sTagRed: page("160", "203"), sTagYellow: page("130", "221"), sTagGreen: page("28", "114"),
		sTagCyan: page("30", "80"), sTagBlue: page("26", "75"), sTagMagenta: page("127", "177"),
	}
}

// sixteen leaves the choice of shades to the terminal's own palette, and is
// whole without its colours (the renderer drops them under NO_COLOR).
func sixteen(dark bool) [nStyles]lipgloss.Style {
	plain := lipgloss.NewStyle()
	ink := func(c string) lipgloss.Style { return plain.Foreground(lipgloss.Color(c)) }
	const red, green, yellow, blue, magenta, cyan = "1", "2", "3", "4", "5", "6"
	accent, warn := cyan, yellow
	if !dark { // cyan and yellow can hardly be seen there
		accent, warn = blue, magenta
	}
	bar := plain.Reverse(true)
	return [nStyles]lipgloss.Style{
		sPlain: plain, sBold: plain.Bold(true), sDim: plain.Faint(true), sFaint: plain.Faint(true),
		sLeaving: plain.Faint(true).Strikethrough(true),
		sAccent:  ink(accent), sUnread: ink(accent).Bold(true), sFlagged: ink(warn).Bold(true), sAnswered: ink(green),
		sGood: ink(green), sWarn: ink(warn).Bold(true), sBad: ink(red).Bold(true),
		sQuote1: ink(accent), sQuote2: ink(magenta), sQuote3: ink(green), sLink: ink(accent).Underline(true),
		sBar: bar, sBarBold: bar.Bold(true), sBarDim: bar, sBarGood: bar, sBarWarn: bar.Bold(true), sBarBad: bar.Bold(true),
		sBarAccent: bar, sPick: bar.Bold(true),
		sTagRed: ink(red), sTagYellow: ink(warn), sTagGreen: ink(green), sTagCyan: ink(accent), sTagBlue: ink(blue), sTagMagenta: ink(magenta),
	}
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
