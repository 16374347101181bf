package wire

import "bytes"

// vanished reads VANISHED [(EARLIER)] set (RFC 7162 §3.2.10).
func vanished(c *cursor) (ev Event, ok bool) {
	ev = Event{Kind: KindVanished, Type: "VANISHED"}
	if ev.Earlier, ok = earlier(c); !ok {
		return Event{Kind: KindOther, Type: "VANISHED"}, false
	}
	if ev.UIDs, ok, _ = parseSet(c.word()); !ok {
		return Event{Kind: KindOther, Type: "VANISHED"}, false
	}
	return ev, true
}

// earlier reads what may stand before the set.
func earlier(c *cursor) (is, ok bool) {
	c.space()
	if !c.take('(') {
		return false, true
	}
	c.space()
	is = equalFold(c.word(), "EARLIER")
	c.space()
	ok = c.take(')') && is
	c.space()
	return is, ok
}

// The VANISHED (EARLIER) of a large mailbox may be one line of many megabytes,
// where every other message is gone. It is taken in range by range, as several
// Events, so that Limits.Line can stay small.

// beginVanished starts on a line that is a VANISHED, if it is.
func (s *scanner) beginVanished() {
	c := cursor{b: s.seg}
	if !c.take('*') || !c.space() || !equalFold(c.word(), "VANISHED") {
		return
	}
	is, ok := earlier(&c)
	if !ok {
		return
	}
	s.kind, s.earlier = respVanished, is
	s.forRaw, s.collect = s.tap.rawRunning()
	s.seg = append(s.seg[:0], c.rest()...)
}

// vanishedPart takes the ranges of a part of the line; the last one may not be
// complete.
func (s *scanner) vanishedPart() error {
	end := bytes.LastIndexByte(s.seg, ',')
	if end < 0 {
		if len(s.seg) > longLine {
			return limitError("octets of one range of UIDs", longLine)
		}
		return nil
	}
	err := s.pushVanished(s.seg[:end])
	s.size += int64(end + 1)
	s.seg = append(s.seg[:0], s.seg[end+1:]...)
	if err == nil && s.size > s.tap.opts.Limits.Response {
		err = limitError("octets of one response", s.tap.opts.Limits.Response)
	}
	return err
}

// endVanished takes the rest of the line.
func (s *scanner) endVanished(rest []byte) error {
	s.traceIn([]byte("* VANISHED [a long one]"))
	if err := s.pushVanished(bytes.TrimSpace(rest)); err != nil {
		return err
	}
	return s.end()
}

// pushVanished tells of a part of the set. One that cannot be read is told of as
// such: the session has lost count then.
func (s *scanner) pushVanished(set []byte) error {
	ev := Event{Kind: KindVanished, Type: "VANISHED", Earlier: s.earlier}
	ok := false
	if ev.UIDs, ok, _ = parseSet(set); !ok {
		ev = Event{Kind: KindOther, Type: "VANISHED", Broken: true}
		s.tap.count(&s.tap.stats.Dropped)
	}
	return s.tap.push(ev)
}
