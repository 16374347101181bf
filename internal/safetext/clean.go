package safetext

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxMarks is how many combining marks one base keeps: enough for pointed
	// Hebrew and Tibetan stacks, too few to climb into other rows.
	maxMarks = 4
	// maxJoins is how many ZWJ one emoji keeps (a kiss of two people has three).
	maxJoins = 4
	tabStop  = 8

	zwnj = '\u200c'
	zwj  = '\u200d'
)

// Clean makes one safe line of s. Line breaks and tabs, with the spaces after
// them, become one space; escape sequences are removed whole, other control
// characters singly; invisible and bidi characters go; invalid UTF-8 shows as
// U+FFFD. Plain ASCII costs no allocation. Clean(t.String()) is t.
func Clean(s string) Text {
	if isPlain(s) {
		return Text{s}
	}
	return Text{clean(s, false)}
}

// CleanBytes is Clean for bytes.
func CleanBytes(b []byte) Text { return Clean(string(b)) }

// CleanLines makes one Text per line of s. Lines end at LF, CR LF, CR, VT, FF,
// NEL, U+2028 or U+2029; a final line break does not begin another line. Tabs
// become spaces up to the next multiple of eight characters; other space,
// leading space too, is kept. No lines come of the empty string.
func CleanLines(s string) []Text {
	if s == "" {
		return nil
	}
	out := make([]Text, 0, strings.Count(s, "\n")+1)
	for s != "" {
		var line string
		line, s = cutLine(s)
		if isPlain(line) {
			out = append(out, Text{line})
		} else {
			out = append(out, Text{clean(line, true)})
		}
	}
	return out
}

// cutLine splits s behind its first line break.
func cutLine(s string) (line, rest string) {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\n' || c == '\v' || c == '\f':
			return s[:i], s[i+1:]
		case c == '\r':
			if i+1 < len(s) && s[i+1] == '\n' {
				return s[:i], s[i+2:]
			}
			return s[:i], s[i+1:]
		case c == 0xC2 && i+1 < len(s) && s[i+1] == 0x85:
			return s[:i], s[i+2:]
		case c == 0xE2 && i+2 < len(s) && s[i+1] == 0x80 && (s[i+2] == 0xA8 || s[i+2] == 0xA9):
			return s[:i], s[i+3:]
		}
	}
	return s, ""
}

func isPlain(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// cleaner builds a safe line. Everything it decides about joiners and marks, it
// decides by what it has put out, not by what came in: what was removed in
// between has no say, which is what makes cleaning idempotent.
type cleaner struct {
	out    strings.Builder
	col    int  // characters put out, for tab stops
	last   rune // the last character put out, 0 at the start
	base   rune // the last that was no mark
	marks  int  // marks since base
	joins  int  // ZWJ in this emoji sequence
	joiner bool // a ZWJ after an emoji waits for what follows
}

func clean(s string, tabs bool) string {
	var c cleaner
	c.out.Grow(len(s) + 4)
	for i := 0; i < len(s); {
		b := s[i]
		if b >= ' ' && b <= '~' {
			c.put(rune(b))
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError:
			c.put(utf8.RuneError)
			i += size
		case r == '\t' && tabs:
			c.put(' ')
			for c.col%tabStop != 0 {
				c.put(' ')
			}
			i += size
		case isBreak(r):
			i += size
			for i < len(s) { // one space for the break and all space around it
				r, size := utf8.DecodeRuneInString(s[i:])
				if r != ' ' && !isBreak(r) {
					break
				}
				i += size
			}
			if c.last != ' ' {
				c.put(' ')
			}
		case r < ' ' || r >= 0x7f && r < 0xa0:
			i += controlLen(s[i:], r, size)
		default:
			c.rune(r)
			i += size
		}
	}
	return c.out.String()
}

// isBreak: characters that end a line or jump along it.
func isBreak(r rune) bool {
	return r >= '\t' && r <= '\r' || r == 0x85 || r == 0x2028 || r == 0x2029
}

// controlLen is the length of the control function (ECMA-48) that s begins with;
// r is its first character, size that one's length. A control string without
// its terminator loses its introducer only: a terminal would swallow all the
// rest of the text, and so would hide it.
func controlLen(s string, r rune, size int) int {
	n := size
	if r == 0x1b {
		if n == len(s) {
			return n
		}
		switch c := s[n]; {
		case c == '[':
			r, n = 0x9b, n+1
		case c == 'P' || c == 'X' || c == ']' || c == '^' || c == '_':
			r, n = 0x90, n+1
		case c >= 0x20 && c <= 0x2f: // nF: character sets and the like
			for n < len(s) && s[n] >= 0x20 && s[n] <= 0x2f {
				n++
			}
			if n < len(s) && s[n] >= 0x30 && s[n] <= 0x7e {
				n++
			}
			return n
		case c >= 0x30 && c <= 0x7e:
			return n + 1
		default:
			return n
		}
	}
	switch r {
	case 0x9b: // CSI: parameters, intermediates, one final byte
		for n < len(s) && s[n] >= 0x30 && s[n] <= 0x3f {
			n++
		}
		for n < len(s) && s[n] >= 0x20 && s[n] <= 0x2f {
			n++
		}
		if n < len(s) && s[n] >= 0x40 && s[n] <= 0x7e {
			n++
		}
	case 0x90, 0x98, 0x9d, 0x9e, 0x9f: // DCS, SOS, OSC, PM, APC: up to ST or BEL
		// The scan ends at any other control character, so that many
		// introducers in a row still cost one pass.
		for i := n; i < len(s); i++ {
			switch c := s[i]; {
			case c == 0x07:
				return i + 1
			case c == 0x1b:
				if i+1 < len(s) && s[i+1] == '\\' {
					return i + 2
				}
				return n
			case c == 0xc2 && i+1 < len(s) && s[i+1] < 0xa0:
				if s[i+1] == 0x9c {
					return i + 2
				}
				return n
			case c < ' ' || c == 0x7f:
				return n
			}
		}
	}
	return n
}

// rune takes a character that is neither ASCII nor a control.
func (c *cleaner) rune(r rune) {
	switch {
	case r == zwj || r == zwnj:
		switch {
		case c.last == zwj || c.last == zwnj:
		case unicode.In(c.last, joining...) || unicode.Is(unicode.M, c.last) && unicode.In(c.base, joining...):
			c.out.WriteRune(r)
			c.last = r
		case r == zwj && isEmoji(c.last) && c.joins < maxJoins:
			c.joiner = true
		}
	case isSpace(r):
		c.put(' ')
	case isInvisible(r):
	case isUnknown(r):
		c.put(utf8.RuneError)
	case isMark(r):
		c.joiner = false
		if c.base == 0 { // nothing to sit on: it would sit on what is drawn before
			c.put('\u25cc')
		}
		if c.marks < maxMarks {
			c.marks++
			c.out.WriteRune(r)
			c.last = r
		}
	default:
		c.put(r)
	}
}

// put puts out a character that stands for itself.
func (c *cleaner) put(r rune) {
	if c.joiner {
		c.joiner = false
		if isEmoji(r) {
			c.joins++
			c.out.WriteRune(zwj)
		} else {
			c.joins = 0
		}
	} else {
		c.joins = 0
	}
	c.out.WriteRune(r)
	c.last, c.base, c.marks = r, r, 0
	c.col++
}

// isSpace: the spaces of Unicode that are as wide as a space or thinner. The
// ideographic space stays, for it is two cells wide.
func isSpace(r rune) bool {
	return r == 0xa0 || r >= 0x2000 && r <= 0x200a || r == 0x202f || r == 0x205f || r == 0x2800
}

// isInvisible: characters without a shape, which hide text from the eye or
// reorder it. Variation selectors go too: they change how wide a terminal draws
// the character before them, and terminals do not agree on it.
func isInvisible(r rune) bool {
	if r < 0xad {
		return false
	}
	return r == 0xfffc || unicode.Is(unicode.Cf, r) ||
		unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) ||
		unicode.Is(unicode.Variation_Selector, r)
}

// isUnknown: noncharacters, and what was no character yet when Go's tables were
// made: newer tables may hold it for a mark. Emoji and ideographs, of which
// every year brings some, are let pass.
func isUnknown(r rune) bool {
	if unicode.IsGraphic(r) || unicode.Is(unicode.Co, r) {
		return r&0xfffe == 0xfffe
	}
	return !(r >= 0x1f000 && r <= 0x1faff || r >= 0x20000 && r <= 0x3fffd) || r&0xfffe == 0xfffe
}

// isMark: what adds to the character before it without a cell of its own. The
// vowels and finals of conjoining Hangul count, for terminals give them none.
func isMark(r rune) bool {
	return r >= 0x300 && (unicode.Is(unicode.M, r) ||
		r >= 0x1160 && r <= 0x11ff || r >= 0xd7b0 && r <= 0xd7ff)
}

// joining are the scripts in which ZWJ and ZWNJ change the shape of a word.
var joining = []*unicode.RangeTable{
	unicode.Arabic, unicode.Syriac, unicode.Mongolian, unicode.Nko, unicode.Mandaic,
	unicode.Adlam, unicode.Hanifi_Rohingya, unicode.Devanagari, unicode.Bengali,
	unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya, unicode.Tamil, unicode.Telugu,
	unicode.Kannada, unicode.Malayalam, unicode.Sinhala, unicode.Khmer,
	unicode.Myanmar, unicode.Tibetan, unicode.Balinese, unicode.Javanese,
}
