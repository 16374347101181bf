package ui

import (
	"tidings/imapsession"
)

// drawTabs draws one tab per account with its unread count. Where there is no
// room for all of them, those around the current one are drawn.
func (m *Model) drawTabs(p *pen) {
	first := m.firstTab(p)
	if first > 0 {
		p.ink(sFaint, ink(p.theme.ellipsis))
	}
	for i := first; i < len(m.accounts); i++ {
		name, dim, strong, bad := sDim, sDim, sUnread, sBad
		if i == m.current {
			name, dim, strong, bad = sBarBold, sBarDim, sBarBold, sBarBad
		}
		p.gap(dim, 1)
		for _, s := range m.tab(i) {
			switch {
			case s.style == sBold:
				p.text(name, s.said, p.room)
			case s.style == sUnread:
				p.ink(strong, s.own)
			case s.style == sBad:
				p.ink(bad, s.own)
			default:
				p.ink(dim, s.own)
			}
		}
		p.gap(dim, 1)
		p.gap(sPlain, 1)
	}
	p.end(sPlain)
}

// tab is what account i's tab says, in the styles of one that is not current.
func (m *Model) tab(i int) (out []span) {
	a := m.accounts[i]
	if i < 9 {
		out = append(out, own(sDim, ink('1'+rune(i))+" "))
	}
	out = append(out, said(sBold, a.cfg.Name))
	if a.counted && a.unseen > 0 {
		out = append(out, own(sDim, " "), own(sUnread, ink(thousands(int(a.unseen)))))
	}
	if s := a.state.State; a.started && (s == imapsession.Waiting || s == imapsession.Offline) {
		out = append(out, own(sDim, " "), own(sBad, m.theme.marks.gone))
	}
	return out
}

// firstTab is the first account to draw so that the current one's tab is whole.
func (m *Model) firstTab(p *pen) int {
	room := p.room
	for i := m.current; i >= 0; i-- {
		if room -= p.spansWidth(m.tab(i)) + 3; room < 1 && i < m.current {
			return i + 1
		}
	}
	return 0
}
