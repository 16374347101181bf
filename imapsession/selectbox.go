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
	modseq   uint64
}

// status takes the codes that come with a SELECT, and tells whether it was one.
func (sel *selecting) status(ev wire.Event) bool {
	switch ev.Code {
	case "UIDNOTSTICKY":
		sel.unstable = true
	case "HIGHESTMODSEQ":
		sel.modseq = ev.ModSeq
	case "NOMODSEQ", "CLOSED":
		sel.modseq = 0
	default:
		return false
	}
	return true
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
	case wire.KindVanished:
		for _, r := range ev.UIDs {
			if n := uint64(r.Hi) - uint64(r.Lo) + 1; sel.counted && !ev.Earlier {
				sel.count -= uint32(min(n, uint64(sel.count)))
			}
		}
	}
}

// selection is what a SELECT brought.
type selection struct {
	count       uint32
	uidValidity uint32
	uidNext     store.UID // as the server says; 0 where it does not
	modseq      uint64    // HIGHESTMODSEQ; 0 where there is none
	anyKeyword  bool
	permanent   []string // PERMANENTFLAGS, but for the one that allows any other
	unstable    bool
}

// maxPermanent bounds the flags that a server may name as permanent.
const maxPermanent = 1000

// openMailbox selects the mailbox, brings the list in step with it, and says
// so: a Resync, the summaries, what arrived meanwhile. The link is live then.
func (l *link) openMailbox() error { return l.open(trustAll) }

// open is openMailbox for a server that is believed so far.
func (l *link) open(how trust) error {
	if err := l.catchUp(how); err != nil {
		return err
	}
	l.s.proven, l.proven = true, true
	l.s.unseen.known = false
	l.sweepAgain()
	l.auditAt = time.Now().Add(auditEvery)
	l.live()
	return nil
}

// catchUp selects the mailbox and reconciles. Where the server contradicts what
// it said, less of it is believed.
func (l *link) catchUp(how trust) error {
	for {
		sel, err := l.selectMailbox()
		if err != nil {
			return err
		}
		l.desync, l.opened = nil, true
		if l.s.fill.leads() {
			l.s.worker.rise(true)
		}
		if err = l.reconcile(sel, how); !errors.Is(err, errContradicted) {
			return err
		}
		how++
	}
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
	qresync, err := l.enableQresync()
	if err != nil {
		return selection{}, l.lost(err)
	}
	l.selecting = new(selecting)
	cmd := l.client.Select(name, &imap.SelectOptions{ReadOnly: !l.m.writable, CondStore: l.hasCondstore() && !l.m.visited})
	if enable != nil {
		if _, err := enable.Wait(); err != nil && !refused(err) {
			_, _ = cmd.Wait()
			return selection{}, l.lost(err)
		}
	}
	data, err := cmd.Wait()
	l.pump()
	if err := l.enabled(qresync); err != nil {
		return selection{}, err
	}
	state := l.selecting
	l.selecting = nil
	if err != nil {
		if refused(err) {
			return selection{}, l.selectRefused(err, name)
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
	var permanent []string
	for _, f := range data.PermanentFlags {
		if f != imap.FlagWildcard && len(permanent) < maxPermanent {
			permanent = append(permanent, string(f))
		}
	}
	return selection{
		permanent:   permanent,
		count:       state.count,
		uidValidity: data.UIDValidity,
		anyKeyword:  slices.Contains(data.PermanentFlags, imap.FlagWildcard),
		unstable:    state.unstable,
		uidNext:     store.UID(data.UIDNext),
		modseq:      state.modseq,
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
	return l.open(trustUIDs) // the flags may be another message's
}
