package demo

import (
	"bufio"
	"bytes"
	"io"
	"slices"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-message/textproto"
)

// batch is how many messages are looked up in one hold of the lock.
const batch = 256

// Fetch implements imapserver.Session.
func (s *session) Fetch(w *imapserver.FetchWriter, set imap.NumSet, options *imap.FetchOptions) error {
	marks := slices.ContainsFunc(options.BodySection, func(b *imap.FetchItemBodySection) bool { return !b.Peek }) ||
		slices.ContainsFunc(options.BinarySection, func(b *imap.FetchItemBinarySection) bool { return !b.Peek })
	var c *cursor
	for {
		s.server.mu.Lock()
		v := s.view
		if c == nil {
			c = v.cursor(set)
		}
		messages := c.next(v, batch)
		seen := make([]bool, len(messages))
		if marks && !v.readOnly {
			for k := range messages {
				seen[k] = s.markSeen(v, &messages[k])
			}
		}
		lists := make([][]imap.Flag, len(messages))
		for k, m := range messages {
			lists[k] = s.server.flags.list(m.flags)
			if options.Flags {
				delete(v.changed, m.uid)
			}
		}
		s.server.mu.Unlock()

		if len(messages) == 0 {
			break
		}
		for k := range messages {
			if err := s.write(w, &messages[k], lists[k], seen[k], options); err != nil {
				return err
			}
		}
	}
	if c.expunged {
		// RFC 2180 §4.1: what was asked for by number is gone, and this command
		// may not say so.
		return no("EXPUNGEISSUED", "Some of the messages exist no more")
	}
	return nil
}

// markSeen sets \Seen as reading a body does; the caller holds the lock.
func (s *session) markSeen(v *view, m *message) bool {
	flags := s.server.flags.change(m.flags, []imap.Flag{imap.FlagSeen}, nil)
	if flags == m.flags {
		return false
	}
	m.flags = flags
	if i, ok := v.mailbox.index(m.uid); ok {
		v.mailbox.setFlags(i, flags, v)
	}
	return true
}

// write sends one FETCH response.
func (s *session) write(w *imapserver.FetchWriter, m *message, flags []imap.Flag, seen bool, options *imap.FetchOptions) error {
	var raw []byte
	if options.RFC822Size || options.Envelope || options.BodyStructure != nil ||
		len(options.BodySection)+len(options.BinarySection)+len(options.BinarySectionSize) > 0 {
		raw = s.server.writer.bytes(&m.row)
	}
	r := w.CreateMessage(m.seq)
	r.WriteUID(imap.UID(m.uid))
	if options.Flags || seen {
		r.WriteFlags(flags)
	}
	if options.InternalDate {
		r.WriteInternalDate(m.time())
	}
	if options.RFC822Size {
		r.WriteRFC822Size(int64(len(raw)))
	}
	if options.Envelope {
		header, err := textproto.ReadHeader(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil {
			header = textproto.Header{}
		}
		r.WriteEnvelope(imapserver.ExtractEnvelope(header))
	}
	if options.BodyStructure != nil {
		r.WriteBodyStructure(imapserver.ExtractBodyStructure(bytes.NewReader(raw)))
	}
	for _, b := range options.BodySection {
		data := section(raw, b)
		if err := literal(r.WriteBodySection(b, int64(len(data))), data); err != nil {
			return err
		}
	}
	for _, b := range options.BinarySection {
		data := imapserver.ExtractBinarySection(bytes.NewReader(raw), b)
		if err := literal(r.WriteBinarySection(b, int64(len(data))), data); err != nil {
			return err
		}
	}
	for _, b := range options.BinarySectionSize {
		r.WriteBinarySectionSize(b, imapserver.ExtractBinarySectionSize(bytes.NewReader(raw), b))
	}
	return r.Close()
}

func literal(w io.WriteCloser, data []byte) error {
	if _, err := w.Write(data); err != nil {
		return err
	}
	return w.Close()
}

// section is what BODY[...] asks for. The sections that a monitor fetches all
// day are cut out of the bytes as they are; parts go through the MIME parser.
func section(raw []byte, b *imap.FetchItemBodySection) []byte {
	if len(b.Part) > 0 {
		return imapserver.ExtractBodySection(bytes.NewReader(raw), b)
	}
	data := raw
	header, body := split(raw)
	switch b.Specifier {
	case imap.PartSpecifierHeader:
		data = header
		if len(b.HeaderFields) > 0 {
			data = fields(header, func(name []byte) bool { return containsField(b.HeaderFields, name) })
		} else if len(b.HeaderFieldsNot) > 0 {
			data = fields(header, func(name []byte) bool { return !containsField(b.HeaderFieldsNot, name) })
		}
	case imap.PartSpecifierText:
		data = body
	case imap.PartSpecifierMIME:
		data = nil // only parts have MIME headers of their own
	}
	if p := b.Partial; p != nil {
		from := min(max(p.Offset, 0), int64(len(data)))
		data = data[from:]
		data = data[:min(p.Size, int64(len(data)))]
	}
	return data
}

// split cuts a message behind the empty line that ends its header.
func split(raw []byte) (header, body []byte) {
	if i := bytes.Index(raw, []byte("\r\n\r\n")); i >= 0 {
		return raw[:i+4], raw[i+4:]
	}
	return raw, nil
}

// fields keeps some of a header's fields, folded lines included, and the empty
// line at the end.
func fields(header []byte, keep func(name []byte) bool) []byte {
	var kept []byte
	keeping := false
	for line := range bytes.Lines(header) {
		if line[0] == '\r' || line[0] == '\n' {
			break
		}
		if line[0] != ' ' && line[0] != '\t' {
			name, _, ok := bytes.Cut(line, []byte(":"))
			keeping = ok && keep(bytes.TrimRight(name, " \t"))
		}
		if keeping {
			kept = append(kept, line...)
		}
	}
	return append(kept, "\r\n"...)
}

func containsField(names []string, name []byte) bool {
	return slices.ContainsFunc(names, func(n string) bool { return bytes.EqualFold([]byte(n), name) })
}
