package imapsession

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"

	"tidings/internal/safetext"
	"tidings/store"
)

// and adds what one COPYUID says. Both sets are read in ascending order, in which
// servers copy; where they are of different sizes, nothing is known any more.
func (c *Copied) and(dest string, uidValidity uint32, from, to imap.NumSet) *Copied {
	src, ok1 := nums(from)
	dst, ok2 := nums(to)
	if !ok1 || !ok2 || len(src) != len(dst) || uidValidity == 0 {
		return c
	}
	if c == nil {
		c = &Copied{Place: store.Place{Mailbox: dest, UIDValidity: uidValidity}}
	}
	for i := range src {
		c.From = append(c.From, store.UID(src[i]))
		c.To = append(c.To, store.UID(dst[i]))
	}
	return c
}

// maxCopied bounds what a COPYUID may name.
const maxCopied = 1 << 20

// nums are the UIDs of a set; false where it has none, is open or too large.
func nums(set imap.NumSet) ([]imap.UID, bool) {
	uids, ok := set.(imap.UIDSet)
	if !ok || len(uids) == 0 {
		return nil, false
	}
	total := uint64(0)
	for _, r := range uids {
		if r.Start == 0 || r.Stop < r.Start {
			return nil, false
		}
		total += uint64(r.Stop-r.Start) + 1
	}
	if total > maxCopied {
		return nil, false
	}
	return uids.Nums()
}

// copy copies messages by UID.
func (l *link) copy(j *job, c Copy) error {
	if c.Dest == "" || strings.ContainsAny(c.Dest, "\x00\r\n") {
		l.s.finish(j, errors.New("that is no name of a mailbox"), safetext.Text{})
		return nil
	}
	if err := l.settle(); err != nil {
		return err
	}
	uids := ascending(c.Target.UIDs)
	if ready, err := l.readyToCopy(j, uids, c.Dest); !ready || err != nil {
		return err
	}
	l.copyUID = false
	todo, total := j.rest(uids), len(uids)
	proven := j.stage == copied // in an earlier run: what was copied to where is not kept
	for len(todo) > 0 {
		if !l.goesOn(j, total-len(todo), total) {
			return nil
		}
		some := l.copying.of(todo, l.s.stride)
		began := time.Now()
		_, refusal, err := l.copySome(j, some, c.Dest)
		switch {
		case err != nil:
			return err
		case refusal != nil && l.s.putOff(j, refusal):
			return nil
		case refusal != nil:
			l.endPart(j, "copied to "+title(c.Dest).String(), total-len(todo), total, copyRefused(c.Dest, refusal), refusedThen(refusal))
			return nil
		}
		l.copying.took(len(some), time.Since(began))
		l.s.goesWell(j)
		todo = todo[len(some):]
		j.copies.left, j.stage = todo, fresh
		if len(todo) == 0 {
			j.stage = copied
		}
	}
	if l.hasUIDPlus() && j.copied == nil && !l.copyUID && !proven {
		l.s.finish(j, errGone, safetext.Text{}) // an OK that copied nothing
		return nil
	}
	note := safetext.Text{}
	if j.copied != nil && len(j.copied.From) < total {
		note = safetext.Format("%s of %s messages were copied; the others were gone already", safetext.Int(len(j.copied.From)), safetext.Int(total))
	}
	l.s.finish(j, nil, note)
	return nil
}

func copyRefused(dest string, refusal error) error {
	if noMailbox(refusal) {
		return fmt.Errorf("%s; nothing was copied", missing(dest, refusal))
	}
	return fmt.Errorf("the server refused to copy it to %s: it said %s; nothing was copied", title(dest), words(refusal))
}

// expunge removes messages for good. Both of its steps may be sent again: they
// name the messages.
func (l *link) expunge(j *job, c Expunge) error {
	switch {
	case l.readOnly:
		l.s.finish(j, errReadOnly, safetext.Text{})
		return nil
	case !l.hasUIDPlus():
		l.s.finish(j, errors.New("this server cannot remove single messages for good (no UIDPLUS): nothing was changed"), safetext.Text{})
		return nil
	}
	l.flagsSeen = map[store.UID]bool{}
	defer func() { l.flagsSeen = nil }()
	total := len(c.Target.UIDs)
	for left := ascending(c.Target.UIDs); len(left) > 0; {
		done := total - len(left)
		if !l.goesOn(j, done, total) {
			return nil
		}
		part := l.moving.of(left, l.s.stride)
		began := time.Now()
		refusal, err := l.storeBoth(part, []string{`\Deleted`}, nil)
		if err != nil {
			return err
		}
		if refusal == nil {
			refusal, err = l.drain(l.client.UIDExpunge(uidSet(part)).Close())
		}
		if err != nil {
			return err
		}
		if refusal != nil && l.s.putOff(j, refusal) {
			return nil
		}
		if refusal != nil {
			l.endPart(j, "removed", done, total, fmt.Errorf("the server refused to remove it: it said %s", words(refusal)), refusedThen(refusal))
			return nil
		}
		l.moving.took(len(part), time.Since(began))
		l.s.goesWell(j)
		left = left[len(part):]
	}
	l.s.finish(j, nil, safetext.Text{})
	return nil
}

// createFolder makes a mailbox, and subscribes to it as other programs expect.
func (l *link) createFolder(j *job, c CreateFolder) error {
	name := strings.TrimSpace(c.Name)
	if name == "" || strings.ContainsAny(name, "\x00\r\n") {
		l.s.finish(j, errors.New("that is no name of a mailbox"), safetext.Text{})
		return nil
	}
	if err := l.settle(); err != nil {
		return err
	}
	refusal, err := l.drain(l.client.Create(name, nil).Wait())
	if err != nil {
		return err
	}
	var no *imap.Error
	if errors.As(refusal, &no) && no.Code == imap.ResponseCodeAlreadyExists {
		refusal = nil
	}
	if refusal != nil && l.s.putOff(j, refusal) {
		return nil
	}
	if refusal != nil {
		l.s.finish(j, fmt.Errorf("the server would not make the folder %s: it said %s", title(name), words(refusal)), safetext.Text{})
		return nil
	}
	note := safetext.Text{}
	refusal, err = l.drain(l.client.Subscribe(name).Wait())
	if err != nil {
		return err
	}
	if refusal != nil {
		note = safetext.Format("made, but other programs may not list it: the server said %s", say(words(refusal)))
	}
	l.s.finish(j, nil, note)
	return nil
}
