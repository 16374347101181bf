package cache

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tidings/store"
	"tidings/store/query"
	"zombiezen.com/go/sqlite"
)

const (
	// searchStep is how long the first Search looks, about: then what it has found
	// can be drawn. laterStep is for those that go on below it: to begin again in
	// the middle of an index costs something.
	searchStep = 20 * time.Millisecond
	laterStep  = 100 * time.Millisecond
	// lookAtOnce is how many messages the first statement of a Search goes through
	// that has no index to go by.
	lookAtOnce = 2048
)

// Bits of row.flags.
const (
	seenFlag     = int(store.Seen)
	answeredFlag = int(store.Answered)
	flaggedFlag  = int(store.Flagged)
	knownFlags   = int(store.NoFlags)
)

// Search looks for the messages of a mailbox that match, newest first, among those
// with a UID under below (0: all). It returns when it has found most of them, or
// has looked for some 20 ms (100 ms where it goes on), or nothing is left: then
// next is 0. Else the search goes on with next as below. What it finds is in the
// mailbox as far as the cache knows; a message matches by what is kept of it (see
// query.Verdict). A new search is best begun by ending the ctx of the one before.
//
// What waits to be written, for a quarter of a second at most, is not looked at.
// An error is ctx's.
func (c *Cache) Search(ctx context.Context, at store.Place, q query.Query, below store.UID, most int) (uids []store.UID, next store.UID, err error) {
	err = c.read(ctx, func(r *conn) error {
		m, ok, err := mailboxOf(r, at.Mailbox)
		if err != nil || !ok || m.validity != at.UIDValidity {
			return err
		}
		s := search{plan: compile(q), r: r, most: max(most, 1), until: time.Now().Add(searchStep)}
		s.first, s.last = m.ids()
		if below != 0 {
			s.last = messageID(m.id, below) - 1
			s.until = s.until.Add(laterStep - searchStep)
		}
		err = s.run()
		uids = s.found
		if s.next > s.first {
			next = uidOf(s.next)
		}
		return err
	})
	if err != nil {
		return nil, 0, absorb(ctx, err)
	}
	return uids, next, nil
}

// search is one step of a search. Everything in it descends.
type search struct {
	*plan
	r           *conn
	first, last int64 // ids to look at
	most        int
	until       time.Time

	found []store.UID
	next  int64 // the lowest id that was looked at, where some are left

	data, upper []byte
}

func (s *search) run() error {
	if s.indexed {
		return s.runIndexed()
	}
	rows := int64(lookAtOnce)
	for hi := s.last; ; {
		lo, found, err := findInt(s.r.Conn, "SELECT id FROM row WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1 OFFSET ?", s.first, hi, rows-1)
		if err != nil {
			return err
		}
		if !found {
			lo = s.first
		}
		began := time.Now()
		full, err := s.scan(lo, hi)
		if err != nil || full || !found {
			return err
		}
		now := time.Now()
		if now.After(s.until) {
			s.next = lo
			return nil
		}
		if now.Sub(began) < searchStep/4 {
			rows *= 2
		}
		hi = lo - 1
	}
}

// columns are what a candidate comes with; holds is whether cond holds.
func (s *search) columns(holds string) string {
	text, data := "NULL", "NULL"
	if s.reads {
		text = "b.text"
	}
	if s.looks {
		data = "s.data"
	}
	return "r.id, r.flags, " + holds + ", " + data + ", " + text
}

// joins are the tables of columns and cond, beside row.
func (s *search) joins() string {
	sql := ""
	if !s.flagsOnly {
		sql += " LEFT JOIN message m ON m.id = r.id"
	}
	if s.looks {
		sql += " LEFT JOIN summary s ON s.id = r.id"
	}
	if s.reads {
		sql += " LEFT JOIN bodytext b ON b.id = r.id"
	}
	return sql
}

// scan looks at all messages lo to hi. full tells that it has found enough.
func (s *search) scan(lo, hi int64) (full bool, err error) {
	sql := "SELECT " + s.columns("1") + " FROM row r" + s.joins() + " WHERE r.id BETWEEN ? AND ?"
	if s.cond != "" {
		sql += " AND " + s.cond
	}
	st, err := prepare(s.r.Conn, sql+" ORDER BY r.id DESC", append([]any{lo, hi}, s.args...)...)
	if err != nil {
		return false, err
	}
	for !full {
		more, err := st.Step()
		if err != nil || !more {
			return false, finish(st, err)
		}
		if full, err = s.look(st); err != nil {
			return false, finish(st, err)
		}
	}
	return true, finish(st, nil)
}

// finish resets a statement, which is to be used again.
func finish(st *sqlite.Stmt, err error) error {
	if reset := st.Reset(); err == nil {
		err = reset
	}
	return err
}

// runIndexed looks at what the trigram indexes find.
func (s *search) runIndexed() error {
	var cursors []*cursor
	defer func() {
		for _, c := range cursors {
			_ = c.st.Reset()
		}
	}()
	for table, match := range map[string]string{"words": s.words, "bodywords": s.texts} {
		if match == "" {
			continue
		}
		c, err := s.open(table, match)
		if err != nil {
			return err
		}
		cursors = append(cursors, c)
		if err := c.step(); err != nil {
			return err
		}
	}
	for n := 1; ; n++ {
		var newest *cursor
		for _, c := range cursors {
			if c.id != 0 && (newest == nil || c.id > newest.id) {
				newest = c
			}
		}
		if newest == nil {
			return nil
		}
		full, err := s.look(newest.st)
		if err != nil || full {
			return err
		}
		if n%64 == 0 && time.Now().After(s.until) {
			s.next = newest.id
			return nil
		}
		// A message may be found in both.
		for id, i := newest.id, 0; i < len(cursors); i++ {
			if c := cursors[i]; c.id == id {
				if err := c.step(); err != nil {
					return err
				}
			}
		}
	}
}

// cursor is a statement that descends; id is 0 behind its end.
type cursor struct {
	st *sqlite.Stmt
	id int64
}

func (c *cursor) step() error {
	more, err := c.st.Step()
	c.id = 0
	if err == nil && more {
		c.id = c.st.ColumnInt64(0)
	}
	return err
}

// open begins to read what an index finds.
func (s *search) open(table, match string) (*cursor, error) {
	holds := "1"
	if s.cond != "" {
		holds = s.cond
	}
	// CROSS JOIN: the index leads, whatever SQLite thinks of it.
	sql := "SELECT " + s.columns(holds) + " FROM " + table + " x CROSS JOIN row r ON r.id = x.rowid" + s.joins() +
		" WHERE x." + table + " MATCH ? AND x.rowid BETWEEN ? AND ? ORDER BY x.rowid DESC"
	st, err := prepare(s.r.Conn, sql, append(slices.Clone(s.args), match, s.first, s.last)...)
	return &cursor{st: st}, err
}

// look decides on the candidate at hand. full tells that enough are found.
func (s *search) look(st *sqlite.Stmt) (full bool, err error) {
	if st.ColumnInt64(2) != 1 {
		return false, nil
	}
	id := st.ColumnInt64(0)
	if s.looks {
		match, err := s.verify(st, uidOf(id))
		if err != nil || !match {
			return false, err
		}
	}
	s.found = append(s.found, uidOf(id))
	if len(s.found) == s.most {
		s.next = id
		return true, nil
	}
	return false, nil
}

// verify holds the candidate at hand against the query.
func (s *search) verify(st *sqlite.Stmt, uid store.UID) (bool, error) {
	flags := store.Flags(st.ColumnInt64(1) & systemMask)
	msg := query.Message{Flags: flags}
	if s.reads && !st.ColumnIsNull(4) {
		text := st.ColumnText(4)
		msg.Text = &text
	}
	if n := st.ColumnLen(3); n > 0 {
		s.data = slices.Grow(s.data[:0], n)[:n]
		st.ColumnBytes(3, s.data)
		if upper, ok := capitals(s.upper[:0], s.data); ok {
			s.upper = upper
			if v := s.glance(&glimpse{upper, flags, msg.Text}); v != query.Unknown {
				return v == query.Matches, nil
			}
		}
		sum, ok := decodeSummary(uid, s.data)
		if !ok {
			return false, fmt.Errorf("%w: a summary is not what was written", errDamaged)
		}
		msg.Summary = sum
	}
	return s.matcher.Match(msg) == query.Matches, nil
}
