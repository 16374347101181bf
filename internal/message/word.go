package message

import (
	"strings"
	"unicode/utf8"
)

// maxWord is how far an encoded word is looked for. RFC 2047 allows 75 octets;
// software that puts a whole subject into one word is common.
const maxWord = 8 << 10

// decodeText decodes the encoded words of a header value (RFC 2047) and makes
// raw 8-bit text UTF-8; charset is what the message declares for its body, the
// best guess there is for such text. What is not decodable stays as it is.
func decodeText(s, charset string) string {
	ascii := true
	words := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= utf8.RuneSelf || c == 0x1b {
			ascii = false
			break
		}
		if c == '=' && i+1 < len(s) && s[i+1] == '?' {
			words = true
		}
	}
	if !ascii {
		s = rawText(s, charset)
		words = strings.Contains(s, "=?")
	}
	if !words {
		return s
	}
	return decodeWords(s)
}

// rawText is a header value that was sent without encoding.
func rawText(s, charset string) string {
	if strings.Contains(s, "\x1b$") || strings.Contains(s, "\x1b(") {
		if out, ok := toUTF8([]byte(s), "iso-2022-jp"); ok {
			return out
		}
	}
	if utf8.ValidString(s) {
		return s
	}
	return decodeCharset([]byte(s), charset)
}

// encodedWord is one =?charset?encoding?text?=.
type encodedWord struct {
	charset, text string
	base64        bool
	size          int
}

// cutWord reads the encoded word that s begins with; size is 0 where there is
// none. Spaces in the text, which RFC 2047 forbids, are let pass, and so is a
// last word that was cut off.
func cutWord(s string) (w encodedWord) {
	if len(s) < 6 || s[0] != '=' || s[1] != '?' {
		return w
	}
	if len(s) > maxWord {
		s = s[:maxWord]
	}
	i := 2
	for i < len(s) && s[i] != '?' {
		if c := s[i]; c <= ' ' || c > '~' || c == '=' || i > 64 {
			return w
		}
		i++
	}
	if i+2 >= len(s) || s[i+2] != '?' || i == 2 {
		return w
	}
	switch s[i+1] {
	case 'b', 'B':
		w.base64 = true
	case 'q', 'Q':
	default:
		return w
	}
	cs := s[2:i]
	if j := strings.IndexByte(cs, '*'); j >= 0 { // RFC 2231 language
		cs = cs[:j]
	}
	text := s[i+3:]
	end := 0
	for { // a Q text may itself begin with "=", as in "?Q?=C3=A9?="
		j := strings.IndexByte(text[end:], '?')
		if j < 0 || end+j+1 >= len(text) {
			// Cut off. The rest is taken if it looks like nothing but a word.
			if j >= 0 {
				end += j
			} else {
				end = len(text)
			}
			if strings.ContainsAny(text[:end], " <>\"") {
				return w
			}
			w.charset, w.text, w.size = cs, text[:end], len(s)
			return w
		}
		end += j
		if text[end+1] == '=' {
			break
		}
		end++
	}
	w.charset, w.text, w.size = cs, text[:end], i+3+end+2
	return w
}

// wordLen is the length of the encoded word that s begins with, 0 if none.
func wordLen(s string) int { return cutWord(s).size }

// decodeWords replaces encoded words. Words next to each other lose the space
// between them; those of one charset are joined before they are decoded, for
// software splits characters.
func decodeWords(s string) string {
	var outBuf, runBuf [256]byte
	out := outBuf[:0]
	run := runBuf[:0] // decoded octets not yet converted
	runCharset := ""
	flush := func() {
		if runCharset == "" {
			return
		}
		if isUTF8(runCharset) && utf8.Valid(run) {
			out = append(out, run...)
		} else {
			out = append(out, decodeCharset(run, runCharset)...)
		}
		run, runCharset = run[:0], ""
	}
	for len(s) > 0 {
		i := strings.Index(s, "=?")
		if i < 0 {
			flush()
			return string(append(out, s...))
		}
		w := cutWord(s[i:])
		if w.size == 0 {
			flush()
			out = append(out, s[:i+2]...)
			s = s[i+2:]
			continue
		}
		if runCharset == "" || strings.Trim(s[:i], " \t\r\n") != "" {
			flush()
			out = append(out, s[:i]...)
		} else if !strings.EqualFold(runCharset, w.charset) {
			flush()
		}
		runCharset = w.charset
		if w.base64 {
			run = appendBase64(run, w.text)
		} else {
			run = appendQ(run, w.text)
		}
		s = s[i+w.size:]
	}
	flush()
	return string(out)
}

// appendQ appends the decoded Q text: "_" is a space, "=XX" an octet.
func appendQ(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '_':
			dst = append(dst, ' ')
		case c == '=' && i+2 < len(s) && unhex(s[i+1]) >= 0 && unhex(s[i+2]) >= 0:
			dst = append(dst, byte(unhex(s[i+1])<<4|unhex(s[i+2])))
			i += 2
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}
