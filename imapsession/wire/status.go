package wire

import "bytes"

// statusText is what follows the type of a status response: [code arg] text.
type statusText struct {
	code, arg, text []byte
	odd             bool // the server wrote it so that imapclient would die
}

// parseStatus reads resp-text (RFC 9051 §9), leniently.
func (s *scanner) parseStatus(c *cursor) (st statusText) {
	c.space()
	rest := c.rest()
	if len(rest) == 0 || rest[0] != '[' {
		st.text = rest
		return st
	}
	inner, text, closed := splitCode(rest)
	if !closed {
		st.odd = true
	}
	st.text = bytes.TrimLeft(text, " ")
	code, arg, _ := bytes.Cut(inner, []byte(" "))
	if !isAtom(code) || len(code) > 64 {
		// Nothing that could be called a code.
		st.odd = true
		return st
	}
	st.code = bytes.ToUpper(code)
	st.arg = bytes.TrimSpace(arg)
	return st
}

// splitCode parts "[inner] text". A bracket inside a parenthesised argument (a
// keyword may hold one) does not end it; where none ends it the line does:
// imapclient would read on across lines until some bracket came.
func splitCode(b []byte) (inner, text []byte, closed bool) {
	b = b[1:]
	end := bytes.IndexByte(b, ']')
	if i := bytes.IndexByte(b, '('); i >= 0 && i < end {
		if j := bytes.Index(b, []byte(")]")); j >= 0 {
			end = j + 1
		}
	}
	if end < 0 {
		return b, nil, false
	}
	return b[:end], b[end+1:], true
}

// statusEvent makes the event of a status response.
func (s *scanner) statusEvent(k Kind, typ string, st *statusText) Event {
	ev := Event{Kind: k, Type: typ, Code: s.flags.intern(st.code), Arg: clip(st.arg), Text: clip(st.text), Broken: st.odd}
	switch ev.Code {
	case "PERMANENTFLAGS":
		if l, ok := s.flags.parse(&cursor{b: st.arg}); ok {
			ev.FlagNames, ev.HasFlags = l.names, true
		}
	case "UIDVALIDITY", "UIDNEXT", "UNSEEN":
		ev.Num, _ = number32(st.arg)
	case "HIGHESTMODSEQ":
		ev.ModSeq, _ = number(st.arg)
	}
	return ev
}

// appendStatus writes a status response for imapclient: with its code where
// that is one imapclient can decode, else without.
func (s *scanner) appendStatus(tag []byte, typ string, st *statusText) {
	b := append(append(append(s.out, tag...), ' '), typ...)
	if len(st.code) > 0 {
		start := len(b)
		b = append(append(b, " ["...), st.code...)
		var ok bool
		if b, ok = s.appendArg(b, st); ok {
			b = append(b, ']')
		} else {
			b = b[:start]
			st.odd = true
		}
	}
	if len(st.text) > 0 {
		if b[len(b)-1] != ']' && st.text[0] == '[' {
			st.text = st.text[1:]
		}
		b = appendClean(append(b, ' '), st.text)
	}
	s.out = append(b, "\r\n"...)
	if st.odd {
		s.tap.count(&s.tap.stats.Repaired)
	}
}

// appendArg writes a code's argument, preceded by a blank; ok is false where
// imapclient had better not see the code.
func (s *scanner) appendArg(b []byte, st *statusText) (_ []byte, ok bool) {
	c := cursor{b: st.arg}
	switch string(st.code) {
	case "CLOSED":
		// It would make imapclient believe in a log-in that may not have been.
		return b, false
	case "CAPABILITY":
		s.noteCapabilities(st.arg)
		return appendAtoms(b, &c), true
	case "PERMANENTFLAGS":
		l, ok := s.flags.parse(&c)
		return append(append(b, ' '), l.clean...), ok
	case "UIDNEXT", "UIDVALIDITY":
		_, ok := number32(st.arg)
		return append(append(b, ' '), st.arg...), ok
	case "HIGHESTMODSEQ":
		_, ok := number(st.arg)
		return append(append(b, ' '), st.arg...), ok
	case "APPENDUID":
		f := bytes.Fields(st.arg)
		if len(f) != 2 {
			return b, false
		}
		_, ok1 := number32(f[0])
		_, ok2 := number32(f[1])
		return append(append(append(append(b, ' '), f[0]...), ' '), f[1]...), ok1 && ok2
	case "COPYUID":
		f := bytes.Fields(st.arg)
		if len(f) != 3 {
			return b, false
		}
		_, ok := number32(f[0])
		for i, w := range f {
			b = append(append(b, ' '), w...)
			if i > 0 {
				// imapclient keeps sets sorted by insertion: quadratic where a
				// set runs downwards.
				set, valid, ascending := parseSet(w)
				ok = ok && valid && (ascending || len(set) < 1000)
			}
		}
		return b, ok
	case "NOMODSEQ":
		return b, true
	}
	if len(st.arg) > 0 {
		b = append(b, ' ')
		for _, ch := range st.arg {
			if ch == ']' || ch == '\r' || ch == '\n' || ch == 0 {
				ch = '?'
			}
			b = append(b, ch)
		}
	}
	return b, true
}

// appendAtoms writes the atoms of a list of words, each after a blank.
func appendAtoms(b []byte, c *cursor) []byte {
	for {
		c.space()
		if c.end() {
			return b
		}
		w := c.word()
		if len(w) == 0 {
			c.i++
			continue
		}
		if isAtom(w) {
			b = append(append(b, ' '), w...)
		}
	}
}

// noteCapabilities remembers what decides how imapclient writes mailbox names.
func (s *scanner) noteCapabilities(caps []byte) {
	s.utf8 = false
	for _, w := range bytes.Fields(caps) {
		if equalFold(w, "IMAP4REV2") {
			s.utf8 = true
		}
	}
}

// parseSet reads a set of nonzero numbers: 1,3:5. A range may run downwards,
// as RFC 9051 allows; ascending tells whether no member is below the one
// before it.
func parseSet(b []byte) (set []UIDRange, ok, ascending bool) {
	ascending = true
	last := uint32(0)
	for len(b) > 0 {
		var part []byte
		i := bytes.IndexByte(b, ',')
		if i < 0 {
			part, b = b, nil
		} else if part, b = b[:i], b[i+1:]; len(b) == 0 {
			return nil, false, false
		}
		from, to, ranged := bytes.Cut(part, []byte(":"))
		lo, ok1 := number32(from)
		hi, ok2 := lo, true
		if ranged {
			hi, ok2 = number32(to)
		}
		if !ok1 || !ok2 || lo == 0 || hi == 0 {
			return nil, false, false
		}
		if lo > hi {
			lo, hi = hi, lo
		}
		if lo <= last {
			ascending = false
		}
		last = hi
		set = append(set, UIDRange{lo, hi})
	}
	return set, len(set) > 0, ascending
}
