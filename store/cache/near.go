package cache

import (
	"context"
	"time"

	"tidings/store"
)

// Near returns the first message, by UID, that arrived on a day or later, by
// INTERNALDATE's date as the server printed it; 0 if there is none among those
// whose summary is kept. sure tells that no other could come before it. An error
// is ctx's.
func (c *Cache) Near(ctx context.Context, at store.Place, date time.Time) (uid store.UID, sure bool, err error) {
	err = c.read(ctx, func(r *conn) error {
		m, ok, err := mailboxOf(r, at.Mailbox)
		if err != nil || !ok || m.validity != at.UIDValidity || m.written == 0 {
			return err
		}
		first, last := m.ids()
		id, found, err := findInt(r.Conn, "SELECT message.id FROM message JOIN row USING(id) WHERE message.id BETWEEN ? AND ? AND day >= ? ORDER BY message.id LIMIT 1", first, last, day(date))
		if err != nil {
			return err
		}
		if found {
			uid, last = uidOf(id), id-1
		}
		gaps, _ := decodeGaps(m.gaps, -1)
		if len(gaps) > 0 && (!found || gaps[0].after < uid) {
			return nil
		}
		_, unread, err := findInt(r.Conn, "SELECT 1 FROM row WHERE id BETWEEN ? AND ? AND id NOT IN (SELECT id FROM message) LIMIT 1", first, last)
		sure = err == nil && !unread
		return err
	})
	if err != nil {
		return 0, false, absorb(ctx, err)
	}
	return uid, sure, nil
}
