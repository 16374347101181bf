package message

import (
	"strings"
)

// Entity is one part of a message as a server describes it (BODYSTRUCTURE), for
// messages that are too large to be at hand.
type Entity struct {
	Type              string // media type, lower case
	Params            []Param
	Description       string
	Encoding          string // Content-Transfer-Encoding
	Octets            int64  // encoded; below 0: unknown
	Disposition       string // lower case
	DispositionParams []Param
	Parts             []Entity // of a multipart
	Inside            *Entity  // of a message/rfc822, what it holds
}

// Param is a parameter of a header field, its name in lower case, its value as it
// stands there.
type Param struct{ Name, Value string }

// Remote is an attachment that is not at hand. Its Size is what its encoded octets
// come to.
type Remote struct {
	Attachment
	Octets int64 // encoded, as they are transferred; below 0: unknown

	part part
}

// Attachments lists the parts that Parse would, and numbers them as IMAP does.
func (e *Entity) Attachments() []Remote {
	var l lister
	l.entity(e, "", true, true, 0)
	return l.found
}

type lister struct {
	found []Remote
	parts int
}

// entity lists what is in e, whose number is section; root tells that it is the
// body of the message which has that number, top that nothing was shown before it.
func (l *lister) entity(e *Entity, section string, root, top bool, depth int) {
	if l.parts++; l.parts > maxListed || depth > maxListedDepth {
		return
	}
	p := e.part()
	p.section, p.root = section, root
	if strings.HasPrefix(p.ct.mediaType, "multipart/") {
		for i := range e.Parts {
			c := &e.Parts[i]
			if p.ct.mediaType == "multipart/alternative" && strings.HasPrefix(c.Type, "text/") && c.Disposition != "attachment" && c.part().name == "" {
				continue // a form of the text
			}
			l.entity(c, p.child(i), false, top && i == 0, depth+1)
		}
		return
	}
	text := top && strings.HasPrefix(p.ct.mediaType, "text/") && p.disposition != "attachment"
	if p.isLetter() || p.isAttachment() && !text || p.name != "" && !strings.HasPrefix(p.ct.mediaType, "message/") {
		l.found = append(l.found, p.remote(e.Octets))
	}
	if e.Inside != nil && p.isLetter() && p.coding() == asItIs { // an encoded one no server looks into
		l.entity(e.Inside, p.number(), true, false, depth+1)
	}
}

const (
	maxListed      = 5000
	maxListedDepth = 100
)

// part is e as one of our own, without its body.
func (e *Entity) part() part {
	var p part
	p.ct = contentType{e.Type, params(e.Params)}
	if i := strings.IndexByte(e.Type, '/'); i <= 0 || i == len(e.Type)-1 {
		if p.ct.mediaType = "application/octet-stream"; i > 0 && e.Type[:i] == "text" {
			p.ct.mediaType = "text/plain"
		}
	}
	p.encoding = transferEncoding([]byte(e.Encoding))
	p.disposition = e.Disposition
	disp := contentType{e.Disposition, params(e.DispositionParams)}
	p.nameFrom(&disp, e.Description)
	return p
}

func params(in []Param) []param {
	out := make([]param, 0, min(len(in), maxParams))
	for _, p := range in[:min(len(in), maxParams)] {
		out = append(out, param{p.Name, p.Value})
	}
	return out
}

// remote is the part as something to be fetched.
func (p *part) remote(octets int64) Remote {
	size := max(octets, 0)
	switch p.coding() {
	case codedBase64:
		size = size * 57 / 78 // lines of 76 and their ends
	case codedUU:
		size = size * 45 / 63
	}
	return Remote{Attachment{Name: p.name, Type: p.ct.mediaType, Size: size, Section: p.number()}, octets, *p}
}

// View makes the part readable, as the function View does. body is what the server
// has of it, still encoded, or its first octets (cut).
func (r *Remote) View(body []byte, cut bool) (*Message, bool) {
	p := r.part
	p.body, p.open = body, cut
	return p.view()
}

// Letter is the message that the part holds, of which body is what the server
// has; ok is false where it holds none.
func (r *Remote) Letter(body []byte) (letter []byte, ok bool) {
	p := r.part
	p.body = body
	if !p.isLetter() {
		return nil, false
	}
	return p.letter(len(body)), true
}

// IsText tells whether the part's type says that it can be read.
func (r *Remote) IsText() bool { return r.part.isLetter() || isText(r.part.ct.mediaType) }
