package ui

import (
	"tidings/imapsession"
	"tidings/internal/message"
	"tidings/internal/safetext"
)

// drawEmpty draws line y of a list of h lines without a message: why there is
// nothing to see, and where the link is at fault, the whole reason, of which the
// status bar has room for the beginning only.
func (m *Model) drawEmpty(p *pen, a *account, y, h int) {
	head, why := emptiness(a)
	first := h / 3
	if h < 8 {
		first = 0
	}
	switch {
	case head == "" || y < first:
	case y == first && why.IsEmpty():
		p.gap(sPlain, max((p.room-head.width())/2, 1))
		p.ink(sDim, head)
	case y == first:
		p.gap(sPlain, 2)
		p.ink(sBold, head)
	case !why.IsEmpty():
		lines := message.Wrap([]message.Line{{Text: why}}, max(min(p.room-3, measure), 1), p.method.StringWidth)
		if i := y - first - 1; i < len(lines) {
			p.gap(sPlain, 2)
			p.text(sPlain, lines[i].Text, p.room)
		}
	}
	p.end(sPlain)
}

// emptiness says why an account shows no message; head is empty while that is
// about to change.
func emptiness(a *account) (head ink, why safetext.Text) {
	if a.view.proj != nil && a.loaded {
		if now := a.finding.underWay(); now != "" && a.view.proj.spec.show == showFound {
			return "Nothing found yet, " + now, why
		}
		return a.view.proj.emptiness(a.view.list)
	}
	switch {
	case a.state.State == imapsession.Live && a.loaded && a.asOf.IsZero():
		return "Nothing here. New mail will appear by itself.", why
	case a.loaded:
		return "There was nothing here when the server was last heard.", a.trouble
	case a.state.Fatal:
		return "Not connected", a.state.Reason
	case !a.trouble.IsEmpty():
		return "Not connected yet", a.trouble
	}
	return "", why
}
