package wire

import (
	"bytes"
	"fmt"
)

// begin looks at the first segment of a response.
func (s *scanner) begin(seg []byte) error {
	line := trimEOL(seg)
	s.resp = s.resp[:0]
	if !s.greeted && len(line) > 0 && !isGreeting(line) {
		return notIMAP(line)
	}
	switch {
	case len(line) == 0:
		s.tap.count(&s.tap.stats.Dropped)
		return s.end()
	case line[0] == '+':
		if err := s.continuation(line); err != nil {
			return err
		}
		return s.end()
	case line[0] != '*':
		if err := s.tagged(line); err != nil {
			return err
		}
		return s.end()
	}
	s.greeted = true
	c := cursor{b: line, i: 1}
	c.space()
	w := c.word()
	if isStatus(w) {
		if err := s.status(&c, w); err != nil {
			return err
		}
		return s.end()
	}
	if len(w) > 0 && w[0] >= '0' && w[0] <= '9' {
		num, ok := number32(w)
		c.space()
		if w := c.word(); ok && equalFold(w, "FETCH") {
			return s.beginFetch(num, c.rest())
		}
	}
	if err := s.depth(line); err != nil {
		return err
	}
	if _, ok := trailingLiteral(line); ok {
		s.kind = respBuffered
		s.resp = append(s.resp, seg...)
		return s.buffered(len(seg))
	}
	if err := s.untagged(line); err != nil {
		return err
	}
	return s.end()
}

func notIMAP(said []byte) error {
	return fmt.Errorf("%w: it said \"%s\"", ErrGreeting, printable(said[:min(len(said), 60)]))
}

// isGreeting reports whether a line may be a server's first word.
func isGreeting(line []byte) bool {
	c := cursor{b: line}
	if !c.take('*') {
		return false
	}
	c.space()
	return isStatus(c.word())
}

// statusTypes are the types of status responses, as the strings events carry.
var statusTypes = [...]string{"OK", "NO", "BAD", "BYE", "PREAUTH"}

func isStatus(w []byte) bool { return statusType(w) != "" }

func statusType(w []byte) string {
	for _, t := range statusTypes {
		if equalFold(w, t) {
			return t
		}
	}
	return ""
}

// continuation takes "+ text". imapclient dies of one that it does not wait
// for.
func (s *scanner) continuation(line []byte) error {
	text := bytes.TrimPrefix(line[1:], []byte(" "))
	waited, ours, secret := s.tap.takeContinuation()
	if secret {
		s.traceIn([]byte("+ [redacted]"))
	} else {
		s.traceIn(line)
	}
	ev := Event{Kind: KindCont, Text: clip(text), Broken: !waited}
	if err := s.tap.push(ev); err != nil {
		return err
	}
	switch {
	case ours: // imapclient knows nothing of it
		return nil
	case !waited:
		s.tap.count(&s.tap.stats.Dropped)
		return nil
	}
	s.out = append(s.out, '+')
	if s.tap.exchanging() && len(bytes.TrimSpace(text)) == 0 {
		// imapclient takes an empty challenge for a wish to hear a first response
		// and nothing else; written like this it hands it to the mechanism.
		text = []byte("=")
	}
	if len(text) > 0 {
		s.out = appendClean(append(s.out, ' '), text)
	}
	s.out = append(s.out, "\r\n"...)
	return nil
}

// tagged takes "tag OK text". imapclient dies of a tag that it does not know
// and of a type other than OK, NO and BAD.
func (s *scanner) tagged(line []byte) error {
	c := cursor{b: line}
	tag := c.word()
	c.space()
	typ := statusType(c.word())
	cmd, known := s.tap.finish(tag)
	if !known {
		s.tap.count(&s.tap.stats.Dropped)
		s.traceIn(fmt.Appendf(nil, "[a line of %d octets that is no response]", len(line)))
		return s.tap.push(Event{Kind: KindOther, Broken: true})
	}
	st := s.parseStatus(&c)
	st.text = s.tap.withoutSecrets(st.text)
	if typ == "" || typ == "PREAUTH" || typ == "BYE" {
		typ = "BAD"
		st.odd = true
	}
	s.traceStatus(tag, typ, &st)
	ev := s.statusEvent(KindTagged, typ, &st)
	ev.Tag = cmd.tag
	if cmd.raw != nil {
		cmd.raw.reply.Tagged = ev
		cmd.raw.end(nil)
		return nil
	}
	if err := s.tap.push(ev); err != nil {
		return err
	}
	s.appendStatus(tag, typ, &st)
	return nil
}

// status takes an untagged OK, NO, BAD, BYE or PREAUTH.
func (s *scanner) status(c *cursor, w []byte) error {
	typ := statusType(w)
	st := s.parseStatus(c)
	st.text = s.tap.withoutSecrets(st.text)
	s.traceStatus([]byte("*"), typ, &st)
	if err := s.tap.push(s.statusEvent(KindStatus, typ, &st)); err != nil {
		return err
	}
	if !s.forRaw {
		s.appendStatus([]byte("*"), typ, &st)
	}
	return nil
}

// untagged takes any other untagged response, complete, literals inlined.
func (s *scanner) untagged(line []byte) error {
	c := cursor{b: line, i: 1}
	c.space()
	w := c.word()
	start := len(s.out)
	var ev Event
	ok := true
	if len(w) > 0 && w[0] >= '0' && w[0] <= '9' {
		ev, ok = s.numbered(w, &c)
	} else {
		ev, ok = s.named(w, &c)
	}
	if s.tap.trace != nil {
		s.traceIn(traced(line, ev.Type))
	}
	if s.forRaw && ev.Kind != KindExists && ev.Kind != KindExpunge {
		s.out = s.out[:start]
	}
	switch {
	case !ok:
		s.out = s.out[:start]
		ev.Broken = true
		s.tap.count(&s.tap.stats.Dropped)
	case ev.Type == "SEARCH" || ev.Type == "SORT":
		// Whether it came in one piece must not show.
	case len(s.out) > start && !bytes.Equal(trimEOL(s.out[start:]), line):
		ev.Broken = true
		s.tap.count(&s.tap.stats.Repaired)
	}
	// The event has to be there before what it tells of; nothing of s.out is
	// handed on before feed returns.
	switch ev.Kind {
	case KindExists, KindRecent, KindExpunge:
		return s.tap.enqueue(queued{kind: ev.Kind, num: ev.Num, broken: ev.Broken}, 0)
	}
	return s.tap.push(ev)
}

// numbered takes "* n EXISTS" and its kin.
func (s *scanner) numbered(w []byte, c *cursor) (ev Event, ok bool) {
	num, fits := number32(w)
	c.space()
	typ := c.word()
	switch {
	case equalFold(typ, "EXISTS"):
		ev = Event{Kind: KindExists, Num: num, Type: "EXISTS"}
	case equalFold(typ, "RECENT"):
		ev = Event{Kind: KindRecent, Num: num, Type: "RECENT"}
	case equalFold(typ, "EXPUNGE"):
		ev = Event{Kind: KindExpunge, Num: num, Type: "EXPUNGE"}
		if num == 0 {
			// imapclient takes a 0 for the end of an EXPUNGE's results. The
			// session has to know that the numbering is lost.
			return ev, false
		}
	default:
		return Event{Kind: KindOther, Type: typeName(typ)}, false
	}
	if !fits {
		return Event{Kind: KindOther, Type: ev.Type}, false
	}
	s.out = append(append(append(append(s.out, "* "...), w...), ' '), ev.Type...)
	s.out = append(s.out, "\r\n"...)
	return ev, true
}

// typeName is a response's name for an event: upper case, bounded.
func typeName(w []byte) string {
	w = w[:min(len(w), 40)]
	if !isAtom(w) {
		return ""
	}
	return string(bytes.ToUpper(w))
}

// maxText is how much of a text or argument an event keeps.
const maxText = 8 << 10

func clip(b []byte) string { return string(b[:min(len(b), maxText)]) }

// appendClean appends text for imapclient: no CR, LF or NUL in it.
func appendClean(dst, text []byte) []byte {
	for _, ch := range text {
		if ch == '\r' || ch == '\n' || ch == 0 {
			ch = '?'
		}
		dst = append(dst, ch)
	}
	return dst
}

// traced is what the trace keeps of an untagged response.
func traced(line []byte, typ string) []byte {
	switch typ {
	case "CAPABILITY", "ENABLED", "FLAGS", "EXISTS", "RECENT", "EXPUNGE", "VANISHED",
		"LIST", "LSUB", "STATUS", "SEARCH", "ESEARCH", "NAMESPACE":
		return line
	}
	return fmt.Appendf(nil, "* %s [%d octets]", typ, len(line))
}

func (s *scanner) traceIn(text []byte) {
	if s.tap.trace == nil {
		return
	}
	if s.tap.holdsSecret(text) {
		text = []byte("[redacted]")
	}
	s.tap.trace.record(s.now, s.tap.opts.Name, In, text)
}

// traceStatus records a status response, without the parts in which the server
// echoes what a log-in told it.
func (s *scanner) traceStatus(tag []byte, typ string, st *statusText) {
	if s.tap.trace == nil {
		return
	}
	b := append(append(append(s.note[:0], tag...), ' '), typ...)
	secret := s.tap.holdsSecret(st.arg) || s.tap.holdsSecret(st.text)
	arg, text := st.arg[:min(len(st.arg), lineCut)], st.text[:min(len(st.text), lineCut)]
	if len(st.code) > 0 {
		b = append(append(b, " ["...), st.code...)
		if len(arg) > 0 && !secret {
			b = append(append(b, ' '), arg...)
		}
		b = append(b, ']')
	}
	if secret {
		b = append(b, " [redacted]"...)
	} else if len(text) > 0 {
		b = append(append(b, ' '), text...)
	}
	s.note = b
	s.traceIn(b)
}
