package imapsession

import (
	"errors"
	"fmt"
	"strings"

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
	if l.m.visited {
		if err := l.learn(c.Target.UIDs); err != nil {
			return err
		}
	}
	there := l.stillThere(c.Target.UIDs)
	if len(there) == 0 {
		return l.endEmptyMove(j, c)
	}
	if l.client.Caps().Has(imap.CapMove) && j.stage <= sent {
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
	done := 0
	for i, part := range uidLines(uids) {
		if !l.goesOn(j, done, len(uids)) {
			return nil
		}
		done += len(part)
		cmd := l.client.Move(uidSet(part), c.Dest)
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
			if len(l.stillThere(uids)) == 0 && !l.desyncing() {
				refusal = nil
			}
		}
		switch {
		case refusal != nil && i > 0:
			l.s.finish(j, nil, safetext.Format("%s of %s messages were moved to %s; then the server refused: it said %s",
				safetext.Int(len(uids)-len(l.present(uids))), safetext.Int(len(uids)), title(c.Dest), say(words(refusal))))
			return nil
		case refusal != nil:
			l.s.finish(j, moveRefused(c.Dest, refusal), safetext.Text{})
			return nil
		case l.desyncing():
			j.lost++
			return nil // tried again behind the reselection
		}
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

// moveByCopy is the move of a server without MOVE. Each step waits for the one
// before it, outside IDLE.
func (l *link) moveByCopy(j *job, c Move, uids []store.UID) error {
	if err := l.settle(); err != nil {
		return err
	}
	if j.stage < copied {
		how, part, refusal, err := l.copyAll(j, uids, c.Dest)
		switch {
		case err != nil:
			return err
		case refusal != nil && part > 0:
			l.s.finish(j, copyFailed(c.Dest, part, len(uids), refusal), safetext.Text{})
			return nil
		case refusal != nil:
			l.s.finish(j, moveRefused(c.Dest, refusal), safetext.Text{})
			return nil
		case how == unnamed:
			return l.endUnprovenCopy(j, c, uids)
		case how == notYet:
			return nil
		}
	}
	if j.stage < marked {
		refusal, err := l.markDeleted(uids)
		if err != nil {
			return err
		}
		if refusal != nil {
			l.s.finish(j, fmt.Errorf("copied to %s, but the original stays here: the server said %s", title(c.Dest), words(refusal)), safetext.Text{})
			return nil
		}
		j.stage = marked
	}
	if !l.hasUIDPlus() {
		l.s.finish(j, nil, safetext.Format("copied to %s; the original stays here, marked deleted, because the server cannot remove single messages (no UIDPLUS)", title(c.Dest)))
		return nil
	}
	refusal, err := l.expungeAll(uids)
	if err != nil {
		return err
	}
	if refusal != nil {
		l.s.finish(j, nil, safetext.Format("copied to %s; the original stays here, marked deleted: the server said %s", title(c.Dest), say(words(refusal))))
		return nil
	}
	l.s.finish(j, nil, safetext.Text{})
	return nil
}

// markDeleted sets \Deleted on messages.
func (l *link) markDeleted(uids []store.UID) (refusal, err error) {
	l.flagsSeen = map[store.UID]bool{}
	defer func() { l.flagsSeen = nil }()
	for _, some := range uidLines(uids) {
		if refusal, err = l.storeBoth(some, []string{`\Deleted`}, nil); refusal != nil || err != nil {
			break
		}
	}
	return refusal, err
}

// expungeAll removes messages that are marked deleted.
func (l *link) expungeAll(uids []store.UID) (refusal, err error) {
	for _, some := range uidLines(uids) {
		if refusal, err = l.drain(l.client.UIDExpunge(uidSet(some)).Close()); refusal != nil || err != nil {
			break
		}
	}
	return refusal, err
}

// endUnprovenCopy ends a move whose COPY was answered by an OK that names no copy
// (COPYUID, RFC 4315). Mostly nothing was there to be copied any more. Where that
// is not so, the original stays: it is not removed without a proof of the copy.
func (l *link) endUnprovenCopy(j *job, c Move, uids []store.UID) error {
	if err := l.noop(); err != nil {
		return err
	}
	if len(l.present(uids)) == 0 && !l.desyncing() {
		l.s.finish(j, errGone, safetext.Text{})
		return nil
	}
	l.s.finish(j, fmt.Errorf("the server said OK to a copy to %s, but not which one it made: look there; nothing was removed here", title(c.Dest)), safetext.Text{})
	return nil
}

// title is a mailbox's name for a sentence.
func title(name string) safetext.Text { return say(wire.MailboxTitle(name)) }

// hasUIDPlus tells whether single messages can be expunged (RFC 4315).
func (l *link) hasUIDPlus() bool {
	return l.caps.Has(imap.CapUIDPlus) || l.caps.Has(imap.CapIMAP4rev2)
}

// moveRefused is the server's refusal of a MOVE or COPY.
func moveRefused(dest string, refusal error) error {
	var no *imap.Error
	if errors.As(refusal, &no) && (no.Code == imap.ResponseCodeTryCreate || no.Code == imap.ResponseCodeNonExistent) {
		return fmt.Errorf("there is no mailbox named %s: the server said %s; nothing was moved", title(dest), words(refusal))
	}
	return fmt.Errorf("the server refused to move it to %s: it said %s; nothing was moved", title(dest), words(refusal))
}
