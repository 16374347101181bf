package ui

import (
	"github.com/charmbracelet/x/ansi"

	"tidings/internal/message"
	"tidings/internal/safetext"
)

// logKey tells whether a log has to be laid out again.
type logKey struct {
	account *account
	lines   int
	last    safetext.Text
	w       int
}

// readLog lays out the account's log in rows of w cells, where it has changed.
func (s *shade) readLog(a *account, w int, m ansi.Method) {
	var lines []safetext.Text
	if a != nil && a.cfg.Log != nil {
		lines = a.cfg.Log()
	}
	key := logKey{account: a, lines: len(lines), w: w}
	if len(lines) > 0 {
		key.last = lines[len(lines)-1]
	}
	if key == s.logOf {
		return
	}
	s.logOf, s.log = key, s.log[:0]
	for _, t := range lines {
		for i, row := range message.Wrap([]message.Line{{Text: t}}, max(w-4, 1), m.StringWidth) {
			if i > 0 {
				row.Text = safetext.Format("  %s", row.Text)
			}
			s.log = append(s.log, row.Text)
		}
	}
}

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
