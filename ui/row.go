package ui

import (
	"time"

	"tidings/internal/safetext"
	"tidings/store"
)

// columns is how a list row divides its width. A zero width drops the column.
type columns struct {
	flags int // cells of marks
	date  int
	from  int
}

// layoutColumns divides w cells: the subject gets what the others leave.
func layoutColumns(w int) columns {
	switch {
	case w < 24:
		return columns{flags: min(1, max(w-2, 0))}
	case w < 40:
		return columns{flags: 2, from: w / 3}
	case w < 60:
		return columns{flags: 2, date: 6, from: w / 4}
	case w < 100:
		return columns{flags: 4, date: 7, from: min(16+(w-60)/5, 22)}
	default:
		return columns{flags: 4, date: 7, from: min(22+(w-100)/8, 34)}
	}
}

// row is everything that one line of the list depends on. Its look depends on
// the message alone, never on where it stands, so that an insertion above
// changes nothing but its place.
type row struct {
	summary *store.Summary // nil: not known yet
	flags   store.Flags
	leaving bool // on its way to another mailbox
	pending bool // something was asked for and is not confirmed
	marked  bool // by the person
	labels  []Keyword
	gone    bool   // a tombstone
	family  family // what it shows of its conversation
}

// selection is a row's part in it.
type selection uint8

const (
	notSelected       selection = iota
	selected                    // the cursor is here
	selectedElsewhere           // it is, but the other pane has the keys
)

// drawRow draws a list row, its cursor mark included.
func drawRow(p *pen, c columns, r row, sel selection, waiting bool, now time.Time) {
	m := &p.theme.marks
	switch {
	case sel == selected && r.marked:
		p.ink(sPlain, m.markedCursor)
	case sel == selected:
		p.ink(sPlain, m.cursor) // in no colour: a move is seven octets
	case sel == selectedElsewhere && r.marked:
		p.ink(sFaint, m.markedCursor)
	case sel == selectedElsewhere:
		p.ink(sFaint, m.cursor)
	case r.marked:
		p.ink(sAccent, m.marked)
	default:
		p.gap(sPlain, 1)
	}
	if r.summary == nil {
		if waiting {
			p.gap(sPlain, 1)
			p.ink(sFaint, m.waiting)
			p.ink(sFaint, m.waiting)
			p.ink(sFaint, m.waiting)
		}
		p.end(sPlain)
		return
	}
	drawMarks(p, c.flags, r)
	text, dim := sPlain, sDim
	switch {
	case r.gone:
		text, dim = sFaint, sFaint
	case r.leaving, r.flags.Has(store.Deleted):
		text, dim = sLeaving, sLeaving
	case r.flags.Known() && !r.flags.Has(store.Seen), r.family.unreadInside():
		text = sBold
	}
	if r.pending && !r.leaving {
		p.ink(sDim, p.theme.marks.pending)
	} else {
		p.gap(sPlain, 1)
	}
	if c.date > 0 {
		drawDate(p, dim, c.date, when(r.summary), now)
		p.gap(sPlain, 2)
	}
	if c.from > 0 {
		p.col(text, sender(r.summary), c.from)
		p.gap(sPlain, 2)
	}
	if r.family.n > 0 {
		drawFamily(p, r.family)
	}
	drawKeywords(p, r.labels, r.flags)
	subject := r.summary.Subject
	switch {
	case r.summary.Unreadable:
		p.ink(sWarn, "this message could not be read")
	case subject.IsEmpty():
		p.ink(dim, "(no subject)")
	default:
		p.text(text, subject, p.room)
	}
	p.end(sPlain)
}

// drawMarks draws the first n of: unread (or leaving, or gone), flagged,
// answered, attachment.
func drawMarks(p *pen, n int, r row) {
	m := &p.theme.marks
	f := r.flags
	for i := range n {
		switch {
		case i == 0 && r.gone:
			p.ink(sFaint, m.gone)
		case i == 0 && r.leaving:
			p.ink(sDim, m.leaving)
		case i == 0 && f.Has(store.Deleted):
			p.ink(sDim, "D")
		case i == 0 && (f.Known() && !f.Has(store.Seen) || r.family.unreadInside()):
			p.ink(sUnread, m.unread)
		case i == 1 && f.Has(store.Flagged):
			p.ink(sFlagged, m.flagged)
		case i == 2 && f.Has(store.Answered):
			p.ink(sAnswered, m.answered)
		case i == 3 && r.summary.Mixed:
			p.ink(sAnswered, m.attached)
		default:
			p.gap(sPlain, 1)
		}
	}
}

// when is the time by which a message is listed: its arrival.
func when(s *store.Summary) time.Time {
	if !s.Internal.IsZero() {
		return s.Internal
	}
	return s.Date
}

// sender is who a message is from, as the list has it.
func sender(s *store.Summary) safetext.Text {
	if len(s.From) == 0 {
		return safetext.Const("(no sender)")
	}
	if n := s.From[0].Name; !n.IsEmpty() {
		return n
	}
	return s.From[0].Addr
}

// drawDate draws t right-aligned in w cells, as near to now as it can be said:
// 14:05 today, Mon this week, 12 Nov this year, 2024-03 before.
func drawDate(p *pen, s style, w int, t, now time.Time) {
	if t.IsZero() {
		p.gap(s, w)
		return
	}
	var b [16]byte
	out := appendDate(b[:0], t.In(now.Location()), now)
	if len(out) > w { // 2024-03 where there is no room for the month
		out = out[:4]
	}
	p.gap(s, w-len(out))
	p.digits(s, out)
}

func appendDate(b []byte, t, now time.Time) []byte {
	y, mo, d := t.Date()
	ny, nmo, nd := now.Date()
	switch {
	case y == ny && mo == nmo && d == nd:
		return t.AppendFormat(b, "15:04")
	case t.Before(now) && !t.Before(time.Date(ny, nmo, nd-6, 0, 0, 0, 0, now.Location())): // a whole day is written in one way
		return append(b, t.Weekday().String()[:3]...)
	case y == ny:
		return t.AppendFormat(b, "2 Jan")
	default:
		return t.AppendFormat(b, "2006-01")
	}
}
