package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"tidings/internal/crash"
	"tidings/store"
	"zombiezen.com/go/sqlite"
)

// Options say where a cache is and what it keeps.
type Options struct {
	// Path is the file; "" keeps everything in memory, until Close.
	Path string
	// Bodies is how many octets of messages are kept; 0: none.
	Bodies int64
	// Text returns the readable text of a message's bytes, by which body: finds
	// it. It is called on the writer's goroutine. nil: body: finds nothing.
	Text func(message []byte) string
	// Say is told, in a sentence each, what a person should know of the file. It
	// is called on any goroutine. nil: nobody is told.
	Say func(sentence string)
}

// Cache is one account's. All methods but Close may be called from any goroutine.
type Cache struct {
	o Options

	opening sync.Mutex // whoever opens has it; taken before mu

	mu      sync.Mutex
	opened  bool      // db is what came of it; else there is no file yet, or nobody has looked
	db      *database // nil: there is none, not even in memory
	waits   *batch    // what is to be written
	writing *batch    // what is being written
	asked   uint64    // how often something was given to keep
	settled uint64    // asked, when what has been dealt with was taken
	waiters []waiter
	hurry   bool // somebody waits: write at once
	closing bool
	over    bool              // the writer has ended
	places  map[string]uint32 // the newest Checkpoint's UIDVALIDITY, by mailbox
	loaded  map[string]*kept  // what Load has read
	said    map[string]bool
	retired []*database // replaced, and to be closed

	full    atomic.Bool   // in memory, and there is no more room for summaries and bodies
	wake    chan struct{} // capacity 1
	stop    chan struct{} // closed: the writer gives up what it is doing
	stopped chan struct{} // the writer has ended

	// The writer's goroutine alone.
	boxes  map[string]*kept
	leases map[string]lease
	codec  codec
	pause  time.Time // nothing is written before then
	untidy time.Time // when the search index was last written to, until tidy has seen to it
}

// waiter waits until settled reaches until.
type waiter struct {
	until uint64
	done  chan struct{}
}

// Open returns at once. The account's cache is opened by a goroutine of its own,
// for which whoever reads waits; where there is none, it is begun with the first
// thing to be kept, and whoever reads before that finds nothing. It always comes
// to a Cache: if not on disk, then in memory.
func Open(o Options) *Cache {
	c := &Cache{
		o:       o,
		waits:   newBatch(),
		places:  make(map[string]uint32),
		loaded:  make(map[string]*kept),
		said:    make(map[string]bool),
		wake:    make(chan struct{}, 1),
		stop:    make(chan struct{}),
		stopped: make(chan struct{}),
		boxes:   make(map[string]*kept),
		leases:  make(map[string]lease),
	}
	crash.Go("cache", c.write)
	return c
}

// openBest opens the file, setting aside what is there and is none of ours; where
// that cannot be, a database in memory.
func (c *Cache) openBest() *database {
	for range 2 {
		if c.o.Path == "" {
			break
		}
		db, err := openFile(c.o.Path)
		if err == nil {
			if db.rolling {
				c.say("journal", "The cache's file system has no shared memory, so reading and writing the cache wait for each other.")
			}
			return db
		}
		if !isDamage(err) {
			c.say("memory", fmt.Sprintf("There is no cache on disk this time, because %s cannot be used: %s. What is read is kept until you quit.", filepath.Dir(c.o.Path), plain(err)))
			break
		}
		c.setAside(nil, err)
	}
	db, err := openMemory()
	if err != nil {
		c.say("nothing", fmt.Sprintf("There is no cache this time: %s.", plain(err)))
		return nil
	}
	return db
}

// setAside renames the file, and says so.
func (c *Cache) setAside(was fs.FileInfo, reason error) {
	name, err := setAside(c.o.Path, was, reason)
	why := "was damaged"
	switch {
	case errors.Is(reason, errForeign):
		why = "was another program's"
	case errors.Is(reason, errVersion):
		why = "was another version's"
	}
	switch {
	case err != nil:
		c.say("aside", fmt.Sprintf("The cache %s %s and could not be set aside: %s. Remove it, please.", c.o.Path, why, plain(err)))
	case name != "":
		c.say("aside", fmt.Sprintf("The cache on disk %s: a new one is filled from the server. The old one is set aside as %s.", why, name))
	}
}

// say tells the person, once for each kind of thing.
func (c *Cache) say(kind, sentence string) {
	c.mu.Lock()
	said := c.said[kind]
	c.said[kind] = true
	c.mu.Unlock()
	if !said && c.o.Say != nil {
		c.o.Say(sentence)
	}
}

// Settled waits until what was kept before is on disk, or given up, or ctx ends.
func (c *Cache) Settled(ctx context.Context) error {
	c.mu.Lock()
	if c.settled == c.asked || c.closing {
		c.mu.Unlock()
		return ctx.Err()
	}
	w := waiter{c.asked, make(chan struct{})}
	c.waiters = append(c.waiters, w)
	c.hurry = true
	c.mu.Unlock()
	c.poke()
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close writes what waits, for at most as long as within says, and ends the
// cache; what could not be written in that time is lost, as a whole. Nothing may
// be asked of it afterwards, but giving it something to keep does no harm.
func (c *Cache) Close(within time.Duration) {
	c.mu.Lock()
	if c.closing {
		c.mu.Unlock()
		return
	}
	c.closing = true
	c.mu.Unlock()
	c.poke()
	giveUp := time.NewTimer(within)
	defer giveUp.Stop()
	select {
	case <-c.stopped:
	case <-giveUp.C:
		close(c.stop)
		// An interrupted transaction ends within a page or two; should the disk
		// not answer, the process ends without.
		last := time.NewTimer(within/4 + time.Millisecond)
		defer last.Stop()
		select {
		case <-c.stopped:
		case <-last.C:
		}
	}
}

func (c *Cache) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// database is the one in use; nil where there is none. Where there is no file
// yet, it is begun with what is to be written: a start does not wait for it.
func (c *Cache) database(begin bool) *database {
	if db, opened := c.inUse(); opened {
		return db
	}
	c.opening.Lock()
	defer c.opening.Unlock()
	if db, opened := c.inUse(); opened {
		return db
	}
	if !begin && !c.isBegun() {
		return nil
	}
	db := c.openBest()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.opened { // by end, as having none
		if db != nil {
			db.close()
		}
		return nil
	}
	c.db, c.opened = db, true
	return db
}

func (c *Cache) inUse() (db *database, opened bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.db, c.opened
}

// isBegun tells whether there is a file, by this process or another.
func (c *Cache) isBegun() bool {
	if c.o.Path == "" {
		return false
	}
	_, err := os.Lstat(c.o.Path)
	return !errors.Is(err, fs.ErrNotExist)
}

// read runs f with a connection, in a transaction that sees one committed state
// from its start to its end. An error of the file is dealt with and said, and
// comes back for the caller to stop; the exported methods then return what is
// empty and absorb(ctx, err).
func (c *Cache) read(ctx context.Context, f func(r *conn) error) error {
	db := c.database(false)
	if db == nil {
		return errEnded
	}
	r, err := db.take(ctx.Done())
	if err != nil {
		if err != errEnded {
			c.fault(db, err)
		}
		return err
	}
	r.SetInterrupt(ctx.Done())
	err = transaction(r.Conn, "DEFERRED", func() error { return f(r) })
	r.SetInterrupt(nil)
	db.put(r, err == nil || ctx.Err() != nil)
	if err != nil && ctx.Err() == nil {
		c.fault(db, err)
	}
	return err
}

// absorb is what an exported method returns for an error of read.
func absorb(ctx context.Context, err error) error {
	if err != nil {
		return ctx.Err()
	}
	return nil
}

// fault deals with what went wrong with db on any goroutine. Of a file that was
// replaced meanwhile anything can be expected: whoever opens it once more by its name
// finds the next one, perhaps half made.
func (c *Cache) fault(db *database, err error) {
	if now, _ := c.inUse(); now != db {
		return
	}
	switch {
	case isDamage(err):
		c.replace(db, err)
	case sqlite.ErrCode(err).ToPrimary() == sqlite.ResultBusy, sqlite.ErrCode(err).ToPrimary() == sqlite.ResultInterrupt:
	default:
		c.say("trouble", fmt.Sprintf("The cache cannot be used for now: %s.", plain(err)))
	}
}

// replace sets the damaged file of db aside and goes on with a new one. The first
// who finds the damage does it.
func (c *Cache) replace(db *database, err error) {
	c.mu.Lock()
	if c.db != db || c.closing {
		c.mu.Unlock()
		return
	}
	c.db = nil
	c.mu.Unlock()
	if db.path != "" {
		c.setAside(db.info, err)
	}
	fresh := c.openBest()
	c.mu.Lock()
	if c.over {
		c.mu.Unlock()
		db.close()
		if fresh != nil {
			fresh.close()
		}
		return
	}
	c.db = fresh
	c.loaded = make(map[string]*kept)
	// The writer may be in the middle of db, so it is the one who closes it.
	c.retired = append(c.retired, db)
	c.mu.Unlock()
	c.poke()
}

// mailboxOf finds a mailbox by its raw name; ok is false where nothing is kept of
// it.
func mailboxOf(r *conn, name string) (m boxRow, ok bool, err error) {
	err = each(r.Conn, func(s *sqlite.Stmt) error {
		ok = true
		m = boxRow{
			id:       s.ColumnInt64(0),
			validity: uint32(s.ColumnInt64(1)),
			written:  s.ColumnInt64(2),
			modseq:   uint64(s.ColumnInt64(3)),
			total:    s.ColumnInt64(4),
			gaps:     columnBytes(s, 5),
			digest:   uint64(s.ColumnInt64(6)),
			asof:     s.ColumnInt64(7),
			selected: store.UID(s.ColumnInt64(8)),
		}
		return nil
	}, "SELECT id, validity, written, modseq, total, gaps, digest, asof, selected FROM mailbox WHERE name = ?", []byte(name))
	return m, ok, err
}

// boxRow is a row of mailbox.
type boxRow struct {
	id       int64
	validity uint32
	written  int64
	modseq   uint64
	total    int64
	gaps     []byte
	digest   uint64
	asof     int64
	selected store.UID
}

// ids are the first and the last id that a message of the mailbox may have.
func (m boxRow) ids() (first, last int64) { return m.id << 32, m.id<<32 | (1<<32 - 1) }

// isDamage tells whether the file is of no use.
func isDamage(err error) bool {
	if errors.Is(err, errDamaged) || errors.Is(err, errForeign) || errors.Is(err, errVersion) {
		return true
	}
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultCorrupt, sqlite.ResultNotADB, sqlite.ResultFormat:
		return true
	}
	return false
}
