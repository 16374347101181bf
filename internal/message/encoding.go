package message

import "bytes"

var base64Value = func() (t [256]int8) {
	for i := range t {
		t[i] = -1
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for i := range len(alphabet) {
		t[alphabet[i]] = int8(i)
	}
	t['-'], t['_'] = 62, 63 // the URL alphabet
	return t
}()

// appendBase64 appends the octets of base64 text, passing over what is not of
// the alphabet (RFC 2045 §6.8). Padding in the middle, as of texts that were
// encoded in pieces, ends a group and not the text.
func appendBase64[T []byte | string](dst []byte, src T) []byte {
	var g group
	dst = appendGroups(dst, src, &g)
	return g.end(dst)
}

// group is what was begun of four base64 digits.
type group struct {
	acc uint32
	n   int
}

// appendGroups is appendBase64 for text that comes in pieces; g.end comes behind
// the last.
func appendGroups[T []byte | string](dst []byte, src T, g *group) []byte {
	acc, n := g.acc, g.n
	for i := range len(src) {
		c := src[i]
		v := base64Value[c]
		if v < 0 {
			if c == '=' {
				dst = (&group{acc, n}).end(dst)
				acc, n = 0, 0
			}
			continue
		}
		acc = acc<<6 | uint32(v)
		if n++; n == 4 {
			dst = append(dst, byte(acc>>16), byte(acc>>8), byte(acc))
			acc, n = 0, 0
		}
	}
	g.acc, g.n = acc, n
	return dst
}

// end appends the octets of a group that is not full.
func (g *group) end(dst []byte) []byte {
	switch g.n {
	case 2:
		dst = append(dst, byte(g.acc>>4))
	case 3:
		dst = append(dst, byte(g.acc>>10), byte(g.acc>>2))
	}
	*g = group{}
	return dst
}

// decodeBase64Body decodes a base64 part up to where plain text begins that was
// added behind it (mailing list footers): a line of several words or one of
// dashes. That text is returned as rest.
func decodeBase64Body(b []byte) (out, rest []byte) {
	end := 0
	for end < len(b) {
		line, size := cutLine(b[end:])
		if isFooter(line) {
			break
		}
		end += size
	}
	return appendBase64(make([]byte, 0, end/4*3+3), b[:end]), trimSpace(b[end:])
}

// isFooter tells a line that is none of base64.
func isFooter(line []byte) bool {
	line = trimSpace(line)
	return bytes.IndexByte(line, ' ') >= 0 || bytes.HasPrefix(line, []byte("--")) || bytes.HasPrefix(line, []byte("__"))
}

// decodeQP decodes quoted-printable (RFC 2045 §6.7), passing through what is
// not valid.
func decodeQP(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c == '=' {
			if i+2 < len(b) && unhex(b[i+1]) >= 0 && unhex(b[i+2]) >= 0 {
				out = append(out, byte(unhex(b[i+1])<<4|unhex(b[i+2])))
				i += 2
				continue
			}
			// A soft break, perhaps with space that was added behind it.
			j := i + 1
			for j < len(b) && (b[j] == ' ' || b[j] == '\t' || b[j] == '\r') {
				j++
			}
			if j < len(b) && b[j] == '\n' {
				i = j
				continue
			}
			if j == len(b) {
				break
			}
		}
		if (c == ' ' || c == '\t') && trailing(b[i:]) {
			continue
		}
		out = append(out, c)
	}
	return out
}

// trailing tells whether the space that b begins with ends its line. It looks
// a short way only; a longer run stays.
func trailing(b []byte) bool {
	for i, c := range b {
		switch {
		case c == '\n' || c == '\r':
			return true
		case c != ' ' && c != '\t' || i > 76:
			return false
		}
	}
	return true
}
