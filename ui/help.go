package ui

// shade is what lies over list and reader.
type shade struct {
	kind shadeKind
	top  int // first line shown
}

type shadeKind uint8

const (
	noShade shadeKind = iota
	helpShade
	logShade
)

// here is the pane that has the keys.
func (m *Model) here() where {
	switch {
	case m.prompt != nil:
		return inPrompt
	case m.over.kind != noShade:
		return inOverlay
	case m.reading:
		return inReader
	}
	return inList
}

// shadeLines returns what draws line y of the shade, or nil where there is
// none.
func (m *Model) shadeLines(b area) func(p *pen, y int) {
	switch m.over.kind {
	case helpShade:
		return m.helpLines(b)
	case logShade:
		return m.logLines(b)
	}
	return nil
}

// helpLine is a line of the help: a heading or a binding.
type helpLine struct {
	heading ink
	b       *binding
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
	return out
}()

// helpLines draws the help: one column, or two where there is room and need.
func (m *Model) helpLines(b area) func(p *pen, y int) {
	n := len(helpText)
	two := b.w >= 100 && n > b.h
	rows := n
	if two {
		rows = (n + 1) / 2
	}
	m.over.top = min(max(m.over.top, 0), max(rows-b.h, 0))
	return func(p *pen, y int) {
		i := y + m.over.top
		if !two {
			m.drawHelpLine(p, i, n)
			p.end(sPlain)
			return
		}
		half := p.room / 2
		rest := p.room - half
		p.begin(half)
		m.drawHelpLine(p, i, rows)
		p.end(sPlain)
		p.begin(rest)
		m.drawHelpLine(p, i+rows, n)
		p.end(sPlain)
	}
}

func (m *Model) drawHelpLine(p *pen, i, limit int) {
	if i >= limit {
		return
	}
	l := helpText[i]
	switch {
	case l.heading != "":
		p.gap(sPlain, 2)
		p.ink(sAccent, l.heading)
	case l.b != nil:
		p.gap(sPlain, 2)
		p.inkCol(sBold, l.b.show, 10)
		p.gap(sPlain, 1)
		p.ink(sPlain, l.b.help)
	}
}

// drawHints draws the footer: the keys that matter where we are. How to get
// help and how to leave are always among them.
func (m *Model) drawHints(p *pen) {
	p.gap(sPlain, 1)
	if m.prompt != nil {
		p.ink(sDim, "Enter choose  Esc leave it  "+m.theme.marks.up+" and down to pick")
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
