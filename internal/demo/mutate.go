package demo

import (
	"fmt"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
)

// Row is one message as FETCH (UID FLAGS) would show it; Flags are sorted.
type Row struct {
	UID   uint32
	Flags []string
}

// The methods below change mailboxes as another client would, without a
// connection. Every session is told at once.

// Append adds a message and returns its UID.
func (s *Server) Append(mailbox string, raw []byte, flags []string, date time.Time) (uint32, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.find(mailbox)
	if err != nil {
		return 0, fmt.Errorf("append to %q: %w", mailbox, err)
	}
	return m.add(row{flags: s.flags.intern(imapFlags(flags)), date: date.Unix(), letter: &letter{slices.Clone(raw)}}), nil
}

// Arrive delivers the next generated letter to INBOX and returns its UID.
func (s *Server) Arrive() uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	uid, _ := s.life.arrive(time.Now())
	return uid
}

// StoreFlags adds and removes flags; UIDs that do not exist are passed over.
func (s *Server) StoreFlags(mailbox string, uids []uint32, add, remove []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.find(mailbox)
	if err != nil {
		return fmt.Errorf("store in %q: %w", mailbox, err)
	}
	for _, i := range m.positions(uids) {
		m.setFlags(i, s.flags.change(m.rows[i].flags, imapFlags(add), imapFlags(remove)), nil)
	}
	return nil
}

// Expunge removes messages; UIDs that do not exist are passed over.
func (s *Server) Expunge(mailbox string, uids ...uint32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.find(mailbox)
	if err != nil {
		return fmt.Errorf("expunge %q: %w", mailbox, err)
	}
	m.expunge(m.positions(uids))
	return nil
}

// Move moves messages and returns their new UIDs in the order of the old ones.
func (s *Server) Move(mailbox, dest string, uids ...uint32) ([]uint32, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	from, err := s.find(mailbox)
	if err != nil {
		return nil, fmt.Errorf("move from %q: %w", mailbox, err)
	}
	to, err := s.find(dest)
	if err != nil {
		return nil, fmt.Errorf("move to %q: %w", dest, err)
	}
	positions := from.positions(uids)
	_, moved := s.copyRows(from, positions, to)
	from.expunge(positions)
	return moved, nil
}

// Rows is a mailbox as it is now; nil if there is none of that name.
func (s *Server) Rows(mailbox string) []Row {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.find(mailbox)
	if err != nil {
		return nil
	}
	rows := make([]Row, len(m.rows))
	for i, r := range m.rows {
		flags := make([]string, 0, 2)
		for _, flag := range s.flags.list(r.flags) {
			flags = append(flags, string(flag))
		}
		rows[i] = Row{UID: r.uid, Flags: flags}
	}
	return rows
}

// Raw is the bytes of a message; nil if it does not exist.
func (s *Server) Raw(mailbox string, uid uint32) []byte {
	s.mu.Lock()
	m, err := s.find(mailbox)
	if err != nil {
		s.mu.Unlock()
		return nil
	}
	i, ok := m.index(uid)
	if !ok {
		s.mu.Unlock()
		return nil
	}
	r := m.rows[i]
	s.mu.Unlock()
	return s.writer.bytes(&r)
}

// Renumber gives a mailbox a new UIDVALIDITY and numbers its messages anew from
// 1, as servers do after a restore; its clients see all messages expunged.
func (s *Server) Renumber(mailbox string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.find(mailbox)
	if err != nil {
		return fmt.Errorf("renumber %q: %w", mailbox, err)
	}
	fresh := s.newMailbox(m.name, m.role)
	fresh.subscribed = m.subscribed
	for _, r := range m.rows {
		fresh.add(r)
	}
	m.expunge(m.all())
	s.mailboxes[m.name] = fresh
	return nil
}

func imapFlags(flags []string) []imap.Flag {
	converted := make([]imap.Flag, len(flags))
	for i, flag := range flags {
		converted[i] = imap.Flag(flag)
	}
	return converted
}
