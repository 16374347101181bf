package ui

import (
	"context"
	"errors"
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
	h := a.history
	if len(h.done) == 0 {
		m.say(a, own(sDim, "there is nothing to take back"))
		return
	}
	d := h.done[len(h.done)-1]
	h.done = h.done[:len(h.done)-1]
	if d.final != "" {
		m.say(a, append(d.spans(), own(sWarn, " "+m.theme.marks.bullet+" "+d.final+" "+m.theme.marks.bullet+" "), own(sBold, "u"), own(sWarn, " again goes on with what was before"))...)
		return
	}
	h.undone = append(h.undone, d)
	m.say(a, a.named("taking back", sDim, d)...)
	m.wish(a, d, true)
}

// redo does again what was taken back last.
func (m *Model) redo(a *account) {
	h := a.history
	if len(h.undone) == 0 {
		m.say(a, own(sDim, "there is nothing to do again"))
		return
	}
	d := h.undone[len(h.undone)-1]
	h.undone = h.undone[:len(h.undone)-1]
	h.done = append(h.done, d)
	m.say(a, a.named("doing again", sDim, d)...)
	m.wish(a, d, false)
}

// ownEffects are numbers that effects of wishes have in the overlay, where the
// others have those of commands.
const ownEffects = 1 << 63

// wish has a deed done, or taken back, as soon as that can be.
func (m *Model) wish(a *account, d *deed, back bool) {
	h := a.history
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
	a.eraseWish(w)
	for _, p := range w.d.parts {
		b := a.boxAt(p.at)
		switch {
		case b == nil:
		case !w.back:
			b.over.Put(w.drawn, p.uids, store.Effect{Add: p.add, Remove: p.remove, Dest: p.dest})
		case p.dest == "":
			b.over.Put(w.drawn, p.uids, store.Effect{Add: p.remove, Remove: p.add})
		}
	}
}

// eraseWish takes it off the screen again.
func (a *account) eraseWish(w *wish) {
	for b := range a.siblings {
		b.over.End(w.drawn)
	}
}

// proceed grants the wishes that have to wait for nothing.
func (m *Model) proceed(a *account) {
	h := a.history
	for i := 0; i < len(h.queue); {
		w := h.queue[i]
		if w.d.under && w.d.moves() || h.blocked(w, h.queue[:i]) {
			i++
			continue
		}
		h.queue = slices.Delete(h.queue, i, i+1)
		a.eraseWish(w)
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
	by := a.serving(p.at)
	if p.state == partSent {
		by = p.by // behind it, in the same queue
	}
	p.state, p.id = partIdle, 0
	if len(p.uids) == 0 {
		return
	}
	d.waiting++
	c := imapsession.StoreFlags{Target: aimedAt(p.at, p.uids), Add: p.remove, Remove: p.add}
	by.send(p.at, c, p.uids, &store.Effect{Add: p.remove, Remove: p.add}, job{kind: jobBack, deed: d, part: p, n: len(p.uids)})
}

// recall takes a move back that is not confirmed, if it is not too late. Until it
// is known, its messages are drawn as they are, with something under way.
func (m *Model) recall(a *account, p *part) {
	if p.recalled {
		return
	}
	p.recalled = true
	a.history.moving = append(a.history.moving, p)
	b := p.by
	b.cfg.Session.Cancel(p.id)
	if p.at == b.place() {
		b.over.End(uint64(p.id))
		b.over.Put(uint64(p.id), p.uids, store.Effect{})
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
	stayed := a.original(p)
	switch {
	case len(p.uids) > 0 && len(stayed) == len(p.uids):
		p.state = partIdle
		d.trouble = []span{own(sWarn, "the copy in "), said(sWarn, d.dest), own(sWarn, " stays, for the server cannot remove single messages")}
		m.restoreFlags(a, d, &part{at: p.at, uids: stayed, add: []string{`\Deleted`}})
		return false
	case len(from) > 0:
	case p.landing != nil:
		m.locate(a, d, p)
		return true
	default:
		d.trouble = []span{own(sWarn, "the server did not say which messages they became in "), said(sWarn, d.dest)}
		return false
	}
	p.state = partGoing
	a.history.moving = append(a.history.moving, p)
	d.waiting++
	c := imapsession.Move{Target: aimedAt(p.to, from), Dest: p.at.Mailbox}
	a.serving(p.to).send(p.to, c, from, &store.Effect{Dest: p.at.Mailbox}, job{kind: jobBack, deed: d, part: p, n: len(from), home: a.boxOf(p.at.Mailbox)})
	return true
}

// original are the messages of a move that stayed where they were, marked deleted,
// because the server has neither MOVE nor UIDPLUS; nil where they did not.
func (a *account) original(p *part) (uids []store.UID) {
	b := a.boxAt(p.at)
	if b == nil {
		return nil
	}
	for _, uid := range p.uids {
		if i, ok := b.view.list.Find(uid); ok && b.view.list.Row(i).Flags.Has(store.Deleted) {
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
		d.halted = errors.Is(ev.Err, context.Canceled)
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
	if d.under {
		m.takeBack(a, d)
	}
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
	rest := &part{at: p.at, dest: p.dest, to: p.to, state: partDone}
	for i, uid := range p.uids {
		switch back := now[p.landed[i]]; {
		case p.landed[i] == 0:
		case back == 0:
			rest.uids, rest.landed = append(rest.uids, uid), append(rest.landed, p.landed[i])
		default:
			became[uid] = back
			uids, landed = append(uids, uid), append(landed, p.landed[i])
		}
	}
	switch missing := len(p.uids) - len(uids); {
	case len(rest.uids) > 0: // it was stopped, or refused, in the middle
		d.trouble = []span{own(sWarn, ink(thousands(missing))+" of "+counted(len(p.uids))+" have not come back "+m.theme.marks.bullet+" "), own(sBold, "u"), own(sWarn, " goes on with them")}
		a.history.done = append(a.history.done, &deed{what: d.what, dest: d.dest, n: len(rest.uids), marked: d.marked, parts: []*part{rest}, subject: safetext.Const("a message")})
		d.n = len(uids)
	case missing > 0:
		d.trouble = []span{own(sWarn, ink(thousands(missing))+" of "+counted(len(p.uids))+" did not come back")}
	}
	p.uids, p.landed = uids, landed
	p.at = store.Place{Mailbox: p.at.Mailbox, UIDValidity: ev.Copied.Place.UIDValidity}
	a.rekey(p.at, became)
	a.welcomeBack(d, p, became)
}

// welcomeBack has the screen know messages that came back: they are marked if they
// were, and the selection goes to the newest of them if it stays until that is
// there.
func (a *account) welcomeBack(d *deed, p *part, became map[store.UID]store.UID) {
	b := a.boxAt(p.at)
	if b == nil || len(became) == 0 {
		return
	}
	var newest store.UID
	for _, uid := range became {
		newest = max(newest, uid)
		if d.marked {
			b.marked.set.Add(uid)
		}
	}
	if uid := became[b.view.uid]; uid != 0 {
		newest = uid
	}
	b.comeback = wanted{newest, b.view.uid}
	b.selectReturned()
}

// tookBack says how taking a deed back ended.
func (m *Model) tookBack(a *account, d *deed) {
	d.under = false
	here := a.root.onScreen()
	if d.trouble == nil {
		m.say(here, append(here.named("taken back", sGood, d), own(sDim, " "+m.theme.marks.bullet+" ctrl+r does it again"))...)
		return
	}
	words := ink("not taken back: ")
	if d.alive() {
		a.history.forget(d)
		if d.halted { // by the person, before anything was done
			for _, p := range d.parts {
				p.stuck = false
			}
			d.halted = false
			a.history.done = append(a.history.done, d)
		}
	} else {
		words = "taken back, but not as it was: "
	}
	line := append([]span{own(sWarn, words)}, d.trouble...)
	line = append(line, own(sDim, " "+m.theme.marks.bullet+" "))
	m.say(here, append(line, d.spans()...)...)
}

// named says what is done to a deed, and where, if that is not on screen.
func (a *account) named(what ink, s style, d *deed) []span {
	out := []span{own(s, what)}
	if at := d.parts[0].at; at.Mailbox != a.mailbox {
		out = append(out, own(s, " in "), said(sBold, a.folderTitle(at.Mailbox)))
	}
	return append(append(out, own(s, ": ")), d.spans()...)
}

// perform does a deed, for the first time or again.
func (m *Model) perform(a *account, d *deed) {
	if slices.ContainsFunc(d.parts, func(p *part) bool { return p.lost }) {
		a.history.forget(d)
		m.say(a.root.onScreen(), append([]span{own(sWarn, "not done again: the server did not say which messages came back "+m.theme.marks.bullet+" ")}, d.spans()...)...)
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
