package cache

import (
	"fmt"
	"time"

	"tidings/store"
	"zombiezen.com/go/sqlite"
)

// linger is how long the writer waits for more before it writes, and retry how
// long after the disk refused.
const (
	linger = 200 * time.Millisecond
	retry  = 30 * time.Second
)

// enough is how many summaries are written without lingering. The search index
// is built in memory for a transaction: the larger, the fewer merges on disk.
const enough = 4096

// write is the writer's goroutine.
func (c *Cache) write() {
	defer close(c.stopped)
	defer c.end()
	timer := time.NewTimer(linger)
	defer timer.Stop()
	var since time.Time // when the oldest that waits was seen
	for {
		c.closeRetired()
		c.mu.Lock()
		now := time.Now()
		waiting, closing := !c.waits.empty(), c.closing
		if waiting && since.IsZero() {
			since = now
		}
		wait := max(since.Add(linger).Sub(now), c.pause.Sub(now))
		if c.hurry || closing || c.waits.summaries >= enough {
			wait = c.pause.Sub(now)
		}
		if closing {
			wait = 0
		}
		c.mu.Unlock()
		switch {
		case waiting && wait <= 0:
			since = time.Time{}
			c.writeBatch()
			continue
		case closing:
			return
		case !waiting:
			c.release() // of nothing
			since = time.Time{}
			if c.sweep() {
				select {
				case <-c.wake:
				default:
				}
				continue
			}
			wait = -1
		}
		if wait > 0 {
			if c.pause.After(now) {
				c.release() // who waits for a disk that refuses has waited enough
			}
			timer.Reset(wait)
		}
		select {
		case <-c.wake:
		case <-timer.C:
		case <-c.stop:
			return
		}
	}
}

// release tells those who wait that there is nothing more to wait for.
func (c *Cache) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waits.empty() || time.Now().Before(c.pause) {
		c.settle(c.asked)
	}
}

// settle notes that what was asked for up to seq has been dealt with. c.mu is
// held.
func (c *Cache) settle(seq uint64) {
	c.settled = max(c.settled, seq)
	rest := c.waiters[:0]
	for _, w := range c.waiters {
		if w.until <= c.settled {
			close(w.done)
		} else {
			rest = append(rest, w)
		}
	}
	clear(c.waiters[len(rest):])
	c.waiters = rest
	c.hurry = len(rest) > 0
}

// writeBatch writes what waits.
func (c *Cache) writeBatch() {
	c.mu.Lock()
	b, seq, db := c.waits, c.asked, c.db
	c.waits, c.writing = newBatch(), b
	c.mu.Unlock()
	var err error
	if db != nil {
		db.writer.SetInterrupt(c.stop)
		err = c.writeTo(db, b)
		db.writer.SetInterrupt(nil)
	}
	if err != nil {
		// Nothing of it was written, and the file may be another by now.
		clear(c.boxes)
		db.writer.flags.forget()
		c.refused(db, err)
	}
	c.mu.Lock()
	c.writing = nil
	if err != nil && c.db != nil {
		c.waits.under(b, c.places)
	}
	c.settle(seq)
	c.mu.Unlock()
}

// writeTo writes a batch in one transaction.
func (c *Cache) writeTo(db *database, b *batch) error {
	w := db.writer
	after := make(map[string]*kept)
	err := transaction(w.Conn, "IMMEDIATE", func() error {
		for at, p := range b.places {
			if !c.mayWrite(db, at.Mailbox) {
				continue
			}
			k, err := c.writePlace(w, at, p)
			if err != nil {
				return err
			}
			if k != nil {
				after[at.Mailbox] = k
			}
		}
		return c.evict(w)
	})
	if err == nil {
		for name, k := range after {
			c.boxes[name] = k
		}
	}
	return err
}

// mayWrite tells whether this process has the lease of the mailbox, which it
// takes if it is free.
func (c *Cache) mayWrite(db *database, mailbox string) bool {
	if db.path == "" {
		return true
	}
	if _, ok := c.leases[mailbox]; ok {
		return true
	}
	l, err := takeLease(db.path, mailbox)
	if err != nil {
		if err != errLeased {
			c.say("lease", fmt.Sprintf("Nothing is written to the cache, because its lock cannot be taken: %s.", plain(err)))
		}
		return false
	}
	c.leases[mailbox] = l
	return true
}

// refused deals with an error of writing.
func (c *Cache) refused(db *database, err error) {
	select {
	case <-c.stop:
		return
	default:
	}
	if isDamage(err) {
		c.replace(db, err)
		return
	}
	c.pause = time.Now().Add(retry)
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultBusy, sqlite.ResultLocked:
		return // another process writes; it will have done in half a minute
	}
	c.say("full", fmt.Sprintf("The cache is not written for now: %s. What it has stays readable, and writing is tried again every half minute.", plain(err)))
}

// end closes the file and gives the leases back.
func (c *Cache) end() {
	c.closeRetired()
	c.mu.Lock()
	db := c.db
	c.db, c.closing = nil, true
	c.settle(c.asked)
	c.mu.Unlock()
	if db != nil {
		db.close()
	}
	for _, l := range c.leases {
		l.release()
	}
}

// closeRetired closes files that were replaced.
func (c *Cache) closeRetired() {
	c.mu.Lock()
	old := c.retired
	c.retired = nil
	c.mu.Unlock()
	for _, db := range old {
		clear(c.boxes)
		db.close()
	}
}

// kept is what the file has of a mailbox's rows, as one process wrote or read it.
type kept struct {
	id       int64
	validity uint32
	written  int64 // boxRow.written
	list     *store.List
	digest   uint64
}
