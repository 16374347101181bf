package ui

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"

	"tidings/imapsession"
	"tidings/internal/message"
	"tidings/internal/safetext"
)

// maxWhole is the largest message that is fetched whole, to take parts out of it
// or to give it away; it is held in memory meanwhile.
const maxWhole = 256 << 20

// errand is something that is done as soon as a message is there.
type errand struct {
	do    func(*Model, *account, *reader)
	whole bool // all of it, not only what is shown
}

// withLetter calls f when the message that is meant is there, whole and read: the
// one that is open, or else the selected one, which opens. What is missing of it
// is fetched; Esc ends that, and f is not called then.
func (m *Model) withLetter(a *account, f func(*Model, *account, *reader)) {
	m.await(a, errand{f, true})
}

// withShown is withLetter for what does with as much of the message as is shown of
// a very long one.
func (m *Model) withShown(a *account, f func(*Model, *account, *reader)) {
	m.await(a, errand{f, false})
}

func (m *Model) await(a *account, w errand) {
	if !m.reading || a.reader == nil {
		m.open(a)
	}
	if a.reader == nil || !m.reading {
		return
	}
	a.reader.then = append(a.reader.then, w)
}

// letterReady goes on with what waits for a message.
func (m *Model) letterReady(a *account) {
	r := a.reader
	switch {
	case r == nil || len(r.then) == 0:
	case !r.failed.IsEmpty():
		r.then = nil // the reader says why
	case !r.complete:
	case r.truncated && r.wantsWhole() && r.bare && r.piece == nil:
		r.then = nil
		m.say(a, own(sWarn, "this is only the beginning of the message: "), own(sBold, "Esc"), own(sWarn, " goes back to that, of which all is fetched"))
	case r.truncated && r.wantsWhole() && (r.size > maxWhole || len(r.data) >= maxWhole):
		r.then = nil
		m.say(a, own(sWarn, "a message of "+ink(octets(r.size))+" is too large to be fetched whole: "+ink(octets(maxWhole))+" at most"))
	case r.truncated && r.wantsWhole() && r.piece != nil:
		m.fetchPiece(a, r)
	case r.truncated && r.wantsWhole():
		m.fetchRest(a, r)
	case r.msg == nil || r.parsing || r.parsed < len(r.data):
	case m.here() == inPrompt || m.account() != a: // the person does something else now
	default:
		then := r.then
		r.then = nil
		for _, w := range then {
			w.do(m, a, r)
		}
	}
}

// wantsWhole tells whether something waits for all of the message.
func (r *reader) wantsWhole() bool {
	return slices.ContainsFunc(r.then, func(w errand) bool { return w.whole })
}

// fetchRest has the session fetch what is missing of a message that was cut.
func (m *Model) fetchRest(a *account, r *reader) {
	target := imapsession.Target{Mailbox: a.mailbox, UIDValidity: r.validity, UIDs: a.target(r.uid).UIDs}
	r.body = a.cfg.Session.Do(imapsession.FetchBody{Target: target, Limit: maxWhole, Have: r.data})
	a.jobs[r.body] = job{kind: jobBody, uid: r.uid, subject: a.subject(r.uid)}
	r.complete, r.truncated, r.rest = false, false, true
}

// stopRest ends the fetching of the rest; what has come stays, and is gone on from
// when it is asked for again.
func (m *Model) stopRest(a *account) bool {
	r := a.reader
	if r == nil || !r.rest {
		return false
	}
	a.cfg.Session.Cancel(r.body)
	delete(a.jobs, r.body)
	r.cutOff()
	m.say(a, own(sDim, "stopped; what has come is kept until the message is closed"))
	return true
}

// cutOff leaves the message at what has come of it.
func (r *reader) cutOff() {
	r.body, r.rest, r.then = 0, false, nil
	r.complete, r.truncated = true, true
}

// restFailed says that the rest could not be fetched.
func (m *Model) restFailed(a *account, r *reader, err error) {
	r.cutOff()
	m.sayFailed(a, "the rest could not be fetched: ", err)
}

// fetchPiece fetches all of a part of which the beginning is shown.
func (m *Model) fetchPiece(a *account, r *reader) {
	then, p, x := r.then, pieces{session: a.cfg.Session, target: a.targetOf(r)}, r.piece
	r.then = nil
	m.startOf(a, "fetching", partTitle(x.Attachment), x.encoded(), func(ctx context.Context, came *atomic.Int64) func(*Model, *account) {
		seen, err := p.view(ctx, x, true, came)
		return func(m *Model, a *account) {
			switch {
			case errors.Is(err, context.Canceled):
				m.say(a, own(sWarn, "stopped"))
			case err != nil:
				m.sayFailed(a, "the rest could not be fetched: ", err)
			case a.reader == r && m.reading:
				r.data, r.size, r.truncated = seen.data, int64(len(seen.data)), seen.cut
				if r.made != nil {
					r.made = func() *message.Message { return seen.msg }
				}
				r.msg, r.then = nil, then
			}
		}
	})
}

// excerpt is something that is shown in the reader over a message: a part of it,
// its source, what a command made of it.
type excerpt struct {
	title safetext.Text
	data  []byte                  // what pipes and copies take
	bare  bool                    // it has no header of its own
	made  func() *message.Message // makes what is shown; off the loop
	// Where it is only the beginning of what it is: how long that is. piece is what
	// to fetch for the rest, if it is a part of the message.
	of    int64
	piece *piece
}

// openInside shows it; Esc goes back to the message.
func (m *Model) openInside(a *account, in excerpt) {
	r := a.reader
	if r == nil {
		return
	}
	a.reader = &reader{
		uid: r.uid, validity: r.validity, summary: r.summary, opened: r.opened, gone: r.gone,
		data: in.data, size: max(in.of, int64(len(in.data))), complete: true, truncated: in.of > 0,
		parent: r, title: in.title, bare: in.bare, made: in.made, piece: in.piece,
	}
	if in.piece != nil && !in.bare {
		a.reader.section = in.piece.Section
	}
	m.reading = true
}

// outOfIt goes back from what is inside a message to that message.
func (m *Model) outOfIt(a *account) bool {
	r := a.reader
	if r == nil || r.parent == nil {
		return false
	}
	r.parent.gone = r.parent.gone || r.gone
	r.parent.gen = r.gen + 1 // what is still being parsed is not the parent's
	r.parent.parsing, r.parent.width = false, 0
	a.reader = r.parent
	return true
}

// letter is the message that a reader is about: itself, or what the text in it was
// taken from.
func (r *reader) letter() *reader {
	for r.bare && r.parent != nil {
		r = r.parent
	}
	return r
}

// outermost is the message that is on the server.
func (r *reader) outermost() *reader {
	for r.parent != nil {
		r = r.parent
	}
	return r
}

// insideKeeps tells whether a key would change the message around the one that is
// read: it is not what the person looks at.
func (m *Model) insideKeeps(a *account, act action) bool {
	r := a.reader
	if !m.reading || r == nil || r.letter().parent == nil || !act.changes() {
		return false
	}
	m.say(a, own(sWarn, "this message is part of another: "), own(sBold, "Esc"), own(sWarn, " goes back to that one; nothing was done"))
	return true
}

// changes tells the actions that change messages.
func (act action) changes() bool {
	if act == actUndo || act == actRedo {
		return false // they are aimed at what was done before
	}
	for i := range keymap {
		if keymap[i].act == act {
			return keymap[i].group == "Acting"
		}
	}
	return false
}
