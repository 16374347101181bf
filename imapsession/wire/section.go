package wire

import "bytes"

// section reads a section like the function of that name. A server writes the
// same one for every message of a window, which need not be checked again.
func (s *scanner) section(c *cursor) (sec []byte, ok bool) {
	if rest, n := c.rest(), len(s.lastSection); n > 0 && n < len(rest) && rest[n] == ' ' && string(rest[:n]) == string(s.lastSection) {
		c.i += n
		return rest[:n], true
	}
	if sec, ok = section(c); ok {
		s.lastSection = append(s.lastSection[:0], sec...)
	}
	return sec, ok
}

// section reads "[...]" with an optional "<n>" behind it, and reports whether
// imapclient can decode it.
func section(c *cursor) (sec []byte, ok bool) {
	start := c.i
	quoted, closed := false, false
	for c.i++; c.i < len(c.b); c.i++ {
		ch := c.b[c.i]
		if ch == '"' {
			quoted = !quoted
		} else if ch == ']' && !quoted {
			c.i++
			closed = true
			break
		}
	}
	if !closed {
		return nil, false
	}
	inner := c.b[start+1 : c.i-1]
	if c.peek() == '<' {
		i := bytes.IndexByte(c.b[c.i:], '>')
		if i < 0 {
			return nil, false
		}
		if _, ok := number32(c.b[c.i+1 : c.i+i]); !ok {
			c.i += i + 1
			return nil, false
		}
		c.i += i + 1
	}
	return c.b[start:c.i], validSection(inner)
}

// validSection checks the grammar of a section (RFC 9051 §9, section-spec).
func validSection(b []byte) bool {
	c := cursor{b: b}
	for c.peek() >= '1' && c.peek() <= '9' {
		i := c.i
		for c.peek() >= '0' && c.peek() <= '9' {
			c.i++
		}
		if c.i-i > 9 {
			return false
		}
		if c.end() {
			return true
		}
		if !c.take('.') {
			return false
		}
	}
	if c.end() {
		return len(b) == 0
	}
	spec := c.word()
	switch {
	case equalFold(spec, "HEADER"), equalFold(spec, "TEXT"), equalFold(spec, "MIME"):
		return c.end()
	case equalFold(spec, "HEADER.FIELDS"), equalFold(spec, "HEADER.FIELDS.NOT"):
	default:
		return false
	}
	if !c.take(' ') || !c.take('(') {
		return false
	}
	for {
		if c.peek() == '"' {
			if _, ok := c.quoted(); !ok {
				return false
			}
		} else if !isAtom(c.word()) {
			return false
		}
		if c.take(')') {
			return c.end()
		}
		if !c.take(' ') {
			return false
		}
	}
}
