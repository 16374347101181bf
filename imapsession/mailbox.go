package imapsession

import (
	"time"

	"tidings/imapsession/wire"
	"tidings/store"
)

// mailbox is what the session knows of its mailbox. It outlives connections and
// belongs to Run's goroutine.
type mailbox struct {
	list        *store.List
	epoch       uint32
	uidValidity uint32
	selected    bool // it has been selected at least once
	anyKeyword  bool
	unseen      unseen
	// freshFrom is the index of the first row that no NewMailEvent has told of;
	// rows from there on arrived while the list was being watched.
	freshFrom int
	// changes counts what the wire said about rows; a count that stood still
	// across a command proves that nothing changed meanwhile.
	changes uint64
	// deaths counts the links that each message killed with imapclient's parser.
	deaths map[store.UID]int
	// brought counts the summaries that came; visitedAt is what it was when a
	// visit was made for the screen alone, if one was (visitedFor).
	brought    uint64
	visitedAt  uint64
	visitedFor bool
	// closings counts the links that the server closed instead of answering a
	// FETCH, the last of them at closedAt.
	closings int
	closedAt time.Time
	// silent holds list events back: the list is being built, and a Resync will
	// carry it whole.
	silent bool
}

func (m *mailbox) init() {
	m.list = new(store.List)
	m.deaths = map[store.UID]int{}
	m.silent = true
}

// overflow makes the Resync that replaces the list events that waited in a full
// Box. It is called by Put, so on Run's goroutine.
func (s *Session) overflow() ResyncEvent {
	s.epoch++
	return s.resync()
}

// resync describes the list as it is, in its epoch.
func (s *Session) resync() ResyncEvent {
	return ResyncEvent{
		Epoch:       s.epoch,
		Mailbox:     s.cfg.Mailbox,
		UIDValidity: s.uidValidity,
		List:        s.list.Snapshot(),
		AnyKeyword:  s.anyKeyword,
	}
}

// change applies one Change to the list and tells of it. An error is
// store.ErrDesync.
func (s *Session) change(c store.Change, asked bool) error {
	a, err := s.list.Apply(c)
	if err != nil {
		return err
	}
	if c.Kind == store.Exists && a.Count == 0 {
		return nil // a reminder, which many servers send with every NOOP
	}
	if (c.Kind == store.Fill || c.Kind == store.SetFlags) && a.Old == a.New {
		if c.Flags.Known() && !a.Old.Flags.Known() && !asked {
			// A change of flags in a row of which nothing is known, and the UID not
			// said either: the list stays as it is, the count does not.
			s.changes++
			s.unseen.applied(c.Kind, a, asked)
		}
		return nil
	}
	s.changes++
	s.unseen.applied(c.Kind, a, asked)
	if c.Kind == store.Expunge || c.Kind == store.Vanished {
		if a.Index < s.freshFrom {
			s.freshFrom -= a.Count
		}
	}
	if s.silent {
		return nil
	}
	uid := c.UID
	if uid == 0 {
		uid = a.Old.UID
	}
	s.box.Put(ListEvent{Epoch: s.epoch, Change: c, UID: uid})
	return nil
}

// changesOf turns a wire event into Changes of the list as it is now.
func (s *Session) changesOf(ev wire.Event, yield func(store.Change) error) error {
	switch ev.Kind {
	case wire.KindExists:
		return yield(store.Change{Kind: store.Exists, N: ev.Num})
	case wire.KindExpunge:
		return yield(store.Change{Kind: store.Expunge, Seq: ev.Num})
	case wire.KindVanished:
		if ev.Earlier {
			return nil // never changes the count of the current selection
		}
		for _, r := range ev.UIDs {
			if uint64(r.Hi)-uint64(r.Lo) >= uint64(s.list.Len()) {
				return store.ErrDesync // more than there are rows
			}
			for u := r.Lo; ; u++ {
				if err := yield(store.Change{Kind: store.Vanished, UID: store.UID(u)}); err != nil {
					return err
				}
				if u >= r.Hi {
					break
				}
			}
		}
		return nil
	case wire.KindFetch:
		return s.fetched(ev, yield)
	}
	return nil
}

// fetched turns a FETCH response into a Change.
func (s *Session) fetched(ev wire.Event, yield func(store.Change) error) error {
	if ev.Num == 0 || int64(ev.Num) > int64(s.list.Len()) {
		// Some servers tell of a row before they count it. The EXISTS that
		// follows makes it an unknown row, and that is asked for.
		s.log.Warn("the server described a message beyond the mailbox's end", "seq", ev.Num, "count", s.list.Len())
		return nil
	}
	c := store.Change{Seq: ev.Num, UID: store.UID(ev.UID)}
	if ev.HasFlags {
		// \Recent tells which session was told first, nothing of the message.
		c.Flags = store.MakeFlags(ev.FlagNames) &^ store.Recent
	}
	row := s.list.Row(int(ev.Num) - 1)
	switch {
	case ev.UID != 0 && row.UID != 0 && row.UID != c.UID:
		return store.ErrDesync
	case ev.UID != 0 && row.UID == 0:
		c.Kind = store.Fill
	case ev.HasFlags:
		c.Kind = store.SetFlags
	default:
		return nil
	}
	return yield(c)
}
