package cache

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tidings/store"
	"zombiezen.com/go/sqlite"
)

// What the first page of Load has: enough for a tall screen, and as much around
// the message on which the person was.
const (
	newestRows = 100
	aroundRows = 40 // to either side
)

// Load reads what is kept of a mailbox. As soon as the newest rows and their
// summaries are read, enough for a screen, and those around the message on which
// the person was, first is called with them, on the calling goroutine: a
// Checkpoint whose List has all rows but knows only those. What it returns has
// the whole index; its List is the caller's own, and so is first's.
//
// Where nothing is kept, first is not called and the Checkpoint has a nil List.
// It has a nil List too where the file turned out to be damaged behind the first
// page. An error is ctx's.
func (c *Cache) Load(ctx context.Context, mailbox string, first func(store.Checkpoint, []*store.Summary)) (store.Checkpoint, error) {
	if c.waitsFor(mailbox) {
		if err := c.Settled(ctx); err != nil {
			return store.Checkpoint{}, err
		}
	}
	var cp store.Checkpoint
	err := c.read(ctx, func(r *conn) error {
		m, ok, err := mailboxOf(r, mailbox)
		if err != nil || !ok || m.written == 0 {
			return err
		}
		page, sums, err := readPage(r, m)
		if err != nil {
			return err
		}
		head := m.checkpoint(mailbox)
		if first != nil {
			head.List = page
			first(head, sums)
		}
		k, err := readRows(r, m)
		if err != nil {
			return err
		}
		c.mu.Lock()
		c.loaded[mailbox] = &kept{id: k.id, validity: k.validity, written: k.written, list: k.list.Snapshot(), digest: k.digest}
		c.mu.Unlock()
		cp = head
		cp.List = k.list
		return nil
	})
	if err != nil {
		return store.Checkpoint{}, absorb(ctx, err)
	}
	return cp, nil
}

// waitsFor tells whether rows of the mailbox wait to be written.
func (c *Cache) waitsFor(mailbox string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range []*batch{c.waits, c.writing} {
		if b == nil {
			continue
		}
		for at := range b.places {
			if at.Mailbox == mailbox {
				return true
			}
		}
	}
	return false
}

// checkpoint is what the row says, but for the List.
func (m boxRow) checkpoint(mailbox string) store.Checkpoint {
	cp := store.Checkpoint{Place: store.Place{Mailbox: mailbox, UIDValidity: m.validity}, ModSeq: m.modseq, Selected: m.selected}
	if m.asof != 0 {
		cp.AsOf = time.UnixMilli(m.asof)
	}
	return cp
}

// readRows reads the whole index.
func readRows(r *conn, m boxRow) (*kept, error) {
	k := &kept{id: m.id, validity: m.validity, written: m.written}
	gaps, ok := decodeGaps(m.gaps, -1)
	if !ok {
		return nil, fmt.Errorf("%w: a mailbox's unknown rows make no sense", errDamaged)
	}
	var b store.Builder
	var last store.UID
	unknown := func(after store.UID) error {
		for len(gaps) > 0 && gaps[0].after == after {
			if err := b.AddUnknown(int(gaps[0].n)); err != nil {
				return fmt.Errorf("%w: %w", errDamaged, err)
			}
			gaps = gaps[1:]
		}
		return nil
	}
	if err := unknown(0); err != nil {
		return nil, err
	}
	from, to := m.ids()
	err := each(r.Conn, func(s *sqlite.Stmt) error {
		v := s.ColumnInt64(1)
		last = uidOf(s.ColumnInt64(0))
		flags, err := r.flags.decode(r.Conn, v)
		if err != nil {
			return err
		}
		k.digest += mix(last, v)
		if err := b.Add(store.Row{UID: last, Flags: flags}); err != nil {
			return fmt.Errorf("%w: %w", errDamaged, err)
		}
		if len(gaps) > 0 {
			return unknown(last)
		}
		return nil
	}, "SELECT id, flags FROM row WHERE id BETWEEN ? AND ?", from, to)
	if err != nil {
		return nil, err
	}
	k.list = b.List()
	if len(gaps) > 0 || int64(k.list.Len()) != m.total || k.digest != m.digest {
		return nil, fmt.Errorf("%w: the rows of a mailbox are not those that were written", errDamaged)
	}
	return k, nil
}

// readPage reads the newest rows and those around the selected message.
func readPage(r *conn, m boxRow) (*store.List, []*store.Summary, error) {
	gaps, ok := decodeGaps(m.gaps, -1)
	if !ok {
		return nil, nil, fmt.Errorf("%w: a mailbox's unknown rows make no sense", errDamaged)
	}
	p := page{r: r, m: m, gaps: gaps, below: m.total}
	from, to := m.ids()
	if err := p.read("SELECT id, flags FROM row WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT ?", from, to, newestRows); err != nil {
		return nil, nil, err
	}
	if lowest := p.lowest(); m.selected != 0 && m.selected < lowest {
		selected := messageID(m.id, m.selected)
		above, err := ints(r, "SELECT id FROM row WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?", selected+1, messageID(m.id, lowest)-1, aroundRows)
		if err != nil {
			return nil, nil, err
		}
		top := selected
		if len(above) > 0 {
			top = above[len(above)-1]
		}
		between, _, err := findInt(r.Conn, "SELECT count(*) FROM row WHERE id BETWEEN ? AND ?", top+1, messageID(m.id, lowest)-1)
		if err != nil {
			return nil, nil, err
		}
		p.skip(between, uidOf(top))
		if err := p.read("SELECT id, flags FROM row WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT ?", from, top, len(above)+1+aroundRows); err != nil {
			return nil, nil, err
		}
	}
	list, err := p.list()
	if err != nil {
		return nil, nil, err
	}
	sums, err := readSummaries(r, m, list.UIDs(0, list.Len()))
	return list, sums, err
}

// page collects parts of an index, from the newest row down.
type page struct {
	r     *conn
	m     boxRow
	gaps  []gap  // below what has been read
	runs  []part // downwards
	below int64  // rows below them
}

// part is a known row, or a number of unknown ones.
type part struct {
	row store.Row
	n   int64
}

func (p *page) add(q part) {
	n := q.n
	if q.row.UID != 0 {
		n = 1
	}
	p.below -= n
	p.runs = append(p.runs, q)
}

// gapsDownTo adds the gaps that lie above the known row of the UID.
func (p *page) gapsDownTo(uid store.UID) {
	for n := len(p.gaps); n > 0 && p.gaps[n-1].after >= uid; n-- {
		p.add(part{n: int64(p.gaps[n-1].n)})
		p.gaps = p.gaps[:n-1]
	}
}

// read adds known rows, and the unknown ones among them and above.
func (p *page) read(sql string, args ...any) error {
	return each(p.r.Conn, func(s *sqlite.Stmt) error {
		flags, err := p.r.flags.decode(p.r.Conn, s.ColumnInt64(1))
		if err != nil {
			return err
		}
		uid := uidOf(s.ColumnInt64(0))
		p.gapsDownTo(uid)
		p.add(part{row: store.Row{UID: uid, Flags: flags}})
		return nil
	}, sql, args...)
}

// skip passes over known rows that are not read, and the gaps among them: they
// lie above the row of the UID.
func (p *page) skip(known int64, uid store.UID) {
	p.add(part{n: known})
	p.gapsDownTo(uid + 1)
}

// lowest is the UID of the lowest row so far; 0 where there is none.
func (p *page) lowest() store.UID {
	for _, q := range slices.Backward(p.runs) {
		if q.row.UID != 0 {
			return q.row.UID
		}
	}
	return 0
}

// list is all of it, upwards.
func (p *page) list() (*store.List, error) {
	var b store.Builder
	if p.below < 0 {
		return nil, fmt.Errorf("%w: a mailbox has more rows than it says", errDamaged)
	}
	err := b.AddUnknown(int(p.below))
	for _, q := range slices.Backward(p.runs) {
		if err != nil {
			break
		}
		if q.row.UID != 0 {
			err = b.Add(q.row)
		} else {
			err = b.AddUnknown(int(q.n))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	return b.List(), nil
}
