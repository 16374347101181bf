package imapsession

import (
	"log/slog"
	"time"

	"tidings/imapsession/wire"
	"tidings/store"
)

// mailbox is what is known of the mailbox that a link has selected. The
// session's own outlives connections and belongs to Run's goroutine; one that is
// only visited belongs to the link that visits it.
type mailbox struct {
	name string // raw
	box  *Box   // where its list events go
	log  *slog.Logger
	// visited: it is not followed. Only rows that a command named are known, and
	// of those, all that are there.
	visited  bool
	writable bool // it is opened with SELECT, not EXAMINE

	list        *store.List
	epoch       uint32
	uidValidity uint32
	selected    bool // it has been selected at least once
	cold        bool // nothing was known of it when it was selected last
	anyKeyword  bool
	permanent   []string
	unseen      unseen
	// freshFrom is the index of the first row that no NewMailEvent has told of;
	// rows from there on arrived while the list was being watched.
	freshFrom int
	// changes counts what the wire said about rows; a count that stood still
	// across a command proves that nothing changed meanwhile.
	changes uint64
	modseqs modseqs
	// unkept: the cache has not got what changed since keptAt.
	unkept bool
	keptAt time.Time
	// moves counts what changed the numbering.
	moves uint64
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

// newMailbox is a mailbox of which nothing is known and nothing is told.
func newMailbox(name string, box *Box, log *slog.Logger) mailbox {
	return mailbox{
		name:   name,
		box:    box,
		log:    log,
		list:   new(store.List),
		deaths: map[store.UID]int{},
		silent: true,
	}
}

// overflow makes the Resync that replaces the list events that waited in a full
// Box. It is called by Put, so on Run's goroutine.
func (m *mailbox) overflow() ResyncEvent {
	m.epoch++
	return m.resync()
}

// resync describes the list as it is, in its epoch.
func (m *mailbox) resync() ResyncEvent {
	return ResyncEvent{
		Epoch:       m.epoch,
		Mailbox:     m.name,
		UIDValidity: m.uidValidity,
		List:        m.list.Snapshot(),
		AnyKeyword:  m.anyKeyword,
		Permanent:   m.permanent,
	}
}

// change applies one Change to the list and tells of it. An error is
// store.ErrDesync.
func (m *mailbox) change(c store.Change, asked bool) error {
	a, err := m.list.Apply(c)
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
			m.changes++
			m.unseen.applied(c.Kind, a, asked)
		}
		return nil
	}
	m.changes++
	m.unkept = true
	if c.Kind != store.Fill && c.Kind != store.SetFlags {
		m.moves++
	}
	m.unseen.applied(c.Kind, a, asked)
	if c.Kind == store.Expunge || c.Kind == store.Vanished {
		if a.Index < m.freshFrom {
			m.freshFrom -= a.Count
		}
	}
	if m.silent {
		return nil
	}
	uid := c.UID
	if uid == 0 {
		uid = a.Old.UID
	}
	m.box.Put(ListEvent{Epoch: m.epoch, Change: c, UID: uid})
	return nil
}

// changesOf turns a wire event into Changes of the list as it is now.
func (m *mailbox) changesOf(ev wire.Event, yield func(store.Change) error) error {
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
			if uint64(r.Hi)-uint64(r.Lo) >= uint64(m.list.Len()) {
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
		return m.fetched(ev, yield)
	}
	return nil
}

// fetched turns a FETCH response into a Change.
func (m *mailbox) fetched(ev wire.Event, yield func(store.Change) error) error {
	if ev.Num == 0 || int64(ev.Num) > int64(m.list.Len()) {
		// Some servers tell of a row before they count it. The EXISTS that
		// follows makes it an unknown row, and that is asked for.
		m.log.Warn("the server described a message beyond the mailbox's end", "seq", ev.Num, "count", m.list.Len())
		return nil
	}
	c := store.Change{Seq: ev.Num, UID: store.UID(ev.UID)}
	if ev.HasFlags {
		// \Recent tells which session was told first, nothing of the message.
		c.Flags = store.MakeFlags(ev.FlagNames) &^ store.Recent
	}
	row := m.list.Row(int(ev.Num) - 1)
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
