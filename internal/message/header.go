package message

import "bytes"

const (
	maxAddresses  = 1000 // per header
	maxReferences = 200
)

// ParseHeader reads a header block (as BODY[HEADER.FIELDS] returns it, or the
// start of a message), leniently and within bounds. It is on the hot path of
// every summary: see its benchmark. Of a field that stands twice the first
// non-empty one counts, except that To and Cc are joined.
func ParseHeader(b []byte) Header {
	var h Header
	var subject, from, replyTo, listID string
	var to, cc text
	s := fieldScanner{rest: b}
	var contentType []byte
	for {
		name, value, ok := s.next()
		if !ok {
			break
		}
		switch len(name) {
		case 2:
			switch {
			case is(name, "to"):
				join(&to, value)
			case is(name, "cc"):
				join(&cc, value)
			}
		case 4:
			switch {
			case from == "" && is(name, "from"):
				from = unfold(value)
			case h.Date.IsZero() && is(name, "date"):
				h.Date = parseDateBytes(value)
			}
		case 7:
			switch {
			case subject == "" && is(name, "subject"):
				subject = unfold(value)
			case listID == "" && is(name, "list-id"):
				listID = unfold(value)
			}
		case 8:
			if replyTo == "" && is(name, "reply-to") {
				replyTo = unfold(value)
			}
		case 10:
			switch {
			case h.MessageID == "" && is(name, "message-id"):
				h.MessageID = firstID(value)
			case h.References == nil && is(name, "references"):
				h.References = msgIDs(value)
			}
		case 11:
			if h.InReplyTo == nil && is(name, "in-reply-to") {
				h.InReplyTo = msgIDs(value)
			}
		case 12:
			if h.ContentType == "" && is(name, "content-type") {
				h.ContentType, contentType = mediaType(value), value
			}
		}
	}
	if h.ContentType == "" {
		h.ContentType = "text/plain"
	}
	charset := ""
	if contentType != nil && has8bit(b[:s.n]) {
		ct := parseContentType(unfold(contentType))
		charset = ct.param("charset")
	}
	h.Subject = decodeText(subject, charset)
	h.From = parseAddresses(from, charset)
	h.To = parseAddresses(to.take(), charset)
	h.Cc = parseAddresses(cc.take(), charset)
	h.ReplyTo = parseAddresses(replyTo, charset)
	h.ListID = decodeText(listID, charset)
	return h
}

// join adds the value of one more field of the same name.
func join(t *text, value []byte) {
	if len(t.buf) > maxValue {
		return
	}
	if v := unfold(value); v != "" {
		if !t.isEmpty() {
			t.add(", ")
		}
		t.add(v)
	}
}

// mediaType is the media type of a Content-Type, without allocating for the
// common ones.
func mediaType(value []byte) string {
	typ, _, _ := bytes.Cut(value, []byte{';'})
	typ = trimSpace(typ)
	for _, known := range [...]string{"text/plain", "text/html", "multipart/alternative", "multipart/mixed", "multipart/related", "multipart/signed", "multipart/report"} {
		if is(typ, known) {
			return known
		}
	}
	ct := parseContentType(unfold(value))
	return ct.mediaType
}

func has8bit(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return true
		}
	}
	return false
}
