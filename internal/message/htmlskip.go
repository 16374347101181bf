package message

import "golang.org/x/net/html/atom"

// skipper follows an element whose content is not shown until it ends, by its
// own closing tag or by what closes it without one.
type skipper struct {
	tag   atom.Atom
	name  string
	depth int // of elements of that name, 0: nothing is skipped
	inner int // tables and lists inside, whose cells and items are not siblings
}

func (s *skipper) begin(tag atom.Atom, name []byte) {
	*s = skipper{tag: tag, name: string(name), depth: 1}
}

func (s *skipper) active() bool { return s.depth > 0 }

// start sees a start tag inside and reports whether that is skipped too.
func (s *skipper) start(tag atom.Atom, name []byte) bool {
	switch tag {
	case atom.Table, atom.Ul, atom.Ol, atom.Menu, atom.Dir:
		if s.closesAlone() {
			if s.tag == atom.P {
				s.depth = 0 // a paragraph ends where a block begins
				return false
			}
			s.inner++
			return true
		}
	}
	if s.inner > 0 {
		return true
	}
	same := string(name) == s.name
	switch {
	case same && s.closesAlone(),
		s.tag == atom.P && isBlock(tag),
		(s.tag == atom.Td || s.tag == atom.Th) && (tag == atom.Tr || tag == atom.Td || tag == atom.Th):
		s.depth = 0
		return false
	case same:
		s.depth++
	}
	return true
}

// close sees an end tag inside and reports whether that is skipped too.
func (s *skipper) close(tag atom.Atom, name []byte) bool {
	if s.inner > 0 {
		switch tag {
		case atom.Table, atom.Ul, atom.Ol, atom.Menu, atom.Dir:
			s.inner--
		}
		return true
	}
	if string(name) == s.name {
		s.depth--
		return true
	}
	switch s.tag { // the end of what is around
	case atom.Td, atom.Th:
		if tag == atom.Tr || tag == atom.Table {
			s.depth = 0
		}
	case atom.Tr:
		if tag == atom.Table {
			s.depth = 0
		}
	case atom.Li:
		if tag == atom.Ul || tag == atom.Ol {
			s.depth = 0
		}
	case atom.P:
		if tag == atom.Div || tag == atom.Td || tag == atom.Blockquote || tag == atom.Table {
			s.depth = 0
		}
	}
	return s.depth > 0
}

// closesAlone: elements that their next sibling closes.
func (s *skipper) closesAlone() bool {
	switch s.tag {
	case atom.P, atom.Li, atom.Td, atom.Th, atom.Tr:
		return true
	}
	return false
}

// preWrap follows an element whose style keeps line breaks (white-space:
// pre-wrap) until it ends.
type preWrap struct {
	tag   atom.Atom
	depth int
}

func (p *preWrap) active() bool { return p.depth > 0 }

func (p *preWrap) start(tag atom.Atom, begins bool) {
	switch {
	case p.depth > 0 && tag == p.tag && (tag == atom.P || tag == atom.Td):
		p.depth = 0
		if begins {
			p.depth = 1
		}
	case p.depth > 0 && tag == p.tag:
		p.depth++
	case p.depth == 0 && begins:
		p.tag, p.depth = tag, 1
	}
}

func (p *preWrap) close(tag atom.Atom) {
	if p.depth > 0 && tag == p.tag {
		p.depth--
	}
}
