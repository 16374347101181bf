// Package message turns the bytes of an Internet message (RFC 5322, MIME) into
// what a person reads: header fields, readable text, links, a list of
// attachments. It never fails: malformed mail degrades to something readable.
//
// It reads MIME itself instead of through go-message, whose reader gives a whole
// part, or all parts behind it, up for one bad header line, parameter or base64
// digit, and has no bounds on depth, parts or the headers of parts. Here each
// step has a fallback: a part whose boundary is lost is shown as it came, a
// charset that nobody knows is UTF-8 or else windows-1252, an address that is
// none is a name. go-message is the reference that tests write messages with.
//
// What comes out of Parse for the eye (Lines, the text of Links, Problems) is
// safetext. Header fields, attachment names and URLs are decoded and otherwise
// raw, for search and commands; who shows them cleans them.
//
// It is pure: no I/O, no goroutines; any goroutine may call it.
package message

import (
	"time"

	"tidings/internal/safetext"
)

// Address is one mailbox of an address header, decoded but not made safe.
type Address struct {
	Name    string
	Address string
}

// Header is the decoded header of a message. Strings are decoded to UTF-8 but
// raw otherwise: they go through safetext before they are shown.
type Header struct {
	Subject     string
	From        []Address
	To          []Address
	Cc          []Address
	ReplyTo     []Address
	Date        time.Time // zero where missing or unreadable
	MessageID   string    // without angle brackets
	InReplyTo   []string
	References  []string
	ListID      string // as it stands: perhaps a phrase, then the identifier in angle brackets (RFC 2919)
	ContentType string // media type, lower case, "text/plain" where missing
}

// Attachment is one part that is not shown as text.
type Attachment struct {
	Name string // decoded, raw; "" where none is given
	Type string // media type, lower case
	Size int64  // decoded octets, as far as the bytes at hand go
	Cut  bool   // there is more of it than is at hand
	// Section is the part's number as IMAP counts parts (RFC 9051 §6.4.5.1), such
	// as "2" or "1.3"; "" where it can only be read as it stands.
	Section string
	// File, above 0, says that it is no part of its own, but the n-th file inside the
	// part: in a uuencoded text, or in TNEF (winmail.dat).
	File int
}

// Link is one link of the text, numbered from 1 in order of appearance.
type Link struct {
	N        int
	URL      string
	Host     string        // the real host
	Text     safetext.Text // what the message shows for it
	Mismatch bool          // the text names another host than the link goes to
}

// Message is a message as text.
type Message struct {
	Header
	// Lines is the readable text, safe, unwrapped: one Text per paragraph line.
	Lines       []Line
	Attachments []Attachment
	Links       []Link
	// Problems are sentences about what could not be read properly.
	Problems []safetext.Text
}

// Line is one logical line of the readable text.
type Line struct {
	Text  safetext.Text
	Quote int  // depth of quoting, 0 for the author's own words
	Fixed bool // not to be re-wrapped (tables, code, preformatted)
}
