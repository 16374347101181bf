package ui

import (
	"slices"

	"tidings/imapsession"
	"tidings/internal/safetext"
	"tidings/store"
)

// A deed is taken back by commands that undo its own, the last one first. A
// message that is moved back has a new UID: the server says which (COPYUID), and
// everything that knew it by the old one learns the new one. Until then, a deed
// that is about the same messages waits.

// undo takes back what was done last.
func (m *Model) undo(a *account) {
	h := &a.history
	if len(h.done) == 0 {
		m.say(a, own(sDim, "there is nothing to take back"))
		return
	}
	d := h.done[len(h.done)-1]
	h.done = h.done[:len(h.done)-1]
	h.undone = append(h.undone, d)
	m.say(a, append([]span{own(sDim, "taking back: ")}, d.spans()...)...)
	m.wish(a, d, true)
}

// redo does again what was taken back last.
func (m *Model) redo(a *account) {
	h := &a.history
	if len(h.undone) == 0 {
		m.say(a, own(sDim, "there is nothing to do again"))
		return
	}
	d := h.undone[len(h.undone)-1]
	h.undone = h.undone[:len(h.undone)-1]
	h.done = append(h.done, d)
	m.say(a, append([]span{own(sDim, "doing again: ")}, d.spans()...)...)
	m.wish(a, d, false)
}

// ownEffects are numbers that effects of wishes have in the overlay, where the
// others have those of commands.
const ownEffects = 1 << 63

// wish has a deed done, or taken back, as soon as that can be.
func (m *Model) wish(a *account, d *deed, back bool) {
	h := &a.history
	w := &wish{d: d, back: back}
	h.queue = append(h.queue, w)
	m.proceed(a)
	if slices.Contains(h.queue, w) {
		h.wishes++
		w.drawn = ownEffects + h.wishes
		a.drawWish(w)
	}
}

// drawWish draws what a wish that waits will do.
func (a *account) drawWish(w *wish) {
	a.over.End(w.drawn)
	for _, p := range w.d.parts {
		switch {
		case p.at != a.place():
		case !w.back:
			a.over.Put(w.drawn, p.uids, store.Effect{Add: p.add, Remove: p.remove, Dest: p.dest})
		case p.dest == "":
			a.over.Put(w.drawn, p.uids, store.Effect{Add: p.remove, Remove: p.add})
		}
	}
}

// proceed grants the wishes that have to wait for nothing.
func (m *Model) proceed(a *account) {
	h := &a.history
	for i := 0; i < len(h.queue); {
		w := h.queue[i]
		if w.d.under && w.d.moves() || h.blocked(w, h.queue[:i]) {
			i++
			continue
		}
		h.queue = slices.Delete(h.queue, i, i+1)
		a.over.End(w.drawn)
		if w.back {
			w.d.under, w.d.trouble = true, nil
			m.takeBack(a, w.d)
		} else {
			m.perform(a, w.d)
		}
		i = 0                       // what was granted may have been what others waited for
		for _, w := range h.queue { // it comes about before what waits on
			if w.drawn != 0 {
				a.drawWish(w)
			}
		}
	}
}

// blocked tells whether a deed has to wait: messages of it are about to get other
// UIDs, or an earlier wish is about some of them.
func (h *history) blocked(w *wish, earlier []*wish) bool {
	for _, p := range h.moving {
		if w.d.shares(p) {
			return true
		}
	}
	for _, e := range earlier {
		if e.d == w.d || slices.ContainsFunc(e.d.parts, w.d.shares) {
			return true
		}
	}
	return false
}

// shares tells whether a deed is about messages of the part p, which is another
// deed's.
func (d *deed) shares(p *part) bool {
	return slices.ContainsFunc(d.parts, func(q *part) bool {
		return q != p && (q.at == p.at && overlap(q.uids, p.uids) || q.at == p.to && overlap(q.uids, p.landed) ||
			q.to == p.at && overlap(q.landed, p.uids) || q.to == p.to && overlap(q.landed, p.landed))
	})
}

// overlap tells whether two lists of UIDs have one in common; 0 is none.
func overlap(a, b []store.UID) bool {
	var in store.UIDSet
	for _, uid := range a {
		if uid != 0 {
			in.Add(uid)
		}
	}
	return slices.ContainsFunc(b, in.Has)
}

// takeBack goes on taking a deed back: it returns where something has to be known
// first, and is called again when it is.
func (m *Model) takeBack(a *account, d *deed) {
	for _, p := range slices.Backward(d.parts) {
		switch {
		case p.state == partIdle || p.stuck:
		case p.state == partGoing || p.state == partLocated:
			return
		case p.dest == "":
			m.restoreFlags(a, d, p)
		case p.state == partSent:
			m.recall(a, p)
			return
		case m.moveBack(a, d, p):
			return
		}
	}
	if d.waiting == 0 {
		m.tookBack(a, d)
	}
}

// restoreFlags sends the opposite of a part; commands on flags come about in the
// order in which they are sent, so that it need not be known how it ended.
func (m *Model) restoreFlags(a *account, d *deed, p *part) {
	t := imapsession.Target{Mailbox: p.at.Mailbox, UIDValidity: p.at.UIDValidity, UIDs: p.uids}
	p.state, p.id = partIdle, 0
	if len(p.uids) == 0 {
		return
	}
	id := a.cfg.Session.Do(imapsession.StoreFlags{Target: t, Add: p.remove, Remove: p.add})
	if p.at == a.place() {
		a.over.Put(uint64(id), p.uids, store.Effect{Add: p.remove, Remove: p.add})
	}
	d.waiting++
	a.jobs[id] = job{kind: jobBack, deed: d, part: p, n: len(p.uids)}
}

// recall takes a move back that is not confirmed, if it is not too late. Until it
// is known, its messages are drawn as they are, with something under way.
func (m *Model) recall(a *account, p *part) {
	if p.recalled {
		return
	}
	p.recalled = true
	a.history.moving = append(a.history.moving, p)
	a.cfg.Session.Cancel(p.id)
	if p.at == a.place() {
		a.over.End(uint64(p.id))
		a.over.Put(uint64(p.id), p.uids, store.Effect{})
	}
}

// moveBack has the messages of a move moved back, and reports whether that is
// under way now. If not, it says why in the deed.
func (m *Model) moveBack(a *account, d *deed, p *part) bool {
	var from []store.UID
	for _, uid := range p.landed {
		if uid != 0 {
			from = append(from, uid)
		}
	}
	switch {
	case len(from) > 0:
	case p.landing != nil:
		m.locate(a, d, p)
		return true
	case a.original(p) != nil:
		uids := a.original(p)
		p.state = partIdle
		d.trouble = []span{own(sWarn, "the copy in "), said(sWarn, d.dest), own(sWarn, " stays, for the server cannot remove single messages")}
		m.restoreFlags(a, d, &part{at: p.at, uids: uids, add: []string{`\Deleted`}})
		return false
	default:
		d.trouble = []span{own(sWarn, "the server did not say which messages they became in "), said(sWarn, d.dest)}
		return false
	}
	p.state = partGoing
	a.history.moving = append(a.history.moving, p)
	if p.at == a.place() {
		a.history.returning++
	}
	t := imapsession.Target{Mailbox: p.to.Mailbox, UIDValidity: p.to.UIDValidity, UIDs: from}
	id := a.cfg.Session.Do(imapsession.Move{Target: t, Dest: p.at.Mailbox})
	if p.to == a.place() {
		a.over.Put(uint64(id), from, store.Effect{Dest: p.at.Mailbox})
	}
	d.waiting++
	a.jobs[id] = job{kind: jobBack, deed: d, part: p, n: len(from), returns: p.at == a.place()}
	return true
}

// original are the messages of a move that stayed where they were, marked deleted,
// because the server has neither MOVE nor UIDPLUS; nil where they did not.
func (a *account) original(p *part) (uids []store.UID) {
	if p.at != a.place() {
		return nil
	}
	for _, uid := range p.uids {
		if i, ok := a.view.list.Find(uid); ok && a.view.list.Row(i).Flags.Has(store.Deleted) {
			uids = append(uids, uid)
		}
	}
	return uids
}

// backEnded: a command that takes something back has ended.
func (m *Model) backEnded(a *account, j job, ev imapsession.ResultEvent) {
	d, p := j.deed, j.part
	d.waiting--
	if ev.Err != nil {
		d.trouble = []span{said(sPlain, safetext.Clean(ev.Err.Error()))}
	} else if !ev.Note.IsEmpty() {
		d.trouble = []span{said(sPlain, ev.Note)}
	}
	if p.state == partGoing { // a move
		a.history.settled(p)
		p.state, p.stuck = partDone, ev.Err != nil
		if ev.Err == nil {
			p.state = partIdle
			m.cameBack(a, d, p, ev)
		}
	}
	if j.returns {
		a.history.returning--
	}
	if d.under {
		m.takeBack(a, d)
	}
	m.releaseNews(a)
	m.proceed(a)
}

// cameBack takes the new UIDs of messages that were moved back.
func (m *Model) cameBack(a *account, d *deed, p *part, ev imapsession.ResultEvent) {
	if ev.Copied == nil {
		p.lost = true
		if ev.Landing != nil {
			m.locateReturned(a, d, p, ev.Landing)
		}
		return
	}
	now := ev.Copied.Map()
	became := map[store.UID]store.UID{}
	var uids, landed []store.UID
	for i, uid := range p.uids {
		if back := now[p.landed[i]]; p.landed[i] != 0 && back != 0 {
			became[uid] = back
			uids, landed = append(uids, uid), append(landed, p.landed[i])
		}
	}
	if missing := len(p.uids) - len(uids); missing > 0 {
		d.trouble = []span{own(sWarn, ink(thousands(missing))+" of "+counted(len(p.uids))+" did not come back")}
	}
	p.uids, p.landed = uids, landed
	p.at = store.Place{Mailbox: p.at.Mailbox, UIDValidity: ev.Copied.Place.UIDValidity}
	a.rekey(p.at, became)
	a.welcomeBack(d, p, became)
}

// welcomeBack has the screen know messages that came back: they are no news, are
// marked if they were, and the selection goes to the newest of them if it stays
// until that is there.
func (a *account) welcomeBack(d *deed, p *part, became map[store.UID]store.UID) {
	if p.at != a.place() || len(became) == 0 {
		return
	}
	var newest store.UID
	for _, uid := range became {
		a.history.returned.Add(uid)
		newest = max(newest, uid)
		if d.marked {
			a.marked.set.Add(uid)
		}
	}
	if uid := became[a.view.uid]; uid != 0 {
		newest = uid
	}
	a.comeback = wanted{newest, a.view.uid}
}

// tookBack says how taking a deed back ended.
func (m *Model) tookBack(a *account, d *deed) {
	d.under = false
	if d.trouble == nil {
		m.say(a, append(append([]span{own(sGood, "taken back: ")}, d.spans()...), own(sDim, " "+m.theme.marks.bullet+" ctrl+r does it again"))...)
		return
	}
	words := ink("not taken back: ")
	if d.alive() {
		a.history.forget(d)
	} else {
		words = "taken back, but not as it was: "
	}
	line := append([]span{own(sWarn, words)}, d.trouble...)
	line = append(line, own(sDim, " "+m.theme.marks.bullet+" "))
	m.say(a, append(line, d.spans()...)...)
}

// perform does a deed, for the first time or again.
func (m *Model) perform(a *account, d *deed) {
	if slices.ContainsFunc(d.parts, func(p *part) bool { return p.lost }) {
		a.history.forget(d)
		m.say(a, append([]span{own(sWarn, "not done again: the server did not say which messages came back "+m.theme.marks.bullet+" ")}, d.spans()...)...)
		return
	}
	d.under = false
	for _, p := range d.parts {
		if len(p.uids) == 0 {
			continue
		}
		again := len(p.landed) > 0
		a.sendPart(d, p)
		if again { // what it became the last time, it is called no more
			a.history.moving = append(a.history.moving, p)
		}
	}
}

// selectReturned selects a message that came back, if the selection has stayed
// where it was.
func (a *account) selectReturned() {
	w, v := a.comeback, &a.view
	if w.uid == 0 {
		return
	}
	if v.uid != w.from {
		a.comeback = wanted{}
		return
	}
	if i, ok := v.find(w.uid); ok {
		v.selectRow(v.rowOf(i))
		a.comeback = wanted{}
	}
}

// holdReturning keeps news while messages are coming back: they may be what it is
// about.
func (a *account) holdReturning(ev imapsession.NewMailEvent) bool {
	h := &a.history
	if h.returning == 0 {
		return false
	}
	h.held = append(h.held, ev)
	return true
}

// releaseNews tells what arrived while messages were coming back.
func (m *Model) releaseNews(a *account) {
	h := &a.history
	if h.returning > 0 {
		return
	}
	held := h.held
	h.held = nil
	for _, ev := range held {
		if ev.UIDValidity == a.validity {
			m.newMail(a, ev)
		}
	}
}

// withoutReturned takes out of ev what only came back.
func (a *account) withoutReturned(ev imapsession.NewMailEvent) imapsession.NewMailEvent {
	h := &a.history
	if h.returned.Len() == 0 {
		return ev
	}
	uids := slices.DeleteFunc(slices.Clone(ev.UIDs), h.returned.Has)
	ev.Count -= len(ev.UIDs) - len(uids)
	ev.UIDs = uids
	return ev
}
