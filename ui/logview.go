package ui

import "tidings/internal/safetext"

// logLines draws the account's log: what happened here, then what the session
// wrote down, the newest at the end. It opens at its end.
func (m *Model) logLines(b area) func(p *pen, y int) {
	a := m.account()
	var lines []safetext.Text
	if a != nil && a.cfg.Log != nil {
		lines = a.cfg.Log()
	}
	if m.over.top == atEnd || m.over.top > max(len(lines)-b.h, 0) {
		m.over.top = max(len(lines)-b.h, 0)
	}
	top := max(m.over.top, 0)
	return func(p *pen, y int) {
		p.gap(sPlain, 1)
		switch i := top + y; {
		case i < len(lines):
			p.text(sPlain, lines[i], p.room)
		case len(lines) == 0 && y == 0:
			p.ink(sDim, "Nothing has been logged.")
		}
		p.end(sPlain)
	}
}

// atEnd as a first line means: as far down as it goes.
const atEnd = int(^uint(0) >> 1)
