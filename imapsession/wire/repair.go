package wire

import (
	"bytes"
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
		b, ev.Counted, ok = s.appendESearch(b, c)
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
