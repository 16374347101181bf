package demo

import (
	"crypto/subtle"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
)

// session is one client's connection. imapserver calls its methods from the
// connection's goroutine, Idle from another one while that waits.
type session struct {
	server *Server
	conn   *conn
	view   *view // the selected mailbox, or nil; Server.mu guards the pointer
}

var (
	_ imapserver.SessionNamespace = (*session)(nil)
	_ imapserver.SessionMove      = (*session)(nil)
)

const delimiter = '/'

// no is a tagged NO.
func no(code imap.ResponseCode, text string) error {
	return &imap.Error{Type: imap.StatusResponseTypeNo, Code: code, Text: text}
}

var (
	errNoMailbox = no(imap.ResponseCodeNonExistent, "There is no such mailbox")
	errReadOnly  = no(imap.ResponseCodeNoPerm, "The mailbox was opened with EXAMINE")
)

// Close implements imapserver.Session.
func (s *session) Close() error { return s.Unselect() }

// Login implements imapserver.Session, for LOGIN and AUTHENTICATE PLAIN.
func (s *session) Login(user, password string) error {
	userOK := subtle.ConstantTimeCompare([]byte(user), []byte(s.server.User()))
	passwordOK := subtle.ConstantTimeCompare([]byte(password), []byte(s.server.password))
	if userOK&passwordOK != 1 {
		return imapserver.ErrAuthFailed
	}
	return nil
}

// Namespace implements imapserver.SessionNamespace.
func (s *session) Namespace() (*imap.NamespaceData, error) {
	return &imap.NamespaceData{Personal: []imap.NamespaceDescriptor{{Delim: delimiter}}}, nil
}

// find returns a mailbox; INBOX in any case (RFC 3501 §5.1).
func (s *Server) find(name string) (*mailbox, error) {
	if m := s.mailboxes[canonical(name)]; m != nil {
		return m, nil
	}
	return nil, errNoMailbox
}

func canonical(name string) string {
	if strings.EqualFold(name, "INBOX") {
		return "INBOX"
	}
	return name
}

// Select implements imapserver.Session, for SELECT and EXAMINE.
func (s *session) Select(name string, options *imap.SelectOptions) (*imap.SelectData, error) {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	m, err := s.server.find(name)
	if err != nil {
		return nil, err
	}
	readOnly := options != nil && options.ReadOnly
	s.view = newView(m, readOnly)
	flags := s.server.flags.keywords()
	permanent := []imap.Flag{}
	if !readOnly {
		permanent = append(slices.Clone(flags), imap.FlagWildcard)
	}
	return &imap.SelectData{
		Flags:          flags,
		PermanentFlags: permanent,
		NumMessages:    uint32(len(m.rows)),
		UIDNext:        imap.UID(m.next),
		UIDValidity:    m.validity,
	}, nil
}

// Unselect implements imapserver.Session.
func (s *session) Unselect() error {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	if s.view != nil {
		s.view.close()
		s.view = nil
	}
	return nil
}

// Create implements imapserver.Session.
func (s *session) Create(name string, options *imap.CreateOptions) error {
	name = strings.TrimRight(canonical(name), string(delimiter))
	if name == "" {
		return no(imap.ResponseCodeCannot, "A mailbox needs a name")
	}
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	if s.server.mailboxes[name] != nil {
		return no(imap.ResponseCodeAlreadyExists, "The mailbox exists already")
	}
	var role imap.MailboxAttr
	if options != nil && len(options.SpecialUse) > 0 {
		role = options.SpecialUse[0]
	}
	s.server.mailboxes[name] = s.server.newMailbox(name, role)
	return nil
}

// Delete implements imapserver.Session. Clients that have the mailbox open keep
// seeing it empty.
func (s *session) Delete(name string) error {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	m, err := s.server.find(name)
	if err != nil {
		return err
	}
	if m.name == "INBOX" {
		return no(imap.ResponseCodeCannot, "INBOX cannot be deleted")
	}
	m.expunge(m.all())
	delete(s.server.mailboxes, m.name)
	return nil
}

// Rename implements imapserver.Session.
func (s *session) Rename(name, newName string, _ *imap.RenameOptions) error {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	m, err := s.server.find(name)
	if err != nil {
		return err
	}
	newName = canonical(newName)
	if m.name == "INBOX" {
		return no(imap.ResponseCodeCannot, "INBOX cannot be renamed")
	}
	if s.server.mailboxes[newName] != nil {
		return no(imap.ResponseCodeAlreadyExists, "The new name is taken")
	}
	delete(s.server.mailboxes, m.name)
	m.name = newName
	s.server.mailboxes[newName] = m
	return nil
}

// Subscribe implements imapserver.Session.
func (s *session) Subscribe(name string) error { return s.subscribe(name, true) }

// Unsubscribe implements imapserver.Session.
func (s *session) Unsubscribe(name string) error { return s.subscribe(name, false) }

func (s *session) subscribe(name string, on bool) error {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	m, err := s.server.find(name)
	if err != nil {
		return err
	}
	m.subscribed = on
	return nil
}

// List implements imapserver.Session.
func (s *session) List(w *imapserver.ListWriter, ref string, patterns []string, options *imap.ListOptions) error {
	if len(patterns) == 0 {
		// An empty pattern asks for the delimiter (RFC 3501 §6.3.8).
		return w.WriteList(&imap.ListData{Attrs: []imap.MailboxAttr{imap.MailboxAttrNoSelect}, Delim: delimiter})
	}
	for _, data := range s.list(ref, patterns, options) {
		if err := w.WriteList(&data); err != nil {
			return err
		}
	}
	return nil
}

// list gathers under the lock what List writes without it.
func (s *session) list(ref string, patterns []string, options *imap.ListOptions) []imap.ListData {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	var names []string
	for name := range s.server.mailboxes {
		names = append(names, name)
	}
	slices.Sort(names)
	var found []imap.ListData
	for _, name := range names {
		m := s.server.mailboxes[name]
		matches := slices.ContainsFunc(patterns, func(pattern string) bool {
			return imapserver.MatchList(name, delimiter, ref, pattern)
		})
		if !matches || options.SelectSubscribed && !m.subscribed || options.SelectSpecialUse && m.role == "" {
			continue
		}
		data := imap.ListData{Mailbox: name, Delim: delimiter}
		if slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, name+string(delimiter)) }) {
			data.Attrs = append(data.Attrs, imap.MailboxAttrHasChildren)
		} else {
			data.Attrs = append(data.Attrs, imap.MailboxAttrHasNoChildren)
		}
		if m.role != "" {
			data.Attrs = append(data.Attrs, m.role)
		}
		if m.subscribed && (options.SelectSubscribed || options.ReturnSubscribed) {
			data.Attrs = append(data.Attrs, imap.MailboxAttrSubscribed)
		}
		if options.ReturnStatus != nil {
			data.Status = s.server.status(m, options.ReturnStatus)
		}
		found = append(found, data)
	}
	return found
}

// Status implements imapserver.Session.
func (s *session) Status(name string, options *imap.StatusOptions) (*imap.StatusData, error) {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	m, err := s.server.find(name)
	if err != nil {
		return nil, err
	}
	if options.AppendLimit || options.DeletedStorage || options.HighestModSeq {
		return nil, &imap.Error{Type: imap.StatusResponseTypeBad, Text: "That status item is not supported"}
	}
	return s.server.status(m, options), nil
}

// status counts; the caller holds the lock. The size is an estimate: to make a
// million letters for a sum would hold up everybody.
func (s *Server) status(m *mailbox, options *imap.StatusOptions) *imap.StatusData {
	messages, unseen, deleted, recent, size := uint32(len(m.rows)), uint32(0), uint32(0), uint32(0), int64(0)
	if options.NumUnseen || options.NumDeleted || options.Size {
		seenSets, deletedSets := s.flags.holding(imap.FlagSeen), s.flags.holding(imap.FlagDeleted)
		for i := range m.rows {
			r := &m.rows[i]
			if !seenSets[r.flags] {
				unseen++
			}
			if deletedSets[r.flags] {
				deleted++
			}
			if r.letter != nil {
				size += int64(len(r.letter.raw))
			} else {
				size += averageLetter
			}
		}
	}
	return &imap.StatusData{
		Mailbox:     m.name,
		NumMessages: &messages,
		NumRecent:   &recent,
		UIDNext:     imap.UID(m.next),
		UIDValidity: m.validity,
		NumUnseen:   &unseen,
		NumDeleted:  &deleted,
		Size:        &size,
	}
}

// averageLetter is about what a generated letter has, in octets.
const averageLetter = 1000

// Poll implements imapserver.Session: at the end of every command the client is
// told what happened meanwhile.
func (s *session) Poll(w *imapserver.UpdateWriter, allowExpunge bool) error {
	s.server.mu.Lock()
	if s.view == nil {
		s.server.mu.Unlock()
		return nil
	}
	u := s.view.take(allowExpunge, &s.server.flags)
	s.server.mu.Unlock()
	return u.write(w)
}

func (u *update) write(w *imapserver.UpdateWriter) error {
	for _, seq := range u.expunged {
		if err := w.WriteExpunge(seq); err != nil {
			return err
		}
	}
	if u.grown {
		if err := w.WriteNumMessages(u.exists); err != nil {
			return err
		}
	}
	for _, f := range u.flags {
		if err := w.WriteMessageFlags(f.seq, imap.UID(f.uid), f.flags); err != nil {
			return err
		}
	}
	return nil
}

// Idle implements imapserver.Session.
func (s *session) Idle(w *imapserver.UpdateWriter, stop <-chan struct{}) error {
	s.server.mu.Lock()
	v := s.view
	s.server.mu.Unlock()
	if v == nil {
		<-stop
		return nil
	}
	for {
		if err := s.Poll(w, true); err != nil {
			return err
		}
		if err := s.conn.flush(); err != nil {
			return err
		}
		select {
		case <-v.news:
		case <-stop:
			return nil
		}
	}
}
