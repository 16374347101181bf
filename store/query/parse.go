package query

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// What a query may hold at most. A server's command line and SQLite's expressions
// have their bounds; a person is far below them.
const (
	MaxLength = 1000 // runes
	maxTerms  = 100
	maxDepth  = 20
)

// Parse reads a query. today is the date that today, yesterday and 7d are counted
// from; its clock time does not matter.
//
// Where something is wrong, the error is an *Error, and the Query is what can be
// understood of the rest: while a person types, it is worth showing what that
// finds.
func Parse(text string, today time.Time) (Query, error) {
	p := parser{in: []rune(strings.ToValidUTF8(text, "\uFFFD")), today: today}
	q := Query{Text: text}
	if len(p.in) > MaxLength {
		p.fail(MaxLength, len(p.in), "the query is too long: leave something out")
		p.in = p.in[:MaxLength]
	}
	for i, r := range p.in {
		if unicode.IsControl(r) && !unicode.IsSpace(r) {
			p.fail(i, i+1, "there is a control character here: take it out")
			p.in[i] = ' '
		}
	}
	q.Root = p.any()
	if p.err != nil {
		return q, p.err
	}
	return q, nil
}

// parser reads from left to right and goes on behind what is wrong.
type parser struct {
	in    []rune
	i     int
	today time.Time
	open  int // groups that are open
	terms int
	err   *Error
}

func (p *parser) end() bool { return p.i >= len(p.in) }

func (p *parser) peek() rune {
	if p.end() {
		return 0
	}
	return p.in[p.i]
}

func (p *parser) spaces() {
	for !p.end() && unicode.IsSpace(p.in[p.i]) {
		p.i++
	}
}

// closing tells whether a group ends here.
func (p *parser) closing() bool { return p.open > 0 && p.peek() == ')' }

// atOr tells whether an "or" stands here.
func (p *parser) atOr() bool {
	rest := p.in[p.i:]
	if len(rest) < 2 || !strings.EqualFold(string(rest[:2]), "or") {
		return false
	}
	return len(rest) == 2 || unicode.IsSpace(rest[2]) || rest[2] == '(' || p.open > 0 && rest[2] == ')'
}

// any reads what "or" joins, up to the end of the group or the query. It returns
// nil where there is nothing.
func (p *parser) any() Node {
	var nodes Or
	for {
		at := p.i
		n := p.all()
		switch or := p.atOr(); {
		case n == nil && (len(nodes) > 0 || or):
			p.lonely(at, or)
		case n == nil:
		default:
			if more, ok := n.(Or); ok {
				nodes = append(nodes, more...)
			} else {
				nodes = append(nodes, n)
			}
		}
		if !p.atOr() {
			break
		}
		p.i += 2
	}
	switch len(nodes) {
	case 0:
		return nil
	case 1:
		return nodes[0]
	}
	return nodes
}

// lonely says that one side of an "or" is missing; before tells which.
func (p *parser) lonely(at int, before bool) {
	switch {
	case before:
		p.fail(p.i, p.i+2, `or joins two conditions and one is missing before it: to search for the word, write "or" in quotes`)
	case p.end():
		p.want("or wants another condition behind it")
	default:
		p.fail(at-2, at, "or wants another condition behind it")
	}
}

// all reads conditions side by side; nil where there are none.
func (p *parser) all() Node {
	var nodes And
	for {
		p.spaces()
		if p.end() || p.closing() || p.atOr() {
			break
		}
		n := p.one()
		switch n := n.(type) {
		case nil:
		case And:
			nodes = append(nodes, n...)
		default:
			nodes = append(nodes, n)
		}
	}
	switch len(nodes) {
	case 0:
		return nil
	case 1:
		return nodes[0]
	}
	return nodes
}

// one reads one condition with its minus; nil where it could not be understood.
func (p *parser) one() Node {
	if p.peek() != '-' || p.i+1 < len(p.in) && unicode.IsSpace(p.in[p.i+1]) {
		return p.single()
	}
	at := p.i
	minus := 0
	for p.peek() == '-' {
		p.i++
		minus++
	}
	switch {
	case minus > maxDepth:
		p.fail(at, p.i, "so many minus signs make no sense: keep one")
		return nil
	case p.end():
		p.want("- wants what should not be there right behind it")
		return nil
	case unicode.IsSpace(p.peek()) || p.closing():
		p.fail(at, p.i, `- wants what should not be there right behind it: to search for it, write it in quotes`)
		return nil
	}
	n := p.single()
	if n == nil {
		return nil
	}
	for range minus {
		n = Not{n}
	}
	return n
}

// single reads a group or a term.
func (p *parser) single() Node {
	at := p.i
	switch p.peek() {
	case '(':
		return p.group()
	case '"':
		text := p.phrase()
		return p.text(Any, text, at)
	}
	if name, ok := p.name(); ok {
		return p.field(name, at)
	}
	return p.text(Any, p.word(), at)
}

// group reads what stands in parentheses.
func (p *parser) group() Node {
	at := p.i
	p.i++
	if p.open >= maxDepth {
		p.fail(at, p.i, "the parentheses are nested too deep: take some away")
		return nil
	}
	p.open++
	n := p.any()
	if p.end() {
		p.want("a ) is missing at the end")
	} else {
		p.i++
		if n == nil {
			p.fail(at, p.i, "there is nothing between the parentheses: put a condition there, or take them away")
		}
	}
	p.open--
	return n
}

// phrase reads text in quotes, the opening one included.
func (p *parser) phrase() string {
	var b strings.Builder
	for p.i++; !p.end(); p.i++ {
		switch r := p.in[p.i]; {
		case r == '"':
			p.i++
			return b.String()
		case r == '\\' && p.i+1 < len(p.in) && (p.in[p.i+1] == '"' || p.in[p.i+1] == '\\'):
			p.i++
			b.WriteRune(p.in[p.i])
		default:
			b.WriteRune(r)
		}
	}
	p.want(`a closing " is missing at the end`)
	return b.String()
}

// word reads up to the next space, or the end of the group.
func (p *parser) word() string {
	from := p.i
	for !p.end() && !unicode.IsSpace(p.in[p.i]) && !p.closing() {
		p.i++
	}
	return string(p.in[from:p.i])
}

// text makes the term of a text that was read from at on.
func (p *parser) text(f Field, s string, at int) Node {
	s = squeeze(s)
	if strings.TrimSpace(s) == "" {
		if p.err == nil || !p.err.Open {
			p.fail(at, p.i, "there is nothing to search for between the quotes")
		}
		return nil
	}
	return p.term(Term{Field: f, Text: s}, at)
}

// term counts a term.
func (p *parser) term(t Term, at int) Node {
	if p.terms++; p.terms > maxTerms {
		p.fail(at, p.i, "the query has too many conditions: leave some out")
		return nil
	}
	return t
}

// squeeze makes each run of spaces one space: servers do that to a header field
// before they look (RFC 5322 §2.2.3 lets it be folded at any of them).
func squeeze(s string) string {
	plain := true
	space := false
	for _, r := range s {
		if unicode.IsSpace(r) {
			plain = plain && r == ' ' && !space
			space = true
		} else {
			space = false
		}
	}
	if plain {
		return s
	}
	b := make([]byte, 0, len(s))
	space = false
	for _, r := range s {
		switch {
		case !unicode.IsSpace(r):
			b = utf8.AppendRune(b, r)
			space = false
		case !space:
			b = append(b, ' ')
			space = true
		}
	}
	return string(b)
}
