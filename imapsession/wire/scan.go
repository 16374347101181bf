package wire

import (
	"bytes"
	"time"
)

// inlineLiteral is the largest literal that is kept in memory, where a
// response other than FETCH has one (a mailbox name, say), or where a FETCH
// has its UID behind its literals.
const inlineLiteral = 64 << 10

// scanner splits the server's bytes into responses: lines, with counted
// literals in them. It belongs to the goroutine that calls Read.
type scanner struct {
	tap    *Tap
	raw    []byte // what one Read of the connection brings
	inject string // the greeting we make ourselves
	err    error  // ends the stream once out is empty
	now    time.Time

	out []byte // repaired bytes for imapclient
	off int    // how much of out has been taken

	// The running response.
	kind    respKind // what it is, once its first segment is complete
	seg     []byte   // the beginning of a line whose end has not come yet
	text    int      // octets so far, without literals
	size    int64    // octets so far
	literal int64    // octets of the running literal still to come
	route   route    // where they go
	fetch   fetch    // respFetch
	resp    []byte   // respBuffered: all of it, literals inlined
	nums    []uint32 // respSearch: its numbers
	modseq  uint64   // respSearch
	earlier bool     // respVanished
	forRaw  bool     // a raw command waits for it
	collect bool     // and wants its octets
	capture []byte   // collect: all of it, as it came

	// What is known from earlier responses.
	greeted     bool
	utf8        bool   // IMAP4rev2 is advertised: imapclient writes mailbox names as UTF-8
	utf8Accept  bool   // UTF8=ACCEPT was enabled: likewise
	lastSection []byte // a section of a FETCH that was found valid
	flags       flagLists
	zones       zones

	note []byte // a line for the trace, in the making
}

// route says where a literal's octets go.
type route uint8

const (
	drop     route = iota
	pass           // to imapclient
	hold           // into the FETCH's held bytes
	inline         // into resp
	toStream       // to the Fetch under way
)

// respKind is what the running response is.
type respKind uint8

const (
	respNone respKind = iota // between responses
	respFetch
	respBuffered
	respSearch   // a SEARCH too long for one line
	respVanished // a VANISHED, likewise
	respDropped  // too large to be looked at
)

// take copies what is ready for imapclient.
func (s *scanner) take(p []byte) int {
	n := copy(p, s.out[s.off:])
	s.off += n
	if s.off == len(s.out) {
		s.off = 0
		if cap(s.out) > keepBuffer {
			s.out = nil
		}
		s.out = s.out[:0]
	}
	return n
}

// feed takes the next bytes from the server, in whatever pieces they come.
func (s *scanner) feed(b []byte) error {
	for len(b) > 0 {
		if s.literal > 0 {
			n := min(s.literal, int64(len(b)))
			if err := s.literalBytes(b[:n]); err != nil {
				return err
			}
			s.literal -= n
			b = b[n:]
			continue
		}
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			s.seg = append(s.seg, b...)
			return s.partial()
		}
		seg := b[:i+1]
		b = b[i+1:]
		if len(s.seg) > 0 {
			s.seg = append(s.seg, seg...)
			seg = s.seg
		}
		err := s.segment(seg)
		if cap(s.seg) > keepBuffer {
			s.seg = nil
		}
		s.seg = s.seg[:0]
		if err != nil {
			return err
		}
	}
	return nil
}

// partial looks at a line whose end has not come yet.
func (s *scanner) partial() error {
	if !s.greeted && s.seg[0] != '*' && s.seg[0] != '\r' {
		return notIMAP(s.seg)
	}
	if s.kind == respNone && len(s.seg) > longLine {
		if running, _ := s.tap.rawRunning(); !running {
			s.beginSearch()
		}
		if s.kind == respNone {
			s.beginVanished()
		}
	}
	switch s.kind {
	case respSearch:
		return s.searchPart()
	case respVanished:
		return s.vanishedPart()
	}
	if s.text+len(s.seg) > s.tap.opts.Limits.Line {
		return limitError("octets of one response", int64(s.tap.opts.Limits.Line))
	}
	return nil
}

// segment takes one line of a response: the whole of it, or what stands before
// or after a literal.
func (s *scanner) segment(seg []byte) error {
	s.text += len(seg)
	s.size += int64(len(seg))
	if lim := s.tap.opts.Limits; s.text > lim.Line {
		return limitError("octets of one response", int64(lim.Line))
	} else if s.size > lim.Response {
		return limitError("octets of one response with its literals", lim.Response)
	}
	if s.kind == respNone {
		s.forRaw, s.collect = s.tap.rawRunning()
	}
	if s.collect {
		if err := s.captureBytes(seg); err != nil {
			return err
		}
	}
	switch s.kind {
	case respNone:
		return s.begin(seg)
	case respFetch:
		return s.fetchSegment(trimEOL(seg))
	case respBuffered:
		s.resp = append(s.resp, seg...)
		if len(s.resp) > s.tap.opts.Limits.Line {
			return limitError("octets of one response", int64(s.tap.opts.Limits.Line))
		}
		return s.buffered(len(seg))
	case respSearch:
		return s.endSearch(trimEOL(seg))
	case respVanished:
		return s.endVanished(trimEOL(seg))
	default:
		return s.dropped(trimEOL(seg))
	}
}

// end closes the response.
func (s *scanner) end() error {
	s.kind = respNone
	s.text, s.size = 0, 0
	if cap(s.resp) > keepBuffer {
		s.resp = nil
	}
	s.resp = s.resp[:0]
	s.tap.mu.Lock()
	s.tap.stats.Responses++
	s.tap.mu.Unlock()
	if s.collect {
		return s.captured()
	}
	return nil
}

// startLiteral makes the next size octets go where they belong.
func (s *scanner) startLiteral(size int64, to route) error {
	lim := s.tap.opts.Limits
	if size > lim.Literal {
		return limitError("octets of one literal", lim.Literal)
	}
	if s.size+size > lim.Response {
		return limitError("octets of one response with its literals", lim.Response)
	}
	s.size += size
	s.literal, s.route = size, to
	return nil
}

func (s *scanner) literalBytes(b []byte) error {
	if s.collect {
		if err := s.captureBytes(b); err != nil {
			return err
		}
	}
	switch s.route {
	case pass:
		s.out = append(s.out, b...)
	case hold:
		s.fetch.held = append(s.fetch.held, b...)
	case inline:
		s.resp = append(s.resp, b...)
	case toStream:
		s.fetch.streamLiteral(b)
	}
	return nil
}

// buffered looks at a response that is kept whole; the last n octets of resp
// are its newest segment. Either another literal follows, or it is complete.
func (s *scanner) buffered(n int) error {
	tail := trimEOL(s.resp[len(s.resp)-n:])
	if err := s.depth(tail); err != nil {
		return err
	}
	if size, ok := trailingLiteral(tail); ok {
		if size > inlineLiteral {
			s.kind = respDropped
			return s.startLiteral(size, drop)
		}
		return s.startLiteral(size, inline)
	}
	resp := trimEOL(s.resp)
	err := s.untagged(resp)
	if err != nil {
		return err
	}
	return s.end()
}

// dropped swallows the rest of a response that is too large to be looked at.
func (s *scanner) dropped(seg []byte) error {
	if size, ok := trailingLiteral(seg); ok {
		return s.startLiteral(size, drop)
	}
	s.tap.count(&s.tap.stats.Dropped)
	if err := s.tap.push(Event{Kind: KindOther, Broken: true}); err != nil {
		return err
	}
	return s.end()
}

// depth refuses text that nests parentheses deeper than the limit. It counts
// per segment: nothing that nests across literals is ever handed on.
func (s *scanner) depth(b []byte) error {
	if bytes.IndexByte(b, '(') < 0 {
		return nil
	}
	depth, quoted := 0, false
	for i := 0; i < len(b); i++ {
		switch ch := b[i]; {
		case quoted:
			if ch == '\\' {
				i++
			} else if ch == '"' {
				quoted = false
			}
		case ch == '"':
			quoted = true
		case ch == '(':
			if depth++; depth > s.tap.opts.Limits.Depth {
				return limitError("nested parentheses", int64(s.tap.opts.Limits.Depth))
			}
		case ch == ')':
			if depth > 0 {
				depth--
			}
		}
	}
	return nil
}

// trailingLiteral finds a literal's announcement at the end of text. It does
// not ask whether a quoted string is open: none may hold a line end, so that
// with one open the quotes are what is wrong, and to take a literal's octets
// for responses would let a message forge them.
func trailingLiteral(b []byte) (size int64, ok bool) {
	if len(b) < 3 || b[len(b)-1] != '}' {
		return 0, false
	}
	i := bytes.LastIndexByte(b, '{')
	if i < 0 {
		return 0, false
	}
	size, next, ok := announced(b, i)
	return size, ok && next == len(b)
}

// count adds to one of the counters in stats.
func (t *Tap) count(n *int64) {
	t.mu.Lock()
	*n++
	t.mu.Unlock()
}
