// Package query is the language in which a person says which messages are meant:
// words, "phrases", from: to: cc: subject: body: is: has: before: since: on:
// larger: smaller: list:, negated with -, joined by or.
//
// A Query is a value that knows no mailbox. It compiles to SQL in store/cache, to
// IMAP SEARCH in imapsession, and matches a Summary by itself; all three agree.
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

// And holds where all of its nodes do.
type And []Node

// Or holds where one of its nodes does.
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
	Body
	List // List-Id
	Unread
	Read
	Flagged
	Answered
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
	Text  string    // as typed, without quotes; folding is the matcher's
	Date  time.Time // a day; the clock time and zone mean nothing
	Size  int64     // octets
}

func (And) node()  {}
func (Or) node()   {}
func (Not) node()  {}
func (Term) node() {}
