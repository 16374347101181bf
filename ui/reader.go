package ui

import (
	"time"

	tea "charm.land/bubbletea/v2"

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
	asking   bool // the cache is asked for it; the server is not, so far
	gone     bool // expunged while open
	failed   safetext.Text

	data      []byte
	size      int64
	complete  bool
	truncated bool
	rest      bool     // what was cut off is being fetched
	then      []errand // for it to be there

	// What the server says that the message is made of, once it was asked.
	structured bool
	parts      []message.Remote

	// Of what is inside a message: the message's own reader, what to call it,
	// whether it lacks a header, and what makes its text (see excerpt).
	parent *reader
	title  safetext.Text
	bare   bool
	made   func() *message.Message
	// Where it was cut: what to fetch for the rest, and, of a message in the message,
	// its section.
	piece   *piece
	section string

	gen     int // of the parse that counts
	parsing bool
	parsed  int // octets that the message at hand was made of
	msg     *message.Message
	lines   []readerLine
	width   int // that lines were wrapped for

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
	r := &reader{uid: uid, validity: a.validity, summary: a.sums.Get(uid), opened: m.now}
	a.reader = r
	if a.cfg.Cache != nil {
		m.askCache(a, r)
	} else {
		a.fetchBody(r)
	}
	m.later(m.after(slow, redrawMsg{}))
	switch delay := a.cfg.MarkSeen; {
	case delay == 0:
		m.markSeen(a, uid)
	case delay > 0:
		m.later(m.after(delay, seenMsg{m.indexOf(a), uid, m.now}))
	}
}

// fetchBody has the session fetch the message.
func (a *account) fetchBody(r *reader) {
	target := imapsession.Target{Mailbox: a.mailbox, UIDValidity: r.validity, UIDs: []store.UID{r.uid}}
	r.body = a.cfg.Session.Do(imapsession.FetchBody{Target: target})
	a.jobs[r.body] = job{kind: jobBody, uid: r.uid, subject: a.subject(r.uid)}
}

// keptBodyMsg is the cache's answer to a message that was opened; data is nil
// where it has not got it.
type keptBodyMsg struct {
	account int
	uid     store.UID
	opened  time.Time
	data    []byte
}

// askCache looks for the message in the cache, before the session is asked.
func (m *Model) askCache(a *account, r *reader) {
	r.asking = true
	index, uid, opened, cache, ctx := m.indexOf(a), r.uid, r.opened, a.cfg.Cache, m.ctx
	at := store.Place{Mailbox: a.mailbox, UIDValidity: r.validity}
	m.later(func() tea.Msg {
		data, err := cache.Body(ctx, at, uid)
		if err != nil {
			data = nil // the session has it, or says why not
		}
		return keptBodyMsg{index, uid, opened, data}
	})
}

// keptBody takes the message from the cache, or has it fetched.
func (m *Model) keptBody(a *account, msg keptBodyMsg) {
	r := a.reader
	if r == nil || !r.asking || r.uid != msg.uid || !r.opened.Equal(msg.opened) {
		return
	}
	r.asking = false
	if msg.data == nil {
		a.fetchBody(r)
		return
	}
	r.data, r.size, r.complete = msg.data, int64(len(msg.data)), true
}

func (m *Model) openLongEnough(msg seenMsg) {
	a := m.box(msg.account)
	if r := a.reader; r != nil && r.uid == msg.uid && r.opened.Equal(msg.opened) && !r.gone {
		m.markSeen(a, msg.uid)
	}
}

// markSeen marks a message that was opened as read.
func (m *Model) markSeen(a *account, uid store.UID) {
	if f := a.flagsOf(uid); a.readOnly() || f.Has(store.Seen) {
		return
	}
	add := []string{`\Seen`}
	id := a.cfg.Session.Do(imapsession.StoreFlags{Target: a.target(uid), Add: add})
	a.over.Put(uint64(id), []store.UID{uid}, store.Effect{Add: add})
	a.jobs[id] = job{kind: jobSeen, subject: a.subject(uid), n: 1}
}

// closeReader goes back to the list.
func (m *Model) closeReader(a *account) {
	m.dropReader(a)
	m.reading = false
}

func (m *Model) dropReader(a *account) {
	if r := a.reader; r != nil {
		if r.body != 0 && !r.complete && r.failed.IsEmpty() {
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
	r.rest = r.rest && !ev.Complete
}

// bodyEnded: the fetch is over; where it failed, say so where the text would be.
func (m *Model) bodyEnded(a *account, ev imapsession.ResultEvent) {
	r := a.reader
	if r == nil || r.body != ev.ID {
		return
	}
	if ev.Err != nil {
		if r.rest {
			m.restFailed(a, r, ev.Err)
			return
		}
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
	now, made, bare := m.now, r.made, r.bare
	goesOn := r.complete && r.truncated && !r.bare
	m.later(func() tea.Msg {
		switch {
		case stale && made != nil:
			msg = made()
		case stale:
			msg = message.Parse(data, cut)
		}
		lay := layoutMessage
		if bare {
			lay = layoutText
		}
		lines := lay(msg, w, method, emoji, now)
		if goesOn {
			lines = append(lines, layoutEnd(w, method)...)
		}
		return parsedMsg{index, uid, gen, len(data), w, msg, lines}
	})
}

// rewrap has every open message laid out anew.
func (m *Model) rewrap() {
	for a := range m.boxes {
		if a.reader != nil {
			a.reader.width = 0
		}
	}
}

func (m *Model) parsed(msg parsedMsg) {
	r := m.box(msg.account).reader
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
