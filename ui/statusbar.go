package ui

import (
	"time"

	"tidings/imapsession"
	"tidings/internal/safetext"
)

// drawStatus draws the status bar: what is looked at on the left, what is true
// of the link on the right.
func (m *Model) drawStatus(p *pen) {
	a := m.account()
	if a == nil {
		p.gap(sBar, 1)
		p.ink(sBar, "no account")
		p.end(sBar)
		return
	}
	var left, right []span
	lw, need := 0, 0
	// What is under way is told as far as there is room, but for the last detail
	// of the link.
fitting:
	for more := m.underWay(a); more >= 0; more-- {
		left = append(m.place(a), m.progress(a, more)...)
		lw = p.spansWidth(left) + 1
		for detail := 3; detail >= more/3; detail-- {
			right = m.link(a, detail)
			// An outside text (the reason) may give way down to a few words.
			need = p.spansWidth(right)
			for _, s := range right {
				need -= max(width(s.said.String(), p.method)-leastReason, 0)
			}
			if need+2+lw+1 <= p.room {
				break fitting
			}
		}
	}
	rw := min(p.spansWidth(right), max(p.room-lw-3, need))
	if lw+rw+2 > p.room { // the truth about the link outranks the place
		room := p.room
		p.begin(max(room-rw-2, 0))
		p.gap(sBar, 1)
		p.draw(left)
		p.end(sBar)
		p.begin(min(rw+2, room))
		p.gap(sBar, 1)
		p.draw(right)
		p.end(sBar)
		return
	}
	p.gap(sBar, 1)
	p.draw(left)
	p.gap(sBar, p.room-rw-1)
	p.draw(right)
	p.end(sBar)
}

// leastReason is how many cells of a reason are worth showing.
const leastReason = 24

// place says where we are: account, mailbox, unread of total.
func (m *Model) place(a *account) []span {
	var out []span
	if m.opts.Demo {
		out = append(out, own(sBarWarn, "demo "))
	} else if len(m.accounts) > 1 || m.w >= 60 {
		out = append(out, said(sBarDim, a.cfg.Name), own(sBarDim, " "))
	}
	out = append(out, said(sBarBold, a.box))
	if !a.loaded {
		return out
	}
	if view := m.viewed(a); view != nil {
		out = append(out, view...)
	} else {
		out = append(out, m.unreadOf(a)...)
	}
	if _, j, long := a.longJob(); long {
		out = append(out, own(sBarWarn, "  "+ink(thousands(j.done))+" of "+counted(j.n)+" done, Esc stops"))
	}
	if t := m.task; t != nil && t.of > 0 {
		out = append(out, own(sBarWarn, "  "+t.progress(m.w < 60)))
	}
	if g := a.gather; g != nil {
		out = append(out, own(sBarWarn, "  "+g.progress(m.w < 60)))
	}
	if now := a.finding.underWay(); now != "" {
		out = append(out, own(sBarDim, ", "+now))
	} else if a.finding.more {
		out = append(out, own(sBarWarn, ", of more"))
	}
	if a.marked.any() {
		out = append(out, own(sBarAccent, "  "+ink(thousands(a.marked.count()))+" marked"))
	}
	if a.visitsHome() {
		out = append(out, own(sBarDim, "  "), said(sBarDim, a.root.box), own(sBarDim, " checked every "+countdown(a.root.cfg.Poll)))
	}
	if a.readOnly() {
		out = append(out, own(sBarWarn, "  read-only"))
	}
	if n := max(a.over.Len(), a.toSend()); n > 0 && a.state.State != imapsession.Live {
		out = append(out, own(sBarWarn, "  "+ink(thousands(n))+" to send"))
	}
	return out
}

// unreadOf says how many messages there are, and how many of them are unread.
func (m *Model) unreadOf(a *account) (out []span) {
	unread, style := ink("?"), sBarDim
	if a.counted {
		unread = ink(thousands(int(a.unseen)))
		if a.unseen > 0 {
			style = sBarBold
		}
	}
	out = append(out, own(sBar, "  "), own(style, unread))
	if m.w >= 60 {
		out = append(out, own(sBarDim, " unread of "))
	} else {
		out = append(out, own(sBarDim, "/"))
	}
	return append(out, own(sBarDim, ink(thousands(a.view.list.Len()))))
}

// link says what is true of the connection, in four degrees of detail. It
// never claims more than was proven: a link that has been silent for longer
// than its probe period is unproven, whatever the state says.
func (m *Model) link(a *account, detail int) []span {
	marks := &m.theme.marks
	s := a.state
	if !a.asOf.IsZero() {
		return m.unconfirmed(a, detail)
	}
	var heard ink = "never heard"
	since := time.Duration(0)
	if !a.lastSign.IsZero() {
		since = a.silence(m.now)
		heard = "heard " + age(since)
	}
	var out []span
	switch s.State {
	case imapsession.Live:
		if a.unproven(m.now) && s.Watch != imapsession.WatchIdle {
			// Between two questions silence is by design, and no proof either.
			return append(out, own(sBarDim, marks.quiet+" checked "+age(since)))
		}
		if a.unproven(m.now) {
			out = append(out, own(sBarWarn, marks.quiet+" unproven"))
			if since < idleStep { // a short probe period: "just now" would not do
				heard = "silent for over " + ink(thousands(int(a.cfg.Probe/time.Second))) + " s"
			}
			out = append(out, own(sBarDim, ", "+heard))
			return out
		}
		out = append(out, own(sBarGood, marks.live+" live"))
		if detail >= 3 && !s.Transport.IsEmpty() {
			out = append(out, own(sBarDim, " "+marks.bullet+" "), said(sBarDim, s.Transport))
		}
		if detail >= 2 {
			out = append(out, own(sBarDim, " "+marks.bullet+" "+watchWord(s.Watch)))
		}
		if detail >= 1 {
			out = append(out, own(sBarDim, " "+marks.bullet+" "+heard))
		}
	case imapsession.BetweenVisits:
		out = append(out, own(sBarGood, marks.down+" checked "+age(since)))
		if detail >= 2 && !s.Retry.IsZero() {
			out = append(out, own(sBarDim, " "+marks.bullet+" next at "+ink(s.Retry.In(m.now.Location()).Format("15:04:05"))))
		}
	case imapsession.Connecting, imapsession.SigningIn, imapsession.Selecting:
		word := map[imapsession.State]ink{
			imapsession.Connecting: "connecting", imapsession.SigningIn: "signing in", imapsession.Selecting: "opening the mailbox",
		}[s.State]
		out = append(out, own(sBarWarn, marks.down+" "+word))
		out = reason(out, s.Reason, marks, detail)
		if detail >= 1 && !a.lastSign.IsZero() {
			out = append(out, own(sBarDim, " "+marks.bullet+" "+heard))
		}
	case imapsession.Waiting:
		out = append(out, own(sBarBad, marks.gone+" offline"))
		if !s.Retry.IsZero() {
			out = append(out, own(sBarWarn, " "+marks.bullet+" retry in "+countdown(s.Retry.Sub(m.now))))
		}
		out = reason(out, s.Reason, marks, detail)
		if detail >= 1 && !a.lastSign.IsZero() {
			out = append(out, own(sBarDim, " "+marks.bullet+" "+heard))
		}
	default:
		if !a.started {
			return append(out, own(sBarDim, marks.down+" starting"))
		}
		word := ink("not connected")
		if s.Fatal {
			word = stopped(s)
		}
		out = append(out, own(sBarBad, marks.gone+" "+word))
		out = reason(out, s.Reason, marks, detail)
		if s.Fatal && detail >= 1 {
			out = append(out, own(sBarWarn, " "+marks.bullet+" "+remedy(s)))
		}
	}
	return out
}

func reason(out []span, why safetext.Text, marks *marks, detail int) []span {
	if why.IsEmpty() || detail < 2 {
		return out
	}
	return append(out, own(sBarDim, " "+marks.bullet+" "), said(sBar, why))
}

func watchWord(w imapsession.Watch) ink {
	switch w {
	case imapsession.WatchPoll:
		return "polling"
	case imapsession.WatchVisit:
		return "visiting"
	}
	return "idle"
}

// countdown formats what is left, in whole seconds, rounded up.
func countdown(d time.Duration) ink {
	s := max(int((d+time.Second-1)/time.Second), 0)
	if s < 120 {
		return ink(thousands(s)) + " s"
	}
	return ink(thousands((s+59)/60)) + " min"
}

// drawNews draws the line above the status bar: the prompt, else what just
// happened, else (where there is no footer) the most useful keys.
func (m *Model) drawNews(p *pen, l *layout) {
	a := m.account()
	switch {
	case m.command != nil:
		m.drawCommand(p)
	case m.menu != nil:
		m.menu.draw(p, m.menuLines(l.body.h) > 0)
	case m.search != nil:
		m.drawSearch(p)
	case m.prompt != nil:
		m.prompt.draw(p, m.promptLines(l.body.h) > 0)
	case a != nil && a.news.last() != nil:
		drawActivity(p, a.news.last())
	case !l.hints:
		m.drawHints(p)
	}
	p.end(sPlain)
}

// age formats a duration the way the status bar speaks of the past: in steps of
// 15 s up to two minutes, then in minutes, hours and days.
func age(d time.Duration) ink {
	switch {
	case d < 15*time.Second:
		return "just now"
	case d < 2*time.Minute:
		return ink(thousands(int(d/(15*time.Second))*15)) + " s ago"
	case d < 2*time.Hour:
		return ink(thousands(int(d/time.Minute))) + " min ago"
	case d < 48*time.Hour:
		return ink(thousands(int(d/time.Hour))) + " h ago"
	default:
		return ink(thousands(int(d/(24*time.Hour)))) + " days ago"
	}
}
