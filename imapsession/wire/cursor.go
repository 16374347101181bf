package wire

import "bytes"

// cursor walks over one response's text, leniently: it is the part of the
// parser that must not mind what a server sends. Literals, where a response
// has them inlined, stand as they do on the wire: {3}CRLFabc.
type cursor struct {
	b []byte
	i int
}

func (c *cursor) end() bool { return c.i >= len(c.b) }

// peek is the next byte, 0 at the end.
func (c *cursor) peek() byte {
	if c.i < len(c.b) {
		return c.b[c.i]
	}
	return 0
}

// space skips blanks and reports whether there were any.
func (c *cursor) space() bool {
	start := c.i
	for c.i < len(c.b) && c.b[c.i] == ' ' {
		c.i++
	}
	return c.i > start
}

func (c *cursor) take(ch byte) bool {
	if c.i < len(c.b) && c.b[c.i] == ch {
		c.i++
		return true
	}
	return false
}

// rest is what has not been read yet.
func (c *cursor) rest() []byte { return c.b[min(c.i, len(c.b)):] }

// word reads up to a blank, a parenthesis or a quote.
func (c *cursor) word() []byte {
	start := c.i
	for c.i < len(c.b) && !wordEnd[c.b[c.i]] {
		c.i++
	}
	return c.b[start:c.i]
}

// name reads a data item's name: a word that also ends at a bracket.
func (c *cursor) name() []byte {
	start := c.i
	for c.i < len(c.b) && !wordEnd[c.b[c.i]] && c.b[c.i] != '[' {
		c.i++
	}
	return c.b[start:c.i]
}

var wordEnd = [256]bool{' ': true, '(': true, ')': true, '"': true}

// quoted reads a quoted string, which starts here. The result is part of the
// cursor's bytes unless escapes had to be taken out.
func (c *cursor) quoted() (val []byte, ok bool) {
	if !c.take('"') {
		return nil, false
	}
	start := c.i
	i := start + bytes.IndexByte(c.b[start:], '"')
	if i < start {
		c.i = len(c.b)
		return nil, false
	}
	if bytes.IndexByte(c.b[start:i], '\\') < 0 {
		c.i = i + 1
		return c.b[start:i], true
	}
	for c.i < len(c.b) {
		switch ch := c.b[c.i]; {
		case ch == '"':
			c.i++
			return val, true
		case ch == '\\' && c.i+1 < len(c.b):
			val = append(val, c.b[c.i+1])
			c.i += 2
		default:
			val = append(val, ch)
			c.i++
		}
	}
	return nil, false
}

// announce reads a literal's announcement, {n} or {n+} or ~{n}, that ends the
// text. It moves only on success.
func (c *cursor) announce() (size int64, ok bool) {
	i := c.i
	if i < len(c.b) && c.b[i] == '~' {
		i++
	}
	if i >= len(c.b) || c.b[i] != '{' {
		return 0, false
	}
	size, i, ok = announced(c.b, i)
	if !ok || i != len(c.b) {
		return 0, false
	}
	c.i = i
	return size, true
}

// announced reads {n} or {n+} at b[i:]; next is the index behind it.
func announced(b []byte, i int) (size int64, next int, ok bool) {
	i++
	start := i
	for i < len(b) && b[i] >= '0' && b[i] <= '9' {
		if size > 1<<58 {
			return 0, 0, false
		}
		size = size*10 + int64(b[i]-'0')
		i++
	}
	if i == start {
		return 0, 0, false
	}
	if i < len(b) && b[i] == '+' {
		i++
	}
	if i >= len(b) || b[i] != '}' {
		return 0, 0, false
	}
	return size, i + 1, true
}

// inlined reads a literal that stands in the text with its octets.
func (c *cursor) inlined() (val []byte, ok bool) {
	i := c.i
	if i < len(c.b) && c.b[i] == '~' {
		i++
	}
	if i >= len(c.b) || c.b[i] != '{' {
		return nil, false
	}
	size, i, ok := announced(c.b, i)
	if !ok {
		return nil, false
	}
	if i < len(c.b) && c.b[i] == '\r' {
		i++
	}
	if i >= len(c.b) || c.b[i] != '\n' || size > int64(len(c.b)-i-1) {
		return nil, false
	}
	i++
	c.i = i + int(size)
	return c.b[i:c.i], true
}

// astring reads a quoted string, an inlined literal or a word.
func (c *cursor) astring() (val []byte, ok bool) {
	if c.peek() == '"' {
		return c.quoted()
	}
	if val, ok := c.inlined(); ok {
		return val, true
	}
	val = c.word()
	return val, len(val) > 0
}

// skip passes one value of any form: atom, string, literal or list. It reports
// whether there was one.
func (c *cursor) skip() bool {
	c.space()
	if c.end() || c.peek() == ')' {
		return false
	}
	depth := 0
	for {
		switch {
		case c.end():
			return false
		case c.peek() == '"':
			if _, ok := c.quoted(); !ok {
				return false
			}
		case c.peek() == '(':
			c.i++
			depth++
		case c.peek() == ')':
			c.i++
			depth--
		default:
			if _, ok := c.inlined(); !ok {
				c.word()
			}
		}
		if depth == 0 {
			return true
		}
		c.space()
	}
}

// number reads a decimal number of up to 64 bits.
func number(b []byte) (n uint64, ok bool) {
	if len(b) == 0 || len(b) > 20 {
		return 0, false
	}
	for _, ch := range b {
		if ch < '0' || ch > '9' {
			return 0, false
		}
		d := uint64(ch - '0')
		if n > (1<<64-1-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, true
}

// number32 reads a decimal number of up to 32 bits.
func number32(b []byte) (uint32, bool) {
	n, ok := number(b)
	return uint32(n), ok && n < 1<<32
}

// isAtom reports whether imapclient's decoder reads all of b as one atom.
func isAtom(b []byte) bool {
	for _, ch := range b {
		if !atomChar[ch] {
			return false
		}
	}
	return len(b) > 0
}

// atomChar are the octets imapclient takes for part of an atom. It counts C1
// controls as controls although they are halves of UTF-8 sequences.
var atomChar = func() (t [256]bool) {
	for ch := range t {
		t[ch] = ch > 0x20 && (ch < 0x7f || ch > 0x9f)
	}
	for _, ch := range `(){%*"\]` {
		t[ch] = false
	}
	return t
}()

// equalFold compares b with an upper-case ASCII word.
func equalFold(b []byte, upper string) bool {
	if len(b) != len(upper) {
		return false
	}
	for i := range b {
		ch := b[i]
		if ch >= 'a' && ch <= 'z' {
			ch -= 'a' - 'A'
		}
		if ch != upper[i] {
			return false
		}
	}
	return true
}

// trimEOL takes the line end off.
func trimEOL(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte("\n"))
	return bytes.TrimSuffix(b, []byte("\r"))
}
