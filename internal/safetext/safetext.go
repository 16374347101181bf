// Package safetext is the one door through which outside text enters Tidings'
// screens, titles, notices, hooks and logs.
//
// Its type Text is made only here and is the only thing that ui can draw, so
// that a bypass does not compile. The raw strings stay beside it wherever a
// command or a search needs them.
package safetext

import "strings"

// Text is text that is safe to write to a terminal: no control characters, no
// escape sequences, no bidi control that stays open, valid UTF-8, one line.
// The zero value is the empty text. Texts are comparable.
type Text struct{ s string }

// String returns the safe text.
func (t Text) String() string { return t.s }

// Len returns the length in bytes.
func (t Text) Len() int { return len(t.s) }

// IsEmpty reports whether there is no text.
func (t Text) IsEmpty() bool { return t.s == "" }

// constant is unexported on purpose: only an untyped constant of the calling
// program converts to it, never a value that came from outside.
type constant string

// Const makes a Text of a string constant of the program's own source.
func Const(c constant) Text { return Text{string(c)} }

// Join joins texts with a separator.
func Join(parts []Text, sep constant) Text {
	ss := make([]string, len(parts))
	for i, p := range parts {
		ss[i] = p.s
	}
	return Text{strings.Join(ss, string(sep))}
}
