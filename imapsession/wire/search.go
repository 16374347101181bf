package wire

import (
	"bytes"
	"slices"
	"strconv"
)

// The reply to a SEARCH in a large mailbox of a server without ESEARCH is one
// line of many megabytes. It is taken in number by number, so that Limits.Line
// can stay small.

const (
	longLine = 32 << 10 // octets of a line after which to ask whether it is a SEARCH
	perLine  = 2        // numbers in one SEARCH, for each octet of Limits.Line
)

// beginSearch starts on a line that is a SEARCH, if it is.
func (s *scanner) beginSearch() {
	c := cursor{b: s.seg}
	if !c.take('*') || !c.space() || !equalFold(c.word(), "SEARCH") {
		return
	}
	s.kind = respSearch
	s.nums, s.modseq = s.nums[:0], 0
	s.seg = append(s.seg[:0], c.rest()...)
}

// searchPart takes the numbers of a part of the line; the last word may not be
// complete.
func (s *scanner) searchPart() error {
	end := bytes.LastIndexByte(s.seg, ' ') + 1
	if i := bytes.IndexByte(s.seg, '('); i >= 0 && i < end {
		end = i
	}
	s.readNumbers(&cursor{b: s.seg[:end]})
	s.size += int64(end)
	s.seg = append(s.seg[:0], s.seg[end:]...)
	switch {
	case s.size > s.tap.opts.Limits.Response:
		return limitError("octets of one response", s.tap.opts.Limits.Response)
	case len(s.seg) > s.tap.opts.Limits.Line:
		return limitError("octets of one response", int64(s.tap.opts.Limits.Line))
	}
	return s.searchLimit()
}

func (s *scanner) searchLimit() error {
	if most := perLine * s.tap.opts.Limits.Line; len(s.nums) > most {
		return limitError("numbers in one SEARCH", int64(most))
	}
	return nil
}

// endSearch takes the rest of the line.
func (s *scanner) endSearch(rest []byte) error {
	s.readNumbers(&cursor{b: rest})
	if err := s.searchLimit(); err != nil {
		return err
	}
	s.traceIn(append(strconv.AppendInt([]byte("* SEARCH ["), int64(len(s.nums)), 10), " numbers]"...))
	if err := s.tap.push(Event{Kind: KindOther, Type: "SEARCH"}); err != nil {
		return err
	}
	s.out = append(s.appendSearch(append(s.out, "* SEARCH"...), true), "\r\n"...)
	return s.end()
}

// readNumbers reads the numbers of a SEARCH or SORT, and the (MODSEQ n) behind
// them (RFC 7162 §3.1.5). What is no number is passed over, 0 too: imapclient
// would take it for "*".
func (s *scanner) readNumbers(c *cursor) {
	s.modseq = 0
	for {
		c.space()
		if c.end() {
			return
		}
		if c.take('(') {
			if equalFold(c.word(), "MODSEQ") {
				c.space()
				s.modseq, _ = number(c.word())
			}
			return
		}
		w := c.word()
		if len(w) == 0 {
			c.i++
		} else if n, ok := number32(w); ok && n != 0 {
			s.nums = append(s.nums, n)
		}
	}
}

// appendSearch writes the numbers. Those of a SEARCH go out ascending: their
// order means nothing, and imapclient takes quadratic time for descending ones.
// A SORT's MODSEQ is left out, since imapclient dies of it.
func (s *scanner) appendSearch(b []byte, isSearch bool) []byte {
	if isSearch && !slices.IsSorted(s.nums) {
		slices.Sort(s.nums)
	}
	for _, n := range s.nums {
		b = strconv.AppendUint(append(b, ' '), uint64(n), 10)
	}
	if isSearch && s.modseq != 0 {
		b = append(strconv.AppendUint(append(b, " (MODSEQ "...), s.modseq, 10), ')')
	}
	if cap(s.nums)*4 > keepBuffer {
		s.nums = nil
	}
	return b
}
