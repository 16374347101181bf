package cache

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"zombiezen.com/go/sqlite"

	"tidings/store"
)

// orders are the orders of store.Compare in SQL. There are no indexes for them:
// they would cost every message that is written, to make quick what is asked for
// now and then and waits for nobody.
var orders = map[store.SortKey]string{
	store.ByArrival: "id",
	store.ByDate:    "date, id",
	store.BySender:  "sender DESC, id",
	store.BySubject: "subject DESC, id",
	store.BySize:    "size, id",
}

// Sorted returns the messages of a mailbox whose summary is kept, in the order of
// store.Compare: the one that stands lowest first. Some of them may be gone from
// the mailbox by now, and what came within the last quarter of a second may be
// missing. An error is ctx's.
func (c *Cache) Sorted(ctx context.Context, at store.Place, by store.SortKey) ([]store.UID, error) {
	return c.uids(ctx, at, "SELECT id FROM message WHERE id BETWEEN ? AND ? ORDER BY "+orders[by])
}

// Since returns those that arrived at t or later, by INTERNALDATE or, where that
// is missing, Date; ascending. An error is ctx's.
func (c *Cache) Since(ctx context.Context, at store.Place, t time.Time) ([]store.UID, error) {
	return c.uids(ctx, at, "SELECT id FROM message WHERE id BETWEEN ? AND ? AND coalesce(internal, date) >= ? ORDER BY id", t.Unix())
}

// errEnough ends a walk that yield ended.
var errEnough = errors.New("enough")

// uids returns the UIDs of a statement's rows, whose first arguments are the ids
// of the mailbox.
func (c *Cache) uids(ctx context.Context, at store.Place, sql string, args ...any) (all []store.UID, err error) {
	err = c.read(ctx, func(r *conn) error {
		m, ok, err := mailboxOf(r, at.Mailbox)
		if err != nil || !ok || m.validity != at.UIDValidity {
			return err
		}
		first, last := m.ids()
		all = all[:0]
		return each(r.Conn, func(s *sqlite.Stmt) error {
			all = append(all, uidOf(s.ColumnInt64(0)))
			return nil
		}, sql, append([]any{first, last}, args...)...)
	})
	return all, absorb(ctx, err)
}

// kinPage is how many messages Kin reads at once: the journal can be folded back
// into the file in between.
const kinPage = 20_000

// Kin calls yield for each message whose summary is kept, UIDs ascending, until
// it returns false; Unread is not set. The Refs are yield's until it returns. An
// error is ctx's.
func (c *Cache) Kin(ctx context.Context, at store.Place, yield func(store.Kin) bool) error {
	next := store.UID(1)
	for more := true; more; {
		err := c.read(ctx, func(r *conn) error {
			more = false
			m, ok, err := mailboxOf(r, at.Mailbox)
			if err != nil || !ok || m.validity != at.UIDValidity {
				return err
			}
			_, last := m.ids()
			n := 0
			err = eachKin(r, messageID(m.id, next), last, func(k store.Kin) bool {
				n++
				next = k.UID + 1
				return yield(k)
			})
			more = err == nil && n == kinPage && next != 0
			if err == errEnough {
				return nil
			}
			return err
		})
		if err != nil {
			return absorb(ctx, err)
		}
	}
	return nil
}

// eachKin reads a page; where yield ends it, it returns errEnough.
func eachKin(r *conn, from, to int64, yield func(store.Kin) bool) error {
	var blob []byte
	var refs []uint64
	return each(r.Conn, func(s *sqlite.Stmt) error {
		k := store.Kin{UID: uidOf(s.ColumnInt64(0)), ID: uint64(s.ColumnInt64(1))}
		blob = slices.Grow(blob[:0], s.ColumnLen(2))[:s.ColumnLen(2)]
		s.ColumnBytes(2, blob)
		refs = refs[:0]
		for b := blob; len(b) >= 8; b = b[8:] {
			refs = append(refs, binary.BigEndian.Uint64(b))
		}
		if k.Refs = refs; len(refs) == 0 {
			k.Base = s.ColumnText(3)
		}
		if !yield(k) {
			return errEnough
		}
		return nil
	}, "SELECT id, msgid, refs, subject FROM message WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?", from, to, kinPage)
}
