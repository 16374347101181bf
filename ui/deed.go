package ui

import (
	"context"
	"errors"
	"slices"

	"tidings/imapsession"
	"tidings/internal/safetext"
	"tidings/store"
)

// deed is one thing that the person did to some messages, and can take back: one
// command, or several that belong together.
type deed struct {
	what    ink           // "flagged", "moved to"; behind it
	dest    safetext.Text // where to, of a move
	subject safetext.Text // of the message, where it is one
	n       int           // how many messages
	parts   []*part
	marked  bool // they were marked, and are again when they come back
	final   ink  // why it cannot be taken back; "" : it can, part by part

	under   bool // it is being taken back
	waiting int  // replies due of that
	halted  bool // the person stopped that
	trouble []span
}

// part is one command of a deed: it changes flags, or moves.
type part struct {
	at          store.Place
	uids        []store.UID // there, before the deed; never modified, but replaced
	add, remove []string
	dest        string // raw; "" : the messages stay

	state partState
	id    imapsession.CommandID // of the command under way that did it
	by    *account              // whose session has that command
	// recalled: it is to be taken back as soon as it is known how it ended.
	recalled bool
	// Of a move: which message became which, as far as the server said so; to is
	// where, landed goes along with uids, 0 where that is not known.
	to      store.Place
	landed  []store.UID
	landing *imapsession.Landing // where the server does not say so
	lost    bool                 // it was taken back, and where the messages are is not known
	stuck   bool                 // it cannot be taken back
}

// partState is how far a part has come.
type partState uint8

const (
	partIdle    partState = iota // nothing of it is done, or it was taken back
	partSent                     // done, and not confirmed
	partDone                     // confirmed
	partGoing                    // being taken back
	partLocated                  // its messages are being looked for
)

// spans name what a command was for.
func (j job) spans() []span {
	if j.deed != nil {
		return j.deed.spans()
	}
	return []span{own(sDim, j.what+": "), said(sPlain, j.subject)}
}

// recalls tells whether a move of a message is being taken back that is perhaps
// done by now.
func (h *history) recalls(at store.Place, uid store.UID) bool {
	return slices.ContainsFunc(h.moving, func(p *part) bool { return p.recalled && p.at == at && slices.Contains(p.uids, uid) })
}

// spans name a deed.
func (d *deed) spans() []span {
	out := []span{own(sDim, d.what)}
	if !d.dest.IsEmpty() {
		out = append(out, own(sDim, " "), said(sPlain, d.dest))
	}
	out = append(out, own(sDim, ": "))
	if d.n == 1 {
		return append(out, said(sPlain, d.subject))
	}
	return append(out, own(sPlain, counted(d.n)))
}

// history is what the person did to the messages of an account, in whichever of
// its mailboxes, as far as it can be taken back and done again.
type history struct {
	done, undone []*deed
	// moving are the parts whose messages are about to get other UIDs.
	moving []*part
	queue  []*wish
	wishes uint64
}

// wish is a deed that is to be done or taken back when its messages have their
// UIDs, and what was asked for before is on its way. It is drawn at once.
type wish struct {
	d     *deed
	back  bool
	drawn uint64 // in the overlay; 0: it is not
}

// maxDeeds bounds what can be taken back.
const maxDeeds = 200

// newDeed names what is about to be done to uids.
func (a *account) newDeed(what ink, uids []store.UID) *deed {
	d := &deed{what: what, n: len(uids), marked: len(uids) > 0 && a.marked.has(uids[0])}
	if len(uids) == 1 {
		d.subject = a.subject(uids[0])
	}
	return d
}

// do sends a deed, draws it, and remembers it.
func (m *Model) do(a *account, d *deed) {
	a.history.add(d)
	m.wish(a, d, false)
}

// did remembers what cannot be taken back, so that nobody takes back what was
// before in its place.
func (h *history) did(d *deed, why ink) {
	d.final = why
	h.add(d)
}

// add remembers a deed.
func (h *history) add(d *deed) {
	h.done = append(h.done, d)
	if len(h.done) > maxDeeds {
		h.done = slices.Delete(h.done, 0, len(h.done)-maxDeeds)
	}
	h.undone = nil
}

// sendPart sends one command of a deed, and draws its effect.
func (a *account) sendPart(d *deed, p *part) {
	j := job{kind: jobDeed, deed: d, part: p, subject: d.subject, n: len(p.uids)}
	c := imapsession.Command(imapsession.StoreFlags{Target: aimedAt(p.at, p.uids), Add: p.add, Remove: p.remove})
	if p.dest != "" {
		c = imapsession.Move{Target: aimedAt(p.at, p.uids), Dest: p.dest}
		j.home = a.boxOf(p.dest)
	}
	e := store.Effect{Add: p.add, Remove: p.remove, Dest: p.dest}
	p.by = a.serving(p.at)
	p.id = p.by.send(p.at, c, p.uids, &e, j)
	p.state, p.recalled, p.lost = partSent, false, false
}

// deedEnded: a command of a deed is confirmed, or did not happen.
func (m *Model) deedEnded(a *account, j job, ev imapsession.ResultEvent) {
	d, p := j.deed, j.part
	if p.id != ev.ID || p.by != a {
		return // it has been taken back since
	}
	p.id = 0
	p.state = partIdle
	if ev.Err == nil {
		p.state = partDone
		if p.dest != "" {
			a.landed(p, ev)
			if d.n = len(p.uids); d.n == 1 && d.subject.IsEmpty() {
				d.subject = safetext.Const("a message")
			}
		}
	}
	h := a.history
	h.settled(p)
	if p.recalled {
		if ev.Err != nil && !errors.Is(ev.Err, context.Canceled) {
			d.trouble = []span{said(sPlain, safetext.Clean(ev.Err.Error()))}
		}
		m.takeBack(a, d)
		m.proceed(a)
		return
	}
	if !d.alive() {
		h.forget(d)
	}
	m.tellDeed(a, d, ev)
	m.proceed(a)
}

// tellDeed says how a command of a deed ended.
func (m *Model) tellDeed(a *account, d *deed, ev imapsession.ResultEvent) {
	switch {
	case ev.Err == nil && !ev.Note.IsEmpty():
		m.say(a.root.onScreen(), append(append([]span{}, d.spans()...), own(sDim, " "+m.theme.marks.bullet+" "), said(sWarn, ev.Note))...)
	case ev.Err == nil && d.waits():
	case ev.Err == nil:
		m.say(a.root.onScreen(), d.spans()...)
	case errors.Is(ev.Err, context.Canceled):
		m.say(a.root.onScreen(), append([]span{own(sDim, "taken back: ")}, d.spans()...)...)
	case errors.Is(ev.Err, imapsession.ErrGone):
		m.say(a.root.onScreen(), append([]span{own(sWarn, "another client was first, and nothing was done: ")}, d.spans()...)...)
	default: // the server's words are what matters
		line := []span{own(sBad, "sent back: "), said(sPlain, safetext.Clean(ev.Err.Error())), own(sDim, " "+m.theme.marks.bullet+" ")}
		if d.n == 1 {
			m.say(a.root.onScreen(), append(line, said(sDim, d.subject))...)
			return
		}
		m.say(a.root.onScreen(), append(line, own(sDim, counted(d.n)))...)
	}
}

// alive tells whether anything of a deed is done, or being done.
func (d *deed) alive() bool {
	return slices.ContainsFunc(d.parts, func(p *part) bool { return p.state != partIdle })
}

// waits tells whether more of a deed is still to be confirmed.
func (d *deed) waits() bool {
	return slices.ContainsFunc(d.parts, func(p *part) bool { return p.state == partSent })
}

// moves tells whether a deed is a move, among other things.
func (d *deed) moves() bool {
	return slices.ContainsFunc(d.parts, func(p *part) bool { return p.dest != "" })
}

// forget takes a deed out of the history.
func (h *history) forget(d *deed) {
	is := func(x *deed) bool { return x == d }
	h.done = slices.DeleteFunc(h.done, is)
	h.undone = slices.DeleteFunc(h.undone, is)
}

// settled: the UIDs of a part's messages are what they are.
func (h *history) settled(p *part) {
	h.moving = slices.DeleteFunc(h.moving, func(x *part) bool { return x == p })
}

// landed takes what the messages of a move became. Where it was done before, what
// the history calls by their old UIDs there is called by the new ones.
func (a *account) landed(p *part, ev imapsession.ResultEvent) {
	if b := a.boxAt(p.at); b != nil && ev.Copied != nil && !ev.Note.IsEmpty() {
		b.withoutLeft(p, ev.Copied)
	}
	was, before := p.to, p.landed
	p.to, p.landed, p.landing = store.Place{}, nil, ev.Landing
	if ev.Copied == nil {
		return
	}
	p.to = ev.Copied.Place
	became := ev.Copied.Map()
	if b := a.boxAt(p.at); b != nil {
		for uid := range became {
			b.marked.drop(uid)
		}
	}
	p.landed = make([]store.UID, len(p.uids))
	again := map[store.UID]store.UID{}
	for i, uid := range p.uids {
		p.landed[i] = became[uid]
		if was == p.to && i < len(before) && before[i] != 0 && p.landed[i] != 0 {
			again[before[i]] = p.landed[i]
		}
	}
	a.rekey(p.to, again)
}

// withoutLeft takes out of a move what was left where it is: the move was stopped,
// or refused, in the middle.
func (a *account) withoutLeft(p *part, c *imapsession.Copied) {
	became := c.Map()
	left := func(uid store.UID) bool {
		_, here := a.view.list.Find(uid)
		return here && became[uid] == 0
	}
	if !slices.ContainsFunc(p.uids, left) {
		return
	}
	var uids, landed []store.UID
	for i, uid := range p.uids {
		if left(uid) {
			continue
		}
		uids = append(uids, uid)
		if i < len(p.landed) {
			landed = append(landed, p.landed[i])
		}
	}
	p.uids, p.landed = uids, landed
}

// rekey has the history know messages of a mailbox by new UIDs.
func (a *account) rekey(at store.Place, became map[store.UID]store.UID) {
	if len(became) == 0 {
		return
	}
	swap := func(uids []store.UID) []store.UID {
		if !slices.ContainsFunc(uids, func(u store.UID) bool { return became[u] != 0 }) {
			return uids
		}
		uids = slices.Clone(uids)
		for i, u := range uids {
			if n := became[u]; n != 0 {
				uids[i] = n
			}
		}
		return uids
	}
	every := slices.Concat(a.history.done, a.history.undone)
	for _, w := range a.history.queue {
		every = append(every, w.d)
	}
	for _, d := range every {
		for _, p := range d.parts {
			if p.at == at {
				p.uids = swap(p.uids)
			}
			if p.to == at {
				p.landed = swap(p.landed)
			}
		}
	}
	for _, w := range a.history.queue {
		if w.drawn != 0 {
			a.drawWish(w)
		}
	}
}

// renumbered: what is known of a mailbox by UID holds only where it is at this
// place.
func (h *history) renumbered(now store.Place) {
	not := func(at store.Place) bool { return at.Mailbox == now.Mailbox && at != now }
	of := func(d *deed) bool {
		return slices.ContainsFunc(d.parts, func(p *part) bool { return not(p.at) || not(p.to) })
	}
	h.done = slices.DeleteFunc(h.done, of)
	h.undone = slices.DeleteFunc(h.undone, of)
	h.queue = slices.DeleteFunc(h.queue, func(w *wish) bool { return of(w.d) })
}
