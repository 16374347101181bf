package message

import (
	"bytes"
	"slices"
	"strings"

	"tidings/internal/safetext"
)

// The bounds of Parse. They are far beyond what people send each other; what
// lies past them is counted, named in Problems, or left out.
const (
	maxInput       = 64 << 20 // octets of a message that are looked at
	maxDepth       = 32       // nesting of parts
	maxParts       = 500      // parts, over all levels
	maxText        = 4 << 20  // octets of text that are made readable
	maxLines       = 100_000
	maxAttachments = 1000
	maxLinks       = 2000
)

// Parse reads a whole message, or the first part of one (truncated tells that
// b ends early). It never panics and bounds its time, depth and memory. b is
// not kept.
func Parse(b []byte, truncated bool) *Message {
	w := walker{m: &Message{}, textLeft: maxText}
	if len(b) > maxInput {
		b, truncated = b[:maxInput], true
		w.problem(safetext.Format("The message is larger than %s MiB; what lies beyond is not looked at.", safetext.Int(maxInput>>20)))
	}
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	b = bytes.TrimLeft(b, "\r\n")
	w.m.Header = ParseHeader(b)
	if !hasField(b) {
		if len(b) > 0 {
			w.problem(safetext.Const("This does not begin like a mail message; it is shown as it came."))
		}
		w.raw(b, truncated)
		return w.done()
	}
	p := readPart(b, "text/plain", truncated)
	p.root = true
	w.entity(p, 0, true)
	if w.empty() && len(w.m.Attachments) == 0 && len(w.m.Problems) > 0 {
		w.raw(p.body, truncated) // better than nothing
	}
	return w.done()
}

// walker goes through the parts of one message and collects what is readable.
type walker struct {
	m        *Message
	lines    []Line
	parts    int
	textLeft int
	mute     int // above 0: only attachments are collected
	links    map[string]int
	full     bool
}

// problem says a sentence, once.
func (w *walker) problem(t safetext.Text) {
	if !slices.Contains(w.m.Problems, t) {
		w.m.Problems = append(w.m.Problems, t)
	}
}

func (w *walker) add(l Line) {
	if w.mute > 0 {
		return
	}
	if len(w.lines) >= maxLines {
		w.full = true
		return
	}
	if l.Text.IsEmpty() && (len(w.lines) == 0 || blankRun(w.lines) >= 2) {
		return
	}
	w.lines = append(w.lines, l)
}

// blankRun counts the empty lines at the end, up to two.
func blankRun(l []Line) int {
	n := 0
	for n < 2 && n < len(l) && l[len(l)-1-n].Text.IsEmpty() {
		n++
	}
	return n
}

// blank adds an empty line unless one is there.
func (w *walker) blank() {
	if blankRun(w.lines) == 0 {
		w.add(Line{})
	}
}

func (w *walker) empty() bool { return len(w.lines) == 0 }

func (w *walker) attach(a Attachment) {
	if len(w.m.Attachments) < maxAttachments {
		w.m.Attachments = append(w.m.Attachments, a)
	}
}

func (w *walker) done() *Message {
	for len(w.lines) > 0 && w.lines[len(w.lines)-1].Text.IsEmpty() {
		w.lines = w.lines[:len(w.lines)-1]
	}
	if w.full || w.textLeft <= 0 {
		w.problem(safetext.Const("The text is very long; its end is left out."))
	}
	w.m.Lines = w.lines
	return w.m
}

// take is the text of p as far as the bound on all text allows; it is charged.
func (w *walker) take(p part) string {
	if w.mute > 0 {
		return ""
	}
	s := p.text(max(0, w.textLeft))
	w.textLeft -= len(s)
	return s
}

// entity shows one part. top tells that nothing was shown before it and it is
// the message's own body.
func (w *walker) entity(p part, depth int, top bool) {
	if w.parts++; w.parts > maxParts {
		w.problem(safetext.Format("The message has more than %s parts; the rest is left out.", safetext.Int(maxParts)))
		return
	}
	if depth > maxDepth {
		w.problem(safetext.Format("Parts are nested more than %s deep; what lies deeper is left out.", safetext.Int(maxDepth)))
		return
	}
	t := p.ct.mediaType
	switch {
	case strings.HasPrefix(t, "multipart/"):
		w.multipart(p, depth, top)
		return
	case p.isAttachment() && !(top && strings.HasPrefix(t, "text/") && p.disposition != "attachment"):
		w.attached(p)
		return
	}
	if p.name != "" && !strings.HasPrefix(t, "message/") {
		w.attach(p.attachment()) // shown, and there to be saved
	}
	switch t {
	case "text/plain":
		w.plain(p)
	case "text/html":
		w.html(p)
	case "text/calendar":
		w.calendar(p)
	case "text/enriched", "text/richtext":
		w.enriched(p)
	case "message/rfc822", "message/global":
		w.embedded(p, depth)
	case "message/delivery-status", "message/disposition-notification", "text/rfc822-headers":
		w.asIs(p, false)
	case "text/x-patch", "text/x-diff":
		w.asIs(p, true)
	default:
		w.plain(p)
	}
}

// attached lists a part, with what can be said of it.
func (w *walker) attached(p part) {
	w.attach(p.attachment())
	switch {
	case p.isTNEF():
		for i, f := range tnefFiles(p.decoded(len(p.body))) {
			w.attach(Attachment{
				Name: f.name, Type: "application/octet-stream", Size: int64(len(f.data)), Cut: f.cut, Section: p.number(), File: i + 1,
			})
		}
	case p.ct.mediaType == "application/pkcs7-mime", p.ct.mediaType == "application/x-pkcs7-mime":
		if strings.EqualFold(p.ct.param("smime-type"), "signed-data") {
			w.note(safetext.Const("[Signed with S/MIME in a form that only a mail program with S/MIME can read.]"))
		} else {
			w.note(safetext.Const("[Encrypted with S/MIME; it cannot be read here.]"))
		}
	}
}

// note adds a line of our own words.
func (w *walker) note(t safetext.Text) {
	if w.mute == 0 {
		w.blank()
		w.add(Line{Text: t})
	}
}

func (w *walker) multipart(p part, depth int, top bool) {
	parts, found, closed, more := p.parts()
	if !found {
		if p.open && len(bytes.TrimSpace(p.body)) == 0 {
			return // cut off before the first part
		}
		w.problem(safetext.Const("The parts of this message could not be told apart; its text is shown as it came."))
		w.raw(p.body, p.open)
		return
	}
	if more {
		w.problem(safetext.Format("The message has more than %s parts; the rest is left out.", safetext.Int(maxParts)))
	}
	if !closed && !p.open {
		w.problem(safetext.Const("The message ends before its last part does."))
	}
	switch p.ct.mediaType {
	case "multipart/alternative":
		w.alternative(parts, depth, top)
	case "multipart/related":
		w.related(parts, depth, top)
	case "multipart/encrypted":
		w.note(safetext.Const("[Encrypted with PGP; it cannot be read here.]"))
		for _, q := range parts {
			if q.ct.mediaType != "application/pgp-encrypted" {
				w.entity(q, depth+1, false)
			}
		}
	default: // mixed, signed, report, digest, and what nobody knows (RFC 2046 §5.1.7)
		for i, q := range parts {
			if i > 0 && !w.empty() && !q.isAttachment() {
				w.blank()
			}
			w.entity(q, depth+1, top && i == 0)
		}
	}
}

// related shows the root and lists the rest.
func (w *walker) related(parts []part, depth int, top bool) {
	for i, q := range parts {
		w.entity(q, depth+1, top && i == 0)
	}
}

// alternative shows the plain text, unless it is empty or says no more than
// that there is HTML; then the HTML; then whatever shows anything. Of the
// others only attachments are collected, for some programs put them there.
func (w *walker) alternative(parts []part, depth int, top bool) {
	order := make([]int, 0, len(parts))
	rank := func(p part) int {
		switch {
		case p.ct.mediaType == "text/plain":
			return 0
		case p.ct.mediaType == "text/html", strings.HasPrefix(p.ct.mediaType, "multipart/"):
			return 1
		case p.ct.mediaType == "text/calendar":
			return 3
		}
		return 2
	}
	for r := range 4 {
		for i, p := range parts {
			if rank(p) == r {
				order = append(order, i)
			}
		}
	}
	shown := false
	var poor []Line
	for _, i := range order {
		q := parts[i]
		switch {
		case q.ct.mediaType == "text/calendar":
			w.entity(q, depth+1, false)
			continue
		case shown:
			// A nameless part is one more form of the same text (AMP).
			if strings.HasPrefix(q.ct.mediaType, "multipart/") || q.name != "" {
				w.mute++
				w.entity(q, depth+1, false)
				w.mute--
			}
			continue
		}
		// Render at the end of what is there; take it back if it says nothing.
		before, links := len(w.lines), len(w.m.Links)
		w.entity(q, depth+1, top)
		if w.mute > 0 {
			shown = true
			continue
		}
		got := w.lines[before:]
		if q.ct.mediaType == "text/plain" && len(parts) > 1 && saysNothing(got) {
			if poor == nil {
				poor = append(poor, got...)
			}
			w.lines = w.lines[:before]
			w.dropLinks(links)
			continue
		}
		shown = len(got) > 0
	}
	if !shown {
		for _, l := range poor {
			w.add(l)
		}
	}
}

func (w *walker) dropLinks(n int) {
	for _, l := range w.m.Links[n:] {
		delete(w.links, linkKey(l.URL, l.Mismatch))
	}
	w.m.Links = w.m.Links[:n]
}

// saysNothing: the text is empty, or a short excuse for being no HTML.
func saysNothing(lines []Line) bool {
	n := 0
	var all strings.Builder
	for _, l := range lines {
		n += l.Text.Len()
		if n > 400 {
			return false
		}
		all.WriteString(l.Text.String())
		all.WriteByte(' ')
	}
	s := strings.ToLower(strings.TrimSpace(all.String()))
	if strings.Trim(s, " .-_*=\u00b7") == "" {
		return true
	}
	for _, excuse := range [...]string{"html", "view this email in your browser", "view this message in", "does not support", "doesn't support", "view in browser", "im browser ansehen"} {
		if strings.Contains(s, excuse) {
			return true
		}
	}
	return false
}

// embedded shows a message inside the message: its main fields, then its text.
func (w *walker) embedded(p part, depth int) {
	w.attach(p.attachment())
	b := p.letter(maxText)
	if w.mute == 0 {
		w.blank()
		h := ParseHeader(b)
		for _, f := range h.Fields() {
			w.add(Line{Text: safetext.Format("%s: %s", f.Name, f.Value)})
		}
		w.add(Line{})
	}
	q := readPart(b, "text/plain", p.open)
	q.root, q.section = true, p.number()
	w.entity(q, depth+1, false)
}

// raw shows bytes that are not understood.
func (w *walker) raw(b []byte, open bool) {
	p := part{body: b, open: open}
	p.ct.mediaType = "text/plain"
	w.plain(p)
}

// asIs shows a part line by line; fixed keeps the lines from being wrapped.
func (w *walker) asIs(p part, fixed bool) {
	for _, t := range safetext.CleanLines(w.take(p)) {
		w.add(Line{Text: trimRight(t), Fixed: fixed})
	}
}

// hasField tells whether b begins with anything like a header.
func hasField(b []byte) bool {
	s := fieldScanner{rest: b}
	_, _, ok := s.next()
	return ok
}
