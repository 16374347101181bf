package query

import "unicode/utf8"

// Error says what is wrong with a query, and where.
type Error struct {
	// Column and Length are the place in what was typed, in runes from 0; Length
	// is 0 where something is missing.
	Column, Length int
	// Open: nothing is wrong yet, only the end is missing. While a query is being
	// typed, that is no reason to complain.
	Open bool
	// What is wrong, and what to do about it: a sentence without a full stop. It
	// may quote what was typed, so that it goes through safetext before it is drawn.
	What string
}

func (e *Error) Error() string { return e.What }

// fail notes what is wrong with the runes [from,to); the first one counts.
func (p *parser) fail(from, to int, what string) {
	if p.err == nil {
		p.err = &Error{Column: from, Length: to - from, What: what}
	}
}

// want notes that something is missing at the end of what was typed.
func (p *parser) want(what string) {
	if p.err == nil {
		p.err = &Error{Column: len(p.in), Open: true, What: what}
	}
}

// clip shortens what was typed for a sentence.
func clip(s string) string {
	const most = 24
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}
