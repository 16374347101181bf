package cache

import (
	"context"

	"tidings/store"
	"tidings/store/query"
)

// maxText bounds the text of one message that body: looks at, in octets.
const maxText = 256 << 10

// Body returns a complete message that is kept, nil if it is not. An error is
// ctx's.
func (c *Cache) Body(ctx context.Context, at store.Place, uid store.UID) ([]byte, error) {
	if c.o.Bodies == 0 {
		return nil, ctx.Err()
	}
	c.mu.Lock()
	data := c.waits.body(at, uid)
	if data == nil {
		data = c.writing.body(at, uid)
	}
	c.mu.Unlock()
	if data != nil {
		return data, nil
	}
	err := c.read(ctx, func(r *conn) error {
		m, ok, err := mailboxOf(r, at.Mailbox)
		if err != nil || !ok || m.validity != at.UIDValidity {
			return err
		}
		data, _, err = findBytes(r.Conn, "SELECT data FROM bodydata WHERE id = ?", messageID(m.id, uid))
		return err
	})
	if err != nil {
		return nil, absorb(ctx, err)
	}
	if data != nil {
		c.give(at, func(b *batch) {
			p := b.at(at)
			p.used = append(p.used, uid)
		})
	}
	return data, nil
}

// writeBodies adds messages, and notes which were read.
func (c *Cache) writeBodies(w *conn, mailbox int64, p *pending) error {
	if len(p.bodies) == 0 && len(p.used) == 0 {
		return nil
	}
	clock, _, err := findInt(w.Conn, "SELECT max(used) FROM body")
	if err != nil {
		return err
	}
	for uid, data := range p.bodies {
		clock++
		id := messageID(mailbox, uid)
		if err := exec(w.Conn, "INSERT OR REPLACE INTO body(id, size, used) VALUES(?, ?, ?)", id, len(data), clock); err != nil {
			return err
		}
		if err := exec(w.Conn, "INSERT OR REPLACE INTO bodydata(id, data) VALUES(?, ?)", id, data); err != nil {
			return err
		}
		if c.o.Text == nil {
			continue
		}
		text := c.o.Text(data)
		text = query.Fold(text[:min(len(text), maxText)])
		if err := exec(w.Conn, "INSERT OR REPLACE INTO bodytext(id, text) VALUES(?, ?)", id, text); err != nil {
			return err
		}
		if err := exec(w.Conn, "INSERT OR REPLACE INTO bodywords(rowid, text) VALUES(?, ?)", id, text); err != nil {
			return err
		}
	}
	for _, uid := range p.used {
		clock++
		if err := exec(w.Conn, "UPDATE body SET used = ? WHERE id = ?", clock, messageID(mailbox, uid)); err != nil {
			return err
		}
	}
	return nil
}

// evict drops the messages whose use lies back longest, until the others are
// within the budget.
func (c *Cache) evict(w *conn) error {
	for {
		total, _, err := findInt(w.Conn, "SELECT coalesce(sum(size), 0) FROM body")
		if err != nil || total <= c.o.Bodies {
			return err
		}
		id, found, err := findInt(w.Conn, "SELECT id FROM body ORDER BY used LIMIT 1")
		if err != nil || !found {
			return err
		}
		if err := dropBody(w, id); err != nil {
			return err
		}
	}
}

// dropBody forgets a message's bytes.
func dropBody(w *conn, id int64) error {
	for _, sql := range []string{
		"DELETE FROM body WHERE id = ?",
		"DELETE FROM bodydata WHERE id = ?",
		"DELETE FROM bodytext WHERE id = ?",
		"DELETE FROM bodywords WHERE rowid = ?",
	} {
		if err := exec(w.Conn, sql, id); err != nil {
			return err
		}
	}
	return nil
}
