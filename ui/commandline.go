package ui

import (
	"strings"
	"unicode"

	tea "charm.land/bubbletea/v2"

	"tidings/internal/safetext"
)

// commandLine is the line behind ":" while it is typed.
type commandLine struct {
	typed   string
	pick    int    // which completion Tab offered last; -1: none
	stem    string // what was typed before it
	history int    // lines back from the newest; 0: the one being typed
	own     string // that one
}

// maxHistory bounds the lines that are remembered.
const maxHistory = 50

func (m *Model) openCommand() { m.command = &commandLine{pick: -1} }

// commandKey edits the line, completes it, or ends it.
func (m *Model) commandKey(k tea.KeyPressMsg) {
	q := m.command
	a := m.account()
	switch k.String() {
	case "esc":
		m.command = nil
	case "enter":
		m.command = nil
		m.remember(q.typed)
		if err := m.runCommand(a, q.typed); err != nil {
			m.sayWrong(a, err)
		}
	case "tab":
		m.complete(a, 1)
	case "shift+tab":
		m.complete(a, -1)
	case "up", "ctrl+p":
		q.recall(m.lines, 1)
	case "down", "ctrl+n":
		q.recall(m.lines, -1)
	case "backspace", "ctrl+h":
		r := []rune(q.typed)
		if len(r) == 0 {
			m.command = nil // nothing to take away but the line itself
			return
		}
		q.set(string(r[:len(r)-1]))
	case "ctrl+u":
		q.set("")
	case "ctrl+w":
		s := strings.TrimRightFunc(q.typed, unicode.IsSpace)
		q.set(s[:strings.LastIndexFunc(s, unicode.IsSpace)+1])
	default:
		q.paste(k.Key().Text)
	}
}

func (q *commandLine) set(s string) { q.typed, q.pick = s, -1 }

func (q *commandLine) paste(s string) {
	typed := []rune(q.typed)
	for _, r := range s {
		if unicode.IsPrint(r) {
			typed = append(typed, r)
		}
	}
	q.set(string(typed))
}

func (m *Model) remember(line string) {
	if strings.TrimSpace(line) == "" || len(m.lines) > 0 && m.lines[len(m.lines)-1] == line {
		return
	}
	m.lines = append(m.lines, line)
	if len(m.lines) > maxHistory {
		m.lines = m.lines[1:]
	}
}

// recall brings an earlier line back.
func (q *commandLine) recall(lines []string, by int) {
	if q.history == 0 {
		q.own = q.typed
	}
	q.history = min(max(q.history+by, 0), len(lines))
	if q.history == 0 {
		q.set(q.own)
		return
	}
	q.set(lines[len(lines)-q.history])
}

// offers are the completions of what is typed, whole lines.
func (m *Model) offers(a *account, typed string) []string {
	var out []string
	name, arg, spaced := strings.Cut(typed, " ")
	if !spaced {
		for _, c := range commands {
			if strings.HasPrefix(c.names[0], name) {
				line := c.names[0]
				if c.arg != "" {
					line += " "
				}
				out = append(out, line)
			}
		}
		return out
	}
	c, err := findCommand(name)
	if err != nil || c.args == nil {
		return nil
	}
	for _, v := range c.args(m, a) {
		if strings.HasPrefix(strings.ToLower(v), strings.ToLower(strings.TrimSpace(arg))) {
			out = append(out, c.names[0]+" "+v)
		}
	}
	return out
}

// complete puts the next completion in the place of what was typed.
func (m *Model) complete(a *account, by int) {
	q := m.command
	if q.pick < 0 {
		q.stem = q.typed
	}
	found := m.offers(a, q.stem)
	if len(found) == 0 {
		return
	}
	if q.pick < 0 && by < 0 {
		q.pick = 0
	}
	q.pick = (q.pick + by + len(found)) % len(found)
	q.typed = found[q.pick]
}

// drawCommand draws the line, and what it may become behind it.
func (m *Model) drawCommand(p *pen) {
	q := m.command
	p.gap(sPlain, 1)
	p.ink(sBold, ":")
	typed := safetext.Clean(q.typed)
	// The end of a long line is where the cursor is.
	p.text(sPlain, lastCells(typed, max(p.room-1, 0), p), p.room-1)
	p.ink(sAccent, p.theme.marks.cursor)
	stem := q.typed
	if q.pick >= 0 {
		stem = q.stem
	}
	p.gap(sPlain, 2)
	name, _, spaced := strings.Cut(stem, " ")
	if spaced || q.pick < 0 && q.typed != "" {
		if c, err := findCommand(name); err == nil {
			p.ink(sDim, c.describe())
			return
		}
	}
	if q.typed == "" {
		for _, o := range places {
			p.ink(sDim, o.typed)
			p.gap(sPlain, 2)
		}
	}
	for i, o := range m.offers(m.account(), stem) {
		s := sDim
		if i == q.pick {
			s = sPick
		}
		p.text(s, safetext.Clean(strings.TrimSpace(o)), p.room)
		p.gap(sPlain, 2)
	}
}

// describe is a command in a line.
func (c *command) describe() ink {
	if c.arg == "" {
		return c.help
	}
	return c.arg + ": " + c.help
}

// lastCells cuts t at its beginning until it takes w cells at most.
func lastCells(t safetext.Text, w int, p *pen) safetext.Text {
	s := []rune(t.String())
	for len(s) > 0 && width(t.String(), p.method) > w {
		s = s[1:]
		t = safetext.Clean(string(s))
	}
	return t
}
