package imapsession

import (
	"fmt"
	"time"

	"tidings/internal/safetext"
	"tidings/store"
)

// do gives a job its turn on a link. Where that does not follow the mailbox that
// the job is aimed at, it selects it first.
func (l *link) do(j *job) error {
	done, err := l.reach(j)
	if !done && err == nil {
		err = l.run(j)
	}
	if err == nil {
		l.running = nil
		l.s.letGo(j)
	}
	return err
}

// reach selects the mailbox that a job is aimed at, on a link that does not
// follow it. done tells that the job ended with that: it could not be reached.
func (l *link) reach(j *job) (done bool, err error) {
	t, changes, aimed := aim(j.cmd)
	switch {
	case !aimed:
		return false, nil
	case !l.visits(t):
		return l.hearOf(j)
	}
	refusal, err := l.visit(t.Mailbox, changes, !fetches(j.cmd)) // what fetches asks again by itself
	switch {
	case err != nil:
		return false, err
	case refusal != nil && l.s.putOff(j, refusal):
		return true, nil
	case refusal != nil:
		l.s.finish(j, j.soFar(refusal), safetext.Text{})
		return true, nil
	case l.m.uidValidity != t.UIDValidity:
		l.s.finish(j, j.soFar(errRenumbered), safetext.Text{})
		return true, nil
	}
	return false, nil
}

// visits tells whether a target is in a mailbox that the link only visits.
func (l *link) visits(t Target) bool {
	return l.role == asWorker || t.Mailbox != l.s.cfg.Mailbox
}

// visit selects a mailbox, if it is not selected already; it is only examined
// unless something is to be changed in it. Where it is, and what is aimed at may
// have come since (anew), the server is asked for its news. refusal says why the
// server would not.
func (l *link) visit(name string, changes, anew bool) (refusal, err error) {
	if err := l.settle(); err != nil {
		return nil, err
	}
	here := func() bool {
		return l.m.visited && l.m.name == name && l.opened && l.desync == nil && (l.m.writable || !changes)
	}
	if here() && anew {
		if err := l.noop(); err != nil {
			return nil, err
		}
	}
	if here() {
		return nil, nil
	}
	m := newMailbox(name, l.s.box, l.s.log)
	m.visited, m.writable = true, changes
	l.m, l.opened, l.readOnly = &m, false, false
	sel, err := l.selectMailbox()
	if refused(err) {
		// No mailbox is selected now (RFC 9051 §6.3.2).
		return &visitRefused{fmt.Sprintf("the server would not open %s: it said %s", title(name), words(err)), err}, nil
	}
	if err != nil {
		return nil, err
	}
	m.uidValidity = sel.uidValidity
	l.desync, l.opened = nil, true
	if err := m.change(store.Change{Kind: store.Exists, N: sel.count}, false); err != nil {
		return nil, asFault(err)
	}
	return nil, nil
}

// learn makes the rows of messages known in a mailbox that is visited: those
// that are not known behind it are not there.
func (l *link) learn(uids []store.UID) error {
	l.asked = true
	defer func() { l.asked = false }()
	for _, part := range uidLines(uids) {
		if _, err := l.gather(l.client.Fetch(uidSet(part), flagItems())); err != nil {
			return err
		}
	}
	return nil
}

// awayFor is how long the monitor may stay in other mailboxes at a time.
const awayFor = 2 * time.Second

// away does what is to be done in other mailboxes on the monitor's own link,
// which watches nothing meanwhile, and then brings the list in step again.
func (l *link) away(j *job) error {
	if err := l.settle(); err != nil {
		return err
	}
	l.working(Selecting, safetext.Const("busy in another mailbox for a moment: the account has this one connection"))
	began := time.Now()
	for {
		if err := l.do(j); err != nil {
			return err
		}
		if time.Since(began) > awayFor {
			break
		}
		if j = l.s.nextJob(l); j == nil {
			break
		}
		if t, _, aimed := aim(j.cmd); !aimed || !l.visits(t) {
			l.running = nil
			l.s.letGo(j)
			break
		}
	}
	l.m, l.readOnly = &l.s.mailbox, false
	return l.openMailbox()
}
