package ui

import (
	"time"

	"tidings/internal/safetext"
	"tidings/store"
)

// viewSpec says which messages a view shows, and in which order. The zero value
// is the list itself: every message, as it arrived, the newest on top.
type viewSpec struct {
	show    showing
	sort    store.SortKey
	threads bool // folded into conversations, by their newest message

	// Of a view of what was found: the messages, in no particular order; what
	// was asked, for the status bar; and what tells of a message that arrives
	// whether it was asked for, nil where none is.
	found []store.UID
	query safetext.Text
	match func(*store.Summary, store.Flags) bool
}

// showing is which messages a view shows.
type showing uint8

const (
	showAll showing = iota
	showUnread
	showFlagged
	showToday // arrived since midnight
	showFound
)

// plain reports whether the list itself will do.
func (s *viewSpec) plain() bool {
	return s.show == showAll && s.sort == store.ByArrival && !s.threads
}

// whole reports whether every message belongs.
func (s *viewSpec) whole() bool { return s.show == showAll }

// byFlags reports whether flags decide what is shown.
func (s *viewSpec) byFlags() bool { return s.show == showUnread || s.show == showFlagged }

// verdict is whether a message belongs in a view.
type verdict uint8

const (
	isUnknown verdict = iota // what decides it is not known
	isOut
	isIn
)

// judge tells whether a message belongs; s may be nil. since is when today began.
func (s *viewSpec) judge(r store.Row, sum *store.Summary, since time.Time) verdict {
	if r.UID == 0 {
		return isUnknown
	}
	yes := true
	switch s.show {
	case showUnread, showFlagged:
		if !r.Flags.Known() {
			return isUnknown
		}
		yes = r.Flags.Has(store.Flagged)
		if s.show == showUnread {
			yes = !r.Flags.Has(store.Seen)
		}
	case showToday:
		if sum == nil {
			return isUnknown
		}
		yes = !when(sum).Before(since)
	case showFound:
		switch {
		case s.match == nil:
			yes = false
		case sum == nil:
			return isUnknown
		default:
			yes = s.match(sum, r.Flags)
		}
	}
	if yes {
		return isIn
	}
	return isOut
}

// title says what a view shows, for the status bar; nothing for the list itself.
func (s *viewSpec) title() (what ink, query safetext.Text, how ink) {
	what = [...]ink{showAll: "", showUnread: "unread", showFlagged: "flagged", showToday: "today", showFound: "found"}[s.show]
	if s.show == showFound {
		query = s.query
	}
	how = [...]ink{store.ByArrival: "", store.ByDate: "by date", store.BySender: "by sender", store.BySubject: "by subject", store.BySize: "by size"}[s.sort]
	if s.threads {
		how = "conversations"
	}
	return what, query, how
}

// midnight is when the day of t began.
func midnight(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, t.Location())
}
