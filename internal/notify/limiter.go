package notify

import (
	"time"

	"tidings/internal/safetext"
)

// Every is the least time between two notices.
const Every = 2 * time.Second

// Arrival is new mail to be told of: one message, or all that arrived during a
// gap.
type Arrival struct {
	Account safetext.Text // its name, or empty where there is only one
	Count   int           // messages; less than 1 counts as 1
	// From and Subject are of the newest message, as far as it is known.
	From    safetext.Text
	Subject safetext.Text
}

// Limiter gathers arrivals into notices: the first one is told at once, and
// those that follow within Every are told together when it has passed. The
// zero value is ready. It belongs to one goroutine and reads no clock.
type Limiter struct {
	last    time.Time // of the last notice
	waiting []Arrival // newest last; one per account
	count   int
}

// Add notes an arrival; Due says when it is to be told.
func (l *Limiter) Add(a Arrival) {
	a.Count = max(a.Count, 1)
	l.count += a.Count
	for i, w := range l.waiting {
		if w.Account == a.Account {
			l.waiting = append(l.waiting[:i], l.waiting[i+1:]...)
			a.Count += w.Count
			break
		}
	}
	l.waiting = append(l.waiting, a)
}

// Due returns the notice to give now. Where one waits but its time has not
// come, ok is false and wait says when to ask again; with nothing waiting wait
// is zero. A now before the last notice (the clock was set back) counts as long
// after it.
func (l *Limiter) Due(now time.Time) (notice safetext.Text, wait time.Duration, ok bool) {
	if l.count == 0 {
		return safetext.Text{}, 0, false
	}
	if since := now.Sub(l.last); !l.last.IsZero() && since >= 0 && since < Every {
		return safetext.Text{}, Every - since, false
	}
	notice = describe(l.waiting, l.count)
	l.last, l.waiting, l.count = now, l.waiting[:0], 0
	return notice, 0, true
}

// Forget drops what waits, for a person who has come to look.
func (l *Limiter) Forget() { l.waiting, l.count = l.waiting[:0], 0 }

// describe says what arrived: "Alice – Deploy window", "3 new: Alice – Deploy
// window", "work: 3 new: …", "5 new in work and home: Alice – …".
func describe(waiting []Arrival, count int) safetext.Text {
	newest := waiting[len(waiting)-1]
	text := about(newest)
	where := newest.Account
	if len(waiting) > 1 {
		where = safetext.Format("%s and %s", waiting[len(waiting)-1].Account, waiting[len(waiting)-2].Account)
		if n := len(waiting) - 2; n > 0 {
			where = safetext.Format("%s and %s more", waiting[len(waiting)-1].Account, safetext.Int(n+1))
		}
	}
	switch {
	case count == 1 && where.IsEmpty():
		if text.IsEmpty() {
			return safetext.Const("new mail")
		}
		return text
	case count == 1:
		if text.IsEmpty() {
			return safetext.Format("%s: new mail", where)
		}
		return safetext.Format("%s: %s", where, text)
	}
	head := safetext.Format("%s new", safetext.Int(count))
	if !where.IsEmpty() {
		head = safetext.Format("%s in %s", head, where)
	}
	if text.IsEmpty() {
		return head
	}
	return safetext.Format("%s: %s", head, text)
}

// about is a message in short: "Alice – Deploy window".
func about(a Arrival) safetext.Text {
	switch {
	case a.From.IsEmpty():
		return a.Subject
	case a.Subject.IsEmpty():
		return a.From
	}
	return safetext.Format("%s – %s", a.From, a.Subject)
}
