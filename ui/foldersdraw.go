package ui

import (
	"tidings/imapsession"
	"tidings/internal/safetext"
)

const (
	// besideFrom is from how many columns on the folders stand beside the list,
	// and besideWidth how wide they are then.
	besideFrom  = 100
	besideWidth = 38
)

// drawFolders draws line y of the pane of folders, h lines high.
func (m *Model) drawFolders(p *pen, a *account, y, h int) {
	root := a.root
	t := &root.tree
	if foldersHeading(h) > 0 {
		if y == 0 {
			m.drawFoldersHeading(p, root)
			return
		}
		y--
	}
	if len(t.rows) == 0 {
		p.gap(sPlain, 2)
		switch {
		case y > 0:
		case root.folders.known:
			p.ink(sDim, "no folders")
		case root.state.State == imapsession.Live:
			p.ink(sDim, "asking the server for its folders")
		default:
			p.ink(sDim, "not known yet: the account is not connected")
		}
		p.end(sPlain)
		return
	}
	if i := t.top + y; i < len(t.rows) {
		m.drawFolder(p, root, &t.rows[i], i == t.cursor())
		return
	}
	p.end(sPlain)
}

// foldersHeading is how many lines the heading takes.
func foldersHeading(h int) int {
	if h < 7 {
		return 0
	}
	return 1
}

// drawFoldersHeading says which folders these are, and how old the numbers.
func (m *Model) drawFoldersHeading(p *pen, root *account) {
	t := &root.tree
	p.gap(sPlain, 1)
	if t.few {
		p.ink(sBold, "Subscribed")
	} else {
		p.ink(sBold, "Folders")
	}
	p.gap(sPlain, 2)
	switch {
	case t.counting != 0 || root.folders.asked:
		p.ink(sDim, "counting")
	case t.counted.IsZero():
		p.ink(sDim, "not counted")
	default:
		p.ink(sDim, "counted "+age(m.now.Sub(t.counted)))
	}
	if t.refused {
		p.ink(sWarn, ", not all")
	}
	p.end(sPlain)
}

// drawFolder draws a row: the name, and how many unread messages there are; of a
// folder whose own are not shown, with theirs.
func (m *Model) drawFolder(p *pen, root *account, r *folderRow, selected bool) {
	marks := &p.theme.marks
	if selected {
		p.ink(sPlain, marks.cursor)
	} else {
		p.gap(sPlain, 1)
	}
	p.gap(sPlain, min(2*r.depth, p.room/3))
	switch {
	case r.folded:
		p.ink(sDim, marks.folded)
	case r.kids:
		p.ink(sDim, marks.unfolded)
	default:
		p.gap(sPlain, 1)
	}
	p.gap(sPlain, 1)

	style, role := sPlain, ""
	var own, all imapsession.FolderCount
	known, some, open := true, false, false
	add := func(at int, c *imapsession.FolderCount) {
		f := &root.folders.list[at]
		if f.NoSelect {
			return
		}
		some = true
		got, ok := root.holding(f.Raw)
		known = known && ok
		if ok {
			c.Unseen += got.Unseen
			c.Messages += got.Messages
		}
	}
	if r.at >= 0 {
		f := &root.folders.list[r.at]
		role = f.Role
		add(r.at, &own)
		if b := root.boxOf(f.Raw); b != nil {
			open = b == root.onScreen()
		}
		if f.NoSelect {
			style = sDim
		}
	} else {
		style = sDim
	}
	all = own
	for _, at := range r.below {
		add(at, &all)
	}
	unread, strong := ink(""), sDim
	if some {
		unread = ink(thousands(int(all.Unseen)))
		switch {
		case !known && all.Unseen > 0:
			unread += "+?" // so many, and those that nobody has counted
		case !known:
			unread = "?"
		}
		if all.Unseen > 0 {
			strong = sUnread
			style = sBold
		}
	}
	if open {
		style = sPick
	}
	total := ink("")
	if p.room >= 44 && some && known {
		total = ink(thousands(int(all.Messages)))
	}
	numbers := 8
	if p.room >= 44 {
		numbers += 10
	}
	room := p.room
	left := min(max(room-numbers, 4), room)
	p.begin(left)
	p.text(style, safetext.Clean(r.name), p.room)
	if role != "" && p.room > len(role)+2 {
		p.gap(sPlain, 2)
		p.text(sFaint, safetext.Clean(role), p.room)
	}
	p.end(sPlain)
	p.begin(room - left)
	p.gap(sPlain, max(min(8, p.room)-unread.width()-1, 0))
	p.ink(strong, unread)
	p.gap(sPlain, 1)
	if total != "" {
		p.gap(sPlain, max(p.room-total.width()-1, 0))
		p.ink(sDim, total)
	}
	p.end(sPlain)
}
