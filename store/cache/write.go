package cache

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"tidings/store"
	"zombiezen.com/go/sqlite"
)

// codec has the writer's buffers.
type codec struct {
	sum, words, links []byte
}

// writePlace writes what waits for one mailbox, within the transaction. It
// returns what the file then has of the rows, if it knows.
func (c *Cache) writePlace(w *conn, at store.Place, p *pending) (*kept, error) {
	m, ok, err := mailboxOf(w, at.Mailbox)
	if err != nil {
		return nil, err
	}
	if ok && m.validity != at.UIDValidity {
		if p.checkpoint == nil {
			return nil, nil // of a mailbox that is no more, or not yet
		}
		if err := dropMailbox(w, m.id); err != nil {
			return nil, err
		}
		ok = false
	}
	if !ok {
		if err := exec(w.Conn, "INSERT INTO mailbox(name, validity) VALUES(?, ?)", []byte(at.Mailbox), at.UIDValidity); err != nil {
			return nil, err
		}
		m = boxRow{id: w.LastInsertRowID(), validity: at.UIDValidity}
	}
	var k *kept
	if p.checkpoint != nil {
		if k, err = c.writeRows(w, m, *p.checkpoint); err != nil {
			return nil, err
		}
	}
	if p.selected != 0 {
		if err := exec(w.Conn, "UPDATE mailbox SET selected = ? WHERE id = ?", int64(p.selected), m.id); err != nil {
			return nil, err
		}
	}
	if c.full.Load() {
		return k, nil
	}
	// FTS5 begins a new segment of its index at each rowid that is not above the one
	// before it, and the filling comes in chunks from the newest down.
	sums := slices.SortedStableFunc(slices.Values(p.summaries), func(a, b *store.Summary) int { return cmp.Compare(a.UID, b.UID) })
	for _, s := range sums {
		if err := c.writeSummary(w, m.id, s); err != nil {
			return nil, err
		}
	}
	if err := seesAll(w, m.id, p.summaries); err != nil {
		return nil, err
	}
	return k, c.writeBodies(w, m.id, p)
}

// seesAll reads messages that were just written as lists of them are read, in
// one go. In a damaged tree some may be found one by one that are passed over then,
// without SQLite noticing: they would be fetched from the server for ever. Only
// those are looked at that stand close together, which is cheap.
func seesAll(w *conn, mailbox int64, sums []*store.Summary) error {
	uids := make([]store.UID, 0, len(sums))
	for _, s := range sums {
		if s.UID != 0 {
			uids = append(uids, s.UID)
		}
	}
	slices.Sort(uids)
	uids = slices.Compact(uids)
	n := len(uids)
	if n < 2 || int(uids[n-1]-uids[0]) > 4*n {
		return nil
	}
	seen, last := 0, int64(0)
	err := each(w.Conn, func(r *sqlite.Stmt) error {
		id := r.ColumnInt64(0)
		if id <= last {
			return fmt.Errorf("%w: messages are not in their order", errDamaged)
		}
		if last = id; seen < n && uidOf(id) == uids[seen] {
			seen++
		}
		return nil
	}, "SELECT id FROM message WHERE id BETWEEN ? AND ?", messageID(mailbox, uids[0]), messageID(mailbox, uids[n-1]))
	if err == nil && seen < n {
		err = fmt.Errorf("%w: %d of %d messages are not seen", errDamaged, n-seen, n)
	}
	return err
}

// dropMailbox makes the mailbox of that id a former one.
func dropMailbox(w *conn, id int64) error {
	if err := exec(w.Conn, "INSERT INTO dropped(mailbox) VALUES(?)", id); err != nil {
		return err
	}
	return exec(w.Conn, "DELETE FROM mailbox WHERE id = ?", id)
}

// base is what the file has of the mailbox's rows: what was written or read
// last, if it is still that, else it is read.
func (c *Cache) base(w *conn, name string, m boxRow) (*kept, error) {
	if m.written == 0 {
		return &kept{id: m.id, validity: m.validity, list: new(store.List)}, nil
	}
	c.mu.Lock()
	loaded := c.loaded[name]
	delete(c.loaded, name)
	c.mu.Unlock()
	for _, k := range []*kept{c.boxes[name], loaded} {
		if k != nil && k.id == m.id && k.written == m.written {
			return k, nil
		}
	}
	return readRows(w, m)
}

// writeRows brings the rows, and all that a Checkpoint says, up to date.
func (c *Cache) writeRows(w *conn, m boxRow, cp store.Checkpoint) (*kept, error) {
	old, err := c.base(w, cp.Mailbox, m)
	if err != nil {
		return nil, err
	}
	put, err := prepare(w.Conn, "INSERT INTO row(id, flags) VALUES(?, ?) ON CONFLICT(id) DO UPDATE SET flags = excluded.flags")
	if err != nil {
		return nil, err
	}
	drop, err := prepare(w.Conn, "DELETE FROM row WHERE id = ?")
	if err != nil {
		return nil, err
	}
	gone, err := prepare(w.Conn, "INSERT OR IGNORE INTO gone(id) VALUES(?)")
	if err != nil {
		return nil, err
	}
	digest := old.digest
	cp.List.Diff(old.list, func(was, is store.Row) bool {
		if was.UID != 0 {
			var v int64
			if v, err = w.flags.encode(w.Conn, was.Flags); err != nil {
				return false
			}
			digest -= mix(was.UID, v)
		}
		if is.UID == 0 {
			id := messageID(m.id, was.UID)
			drop.BindInt64(1, id)
			gone.BindInt64(1, id)
			if err = run(drop); err == nil {
				err = run(gone)
			}
			return err == nil
		}
		var v int64
		if v, err = w.flags.encode(w.Conn, is.Flags); err != nil {
			return false
		}
		digest += mix(is.UID, v)
		put.BindInt64(1, messageID(m.id, is.UID))
		put.BindInt64(2, v)
		err = run(put)
		return err == nil
	})
	if err != nil {
		return nil, err
	}
	k := &kept{id: m.id, validity: m.validity, written: m.written + 1, list: cp.List, digest: digest}
	asof := int64(0)
	if !cp.AsOf.IsZero() {
		asof = cp.AsOf.UnixMilli()
	}
	return k, exec(w.Conn, "UPDATE mailbox SET written = ?, modseq = ?, total = ?, gaps = ?, digest = ?, asof = ? WHERE id = ?",
		k.written, int64(cp.ModSeq), cp.List.Len(), encodeGaps(gapsOf(cp.List)), int64(digest), asof, m.id)
}

// mix is one row's share of the digest over all rows, which is their sum: so it
// follows each change at no cost, and a row that was damaged on disk shows.
func mix(uid store.UID, flags int64) uint64 {
	x := uint64(uid)*0x9e3779b97f4a7c15 ^ uint64(flags)
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// writeSummary adds a message's summary to all tables that have a part of it.
func (c *Cache) writeSummary(w *conn, mailbox int64, s *store.Summary) error {
	if s.UID == 0 {
		return nil
	}
	id := messageID(mailbox, s.UID)
	d := &c.codec
	d.sum = appendSummary(d.sum[:0], s)
	sumNew, err := putSummary(w, "INSERT OR IGNORE INTO summary(id, data) VALUES(?, ?)", id, d.sum)
	if err != nil {
		return err
	}
	keysNew, err := c.putKeys(w, "INSERT OR IGNORE INTO message(id, internal, day, date, size, mixed, sender, subject, msgid, refs) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", id, s)
	if err != nil {
		return err
	}
	if !sumNew || !keysNew {
		// Summaries do not change, unless one that could not be parsed is read
		// after all, or another version of this program reads it better.
		have, _, err := findBytes(w.Conn, "SELECT data FROM summary WHERE id = ?", id)
		if err != nil || !keysNew && bytes.Equal(have, d.sum) {
			return err
		}
		if _, err := putSummary(w, "REPLACE INTO summary(id, data) VALUES(?, ?)", id, d.sum); err != nil {
			return err
		}
		if _, err := c.putKeys(w, "REPLACE INTO message(id, internal, day, date, size, mixed, sender, subject, msgid, refs) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", id, s); err != nil {
			return err
		}
		if err := exec(w.Conn, "DELETE FROM words WHERE rowid = ?", id); err != nil {
			return err
		}
	}
	put, err := prepare(w.Conn, "INSERT INTO words(rowid, text) VALUES(?, ?)")
	if err != nil {
		return err
	}
	d.words = appendWords(d.words[:0], s)
	put.BindInt64(1, id)
	put.BindText(2, string(d.words))
	return run(put)
}

// putSummary tells whether sql changed anything.
func putSummary(w *conn, sql string, id int64, data []byte) (bool, error) {
	put, err := prepare(w.Conn, sql)
	if err != nil {
		return false, err
	}
	put.BindInt64(1, id)
	put.BindBytes(2, data)
	err = run(put)
	return w.Changes() > 0, err
}

// putKeys tells whether sql changed anything.
func (c *Cache) putKeys(w *conn, sql string, id int64, s *store.Summary) (bool, error) {
	put, err := prepare(w.Conn, sql)
	if err != nil {
		return false, err
	}
	put.BindInt64(1, id)
	put.BindNull(2)
	put.BindNull(3)
	if !s.Internal.IsZero() {
		put.BindInt64(2, s.Internal.Unix())
		put.BindInt64(3, day(s.Internal))
	}
	put.BindInt64(4, store.DateKey(s))
	put.BindInt64(5, s.Size)
	put.BindBool(6, s.Mixed)
	put.BindText(7, store.SenderKey(s))
	put.BindText(8, store.SubjectKey(s))
	put.BindNull(9)
	if s.MessageID != "" {
		put.BindInt64(9, int64(linkHash(s.MessageID)))
	}
	put.BindNull(10)
	d := &c.codec
	if d.links = appendLinks(d.links[:0], s); len(d.links) > 0 {
		put.BindBytes(10, d.links)
	}
	err = run(put)
	return w.Changes() > 0, err
}
