package message

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"tidings/internal/safetext"
)

// View makes one part of the message b readable by itself, by the number that
// Parse gave it: a part that holds a message becomes that message, with its
// header, whatever was to be shown of it beside others; a text becomes its lines,
// also where it was sent as an attachment. ok is false where there is no such
// part, or where it is no text.
func View(b []byte, number string) (m *Message, ok bool) {
	p, ok := rootOf(b).find(number, 0)
	if !ok {
		return nil, false
	}
	return p.view()
}

// ViewAttachment is View of an attachment, which may be a file inside a part.
func ViewAttachment(b []byte, a Attachment) (m *Message, ok bool) {
	if a.File == 0 {
		return View(b, a.Section)
	}
	content, ok := Content(b, a)
	if !ok {
		return nil, false
	}
	p := part{body: content}
	p.ct.mediaType = a.Type
	return p.view()
}

// view is View of one part.
func (p part) view() (m *Message, ok bool) {
	switch {
	case p.isLetter():
		return Parse(p.letter(len(p.body)), p.open), true
	case !isText(p.ct.mediaType) && !looksLikeText(p.decoded(sniffed)):
		return nil, false
	}
	w := walker{m: &Message{}, textLeft: maxText}
	p.disposition, p.name = "", "" // it is to be shown
	switch p.ct.mediaType {
	case "text/plain", "text/html", "text/calendar", "text/enriched", "text/richtext":
		w.entity(p, 0, true)
	default: // such as a program: line by line
		w.asIs(p, true)
	}
	return w.done(), true
}

// sniffed is how much of a part is looked at to tell whether it is text.
const sniffed = 8 << 10

// looksLikeText tells of a part whose type says nothing, such as a log that was
// sent as application/octet-stream.
func looksLikeText(b []byte) bool {
	b = trimPartial(b)
	return len(b) > 0 && utf8.Valid(b) && bytes.IndexFunc(b, func(r rune) bool {
		return r < ' ' && r != '\n' && r != '\r' && r != '\t' && r != '\f' && r != '\x1b' || r == 0x7f
	}) < 0
}

// isText tells whether what is in a part of a media type can be read as text.
func isText(mediaType string) bool {
	switch mediaType {
	case "message/rfc822", "message/global", "message/delivery-status", "message/disposition-notification",
		"message/global-delivery-status", "application/json", "application/xml", "application/x-sh",
		"application/x-yaml", "application/yaml", "application/toml", "application/javascript", "application/sql":
		return true
	}
	return strings.HasPrefix(mediaType, "text/") || strings.HasSuffix(mediaType, "+xml") || strings.HasSuffix(mediaType, "+json")
}

// HeaderOf is the header of the message b, with the empty line behind it.
func HeaderOf(b []byte) []byte {
	s := fieldScanner{rest: b}
	for {
		if _, _, ok := s.next(); !ok {
			return b[:len(b)-len(s.rest)]
		}
	}
}

// Source is b as it stands, line by line: the whole of it, or its header alone.
func Source(b []byte, headerOnly bool) []Line {
	if headerOnly {
		b = HeaderOf(b)
	}
	b = b[:min(len(b), maxText)]
	var lines []Line
	for rest := string(b); rest != "" && len(lines) < maxLines; {
		var line string
		line, rest = nextLine(rest)
		ts := safetext.CleanLines(line)
		if len(ts) == 0 {
			ts = []safetext.Text{{}}
		}
		for _, t := range ts {
			lines = append(lines, Line{Text: t, Fixed: true})
		}
	}
	return lines
}

// Reads is the host in the script that it is written in, where that is not
// ASCII: the name behind "xn--..." (punycode, RFC 3492). It is what a browser may
// show, and may look like another name. Empty where the host is plain.
func (l Link) Reads() safetext.Text {
	if !strings.Contains(l.Host, "xn--") {
		return safetext.Text{}
	}
	name, err := idna.Punycode.ToUnicode(l.Host)
	if err != nil || name == l.Host {
		return safetext.Text{}
	}
	return safetext.Clean(name)
}
