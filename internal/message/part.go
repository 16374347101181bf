package message

import (
	"bytes"
	"strconv"
	"strings"

	"tidings/internal/safetext"
)

// part is one MIME entity (RFC 2045): its own fields and its undecoded body.
type part struct {
	ct          contentType
	encoding    string // Content-Transfer-Encoding, lower case, without comments
	disposition string // "", "inline", "attachment", lower case
	name        string // file name, decoded, raw
	body        []byte
	open        bool // the body ends where truncated input ends
	// section is the part's number; of the body of a message (root), that of the
	// part which holds the message, "" for the message itself.
	section string
	root    bool
}

// number is the part's own number.
func (p *part) number() string {
	if p.root {
		return p.child(0)
	}
	return p.section
}

// child is the number of its i-th part, from 0.
func (p *part) child(i int) string {
	n := strconv.Itoa(i + 1)
	if p.section == "" {
		return n
	}
	return p.section + "." + n
}

// readPart reads the header of the entity b. Where it has no usable
// Content-Type the type is def.
func readPart(b []byte, def string, open bool) part {
	var p part
	var disp contentType
	s := fieldScanner{rest: b}
	seenType, seenDisp := false, false
	description := ""
	for {
		name, value, ok := s.next()
		if !ok {
			break
		}
		switch {
		case !seenType && is(name, "content-type"):
			p.ct, seenType = parseContentType(unfold(value)), true
		case p.encoding == "" && is(name, "content-transfer-encoding"):
			p.encoding = transferEncoding(value)
		case !seenDisp && is(name, "content-disposition"):
			disp, seenDisp = parseContentType(unfold(value)), true
		case description == "" && is(name, "content-description"):
			description = unfold(value)
		}
	}
	if i := strings.IndexByte(p.ct.mediaType, '/'); i <= 0 || i == len(p.ct.mediaType)-1 {
		switch p.ct.mediaType {
		case "text":
			p.ct.mediaType = "text/plain"
		case "html":
			p.ct.mediaType = "text/html"
		default:
			p.ct.mediaType = def
		}
	}
	p.disposition = disp.mediaType
	p.nameFrom(&disp, description)
	p.body, p.open = s.rest, open
	return p
}

// nameFrom finds the part's name in its header.
func (p *part) nameFrom(disp *contentType, description string) {
	charset := p.ct.param("charset")
	if p.name = disp.text("filename", charset); p.name == "" {
		if p.name = p.ct.text("name", charset); p.name == "" && p.disposition == "attachment" {
			p.name = decodeText(description, charset)
		}
	}
}

// transferEncoding reads the first word: "base64;", "7bit (x)", "\"base64\"".
func transferEncoding(value []byte) string {
	v := strings.ToLower(unfold(value))
	v = strings.TrimLeft(v, "\"' ")
	if i := strings.IndexAny(v, " ;(\"'\t"); i >= 0 {
		v = v[:i]
	}
	return v
}

// coding is a transfer encoding that has to be undone.
type coding uint8

const (
	asItIs coding = iota // 7bit, 8bit, binary, and what nobody knows
	codedBase64
	codedQP
	codedUU
)

func (p *part) coding() coding {
	switch p.encoding {
	case "base64", "b64", "b":
		return codedBase64
	case "quoted-printable", "quoted_printable", "quotedprintable", "qp", "q":
		return codedQP
	case "x-uuencode", "uuencode", "x-uue", "uue":
		return codedUU
	}
	return asItIs
}

// decoded is the body without its transfer encoding. An encoding that nobody
// knows is taken for none.
func (p *part) decoded(limit int) []byte {
	b := p.body
	switch p.coding() {
	case codedBase64:
		if len(b)/4*3 > limit {
			b = b[:limit/3*4]
		}
		out, rest := decodeBase64Body(b)
		if len(rest) > 0 && strings.HasPrefix(p.ct.mediaType, "text/") {
			out = append(append(out, "\n"...), rest...)
		}
		return out
	case codedQP:
		if len(b)/3 > limit {
			b = b[:limit*3]
		}
		b = decodeQP(b)
	case codedUU:
		if _, data, _, ok := cutUU(b); ok {
			b = data
		}
	}
	if len(b) > limit {
		b = b[:limit]
	}
	return b
}

// text is the body as UTF-8.
func (p *part) text(limit int) string {
	b := p.decoded(limit)
	if p.open {
		b = trimPartial(b)
	}
	charset := p.ct.param("charset")
	if charset == "" && p.ct.mediaType == "text/html" {
		charset = metaCharset(b)
	}
	return decodeCharset(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), charset)
}

// metaCharset is the charset that an HTML document declares of itself: the last
// resort where its Content-Type does not.
func metaCharset(b []byte) string {
	b = bytes.ToLower(b[:min(len(b), 2048)])
	i := bytes.Index(b, []byte("<meta"))
	if i < 0 {
		return ""
	}
	j := bytes.Index(b[i:], []byte("charset="))
	if j < 0 {
		return ""
	}
	v := bytes.TrimLeft(b[i+j+len("charset="):], "\"' ")
	if k := bytes.IndexAny(v, "\"' ;>/"); k >= 0 {
		v = v[:k]
	}
	return string(v)
}

// trimPartial removes a UTF-8 sequence that was cut off at the end.
func trimPartial(b []byte) []byte {
	for i := 1; i <= 3 && i <= len(b); i++ {
		c := b[len(b)-i]
		if c < 0x80 {
			return b
		}
		if c >= 0xc0 {
			need := 2
			if c >= 0xf0 {
				need = 4
			} else if c >= 0xe0 {
				need = 3
			}
			if need > i {
				return b[:len(b)-i]
			}
			return b
		}
	}
	return b
}

// size is the number of decoded octets, computed without decoding base64.
func (p *part) size() int64 {
	switch p.coding() {
	case codedBase64:
		n := 0
		for _, c := range p.body {
			if base64Value[c] >= 0 {
				n++
			}
		}
		return int64(n) * 3 / 4
	case codedQP:
		return int64(len(decodeQP(p.body)))
	}
	return int64(len(p.body))
}

// isAttachment tells whether the part is to be listed and not shown.
func (p *part) isAttachment() bool {
	switch {
	case p.ct.mediaType == "message/rfc822" || p.ct.mediaType == "message/global":
		return false // shown and listed, whatever its disposition: it was sent to be read
	case p.disposition == "attachment":
		return true
	}
	switch p.ct.mediaType {
	case "text/plain", "text/html":
		return p.name != "" && p.disposition != "inline"
	case "text/x-patch", "text/x-diff", "text/markdown", "text/enriched", "text/richtext",
		"text/rfc822-headers", "message/delivery-status", "message/disposition-notification",
		"text/calendar":
		return false
	}
	return !strings.HasPrefix(p.ct.mediaType, "multipart/")
}

// splitMultipart cuts body at its boundary (RFC 2046 §5.1.1) into at most limit
// parts. found is false where the boundary never stands in it; closed tells
// that the closing delimiter was there, more that there were more parts.
func splitMultipart(body []byte, boundary string, limit int) (parts [][]byte, found, closed, more bool) {
	delim := []byte("--" + boundary)
	start := -1
	for at := 0; at < len(body); {
		i := bytes.Index(body[at:], delim)
		if i < 0 {
			break
		}
		i += at
		at = i + len(delim)
		if i > 0 && body[i-1] != '\n' && body[i-1] != '\r' {
			continue
		}
		rest, size := cutLine(body[at:])
		end := bytes.HasPrefix(rest, []byte("--"))
		if end {
			rest = rest[2:]
		}
		if !isBlank(rest) && !(end && len(rest) < 80) {
			continue // another boundary that begins alike
		}
		if start >= 0 {
			if len(parts) == limit {
				return parts, true, true, true
			}
			parts = append(parts, trimLineEnd(body[start:i]))
		}
		found = true
		if end {
			return parts, true, true, false
		}
		start = at + size
		at = start
	}
	if start >= 0 && start <= len(body) {
		if len(parts) == limit {
			return parts, true, true, true
		}
		parts = append(parts, body[start:])
	}
	return parts, found, false, false
}

// trimLineEnd removes the one line end that belongs to the delimiter.
func trimLineEnd(b []byte) []byte {
	if n := len(b); n > 0 && b[n-1] == '\n' {
		b = b[:n-1]
		if n := len(b); n > 0 && b[n-1] == '\r' {
			b = b[:n-1]
		}
	}
	return b
}

// guessBoundary finds the boundary of a multipart whose Content-Type lost it:
// the first line of dashes with a part's header below it.
func guessBoundary(body []byte) string {
	rest := body
	if len(rest) > 64<<10 {
		rest = rest[:64<<10]
	}
	for len(rest) > 0 {
		line, size := cutLine(rest)
		rest = rest[size:]
		if len(line) > 3 && len(line) < 200 && line[0] == '-' && line[1] == '-' && !isBlank(line[2:]) {
			next, _ := cutLine(rest)
			if i := fieldColon(next); i > 8 && is(next[:8], "content-") {
				return string(bytes.TrimRight(line[2:], " \t"))
			}
		}
	}
	return ""
}

func (p *part) attachment() Attachment {
	return Attachment{Name: p.name, Type: p.ct.mediaType, Size: p.size(), Cut: p.open, Section: p.number()}
}

// clean is safetext.Clean, under a short name for what is written a lot here.
func clean(s string) safetext.Text { return safetext.Clean(s) }
