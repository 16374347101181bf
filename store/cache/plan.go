package cache

import (
	"strings"
	"unicode/utf8"

	"tidings/store/query"
)

// plan is how a query is answered: which messages come into question, and what
// SQL can tell of them. What is left, a Matcher decides.
type plan struct {
	q       query.Query
	matcher *query.Matcher
	glance  glance

	// words and texts are FTS5 expressions over words and bodywords. Where indexed
	// is set, no message matches but those that one of the two finds; "" finds none.
	indexed      bool
	words, texts string

	// cond is a condition over row r and message m which holds for every message
	// that matches; "" holds for all. args are its parameters.
	cond string
	args []any

	flagsOnly bool // cond needs no message
	looks     bool // the Matcher has to look at the summary
	reads     bool // and at the text
}

func compile(q query.Query) *plan {
	p := &plan{q: q, matcher: q.Matcher(), flagsOnly: true}
	if q.Root == nil {
		return p
	}
	p.glance = glanceAt(q.Root)
	x := indexOf(q.Root)
	p.indexed, p.words, p.texts = x.ok, x.words, x.texts
	var b strings.Builder
	p.condition(&b, q.Root, true)
	if cond := b.String(); cond != "1" {
		p.cond = cond
	}
	return p
}

// finds is what the trigram indexes can tell of a node: it holds for no message
// but those that words finds in the one or texts in the other. ok is false where
// they cannot tell.
type finds struct {
	ok           bool
	words, texts string
}

func indexOf(n query.Node) finds {
	switch n := n.(type) {
	case query.And:
		return indexAll(n)
	case query.Or:
		var words, texts []string
		for _, m := range n {
			x := indexOf(m)
			if !x.ok {
				return finds{}
			}
			words, texts = append(words, x.words), append(texts, x.texts)
		}
		return finds{true, joined(" OR ", words), joined(" OR ", texts)}
	case query.Term:
		return indexTerm(n)
	}
	return finds{} // what is not there cannot be found
}

// indexAll: a message for which all nodes hold is found for all of them in words;
// or for one of them it is not, and that one is in its text.
func indexAll(ns []query.Node) finds {
	var words, texts, needed []string
	for _, n := range ns {
		x := indexOf(n)
		switch {
		case !x.ok:
		case x.words == "":
			needed = append(needed, x.texts)
		default:
			words, texts = append(words, x.words), append(texts, x.texts)
		}
	}
	if len(needed) > 0 {
		return finds{true, "", joined(" AND ", needed)}
	}
	return finds{len(words) > 0, joined(" AND ", words), joined(" OR ", texts)}
}

// joined joins expressions, of which "" finds nothing; so one of those ends an AND
// and adds nothing to an OR.
func joined(op string, exprs []string) string {
	var some []string
	for _, e := range exprs {
		switch {
		case e != "":
			some = append(some, e)
		case op == " AND ":
			return ""
		}
	}
	if len(some) > 1 {
		return "(" + strings.Join(some, op) + ")"
	}
	return strings.Join(some, op)
}

func indexTerm(t query.Term) finds {
	switch t.Field {
	case query.Any:
		words, texts := trigrams(t.Text, true), trigrams(t.Text, false)
		return finds{words != "" && texts != "", words, texts}
	case query.Body:
		texts := trigrams(t.Text, false)
		return finds{texts != "", "", texts}
	case query.From, query.To, query.Cc, query.Subject, query.List:
		words := trigrams(t.Text, true)
		return finds{words != "", words, ""}
	}
	return finds{}
}

// maxTrigrams is how many of a term are looked up: more of them make candidates
// hardly rarer.
const maxTrigrams = 10

// trigrams says in FTS5's words that a text has all trigrams of a term; "" where
// the term has none. parted: what stands around an address is not in the index
// (see appendWords), so no trigram reaches across it.
func trigrams(term string, parted bool) string {
	parts := []string{query.Fold(term)}
	if parted {
		parts = strings.FieldsFunc(parts[0], func(r rune) bool { return r == '<' || r == '>' || r == ',' })
		for i := range parts {
			parts[i] = strings.TrimSpace(parts[i])
		}
	}
	var found []string
	seen := map[string]bool{}
	for _, part := range parts {
		for ; utf8.RuneCountInString(part) >= 3; part = tail(part) {
			t := part[:len(part)-len(tail(tail(tail(part))))]
			if !seen[t] && len(found) < maxTrigrams {
				seen[t] = true
				found = append(found, `"`+strings.ReplaceAll(t, `"`, `""`)+`"`)
			}
		}
	}
	return joined(" AND ", found)
}

// tail is s without its first character.
func tail(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return s[n:]
}

// condition writes a node as SQL, with NULL for what is not known. Of what SQL
// cannot tell it writes what makes the whole hold: most is true where that is
// holding, and false below an odd number of NOTs.
func (p *plan) condition(b *strings.Builder, n query.Node, most bool) {
	switch n := n.(type) {
	case query.And:
		p.conditions(b, n, " AND ", most)
	case query.Or:
		p.conditions(b, n, " OR ", most)
	case query.Not:
		var inner strings.Builder
		p.condition(&inner, n.Node, !most)
		switch inner.String() {
		case "1":
			b.WriteString("0")
		case "0":
			b.WriteString("1")
		default:
			b.WriteString("NOT " + inner.String())
		}
	case query.Term:
		p.term(b, n, most)
	}
}

// conditions joins nodes; a constant decides the whole, or is left out.
func (p *plan) conditions(b *strings.Builder, ns []query.Node, op string, most bool) {
	decides, nothing := "0", "1"
	if op == " OR " {
		decides, nothing = "1", "0"
	}
	var parts []string
	before := len(p.args)
	for _, n := range ns {
		var part strings.Builder
		p.condition(&part, n, most)
		switch part.String() {
		case decides:
			p.args = p.args[:before]
			// The rest is still to be looked at for what the Matcher needs.
			parts = []string{decides}
			op = ""
		case nothing:
		default:
			if op != "" {
				parts = append(parts, part.String())
			}
		}
		if op == "" {
			p.args = p.args[:before]
		}
	}
	switch len(parts) {
	case 0:
		b.WriteString(nothing)
	case 1:
		b.WriteString(parts[0])
	default:
		b.WriteString("(" + strings.Join(parts, op) + ")")
	}
}

// term writes one term as SQL.
func (p *plan) term(b *strings.Builder, t query.Term, most bool) {
	flag := func(want string, bit int) {
		b.WriteString("(CASE WHEN r.flags & ? THEN r.flags & ? " + want + " END)")
		p.args = append(p.args, int64(knownFlags), int64(bit))
	}
	column := func(cond string, arg int64) {
		p.flagsOnly = false
		b.WriteString(cond)
		p.args = append(p.args, arg)
	}
	switch t.Field {
	case query.Unread:
		flag("= 0", seenFlag)
	case query.Read:
		flag("<> 0", seenFlag)
	case query.Flagged:
		flag("<> 0", flaggedFlag)
	case query.Answered:
		flag("<> 0", answeredFlag)
	case query.Attachment:
		column("(m.mixed = ?)", 1)
	case query.Larger:
		column("(m.size > ?)", t.Size)
	case query.Smaller:
		column("(m.size < ?)", t.Size)
	case query.Before:
		column("(m.day < ?)", day(t.Date))
	case query.Since:
		column("(m.day >= ?)", day(t.Date))
	case query.On:
		column("(m.day = ?)", day(t.Date))
	default:
		p.looks = true
		p.reads = p.reads || t.Field == query.Any || t.Field == query.Body
		if most {
			b.WriteString("1")
		} else {
			b.WriteString("0")
		}
	}
}
