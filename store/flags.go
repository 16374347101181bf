package store

import "slices"

// Flags is an interned set of message flags: comparable, 4 bytes. The zero
// value means that the flags are not known; a known empty set is NoFlags.
//
// The low byte holds the system flags, the rest names a set of keywords in a
// table that the whole process shares. The table is bounded: see Complete.
// All methods may be called from any goroutine.
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

const (
	systemBits = NoFlags<<1 - 1
	setShift   = 8
	// partial marks a set some of whose keywords the table had no room for.
	partial Flags = 1 << 31
	// setLimit is one above the highest keyword set that fits below partial.
	setLimit = 1 << (31 - setShift)
)

// systemNames are the names of the system flags, by bit.
var systemNames = [...]string{`\Seen`, `\Answered`, `\Flagged`, `\Deleted`, `\Draft`, `$Forwarded`, `\Recent`}

// systemFlag returns the bit of a name, or 0.
func systemFlag(name string) Flags {
	if len(name) < 5 || name[0] != '\\' && name[0] != '$' {
		return 0
	}
	for i, s := range systemNames {
		if foldEqual(s, name) {
			return 1 << i
		}
	}
	return 0
}

// MakeFlags interns a set of IMAP flag names; unknown names become keywords,
// compared without regard to case. Names of system flags, and keyword sets seen
// before, cost no allocation. The names are the server's: they are neither
// checked nor made safe for drawing.
func MakeFlags(names []string) Flags {
	f := NoFlags
	var ks keywordSet
	for _, name := range names {
		if bit := systemFlag(name); bit != 0 {
			f |= bit
		} else if name != "" {
			ks.add(keywords, name)
		}
	}
	return f | ks.flags(keywords)
}

// Known reports whether the flags are known.
func (f Flags) Known() bool { return f&NoFlags != 0 }

// Has reports whether all bits of bit are set.
func (f Flags) Has(bit Flags) bool { return f&bit == bit }

// Complete reports whether Keywords are all the keywords the server named. They
// are not where it named more than the process is ready to remember (a hostile
// server mints them without end); the system flags are always right. Two
// incomplete sets that compare equal need not be equal.
func (f Flags) Complete() bool { return f&partial == 0 }

// Incomplete returns f as a set that is not Complete.
func (f Flags) Incomplete() Flags { return f | partial }

// set is the number of f's keyword set.
func (f Flags) set() uint32 { return uint32(f&^partial) >> setShift }

// Keywords returns the keywords of the set, sorted, spelled as first seen. The
// slice is shared and not to be modified.
func (f Flags) Keywords() []string { return keywords.names(f.set()) }

// HasKeyword reports whether name is among the keywords.
func (f Flags) HasKeyword(name string) bool {
	return containsFold(f.Keywords(), name)
}

// Names returns the IMAP names of all flags of the set: system flags in the
// order of their constants, then keywords.
func (f Flags) Names() []string {
	var names []string
	for i, name := range systemNames {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return append(names, f.Keywords()...)
}

// With returns f with the named flags removed and added; a name in both is
// added. Unknown f stays so.
func (f Flags) With(add, remove []string) Flags {
	if !f.Known() {
		return f
	}
	plain := true // only system flags so far
	system := f & systemBits
	for _, name := range remove {
		bit := systemFlag(name)
		system &^= bit
		plain = plain && bit != 0
	}
	for _, name := range add {
		bit := systemFlag(name)
		system |= bit
		plain = plain && bit != 0
	}
	if plain {
		return system | f&^systemBits
	}
	var ks keywordSet
	for _, name := range f.Keywords() {
		if !containsFold(remove, name) {
			ks.add(keywords, name)
		}
	}
	for _, name := range add {
		if name != "" && systemFlag(name) == 0 {
			ks.add(keywords, name)
		}
	}
	return system | f&partial | ks.flags(keywords)
}

// containsFold reports whether one of names is name but for case.
func containsFold(names []string, name string) bool {
	return slices.ContainsFunc(names, func(s string) bool { return foldEqual(s, name) })
}
