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

// giveWay is for another process that waits for the file: SQLite does not queue
// those, and one that writes without a break would keep all others from it.
const giveWay = time.Millisecond

// enough is how many summaries are written without lingering. The search index
// is built in memory for a transaction: the larger, the fewer merges on disk.
const enough = 500

// write is the writer's goroutine.
func (c *Cache) write() {
	defer close(c.stopped)
	defer c.end()
	timer := time.NewTimer(linger)
	defer timer.Stop()
	c.database(false)
	var since time.Time // when the oldest that waits was seen; zero if nothing does
	for !c.givenUp() {
		c.closeRetired()
		due, waiting, closing := c.due(&since)
		wait := time.Until(due)
		switch {
		case waiting && wait <= 0:
			since = time.Time{}
			c.writeBatch()
			time.Sleep(giveWay)
			continue
		case closing:
			return
		case waiting:
			timer.Reset(wait)
		case c.sweep():
			continue
		case c.untidy.IsZero():
		case time.Since(c.untidy) >= restBeforeTidying:
			c.tidy()
			continue
		default:
			timer.Reset(restBeforeTidying - time.Since(c.untidy))
		}
		select {
		case <-c.wake:
		case <-timer.C:
		case <-c.stop:
			return
		}
	}
}

// givenUp tells whether Close waits no longer.
func (c *Cache) givenUp() bool {
	select {
	case <-c.stop:
		return true
	default:
		return false
	}
}

// due tells whether something waits to be written and when that should be. Who
// waits for what does not wait any more, or cannot be written, is released.
func (c *Cache) due(since *time.Time) (due time.Time, waiting, closing bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if c.waits.empty() {
		c.settle(c.asked)
		return now, false, c.closing
	}
	if since.IsZero() {
		*since = now
	}
	due = since.Add(linger)
	if c.hurry || c.closing || c.waits.summaries >= enough {
		due = now
	}
	if c.pause.After(now) {
		c.settle(c.asked)
		due = c.pause
	}
	return due, true, c.closing
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
	c.database(true)
	c.mu.Lock()
	b, seq, db := c.waits, c.asked, c.db
	c.waits, c.writing = newBatch(), b
	c.mu.Unlock()
	if b.summaries > 0 {
		c.untidy = time.Now()
	}
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
	if c.givenUp() {
		return
	}
	if isDamage(err) {
		c.replace(db, err)
		return
	}
	code := sqlite.ErrCode(err).ToPrimary()
	if code == sqlite.ResultBusy || code == sqlite.ResultLocked {
		c.pause = time.Now().Add(time.Second) // another process writes
		return
	}
	if code == sqlite.ResultFull && db.path == "" {
		c.full.Store(true)
		c.say("full", "The cache in memory is full: what is read from now on is not kept.")
		return
	}
	c.pause = time.Now().Add(retry)
	c.say("full", fmt.Sprintf("The cache is not written for now: %s. What it has stays readable, and writing is tried again every half minute.", plain(err)))
}

// end closes the file and gives the leases back.
func (c *Cache) end() {
	c.closeRetired()
	c.mu.Lock()
	db := c.db
	c.db, c.opened, c.closing, c.over = nil, true, true, true
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
