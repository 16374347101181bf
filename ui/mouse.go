package ui

import tea "charm.land/bubbletea/v2"

// click selects the row under the mouse; a second click on it opens it.
func (m *Model) click(e tea.Mouse) {
	m.wake()
	a := m.account()
	if a == nil || m.here() == inPrompt || m.over.kind != noShade || e.Button != tea.MouseLeft {
		return
	}
	l := m.layout()
	switch {
	case inside(l.list, e):
		m.reading = false
		r := a.view.top + e.Y - l.list.y
		if r >= a.view.rows() {
			return
		}
		if r == a.view.cursor() {
			m.open(a)
			return
		}
		a.view.selectRow(r)
	case a.reader != nil && inside(l.reader, e):
		m.reading = true
	}
}

// wheel scrolls what is under the mouse.
func (m *Model) wheel(e tea.Mouse) {
	a := m.account()
	if a == nil {
		return
	}
	n := 3
	if e.Button == tea.MouseWheelUp {
		n = -3
	} else if e.Button != tea.MouseWheelDown {
		return
	}
	l := m.layout()
	switch {
	case m.over.kind != noShade:
		m.over.scroll(n, l.body.h)
	case a.reader != nil && inside(l.reader, e):
		a.reader.scroll(n)
	case inside(l.list, e):
		a.view.scroll(n)
	}
}

func inside(a area, e tea.Mouse) bool {
	return e.X >= a.x && e.X < a.x+a.w && e.Y >= a.y && e.Y < a.y+a.h
}
