package imapsession

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"

	"tidings/imapsession/wire"
	"tidings/internal/safetext"
	"tidings/store"
)

// move moves messages by UID: MOVE where the server has it; else COPY and, only
// after its OK, \Deleted and UID EXPUNGE, and that only with UIDPLUS. It is
// never imapclient's fallback, which does not wait for the COPY, so that a
// refused one destroys the mail.
func (l *link) move(j *job, c Move) error {
	s := l.s
	switch {
	case l.readOnly:
		s.finish(j, errReadOnly, safetext.Text{})
		return nil
	case c.Dest == "" || strings.ContainsAny(c.Dest, "\x00\r\n"):
		s.finish(j, errors.New("that is no name of a mailbox"), safetext.Text{})
		return nil
	case c.Dest == l.m.name:
		s.finish(j, fmt.Errorf("it is in %s already", title(c.Dest)), safetext.Text{})
		return nil
	}
	if j.stage == sent {
		// MOVE may be sent again, but not beside the first one: a server that does
		// both at once copies twice.
		if err := l.settle(); err != nil {
			return err
		}
		if err := l.awaitQuiet(c.Dest); err != nil {
			return err
		}
		if err := l.noop(); err != nil {
			return err
		}
		if l.desyncing() {
			return nil // asked again behind the reselection
		}
	}
	if l.m.visited {
		if err := l.learn(c.Target.UIDs); err != nil {
			return err
		}
	}
	there := l.stillThere(c.Target.UIDs)
	if len(there) == 0 {
		return l.endEmptyMove(j, c)
	}
	if l.client.Caps().Has(imap.CapMove) && j.stage <= sent && j.copies.left == nil {
		return l.moveAtOnce(j, c, there)
	}
	return l.moveByCopy(j, c, there)
}

// stillThere are the targets that are in the list, or may be: rows that the list
// does not know.
func (l *link) stillThere(uids []store.UID) []store.UID {
	if l.m.visited {
		return l.present(uids)
	}
	var there []store.UID
	unknown := l.m.list.CountUnknown() > 0
	for _, u := range uids {
		if _, ok := l.m.list.Find(u); ok || unknown && !l.surelyGone(u) {
			there = append(there, u)
		}
	}
	return there
}

// unsure are those of uids that may be a row which the list does not know.
func (l *link) unsure(uids []store.UID) []store.UID {
	return without(l.stillThere(uids), l.present(uids))
}

// surelyGone tells that no unknown row can be the message u: its neighbours in
// the list are known and next to each other.
func (l *link) surelyGone(u store.UID) bool {
	list := l.m.list
	gone := true
	list.Unknown(0, list.Len(), func(lo, hi int) bool {
		below := lo == 0 || list.Row(lo-1).UID < u
		above := hi == list.Len() || list.Row(hi).UID > u
		gone = !(below && above)
		return gone
	})
	return gone
}

// endEmptyMove ends a move of which no message is left here.
func (l *link) endEmptyMove(j *job, c Move) error {
	switch j.stage {
	case fresh:
		if j.did > 0 {
			l.s.finish(j, nil, safetext.Format("%s of %s messages were moved to %s; the others were gone already", safetext.Int(j.did), safetext.Int(j.total), title(c.Dest)))
			return nil
		}
		l.s.finish(j, errGone, safetext.Text{})
		return nil
	case copying:
		l.s.finish(j, j.soFar(errGone), safetext.Text{})
		return nil
	}
	if j.earlier {
		l.s.finish(j, nil, safetext.Format("the program ended during the move and nothing is left of it here: it should be in %s", title(c.Dest)))
		return nil
	}
	l.s.finish(j, nil, safetext.Format("the link broke during the move and nothing is left of it here: it should be in %s", title(c.Dest)))
	return nil
}

// moveAtOnce sends UID MOVE (RFC 6851). It may be sent again after a reconnect:
// it moves what is still there.
func (l *link) moveAtOnce(j *job, c Move, uids []store.UID) error {
	l.copyUID = false
	again := j.stage == sent // and what it did then is not known
	if !again && !l.hasUIDPlus() {
		var err error
		if j.landing, err = l.expectLanding(uids, c.Dest); err != nil {
			return err
		}
	}
	total := len(c.Target.UIDs)
	for left := ascending(uids); len(left) > 0; {
		if !l.goesOn(j, total-len(left), total) {
			return nil
		}
		some := l.moving.of(left, l.s.stride)
		began := time.Now()
		cmd := l.client.Move(uidSet(some), c.Dest)
		j.stage = sent
		settled := l.settle()
		data, err := cmd.Wait()
		refusal, err := l.drain(err)
		if settled != nil {
			return settled
		}
		if err != nil {
			return err
		}
		if data != nil && refusal == nil {
			j.copied = j.copied.and(c.Dest, data.UIDValidity, data.SourceUIDs, data.DestUIDs)
		}
		if refusal != nil {
			if err := l.noop(); err != nil { // perhaps it has been told by now
				return err
			}
			if len(l.stillThere(some)) == 0 && !l.desyncing() {
				refusal = nil
			}
		}
		switch {
		case refusal != nil && l.s.putOff(j, refusal):
			return nil
		case refusal != nil:
			if err := l.learn(l.unsure(some)); err != nil {
				return err
			}
			left = append(l.present(some), left[len(some):]...)
			l.endPart(j, "moved to "+title(c.Dest).String(), total-len(left), total, moveRefused(c.Dest, refusal), refusedThen(refusal))
			return nil
		case l.desyncing():
			j.lost++
			return nil // tried again behind the reselection
		}
		l.moving.took(len(some), time.Since(began))
		l.s.goesWell(j)
		left = left[len(some):]
	}
	left := l.present(uids)
	if len(left) > 0 {
		// RFC 6851 wants the EXPUNGEs before the OK; not every server does it.
		if err := l.noop(); err != nil {
			return err
		}
		left = l.present(uids)
	}
	switch {
	case len(left) > 0 && l.copyUID && l.isGmail():
		// They have the other label now; All Mail, say, keeps them whatever is done.
		l.s.finish(j, nil, safetext.Text{})
	case len(left) == len(uids) && l.copyUID:
		l.s.finish(j, nil, safetext.Format("it is in %s now, but the server did not remove it here", title(c.Dest)))
	case len(left) == len(uids):
		l.s.finish(j, fmt.Errorf("the server said OK, but the message is still here and not known to be in %s", title(c.Dest)), safetext.Text{})
	case len(left) > 0:
		l.s.finish(j, nil, safetext.Format("the server said OK, but %s of %s messages are still here", safetext.Int(len(left)), safetext.Int(len(uids))))
	case !l.copyUID && l.hasUIDPlus() && again:
		return l.endEmptyMove(j, c)
	case !l.copyUID && l.hasUIDPlus():
		// Somebody else's EXPUNGE was quicker: an OK that moved nothing.
		l.s.finish(j, errGone, safetext.Text{})
	default:
		l.s.finish(j, nil, safetext.Text{})
	}
	return nil
}

// refusedThen is a refusal of a part, behind what was done before it.
func refusedThen(refusal error) error {
	return errors.New("the server refused: it said " + words(refusal))
}

// desyncing tells that what the list says is not worth a verdict now.
func (l *link) desyncing() bool { return l.desync != nil }

// present are the targets that the list holds.
func (l *link) present(uids []store.UID) []store.UID {
	var there []store.UID
	for _, u := range uids {
		if _, ok := l.m.list.Find(u); ok {
			there = append(there, u)
		}
	}
	return there
}

// title is a mailbox's name for a sentence.
func title(name string) safetext.Text { return say(wire.MailboxTitle(name)) }

// hasUIDPlus tells whether single messages can be expunged (RFC 4315).
func (l *link) hasUIDPlus() bool {
	return l.caps.Has(imap.CapUIDPlus) || l.caps.Has(imap.CapIMAP4rev2)
}

// moveRefused is the server's refusal of a MOVE or COPY.
func moveRefused(dest string, refusal error) error {
	if noMailbox(refusal) {
		return fmt.Errorf("%s; nothing was moved", missing(dest, refusal))
	}
	return fmt.Errorf("the server refused to move it to %s: it said %s; nothing was moved", title(dest), words(refusal))
}

// noMailbox tells whether a refusal is for want of the mailbox that is copied to
// (RFC 9051 §7.1, TRYCREATE).
func noMailbox(refusal error) bool {
	var no *imap.Error
	return errors.As(refusal, &no) && (no.Code == imap.ResponseCodeTryCreate || no.Code == imap.ResponseCodeNonExistent)
}

// missing says that a mailbox is not there, and what to do.
func missing(dest string, refusal error) string {
	return fmt.Sprintf("there is no mailbox named %s: the server said %s; make it first, or choose another", title(dest), words(refusal))
}
