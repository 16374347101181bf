package store

import "time"

// Place is one mailbox at one UIDVALIDITY: with a UID it names a message for
// ever (RFC 9051 §2.3.1.1).
type Place struct {
	Mailbox     string // raw name
	UIDValidity uint32
}

// Checkpoint is a mailbox as the server had it at one moment, as far as it was
// asked: what is kept on disk, and where the next connection takes up.
type Checkpoint struct {
	Place
	// List has every row of that moment, unknown ones included. It is the
	// holder's own copy.
	List *List
	// ModSeq is the HIGHESTMODSEQ up to which List has every change (RFC 7162
	// §3.1.2.1); 0 where the server has none, or it is not known.
	ModSeq uint64
	// AsOf is when the server last confirmed the list.
	AsOf time.Time
	// Selected is the message on which the person was; 0 if none. Keepers leave
	// what they have where it is 0.
	Selected UID
}
