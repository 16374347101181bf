package cache

import "time"

// sweepRows is how many messages one sweep clears away: a few milliseconds, so
// that whoever has something to keep does not wait.
const sweepRows = 256

// sweep clears away some of what is left of messages that are gone and of former
// mailboxes; it tells whether there may be more. What it clears away is visible
// to nobody.
func (c *Cache) sweep() bool {
	db := c.database(false)
	if db == nil {
		return false
	}
	db.writer.SetInterrupt(c.stop)
	defer db.writer.SetInterrupt(nil)
	n := 0
	err := db.sweep(&n)
	if err != nil {
		c.refused(db, err)
	}
	if n > 0 {
		c.untidy = time.Now()
	}
	return err == nil && n > 0
}

func (db *database) sweep(n *int) error {
	w := db.writer
	// Most of the time there is nothing, and that is seen without a lock.
	_, some, err := findInt(w.Conn, "SELECT 1 FROM gone UNION ALL SELECT 1 FROM dropped LIMIT 1")
	if err != nil || !some {
		return err
	}
	return transaction(w.Conn, "IMMEDIATE", func() error {
		ids, err := ints(w, "SELECT id FROM gone LIMIT ?", sweepRows)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := dropMessage(w, id); err != nil {
				return err
			}
			if err := exec(w.Conn, "DELETE FROM gone WHERE id = ?", id); err != nil {
				return err
			}
		}
		if *n = len(ids); *n > 0 {
			return nil
		}
		boxes, err := ints(w, "SELECT mailbox FROM dropped LIMIT ?", 1)
		if err != nil || len(boxes) == 0 {
			return err
		}
		first, last := boxRow{id: boxes[0]}.ids()
		ids, err = ints(w, "SELECT id FROM summary WHERE id BETWEEN ? AND ? LIMIT ?", first, last, sweepRows)
		if err == nil && len(ids) == 0 {
			ids, err = ints(w, "SELECT id FROM body WHERE id BETWEEN ? AND ? LIMIT ?", first, last, sweepRows)
		}
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := dropMessage(w, id); err != nil {
				return err
			}
		}
		if *n = len(ids); *n > 0 {
			return nil
		}
		const rows = 16 * sweepRows // these are small
		if err := exec(w.Conn, "DELETE FROM row WHERE id IN (SELECT id FROM row WHERE id BETWEEN ? AND ? LIMIT ?)", first, last, rows); err != nil {
			return err
		}
		if *n = w.Changes(); *n > 0 {
			return nil
		}
		*n = 1
		return exec(w.Conn, "DELETE FROM dropped WHERE mailbox = ?", boxes[0])
	})
}

// dropMessage forgets all of a message but its row.
func dropMessage(w *conn, id int64) error {
	// Deleting from the search index what is not in it would cost a search.
	if err := exec(w.Conn, "DELETE FROM summary WHERE id = ?", id); err != nil {
		return err
	}
	if w.Changes() > 0 {
		if err := exec(w.Conn, "DELETE FROM message WHERE id = ?", id); err != nil {
			return err
		}
		if err := exec(w.Conn, "DELETE FROM words WHERE rowid = ?", id); err != nil {
			return err
		}
	}
	if err := exec(w.Conn, "DELETE FROM body WHERE id = ?", id); err != nil {
		return err
	}
	if w.Changes() > 0 {
		return dropBody(w, id)
	}
	return nil
}

// restBeforeTidying is how long nothing was written before the search index is
// tidied: a filling is over then, or takes a rest.
const restBeforeTidying = time.Second

// tidyPages is how many pages of the search index are merged at a time: a few
// milliseconds.
const tidyPages = 64

// tidy merges some of the search index, where it has many segments, or where much
// of one was deleted.
func (c *Cache) tidy() {
	db := c.database(false)
	if db == nil {
		c.untidy = time.Time{}
		return
	}
	db.writer.SetInterrupt(c.stop)
	defer db.writer.SetInterrupt(nil)
	more, err := db.tidy()
	if err != nil {
		c.refused(db, err)
	}
	if err != nil || !more {
		c.untidy = time.Time{}
	}
}

func (db *database) tidy() (more bool, err error) {
	w := db.writer.Conn
	err = transaction(w, "IMMEDIATE", func() error {
		before, _, err := findInt(w, "SELECT total_changes()")
		if err != nil {
			return err
		}
		if err := exec(w, "INSERT INTO words(words, rank) VALUES('merge', ?)", tidyPages); err != nil {
			return err
		}
		after, _, err := findInt(w, "SELECT total_changes()")
		more = after-before >= 2 // as FTS5 has it: the statement itself is one
		return err
	})
	return more, err
}
