package ui

import (
	"strings"
	"unicode"

	tea "charm.land/bubbletea/v2"

	"tidings/imapsession"
	"tidings/internal/safetext"
)

// prompt asks for a folder: a line being typed and the folders that match it.
type prompt struct {
	label  ink           // before the message, and
	to     ink           // behind it
	what   safetext.Text // the message that it is about
	a      *account
	typed  string // what was typed; drawn through safetext
	pick   int    // the candidate chosen
	choose func(*Model, imapsession.Folder)
	here   bool // the mailbox that the person is in may be chosen, too
	picker picker
}

// candidates is how many folders are offered at once.
const candidates = 8

func newPrompt(label ink, what safetext.Text, a *account, choose func(*Model, imapsession.Folder)) *prompt {
	return &prompt{label: label, to: " to", what: what, a: a, choose: choose}
}

func (q *prompt) paste(s string) {
	for _, r := range s {
		if unicode.IsPrint(r) {
			q.typed += string(r)
		}
	}
	q.pick = 0
}

// promptKey edits the line, moves the choice, or ends the prompt.
func (m *Model) promptKey(k tea.KeyPressMsg) {
	q := m.prompt
	switch k.String() {
	case "esc":
		m.prompt = nil
	case "enter":
		found := q.matches()
		switch {
		case !q.a.folders.known:
			m.say(q.a, own(sDim, "the server has not told its folders yet"))
		case len(found) == 0:
			m.say(q.a, own(sWarn, "no folder has that name: nothing was done"))
			m.prompt = nil
		default:
			m.prompt = nil
			q.choose(m, found[min(q.pick, len(found)-1)])
		}
	case "down", "ctrl+n", "tab":
		q.pick = min(q.pick+1, max(len(q.matches())-1, 0))
	case "up", "ctrl+p", "shift+tab":
		q.pick = max(q.pick-1, 0)
	case "backspace", "ctrl+h":
		if r := []rune(q.typed); len(r) > 0 {
			q.typed = string(r[:len(r)-1])
		}
		q.pick = 0
	case "ctrl+u":
		q.typed, q.pick = "", 0
	case "ctrl+w":
		s := strings.TrimRightFunc(q.typed, unicode.IsSpace)
		q.typed, q.pick = s[:strings.LastIndexFunc(s, unicode.IsSpace)+1], 0
	default:
		if t := k.Key().Text; t != "" {
			q.paste(t)
		}
	}
}

// promptLines is how many lines the candidates take, with the rule above them.
func (m *Model) promptLines(h int) int {
	if m.prompt == nil {
		return 0
	}
	n := len(m.prompt.matches())
	if !m.prompt.a.folders.known {
		n = 1
	}
	if n == 0 || h < 3 {
		return 0
	}
	return min(n, candidates, h-2) + 1
}

// drawCandidate draws line y of n of the candidates.
func (q *prompt) drawCandidate(p *pen, y, n int) {
	if y == 0 {
		for p.room > 0 {
			p.ink(sFaint, p.theme.marks.rule)
		}
		return
	}
	y--
	n--
	if !q.a.folders.known {
		p.gap(sPlain, 2)
		p.ink(sDim, "asking the server for its folders")
		p.end(sPlain)
		return
	}
	found := q.matches()
	first := max(min(q.pick-n/2, len(found)-n), 0)
	if i := first + y; i < len(found) {
		mark, s := ink("  "), sPlain
		if i == q.pick {
			mark, s = p.theme.marks.cursor+" ", sPick
		}
		p.ink(sAccent, mark)
		p.text(s, found[i].Name, p.room)
		if found[i].Role != "" {
			p.gap(sPlain, 2)
			p.text(sDim, safetext.Clean(found[i].Role), p.room)
		}
	}
	p.end(sPlain)
}

// draw draws the line being typed; where the candidates have no lines of their
// own, the chosen one stands behind it, for nothing is chosen unseen.
func (q *prompt) draw(p *pen, listed bool) {
	if p.room >= 24 {
		p.gap(sPlain, 1)
		p.ink(sBold, q.label)
		if p.room >= 50 && !q.what.IsEmpty() {
			p.gap(sPlain, 1)
			p.text(sDim, q.what, p.room/2)
		}
		p.ink(sBold, q.to)
		p.gap(sPlain, 1)
	}
	p.ink(sDim, p.theme.marks.prompt+" ")
	typed := safetext.Clean(q.typed)
	found := q.matches()
	if listed || len(found) == 0 {
		p.text(sPlain, typed, max(p.room-1, 0))
		p.ink(sAccent, p.theme.marks.cursor)
		p.end(sPlain)
		return
	}
	p.text(sPlain, typed, p.room/3)
	p.ink(sAccent, p.theme.marks.cursor)
	p.text(sPick, found[min(q.pick, len(found)-1)].Name, p.room)
	p.end(sPlain)
}
