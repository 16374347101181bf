package imapsession

import (
	"errors"
	"fmt"
	"time"

	"tidings/internal/safetext"
	"tidings/store"
)

// moveByCopy is the move of a server without MOVE: a portion is copied, and only
// what the server says that it has copied is removed here, before the next one is.
// Each step waits for the one before it, outside IDLE.
func (l *link) moveByCopy(j *job, c Move, uids []store.UID) error {
	if err := l.settle(); err != nil {
		return err
	}
	uids = ascending(uids)
	if ready, err := l.readyToCopy(j, uids, c.Dest); !ready || err != nil {
		return err
	}
	total := len(c.Target.UIDs)
	moved, dest := "moved to "+title(c.Dest).String(), title(c.Dest)
	todo := j.rest(uids)
	behind := without(without(uids, todo), j.copies.unproven) // copied, and still here
	for {
		kept := len(j.copies.unproven)
		if len(behind) > 0 {
			j.copies.behind = len(behind)
			refusal, marked, err := l.removeOriginals(behind)
			switch {
			case err != nil:
				return err
			case refusal != nil && l.s.putOff(j, refusal):
				return nil
			case refusal != nil:
				l.endOriginals(j, dest, total-len(todo)-len(behind)-kept, total, marked, refusal)
				return nil
			}
			j.copies.behind = 0
		}
		if len(todo) == 0 {
			break
		}
		if !l.goesOn(j, total-len(todo)-kept, total) {
			return nil
		}
		some := l.copying.of(todo, l.s.stride)
		began := time.Now()
		proven, refusal, err := l.copySome(j, some, c.Dest)
		switch {
		case err != nil:
			return err
		case refusal != nil && l.s.putOff(j, refusal):
			return nil
		case refusal != nil:
			l.endPart(j, moved, total-len(todo)-kept, total, moveRefused(c.Dest, refusal), refusedThen(refusal))
			return nil
		}
		l.copying.took(len(some), time.Since(began))
		l.s.goesWell(j)
		todo = todo[len(some):]
		j.copies.left, j.stage = todo, fresh
		if len(todo) == 0 {
			j.stage = copied
			if len(proven) == len(some) && len(j.copies.unproven) == 0 {
				l.s.noteStage(j, copied) // all of them: what is left to do needs no look
			}
		}
		behind = proven
		if len(proven) < len(some) {
			j.copies.unproven = append(j.copies.unproven, without(some, proven)...)
			if err := l.forgetGone(j); err != nil {
				return err
			}
		}
	}
	switch kept := len(j.copies.unproven); {
	case kept == len(uids):
		l.s.finish(j, fmt.Errorf("the server said OK to a copy to %s, but not which one it made: look there; nothing was removed here", dest), safetext.Text{})
	case kept > 0:
		l.s.finish(j, nil, safetext.Format("of %s of %s messages the server did not say that it made a copy in %s: they stay here", safetext.Int(kept), safetext.Int(len(uids)), dest))
	case j.copied == nil && l.hasUIDPlus() && len(behind) == 0:
		l.s.finish(j, errGone, safetext.Text{})
	case !l.hasUIDPlus():
		l.s.finish(j, nil, safetext.Format("copied to %s; the original stays here, marked deleted, because the server cannot remove single messages (no UIDPLUS)", dest))
	default:
		l.s.finish(j, nil, safetext.Text{})
	}
	return nil
}

// forgetGone takes off the unproven copies of messages that are not here any more:
// mostly somebody else was first.
func (l *link) forgetGone(j *job) error {
	if err := l.noop(); err != nil {
		return err
	}
	if !l.desyncing() {
		j.copies.unproven = l.present(j.copies.unproven)
	}
	return nil
}

// removeOriginals removes messages behind their copies: for good where that can be
// done to single messages, else they are marked deleted.
func (l *link) removeOriginals(uids []store.UID) (refusal error, marked bool, err error) {
	refusal, err = l.markDeleted(uids)
	if err != nil || refusal != nil || !l.hasUIDPlus() {
		return refusal, false, err
	}
	refusal, err = l.expungeAll(uids)
	return refusal, true, err
}

// endOriginals ends a move whose originals the server will not let go.
func (l *link) endOriginals(j *job, dest safetext.Text, done, total int, marked bool, refusal error) {
	how := ""
	if marked {
		how = ", marked deleted"
	}
	stays := fmt.Sprintf("copied to %s, but the original stays here%s: the server said %s", dest, how, words(refusal))
	switch {
	case l.expired: // goes on with a new token
		l.s.finish(j, errors.New(stays), safetext.Text{})
	case done > 0:
		l.s.finish(j, nil, safetext.Format("%s of %s messages were moved; more were %s", safetext.Int(done), safetext.Int(total), say(stays)))
	case marked:
		l.s.finish(j, nil, say(stays))
	default:
		l.s.finish(j, errors.New(stays), safetext.Text{})
	}
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
