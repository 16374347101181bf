package wire

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
)

// appendESearch writes the parts of an ESEARCH that imapclient reads (RFC 4731):
// the tag, UID, MIN, MAX, COUNT, ALL, MODSEQ. imapclient dies of one without a
// tag, which can only mean the SEARCH in flight. counted tells that there is a
// COUNT, of which imapclient makes 0 where there is none.
func (s *scanner) appendESearch(b []byte, c *cursor) (_ []byte, counted, ok bool) {
	c.space()
	if c.peek() != '(' {
		tag := s.tap.searching()
		if tag == "" {
			return b, false, false
		}
		b = append(append(append(b, ` (TAG "`...), tag...), `")`...)
	}
	if c.take('(') {
		c.space()
		if !equalFold(c.word(), "TAG") {
			return b, false, false
		}
		c.space()
		tag, ok := c.astring()
		c.space()
		if !ok || !isAtom(tag) || !c.take(')') {
			return b, false, false
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
			return b, counted, true
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
				counted = counted || equalFold(name, "COUNT")
				b = append(append(append(append(b, ' '), bytes.ToUpper(name)...), ' '), v...)
			}
		case equalFold(name, "ALL"):
			c.space()
			set, ok, ascending := parseSet(c.word())
			if !ok {
				return b, false, false
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
