package wire

// flagLists interns flag lists by how the server wrote them: a mailbox of a
// million messages has a few dozen different ones.
type flagLists struct {
	lists map[string]*flagList
	names map[string]string
}

// flagList is one parsed flag list.
type flagList struct {
	names []string // as sent; never nil
	clean []byte   // what imapclient can decode, parenthesised
	odd   bool     // clean leaves something out
	size  int      // octets it keeps alive by itself; 0 if interned
}

// noFlags is what NIL in place of a list means.
var noFlags = &flagList{names: []string{}, clean: []byte("()"), odd: true}

// maxInterned bounds both tables; a server that invents more only costs
// allocations.
const maxInterned = 512

// parse reads a flag list at c: (\Seen foo), leniently: NIL, quoted flags,
// stray blanks and octets that are no flag are accepted. ok is false where
// there is no list.
func (fl *flagLists) parse(c *cursor) (l *flagList, ok bool) {
	c.space()
	if c.peek() != '(' {
		w := c.word()
		return noFlags, equalFold(w, "NIL")
	}
	start := c.i
	end, closed := listEnd(c.b, c.i)
	raw := c.b[start:end]
	c.i = end
	if l, ok := fl.lists[string(raw)]; ok {
		return l, true
	}
	inner := cursor{b: raw, i: 1}
	l = &flagList{names: []string{}, clean: []byte{'('}, odd: !closed}
	for {
		if inner.space() && inner.peek() == ')' {
			l.odd = true
		}
		if inner.end() || inner.take(')') {
			break
		}
		var w []byte
		if inner.peek() == '"' {
			w, _ = inner.quoted()
			l.odd = true
		} else if w = inner.word(); len(w) == 0 {
			inner.i++
			l.odd = true
			continue
		}
		if len(w) == 0 {
			continue
		}
		l.names = append(l.names, fl.intern(w))
		if !isFlag(w) {
			l.odd = true
			continue
		}
		if len(l.clean) > 1 {
			l.clean = append(l.clean, ' ')
		}
		l.clean = append(l.clean, w...)
	}
	l.clean = append(l.clean, ')')
	if len(raw) <= 256 && len(fl.lists) < maxInterned {
		if fl.lists == nil {
			fl.lists = make(map[string]*flagList)
		}
		fl.lists[string(raw)] = l
		return l, true
	}
	l.size = 128 + 2*len(raw) + 16*len(l.names)
	return l, true
}

// intern returns b as a string, the same one for the same octets.
func (fl *flagLists) intern(b []byte) string {
	if s, ok := fl.names[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(s) <= 64 && len(fl.names) < maxInterned {
		if fl.names == nil {
			fl.names = make(map[string]string)
		}
		fl.names[s] = s
	}
	return s
}

// isFlag reports whether imapclient decodes w as a flag (or "\*").
func isFlag(w []byte) bool {
	if string(w) == `\*` {
		return true
	}
	if len(w) > 0 && w[0] == '\\' {
		w = w[1:]
	}
	return isAtom(w)
}

// listEnd finds the end of the flat list that starts at b[i]: behind the first
// parenthesis that is not part of a quoted flag. closed is false where the
// text ends first.
func listEnd(b []byte, i int) (end int, closed bool) {
	quoted := false
	for j := i; j < len(b); j++ {
		switch ch := b[j]; {
		case quoted && ch == '\\':
			j++
		case ch == '"':
			quoted = !quoted
		case ch == ')' && !quoted:
			return j + 1, true
		}
	}
	return len(b), false
}
