package message

import "strings"

// parseAddresses reads an address list as mail has it. Whatever cannot be an
// address becomes a name alone; one bad entry never takes the others with it.
// Encoded words are decoded in names only, never in addresses: what a name
// decodes to cannot pass as the address (Mailsploit).
func parseAddresses(v, charset string) []Address {
	if v == "" {
		return nil
	}
	p := addressParser{v: v, charset: charset}
	p.out = make([]Address, 0, min(1+strings.Count(v, ","), 16))
	p.parse()
	if len(p.out) == 0 {
		return nil
	}
	return p.out
}

// addressParser makes one pass over the list. A quote, comment or bracket that
// never closes is looked for once; after that its opening counts as text.
type addressParser struct {
	v       string
	charset string
	out     []Address

	phrase  text // what stands before the angle bracket
	comment text // the last comment
	angle   string
	inAngle bool // an angle bracket was there
	group   bool
	empty   bool // the group has no member yet
	gname   string
	comma   bool // the last entry ended with a comma and was a name alone

	noQuote, noComment bool
}

// text collects pieces; as long as they follow on each other in the value, it
// stays a substring of it.
type text struct {
	s   string
	end int // where in the value s ends; -1 where it is no part of it
	buf []byte
}

// add appends a piece of its own.
func (t *text) add(s string) { t.addAt(s, -1, -1) }

// addAt appends v[i:j].
func (t *text) addAt(v string, i, j int) {
	piece := v
	if i >= 0 {
		piece = v[i:j]
	}
	switch {
	case piece == "":
	case t.buf != nil:
		t.buf = append(t.buf, piece...)
	case t.s == "":
		t.s, t.end = piece, j
	case i >= 0 && t.end == i:
		t.s, t.end = v[i-len(t.s):j], j
	default:
		t.buf = append(append(make([]byte, 0, len(t.s)+len(piece)+32), t.s...), piece...)
	}
}

func (t *text) isEmpty() bool { return t.s == "" && t.buf == nil }

func (t *text) take() string {
	s := t.s
	if t.buf != nil {
		s = string(t.buf)
	}
	*t = text{}
	return strings.Trim(s, " \t")
}

func (p *addressParser) parse() {
	v := p.v
	for i := 0; i < len(v); {
		if len(p.out) >= maxAddresses {
			return
		}
		switch c := v[i]; c {
		case ',', ';':
			p.flush(c == ',')
			if c == ';' && p.group {
				p.endGroup()
			}
			i++
		case ':':
			i++
			if p.inAngle {
				continue
			}
			name := p.phrase.take()
			if strings.IndexByte(name, '@') >= 0 { // "mailto:" aside, no group
				p.phrase.add(name)
				continue
			}
			if strings.EqualFold(name, "mailto") {
				continue
			}
			p.group, p.empty, p.gname = true, true, name
		case '"':
			end := -1
			if !p.noQuote {
				end = closingQuote(v[i+1:])
			}
			if end < 0 {
				p.noQuote = true
				i++
				continue
			}
			p.phrase.add(unquote(v[i+1 : i+1+end]))
			i += end + 2
		case '(':
			end := -1
			if !p.noComment {
				end = closingComment(v[i:])
			}
			if end < 0 {
				p.noComment = true
				i++
				continue
			}
			p.comment = text{s: unquote(v[i+1 : i+end-1])}
			i += end
		case '<':
			end := angleEnd(v[i+1:])
			p.angle, p.inAngle = v[i+1:i+1+end], true
			i += end + 1
			if i < len(v) && v[i] == '>' {
				i++
			}
		case '>':
			i++
		default:
			j := i + 1
			if c == '=' {
				if w := wordLen(v[i:]); w > 0 {
					j = i + w
				}
			} else {
				for j < len(v) && !special(v[j]) {
					j++
				}
			}
			for i < j && p.phrase.isEmpty() && (v[i] == ' ' || v[i] == '\t') {
				i++
			}
			if !p.inAngle || p.phrase.isEmpty() { // words behind the address are no name
				p.phrase.addAt(v, i, j)
			}
			i = j
		}
	}
	p.flush(false)
	if p.group {
		p.endGroup()
	}
}

func special(c byte) bool {
	switch c {
	case ',', ';', ':', '"', '(', '<', '>', '=':
		return true
	}
	return false
}

// flush ends one entry.
func (p *addressParser) flush(comma bool) {
	name, comment := p.phrase.take(), p.comment.take()
	angle, inAngle := p.angle, p.inAngle
	p.angle, p.inAngle = "", false
	joined := p.comma
	p.comma = false
	if name == "" && comment == "" && !inAngle {
		return
	}
	a := Address{}
	switch {
	case inAngle:
		a.Address = cleanAddress(angle)
		if name == "" {
			name = comment
		}
		a.Name = p.name(name)
		if joined && a.Name != "" { // Ops, Jane <jane@example.org>
			last := &p.out[len(p.out)-1]
			last.Name, last.Address = last.Name+", "+a.Name, a.Address
			return
		}
	case strings.IndexByte(name, '@') >= 0:
		a.Address, a.Name = bareAddress(name)
		if a.Name == "" {
			a.Name = comment
		}
		a.Name = p.name(a.Name)
	default:
		if name == "" {
			name = comment
		}
		a.Name = p.name(name)
		p.comma = comma && a.Name != "" && a.Name[0] >= 'A' && a.Name[0] <= 'Z' &&
			strings.IndexByte(a.Name, ' ') < 0
	}
	if a == (Address{}) {
		return
	}
	p.empty = false
	p.out = append(p.out, a)
}

// endGroup ends a group (RFC 5322 §3.4); one without members shows by its name.
func (p *addressParser) endGroup() {
	if p.empty && p.gname != "" && len(p.out) < maxAddresses {
		p.out = append(p.out, Address{Name: p.name(p.gname)})
	}
	p.group, p.empty, p.gname, p.comma = false, false, "", false
}

func (p *addressParser) name(s string) string {
	s = decodeText(s, p.charset)
	if len(s) > 1 && s[0] == '\'' && s[len(s)-1] == '\'' {
		s = s[1 : len(s)-1]
	}
	if len(s) > 1 && s[0] == '"' && s[len(s)-1] == '"' {
		s = s[1 : len(s)-1]
	}
	return s
}

// angleEnd is where the address that begins after "<" ends: at ">", or where it
// is missing at the next separator.
func angleEnd(v string) int {
	for i := 0; i < len(v); i++ {
		switch v[i] {
		case '>':
			return i
		case '"':
			if end := closingQuote(v[i+1 : min(len(v), i+128)]); end >= 0 {
				i += end + 1
			}
		case ';', '<':
			return i
		case ',':
			// A source route has commas, as in <@a,@b:c@d>.
			if i == 0 || v[0] != '@' {
				return i
			}
		}
	}
	return len(v)
}

// cleanAddress removes a source route, "mailto:" and space.
func cleanAddress(s string) string {
	if strings.IndexByte(s, ' ') >= 0 || strings.IndexByte(s, '\t') >= 0 {
		s = strings.Join(strings.Fields(s), "")
	}
	if len(s) > 0 && s[0] == '@' {
		if i := strings.IndexByte(s, ':'); i >= 0 {
			s = s[i+1:]
		}
	}
	if len(s) > 7 && strings.EqualFold(s[:7], "mailto:") {
		s = s[7:]
	}
	return s
}

// bareAddress splits "Jane jane@example.org" into address and the rest.
func bareAddress(s string) (addr, name string) {
	if strings.IndexByte(s, ' ') < 0 {
		return s, ""
	}
	fields := strings.Fields(s)
	for i, f := range fields {
		if at := strings.IndexByte(f, '@'); at > 0 && at < len(f)-1 {
			rest := append(append([]string{}, fields[:i]...), fields[i+1:]...)
			return f, strings.Join(rest, " ")
		}
	}
	return strings.Join(fields, ""), "" // jane @ example.org
}

// closingQuote is the index of the quote that ends a quoted string.
func closingQuote(v string) int {
	for i := 0; i < len(v); i++ {
		switch v[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// closingComment is the length of the comment that v begins with.
func closingComment(v string) int {
	depth := 0
	for i := 0; i < len(v); i++ {
		switch v[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

// unquote removes the backslashes of quoted pairs.
func unquote(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		out = append(out, s[i])
	}
	return string(out)
}
