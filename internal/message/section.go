package message

import (
	"bytes"
	"strings"
)

// Section returns one part of the message b, decoded, by the number that Parse
// gave it; ok is false where there is none of that number. What is returned may
// be shorter than the part where b is only the beginning of a message.
func Section(b []byte, number string) (content []byte, ok bool) {
	found, ok := rootOf(b).find(number, 0)
	if !ok {
		return nil, false
	}
	if found.isLetter() {
		return found.letter(len(found.body)), true
	}
	return found.decoded(len(found.body)), true
}

// Content is what an attachment of the message b holds, decoded; ok is false where
// that cannot be taken out.
func Content(b []byte, a Attachment) (content []byte, ok bool) {
	if a.Section == "" {
		return nil, false
	}
	if a.File == 0 {
		return Section(b, a.Section)
	}
	p, ok := rootOf(b).find(a.Section, 0)
	if !ok {
		return nil, false
	}
	if p.isTNEF() {
		files := tnefFiles(p.decoded(len(p.body)))
		if a.File > len(files) {
			return nil, false
		}
		return files[a.File-1].data, true
	}
	return uuFile(p.text(max(maxText, 2*len(p.body))), a.File)
}

// rootOf is the message b as a part.
func rootOf(b []byte) *part {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	b = bytes.TrimLeft(b, "\r\n")
	p := readPart(b, "text/plain", true)
	p.root = true
	return &p
}

// find looks for the part of a number in p.
func (p *part) find(number string, depth int) (part, bool) {
	multipart := strings.HasPrefix(p.ct.mediaType, "multipart/")
	switch {
	case depth > maxDepth:
		return part{}, false
	case !multipart && p.number() == number:
		return *p, true
	case multipart:
		parts, _, _, _ := p.parts()
		for i := range parts {
			if within(number, parts[i].section) {
				return parts[i].find(number, depth+1)
			}
		}
	case p.isLetter() && within(number, p.number()):
		q := readPart(p.letter(len(p.body)), "text/plain", p.open)
		q.root, q.section = true, p.number()
		return q.find(number, depth+1)
	}
	return part{}, false
}

// within tells whether a number is section, or one inside it.
func within(number, section string) bool {
	rest, ok := strings.CutPrefix(number, section)
	return ok && (rest == "" || rest[0] == '.')
}

// isLetter tells whether the part is a message.
func (p *part) isLetter() bool {
	return p.ct.mediaType == "message/rfc822" || p.ct.mediaType == "message/global"
}

// letter is the message that the part holds.
func (p *part) letter(limit int) []byte {
	if p.encoding == "base64" || p.encoding == "quoted-printable" { // forbidden, and done
		return p.decoded(limit)
	}
	return p.body
}

// parts takes a multipart apart, as splitMultipart does.
func (p *part) parts() (parts []part, found, closed, more bool) {
	boundary := p.ct.param("boundary")
	if boundary == "" {
		boundary, _ = p.ct.extended("boundary")
	}
	var raw [][]byte
	if boundary != "" {
		raw, found, closed, more = splitMultipart(p.body, boundary, maxParts)
	}
	if !found {
		if boundary = guessBoundary(p.body); boundary != "" {
			raw, found, closed, more = splitMultipart(p.body, boundary, maxParts)
		}
	}
	def := "text/plain"
	if p.ct.mediaType == "multipart/digest" {
		def = "message/rfc822"
	}
	parts = make([]part, len(raw))
	for i, b := range raw {
		parts[i] = readPart(b, def, p.open && !closed && i == len(raw)-1)
		parts[i].section = p.child(i)
	}
	return parts, found, closed, more
}
