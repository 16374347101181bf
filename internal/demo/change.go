package demo

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
)

// letter is a message that was not generated.
type letter struct{ raw []byte }

// Append implements imapserver.Session.
func (s *session) Append(name string, r imap.LiteralReader, options *imap.AppendOptions) (*imap.AppendData, error) {
	raw := make([]byte, r.Size())
	if _, err := io.ReadFull(r, raw); err != nil {
		return nil, fmt.Errorf("read the appended message: %w", err)
	}
	date := options.Time
	if date.IsZero() {
		date = time.Now()
	}
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	m, err := s.server.find(name)
	if err != nil {
		return nil, no(imap.ResponseCodeTryCreate, "There is no such mailbox")
	}
	uid := m.add(row{flags: s.server.flags.intern(options.Flags), date: date.Unix(), letter: &letter{raw}})
	return &imap.AppendData{UID: imap.UID(uid), UIDValidity: m.validity}, nil
}

// Store implements imapserver.Session. Without .SILENT it answers with the new
// flags of every message named, changed or not.
func (s *session) Store(w *imapserver.FetchWriter, set imap.NumSet, change *imap.StoreFlags, _ *imap.StoreOptions) error {
	var c *cursor
	for {
		s.server.mu.Lock()
		v := s.view
		if v.readOnly {
			s.server.mu.Unlock()
			return errReadOnly
		}
		if c == nil {
			c = v.cursor(set)
		}
		messages := c.next(v, batch)
		lists := make([][]imap.Flag, len(messages))
		for k, m := range messages {
			flags := s.server.flags.store(m.flags, change.Op, change.Flags)
			if i, ok := v.mailbox.index(m.uid); ok {
				v.mailbox.setFlags(i, flags, v)
			}
			if !change.Silent {
				delete(v.changed, m.uid)
			}
			lists[k] = s.server.flags.list(flags)
		}
		s.server.mu.Unlock()

		if len(messages) == 0 {
			break
		}
		if change.Silent {
			continue
		}
		for k, m := range messages {
			r := w.CreateMessage(m.seq)
			r.WriteUID(imap.UID(m.uid))
			r.WriteFlags(lists[k])
			if err := r.Close(); err != nil {
				return err
			}
		}
	}
	if c.expunged {
		return no("EXPUNGEISSUED", "Some of the messages exist no more")
	}
	return nil
}

// Expunge implements imapserver.Session. The EXPUNGE responses are left to the
// Poll at the end of the command, which numbers them among those of others.
func (s *session) Expunge(w *imapserver.ExpungeWriter, uids *imap.UIDSet) error {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	v := s.view
	if v.readOnly {
		if uids == nil {
			return nil // CLOSE after EXAMINE removes nothing (RFC 3501 §6.4.2)
		}
		return errReadOnly
	}
	var candidates []int
	if uids == nil {
		candidates = v.mailbox.all()
	} else {
		candidates = v.positions(*uids)
	}
	doomed := slices.DeleteFunc(candidates, func(i int) bool {
		return !s.server.flags.has(v.mailbox.rows[i].flags, imap.FlagDeleted)
	})
	v.mailbox.expunge(doomed)
	return nil
}

// Copy implements imapserver.Session.
func (s *session) Copy(set imap.NumSet, dest string) (*imap.CopyData, error) {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	to, err := s.server.find(dest)
	if err != nil {
		return nil, no(imap.ResponseCodeTryCreate, "There is no such mailbox")
	}
	data, _ := s.server.copyRows(s.view.mailbox, s.view.positions(set), to)
	return data, nil
}

// Move implements imapserver.SessionMove. As with Expunge, Poll tells the
// client which numbers went, each once.
func (s *session) Move(w *imapserver.MoveWriter, set imap.NumSet, dest string) error {
	data, err := s.move(set, dest)
	if err != nil || data == nil {
		return err
	}
	return w.WriteCopyData(data)
}

func (s *session) move(set imap.NumSet, dest string) (*imap.CopyData, error) {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	v := s.view
	if v.readOnly {
		return nil, errReadOnly
	}
	to, err := s.server.find(dest)
	if err != nil {
		return nil, no(imap.ResponseCodeTryCreate, "There is no such mailbox")
	}
	positions := v.positions(set)
	data, _ := s.server.copyRows(v.mailbox, positions, to)
	v.mailbox.expunge(positions)
	return data, nil
}

// copyRows copies the rows at these positions and says under which UIDs; nil
// data if there were none. The caller holds the lock.
func (s *Server) copyRows(from *mailbox, positions []int, to *mailbox) (*imap.CopyData, []uint32) {
	var source, target imap.UIDSet
	var uids []uint32
	for _, i := range positions {
		r := from.rows[i]
		uid := to.add(r)
		source.AddNum(imap.UID(r.uid))
		target.AddNum(imap.UID(uid))
		uids = append(uids, uid)
	}
	if len(uids) == 0 {
		return nil, nil
	}
	return &imap.CopyData{UIDValidity: to.validity, SourceUIDs: source, DestUIDs: target}, uids
}

// positions of the messages in a set, ascending, each once.
func (v *view) positions(set imap.NumSet) []int {
	c := v.cursor(set)
	var found []int
	for _, m := range c.next(v, v.told+1) {
		if i, ok := v.mailbox.index(m.uid); ok {
			found = append(found, i)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// all positions of a mailbox.
func (m *mailbox) all() []int {
	positions := make([]int, len(m.rows))
	for i := range positions {
		positions[i] = i
	}
	return positions
}
