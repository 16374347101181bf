package ui

import (
	tea "charm.land/bubbletea/v2"

	"tidings/internal/safetext"
	"tidings/store"
)

// menu is a choice by one key: what is shown, or by what it is sorted. The list
// of choices lies over the lowest rows of the screen.
type menu struct {
	label ink
	what  safetext.Text // behind it: the message that it is about
	host  safetext.Text // or a host
	items []choice
	pick  int // the choice that Enter takes
	a     *account
	// verbs are what can be done with a choice, by keys; the first is Enter's. The
	// choices have numbers instead of keys then.
	verbs []verb
	typed int // the number that is being typed
}

// verb is something that is done with a menu's choice i.
type verb struct {
	key, word ink
	do        func(m *Model, i int)
}

// choice is a line of a menu.
type choice struct {
	key  ink
	word ink
	text safetext.Text // where there is no word
	now  bool          // it is what is shown already
	view viewSpec
	do   func(*Model)  // instead of showing view
	host safetext.Text // drawn first, and by its end where it is too long
	row  []span        // what is drawn, instead of word and text
	more safetext.Text // what there is no room for in a row; shown of the one picked
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
		q.add(choice{key: c.key, word: c.word, now: at.show == c.show, view: viewSpec{show: c.show, sort: at.sort, threads: at.threads}})
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
		q.add(choice{key: c.key, word: c.word, now: !at.threads && at.sort == c.sort, view: view})
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
		if q.verbs != nil {
			m.menuVerb(string(q.verbs[0].key))
			return
		}
		m.choose(q.items[q.pick])
	case "down", "j", "tab", "ctrl+n":
		q.pick = min(q.pick+1, len(q.items)-1)
	case "up", "k", "shift+tab", "ctrl+p":
		q.pick = max(q.pick-1, 0)
	default:
		if q.verbs != nil {
			m.menuVerb(name)
			return
		}
		for _, c := range q.items {
			if name == string(c.key) {
				m.choose(c)
				return
			}
		}
	}
}

// menuVerb does something with the choice, or goes to the one whose number is
// typed.
func (m *Model) menuVerb(name string) {
	q := m.menu
	for _, v := range q.verbs {
		if name == string(v.key) {
			m.menu = nil
			v.do(m, q.pick)
			return
		}
	}
	if len(name) != 1 || name[0] < '0' || name[0] > '9' {
		return
	}
	d := int(name[0] - '0')
	if n := q.typed*10 + d; n >= 1 && n <= len(q.items) {
		q.typed, q.pick = n, n-1
	} else if d >= 1 && d <= len(q.items) {
		q.typed, q.pick = d, d-1 // another number begins
	}
}

func (m *Model) choose(c choice) {
	a := m.menu.a
	m.menu = nil
	if c.do != nil {
		c.do(m)
		return
	}
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
	if q.verbs != nil {
		n := ink(thousands(first + y))
		p.gap(sPlain, len(thousands(len(q.items)))-len(n))
		p.ink(sBold, n)
	} else {
		p.ink(sBold, c.key)
	}
	p.gap(sPlain, 2)
	c.draw(p, s)
	if c.now {
		p.gap(sPlain, 2)
		p.ink(sDim, "(now)")
	}
	p.end(sPlain)
}

// drawHost draws the name of a host in at most w cells. What is at its end says
// whose it is.
func drawHost(p *pen, s style, host safetext.Text, w int) {
	if width(host.String(), p.method) > w {
		p.ink(s, ink(p.theme.ellipsis))
		host = lastCells(host, max(w-1, 0), p)
	}
	p.text(s, host, p.room)
}

func (c *choice) draw(p *pen, s style) {
	switch {
	case c.row != nil:
		drawHost(p, sBold, c.host, p.room*2/3)
		p.draw(c.row)
		return
	case c.word == "":
		p.text(s, c.text, p.room)
		return
	}
	p.ink(s, c.word)
}

// draw draws the line of the prompt; where the choices have no lines of their
// own, the one that Enter takes stands in it.
func (q *menu) draw(p *pen, listed bool) {
	p.gap(sPlain, 1)
	if listed && q.verbs != nil && p.room < q.label.width()+3+q.verbWidth() {
		q.drawVerbs(p) // the keys are worth more than what is listed is called
		p.end(sPlain)
		return
	}
	p.ink(sBold, q.label)
	p.gap(sPlain, 1)
	if !q.what.IsEmpty() {
		p.text(sDim, q.what, max(p.room-2, 0))
		p.gap(sPlain, 1)
	}
	if !q.host.IsEmpty() {
		drawHost(p, sWarn, q.host, max(p.room-3, 1))
		p.gap(sPlain, 1)
	}
	p.ink(sDim, p.theme.marks.prompt+" ")
	at := &q.items[q.pick]
	if !listed {
		at.draw(p, sPick)
		p.end(sPlain)
		return
	}
	q.drawVerbs(p)
	p.text(sDim, at.more, p.room)
	p.end(sPlain)
}

// drawVerbs draws what can be done with the choice.
func (q *menu) drawVerbs(p *pen) {
	for i, v := range q.verbs {
		p.ink(sBold, v.key)
		p.ink(sDim, " "+v.said(i)+"  ")
	}
}

// said is the word of the verb at index i, of which the first is Enter's.
func (v *verb) said(i int) ink {
	if i == 0 {
		return v.word + " (Enter)"
	}
	return v.word
}

// verbWidth is how many cells the verbs take.
func (q *menu) verbWidth() (w int) {
	for i, v := range q.verbs {
		w += v.key.width() + v.said(i).width() + 3
	}
	return w - 2
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
