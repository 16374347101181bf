package wire

import (
	"bytes"
	"unicode/utf8"
)

// appendList writes a LIST (RFC 9051 §7.3.1) without its extended data, the
// name as imapclient will give it back.
func (s *scanner) appendList(b []byte, c *cursor) ([]byte, bool) {
	attrs, ok := s.flags.parse(c)
	if !ok {
		return b, false
	}
	b = append(append(append(b, ' '), attrs.clean...), ' ')
	c.space()
	if c.peek() == '"' {
		delim, ok := c.quoted()
		if !ok {
			return b, false
		}
		b = appendDelimiter(b, delim)
	} else {
		c.word()
		b = append(b, "NIL"...)
	}
	c.space()
	// A name with blanks that nobody quoted goes to the line's end.
	if ch := c.peek(); ch != '"' && ch != '{' && ch != '~' && bytes.IndexByte(c.rest(), '(') < 0 {
		return s.appendName(append(b, ' '), bytes.TrimRight(c.rest(), " "), false)
	}
	return s.appendMailbox(append(b, ' '), c)
}

// appendDelimiter writes a hierarchy delimiter; one that is no single
// character is none.
func appendDelimiter(b, delim []byte) []byte {
	if r, n := utf8.DecodeRune(delim); len(delim) == 0 || n != len(delim) || r == utf8.RuneError {
		return append(b, "NIL"...)
	}
	return appendQuoted(b, delim)
}

// appendMailbox reads a mailbox name and writes it for imapclient.
func (s *scanner) appendMailbox(b []byte, c *cursor) ([]byte, bool) {
	var raw []byte
	var ok bool
	quoted := c.peek() == '"'
	if quoted {
		raw, ok = c.quoted()
	} else if raw, ok = c.inlined(); !ok {
		raw = c.word()
		ok = len(raw) > 0
	}
	if !ok {
		return b, false
	}
	return s.appendName(b, raw, quoted)
}

// appendName writes a mailbox name of which the server's octets are known,
// quoted where it was and where it must be.
func (s *scanner) appendName(b, raw []byte, quoted bool) ([]byte, bool) {
	name, ok := clientName(raw, s.utf8 || s.utf8Accept)
	if !ok {
		return b, false
	}
	if !quoted && isAtom([]byte(name)) {
		return append(b, name...), true
	}
	return appendQuoted(b, []byte(name)), true
}

func appendQuoted(b, val []byte) []byte {
	b = append(b, '"')
	for _, ch := range val {
		if ch == '"' || ch == '\\' {
			b = append(b, '\\')
		}
		b = append(b, ch)
	}
	return append(b, '"')
}

// appendMailboxStatus writes a STATUS (RFC 9051 §7.3.4) with the items that
// imapclient knows.
func (s *scanner) appendMailboxStatus(b []byte, c *cursor) ([]byte, bool) {
	c.space()
	b, ok := s.appendMailbox(append(b, ' '), c)
	c.space()
	if !ok || !c.take('(') {
		return b, false
	}
	b = append(b, ' ', '(')
	first := true
	for {
		c.space()
		if c.end() || c.take(')') {
			return append(b, ')'), true
		}
		name := bytes.ToUpper(c.word())
		if len(name) == 0 {
			c.i++
			continue
		}
		c.space()
		if c.peek() == '(' || c.peek() == '"' {
			c.skip()
			continue
		}
		v := c.word()
		n, ok := number(v)
		switch string(name) {
		case "MESSAGES", "UIDNEXT", "UIDVALIDITY", "UNSEEN", "DELETED", "APPENDLIMIT":
			ok = ok && n < 1<<32
		case "SIZE", "DELETED-STORAGE":
			ok = ok && n < 1<<63
		case "HIGHESTMODSEQ":
		default:
			ok = false
		}
		if !ok {
			continue
		}
		if !first {
			b = append(b, ' ')
		}
		first = false
		b = append(append(append(b, name...), ' '), v...)
	}
}

// appendNamespaces writes a NAMESPACE (RFC 2342) without extensions.
func appendNamespaces(b []byte, c *cursor) ([]byte, bool) {
	for range 3 {
		c.space()
		b = append(b, ' ')
		if !c.take('(') {
			c.word()
			b = append(b, "NIL"...)
			continue
		}
		start := len(b)
		b = append(b, '(')
		for {
			c.space()
			if c.end() {
				return b, false
			}
			if c.take(')') {
				break
			}
			if !c.take('(') {
				return b, false
			}
			c.space()
			prefix, ok := c.astring()
			if !ok {
				return b, false
			}
			if equalFold(prefix, "NIL") {
				prefix = nil
			}
			b = append(appendQuoted(append(b, '('), prefix), ' ')
			c.space()
			if c.peek() == '"' {
				delim, ok := c.quoted()
				if !ok {
					return b, false
				}
				b = appendDelimiter(b, delim)
			} else {
				c.word()
				b = append(b, "NIL"...)
			}
			b = append(b, ')')
			for c.skip() {
			}
			if !c.take(')') {
				return b, false
			}
		}
		if len(b) == start+1 {
			b = append(b[:start], "NIL"...)
		} else {
			b = append(b, ')')
		}
	}
	return b, true
}
