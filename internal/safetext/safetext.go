// Package safetext is the one door through which outside text enters Tidings'
// screens, titles, notices, hooks and logs.
//
// Its type Text is made only here and is the only thing that ui can draw, so
// that a bypass does not compile. The raw strings stay beside it wherever a
// command or a search needs them.
//
// A Text holds no bidi control at all, closed or not: so it may be cut anywhere
// and joined to anything without leaving one open.
package safetext

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Text is text that is safe to write to a terminal: no control characters, no
// escape sequences, no bidi controls, valid UTF-8, one line. The zero value is
// the empty text. Texts are comparable.
type Text struct{ s string }

// String returns the safe text.
func (t Text) String() string { return t.s }

// Len returns the length in bytes.
func (t Text) Len() int { return len(t.s) }

// IsEmpty reports whether there is no text.
func (t Text) IsEmpty() bool { return t.s == "" }

// Slice returns the bytes from i up to j as a Text; both are moved down to the
// start of the rune they fall into and clamped to the text. A part of a safe
// text is safe; where it should not begin inside a character as a person sees
// it, the caller chooses i at a grapheme boundary.
func (t Text) Slice(i, j int) Text {
	i, j = t.snap(i), t.snap(j)
	if i >= j {
		return Text{}
	}
	return Text{t.s[i:j]}
}

func (t Text) snap(i int) int {
	if i <= 0 {
		return 0
	}
	if i >= len(t.s) {
		return len(t.s)
	}
	for i > 0 && !utf8.RuneStart(t.s[i]) {
		i--
	}
	return i
}

// TrimSpace returns t without spaces at either end.
func (t Text) TrimSpace() Text { return Text{strings.Trim(t.s, " ")} }

// constant is unexported on purpose: only an untyped constant of the calling
// program converts to it, never a value that came from outside.
type constant string

// Const makes a Text of a string constant of the program's own source.
func Const(c constant) Text { return Text{string(c)} }

// Int makes a Text of a whole number.
func Int[T ~int | ~int8 | ~int16 | ~int32 | ~int64](n T) Text {
	return Text{strconv.FormatInt(int64(n), 10)}
}

// Uint makes a Text of an unsigned number.
func Uint[T ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64](n T) Text {
	return Text{strconv.FormatUint(uint64(n), 10)}
}

// Duration makes a Text of d as package time prints it ("1m30s").
func Duration(d time.Duration) Text { return Text{d.String()} }

// Time makes a Text of t in a constant layout of package time.
func Time(t time.Time, layout constant) Text { return Clean(t.Format(string(layout))) }

// Format fills the places "%s" of a constant format with args, in order; "%%"
// is a percent sign. Since format has to be a constant and args are Texts,
// outside text that was not cleaned does not compile here. A place without an
// argument shows as "?"; arguments without a place are left out.
func Format(format constant, args ...Text) Text {
	f := string(format)
	n := len(f)
	for _, a := range args {
		n += len(a.s)
	}
	var b strings.Builder
	b.Grow(n)
	next := 0
	for {
		i := strings.IndexByte(f, '%')
		if i < 0 || i+1 == len(f) {
			b.WriteString(f)
			return Text{b.String()}
		}
		b.WriteString(f[:i])
		switch f[i+1] {
		case 's':
			if next < len(args) {
				b.WriteString(args[next].s)
			} else {
				b.WriteByte('?')
			}
			next++
		case '%':
			b.WriteByte('%')
		default:
			b.WriteString(f[i : i+2])
		}
		f = f[i+2:]
	}
}

// Join joins texts with a separator.
func Join(parts []Text, sep constant) Text {
	switch len(parts) {
	case 0:
		return Text{}
	case 1:
		return parts[0]
	}
	n := len(sep) * (len(parts) - 1)
	for _, p := range parts {
		n += len(p.s)
	}
	var b strings.Builder
	b.Grow(n)
	for i, p := range parts {
		if i > 0 {
			b.WriteString(string(sep))
		}
		b.WriteString(p.s)
	}
	return Text{b.String()}
}
