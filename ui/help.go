package ui

import "tidings/internal/safetext"

// shade is what lies over list and reader.
type shade struct {
	kind   shadeKind
	top    int             // first line shown
	log    []safetext.Text // of the log shade: rows, as of the last Update
	logOf  logKey
	follow bool // stay at the end while the log grows
	outbox outboxPane
}

type shadeKind uint8

const (
	noShade shadeKind = iota
	helpShade
	logShade
	outboxShade
)

// settleShade brings the shade up to date for a body of w x h.
func (m *Model) settleShade(w, h int) {
	s := &m.over
	rows := 0
	switch s.kind {
	case helpShade:
		rows = helpRows(w, h)
	case logShade:
		s.readLog(m.account(), w, m.pen.method)
		rows = len(s.log)
	case outboxShade:
		n, lo, hi := m.settleOutbox(w)
		s.reveal(lo, hi, h)
		rows = n
	}
	last := max(rows-h, 0)
	if s.follow || s.top > last {
		s.top = last
	}
	s.top = max(s.top, 0)
}

// scroll moves the shade by n lines. At its end the log follows what is new.
func (s *shade) scroll(n, h int) {
	s.top = addClamped(s.top, n)
	s.follow = s.kind == logShade && s.top >= len(s.log)-h
}

// drawShade draws line y of the shade.
func (m *Model) drawShade(p *pen, b area, y int) {
	switch m.over.kind {
	case helpShade:
		m.drawHelp(p, b, y)
	case logShade:
		m.drawLog(p, y)
	case outboxShade:
		m.drawOutbox(p, y)
	}
}

// here is the pane that has the keys.
func (m *Model) here() where {
	switch {
	case m.prompt != nil, m.command != nil, m.menu != nil, m.search != nil:
		return inPrompt
	case m.over.kind == outboxShade:
		return inOverlay | inOutbox
	case m.over.kind != noShade:
		return inOverlay
	case m.pane:
		return inFolders
	case m.reading:
		return inReader
	}
	return inList
}

// helpLine is a line of the help: a heading, a binding, or a mark of the list.
type helpLine struct {
	heading ink
	b       *binding
	mark    func(*marks) ink
	style   style
	means   ink
}

var helpText = func() []helpLine {
	var out []helpLine
	group := ink("")
	for i := range keymap {
		b := &keymap[i]
		if b.help == "" {
			continue
		}
		if b.group != group {
			if group != "" {
				out = append(out, helpLine{})
			}
			group = b.group
			out = append(out, helpLine{heading: group})
		}
		out = append(out, helpLine{b: b})
	}
	return append(out,
		helpLine{}, helpLine{heading: "Marks in the list"},
		helpLine{mark: func(m *marks) ink { return m.unread }, style: sUnread, means: "unread"},
		helpLine{mark: func(m *marks) ink { return m.flagged }, style: sFlagged, means: "flagged"},
		helpLine{mark: func(m *marks) ink { return m.answered }, style: sAnswered, means: "answered"},
		helpLine{mark: func(m *marks) ink { return m.attached }, style: sAnswered, means: "probably with attachments"},
		helpLine{mark: func(m *marks) ink { return m.marked }, style: sAccent, means: "marked, to be acted on with the others"},
		helpLine{mark: func(m *marks) ink { return m.pending }, style: sDim, means: "asked for, not yet confirmed by the server"},
		helpLine{mark: func(m *marks) ink { return m.leaving }, style: sDim, means: "on its way to another folder"},
		helpLine{mark: func(m *marks) ink { return m.gone }, style: sFaint, means: "expunged; stays until the cursor moves"},
		helpLine{mark: func(*marks) ink { return "D" }, style: sDim, means: "marked deleted on the server"},
		helpLine{mark: func(m *marks) ink { return m.waiting + m.waiting + m.waiting }, style: sFaint, means: "not loaded yet"},
	)
}()

// helpFold is where the help is folded into two columns: at the end of the
// group in its middle.
var helpFold = foldHelp()

func foldHelp() int {
	i := len(helpText) / 2
	for i < len(helpText) && !helpText[i].blank() {
		i++
	}
	return i
}

func (l *helpLine) blank() bool { return l.heading == "" && l.b == nil && l.mark == nil }

// helpRows is how many rows the help takes on a body of w x h: in one column,
// or in two where there is room and need.
func helpRows(w, h int) int {
	if n := len(helpText); w >= 100 && n > h {
		return max(helpFold, n-helpFold-1)
	}
	return len(helpText)
}

// drawHelp draws row y of the help.
func (m *Model) drawHelp(p *pen, b area, y int) {
	i, n := y+m.over.top, len(helpText)
	if helpRows(b.w, b.h) == n {
		m.drawHelpLine(p, i, n)
		p.end(sPlain)
		return
	}
	left, right := b.w/2, b.w-b.w/2
	p.begin(left)
	m.drawHelpLine(p, i, helpFold)
	p.end(sPlain)
	p.begin(right)
	m.drawHelpLine(p, helpFold+1+i, n)
	p.end(sPlain)
}

func (m *Model) drawHelpLine(p *pen, i, limit int) {
	if i >= limit {
		return
	}
	p.gap(sPlain, 2)
	switch l := &helpText[i]; {
	case l.heading != "":
		p.ink(sAccent, l.heading)
	case l.b != nil:
		p.inkCol(sBold, l.b.show, 10)
		p.gap(sPlain, 1)
		p.ink(sPlain, l.b.help)
	case l.mark != nil:
		p.inkCol(l.style, l.mark(&m.theme.marks), 10)
		p.gap(sPlain, 1)
		p.ink(sPlain, l.means)
	}
}

// drawHints draws the footer: the keys that matter where we are. How to get
// help and how to leave are always among them.
func (m *Model) drawHints(p *pen) {
	p.gap(sPlain, 1)
	if m.command != nil {
		p.ink(sDim, "Enter do it  Esc cancel  Tab complete  Up Down earlier ones")
		p.end(sPlain)
		return
	}
	if m.search != nil {
		p.ink(sDim, "Enter asks the server, too  Esc cancel  Up Down move  ctrl+p earlier ones")
		p.end(sPlain)
		return
	}
	if m.prompt != nil || m.menu != nil {
		p.ink(sDim, "Enter choose  Esc cancel  Up Down pick")
		p.end(sPlain)
		return
	}
	in := m.here()
	last := 0
	for i := range keymap {
		if b := &keymap[i]; b.hint != "" && b.act.closing() {
			last += b.hintWidth()
		}
	}
	for _, closing := range []bool{false, true} {
		for i := range keymap {
			b := &keymap[i]
			if b.hint == "" || b.in&in == 0 || b.act.closing() != closing {
				continue
			}
			need := b.hintWidth()
			if !closing {
				need += last
			}
			if p.room < need {
				if closing {
					continue
				}
				break
			}
			p.ink(sBold, firstWord(b.show))
			p.gap(sPlain, 1)
			p.ink(sDim, b.hint)
			p.gap(sPlain, 2)
		}
	}
	p.end(sPlain)
}

// closing: the hints that come last and are never left out.
func (a action) closing() bool { return a == actHelp || a == actQuit }

func (b *binding) hintWidth() int { return len(firstWord(b.show)) + 1 + len(b.hint) + 2 }

func firstWord(s ink) ink {
	for i := range s {
		if s[i] == ' ' {
			return s[:i]
		}
	}
	return s
}
