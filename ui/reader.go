package ui

import (
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"tidings/imapsession"
	"tidings/internal/message"
	"tidings/internal/safetext"
	"tidings/store"
)

// reader shows one message, and keeps to it whatever the list does.
type reader struct {
	uid      store.UID
	validity uint32
	summary  *store.Summary // as far as the list knew it; may be nil
	body     imapsession.CommandID
	opened   time.Time
	gone     bool // expunged while open
	failed   safetext.Text

	data      []byte
	size      int64
	complete  bool
	truncated bool

	gen     int // of the parse that counts
	parsing bool
	parsed  int // octets that the message at hand was made of
	msg     *message.Message
	lines   []readerLine
	width   int // that lines were wrapped for
	fitting int // width that a wrap under way is for

	top, h int
}

// parsedMsg brings a message as lines, made off the loop.
type parsedMsg struct {
	account int
	uid     store.UID
	gen     int
	octets  int
	width   int
	msg     *message.Message
	lines   []readerLine
}

// seenMsg: a message has been open for as long as the config asks.
type seenMsg struct {
	account int
	uid     store.UID
	opened  time.Time
}

// open opens the selected message.
func (m *Model) open(a *account) {
	reading := m.reading
	m.reading = false // the list's selection is meant
	uid, ok := m.aim(a)
	if !ok {
		m.reading = reading
		return
	}
	m.reading = true
	if a.reader != nil && a.reader.uid == uid && a.reader.failed.IsEmpty() {
		return
	}
	m.dropReader(a)
	r := &reader{uid: uid, validity: a.validity, summary: a.sums.get(uid), opened: m.now}
	r.body = a.cfg.Session.Do(imapsession.FetchBody{Target: a.target(uid)})
	a.jobs[r.body] = job{kind: jobBody, uid: uid, subject: a.subject(uid)}
	a.reader = r
	m.later(m.after(slow, redrawMsg{}))
	switch delay := a.cfg.MarkSeen; {
	case delay == 0:
		m.markSeen(a, uid)
	case delay > 0:
		m.later(m.after(delay, seenMsg{m.indexOf(a), uid, m.now}))
	}
}

func (m *Model) indexOf(a *account) int {
	for i, x := range m.accounts {
		if x == a {
			return i
		}
	}
	return 0
}

func (m *Model) openLongEnough(msg seenMsg) {
	a := m.accounts[msg.account]
	if r := a.reader; r != nil && r.uid == msg.uid && r.opened.Equal(msg.opened) && !r.gone {
		m.markSeen(a, msg.uid)
	}
}

// markSeen marks a message that was opened as read.
func (m *Model) markSeen(a *account, uid store.UID) {
	if f := a.flagsOf(uid); a.readOnly() || f.Has(store.Seen) {
		return
	}
	m.storeFlags(a, uid, []string{`\Seen`}, nil, job{kind: jobSeen})
}

// closeReader goes back to the list.
func (m *Model) closeReader(a *account) {
	m.dropReader(a)
	m.reading = false
}

func (m *Model) dropReader(a *account) {
	if r := a.reader; r != nil {
		if !r.complete && r.failed.IsEmpty() {
			a.cfg.Session.Cancel(r.body)
		}
		delete(a.jobs, r.body)
		a.reader = nil
	}
}

// bodyArrived takes what has come of the message so far.
func (m *Model) bodyArrived(a *account, ev imapsession.BodyEvent) {
	r := a.reader
	if r == nil || r.body != ev.ID {
		return
	}
	r.data, r.size, r.complete, r.truncated = ev.Data, ev.Size, ev.Complete, ev.Truncated
}

// bodyEnded: the fetch is over; where it failed, say so where the text would be.
func (m *Model) bodyEnded(a *account, ev imapsession.ResultEvent) {
	r := a.reader
	if r == nil || r.body != ev.ID {
		return
	}
	if ev.Err != nil {
		r.failed = safetext.Clean(ev.Err.Error())
		return
	}
	r.complete = true
}

// fitReader gives the reader its size and has the text parsed or wrapped again
// where that is due: off the loop, one at a time.
func (m *Model) fitReader(a *account, at area) {
	r := a.reader
	r.h = at.h
	r.scroll(0)
	if r.parsing || at.w <= 0 {
		return
	}
	stale := r.parsed < len(r.data) || r.complete && r.msg == nil
	// While it grows, a message is parsed again only when there is twice as
	// much of it: the total work stays in proportion to its size.
	if stale && !r.complete && r.msg != nil && len(r.data) < 2*r.parsed {
		stale = false
	}
	if !stale && (r.msg == nil || r.width == at.w) {
		return
	}
	r.parsing = true
	r.gen++
	index, uid, gen, data := m.indexOf(a), r.uid, r.gen, r.data
	msg, cut := r.msg, !r.complete || r.truncated
	method, emoji, w := m.pen.method, a.emoji, at.w
	now := m.now
	m.later(func() tea.Msg {
		if stale {
			msg = message.Parse(data, cut)
		}
		return parsedMsg{index, uid, gen, len(data), w, msg, layoutMessage(msg, w, method, emoji, now)}
	})
}

// rewrap has every open message laid out anew.
func (m *Model) rewrap() {
	for _, a := range m.accounts {
		if a.reader != nil {
			a.reader.width = 0
		}
	}
}

func (m *Model) parsed(msg parsedMsg) {
	r := m.accounts[msg.account].reader
	if r == nil || r.uid != msg.uid || r.gen != msg.gen {
		return
	}
	r.parsing = false
	r.msg, r.lines, r.parsed, r.width = msg.msg, msg.lines, msg.octets, msg.width
	r.scroll(0)
}

// scroll moves the text by n lines.
func (r *reader) scroll(n int) {
	last := max(len(r.lines)-r.h+1, 0) // one line is the banner's
	r.top = min(max(addClamped(r.top, n), 0), last)
}

// readerLine is one line of the reader.
type readerLine struct {
	style style
	mark  ink // before the text: quote bars, bullets
	own   ink // the program's own words
	piece piece
}

// measure is how wide text is set at most: longer lines are hard to read.
const measure = 100

// layoutMessage turns a message into lines of w cells.
func layoutMessage(msg *message.Message, w int, method ansi.Method, emoji bool, now time.Time) []readerLine {
	lay := layouter{w: min(max(w-2, 1), measure), method: method, emoji: emoji}
	lay.addresses("From", msg.From)
	lay.addresses("To", msg.To)
	lay.addresses("Cc", msg.Cc)
	if len(msg.ReplyTo) > 0 && (len(msg.From) == 0 || msg.ReplyTo[0] != msg.From[0]) {
		lay.addresses("Reply", msg.ReplyTo)
	}
	if !msg.Date.IsZero() {
		lay.lines = append(lay.lines, readerLine{style: sDim, mark: "Date    ", own: ink(msg.Date.In(now.Location()).Format("Mon 2 Jan 2006 15:04 -0700"))})
	}
	lay.field("Subject", sBold, safetext.Clean(msg.Subject))
	lay.blank()
	for _, l := range msg.Lines {
		lay.line(l)
	}
	if len(msg.Attachments) > 0 {
		lay.blank()
		for _, x := range msg.Attachments {
			name := safetext.Clean(x.Name)
			if name.IsEmpty() {
				name = safetext.Const("(no name)")
			}
			lay.wrapped(sAnswered, "@ ", safetext.Format("%s  %s  %s", name, safetext.Clean(x.Type), safetext.Clean(octets(x.Size))))
		}
	}
	if len(msg.Links) > 0 {
		lay.blank()
		for _, x := range msg.Links {
			s := sLink
			t := safetext.Format("[%s] %s", safetext.Int(x.N), safetext.Clean(x.URL))
			if x.Mismatch {
				s = sWarn
				t = safetext.Format("[%s] really goes to %s: %s", safetext.Int(x.N), safetext.Clean(x.Host), safetext.Clean(x.URL))
			}
			lay.wrapped(s, "", t)
		}
	}
	if len(msg.Problems) > 0 {
		lay.blank()
		for _, t := range msg.Problems {
			lay.wrapped(sWarn, "", t)
		}
	}
	return lay.lines
}

type layouter struct {
	w      int
	method ansi.Method
	emoji  bool
	lines  []readerLine
	pieces []piece
}

func (l *layouter) blank() { l.lines = append(l.lines, readerLine{}) }

// addresses shows names with the real addresses beside them.
func (l *layouter) addresses(label ink, as []message.Address) {
	if len(as) == 0 {
		return
	}
	parts := make([]safetext.Text, 0, len(as))
	for i, a := range as {
		if i == 50 {
			parts = append(parts, safetext.Format("and %s more", safetext.Int(len(as)-i)))
			break
		}
		addr, name := safetext.Clean(a.Address), safetext.Clean(a.Name)
		if name.IsEmpty() {
			parts = append(parts, addr)
		} else {
			parts = append(parts, safetext.Format("%s <%s>", name, addr))
		}
	}
	l.field(label, sPlain, safetext.Join(parts, ", "))
}

const fieldWidth = 8

func (l *layouter) field(label ink, s style, t safetext.Text) {
	pad := label + ink(blanks[:fieldWidth-len(label)])
	for i, p := range l.wrap(t, fieldWidth) {
		if i > 0 {
			pad = ink(blanks[:fieldWidth])
		}
		l.lines = append(l.lines, readerLine{style: s, mark: pad, piece: p})
	}
}

func (l *layouter) wrapped(s style, mark ink, t safetext.Text) {
	for i, p := range l.wrap(t, len(mark)) {
		if i > 0 {
			mark = ink(blanks[:len(mark)])
		}
		l.lines = append(l.lines, readerLine{style: s, mark: mark, piece: p})
	}
}

func (l *layouter) wrap(t safetext.Text, indent int) []piece {
	if l.emoji {
		t = t.EmojiText()
	}
	l.pieces = wrapText(l.pieces[:0], t, max(l.w-indent, 1), l.method)
	return l.pieces
}

// line lays out one line of the text; quotes are dimmed by their depth.
func (l *layouter) line(x message.Line) {
	s, mark := sPlain, ink("")
	if x.Quote > 0 {
		s = [...]style{sQuote3, sQuote1, sQuote2}[x.Quote%3]
		for range min(x.Quote, 6) {
			mark += "▏"
		}
		mark += " "
	}
	indent := 0
	if x.Quote > 0 {
		indent = min(x.Quote, 6) + 1
	}
	if x.Fixed {
		if l.emoji {
			x.Text = x.Text.EmojiText()
		}
		l.lines = append(l.lines, readerLine{style: s, mark: mark, piece: piece{x.Text, 0, x.Text.Len()}})
		return
	}
	for _, p := range l.wrap(x.Text, indent) {
		l.lines = append(l.lines, readerLine{style: s, mark: mark, piece: p})
	}
}

// octets says a size as people do.
func octets(n int64) string {
	switch {
	case n < 1000:
		return thousands(int(n)) + " B"
	case n < 1_000_000:
		return thousands(int((n+512)/1024)) + " KiB"
	default:
		return thousands(int(n>>20)) + "." + thousands(int(n%(1<<20)*10>>20)) + " MiB"
	}
}

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
		why := wrapText(nil, r.failed, max(p.room-1, 1), p.method)
		switch {
		case y == 2:
			p.ink(sBad, "The message could not be fetched:")
		case y >= 3 && y-3 < len(why):
			p.slice(sPlain, why[y-3].text, why[y-3].from, why[y-3].to)
		}
	case r.msg == nil:
		if y == 2 && m.now.Sub(r.opened) >= slow {
			p.ink(sDim, "fetching")
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
			p.slice(l.style, l.piece.text, l.piece.from, l.piece.to)
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
	p.ink(sBar, focus)
	var right []span
	switch {
	case r.gone:
		right = append(right, own(sBarBad, "expunged on the server, this is a copy "))
	case !r.complete && r.failed.IsEmpty() && len(r.data) > 0:
		right = append(right, own(sBarWarn, ink(octets(int64(len(r.data))))+" of "+ink(octets(r.size))+" "))
	case r.truncated:
		right = append(right, own(sBarWarn, "the first "+ink(octets(int64(len(r.data))))+" of "+ink(octets(r.size))+" "))
	case len(r.lines) > r.h-1 && r.h > 1:
		right = append(right, own(sBarDim, ink(thousands(min(100, (r.top+r.h-1)*100/max(len(r.lines), 1))))+"% "))
	}
	rw := p.spansWidth(right)
	room := p.room
	p.begin(max(room-rw-1, 0))
	if r.summary != nil {
		p.text(sBarBold, sender(r.summary), p.room/3)
		p.gap(s, 2)
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
