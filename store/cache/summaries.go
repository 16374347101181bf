package cache

import (
	"context"
	"fmt"
	"slices"

	"tidings/store"
	"zombiezen.com/go/sqlite"
)

// Summaries returns those of uids that are kept, in no particular order. An
// error is ctx's.
func (c *Cache) Summaries(ctx context.Context, at store.Place, uids []store.UID) ([]*store.Summary, error) {
	if len(uids) == 0 {
		return nil, nil
	}
	found, rest := c.waiting(at, uids)
	if len(rest) == 0 {
		return found, nil
	}
	err := c.read(ctx, func(r *conn) error {
		m, ok, err := mailboxOf(r, at.Mailbox)
		if err != nil || !ok || m.validity != at.UIDValidity {
			return err
		}
		sums, err := readSummaries(r, m, rest)
		found = append(found, sums...)
		return err
	})
	return found, absorb(ctx, err)
}

// Missing returns those of uids whose summary is not kept, in their order. An
// error is ctx's. Nothing is missing where there is no more room for it.
func (c *Cache) Missing(ctx context.Context, at store.Place, uids []store.UID) ([]store.UID, error) {
	_, rest := c.waiting(at, uids)
	if len(rest) == 0 || c.full.Load() {
		return nil, ctx.Err()
	}
	var kept []store.UID // ascending
	err := c.read(ctx, func(r *conn) error {
		m, ok, err := mailboxOf(r, at.Mailbox)
		if err != nil || !ok || m.validity != at.UIDValidity {
			return err
		}
		from, to := messageID(m.id, slices.Min(rest)), messageID(m.id, slices.Max(rest))
		return each(r.Conn, func(s *sqlite.Stmt) error {
			kept = append(kept, uidOf(s.ColumnInt64(0)))
			return nil
		}, "SELECT id FROM message WHERE id BETWEEN ? AND ?", from, to)
	})
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return rest, nil
	}
	var missing []store.UID
	for _, uid := range rest {
		if _, ok := slices.BinarySearch(kept, uid); !ok {
			missing = append(missing, uid)
		}
	}
	return missing, nil
}

// waiting returns the summaries of uids that wait to be written, and which do
// not.
func (c *Cache) waiting(at store.Place, uids []store.UID) (found []*store.Summary, rest []store.UID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waits.places[at] == nil && (c.writing == nil || c.writing.places[at] == nil) {
		return nil, uids
	}
	wanted := make(map[store.UID]bool, len(uids))
	for _, uid := range uids {
		wanted[uid] = true
	}
	take := func(s *store.Summary) {
		found = append(found, s)
		wanted[s.UID] = false
	}
	c.waits.find(at, wanted, take)
	c.writing.find(at, wanted, take)
	for _, uid := range uids {
		if wanted[uid] {
			rest = append(rest, uid)
		}
	}
	return found, rest
}

// readSummaries reads those of uids that are kept.
func readSummaries(r *conn, m boxRow, uids []store.UID) ([]*store.Summary, error) {
	sums := make([]*store.Summary, 0, len(uids))
	get, err := prepare(r.Conn, "SELECT data FROM summary WHERE id = ?")
	if err != nil {
		return nil, err
	}
	var data []byte
	for _, uid := range uids {
		get.BindInt64(1, messageID(m.id, uid))
		more, err := get.Step()
		if err == nil && more {
			data = slices.Grow(data[:0], get.ColumnLen(0))[:get.ColumnLen(0)]
			get.ColumnBytes(0, data)
			s, ok := decodeSummary(uid, data)
			if !ok {
				err = fmt.Errorf("%w: a summary is not what was written", errDamaged)
			}
			sums = append(sums, s)
		}
		if reset := get.Reset(); err == nil {
			err = reset
		}
		if err != nil {
			return nil, err
		}
	}
	return sums, nil
}
