package wire

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// Structure is one part of a message as a server describes it: a BODYSTRUCTURE
// (RFC 9051 §7.5.2).
type Structure struct {
	Type, Subtype     string // lower case
	Params            []Param
	Description       string // raw
	Encoding          string // lower case
	Octets            int64  // as it is transferred; -1 where the server does not say so
	Disposition       string // lower case, "" where there is none
	DispositionParams []Param
	Parts             []Structure // of a multipart, which has nothing but these, Params and Disposition
	Inside            *Structure  // of a message/rfc822: what the message in it is made of
}

// Param is a parameter, its name in lower case, its value raw.
type Param struct{ Name, Value string }

// ErrStructure: the server's BODYSTRUCTURE cannot be made sense of.
var ErrStructure = errors.New("the structure that the server sent cannot be read")

const (
	maxStructureDepth = 100 // Dovecot's own bound on nested parts
	maxStructureParts = 5000
)

// Described is what a raw UID FETCH of UID, RFC822.SIZE and BODYSTRUCTURE brought of
// a message.
type Described struct {
	Root *Structure
	Size int64 // RFC822.SIZE; 0 where it was not sent
}

// ReadStructure finds what the replies to such a command say of a message. found
// tells that the server spoke of it at all. The error is ErrStructure: what many
// servers send, such as a multipart without parts or a size of NIL, is understood;
// what could be read in two ways is not.
//
// It is done here and not by imapclient, whose decoder gives the connection up
// over any of these, and the process over deep ones.
func ReadStructure(reply RawReply, uid uint32) (d Described, found bool, err error) {
	for _, line := range reply.Untagged {
		d, of, ok, err := readDescribed([]byte(line))
		switch {
		case !ok || of != 0 && of != uid:
		case err != nil:
			return Described{}, true, err
		default:
			return d, true, nil
		}
	}
	return Described{}, false, nil
}

// readDescribed reads one line; ok is false where it is no FETCH with a structure,
// but perhaps a change of flags.
func readDescribed(line []byte) (d Described, uid uint32, ok bool, err error) {
	c := cursor{b: line}
	if !c.take('*') {
		return d, 0, false, nil
	}
	c.space()
	c.word()
	c.space()
	if !equalFold(c.word(), "FETCH") {
		return d, 0, false, nil
	}
	c.space()
	c.take('(')
	for {
		c.space()
		name := c.name()
		switch {
		case len(name) == 0:
			return d, uid, ok, err
		case equalFold(name, "UID"):
			c.space()
			uid, _ = number32(c.word())
		case equalFold(name, "RFC822.SIZE"):
			c.space()
			if n, is := number(c.word()); is && n < 1<<62 {
				d.Size = int64(n)
			}
		case equalFold(name, "BODYSTRUCTURE") && !ok:
			ok = true
			c.space()
			r := structureReader{cursor: c}
			root, bad := r.body(0)
			if bad != nil || !r.end() && r.peek() != ' ' && r.peek() != ')' {
				err = ErrStructure
				c.skip() // the UID may stand behind it
				continue
			}
			c, d.Root = r.cursor, &root
		default:
			if !c.skip() {
				return d, uid, ok, err
			}
		}
	}
}

// structureReader reads a body (RFC 9051 §9).
type structureReader struct {
	cursor
	parts int
}

func (r *structureReader) body(depth int) (s Structure, err error) {
	if r.parts++; depth > maxStructureDepth || r.parts > maxStructureParts {
		return s, fmt.Errorf("%w: too many parts", ErrStructure)
	}
	if !r.take('(') {
		return s, ErrStructure
	}
	s.Octets = -1
	r.space()
	if r.peek() == '(' {
		return s, r.multipart(&s, depth)
	}
	first, isNil, err := r.text()
	if err != nil {
		return s, err
	}
	r.space()
	if isNil || !topLevel[strings.ToLower(first)] && (r.peek() == '(' || r.peek() == ')' || r.isNil()) {
		// A multipart without parts: Gmail's ("MIXED" (...)), others' (NIL "MIXED").
		if s.Subtype = strings.ToLower(first); isNil {
			if s.Subtype, _, err = r.lower(); err != nil {
				return s, err
			}
		}
		s.Type = "multipart"
		return s, r.afterParts(&s)
	}
	s.Type = strings.ToLower(first)
	return s, r.single(&s, depth)
}

// topLevel are the types that parts have.
var topLevel = map[string]bool{
	"text": true, "message": true, "image": true, "audio": true, "video": true, "application": true, "font": true, "model": true,
}

// multipart reads what stands behind the parenthesis of a multipart.
func (r *structureReader) multipart(s *Structure, depth int) (err error) {
	s.Type = "multipart"
	for r.peek() == '(' {
		part, err := r.body(depth + 1)
		if err != nil {
			return err
		}
		s.Parts = append(s.Parts, part)
		r.space()
	}
	if s.Subtype, _, err = r.lower(); err != nil {
		return err
	}
	return r.afterParts(s)
}

// afterParts reads the extension data of a multipart, and its end.
func (r *structureReader) afterParts(s *Structure) (err error) {
	if r.space(); r.peek() != ')' {
		if s.Params, err = r.params(); err != nil {
			return err
		}
		if err = r.disposition(s); err != nil {
			return err
		}
	}
	return r.close()
}

// single reads a part that is no multipart, from its subtype on.
func (r *structureReader) single(s *Structure, depth int) (err error) {
	if s.Subtype, _, err = r.lower(); err != nil {
		return err
	}
	r.space()
	if s.Params, err = r.params(); err != nil {
		return err
	}
	r.space()
	if _, _, err = r.text(); err != nil { // Content-ID
		return err
	}
	r.space()
	if s.Description, _, err = r.text(); err != nil {
		return err
	}
	r.space()
	if s.Encoding, _, err = r.lower(); err != nil {
		return err
	}
	r.space()
	if n, ok := number(r.word()); ok && n < 1<<62 {
		s.Octets = int64(n)
	}
	switch {
	case s.Type == "text":
		r.space()
		if ch := r.peek(); ch != ')' && ch != '(' && ch != '"' {
			r.word() // lines; some say NIL or -1
		}
	case s.Type == "message" && (s.Subtype == "rfc822" || s.Subtype == "global"):
		if err = r.inside(s, depth); err != nil {
			return err
		}
	}
	r.space()
	if r.peek() != ')' {
		if _, _, err = r.text(); err != nil { // MD5
			return err
		}
		if err = r.disposition(s); err != nil {
			return err
		}
	}
	return r.close()
}

// inside reads the envelope, structure and lines of a message in a message. Some
// servers leave all three out, where they could not read it.
func (r *structureReader) inside(s *Structure, depth int) error {
	at := r.cursor
	r.space()
	if r.peek() != '(' && !r.isNil() {
		r.cursor = at
		return nil
	}
	none := r.isNil()
	if !r.skip() { // the envelope
		return ErrStructure
	}
	r.space()
	if r.peek() != '(' || none && !r.bodyComes() {
		r.cursor = at // it was not the envelope, but what comes behind
		return nil
	}
	body, err := r.body(depth + 1)
	if err != nil {
		return err
	}
	s.Inside = &body
	if r.space(); r.peek() != ')' && r.peek() != '"' && r.peek() != '(' {
		r.word() // lines
	}
	return nil
}

// disposition reads a Content-Disposition, if one comes. Exchange sends a string
// in place of the list.
func (r *structureReader) disposition(s *Structure) (err error) {
	r.space()
	switch r.peek() {
	case ')':
		return nil
	case '(':
		r.i++
		r.space()
		if s.Disposition, _, err = r.lower(); err != nil {
			return err
		}
		if r.space(); r.peek() != ')' {
			if s.DispositionParams, err = r.params(); err != nil {
				return err
			}
		}
		r.space()
		if !r.take(')') {
			return ErrStructure
		}
	default:
		s.Disposition, _, err = r.lower()
	}
	return err
}

// close passes over what else there may be (language, location, extensions), and
// takes the closing parenthesis.
func (r *structureReader) close() error {
	for r.skip() {
	}
	if r.space(); !r.take(')') {
		return ErrStructure
	}
	return nil
}

// params reads a list of names and values, or NIL.
func (r *structureReader) params() (out []Param, err error) {
	if r.peek() != '(' {
		text, _, err := r.text()
		if err == nil && text != "" {
			err = ErrStructure
		}
		return nil, err
	}
	r.i++
	for {
		r.space()
		if r.take(')') {
			return out, nil
		}
		name, _, err := r.lower()
		if err != nil {
			return nil, err
		}
		p := Param{Name: name}
		if r.space(); r.peek() != ')' {
			if p.Value, _, err = r.text(); err != nil {
				return nil, err
			}
		}
		out = append(out, p)
	}
}

// lower is text in lower case.
func (r *structureReader) lower() (string, bool, error) {
	s, isNil, err := r.text()
	return strings.ToLower(s), isNil, err
}

// text reads a string in any form, or NIL, which is "". A quote that stands in the
// middle of something says that the server does not write quotes as it should:
// nothing behind it can be relied on.
func (r *structureReader) text() (s string, isNil bool, err error) {
	var val []byte
	ok := false
	switch ch := r.peek(); ch {
	case '"':
		val, ok = r.quoted()
	case '{', '~':
		val, ok = r.inlined()
	default:
		val = r.word()
		ok = len(val) > 0
		isNil = equalFold(val, "NIL")
	}
	if !ok || !r.end() && bytes.IndexByte([]byte(" ()"), r.peek()) < 0 {
		return "", false, ErrStructure
	}
	if isNil {
		return "", true, nil
	}
	return string(val), false, nil
}

// bodyComes tells whether the list that comes next is a body, and not a
// disposition.
func (r *structureReader) bodyComes() bool {
	at := *r
	at.i++
	at.space()
	if at.peek() == '(' {
		return true
	}
	first, _, err := at.lower()
	return err == nil && topLevel[first]
}

// isNil tells whether NIL comes next.
func (r *structureReader) isNil() bool {
	at := r.cursor
	return equalFold(at.word(), "NIL")
}
