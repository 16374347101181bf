package store

import (
	"time"

	"tidings/internal/safetext"
)

// UID is a message's unique identifier within a mailbox and its UIDVALIDITY
// (RFC 9051 §2.3.1.1). Zero is no UID.
type UID uint32

// Address is one address of a header field, made safe for drawing. Raw is the
// address (local@domain) as the header has it, for commands and search.
type Address struct {
	Name safetext.Text
	Addr safetext.Text
	Raw  string
}

// Summary is what the list shows of one message: the few header fields that
// the session asks for, decoded. A Summary is immutable once published; it
// carries no flags, which live in the List.
type Summary struct {
	UID        UID
	Internal   time.Time // INTERNALDATE; zero where the server's was unusable
	Date       time.Time // the Date header; zero where missing or unreadable
	Size       int64     // RFC822.SIZE, octets
	From       []Address
	To         []Address
	Cc         []Address
	ReplyTo    []Address
	Subject    safetext.Text
	MessageID  string        // raw, without angle brackets; "" where missing
	InReplyTo  []string      // raw, without angle brackets
	References []string      // raw, without angle brackets, oldest first
	ListID     safetext.Text // the List-Id field: perhaps a phrase, then the identifier in angle brackets
	Mixed      bool          // Content-Type is multipart/mixed: probably attachments
	Unreadable bool          // quarantined: the server's answer for it could not be parsed
}
