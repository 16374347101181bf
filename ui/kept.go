package ui

import (
	"time"

	"tidings/imapsession"
	"tidings/store"
)

// keptSelection is what the cache was told of where the person is.
type keptSelection struct {
	uid     store.UID
	running bool // a timer
}

// keepAfter is how long the person has to stay on a message for the place to be
// worth writing down.
const keepAfter = time.Second

// keepMsg ends that time.
type keepMsg struct{ account int }

// minding sees to what is kept of account i beyond the program's end.
func (m *Model) minding(i int, a *account) {
	if k := &a.kept; a.cfg.Cache != nil && !k.running && a.loaded && a.view.uid != 0 && a.view.uid != k.uid {
		k.running = true
		m.later(m.after(keepAfter, keepMsg{i}))
	}
}

// keepSelected has the cache remember where the person is.
func (a *account) keepSelected() {
	k := &a.kept
	k.running = false
	if a.cfg.Cache == nil || !a.loaded || a.view.uid == 0 || a.view.uid == k.uid {
		return
	}
	k.uid = a.view.uid
	a.cfg.Cache.KeepSelected(a.place(), a.view.uid)
}

// keepAll writes down what is known at the end of the program.
func (m *Model) keepAll() {
	for a := range m.boxes {
		a.keepSelected()
		if a.cfg.Marks == nil || a.epoch == 0 || a.state.State != imapsession.Live || !a.tells() {
			continue
		}
		if uid, _, ok := a.cfg.Marks.Mark(a.place()); ok { // that was all, until now
			a.cfg.Marks.Tell(a.place(), uid, func() {})
		}
	}
}

// wanted is a selection that is to be restored: that of an earlier run, which
// may stand further down than the first page from the cache.
type wanted struct {
	uid  store.UID
	from store.UID // what is selected for want of it
}

// restore selects what was selected when the program ended, as far as it is
// there and the person has not gone elsewhere by now.
func (a *account) restore() {
	w, v := a.wanted, &a.view
	if w.uid == 0 || v.tomb || v.lost || v.uid != w.from {
		a.wanted = wanted{}
		return
	}
	if i, ok := v.find(w.uid); ok {
		v.selectRow(v.rowOf(i))
		a.kept.uid = w.uid
		a.wanted = wanted{}
	} else if !v.list.MayHold(w.uid) {
		a.wanted = wanted{}
	}
}
