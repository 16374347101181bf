package ui

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

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
			m.bodyArrived(a, ev)
		case imapsession.FoldersEvent:
			m.foldersArrived(a, ev)
		case imapsession.ResultEvent:
			m.ended(a, ev)
		case imapsession.AlertEvent:
			word := ink("the server says: ")
			if ev.Bye {
				word = "the server hangs up: "
			}
			m.say(a, own(sWarn, word), said(sPlain, ev.Text))
		}
	}
	a.tell(m, &h)
}

func (m *Model) stateChanged(a *account, ev imapsession.StateEvent) {
	was := a.state
	a.state, a.started = ev, true
	switch {
	case ev.State == imapsession.Live && was.State != imapsession.Live && was.Attempt > 0:
		m.say(a, own(sGood, "back online"))
	case ev.Fatal && !was.Fatal:
		m.say(a, own(sBad, "stopped: "), said(sPlain, ev.Reason))
	case ev.State == imapsession.Waiting && !ev.Reason.IsEmpty() && ev.Reason != a.trouble:
		m.say(a, own(sBad, "offline: "), said(sPlain, ev.Reason))
	}
	if ev.State == imapsession.Live {
		a.trouble = safetext.Text{}
	} else if !ev.Reason.IsEmpty() {
		a.trouble = ev.Reason
	}
}

func (m *Model) resynced(a *account, ev imapsession.ResyncEvent) {
	first := a.epoch == 0
	a.epoch, a.mailbox, a.validity = ev.Epoch, ev.Mailbox, ev.UIDValidity
	a.box = safetext.Clean(ev.Mailbox)
	if strings.EqualFold(ev.Mailbox, "INBOX") {
		a.box = safetext.Const("INBOX")
	}
	if ev.Reload {
		a.over.Reset()
		a.sums.reset()
		if a.reader != nil {
			a.reader.gone = true
		}
	}
	if ev.List == nil {
		ev.List = &store.List{}
	}
	gone := make(map[store.UID]bool, len(ev.Gone))
	for _, uid := range ev.Gone {
		gone[uid] = true
		if a.reader != nil && a.reader.uid == uid {
			a.reader.gone = true
		}
	}
	a.view.resync(ev.List, func(uid store.UID) bool { return gone[uid] }, ev.Reload || first)
	if first {
		return
	}
	if ev.Reload {
		m.say(a, own(sWarn, "the server renumbered the mailbox: loaded anew"))
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
	add(int(ev.Arrived), " arrived")
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
		if _, ours := a.over.Leaving(uid); !ours {
			h.expunged = append(h.expunged, uid)
		}
	case store.SetFlags:
		if did.Old.Flags.Known() && did.Old.Flags != did.New.Flags && did.New.UID != 0 {
			if _, ours := a.over.Flags(did.New.UID, did.New.Flags); !ours {
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
		a.sums.put(s)
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

// tell says what a batch did, the most telling thing last, for the activity
// line shows the last.
func (a *account) tell(m *Model, h *happened) {
	switch n := len(h.flagged); {
	case n > 3:
		m.say(a, own(sDim, "flags: "), own(sPlain, ink(thousands(n))+" messages changed by another client"))
	default:
		for _, c := range h.flagged {
			m.say(a, own(sDim, "flags: "), said(sPlain, a.subject(c.uid)), own(sDim, " "+flagWords(c.old, c.new)+" by another client"))
		}
	}
	switch n := len(h.expunged); {
	case n > 3:
		m.say(a, own(sDim, "expunged: "), own(sPlain, ink(thousands(n))+" messages"))
	default:
		for _, uid := range h.expunged {
			m.say(a, own(sDim, "expunged: "), said(sPlain, a.subject(uid)))
		}
	}
	for _, n := range h.notices {
		m.newMail(a, n)
	}
}

// flagWords says how a set of flags changed.
func flagWords(old, new store.Flags) ink {
	type word struct {
		bit      store.Flags
		set, not ink
	}
	var out []string
	for _, w := range []word{
		{store.Seen, "read", "marked unread"},
		{store.Flagged, "flagged", "unflagged"},
		{store.Answered, "answered", "marked unanswered"},
		{store.Deleted, "marked deleted", "undeleted"},
		{store.Draft, "made a draft", "no more a draft"},
		{store.Forwarded, "forwarded", "marked not forwarded"},
	} {
		switch was, is := old.Has(w.bit), new.Has(w.bit); {
		case is && !was:
			out = append(out, string(w.set))
		case was && !is:
			out = append(out, string(w.not))
		}
	}
	if len(out) == 0 {
		return "labelled"
	}
	return ink(strings.Join(out, " and "))
}

// newMail says what arrived and has it announced, unless it is no news: read
// already, or put here by ourselves.
func (m *Model) newMail(a *account, ev imapsession.NewMailEvent) {
	unread := 0
	var newest *store.Summary
	for _, uid := range ev.UIDs {
		i, ok := a.view.list.Find(uid)
		if ok && a.view.list.Row(i).Flags.Has(store.Seen) {
			continue
		}
		unread++
		if s := a.sums.get(uid); s != nil {
			newest = s
		}
	}
	unread += ev.Count - len(ev.UIDs)
	if unread <= 0 {
		return
	}
	switch {
	case newest == nil || ev.Gap && unread > 1:
		m.say(a, own(sAccent, "new: "), own(sPlain, ink(thousands(unread))+plural(unread, " message", " messages")))
	case unread == 1:
		m.say(a, own(sAccent, "new: "), said(sBold, sender(newest)), own(sDim, " "+m.theme.marks.dash+" "), said(sPlain, newest.Subject))
	default:
		m.say(a, own(sAccent, "new: "), own(sPlain, ink(thousands(unread))+" messages, last from "), said(sBold, sender(newest)))
	}
	m.announce(a, newest, unread)
}

func plural(n int, one, more ink) ink {
	if n == 1 {
		return one
	}
	return more
}

// ended ends a command: its effect is confirmed, or taken back with the
// server's own words.
func (m *Model) ended(a *account, ev imapsession.ResultEvent) {
	a.over.End(uint64(ev.ID))
	j, ours := a.jobs[ev.ID]
	delete(a.jobs, ev.ID)
	if !ours {
		return
	}
	if j.kind == jobFolders && ev.Err != nil {
		a.folders.asked = false
		a.folders.then = nil
	}
	if j.kind == jobBody {
		m.bodyEnded(a, ev)
		return
	}
	switch {
	case ev.Err == nil && !ev.Note.IsEmpty():
		m.say(a, own(sWarn, j.what+": "), said(sPlain, ev.Note))
	case ev.Err == nil && j.kind == jobMove:
		m.say(a, own(sDim, j.what+" "), said(sPlain, j.dest), own(sDim, ": "), said(sPlain, j.subject))
	case ev.Err == nil && j.kind == jobFlags:
		m.say(a, own(sDim, j.what+": "), said(sPlain, j.subject))
	case ev.Err == nil:
	case errors.Is(ev.Err, context.Canceled):
		m.say(a, own(sDim, "taken back: "), said(sPlain, j.subject))
	case j.kind == jobFolders:
		m.say(a, own(sBad, "the folders could not be listed: "), said(sPlain, safetext.Clean(ev.Err.Error())))
	default:
		m.say(a, own(sBad, "sent back: "), said(sPlain, safetext.Clean(ev.Err.Error())), own(sDim, " "+m.theme.marks.bullet+" "), said(sDim, j.subject))
	}
}

func (m *Model) foldersArrived(a *account, ev imapsession.FoldersEvent) {
	a.folders.list, a.folders.known, a.folders.asked = ev.Folders, true, false
	then := a.folders.then
	a.folders.then = nil
	for _, f := range then {
		f(m)
	}
}

// withFolders calls f as soon as the account's folders are known.
func (m *Model) withFolders(a *account, f func(*Model)) {
	if a.folders.known {
		f(m)
		return
	}
	a.folders.then = append(a.folders.then, f)
	if !a.folders.asked {
		a.folders.asked = true
		id := a.cfg.Session.Do(imapsession.ListFolders{})
		a.jobs[id] = job{kind: jobFolders}
	}
}

// say adds a line to the account's activity.
func (m *Model) say(a *account, spans ...span) { a.news.say(m.now, spans...) }

// age formats a duration the way the status bar speaks of the past: in steps of
// 15 s up to two minutes, then in minutes, hours and days.
func age(d time.Duration) ink {
	switch {
	case d < 15*time.Second:
		return "just now"
	case d < 2*time.Minute:
		return ink(thousands(int(d/(15*time.Second))*15)) + " s ago"
	case d < 2*time.Hour:
		return ink(thousands(int(d/time.Minute))) + " min ago"
	case d < 48*time.Hour:
		return ink(thousands(int(d/time.Hour))) + " h ago"
	default:
		return ink(thousands(int(d/(24*time.Hour)))) + " days ago"
	}
}
