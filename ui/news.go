package ui

import (
	"slices"
	"strings"

	"tidings/imapsession"
	"tidings/store"
)

// say adds a line to the account's activity.
func (m *Model) say(a *account, spans ...span) { a.news.say(m.now, spans...) }

// tell says what a batch did, the most telling thing last, for the activity
// line shows the last.
func (a *account) tell(m *Model, h *happened) {
	flagged := perMessage(h.flagged)
	switch n := len(flagged); {
	case n > 3:
		m.say(a, own(sDim, "flags: "), own(sPlain, ink(thousands(n))+" messages changed by another client"))
	default:
		for _, c := range flagged {
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

// perMessage makes one change of all those of a message, and none where it is as
// it was.
func perMessage(changes []flagChange) []flagChange {
	at := make(map[store.UID]int, len(changes))
	var out []flagChange
	for _, c := range changes {
		i, again := at[c.uid]
		if again {
			out[i].new = c.new
			continue
		}
		at[c.uid] = len(out)
		out = append(out, c)
	}
	return slices.DeleteFunc(out, func(c flagChange) bool { return c.old == c.new })
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
	if a.hold(ev) {
		return
	}
	if a.holdReturning(ev) {
		return
	}
	defer m.toldOf(a, ev)
	if ev = a.withoutReturned(ev); ev.Count <= 0 {
		return
	}
	if ev.Gap && ev.Count > 1 {
		m.digest(a, ev)
		return
	}
	unread := 0
	var newest *store.Summary
	for _, uid := range ev.UIDs {
		i, ok := a.view.list.Find(uid)
		if ok && a.view.list.Row(i).Flags.Has(store.Seen) {
			continue
		}
		unread++
		if s := a.sums.Get(uid); s != nil {
			newest = s
		}
	}
	unread += ev.Count - len(ev.UIDs)
	if unread <= 0 {
		return
	}
	spans := []span{own(sAccent, "new: ")}
	if since := m.gapSince(a); ev.Gap && !since.IsZero() {
		spans = []span{own(sAccent, "new since "+moment(since, m.now)+": ")}
	}
	switch {
	case newest == nil:
		spans = append(spans, own(sPlain, ink(thousands(unread))+plural(unread, " message", " messages")))
	case unread == 1:
		spans = append(spans, said(sBold, sender(newest)), own(sDim, " "+m.theme.marks.dash+" "), said(sPlain, newest.Subject))
	default:
		spans = append(spans, own(sPlain, ink(thousands(unread))+" messages, last from "), said(sBold, sender(newest)))
	}
	m.sayEverywhere(a, spans)
	if a.root == a && a.tells() {
		m.announce(a, newest, unread)
	}
}

// sayEverywhere says something of account a that is to be seen from another, too.
func (m *Model) sayEverywhere(a *account, spans []span) {
	m.say(a, spans...)
	here := m.account()
	switch {
	case here == a:
	case here.root == a.root:
		m.say(here, append([]span{said(sBold, a.box), own(sDim, " ")}, spans...)...)
	default:
		m.say(here, append([]span{said(sBold, a.cfg.Name), own(sDim, " ")}, spans...)...)
	}
}

func plural(n int, one, more ink) ink {
	if n == 1 {
		return one
	}
	return more
}
