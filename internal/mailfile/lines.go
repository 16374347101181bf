package mailfile

import (
	"bufio"
	"bytes"
	"io"
)

// maxHeader is how much of a header is looked at for dates and flags.
const maxHeader = 64 << 10

// line is one line, or, where it is very long, a piece of one.
type line struct {
	text  []byte // without its end; valid until the next is read
	raw   int    // octets in the file, its end included
	ended bool   // it has an end: LF or CRLF
	begun bool   // it is the rest of a line that began before
}

// lineReader reads lines, however long, in bounded memory.
type lineReader struct {
	r    *bufio.Reader
	open bool // the last piece had no end
}

// next returns io.EOF when there is no more.
func (l *lineReader) next() (line, error) {
	b, err := l.r.ReadSlice('\n')
	if len(b) == 0 {
		return line{}, err
	}
	if err != nil && err != bufio.ErrBufferFull && err != io.EOF {
		return line{}, err
	}
	if err == bufio.ErrBufferFull && b[len(b)-1] == '\r' && l.r.UnreadByte() == nil {
		b = b[:len(b)-1] // it may belong to a CRLF
	}
	out := line{text: b, raw: len(b), begun: l.open}
	if b[len(b)-1] == '\n' {
		out.ended = true
		out.text = b[:len(b)-1]
		if n := len(out.text); n > 0 && out.text[n-1] == '\r' {
			out.text = out.text[:n-1]
		}
	}
	l.open = !out.ended
	return out, nil
}

// measure counts what a letter comes to with CRLF, and keeps its header.
type measure struct {
	size   int64
	header []byte
	body   bool // the header is over
}

func (m *measure) add(l line, text []byte) {
	m.size += int64(len(text))
	if l.ended {
		m.size += 2
	}
	if m.body {
		return
	}
	if len(text) == 0 && !l.begun || len(m.header)+len(text) > maxHeader {
		m.body = true
		return
	}
	m.header = append(append(m.header, text...), '\n')
}

func (m *measure) all(r *bufio.Reader) error {
	lines := lineReader{r: r}
	for {
		l, err := lines.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		m.add(l, l.text)
	}
}

// convert gives r with CRLF at the ends of lines, and, of an mbox, without the
// quoting.
func convert(r io.ReadCloser, unquote bool) io.ReadCloser {
	return &converter{file: r, lines: lineReader{r: bufio.NewReaderSize(r, 64<<10)}, unquote: unquote}
}

type converter struct {
	file    io.ReadCloser
	lines   lineReader
	unquote bool
	buf     []byte
	rest    []byte
}

func (c *converter) Read(p []byte) (int, error) {
	for len(c.rest) == 0 {
		l, err := c.lines.next()
		if err != nil {
			return 0, err
		}
		text := l.text
		if c.unquote && !l.begun {
			text = unquoted(text)
		}
		c.buf = append(c.buf[:0], text...)
		if l.ended {
			c.buf = append(c.buf, '\r', '\n')
		}
		c.rest = c.buf
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *converter) Close() error { return c.file.Close() }

// unquoted takes one > off a line that had to be told from a postmark (mboxrd).
func unquoted(text []byte) []byte {
	if len(text) > 0 && text[0] == '>' && bytes.HasPrefix(bytes.TrimLeft(text, ">"), []byte(postmark)) {
		return text[1:]
	}
	return text
}
