package query

import (
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fold makes text comparable: two texts that fold to the same are the same to a
// search, and a term is found where its fold is part of the text's.
//
// It is i;unicode-casemap (RFC 5051), which is what IMAP servers use (RFC 9051
// §6.4.4 leaves it to them) as Dovecot has it: each character becomes its titlecase
// form, and that is decomposed by one step, compatibility mappings included.
// Marks stay. So "CAFÉ" finds "café", and so does "cafe", whose letters come
// before the mark; "cafés" is not found by "cafes".
//
// Octets that are not UTF-8 become U+FFFD. Fold of a Fold may differ from it
// where a decomposition brings lower case (ﬁ): text is folded once.
func Fold(s string) string {
	if i := unfolded(s); i < len(s) {
		return string(AppendFold(append(make([]byte, 0, len(s)+len(s)/4), s[:i]...), s[i:]))
	}
	return s
}

// unfolded is where s first differs from its fold, at the latest where its ASCII
// ends.
func unfolded(s string) int {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= utf8.RuneSelf || 'a' <= c && c <= 'z' {
			return i
		}
	}
	return len(s)
}

// AppendFold appends the fold of s to dst.
func AppendFold(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if 'a' <= c && c <= 'z' {
				c -= 'a' - 'A'
			}
			dst = append(dst, c)
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		i += n
		dst = appendTitle(dst, unicode.ToTitle(r))
	}
	return dst
}

// appendTitle appends the decomposition of a titlecase character, one step of it.
func appendTitle(dst []byte, r rune) []byte {
	if int(r) >= len(steps) {
		return append(dst, step(r)...)
	}
	s := steps[r].Load()
	if s == nil {
		made := step(r)
		s = &made
		steps[r].Store(s)
	}
	return append(dst, *s...)
}

// steps are the decompositions of the scripts of the West, once they were wanted:
// to look one up in the tables of x/text and to put it together costs 300 ns.
var steps [0x2000]atomic.Pointer[string]

// step is one step of a character's decomposition, or the character.
func step(r rune) string {
	s := string(r)
	switch {
	case hangulFirst <= r && r <= hangulLast: // by rule, not by table
		return norm.NFD.String(s)
	case r == longST:
		return "ſt"
	case 0x1C4 <= r && r <= 0x1CC, 0x1F1 <= r && r <= 0x1F3: // Dovecot leaves Ǆ, Ǉ, Ǌ and Ǳ whole
		return s
	}
	if full := norm.NFD.PropertiesString(s).Decomposition(); full != nil {
		return canonicalStep(s, string(full))
	}
	if full := norm.NFKD.PropertiesString(s).Decomposition(); full != nil {
		return norm.NFC.String(string(full))
	}
	return s
}

const (
	hangulFirst, hangulLast = 0xAC00, 0xD7A3
	longST                  = 0xFB05 // the one ligature that is made of another
)

// canonicalStep is the first step of a canonical decomposition: another character,
// or one with a mark (Unicode Standard Annex 44, Character Decomposition Mapping).
// Of all the steps only what they end in is at hand.
func canonicalStep(s, full string) string {
	if c := norm.NFC.String(s); c != s && utf8.RuneCountInString(c) == 1 {
		return c
	}
	if utf8.RuneCountInString(full) <= 2 {
		return full
	}
	_, n := utf8.DecodeLastRuneInString(full)
	return norm.NFC.String(full[:len(full)-n]) + full[len(full)-n:]
}
