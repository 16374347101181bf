package ui

import (
	tea "charm.land/bubbletea/v2"

	"tidings/store"
)

// menu is a choice by one key: what is shown, or by what it is sorted. The list
// of choices lies over the lowest rows of the screen.
type menu struct {
	label ink
	items []choice
	pick  int // the choice that Enter takes
	a     *account
}

// choice is a line of a menu.
type choice struct {
	key  ink
	word ink
	now  bool // it is what is shown already
	view viewSpec
}

// filterMenu offers what may be shown, in the order that there is.
func filterMenu(a *account) *menu {
	at := a.viewed()
	q := &menu{label: "Show", a: a}
	for _, c := range [...]struct {
		key, word ink
		show      showing
	}{
		{"a", "all messages", showAll},
		{"u", "unread", showUnread},
		{"f", "flagged", showFlagged},
		{"t", "arrived today", showToday},
	} {
		q.add(choice{c.key, c.word, at.show == c.show, viewSpec{show: c.show, sort: at.sort, threads: at.threads}})
	}
	return q
}

// sortMenu offers orders of what is shown.
func sortMenu(a *account) *menu {
	at := a.viewed()
	q := &menu{label: "Sort by", a: a}
	for _, c := range [...]struct {
		key, word ink
		sort      store.SortKey
	}{
		{"a", "arrival, newest first", store.ByArrival},
		{"d", "date written, newest first", store.ByDate},
		{"f", "from whom, A to Z", store.BySender},
		{"s", "subject, A to Z", store.BySubject},
		{"z", "size, largest first", store.BySize},
	} {
		view := at
		view.sort, view.threads = c.sort, false
		q.add(choice{c.key, c.word, !at.threads && at.sort == c.sort, view})
	}
	return q
}

func (q *menu) add(c choice) {
	if c.now {
		q.pick = len(q.items)
	}
	q.items = append(q.items, c)
}

// menuKey takes a choice, moves among them, or leaves the menu.
func (m *Model) menuKey(k tea.KeyPressMsg) {
	q := m.menu
	switch name := k.String(); name {
	case "esc":
		m.menu = nil
	case "enter":
		m.choose(q.items[q.pick])
	case "down", "j", "tab", "ctrl+n":
		q.pick = min(q.pick+1, len(q.items)-1)
	case "up", "k", "shift+tab", "ctrl+p":
		q.pick = max(q.pick-1, 0)
	default:
		for _, c := range q.items {
			if name == string(c.key) {
				m.choose(c)
				return
			}
		}
	}
}

func (m *Model) choose(c choice) {
	a := m.menu.a
	m.menu = nil
	m.setView(a, c.view)
}

// menuLines is how many lines of a body of h the menu takes, with the rule above
// its choices.
func (m *Model) menuLines(h int) int {
	if m.menu == nil || h < 3 {
		return 0
	}
	return min(len(m.menu.items)+1, h)
}

// drawChoice draws line y of n of the menu.
func (q *menu) drawChoice(p *pen, y, n int) {
	if y == 0 {
		for p.room > 0 {
			p.ink(sFaint, p.theme.marks.rule)
		}
		return
	}
	n--
	first := max(min(q.pick-n/2, len(q.items)-n), 0)
	c := &q.items[first+y-1]
	mark, s := ink("  "), sPlain
	if first+y-1 == q.pick {
		mark, s = p.theme.marks.cursor+" ", sPick
	}
	p.ink(sAccent, mark)
	p.ink(sBold, c.key)
	p.gap(sPlain, 2)
	p.ink(s, c.word)
	if c.now {
		p.gap(sPlain, 2)
		p.ink(sDim, "(now)")
	}
	p.end(sPlain)
}

// draw draws the line of the prompt; where the choices have no lines of their
// own, the one that Enter takes stands in it.
func (q *menu) draw(p *pen, listed bool) {
	p.gap(sPlain, 1)
	p.ink(sBold, q.label)
	p.gap(sPlain, 1)
	p.ink(sDim, p.theme.marks.prompt+" ")
	if !listed {
		p.ink(sPick, q.items[q.pick].word)
	}
	p.end(sPlain)
}

// maxOpen is how long a conversation may be to be unfolded.
const maxOpen = 2000

// toggleThreads shows conversations, or single messages.
func (m *Model) toggleThreads(a *account) {
	s := a.viewed()
	s.threads, s.sort = !s.threads, store.ByArrival
	m.setView(a, s)
}

// toggleFold folds or unfolds the conversation of the selected message.
func (m *Model) toggleFold(a *account) {
	v := &a.view
	p := v.proj
	switch {
	case p == nil || !p.spec.threads:
		m.say(a, own(sBold, "t"), own(sDim, " shows conversations, which "), own(sBold, "z"), own(sDim, " unfolds"))
		return
	case p.stale || v.tomb || v.uid == 0 || !p.threads.Has(v.uid):
		return
	}
	n, _ := p.threads.Size(v.uid)
	switch open := p.threads.Open(v.uid); {
	case n < 2 && !open:
		m.say(a, own(sDim, "nobody has answered this message"))
	case n > maxOpen && !open:
		m.say(a, own(sWarn, "a conversation of "+ink(thousands(n))+" messages is too long to be unfolded"))
	default:
		p.fold(v, v.uid, !open)
	}
}

// leaveView goes back from a search to the view before it, and from any other to
// the list itself. It reports whether there was anything to leave.
func (m *Model) leaveView(a *account) bool {
	v := &a.view
	switch {
	case v.next != nil && !v.next.again:
		v.next.cancel()
		v.next = nil
	case v.proj == nil:
		return false
	case v.proj.spec.show == showFound:
		m.setView(a, a.views.before)
	default:
		m.setView(a, viewSpec{})
	}
	return true
}
