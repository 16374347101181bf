package ui

import (
	"tidings/imapsession"
	"tidings/internal/safetext"
)

// locate has the messages of a move looked for where the server does not say
// what they became there.
func (m *Model) locate(a *account, d *deed, p *part) {
	p.state = partLocated
	a.history.moving = append(a.history.moving, p)
	d.waiting++
	a.look(*p.landing, job{kind: jobLocate, deed: d, part: p})
}

// located: they were found, or not.
func (m *Model) located(a *account, j job, ev imapsession.ResultEvent) {
	d, p := j.deed, j.part
	d.waiting--
	a.history.settled(p)
	if j.returns {
		m.locatedReturned(a, d, p, ev)
		m.proceed(a)
		return
	}
	p.state = partDone
	p.landing = nil
	if ev.Err == nil {
		a.landed(p, ev)
	} else {
		p.stuck = true
		d.trouble = []span{said(sPlain, safetext.Clean(ev.Err.Error()))}
	}
	m.takeBack(a, d)
	m.proceed(a)
}

// locateReturned looks for messages that were moved back by a server that does
// not say what they became.
func (m *Model) locateReturned(a *account, d *deed, p *part, where *imapsession.Landing) {
	a.history.moving = append(a.history.moving, p)
	d.waiting++
	a.look(*where, job{kind: jobLocate, deed: d, part: p, returns: true, home: a.boxOf(p.at.Mailbox)})
}

func (m *Model) locatedReturned(a *account, d *deed, p *part, ev imapsession.ResultEvent) {
	if ev.Err == nil && ev.Copied != nil {
		p.lost = false
		m.cameBack(a, d, p, ev)
	}
	if d.under {
		m.takeBack(a, d)
	}
}

// look has a session look for messages where they went.
func (a *account) look(where imapsession.Landing, j job) {
	by := a.serving(where.Place)
	by.jobs[by.cfg.Session.Do(imapsession.Locate{Landing: where})] = j
}
