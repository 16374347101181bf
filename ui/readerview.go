package ui

import (
	"tidings/imapsession"
	"tidings/internal/message"
	"tidings/internal/safetext"
)

// drawReaderLine draws line y of the reader.
func (m *Model) drawReaderLine(p *pen, a *account, at area, y int) {
	r := a.reader
	if y == 0 {
		m.drawBanner(p, a, r)
		return
	}
	i := r.top + y - 1
	p.gap(sPlain, 1)
	switch {
	case r.msg == nil && !r.failed.IsEmpty():
		if y == 2 {
			p.ink(sBad, "The message could not be fetched:")
			break
		}
		why := message.Wrap([]message.Line{{Text: r.failed}}, max(p.room-1, 1), p.method.StringWidth)
		if y >= 3 && y-3 < len(why) {
			p.text(sPlain, why[y-3].Text, p.room)
		}
	case r.msg == nil:
		switch {
		case y != 2 || m.now.Sub(r.opened) < slow:
		case a.state.State == imapsession.Live || r.asking:
			p.ink(sDim, "fetching")
		default:
			p.ink(sDim, "Not kept here; it is fetched when the server can be reached.")
		}
	case i < len(r.lines):
		l := &r.lines[i]
		if l.mark != "" {
			s := l.style
			if l.style == sPlain || l.style == sBold {
				s = sDim
			}
			p.ink(s, l.mark)
		}
		if l.own != "" {
			p.ink(l.style, l.own)
		} else {
			p.text(l.style, l.text, p.room)
		}
	}
	p.end(sPlain)
}

// drawBanner draws the reader's first line: whose message, and how much of it.
func (m *Model) drawBanner(p *pen, a *account, r *reader) {
	s := sBar
	focus := ink(" ")
	if m.reading {
		focus = p.theme.marks.cursor
	}
	p.ink(sBarAccent, focus)
	var right []span
	switch {
	case r.gone:
		right = append(right, own(sBarBad, "expunged on the server, this is a copy "))
	case !r.failed.IsEmpty() && r.msg != nil:
		right = append(right, own(sBarBad, "incomplete: "), said(sBarBad, r.failed), own(sBarBad, " "))
	case !r.complete && r.failed.IsEmpty() && len(r.data) > 0:
		right = append(right, own(sBarWarn, ink(octets(int64(len(r.data))))+" of "+ink(octets(r.size))+" "))
	case r.truncated:
		right = append(right, own(sBarWarn, "the first "+ink(octets(int64(len(r.data))))+" of "+ink(octets(r.size))+" "))
	case len(r.lines) > r.h-1 && r.h > 1:
		right = append(right, own(sBarDim, ink(thousands(min(100, (r.top+r.h-1)*100/max(len(r.lines), 1))))+"% "))
	}
	rw := min(p.spansWidth(right), p.room*2/3)
	room := p.room
	p.begin(max(room-rw-1, 0))
	if !r.title.IsEmpty() {
		p.text(sBarBold, r.title, p.room)
	} else if r.summary != nil {
		if p.room >= 24 {
			p.text(sBarBold, sender(r.summary), p.room/3)
			p.gap(s, 2)
		}
		p.text(s, a.subjectOf(r), p.room)
	}
	p.end(s)
	p.begin(min(rw+1, room))
	p.gap(s, 1)
	p.draw(right)
	p.end(s)
}

func (a *account) subjectOf(r *reader) safetext.Text {
	if r.summary == nil {
		return safetext.Text{}
	}
	return r.summary.Subject
}
