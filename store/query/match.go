package query

import (
	"strings"

	"tidings/store"
)

// Verdict is whether a message matches. What is not known stays unknown under a
// negation, so that nothing is said of a message that the server might deny.
type Verdict int8

const (
	Misses  Verdict = -1
	Unknown Verdict = 0 // the flags, the date or the text that decide are not known
	Matches Verdict = 1
)

// Message is what a Matcher looks at.
type Message struct {
	Summary *store.Summary // nil where it is not known
	Flags   store.Flags
	// Text is what of the body is read, folded; nil where it is not cached.
	Text *string
}

// Matcher holds a Query against messages one by one. It may be used by several
// goroutines at once.
type Matcher struct{ root matcher }

// Matcher prepares the query for matching: it folds its terms, once.
func (q Query) Matcher() *Matcher { return &Matcher{prepare(q.Root)} }

// Match tells whether m matches.
func (m *Matcher) Match(msg Message) Verdict {
	if m.root == nil {
		return Matches
	}
	return m.root(&candidate{Message: msg})
}

type matcher func(*candidate) Verdict

// candidate is a Message and its Texts, once they were wanted.
type candidate struct {
	Message
	texts Texts
	have  bool
}

func (c *candidate) fields() *Texts {
	if !c.have {
		c.texts, c.have = TextsOf(c.Summary), true
	}
	return &c.texts
}

func prepare(n Node) matcher {
	switch n := n.(type) {
	case And:
		ms := prepareAll(n)
		return func(c *candidate) Verdict {
			v := Matches
			for _, m := range ms {
				if v = min(v, m(c)); v == Misses {
					break
				}
			}
			return v
		}
	case Or:
		ms := prepareAll(n)
		return func(c *candidate) Verdict {
			v := Misses
			for _, m := range ms {
				if v = max(v, m(c)); v == Matches {
					break
				}
			}
			return v
		}
	case Not:
		m := prepare(n.Node)
		return func(c *candidate) Verdict { return -m(c) }
	case Term:
		return n.prepare()
	}
	return nil
}

func prepareAll(ns []Node) []matcher {
	ms := make([]matcher, len(ns))
	for i, n := range ns {
		ms[i] = prepare(n)
	}
	return ms
}

func verdict(yes bool) Verdict {
	if yes {
		return Matches
	}
	return Misses
}

// prepare makes the matcher of one term.
func (t Term) prepare() matcher {
	switch f := t.Field; f {
	case Unread, Read, Flagged, Answered:
		return func(c *candidate) Verdict {
			if !c.Flags.Known() {
				return Unknown
			}
			switch f {
			case Unread:
				return verdict(!c.Flags.Has(store.Seen))
			case Read:
				return verdict(c.Flags.Has(store.Seen))
			case Flagged:
				return verdict(c.Flags.Has(store.Flagged))
			default:
				return verdict(c.Flags.Has(store.Answered))
			}
		}
	case Body:
		want := Fold(t.Text)
		return func(c *candidate) Verdict {
			if c.Text == nil {
				return Unknown
			}
			return verdict(strings.Contains(*c.Text, want))
		}
	}
	m := t.prepareSummary()
	return func(c *candidate) Verdict {
		if c.Summary == nil {
			return Unknown
		}
		return m(c)
	}
}

// prepareSummary makes the matcher of a term that looks at the summary.
func (t Term) prepareSummary() matcher {
	switch f := t.Field; f {
	case Attachment:
		return func(c *candidate) Verdict { return verdict(c.Summary.Mixed) }
	case Larger:
		return func(c *candidate) Verdict { return verdict(c.Summary.Size > t.Size) }
	case Smaller:
		return func(c *candidate) Verdict { return verdict(c.Summary.Size < t.Size) }
	case Before, Since, On:
		want := t.Day()
		return func(c *candidate) Verdict {
			day, known := Day(c.Summary.Internal)
			if !known {
				return Unknown
			}
			return verdict(f == Before && day < want || f == Since && day >= want || f == On && day == want)
		}
	}
	want := Fold(t.Text)
	in := func(text string) bool { return strings.Contains(text, want) }
	switch t.Field {
	case From:
		return func(c *candidate) Verdict { return verdict(in(c.fields().From)) }
	case To:
		return func(c *candidate) Verdict { return verdict(in(c.fields().To)) }
	case Cc:
		return func(c *candidate) Verdict { return verdict(in(c.fields().Cc)) }
	case Subject:
		return func(c *candidate) Verdict { return verdict(in(c.fields().Subject)) }
	case List:
		return func(c *candidate) Verdict { return verdict(in(c.fields().List)) }
	}
	return func(c *candidate) Verdict {
		f := c.fields()
		return verdict(in(f.Subject) || in(f.From) || in(f.To) || in(f.Cc) || c.Text != nil && in(*c.Text))
	}
}
