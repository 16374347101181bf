package query

import (
	"fmt"
	"strings"
	"unicode"
)

// name reads the name of a field and its colon, if a field stands here: letters
// and a colon, with something behind it that makes no web address. Of what is
// none, nothing is taken.
func (p *parser) name() (name string, ok bool) {
	i := p.i
	for i < len(p.in) && isLetter(p.in[i]) {
		i++
	}
	if i == p.i || i == len(p.in) || p.in[i] != ':' {
		return "", false
	}
	name = strings.ToLower(string(p.in[p.i:i]))
	if !isField(name) {
		// Re: and http://x are words.
		if i+1 == len(p.in) || unicode.IsSpace(p.in[i+1]) || p.in[i+1] == '/' || p.in[i+1] == ')' && p.open > 0 {
			return "", false
		}
	}
	p.i = i + 1
	return name, true
}

func isLetter(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }

func isField(name string) bool {
	_, ok := fieldNames[name]
	return ok || name == "is" || name == "has"
}

// field reads a field's value and makes its term; at is where its name begins.
func (p *parser) field(name string, at int) Node {
	if !isField(name) {
		value := p.word()
		p.fail(at, p.i, unknownField(name, value))
		return nil
	}
	f := fieldNames[name]
	colon := p.i
	p.spaces()
	from := p.i
	switch {
	case p.end():
		p.want(name + ": wants " + wanted(name) + " behind it")
		return nil
	case p.closing() || p.atOr() || p.peek() == '(':
		p.fail(at, colon, name+": wants "+wanted(name)+" right behind it")
		return nil
	}
	quoted := p.peek() == '"'
	var value string
	if quoted {
		value = p.phrase()
	} else {
		if other, ok := p.name(); ok && isField(other) {
			p.i = from
			p.fail(at, colon, name+": wants "+wanted(name)+" right behind it")
			return nil
		}
		p.i = from
		value = p.word()
	}
	if f.holdsText() && f != Any {
		return p.text(f, value, from)
	}
	value = strings.ToLower(strings.TrimSpace(value))
	switch name {
	case "is":
		return p.keyword(name, isValues, value, from)
	case "has":
		return p.keyword(name, hasValues, value, from)
	case "larger", "smaller":
		return p.size(f, name, value, from)
	}
	return p.date(f, name, value, from)
}

// wanted says what stands behind a field.
func wanted(name string) string {
	switch name {
	case "from", "to", "cc":
		return "a name or an address"
	case "is":
		return listed(isValues[:4])
	case "has":
		return listed(hasValues[:1])
	case "before", "since", "on":
		return "a date, like 2024-03-01 or yesterday or 7d,"
	case "larger", "smaller":
		return "a size, like 500k or 2M,"
	case "list":
		return "a part of a list's name"
	}
	return "a word or a phrase"
}

func listed(values []keyword) string {
	var names []string
	for _, v := range values {
		names = append(names, v.name)
	}
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " or " + names[n-1]
	}
	return names[0]
}

// keyword makes the term of a value that has to be one of a few.
func (p *parser) keyword(name string, values []keyword, value string, from int) Node {
	begins := false
	for _, v := range values {
		if v.name == value {
			return p.term(Term{Field: v.field}, from)
		}
		begins = begins || strings.HasPrefix(v.name, value)
	}
	if begins && p.end() {
		p.want(name + ": wants " + wanted(name) + " behind it")
		return nil
	}
	p.fail(from, p.i, fmt.Sprintf("%s: knows no %q: it wants %s", name, clip(value), wanted(name)))
	return nil
}

// meant are words that people use for fields, and what they are here.
var meant = map[string]string{
	"after": "since:", "newer": "since:", "older": "before:", "until": "before:", "date": "on:",
	"sender": "from:", "recipient": "to:", "title": "subject:", "subj": "subject:", "text": "body:",
	"size": "larger:", "bigger": "larger:", "flag": "is:flagged", "flagged": "is:flagged", "unread": "is:unread",
	"read": "is:read", "answered": "is:answered", "attachment": "has:attachment", "listid": "list:", "not": "-", "in": "",
}

// unknownField says that there is no such field, and what may have been meant.
func unknownField(name, value string) string {
	what := fmt.Sprintf("there is no field %s:", clip(name))
	if m := nearest(name); m != "" {
		what += ", but " + m
	}
	return what + fmt.Sprintf("; to search for the text, write it in quotes: %q", clip(name+":"+value))
}

func nearest(name string) string {
	if m, ok := meant[name]; ok {
		return m
	}
	best, least := "", 3
	for _, f := range []string{"from", "to", "cc", "subject", "body", "list", "is", "has", "before", "since", "on", "larger", "smaller"} {
		if d := distance(name, f); d < least && d < len(f) && d < len(name) {
			best, least = f+":", d
		}
	}
	return best
}

// distance is how many letters have to be added, taken away or changed (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			changed := before
			if a[i] != b[j] {
				changed++
			}
			before = row[j+1]
			row[j+1] = min(changed, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
