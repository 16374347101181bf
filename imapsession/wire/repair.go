package wire

import (
	"bytes"
	"cmp"
	"net/mail"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// named takes an untagged response that begins with its name. What imapclient
// knows is written out anew from what was understood; ok is false for what it
// is not to see.
func (s *scanner) named(w []byte, c *cursor) (ev Event, ok bool) {
	typ := typeName(w)
	ev = Event{Kind: KindOther, Type: typ}
	b := append(append(s.out, "* "...), typ...)
	switch typ {
	case "CAPABILITY", "ENABLED":
		if typ == "CAPABILITY" {
			s.noteCapabilities(c.rest())
		} else if bytes.Contains(bytes.ToUpper(c.rest()), []byte("UTF8=ACCEPT")) {
			s.utf8Accept = true
		}
		b, ok = appendAtoms(b, c), true
	case "FLAGS":
		l, isList := s.flags.parse(c)
		ev = Event{Kind: KindFlags, Type: typ, FlagNames: l.names, HasFlags: isList}
		b, ok = append(append(b, ' '), l.clean...), isList
	case "VANISHED":
		ev, ok = vanished(c)
		// imapclient does not know it; the event is all there is.
		return ev, ok
	case "SEARCH", "SORT":
		s.nums = s.nums[:0]
		s.readNumbers(c)
		b, ok = s.appendSearch(b, typ == "SEARCH"), true
	case "ESEARCH":
		b, ok = s.appendESearch(b, c)
	case "LIST":
		b, ok = s.appendList(b, c)
	case "STATUS":
		b, ok = s.appendMailboxStatus(b, c)
	case "NAMESPACE":
		b, ok = appendNamespaces(b, c)
	}
	if ok {
		s.out = append(b, "\r\n"...)
	}
	return ev, ok
}

// vanished reads VANISHED [(EARLIER)] set (RFC 7162 §3.2.10).
func vanished(c *cursor) (ev Event, ok bool) {
	ev = Event{Kind: KindVanished, Type: "VANISHED"}
	c.space()
	if c.take('(') {
		c.space()
		ev.Earlier = equalFold(c.word(), "EARLIER")
		c.space()
		if !c.take(')') || !ev.Earlier {
			return Event{Kind: KindOther, Type: "VANISHED"}, false
		}
		c.space()
	}
	if ev.UIDs, ok, _ = parseSet(c.word()); !ok {
		return Event{Kind: KindOther, Type: "VANISHED"}, false
	}
	return ev, true
}

// appendESearch writes the parts of an ESEARCH that imapclient reads (RFC 4731):
// the tag, UID, MIN, MAX, COUNT, ALL, MODSEQ. imapclient dies of one without a
// tag, which can only mean the SEARCH in flight.
func (s *scanner) appendESearch(b []byte, c *cursor) ([]byte, bool) {
	c.space()
	if c.peek() != '(' {
		tag := s.tap.searching()
		if tag == "" {
			return b, false
		}
		b = append(append(append(b, ` (TAG "`...), tag...), `")`...)
	}
	if c.take('(') {
		c.space()
		if !equalFold(c.word(), "TAG") {
			return b, false
		}
		c.space()
		tag, ok := c.astring()
		c.space()
		if !ok || !isAtom(tag) || !c.take(')') {
			return b, false
		}
		b = append(append(append(b, ` (TAG "`...), tag...), `")`...)
	}
	c.space()
	if mark := c.i; equalFold(c.word(), "UID") {
		b = append(b, " UID"...)
	} else {
		c.i = mark
	}
	for {
		c.space()
		if c.end() {
			return b, true
		}
		name := c.word()
		switch {
		case len(name) == 0:
			c.i++
		case equalFold(name, "UID"):
			// Again, or behind a result: imapclient would look for its value.
		case equalFold(name, "MIN"), equalFold(name, "MAX"), equalFold(name, "COUNT"), equalFold(name, "MODSEQ"):
			c.space()
			v := c.word()
			_, ok := number32(v)
			if equalFold(name, "MODSEQ") {
				_, ok = number(v)
			}
			if ok {
				b = append(append(append(append(b, ' '), bytes.ToUpper(name)...), ' '), v...)
			}
		case equalFold(name, "ALL"):
			c.space()
			set, ok, ascending := parseSet(c.word())
			if !ok {
				return b, false
			}
			if !ascending {
				slices.SortFunc(set, func(a, b UIDRange) int { return cmp.Compare(a.Lo, b.Lo) })
			}
			b = appendSet(append(b, " ALL "...), set)
		default:
			c.skip()
		}
	}
}

func appendSet(b []byte, set []UIDRange) []byte {
	for i, r := range set {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, uint64(r.Lo), 10)
		if r.Hi != r.Lo {
			b = strconv.AppendUint(append(b, ':'), uint64(r.Hi), 10)
		}
	}
	return b
}

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

const dateLayout = "_2-Jan-2006 15:04:05 -0700"

// internalDate puts an INTERNALDATE that imapclient accepts into dst. The RFC
// 2822 form and a zone name, which some servers send, are translated. ok is
// false for what is no date, and for the zero time, which imapclient refuses.
func internalDate(dst *[26]byte, val []byte) (ok bool) {
	if plainDate(val) {
		copy(dst[:], val)
		return true
	}
	if len(val) > 64 {
		return false
	}
	s := string(bytes.TrimSpace(val))
	at, err := time.Parse(dateLayout, s)
	if err != nil {
		at, err = time.Parse("_2-Jan-2006 15:04:05 MST", s)
	}
	if err != nil {
		at, err = mail.ParseDate(s)
	}
	if err != nil || at.IsZero() || at.Year() < 1 || at.Year() > 9999 {
		return false
	}
	out := at.AppendFormat(nil, dateLayout)
	return len(out) == copy(dst[:], out)
}

// plainDate reports whether val is in the form that servers normally send and
// surely is a date. It costs nothing.
func plainDate(val []byte) bool {
	if len(val) != 26 || val[2] != '-' || val[6] != '-' || val[11] != ' ' ||
		val[14] != ':' || val[17] != ':' || val[20] != ' ' || (val[21] != '+' && val[21] != '-') {
		return false
	}
	day := val[:2]
	if day[0] == ' ' {
		day = day[1:]
	}
	d, ok1 := number(day)
	y, ok2 := number(val[7:11])
	h, ok3 := number(val[12:14])
	m, ok4 := number(val[15:17])
	sec, ok5 := number(val[18:20])
	zh, ok6 := number(val[22:24])
	zm, ok7 := number(val[24:26])
	return ok1 && ok2 && ok3 && ok4 && ok5 && ok6 && ok7 &&
		d >= 1 && d <= 28 && y >= 1900 && h < 24 && m < 60 && sec < 60 && zh < 15 && zm < 60 &&
		bytes.Contains([]byte("JanFebMarAprMayJunJulAugSepOctNovDec"), val[3:6])
}
