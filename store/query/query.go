// Package query is the language in which a person says which messages are meant:
// words, "phrases", from: to: cc: subject: body: is: has: before: since: on:
// larger: smaller: list:, negated with -, joined by or.
//
// A Query is a value that knows no mailbox. It compiles to SQL in store/cache, to
// IMAP SEARCH in imapsession, and a Matcher holds it against a Summary by itself;
// all three agree (what that takes is said at Fold, Texts and Day).
//
// # The language
//
//	query  = all { "or" all }
//	all    = one { one }                 every one has to hold
//	one    = [ "-" ] ( term | "(" query ")" )
//	term   = word | phrase | field ":" ( word | phrase )
//	phrase = `"` text `"`                \" and \\ stand for " and \
//
// A word ends at a space, and inside parentheses at ")". A minus that nothing
// follows at once is a word. Fields and "or" are known in either case of letters;
// in quotes they are text. What looks like a field and is none is an error, but a
// word that ends in a colon (Re:), a web address and a clock time are words.
//
// Nothing in here waits, and any goroutine may call it.
package query

import "time"

// Query is a parsed query: one Node that has to hold. The zero value matches
// everything.
type Query struct {
	Root Node   // nil: everything
	Text string // as it was typed
}

// Node is And, Or, Not or Term.
type Node interface{ node() }

// And holds where all of its nodes do. Parse makes none of fewer than two, and
// none within another.
type And []Node

// Or holds where one of its nodes does. Parse makes none of fewer than two, and
// none within another.
type Or []Node

// Not holds where its node does not.
type Not struct{ Node Node }

// Field is what a Term looks at.
type Field uint8

const (
	Any  Field = iota // sender, recipients, subject and cached text, by substring
	From              // Text is a substring of the header field, folded
	To
	Cc
	Subject
	Body       // of what is read, the text; unknown where it is not cached
	List       // List-Id
	Unread     // is:unread, no \Seen
	Read       // is:read
	Flagged    // is:flagged
	Answered   // is:answered
	Attachment // Content-Type is multipart/mixed
	Before     // INTERNALDATE's date is earlier than Date
	Since      // INTERNALDATE's date is Date or later
	On         // INTERNALDATE's date is Date
	Larger     // RFC822.SIZE is above Size
	Smaller    // RFC822.SIZE is below Size
)

// Term is one condition.
type Term struct {
	Field Field
	Text  string    // as typed, without quotes, each run of spaces one; folding is the matcher's
	Date  time.Time // a day at 00:00 UTC, which means its date alone
	Size  int64     // octets, 0 and above; above 0 in Smaller
}

func (And) node()  {}
func (Or) node()   {}
func (Not) node()  {}
func (Term) node() {}

// holdsText tells whether a field is compared with Text.
func (f Field) holdsText() bool { return f <= List }

// Exact reports whether summaries and flags alone answer the query: no term of it
// looks at text.
func (q Query) Exact() bool {
	exact := true
	walk(q.Root, false, func(t Term, _ bool) { exact = exact && t.Field != Any && t.Field != Body })
	return exact
}

// Overreaches reports whether a message whose text is not cached may match here
// and not at the server: Any stands under a negation.
func (q Query) Overreaches() bool {
	over := false
	walk(q.Root, false, func(t Term, negated bool) { over = over || negated && t.Field == Any })
	return over
}

// walk calls f for every term, and tells it whether an odd number of Nots stands
// above it.
func walk(n Node, negated bool, f func(t Term, negated bool)) {
	switch n := n.(type) {
	case And:
		for _, m := range n {
			walk(m, negated, f)
		}
	case Or:
		for _, m := range n {
			walk(m, negated, f)
		}
	case Not:
		walk(n.Node, !negated, f)
	case Term:
		f(n, negated)
	}
}
