package ui

// area is a part of the screen.
type area struct{ x, y, w, h int }

// layout says what is where. What has no room has no height.
type layout struct {
	tabs     bool
	body     area // between tabs and status
	list     area
	reader   area
	folders  area // its w is body's where there is no room for the list beside it
	split    split
	activity bool
	status   bool
	hints    bool
}

type split uint8

const (
	alone      split = iota // one pane
	sideBySide              // list left, reader right
	stacked                 // list above, reader below
)

const (
	wideEnough = 140 // columns from which list and reader stand side by side
	tallEnough = 46  // rows from which they are stacked
)

// layout divides the screen.
func (m *Model) layout() layout {
	l := layout{
		tabs:     len(m.accounts) > 1 && m.h >= 6,
		status:   m.h >= 3,
		activity: m.h >= 5 || m.prompt != nil || m.command != nil || m.menu != nil || m.search != nil, // what is typed must be seen
		hints:    m.h >= 16,
	}
	h := m.h
	y := 0
	for _, on := range []bool{l.status, l.activity, l.hints} {
		if on {
			h--
		}
	}
	if l.tabs {
		h--
		y = 1
	}
	l.body = area{0, y, max(m.w, 0), max(h, 0)}
	a := m.account()
	switch {
	case a != nil && m.pane:
		l.folders = l.body
		if m.w >= besideFrom {
			l.folders.w = besideWidth
			l.list = area{besideWidth + 1, y, m.w - besideWidth - 1, l.body.h}
		}
	case a == nil || a.reader == nil:
		l.list = l.body
	case m.w >= wideEnough:
		l.split = sideBySide
		lw := m.w * 45 / 100
		l.list = area{0, y, lw, l.body.h}
		l.reader = area{lw + 1, y, m.w - lw - 1, l.body.h}
	case m.h >= tallEnough && m.w >= 60:
		l.split = stacked
		lh := l.body.h / 3
		l.list = area{0, y, m.w, lh}
		l.reader = area{0, y + lh + 1, m.w, l.body.h - lh - 1}
	default:
		l.reader = l.body
	}
	return l
}

// frame draws the whole screen, m.h lines of m.w cells.
func (m *Model) frame() string {
	p := &m.pen
	p.reset()
	if m.w <= 0 || m.h <= 0 {
		return ""
	}
	l := m.layout()
	a := m.account()
	lines := 0
	next := func() {
		if lines > 0 {
			p.newline()
		}
		lines++
		p.begin(m.w)
	}
	if l.tabs {
		next()
		m.drawTabs(p)
	}
	candidates, choices := m.promptLines(l.body.h), m.menuLines(l.body.h)
	for y := range l.body.h {
		next()
		switch {
		case y >= l.body.h-candidates:
			m.prompt.drawCandidate(p, y-(l.body.h-candidates), candidates)
		case y >= l.body.h-choices:
			m.menu.drawChoice(p, y-(l.body.h-choices), choices)
		case m.over.kind != noShade:
			m.drawShade(p, l.body, y)
		case a == nil:
			p.end(sPlain)
		default:
			m.drawBody(p, &l, a, y)
		}
	}
	if l.activity {
		next()
		m.drawNews(p, &l)
	}
	if l.status {
		next()
		if m.search.complains() {
			m.drawComplaint(p)
		} else {
			m.drawStatus(p)
		}
	}
	if l.hints {
		next()
		m.drawHints(p)
	}
	p.set(sPlain)
	return string(p.buf)
}

// drawBody draws line y of list and reader.
func (m *Model) drawBody(p *pen, l *layout, a *account, y int) {
	if l.folders.w > 0 {
		p.begin(l.folders.w)
		m.drawFolders(p, a, y, l.folders.h)
		if l.list.w == 0 {
			return
		}
		p.begin(l.list.w + 1)
		p.ink(sFaint, m.theme.marks.bar)
		m.drawListLine(p, l, a, y)
		return
	}
	switch l.split {
	case sideBySide:
		p.begin(l.list.w)
		m.drawListLine(p, l, a, y)
		p.begin(m.w - l.list.w)
		p.ink(sFaint, m.theme.marks.bar)
		m.drawReaderLine(p, a, l.reader, y)
	case stacked:
		switch {
		case y < l.list.h:
			m.drawListLine(p, l, a, y)
		case y == l.list.h:
			for p.room > 0 {
				p.ink(sFaint, m.theme.marks.rule)
			}
		default:
			m.drawReaderLine(p, a, l.reader, y-l.list.h-1)
		}
	default:
		if a.reader != nil {
			m.drawReaderLine(p, a, l.reader, y)
		} else {
			m.drawListLine(p, l, a, y)
		}
	}
}

// drawListLine draws line y of the list.
func (m *Model) drawListLine(p *pen, l *layout, a *account, y int) {
	v := &a.view
	n := v.rows()
	if n == 0 {
		m.drawEmpty(p, a, y, l.list.h)
		return
	}
	r := v.top + y
	if r >= n {
		p.end(sPlain)
		return
	}
	i, tomb := v.at(r)
	x := row{}
	if tomb {
		x = a.grave()
	} else {
		x = a.known(i)
	}
	sel := notSelected
	if r == v.cursor() {
		sel = selected
		if m.reading || m.pane {
			sel = selectedElsewhere
		}
	}
	// The mark of what waits above the screen stands in the corner of the top
	// row, over the row's own end.
	if y == 0 && v.fresh > 0 && p.room > 24 {
		label := m.theme.marks.up + " " + ink(thousands(v.fresh)) + " new "
		w := label.width()
		room := p.room
		p.begin(room - w - 1)
		drawRow(p, layoutColumns(room), x, sel, a.waiting, m.now)
		p.begin(w + 1)
		p.gap(sPlain, 1)
		p.ink(sAccent, label)
		return
	}
	drawRow(p, layoutColumns(p.room), x, sel, a.waiting, m.now)
}
