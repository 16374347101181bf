package ui

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"tidings/imapsession"
	"tidings/internal/safetext"
	"tidings/store"
)

// happened gathers what one batch of events did, so that a storm of them ends
// as one line and not as a thousand.
type happened struct {
	expunged []store.UID
	flagged  []flagChange
	notices  []imapsession.NewMailEvent
}

type flagChange struct {
	uid      store.UID
	old, new store.Flags
}

// apply applies one batch to the account. It costs what the batch and the
// screen cost, whatever the size of the mailbox.
func (m *Model) apply(a *account, events []imapsession.Event) {
	var h happened
	for _, ev := range events {
		switch ev := ev.(type) {
		case imapsession.StateEvent:
			m.stateChanged(a, ev)
		case imapsession.ResyncEvent:
			m.resynced(a, ev)
		case imapsession.ListEvent:
			a.changed(ev, &h)
		case imapsession.SummariesEvent:
			if ev.UIDValidity == a.validity {
				a.learn(ev.Summaries)
			}
		case imapsession.NewMailEvent:
			if ev.UIDValidity == a.validity {
				h.notices = append(h.notices, ev)
			}
		case imapsession.UnseenEvent:
			if ev.Epoch == a.epoch {
				a.unseen, a.counted = ev.N, ev.Known
			}
		case imapsession.BodyEvent:
			if !a.gathering(ev) {
				m.bodyArrived(a, ev)
			}
		case imapsession.StructureEvent:
			if j, ok := a.jobs[ev.ID]; ok {
				j.asked = ev
				a.jobs[ev.ID] = j
			}
		case imapsession.FoldersEvent:
			m.foldersArrived(a, ev)
		case imapsession.CountsEvent:
			m.countsArrived(a.root, ev)
		case imapsession.ResultEvent:
			a.unqueued(ev.ID)
			m.ended(a, ev)
		case imapsession.QueuedEvent:
			m.queued(a, ev)
			for b := range a.siblings {
				m.releaseNews(b)
			}
		case imapsession.SearchEvent:
			a.dayHit(ev)
			m.searchEvent(a, ev)
		case imapsession.ProgressEvent:
			a.progressed(ev)
		case imapsession.AlertEvent:
			if ev.Own {
				m.say(a, said(sWarn, ev.Text))
				break
			}
			word := ink("the server says: ")
			if ev.Bye {
				word = "the server hangs up: "
			}
			m.say(a, own(sWarn, word), said(sPlain, ev.Text))
		}
	}
	m.tellQueued(a)
	// What went is not always said: after an overflow, or where rows were not
	// known, the list shows it.
	if r := a.reader; r != nil && !a.view.list.MayHold(r.uid) {
		r.gone = true
	}
	a.selectReturned()
	a.tell(m, &h)
}

func (m *Model) stateChanged(a *account, ev imapsession.StateEvent) {
	was := a.state
	a.state, a.started = ev, true
	if ev.Fatal && a.root != a && (a.epoch == 0 || ev.NoMailbox) {
		m.refusedFolder(a, ev)
		return
	}
	if ev.State != imapsession.Live {
		for b := range a.siblings {
			m.releaseNews(b)
		}
		a.progress = imapsession.ProgressEvent{Ended: true} // it goes on when the link does
		if was.State == imapsession.Live {
			a.heardLast = a.cfg.Session.LastSign()
		}
	}
	switch {
	case ev.State == imapsession.Live && was.State != imapsession.Live && was.Attempt > 0:
		if !a.renumbered { // which was said, and says more
			m.say(a, own(sGood, "back online"))
		}
	case ev.Fatal && ev.SignIn && !was.SignIn:
		if rest, ok := strings.CutPrefix(ev.Reason.String(), "sign in again: press R"); ok {
			m.say(a, own(sBad, "sign in again: press R"), said(sPlain, ev.Reason.Slice(ev.Reason.Len()-len(rest), ev.Reason.Len())))
			break
		}
		m.say(a, own(sBad, "sign in again: press R"), own(sDim, ": "), said(sPlain, ev.Reason))
	case ev.Fatal && !was.Fatal:
		m.say(a, own(sBad, "stopped: "), said(sPlain, ev.Reason))
	case ev.State == imapsession.Waiting && !ev.Reason.IsEmpty() && ev.Reason != a.trouble:
		m.say(a, own(sBad, "offline: "), said(sPlain, ev.Reason))
	}
	a.renumbered = a.renumbered && ev.State != imapsession.Live
	if ev.State == imapsession.Live {
		a.trouble = safetext.Text{}
	} else if !ev.Reason.IsEmpty() {
		a.trouble = ev.Reason
	}
}

// unreadIn counts the unread messages of a list, where it knows the flags of all.
func unreadIn(list *store.List) (unread uint32, known bool) {
	if known = list.CountUnknown() == 0; !known {
		return 0, false
	}
	list.Known(0, list.Len(), func(_ int, r store.Row) bool {
		if !r.Flags.Has(store.Seen) {
			known = r.Flags.Known()
			unread++
		}
		return known
	})
	return unread, known
}

func (m *Model) resynced(a *account, ev imapsession.ResyncEvent) {
	first := !a.loaded
	elsewhere := a.mailbox != ev.Mailbox || a.validity != ev.UIDValidity
	wasKept := !a.asOf.IsZero() // what was counted then was counted in the cache
	a.loaded, a.asOf = true, ev.AsOf
	if !ev.AsOf.IsZero() {
		a.confirmed = ev.AsOf
	}
	a.epoch, a.mailbox, a.validity = ev.Epoch, ev.Mailbox, ev.UIDValidity
	a.permanent, a.anyKeyword = ev.Permanent, ev.AnyKeyword
	if a.wants == "" {
		a.box = safetext.Clean(ev.Mailbox)
	}
	if strings.EqualFold(ev.Mailbox, "INBOX") {
		a.box = safetext.Const("INBOX")
	}
	dropped := 0
	if elsewhere || ev.Reload {
		a.marked = marked{}
		a.history.renumbered(a.place())
		a.returns = returning{}
	}
	if ev.Reload {
		m.dropFinding(a)
		dropped = a.over.Len()
		a.over.Reset()
		a.outbox.undrawn()
		a.sums.Reset()
		if a.reader != nil {
			a.reader.gone = true
		}
	}
	if ev.List == nil {
		ev.List = &store.List{}
	}
	if unread, known := unreadIn(ev.List); known {
		a.unseen, a.counted = unread, true
	} else if wasKept {
		a.counted = false
	}
	a.drawQueued()
	arrived := int(ev.Arrived) - a.putSince(ev.List)
	gone := make(map[store.UID]bool, len(ev.Gone))
	for _, uid := range ev.Gone {
		gone[uid] = true
	}
	a.unmarkGone(ev.List)
	if r := a.reader; r != nil && gone[r.uid] {
		r.gone = true
	}
	a.view.resync(ev.List, func(uid store.UID) bool { return gone[uid] }, ev.Reload || first)
	top, _, _ := ev.List.MaxUID()
	a.pages.reset(top, elsewhere)
	if ev.Selected != 0 {
		a.wanted = wanted{ev.Selected, a.view.uid}
	}
	a.restore()
	m.baseline(a, ev, top)
	if first {
		return
	}
	if ev.Reload {
		line := []span{own(sWarn, "the server renumbered the mailbox: loaded anew")}
		a.renumbered = true
		if dropped > 0 {
			line = append(line, own(sWarn, ", and "+ink(thousands(dropped))+plural(dropped, " action that waited was", " actions that waited were")+" dropped"))
		}
		m.say(a, line...)
		return
	}
	var spans []span
	add := func(n int, word ink) {
		if n > 0 {
			if len(spans) > 0 {
				spans = append(spans, own(sDim, ", "))
			}
			spans = append(spans, own(sPlain, ink(thousands(n))+word))
		}
	}
	add(arrived, " arrived")
	add(len(ev.Gone), " expunged")
	add(len(ev.Changed), " changed flags")
	if len(spans) > 0 {
		m.say(a, append([]span{own(sAccent, "meanwhile: ")}, spans...)...)
	}
}

// changed applies one list event.
func (a *account) changed(ev imapsession.ListEvent, h *happened) {
	if ev.Epoch != a.epoch {
		return
	}
	did, err := a.view.list.Apply(ev.Change)
	if err != nil {
		// The session sees the same disagreement and will resync.
		slog.Warn("the list and an event disagree", "account", a.cfg.Name.String(), "kind", ev.Change.Kind, "error", err)
		return
	}
	a.view.applied(ev.Change, did)
	switch ev.Change.Kind {
	case store.Expunge, store.Vanished:
		uid := did.Old.UID
		if uid == 0 {
			uid = ev.UID
		}
		if did.Count == 0 {
			return
		}
		if a.reader != nil && uid != 0 && a.reader.uid == uid {
			a.reader.gone = true
		}
		a.marked.drop(uid)
		if _, ours := a.over.Leaving(uid); !ours && !a.history.recalls(a.place(), uid) {
			h.expunged = append(h.expunged, uid)
		}
	case store.SetFlags:
		if did.Old.Flags.Known() && did.Old.Flags != did.New.Flags && did.New.UID != 0 {
			_, ours := a.over.Flags(did.New.UID, did.New.Flags)
			_, leaving := a.over.Leaving(did.New.UID) // \Deleted is a step of a move, or of deleting
			if !ours && !leaving {
				h.flagged = append(h.flagged, flagChange{did.New.UID, did.Old.Flags, did.New.Flags})
			}
		}
	}
}

func (a *account) learn(ss []*store.Summary) {
	for _, s := range ss {
		if a.emoji {
			s = emojiAsText(s)
		}
		a.sums.Put(s)
		a.view.learnt(s)
	}
}

func emojiAsText(s *store.Summary) *store.Summary {
	c := *s
	c.Subject = s.Subject.EmojiText()
	c.From = append([]store.Address(nil), s.From...)
	for i := range c.From {
		c.From[i].Name = c.From[i].Name.EmojiText()
	}
	return &c
}

// ended ends a command: its effect is confirmed, or taken back with the
// server's own words.
func (m *Model) ended(a *account, ev imapsession.ResultEvent) {
	a.over.End(uint64(ev.ID))
	m.stirred(a, ev)
	a.putThere(ev.Copied)
	j, ours := a.jobs[ev.ID]
	delete(a.jobs, ev.ID)
	if !ours {
		return
	}
	if j.home != nil {
		defer m.releaseNews(j.home)
	}
	if j.kind == jobFolders && ev.Err != nil {
		a.folders.asked = false
		a.folders.then = nil
	}
	switch j.kind {
	case jobDeed:
		m.deedEnded(a, j, ev)
		return
	case jobBack:
		m.backEnded(a, j, ev)
		return
	case jobLocate:
		m.located(a, j, ev)
		return
	case jobMade:
		j.then(m, ev.Err)
		return
	}
	if j.kind == jobDay {
		m.dayEnded(a, ev)
		return
	}
	if j.kind == jobCount {
		m.countEnded(a.root, ev)
		return
	}
	if j.kind == jobStructure {
		j.answer <- structureAnswer{j.asked, ev.Err}
		return
	}
	if j.kind == jobGather {
		m.gathered(a, ev)
		return
	}
	if j.kind == jobBody {
		m.bodyEnded(a, ev)
		return
	}
	if j.kind == jobSearch {
		m.searchEnded(a, ev)
		return
	}
	if j.deed != nil && ev.Err != nil {
		a.history.forget(j.deed) // it did not happen
	}
	switch {
	case ev.Err == nil && !ev.Note.IsEmpty():
		m.say(a, append(j.spans(), own(sDim, " "+m.theme.marks.bullet+" "), said(sWarn, ev.Note))...)
	case ev.Err == nil && j.kind == jobDone:
		m.say(a, j.spans()...)
	case ev.Err == nil:
	case errors.Is(ev.Err, context.Canceled):
		m.say(a, own(sDim, "taken back: "), said(sPlain, j.subject))
	case j.kind == jobFolders:
		m.sayFailed(a, "the folders could not be listed: ", ev.Err)
	default:
		m.say(a, own(sBad, "sent back: "), said(sPlain, safetext.Clean(ev.Err.Error())), own(sDim, " "+m.theme.marks.bullet+" "), said(sDim, j.subject))
	}
}

// sayFailed says why something could not be done.
func (m *Model) sayFailed(a *account, what ink, err error) {
	m.say(a, own(sBad, what), said(sPlain, safetext.Clean(err.Error())))
}

func (m *Model) foldersArrived(a *account, ev imapsession.FoldersEvent) {
	a.folders.list, a.folders.known, a.folders.asked = ev.Folders, true, false
	a.folders.gmail = ev.Gmail
	m.listed(a.root, ev)
	then := a.folders.then
	a.folders.then = nil
	for _, f := range then {
		f(m)
	}
}

// withFolders calls f as soon as the account's folders are known.
func (m *Model) withFolders(a *account, f func(*Model)) {
	a = a.root
	if a.folders.known {
		f(m)
		return
	}
	a.folders.then = append(a.folders.then, f)
	m.askFolders(a)
}
