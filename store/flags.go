package store

// Flags is an interned set of message flags: comparable, 4 bytes. The zero
// value means that the flags are not known; a known empty set is NoFlags.
type Flags uint32

// System flags (RFC 9051 §2.3.2), as bits of a known Flags.
const (
	Seen Flags = 1 << iota
	Answered
	Flagged
	Deleted
	Draft
	Forwarded // $Forwarded
	Recent    // \Recent of RFC 3501
	// NoFlags marks the set as known; every known set has it.
	NoFlags
)

// MakeFlags interns a set of IMAP flag names; unknown names become keywords,
// compared without regard to case.
func MakeFlags(names []string) Flags { return NoFlags }

// Known reports whether the flags are known.
func (f Flags) Known() bool { return f&NoFlags != 0 }

// Has reports whether all bits of bit are set.
func (f Flags) Has(bit Flags) bool { return f&bit == bit }

// Keywords returns the keywords of the set, sorted, as first seen.
func (f Flags) Keywords() []string { return nil }

// With returns f with the named flags added and removed. Unknown f stays so.
func (f Flags) With(add, remove []string) Flags { return f }
