package ui

import (
	"time"

	"tidings/internal/safetext"
)

// span is a piece of a line in one style: the program's own ink or outside
// text, never a bare string.
type span struct {
	style style
	own   ink
	said  safetext.Text
}

func own(s style, t ink) span            { return span{style: s, own: t} }
func said(s style, t safetext.Text) span { return span{style: s, said: t} }

// draw draws the spans as far as there is room. Where there is not enough, the
// outside texts give way, the last one first, so that what is said of them
// stays readable.
func (p *pen) draw(spans []span) {
	over := p.spansWidth(spans) - p.room
	cut := [8]int{}
	for i := min(len(spans), len(cut)) - 1; i >= 0 && over > 0; i-- {
		if w := width(spans[i].said.String(), p.method); w > leastText {
			cut[i] = min(over, w-leastText)
			over -= cut[i]
		}
	}
	for i, s := range spans {
		switch {
		case s.own != "":
			p.ink(s.style, s.own)
		case i < len(cut) && cut[i] > 0:
			p.text(s.style, s.said, width(s.said.String(), p.method)-cut[i])
		default:
			p.text(s.style, s.said, p.room)
		}
	}
}

// leastText is how many cells an outside text keeps when it gives way.
const leastText = 10

// spansWidth is how many cells the spans take.
func (p *pen) spansWidth(spans []span) (w int) {
	for _, s := range spans {
		w += s.own.width() + width(s.said.String(), p.method)
	}
	return w
}

// maxActivity bounds what is remembered of what happened.
const maxActivity = 200

// activity is what just happened, newest last.
type activity struct {
	entries []entry
}

type entry struct {
	at    time.Time
	spans []span
}

func (a *activity) say(at time.Time, spans ...span) {
	if len(a.entries) >= maxActivity {
		a.entries = append(a.entries[:0], a.entries[maxActivity/2:]...)
	}
	a.entries = append(a.entries, entry{at, spans})
}

// last is the newest entry, or nil.
func (a *activity) last() *entry {
	if len(a.entries) == 0 {
		return nil
	}
	return &a.entries[len(a.entries)-1]
}

// drawActivity draws an entry with the time at which it happened: a line that
// stays must not look like news.
func drawActivity(p *pen, e *entry) {
	p.gap(sPlain, 1)
	if e == nil {
		return
	}
	var b [8]byte
	p.ink(sFaint, ink(e.at.AppendFormat(b[:0], "15:04")))
	p.gap(sPlain, 1)
	p.draw(e.spans)
}
