package query

import (
	"strconv"
	"strings"
	"time"
	"unicode"
)

// fieldNames are the fields that take a value, as they are typed.
var fieldNames = map[string]Field{
	"from": From, "to": To, "cc": Cc, "subject": Subject, "body": Body, "list": List,
	"before": Before, "since": Since, "on": On, "larger": Larger, "smaller": Smaller,
}

// isValues are what stands behind is:, hasValues behind has:. The first of a
// field's names is how String writes it.
var (
	isValues  = []keyword{{"unread", Unread}, {"read", Read}, {"flagged", Flagged}, {"answered", Answered}, {"unseen", Unread}, {"seen", Read}}
	hasValues = []keyword{{"attachment", Attachment}, {"attachments", Attachment}}
)

type keyword struct {
	name  string
	field Field
}

var prefixes = func() map[Field]string {
	m := map[Field]string{}
	for name, f := range fieldNames {
		m[f] = name + ":"
	}
	for prefix, values := range map[string][]keyword{"is:": isValues, "has:": hasValues} {
		for i := len(values) - 1; i >= 0; i-- {
			m[values[i].field] = prefix + values[i].name
		}
	}
	return m
}()

// String writes the query in its own language; Parse of it has the same Root.
func (q Query) String() string {
	var b strings.Builder
	write(&b, q.Root, loosest)
	return b.String()
}

// How tightly a node's surroundings bind.
const (
	loosest = iota
	insideOr
	insideAnd
	insideNot
)

func write(b *strings.Builder, n Node, around int) {
	switch n := n.(type) {
	case And:
		writeList(b, n, " ", insideAnd, around > insideOr)
	case Or:
		writeList(b, n, " or ", insideOr, around > loosest)
	case Not:
		b.WriteByte('-')
		write(b, n.Node, insideNot)
	case Term:
		n.write(b)
	}
}

func writeList(b *strings.Builder, ns []Node, between string, inside int, group bool) {
	if group {
		b.WriteByte('(')
	}
	for i, n := range ns {
		if i > 0 {
			b.WriteString(between)
		}
		write(b, n, inside)
	}
	if group {
		b.WriteByte(')')
	}
}

func (t Term) write(b *strings.Builder) {
	b.WriteString(prefixes[t.Field])
	switch t.Field {
	case Before, Since, On:
		b.WriteString(t.Date.Format(time.DateOnly))
	case Larger, Smaller:
		b.WriteString(formatSize(t.Size))
	default:
		if t.Field.holdsText() {
			writeText(b, t.Text)
		}
	}
}

// writeText writes text as a word where that reads as the same text, else in
// quotes.
func writeText(b *strings.Builder, s string) {
	if isWord(s) {
		b.WriteString(s)
		return
	}
	b.WriteByte('"')
	b.WriteString(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s))
	b.WriteByte('"')
}

// isWord tells whether text needs no quotes, whatever stands around it.
func isWord(s string) bool {
	if s == "" || s[0] == '-' || strings.EqualFold(s, "or") {
		return false
	}
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r) && !strings.ContainsRune("@._-+/#&!?%*=$", r) {
			return false
		}
	}
	return true
}

// units are what a size may end in. They are binary, as everywhere in Tidings.
var units = []struct {
	name string
	n    int64
}{{"g", 1 << 30}, {"m", 1 << 20}, {"k", 1 << 10}}

func formatSize(n int64) string {
	for _, u := range units {
		if n != 0 && n%u.n == 0 {
			return strconv.FormatInt(n/u.n, 10) + u.name
		}
	}
	return strconv.FormatInt(n, 10)
}
