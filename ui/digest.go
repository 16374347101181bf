package ui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"tidings/imapsession"
	"tidings/store"
)

// turnMsg: it has become this process's part to tell the person.
type turnMsg struct{ account int }

// awaitTurn waits for it.
func (m *Model) awaitTurn(i int, a *account) tea.Cmd {
	if a.cfg.Marks == nil {
		return nil
	}
	turn, done := a.cfg.Marks.Turn(), m.ctx.Done()
	return func() tea.Msg {
		select {
		case <-turn:
			return turnMsg{i}
		case <-done:
			return nil
		}
	}
}

// tells reports whether this process tells the person of the account's mail: of
// several that watch one mailbox, one does.
func (a *account) tells() bool {
	if a.cfg.Marks == nil {
		return true
	}
	select {
	case <-a.cfg.Marks.Turn():
		return true
	default:
		return false
	}
}

// baseline: all that is there the first time that a mailbox is seen is no news.
func (m *Model) baseline(a *account, ev imapsession.ResyncEvent, top store.UID) {
	if a.cfg.Marks == nil || ev.Epoch == 0 || ev.Arrived > 0 || !a.tells() {
		return
	}
	at := a.place()
	if _, _, known := a.cfg.Marks.Mark(at); !known {
		m.record(a, top)
	}
}

// toldOf records that the person was told of ev, and so of all mail up to its
// last message: a session tells in the order of the list.
func (m *Model) toldOf(a *account, ev imapsession.NewMailEvent) {
	if a.cfg.Marks == nil || !a.tells() {
		return
	}
	var top store.UID
	if n := len(ev.UIDs); n > 0 {
		top = ev.UIDs[n-1]
	} else { // told by their number
		top, _, _ = a.view.list.MaxUID()
	}
	m.record(a, top)
}

// record has it written down that the person was told of all mail up to uid, as
// soon as the frame that tells it is on the screen: if the program dies in
// between, it is told once more.
//
// Until it is written down, what else arrives is not told: more than one batch
// would be told again then.
func (m *Model) record(a *account, uid store.UID) {
	marks, at, ended := a.cfg.Marks, a.place(), m.ctx.Done()
	recorded := make(chan struct{})
	m.shown = append(m.shown, func() { marks.Tell(at, uid, func() { close(recorded) }) })
	a.recording = true
	index := m.indexOf(a)
	m.later(func() tea.Msg {
		select {
		case <-recorded:
			return recordedMsg{index}
		case <-ended:
			return nil
		}
	})
}

// recordedMsg: what was told is written down.
type recordedMsg struct{ account int }

// recorded tells what arrived meanwhile, as one batch.
func (m *Model) recorded(a *account) {
	a.recording = false
	held := a.held
	a.held = nil
	if len(held) == 0 || held[0].UIDValidity != a.validity {
		return
	}
	all := held[0]
	for _, ev := range held[1:] {
		if ev.UIDValidity == a.validity {
			all.UIDs = append(all.UIDs[:len(all.UIDs):len(all.UIDs)], ev.UIDs...)
			all.Count += ev.Count
			all.Gap = all.Gap || ev.Gap
		}
	}
	m.newMail(a, all)
}

// hold keeps ev for later where something is being written down.
func (a *account) hold(ev imapsession.NewMailEvent) bool {
	if !a.recording {
		return false
	}
	if len(a.held) > 0 && a.held[0].UIDValidity != ev.UIDValidity {
		a.held = nil // of a mailbox that is no more
	}
	a.held = append(a.held, ev)
	return true
}

// gapSince is since when mail was not told as it came; zero where that is not
// known.
func (m *Model) gapSince(a *account) time.Time {
	since := a.heardLast
	if !since.IsZero() {
		return since
	}
	if a.cfg.Marks != nil {
		if _, when, ok := a.cfg.Marks.Mark(a.place()); ok {
			since = when
		}
	}
	if a.confirmed.After(since) {
		since = a.confirmed
	}
	return since
}

// away is what arrived while nobody was told of it.
type away struct {
	unread, read, flagged int
	unsure                bool // some flags are not known
	newest                *store.Summary
}

// arrivedSince looks at the n rows up to the message top.
func (a *account) arrivedSince(top store.UID, n int) away {
	var w away
	list := a.view.list
	end := list.Len()
	if i, ok := list.Find(top); ok {
		end = i + 1
	}
	lo := max(end-min(n, scanLimit), 0)
	w.unread = n - (end - lo) // not looked at
	if w.unread > 0 {
		w.unread -= min(a.putAmong(end-n, lo), w.unread)
	}
	w.unsure = w.unread > 0
	list.Rows(lo, end, func(_ int, r store.Row) bool {
		switch f := r.Flags; {
		case a.returns.uids.Has(r.UID):
		case f.Has(store.Seen):
			w.read++
		default:
			w.unread++
			w.unsure = w.unsure || !f.Known()
			if f.Has(store.Flagged) {
				w.flagged++
			}
			if s := a.sums.Peek(r.UID); s != nil {
				w.newest = s
			}
		}
		return true
	})
	return w
}

// digest tells in one line, and one notice, of all that arrived during a gap.
func (m *Model) digest(a *account, ev imapsession.NewMailEvent) {
	var top store.UID
	if n := len(ev.UIDs); n > 0 {
		top = ev.UIDs[n-1]
	}
	m.tellAway(a, a.arrivedSince(top, ev.Count), m.gapSince(a))
}

func (m *Model) tellAway(a *account, w away, since time.Time) {
	if w.unread <= 0 {
		return
	}
	line := []span{own(sAccent, ink(thousands(w.unread))+" new")}
	if !since.IsZero() {
		line = append(line, own(sPlain, " since "+moment(since, m.now)))
	}
	if w.flagged > 0 {
		least := ink("")
		if w.unsure {
			least = "at least "
		}
		line = append(line, own(sPlain, ", "+least), own(sFlagged, ink(thousands(w.flagged))+" flagged"))
	}
	if w.read > 0 {
		line = append(line, own(sDim, ", "+ink(thousands(w.read))+" more read elsewhere"))
	}
	m.sayEverywhere(a, line)
	if a.root == a && a.tells() {
		m.announce(a, w.newest, w.unread)
	}
}

// takeOver: the process that told the person until now is gone. What it may not
// have told any more is told now.
func (m *Model) takeOver(a *account) {
	if a.cfg.Marks == nil || !a.loaded || a.epoch == 0 {
		return // reconciling will show what there is to tell
	}
	list := a.view.list
	mark, when, ok := a.cfg.Marks.Mark(a.place())
	top, last, any := list.MaxUID()
	if !any || ok && top <= mark {
		return
	}
	if ok {
		n := 0
		for i := last; i >= max(last-scanLimit, 0) && list.Row(i).UID > mark; i-- {
			n++
		}
		m.tellAway(a, a.arrivedSince(top, n), when)
	}
	m.record(a, top)
}
