package wire

import (
	"bytes"
	"errors"
	"strconv"
)

// items are the FETCH data items that a command asked for or a response has.
type items uint8

const (
	itemUID items = 1 << iota
	itemFlags
	itemModSeq
	itemDate
	itemSize
	itemBody

	itemContent = itemDate | itemSize | itemBody
)

// fetch is the running FETCH response. Its values are collected while its text
// comes, and written out anew, UID first: imapclient matches a FETCH response
// to its command by the UID, which it must see before the first literal.
type fetch struct {
	seq    uint32
	have   items
	uid    uint32
	modseq uint64
	size   uint64
	flags  *flagList
	date   [26]byte // dd-Mon-yyyy hh:mm:ss +zzzz

	sent   items     // scalar items that were written out
	state  fetchPath // what was decided
	open   bool      // its beginning was written out
	some   bool      // an item was written out
	skip   int       // depth of a value that is being passed over
	broken bool
	held   []byte // body sections that wait for the UID
	// What a Fetch gets of it, where state is streamed.
	section []byte
	// supplied: the server has not said the UID (yet), but only one was asked
	// for.
	supplied bool
}

// errOtherMessage ends a connection whose server said whose content it had sent
// only when imapclient had it already, and it was another message's.
var errOtherMessage = errors.New("the server sent another message than it was asked for")

type fetchPath uint8

const (
	undecided fetchPath = iota
	passing             // imapclient gets it
	holding             // it would, if the UID came
	swallowed           // no command asked for it
	streamed            // a Fetch gets it
)

// beginFetch starts on the text behind "* n FETCH".
func (s *scanner) beginFetch(seq uint32, text []byte) error {
	s.kind = respFetch
	held := s.fetch.held[:0]
	if cap(held) > 2*keepBuffer {
		held = nil
	}
	s.fetch = fetch{seq: seq, held: held}
	if seq == 0 {
		s.fetch.state = swallowed // no message: nothing may look for it
	}
	if s.tap.trace != nil {
		s.note = append(s.note[:0], "* "...)
		s.note = strconv.AppendUint(s.note, uint64(seq), 10)
		s.note = append(s.note, " FETCH ("...)
	}
	c := cursor{b: text}
	c.space()
	if !c.take('(') {
		s.fetch.broken = true
	}
	return s.fetchItems(&c)
}

// fetchSegment goes on behind a literal.
func (s *scanner) fetchSegment(seg []byte) error {
	return s.fetchItems(&cursor{b: seg})
}

// fetchItems reads data items until the text ends, in a literal or for good.
func (s *scanner) fetchItems(c *cursor) error {
	f := &s.fetch
	for {
		if f.skip > 0 {
			if size, literal, err := s.skipList(c); err != nil {
				return err
			} else if literal {
				return s.startLiteral(size, drop)
			}
		}
		c.space()
		if c.end() {
			f.broken = true
			if size, ok := trailingLiteral(c.b); ok {
				return s.startLiteral(size, drop) // the quotes are broken
			}
			return s.endFetch() // the closing parenthesis is missing
		}
		if c.take(')') {
			return s.endFetch()
		}
		name := c.name()
		if len(name) == 0 {
			c.i++
			f.broken = true
			continue
		}
		size, literal, to, err := s.fetchItem(c, name)
		if err != nil {
			return err
		}
		if literal {
			return s.startLiteral(size, to)
		}
	}
}

// fetchItem reads one data item's value. Where that is a literal, its size and
// destination are returned.
func (s *scanner) fetchItem(c *cursor, name []byte) (size int64, literal bool, to route, err error) {
	f := &s.fetch
	switch {
	case equalFold(name, "UID"):
		c.space()
		if n, ok := number32(c.word()); ok && n != 0 {
			switch {
			case f.supplied && n != f.uid:
				return 0, false, drop, errOtherMessage
			case f.have&itemUID != 0 && n != f.uid:
				f.broken = true // the first one may be with imapclient already
			default:
				f.uid = n
				f.have |= itemUID
			}
			s.noteNumber("UID", uint64(n))
		} else {
			f.broken = true
		}
		return
	case equalFold(name, "FLAGS"):
		if l, ok := s.flags.parse(c); ok {
			f.flags = l
			f.have |= itemFlags
			f.broken = f.broken || l.odd
			s.noteItem("FLAGS ", l.clean)
		} else {
			f.broken = true
		}
		return
	case equalFold(name, "MODSEQ"):
		c.space()
		paren := c.take('(')
		n, ok := number(c.word())
		if paren {
			c.space()
			ok = c.take(')') && ok
		}
		if ok {
			f.modseq = n
			f.have |= itemModSeq
			s.noteNumber("MODSEQ", n)
		} else {
			f.broken = true
		}
		return
	case equalFold(name, "RFC822.SIZE"):
		c.space()
		if n, ok := number(c.word()); ok && n < 1<<63 {
			f.size = n
			f.have |= itemSize
			s.noteNumber("RFC822.SIZE", n)
		} else {
			f.broken = true
		}
		return
	case equalFold(name, "INTERNALDATE"):
		c.space()
		if c.peek() == '"' {
			if val, ok := c.quoted(); ok && internalDate(&f.date, val) {
				f.have |= itemDate
				s.noteItem("INTERNALDATE", nil)
				return
			}
			f.broken = true
			return
		}
		f.broken = true
	case c.peek() == '[':
		sec, ok := s.section(c)
		if ok && equalFold(name, "BODY") {
			return s.bodySection(c, sec)
		}
		f.broken = true
	default:
		f.broken = true
	}
	// Not ours: pass over the value, of whatever form.
	s.noteItem("?", nil)
	return s.skipValue(c)
}

// bodySection reads the value of BODY[sec].
func (s *scanner) bodySection(c *cursor, sec []byte) (size int64, literal bool, to route, err error) {
	f := &s.fetch
	c.space()
	var val []byte
	nilValue := false
	switch ch := c.peek(); {
	case ch == '"':
		var ok bool
		if val, ok = c.quoted(); !ok {
			f.broken = true
			return
		}
	case ch == '{' || ch == '~':
		if size, literal = c.announce(); !literal {
			c.word()
			f.broken = true
			return
		}
		if ch == '~' {
			f.broken = true
		}
	default:
		if nilValue = equalFold(c.word(), "NIL"); !nilValue {
			f.broken = true
			return
		}
	}
	f.have |= itemBody
	n := size
	if !literal {
		n = int64(len(val))
	}
	s.noteBody(sec, n)
	if f.state == undecided {
		if st := s.tap.streaming(0); st != nil {
			s.streamSection(st, val, n)
			return size, literal, toStream, nil
		}
	}
	dst, to := s.bodyRoute(n)
	if dst == nil {
		return size, literal, drop, nil
	}
	b := *dst
	if f.some || f.state == holding && len(b) > 0 {
		b = append(b, ' ')
	}
	f.some = f.some || f.state == passing
	b = append(append(b, "BODY"...), sec...)
	switch {
	case nilValue:
		b = append(b, " NIL"...)
	default:
		b = append(b, " {"...)
		b = strconv.AppendInt(b, n, 10)
		b = append(b, "}\r\n"...)
		b = append(b, val...)
	}
	*dst = b
	return size, literal, to, nil
}

// bodyRoute decides where a body section of n octets goes: to imapclient, to
// the held bytes, or (nil) nowhere.
func (s *scanner) bodyRoute(n int64) (dst *[]byte, to route) {
	f := &s.fetch
	if f.state == undecided || f.state == holding {
		switch s.tap.wanted(f.have, f.uid) {
		case passing:
			f.state = passing
		case swallowed:
			f.state = swallowed
		default:
			switch {
			case int64(len(f.held))+n <= inlineLiteral:
				f.state = holding
			case s.supplyUID():
				f.state = passing
			default:
				f.state = swallowed
				f.broken = true
				f.held = f.held[:0]
			}
		}
	}
	switch f.state {
	case passing:
		s.openFetch()
		return &s.out, pass
	case holding:
		return &f.held, hold
	}
	return nil, drop
}

// supplyUID gives the response the only UID it can be of.
func (s *scanner) supplyUID() bool {
	f := &s.fetch
	uid := s.tap.soleUID(f.have)
	if uid == 0 {
		return false
	}
	f.uid, f.supplied, f.broken = uid, true, true
	f.have |= itemUID
	return true
}

// openFetch writes out what is known and was not written out yet.
func (s *scanner) openFetch() {
	f := &s.fetch
	b := s.out
	if !f.open {
		f.open = true
		s.tap.handing(f.seq, f.uid)
		b = append(b, "* "...)
		b = strconv.AppendUint(b, uint64(f.seq), 10)
		b = append(b, " FETCH ("...)
	}
	sep := func() {
		if f.some {
			b = append(b, ' ')
		}
		f.some = true
	}
	todo := f.have &^ f.sent
	if todo&itemUID != 0 {
		sep()
		b = strconv.AppendUint(append(b, "UID "...), uint64(f.uid), 10)
	}
	if todo&itemFlags != 0 {
		sep()
		b = append(append(b, "FLAGS "...), f.flags.clean...)
	}
	if todo&itemModSeq != 0 {
		sep()
		b = append(strconv.AppendUint(append(b, "MODSEQ ("...), f.modseq, 10), ')')
	}
	if todo&itemDate != 0 {
		sep()
		b = append(append(append(b, `INTERNALDATE "`...), f.date[:]...), '"')
	}
	if todo&itemSize != 0 {
		sep()
		b = strconv.AppendUint(append(b, "RFC822.SIZE "...), f.size, 10)
	}
	f.sent = f.have
	if len(f.held) > 0 {
		sep()
		b = append(b, f.held...)
		f.held = f.held[:0]
	}
	s.out = b
}

// endFetch ends the response: the event first, then what completes it.
func (s *scanner) endFetch() error {
	f := &s.fetch
	f.skip = 0
	if s.tap.trace != nil {
		s.note = append(bytes.TrimSuffix(s.note, []byte(" ")), ')')
		if s.tap.holdsSecret(s.note) {
			s.note = append(s.note[:0], "* FETCH [redacted]"...)
		}
		s.tap.trace.recordRun(s.now, s.tap.opts.Name, In, s.note)
	}
	if f.state == undecided || f.state == holding {
		f.state = s.tap.wanted(f.have, f.uid)
		if f.state == holding && s.supplyUID() {
			f.state = passing
		}
	}
	if f.broken {
		s.tap.count(&s.tap.stats.Repaired)
	}
	if f.state == streamed {
		s.endStreamed()
		if f.have&itemFlags == 0 {
			return s.end()
		}
	}
	ev := queued{
		kind: KindFetch, num: f.seq, uid: f.uid, modseq: f.modseq, flags: f.flags,
		hasFlags: f.have&itemFlags != 0, broken: f.broken,
	}
	if f.seq == 0 {
		// No message: the session must not look for one.
		ev = queued{full: &Event{Kind: KindOther, Type: "FETCH", Broken: true}}
	}
	size := 0
	if f.flags != nil {
		size = f.flags.size
	}
	if err := s.tap.enqueue(ev, size); err != nil {
		return err
	}
	if f.state == passing {
		s.openFetch()
		s.out = append(s.out, ")\r\n"...)
	}
	return s.end()
}

// skipValue passes over one value.
func (s *scanner) skipValue(c *cursor) (size int64, literal bool, to route, err error) {
	c.space()
	switch c.peek() {
	case '"':
		c.quoted()
	case '(':
		c.i++
		s.fetch.skip = 1
	case '{', '~':
		if size, literal = c.announce(); !literal {
			c.word()
		}
	default:
		c.word()
	}
	return size, literal, drop, nil
}

// skipList passes over the rest of a parenthesised value, up to a literal in
// it, its end, or the end of the text.
func (s *scanner) skipList(c *cursor) (size int64, literal bool, err error) {
	f := &s.fetch
	for f.skip > 0 && !c.end() {
		switch c.peek() {
		case '(':
			c.i++
			// The FETCH's own list is one level of it.
			// What a raw command asked for does not reach imapclient, whose decoder
			// the limit is for.
			if f.skip++; f.skip+1 > s.tap.opts.Limits.Depth && !s.collect {
				return 0, false, limitError("nested parentheses", int64(s.tap.opts.Limits.Depth))
			}
		case ')':
			c.i++
			f.skip--
		case '"':
			c.quoted()
		case '{', '~':
			if size, ok := c.announce(); ok {
				return size, true, nil
			}
			c.word()
		case ' ':
			c.i++
		default:
			c.word()
		}
	}
	return 0, false, nil
}
