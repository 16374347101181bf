package imapsession

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"tidings/internal/safetext"
	"tidings/store"
)

// storeFlags adds and removes flags by UID. It is safe to send twice, so it is
// sent again after a reconnect.
func (l *link) storeFlags(j *job, c StoreFlags) error {
	if err := checkFlags(c.Add, c.Remove); err != nil {
		l.s.finish(j, err, safetext.Text{})
		return nil
	}
	if l.readOnly {
		l.s.finish(j, errReadOnly, safetext.Text{})
		return nil
	}
	j.stage = sent
	l.flagsSeen = map[store.UID]bool{}
	defer func() { l.flagsSeen = nil }()
	total := len(c.Target.UIDs)
	for left := ascending(c.Target.UIDs); len(left) > 0; {
		if !l.goesOn(j, total-len(left), total) {
			return nil
		}
		some := l.flagging.of(left, strideFlags)
		began := time.Now()
		refusal, err := l.storeBoth(some, c.Add, c.Remove)
		switch {
		case err != nil:
			return err
		case refusal != nil && l.s.putOff(j, refusal):
			return nil
		case refusal != nil:
			l.endPart(j, "changed", total-len(left), total, errors.New("the server refused to change the flags: it said "+words(refusal)), refusedThen(refusal))
			return nil
		}
		l.flagging.took(len(some), time.Since(began))
		l.s.goesWell(j)
		left = left[len(some):]
	}
	gone, err := l.askAfter(c.Target.UIDs)
	if err != nil {
		return err
	}
	if len(gone) == len(c.Target.UIDs) {
		l.s.finish(j, errGone, safetext.Text{})
		return nil
	}
	l.s.finish(j, nil, l.storeNote(c, len(gone)))
	return nil
}

var errReadOnly = errors.New("the server opened this mailbox read-only: nothing was changed")

// storeBoth sends one STORE that adds and one that removes, and waits for both.
func (l *link) storeBoth(uids []store.UID, add, remove []string) (refusal, err error) {
	var cmds []*imapclient.FetchCommand
	if len(add) > 0 {
		cmds = append(cmds, l.store(uids, imap.StoreFlagsAdd, add))
	}
	if len(remove) > 0 {
		cmds = append(cmds, l.store(uids, imap.StoreFlagsDel, remove))
	}
	settled := l.settle()
	for _, cmd := range cmds {
		r, e := l.drain(cmd.Close())
		refusal, err = errors.Join(refusal, r), errors.Join(err, e)
	}
	if settled != nil {
		return refusal, settled
	}
	if err != nil {
		return refusal, asFault(err)
	}
	return refusal, nil
}

// store sends a STORE, never .SILENT: what the server answers is what changes
// the list.
func (l *link) store(uids []store.UID, op imap.StoreFlagsOp, names []string) *imapclient.FetchCommand {
	flags := make([]imap.Flag, len(names))
	for i, n := range names {
		flags[i] = imap.Flag(n)
	}
	return l.client.Store(uidSet(uids), &imap.StoreFlags{Op: op, Flags: flags}, nil)
}

// drain pumps after a command and parts the server's word on it from the loss of
// the link.
func (l *link) drain(err error) (refusal, lost error) {
	l.pump()
	switch {
	case err == nil:
		return nil, nil
	case refused(err):
		return err, nil
	}
	return nil, l.lost(err)
}

// askAfter asks for the flags of the messages that the server's answers left
// out, and returns those that are gone.
func (l *link) askAfter(uids []store.UID) (gone []store.UID, err error) {
	var silent []store.UID
	for _, u := range uids {
		if !l.flagsSeen[u] {
			silent = append(silent, u)
		}
	}
	for _, part := range uidLines(silent) {
		l.asked = true
		_, err := l.gather(l.client.Fetch(uidSet(part), flagItems()))
		l.asked = false
		if err != nil {
			return nil, err
		}
	}
	for _, u := range silent {
		if !l.flagsSeen[u] {
			gone = append(gone, u)
		}
	}
	return gone, nil
}

// storeNote says what of the change did not come about.
func (l *link) storeNote(c StoreFlags, gone int) safetext.Text {
	unchanged := 0
	for _, u := range c.Target.UIDs {
		if i, ok := l.m.list.Find(u); ok {
			f := l.m.list.Row(i).Flags
			if f.Known() && f.With(c.Add, c.Remove) != f {
				unchanged++
			}
		}
	}
	switch {
	case unchanged > 0:
		return safetext.Format("the server said OK, but %s of %s messages did not take the change", safetext.Int(unchanged), safetext.Int(len(c.Target.UIDs)))
	case gone > 0:
		return safetext.Format("%s of %s messages were gone already", safetext.Int(gone), safetext.Int(len(c.Target.UIDs)))
	}
	return safetext.Text{}
}

// checkFlags refuses what is no flag: it would be taken for something else on
// the wire.
func checkFlags(lists ...[]string) error {
	n := 0
	for _, names := range lists {
		for _, name := range names {
			n++
			atom := strings.TrimPrefix(name, "\\")
			if atom == "" || strings.ContainsFunc(atom, notAtom) {
				return fmt.Errorf("%q is no flag", say(name))
			}
		}
	}
	if n == 0 {
		return errors.New("no flag was named")
	}
	return nil
}

// notAtom tells the characters that no atom may hold (RFC 9051 §9).
func notAtom(r rune) bool {
	return r <= ' ' || r >= 0x7f || strings.ContainsRune(`(){%*"\]`, r)
}

// chunks cuts uids into parts of at most n.
func chunks(uids []store.UID, n int) [][]store.UID {
	var parts [][]store.UID
	for len(uids) > n {
		parts = append(parts, uids[:n])
		uids = uids[n:]
	}
	if len(uids) > 0 {
		parts = append(parts, uids)
	}
	return parts
}
