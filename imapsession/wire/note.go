package wire

import "strconv"

// The trace of a FETCH is written from what was understood, so that no octet
// of a message can get into it.

func (s *scanner) noteNumber(name string, n uint64) {
	if s.tap.trace == nil || len(s.note) > lineCut {
		return
	}
	s.note = append(append(s.note, name...), ' ')
	s.note = append(strconv.AppendUint(s.note, n, 10), ' ')
}

func (s *scanner) noteItem(name string, val []byte) {
	if s.tap.trace == nil || len(s.note) > lineCut {
		return
	}
	s.note = append(append(append(s.note, name...), val...), ' ')
}

func (s *scanner) noteBody(sec []byte, n int64) {
	if s.tap.trace == nil || len(s.note) > lineCut {
		return
	}
	s.note = append(append(append(s.note, "BODY"...), sec...), " {"...)
	s.note = append(strconv.AppendInt(s.note, n, 10), "} "...)
}
