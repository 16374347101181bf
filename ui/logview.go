package ui

// drawLog draws line y of the account's log: what the session wrote down, the
// newest at the end.
func (m *Model) drawLog(p *pen, y int) {
	p.gap(sPlain, 1)
	lines := m.over.log
	switch i := m.over.top + y; {
	case i < len(lines):
		p.text(sPlain, lines[i], p.room)
	case len(lines) == 0 && y == 0:
		p.ink(sDim, "Nothing has been logged.")
	}
	p.end(sPlain)
}

// atEnd as a number of lines means: as far down as it goes.
const atEnd = int(^uint(0) >> 1)
