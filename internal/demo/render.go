package demo

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"strings"
	"time"

	"golang.org/x/text/encoding/htmlindex"
)

// bytes are the message of a row.
func (w *writer) bytes(r *row) []byte {
	if r.letter != nil {
		return r.letter.raw
	}
	return w.render(r.number, r.time())
}

// render writes the letter of a number, sent shortly before date.
func (w *writer) render(number uint32, date time.Time) []byte {
	p, k := w.letterOf(number)
	d := &p.drafts[k]
	h := mix(w.seed ^ uint64(number) ^ 0xda7e)
	sent := date.Add(-time.Duration(h%90) * time.Second).In(d.from.zone())

	var b bytes.Buffer
	b.Grow(4096)
	id := p.messageID(w, k)
	header(&b, "Return-Path", "<"+d.from.address+">")
	fmt.Fprintf(&b, "Received: from mail.example.org (mail.example.org [192.0.2.%d])\r\n\tby mx.example.net with ESMTPS id %s;\r\n\t%s\r\n",
		1+h%250, strings.ToUpper(id[1:9]), date.UTC().Format(time.RFC1123Z))
	header(&b, "Date", sent.Format(time.RFC1123Z))
	header(&b, "From", d.from.String())
	to, cc := d.topic.recipient(), person{}
	if d.depth > 0 && p.drafts[d.parent].from != d.from {
		if cc = p.drafts[d.parent].from; to == me {
			to, cc = cc, to
		}
	}
	header(&b, "To", to.String())
	if cc.address != "" {
		header(&b, "Cc", cc.String())
	}
	header(&b, "Subject", encodeWords(p.subject(w, k)))
	header(&b, "Message-ID", id)
	if d.parent >= 0 {
		var chain []string
		for at := d.parent; at >= 0; at = p.drafts[at].parent {
			chain = append([]string{p.messageID(w, at)}, chain...)
		}
		header(&b, "In-Reply-To", chain[len(chain)-1])
		header(&b, "References", strings.Join(chain, "\r\n "))
	}
	for _, field := range d.topic.fields {
		b.WriteString(w.fillIn(field, p, d.root))
		b.WriteString("\r\n")
	}
	header(&b, "MIME-Version", "1.0")
	w.body(&b, p, k, h, sent)
	return b.Bytes()
}

func header(b *bytes.Buffer, name, value string) {
	b.WriteString(name)
	b.WriteString(": ")
	b.WriteString(value)
	b.WriteString("\r\n")
}

// encodeWords makes a header value of ASCII out of any text (RFC 2047), folded
// between the words.
func encodeWords(text string) string {
	encoder := mime.QEncoding
	for _, r := range text {
		if r > 0x24f {
			encoder = mime.BEncoding
		}
	}
	encoded := encoder.Encode("utf-8", text)
	if encoded == text {
		return fold(text)
	}
	return strings.ReplaceAll(encoded, "?= =?", "?=\r\n =?")
}

// fold breaks a long line of ASCII between words (RFC 5322 §2.2.3).
func fold(text string) string {
	var b strings.Builder
	width := 10
	for i, word := range strings.Split(text, " ") {
		if i > 0 {
			if width+1+len(word) > 76 {
				b.WriteString("\r\n")
				width = 0
			}
			b.WriteByte(' ')
			width++
		}
		b.WriteString(word)
		width += len(word)
	}
	return b.String()
}

// quote is the answered letter's text as mail programs cite it.
func (p *plan) quote(w *writer, k int, sent time.Time) string {
	parent := &p.drafts[k]
	var b strings.Builder
	fmt.Fprintf(&b, "\n\nOn %s, %s wrote:\n", sent.Add(-3*time.Hour).Format("Mon, 2 Jan 2006 at 15:04"), parent.from.name)
	lines := strings.Split(p.text(w, k), "\n")
	for i, line := range lines {
		if i == 8 {
			b.WriteString("> [...]\n")
			break
		}
		if line == "" {
			b.WriteString(">\n")
		} else {
			b.WriteString("> " + line + "\n")
		}
	}
	return b.String()
}

// body writes the MIME fields and the body of the letter at k.
func (w *writer) body(b *bytes.Buffer, p *plan, k int, h uint64, sent time.Time) {
	d := &p.drafts[k]
	text := p.text(w, k)
	plain := text
	if d.depth > 0 {
		plain += p.quote(w, d.parent, sent)
	}
	if d.topic.signature != "" {
		plain += "\n\n-- \n" + d.topic.signature
	}
	boundary := fmt.Sprintf("=_%x", h)
	switch style := d.topic.style; {
	case style == htmlOnly:
		textPart(b, "text/html", "utf-8", page(p.subject(w, k), text), h)
	case style == alternative:
		multipart(b, "alternative", boundary,
			func() { textPart(b, "text/plain", d.topic.charset, plain, h) },
			func() { textPart(b, "text/html", "utf-8", page(p.subject(w, k), text), h+1) })
	case style == attachment && d.depth == 0:
		multipart(b, "mixed", boundary,
			func() { textPart(b, "text/plain", d.topic.charset, plain, h) },
			func() { filePart(b, d.topic.file, w.fillIn(d.topic.fileName, p, d.root)) })
	case style == invitation && d.depth == 0:
		event := calendar(p.messageID(w, k), p.subject(w, k), d.from, sent)
		multipart(b, "alternative", boundary,
			func() { textPart(b, "text/plain", "utf-8", plain, h) },
			func() { textPart(b, "text/calendar; method=REQUEST", "utf-8", event, h) })
	case style == forwarded && d.depth == 0:
		multipart(b, "mixed", boundary,
			func() { textPart(b, "text/plain", d.topic.charset, plain, h) },
			func() { forward(b, d.topic.people[1], d.topic.people[0], w.fillIn(d.topic.forwards, p, d.root), sent) })
	case style == parcel && d.depth == 0:
		multipart(b, "mixed", boundary,
			func() { textPart(b, "text/plain", d.topic.charset, plain, h) },
			func() { filePart(b, pdfFile, w.fillIn("minutes of week {small}.pdf", p, d.root)) },
			func() { filePart(b, pngFile, "tide.png") },
			func() { filePart(b, csvFile, "visitors.csv") },
			func() { forward(b, d.topic.people[1], d.topic.people[0], w.fillIn(d.topic.forwards, p, d.root), sent) })
	case style == signed:
		header(b, "Content-Type", `multipart/signed; micalg=pgp-sha512;`+"\r\n"+
			` protocol="application/pgp-signature"; boundary="`+boundary+`"`)
		parts(b, boundary,
			func() { textPart(b, "text/plain", "utf-8", plain, 0) },
			func() {
				header(b, "Content-Type", `application/pgp-signature; name="signature.asc"`)
				header(b, "Content-Description", "OpenPGP digital signature")
				b.WriteString("\r\n")
				b.WriteString(crlf(pgpSignature))
			})
	case style == flowed:
		textPart(b, "text/plain; format=flowed", d.topic.charset, softWrap(plain), h)
	default:
		textPart(b, "text/plain", d.topic.charset, plain, h)
	}
}

func multipart(b *bytes.Buffer, kind, boundary string, write ...func()) {
	header(b, "Content-Type", "multipart/"+kind+`; boundary="`+boundary+`"`)
	parts(b, boundary, write...)
}

func parts(b *bytes.Buffer, boundary string, write ...func()) {
	b.WriteString("\r\nThis is a message in MIME format.\r\n")
	for _, part := range write {
		b.WriteString("\r\n--" + boundary + "\r\n")
		part()
	}
	b.WriteString("\r\n--" + boundary + "--\r\n")
}

// textPart writes a text in a charset ("": utf-8) under one of the encodings
// that real mail uses.
func textPart(b *bytes.Buffer, kind, charset, text string, h uint64) {
	data := []byte(crlf(text))
	name := "utf-8"
	if charset != "" {
		if enc, err := htmlindex.Get(charset); err == nil {
			// What the charset lacks keeps the letter in UTF-8, as mail programs do.
			if coded, err := enc.NewEncoder().Bytes(data); err == nil {
				data, name = coded, charset
			}
		}
	}
	ascii := true
	for _, c := range data {
		ascii = ascii && c < 0x80
	}
	header(b, "Content-Type", kind+"; charset="+name)
	switch {
	case ascii:
		header(b, "Content-Transfer-Encoding", "7bit")
		b.WriteString("\r\n")
		b.Write(data)
	case h%3 == 0 && name == "utf-8":
		header(b, "Content-Transfer-Encoding", "8bit")
		b.WriteString("\r\n")
		b.Write(data)
	case h%3 == 1 || name == "iso-8859-1" || name == "windows-1252":
		header(b, "Content-Transfer-Encoding", "quoted-printable")
		b.WriteString("\r\n")
		q := quotedprintable.NewWriter(b)
		// A bytes.Buffer takes everything.
		_, _ = q.Write(data)
		_ = q.Close()
	default:
		header(b, "Content-Transfer-Encoding", "base64")
		b.WriteString("\r\n")
		writeBase64(b, data)
	}
}

// filePart writes an attachment.
func filePart(b *bytes.Buffer, f *file, name string) {
	if mime.QEncoding.Encode("utf-8", name) == name {
		header(b, "Content-Type", f.kind+`; name="`+name+`"`)
		header(b, "Content-Disposition", `attachment; filename="`+name+`"`)
	} else {
		header(b, "Content-Type", f.kind+`; name="`+mime.BEncoding.Encode("utf-8", name)+`"`)
		header(b, "Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	}
	header(b, "Content-Transfer-Encoding", "base64")
	b.WriteString("\r\n")
	writeBase64(b, f.data())
}

// forward writes a part that is a whole message.
func forward(b *bytes.Buffer, from, to person, text string, sent time.Time) {
	subject, text, _ := strings.Cut(text, "\n")
	header(b, "Content-Type", "message/rfc822")
	header(b, "Content-Disposition", "inline")
	b.WriteString("\r\n")
	header(b, "Date", sent.Add(-26*time.Hour).In(from.zone()).Format(time.RFC1123Z))
	header(b, "From", from.String())
	header(b, "To", to.String())
	header(b, "Subject", encodeWords(subject))
	header(b, "MIME-Version", "1.0")
	textPart(b, "text/plain", "utf-8", text, 0)
}

func writeBase64(b *bytes.Buffer, data []byte) {
	encoded := base64.StdEncoding.EncodeToString(data)
	for len(encoded) > 76 {
		b.WriteString(encoded[:76])
		b.WriteString("\r\n")
		encoded = encoded[76:]
	}
	b.WriteString(encoded)
	b.WriteString("\r\n")
}

func crlf(text string) string {
	text = strings.ReplaceAll(text, "\n", "\r\n")
	if !strings.HasSuffix(text, "\r\n") {
		text += "\r\n"
	}
	return text
}

// softWrap breaks paragraphs at 72 columns with trailing spaces (RFC 3676).
func softWrap(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, ">") || line == "-- " {
			b.WriteString(line + "\n")
			continue
		}
		for len(line) > 72 {
			cut := strings.LastIndex(line[:72], " ")
			if cut <= 0 {
				break
			}
			b.WriteString(line[:cut+1] + "\n")
			line = line[cut+1:]
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}

// calendar is an invitation (RFC 5545, RFC 6047).
func calendar(id, summary string, organizer person, sent time.Time) string {
	start := sent.UTC().Add(50 * time.Hour).Truncate(time.Hour)
	const stamp = "20060102T150405Z"
	return "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Example//Calendar//EN\nMETHOD:REQUEST\nBEGIN:VEVENT\n" +
		"UID:" + strings.Trim(id, "<>") + "\nDTSTAMP:" + sent.UTC().Format(stamp) +
		"\nDTSTART:" + start.Format(stamp) + "\nDTEND:" + start.Add(45*time.Minute).Format(stamp) +
		"\nSUMMARY:" + summary + "\nLOCATION:Room 2\nORGANIZER:mailto:" + organizer.address +
		"\nATTENDEE;RSVP=TRUE:mailto:demo@example.org\nEND:VEVENT\nEND:VCALENDAR\n"
}
