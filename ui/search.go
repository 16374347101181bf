package ui

import (
	"errors"
	"strings"
	"unicode"

	tea "charm.land/bubbletea/v2"

	"tidings/imapsession"
	"tidings/internal/safetext"
	"tidings/store"
	"tidings/store/query"
)

// searchLine is the line behind "/" while it is typed. What it finds is on screen
// as it is typed (finding.go).
type searchLine struct {
	a       *account
	typed   string
	err     *query.Error // nil: all is well
	loud    bool         // Enter was pressed on it: also what is only incomplete is said aloud
	history int          // lines back from the newest; 0: the one being typed
	own     string       // that one
	moved   bool         // the person chose among what was found; else the newest is selected
	uid     store.UID    // what was selected before,
	top     int          // and where the list stood
}

// openSearch begins a search, or takes the one that is shown up again.
func (m *Model) openSearch(a *account) {
	if !a.loaded {
		m.say(a, own(sDim, "there is nothing to search yet"))
		return
	}
	if a.reader != nil && m.layout().split == alone {
		m.closeReader(a) // it covers the list of what is found
	}
	m.reading = false
	q := &searchLine{a: a, uid: a.view.uid, top: a.view.top}
	if a.viewed().show == showFound {
		q.typed = a.finding.query.Text
	}
	m.search = q
}

// searchKey edits the line, moves among what it found, or ends it.
func (m *Model) searchKey(k tea.KeyPressMsg) {
	q := m.search
	switch k.String() {
	case "esc":
		m.cancelSearch()
	case "enter":
		m.enterSearch()
	case "up", "down", "pgup", "pgdown":
		q.moved = true
		m.motion(q.a, lookup(k.String(), inList))
	case "ctrl+p":
		m.recallSearch(1)
	case "ctrl+n":
		m.recallSearch(-1)
	case "backspace", "ctrl+h":
		r := []rune(q.typed)
		if len(r) == 0 {
			m.cancelSearch() // nothing to take away but the line itself
			return
		}
		m.typeSearch(string(r[:len(r)-1]))
	case "ctrl+u":
		m.typeSearch("")
	case "ctrl+w":
		s := strings.TrimRightFunc(q.typed, unicode.IsSpace)
		m.typeSearch(s[:strings.LastIndexFunc(s, unicode.IsSpace)+1])
	default:
		m.pasteSearch(k.Key().Text)
	}
}

// cancelSearch ends the line, and everything is as it was.
func (m *Model) cancelSearch() {
	q := m.search
	m.search = nil
	m.leaveSearch(q.a)
	v := &q.a.view
	if i, ok := v.find(q.uid); ok && v.proj == nil && v.next == nil {
		v.selectRow(v.rowOf(i))
		v.top = q.top
		v.reveal()
	}
}

func (m *Model) pasteSearch(s string) {
	typed := []rune(m.search.typed)
	before := len(typed)
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			typed = append(typed, ' ')
		case unicode.IsPrint(r):
			typed = append(typed, r)
		}
	}
	if len(typed) > before {
		m.typeSearch(string(typed))
	}
}

// recallSearch brings an earlier search back.
func (m *Model) recallSearch(by int) {
	q := m.search
	if q.history == 0 {
		q.own = q.typed
	}
	h := min(max(q.history+by, 0), len(m.searches))
	line := q.own
	if h > 0 {
		line = m.searches[len(m.searches)-h]
	}
	m.typeSearch(line)
	q.history = h
}

// typeSearch changes what is typed, and looks for it.
func (m *Model) typeSearch(typed string) {
	q := m.search
	q.typed, q.err, q.loud, q.history, q.moved = typed, nil, false, 0, false
	if strings.TrimSpace(typed) == "" {
		m.leaveSearch(q.a)
		return
	}
	parsed, err := query.Parse(typed, m.now)
	errors.As(err, &q.err)
	// What is wrong leaves on screen what was found before it; of what is only
	// unfinished that is shown which is there.
	if q.err == nil || q.err.Open && parsed.Root != nil {
		m.find(q.a, parsed)
	}
}

// enterSearch ends the line, unless something is wrong with it, and asks the
// server as well.
func (m *Model) enterSearch() {
	q := m.search
	if strings.TrimSpace(q.typed) == "" {
		m.search = nil
		m.leaveSearch(q.a)
		return
	}
	parsed, err := query.Parse(q.typed, m.now)
	if errors.As(err, &q.err) {
		q.loud = true
		return
	}
	m.search = nil
	if n := len(m.searches); n == 0 || m.searches[n-1] != q.typed {
		m.searches = append(m.searches, q.typed)
		if n == maxHistory {
			m.searches = m.searches[1:]
		}
	}
	m.find(q.a, parsed)
	m.askServer(q.a)
}

// drawSearch draws the line, and what came of it so far.
func (m *Model) drawSearch(p *pen) {
	q := m.search
	note := q.a.finding.note()
	if q.typed == "" {
		note = "words, \"phrases\", from: subject: is:unread since:7d ... (? explains)"
	}
	p.gap(sPlain, 1)
	p.ink(sBold, "/")
	typed, _ := q.shown(p, max(p.room-1, 0))
	p.text(sPlain, typed, p.room-1)
	p.ink(sAccent, p.theme.marks.cursor)
	if w := note.width(); p.room >= w+3 {
		p.gap(sPlain, p.room-w-1)
		p.ink(sDim, note)
	}
	p.end(sPlain)
}

// shown is the end of what is typed, as far as w cells go, and how many cells of
// it are cut off before that.
func (q *searchLine) shown(p *pen, w int) (typed safetext.Text, cut int) {
	all := safetext.Clean(q.typed)
	typed = lastCells(all, w, p)
	return typed, width(all.String(), p.method) - width(typed.String(), p.method)
}

// complains tells whether the line under the prompt is for what is wrong.
func (q *searchLine) complains() bool { return q != nil && q.err != nil }

// drawComplaint draws what is wrong with the query, under it, and points at the
// place.
func (m *Model) drawComplaint(p *pen) {
	q := m.search
	s := sWarn
	if q.err.Open && !q.loud {
		s = sDim // it may become right yet
	}
	what := safetext.Clean(q.err.What)
	runes := []rune(q.typed)
	before := safetext.Clean(string(runes[:min(q.err.Column, len(runes))]))
	_, cut := q.shown(p, max(p.room-3, 0))
	at := min(max(2+width(before.String(), p.method)-cut, 0), max(p.room-1, 0))
	w := width(what.String(), p.method)
	switch {
	case at+2+w <= p.room:
		p.gap(s, at)
		p.ink(s, "^ ")
		p.text(s, what, p.room)
	case w+1 <= at: // there is room on the other side
		p.gap(s, at-w-1)
		p.text(s, what, w)
		p.gap(s, 1)
		p.ink(s, "^")
	default:
		p.ink(s, " column "+ink(thousands(q.err.Column+1))+": ")
		p.text(s, what, p.room)
	}
	p.end(sPlain)
}

// toMatch moves among what a search found: n and p mean that there.
func (m *Model) toMatch(a *account, step int) {
	v := &a.view
	before := v.cursor()
	v.move(step)
	switch {
	case v.cursor() == before:
		m.say(a, own(sDim, "no more of what was found that way"))
	case m.reading:
		m.open(a)
	}
}

// searchHelp is what the help says of the language.
var searchHelp = []struct{ typed, means ink }{
	{"word", "in sender, recipients, subject or text"},
	{`"a b"`, "the phrase; words side by side: all of them"},
	{"from: to:", "in a name or an address; cc: as well"},
	{"subject:", "in the subject"},
	{"body:", "in the text that is read"},
	{"list:", "in the mailing list's name (List-Id)"},
	{"is:", "unread, read, flagged, answered"},
	{"has:", "attachment"},
	{"since:", "came then or later: 2024-03-01, 2024-03, 7d"},
	{"before:", "came earlier"},
	{"on:", "came that day, month or year"},
	{"larger:", "than 500k, 2M; smaller: as well"},
	{"-", "not: -is:read -(a b)"},
	{"or", "one of both: from:ann or (from:bob x)"},
}

func init() {
	helpText = append(helpText, helpLine{}, helpLine{heading: "Searching, behind /"})
	for _, l := range searchHelp {
		helpText = append(helpText, helpLine{mark: func(*marks) ink { return l.typed }, style: sBold, means: l.means})
	}
	helpFold = foldHelp()
}

// searchEvent takes what the server found.
func (m *Model) searchEvent(a *account, ev imapsession.SearchEvent) {
	if f := &a.finding; ev.ID == f.server && f.server != 0 && ev.Place == a.place() {
		m.theirs(a, ev.UIDs)
	}
}
