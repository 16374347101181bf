package imapsession

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"tidings/imapsession/wire"
	"tidings/store"
)

// selecting follows a SELECT on the wire: what comes before its EXISTS still
// belongs to the mailbox that was selected before (RFC 9051 §7.1, CLOSED).
type selecting struct {
	counted  bool
	count    uint32
	unstable bool // UIDNOTSTICKY: UIDs do not outlive the selection (RFC 4315)
}

func (sel *selecting) apply(ev wire.Event) {
	switch ev.Kind {
	case wire.KindExists:
		sel.counted = true
		sel.count = ev.Num
	case wire.KindExpunge:
		if sel.counted && sel.count > 0 {
			sel.count--
		}
	}
}

// selection is what a SELECT brought.
type selection struct {
	count       uint32
	uidValidity uint32
	anyKeyword  bool
	unstable    bool
}

// openMailbox selects the mailbox, brings the list in step with it, and says
// so: a Resync, the summaries, what arrived meanwhile. The link is live then.
func (l *link) openMailbox() error {
	sel, err := l.selectMailbox()
	if err != nil {
		return err
	}
	l.desync, l.opened = nil, true
	if err := l.reconcile(sel); err != nil {
		return err
	}
	l.s.proven, l.proven = true, true
	l.s.unseen.known = false
	l.auditAt = time.Now().Add(auditEvery)
	l.live()
	return nil
}

// selectMailbox sends SELECT, or EXAMINE where nothing may change.
func (l *link) selectMailbox() (selection, error) {
	name := l.m.name
	l.pump()
	var enable *imapclient.EnableCommand
	if l.liveSince.IsZero() && l.caps.Has(imap.CapIMAP4rev2) && l.caps.Has(imap.CapIMAP4rev1) {
		// imapclient encodes mailbox names as rev2 wants them as soon as the
		// server offers both, so rev2 has to be on. It goes out with SELECT.
		enable = l.client.Enable(imap.CapIMAP4rev2)
	}
	l.selecting = new(selecting)
	cmd := l.client.Select(name, &imap.SelectOptions{ReadOnly: !l.m.writable})
	if enable != nil {
		if _, err := enable.Wait(); err != nil && !refused(err) {
			_, _ = cmd.Wait()
			return selection{}, l.lost(err)
		}
	}
	data, err := cmd.Wait()
	l.pump()
	state := l.selecting
	l.selecting = nil
	if err != nil {
		if refused(err) {
			return selection{}, selectFault(err, name, l.proven)
		}
		return selection{}, l.lost(err)
	}
	if !state.counted {
		return selection{}, &fault{text: fmt.Sprintf("the server opened %s without saying how many messages it holds", title(name))}
	}
	switch l.taggedCode {
	case "READ-ONLY":
		l.readOnly = true
	case "READ-WRITE":
		l.readOnly = false
	}
	return selection{
		count:       state.count,
		uidValidity: data.UIDValidity,
		anyKeyword:  slices.Contains(data.PermanentFlags, imap.FlagWildcard),
		unstable:    state.unstable,
	}, nil
}

const (
	desyncWindow = time.Minute
	maxDesyncs   = 3 // within desyncWindow, before the link is given up
)

// reselect selects again after the server contradicted the list.
func (l *link) reselect() error {
	now := time.Now()
	l.desyncs = slices.DeleteFunc(l.desyncs, func(t time.Time) bool { return now.Sub(t) > desyncWindow })
	l.desyncs = append(l.desyncs, now)
	if len(l.desyncs) > maxDesyncs {
		return &fault{
			text: "the server keeps contradicting itself about what the mailbox holds: the link was dropped",
			err:  errors.Join(store.ErrDesync, l.desync),
		}
	}
	if err := l.settle(); err != nil {
		return err
	}
	l.working(Selecting, say("the server and the list disagreed: reading the mailbox again"))
	return l.openMailbox()
}
