package message

import "bytes"

const (
	maxHeader = 256 << 10 // octets of one header block that are looked at
	maxValue  = 64 << 10  // octets of one field's value that are looked at
)

// fieldScanner walks the fields of a header block as mail has them, which is
// not always as RFC 5322 §2.2 has them: mbox "From " lines, lines without a
// colon and control characters are passed over instead of ending the header.
type fieldScanner struct {
	rest []byte
	// n counts the octets taken, the empty line that ends the header included.
	n int
	// ended: the empty line was there.
	ended bool
}

// next returns the next field. The value is everything between the colon and
// the end of the last continuation line, folds and all.
func (f *fieldScanner) next() (name, value []byte, ok bool) {
	for len(f.rest) > 0 && f.n < maxHeader {
		line, size := cutLine(f.rest)
		if len(line) == 0 {
			f.take(size)
			f.ended = true
			return nil, nil, false
		}
		colon := fieldColon(line)
		if colon < 0 {
			if isBlank(line) && !f.fieldFollows(size) {
				f.take(size)
				f.ended = true
				return nil, nil, false
			}
			if !isMboxLine(line) && !f.fieldFollows(size) {
				f.ended = true // the empty line is missing: this is body already
				return nil, nil, false
			}
			f.take(size)
			continue
		}
		end := len(line)
		for size < len(f.rest) && (f.rest[size] == ' ' || f.rest[size] == '\t') {
			more, n := cutLine(f.rest[size:])
			if isBlank(more) && !f.fieldFollows(size+n) {
				break // a line of spaces stands for the empty line
			}
			end = size + len(more)
			size += n
			if f.n+size > maxHeader {
				break
			}
		}
		name, value = bytes.TrimRight(line[:colon], " \t"), f.rest[colon+1:end]
		f.take(size)
		return name, value, true
	}
	return nil, nil, false
}

func (f *fieldScanner) take(n int) {
	f.rest = f.rest[n:]
	f.n += n
}

// fieldFollows tells whether the header goes on behind the first skip octets:
// one of the next few lines, before any empty one, is a field.
func (f *fieldScanner) fieldFollows(skip int) bool {
	rest := f.rest[skip:]
	if len(rest) > 2048 {
		rest = rest[:2048]
	}
	for range 8 {
		line, size := cutLine(rest)
		if len(line) == 0 {
			return false
		}
		if fieldColon(line) > 0 {
			return true
		}
		rest = rest[size:]
	}
	return false
}

// fieldColon is where the colon of a field stands in line, or -1 where the line
// does not begin with a field name (printable ASCII without a space; spaces
// right before the colon are let pass).
func fieldColon(line []byte) int {
	for i, c := range line {
		switch {
		case c == ':':
			if i == 0 {
				return -1
			}
			return i
		case c == ' ' || c == '\t':
			rest := bytes.TrimLeft(line[i:], " \t")
			if i == 0 || len(rest) == 0 || rest[0] != ':' {
				return -1
			}
			return len(line) - len(rest)
		case c < '!' || c > '~' || i > 76:
			return -1
		}
	}
	return -1
}

func isMboxLine(line []byte) bool {
	return bytes.HasPrefix(line, []byte("From ")) || bytes.HasPrefix(line, []byte(">From "))
}

func isBlank(line []byte) bool { return len(bytes.TrimLeft(line, " \t")) == 0 }

// cutLine returns the first line of b without its end (CR LF, LF, or CR CR LF)
// and its size with it. A line longer than the header may be is cut there.
func cutLine(b []byte) (line []byte, size int) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		line, size = b, len(b)
	} else {
		line, size = b[:i], i+1
	}
	for len(line) > 0 && line[len(line)-1] == '\r' {
		line = line[:len(line)-1]
	}
	return line, size
}

// unfold returns v on one line, without space at its ends: a fold and the space
// around it become one space (RFC 5322 §2.2.3). Values past maxValue are cut.
func unfold(v []byte) string {
	v = bytes.Trim(v, " \t\r\n")
	if len(v) > maxValue {
		v = v[:maxValue]
	}
	i := bytes.IndexByte(v, '\n')
	if i < 0 {
		return string(v)
	}
	out := make([]byte, 0, len(v))
	for i >= 0 {
		out = append(out, bytes.TrimRight(v[:i], " \t\r")...)
		out = append(out, ' ')
		v = bytes.TrimLeft(v[i+1:], " \t\r\n")
		i = bytes.IndexByte(v, '\n')
	}
	return string(append(out, v...))
}

// is compares a field name with a lower-case one, ignoring case.
func is(name []byte, lower string) bool {
	if len(name) != len(lower) {
		return false
	}
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
