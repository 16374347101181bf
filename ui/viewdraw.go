package ui

import (
	"tidings/internal/safetext"
	"tidings/store"
)

// viewed says for the status bar what the view shows, how, and how much of it
// there is; nil where it is the list itself.
func (m *Model) viewed(a *account) []span {
	v := &a.view
	var out []span
	if v.proj != nil {
		s := &v.proj.spec
		what, query, how := s.title()
		gap := ink("  ")
		if what != "" {
			out = append(out, own(sBarAccent, gap+what))
			gap = " "
		}
		if !query.IsEmpty() {
			out = append(out, own(sBar, gap), said(sBarBold, query))
		}
		if how != "" {
			out = append(out, own(sBarAccent, gap+how))
		}
		n := v.proj.order.Len()
		if v.proj.threads != nil {
			n = v.proj.threads.Len()
		}
		out = append(out, own(sBar, "  "), own(sBarBold, ink(thousands(n))))
		if m.w >= 60 {
			out = append(out, own(sBarDim, " of "))
		} else {
			out = append(out, own(sBarDim, "/"))
		}
		out = append(out, own(sBarDim, ink(thousands(v.list.Len()))))
		if n := v.proj.waiting(); n > 0 && !v.proj.stale {
			word := ink(" not yet known")
			if m.w < 80 {
				word = "?"
			}
			out = append(out, own(sBarWarn, ", "+ink(thousands(n))+word))
		}
	}
	if b := v.next; b != nil && m.now.Sub(b.began) >= slow {
		if out == nil {
			out = m.unreadOf(a)
		}
		out = append(out, own(sBarDim, " "+m.theme.marks.bullet+" looking through "+ink(thousands(v.list.Len()))))
	}
	return out
}

// emptiness says why a view shows nothing, and how to leave it.
func (p *projection) emptiness(list *store.List) (head ink, why safetext.Text) {
	head = [...]ink{
		showAll: "No message has its place here yet", showUnread: "No unread message", showFlagged: "No flagged message",
		showToday: "Nothing arrived today", showFound: "Nothing was found",
	}[p.spec.show]
	why = safetext.Format("Esc shows all %s messages again.", safetext.Clean(thousands(list.Len())))
	if list.Len() == 0 {
		why = safetext.Const("The mailbox is empty. Esc leaves this view.")
	}
	if n := p.waiting(); n > 0 {
		if n == 1 {
			why = safetext.Format("One message is not known well enough yet to tell. %s", why)
		} else {
			why = safetext.Format("%s messages are not known well enough yet to tell. %s", safetext.Clean(thousands(n)), why)
		}
	}
	return head, why
}

// unreadInside: it is the row of a folded conversation with something unread.
func (f family) unreadInside() bool { return f.n > 0 && !f.open && f.unread > 0 }

// maxIndent is how many levels of a tree are indented.
const maxIndent = 8

// drawFamily draws, before the subject, where a message stands in its
// conversation: of a folded one how many there are, and how many unread.
func drawFamily(p *pen, f family) {
	m := &p.theme.marks
	if !f.open {
		p.ink(sAccent, m.folded)
		p.ink(sDim, ink(thousands(f.n))+" ")
		if f.unread > 0 {
			p.ink(sUnread, m.unread+ink(thousands(f.unread))+" ")
		}
		return
	}
	b := f.branch
	if b.Depth == 0 {
		p.ink(sAccent, m.unfolded)
		p.ink(sDim, ink(thousands(f.n))+" ")
		return
	}
	for d := max(1, b.Depth-maxIndent+1); d < b.Depth; d++ {
		if b.More&(1<<d) != 0 {
			p.ink(sFaint, m.trunk)
		} else {
			p.gap(sPlain, 1)
		}
		p.gap(sPlain, 1)
	}
	mark := m.last
	if b.More&(1<<b.Depth) != 0 {
		mark = m.fork
	}
	p.ink(sFaint, mark)
	if b.Orphan {
		p.ink(sFaint, m.orphan)
	} else {
		p.ink(sFaint, m.rule)
	}
	p.gap(sPlain, 1)
}
