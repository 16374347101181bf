package ui

import (
	"time"

	"tidings/store"
)

// views is what an account remembers of the making of its views.
type views struct {
	gen     int           // of the newest; what another brings is dropped
	made    time.Time     // when the last one was ready
	took    time.Duration // how long that took
	placing *placing      // a search for places is under way
	wakes   time.Time     // when the next look is due at a view that rests
	before  viewSpec      // the view before a search
}

// attends reports whether the person has to do with a message just now: it is
// selected or being read, or something is under way for it.
func (a *account) attends(uid store.UID) bool {
	if a.view.uid == uid && !a.view.tomb || a.reader != nil && a.reader.uid == uid {
		return true
	}
	_, pending := a.over.Flags(uid, store.NoFlags)
	_, leaving := a.over.Leaving(uid)
	return pending || leaving
}

// rest is how much longer than it takes a view rests before it is made anew for
// the sake of summaries that came in the background.
const rest = 10

// followView has the account's view made anew where it cannot follow, and places
// looked for. It is called at the end of every Update.
func (m *Model) followView(a *account) {
	v := &a.view
	if b := v.next; b != nil && b.failed {
		v.next = nil
		b.cancel()
		m.rebuildAs(a, b)
	}
	p := v.proj
	if p == nil {
		return
	}
	p.hold(v)
	if v.next != nil {
		return
	}
	switch {
	case p.stale,
		p.spec.show == showToday && !p.since.Equal(midnight(m.now)),
		p.again && m.now.Sub(a.views.made) > max(rest*a.views.took, time.Second):
		m.rebuildView(a, p)
	case len(p.queue) > maxQueue:
		p.again = true
	case len(p.queue) > 0 && a.views.placing == nil:
		m.findPlaces(a, p)
	}
	if due := a.views.made.Add(max(rest*a.views.took, time.Second)); p.again && v.next == nil && m.now.After(a.views.wakes) {
		a.views.wakes = due
		m.later(m.after(due.Sub(m.now)+time.Millisecond, redrawMsg{}))
	}
}

// rebuildView makes the view on screen anew.
func (m *Model) rebuildView(a *account, p *projection) {
	var stays, open []store.UID
	for uid := range p.stays {
		stays = append(stays, uid)
	}
	for uid := range p.opened {
		open = append(open, uid)
	}
	p.again = false
	m.buildView(a, p.spec, stays, open, true)
}

// rebuildAs begins a view again that failed.
func (m *Model) rebuildAs(a *account, b *building) {
	if b.again && a.view.proj != nil {
		m.rebuildView(a, a.view.proj)
		return
	}
	m.buildView(a, b.spec, nil, nil, false)
}

// backfilled: summaries came into the cache behind the screen's back.
func (v *listView) backfilled() {
	if p := v.proj; p != nil && p.waiting() > 0 {
		p.again = true
	}
}
