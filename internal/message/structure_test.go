package message

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// entityOf describes a part as a server would.
func entityOf(p *part) Entity {
	e := Entity{
		Type: p.ct.mediaType, Encoding: p.encoding, Disposition: p.disposition, Octets: int64(len(p.body)),
	}
	for _, x := range p.ct.params {
		e.Params = append(e.Params, Param{x.name, x.value})
	}
	if p.name != "" {
		e.DispositionParams = []Param{{"filename*", "utf-8''" + strings.NewReplacer("%", "%25", "'", "%27").Replace(p.name)}}
	}
	if strings.HasPrefix(e.Type, "multipart/") {
		parts, _, _, _ := p.parts()
		for i := range parts {
			e.Parts = append(e.Parts, entityOf(&parts[i]))
		}
	} else if p.isLetter() {
		q := readPart(p.letter(len(p.body)), "text/plain", false)
		q.root, q.section = true, p.number()
		inside := entityOf(&q)
		e.Inside = &inside
	}
	return e
}

const packed = `From: a@example.org
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: multipart/alternative; boundary=c

--c
Content-Type: text/plain

words
--c
Content-Type: multipart/related; boundary=d

--d
Content-Type: text/html

<p>words
--d
Content-Type: image/png; name="=?utf-8?q?b=C3=BCld=2Epng?="
Content-Transfer-Encoding: base64

iVBORw==
--d--
--c--
--b
Content-Type: text/plain; name=notes.txt

some notes
--b
Content-Type: text/x-diff

+ line
--b
Content-Type: application/pdf
Content-Disposition: attachment; filename*0*=utf-8''%e2%82%ac; filename*1=" 1.pdf"
Content-Transfer-Encoding: base64

AAAA
--b
Content-Type: message/rfc822

Subject: inner
Content-Type: multipart/mixed; boundary=e

--e
Content-Type: text/plain

inner text
--e
Content-Type: application/zip

PK
--e--
--b
Content-Type: message/rfc822

Content-Type: text/plain

no parts
--b--
`

// TestRemoteAttachments: what a structure lists is what Parse lists of the message.
func TestRemoteAttachments(t *testing.T) {
	for _, in := range []string{
		packed,
		"Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\nAAAA\n",
		"Content-Type: text/plain\n\nwords\n",
		"Content-Type: text/html; name=page.html\n\n<p>words\n",
		"Content-Type: text/plain\nContent-Disposition: attachment\n\nwords\n",
		"Content-Type: message/rfc822\n\nSubject: x\n\ny\n",
	} {
		var want []Attachment
		for _, a := range Parse([]byte(in), false).Attachments {
			a.Size = 0
			want = append(want, a)
		}
		e := entityOf(rootOf([]byte(in)))
		var got []Attachment
		for _, r := range e.Attachments() {
			content, ok := Section([]byte(in), r.Section)
			if !ok {
				t.Errorf("there is no part %s", r.Section)
			}
			body, err := io.ReadAll(r.Decode(bytes.NewReader(r.bodyIn(t, in))))
			if err != nil || !bytes.Equal(body, content) {
				t.Errorf("part %s is %q, fetched and decoded %q (%v)", r.Section, content, body, err)
			}
			r.Size = 0
			got = append(got, r.Attachment)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s\nis listed otherwise (-want +got):\n%s", in, diff)
		}
	}
}

// bodyIn is what a server has of the part.
func (r *Remote) bodyIn(t *testing.T, in string) []byte {
	t.Helper()
	p, ok := rootOf([]byte(in)).find(r.Section, 0)
	if !ok {
		t.Fatalf("there is no part %s", r.Section)
	}
	return p.body
}

func TestRemoteView(t *testing.T) {
	e := entityOf(rootOf([]byte(packed)))
	var seen []string
	for _, r := range e.Attachments() {
		want, wantOK := View([]byte(packed), r.Section)
		got, ok := r.View(r.bodyIn(t, packed), false)
		if ok != wantOK {
			t.Errorf("%s: can be read: %v, want %v", r.Section, ok, wantOK)
			continue
		}
		if ok {
			if got.Text() != want.Text() || got.Subject != want.Subject {
				t.Errorf("%s reads %q, want %q", r.Section, got.Text(), want.Text())
			}
			seen = append(seen, r.Section)
		}
		if letter, isOne := r.Letter(r.bodyIn(t, packed)); isOne != (r.Type == "message/rfc822") || isOne && !bytes.Contains(letter, []byte("\n\n")) {
			t.Errorf("%s is a message: %v %q", r.Section, isOne, letter)
		}
	}
	if strings.Join(seen, " ") != "2 5 5.2 6" {
		t.Errorf("%v can be read", seen)
	}
}

// TestRemoteSize: the size that stands in the list is near the real one.
func TestRemoteSize(t *testing.T) {
	for _, n := range []int{57 * 1000, 1 << 20, 12345} {
		lines := (n + 56) / 57
		encoded := (n+2)/3*4 + 2*(lines-1)
		e := Entity{Type: "application/pdf", Encoding: "BASE64", Octets: int64(encoded)}
		if got := e.Attachments()[0].Size; got < int64(n-120) || got > int64(n+120) {
			t.Errorf("%d octets are listed as %d", n, got)
		}
	}
}

func decodeWhole(r *Remote, body []byte, pieces func(io.Reader) io.Reader) ([]byte, error) {
	return io.ReadAll(r.Decode(pieces(bytes.NewReader(body))))
}

func remoteOf(encoding, mediaType string) Remote {
	e := Entity{Type: mediaType, Encoding: encoding, Disposition: "attachment"}
	return e.Attachments()[0]
}

// FuzzDecode: however the octets come in, what is decoded is what Section makes of
// them.
func FuzzDecode(f *testing.F) {
	f.Add(byte(0), "SGVsbG8s\r\nIHdv\r\ncmxkIQ==\r\n", false)
	f.Add(byte(0), "SGVsbG8s\r\n-- \r\nA list of many words  \r\n\r\n", true)
	f.Add(byte(0), "SGV=sbG\n8s\nIHdvcmxkI", false)
	f.Add(byte(1), "a=3Db=\r\nc  \r\n=C3=\t \r\n=A4 =zz=", false)
	f.Add(byte(2), "words\r\nbegin 644 x\r\n#0V%T\r\n`\r\nend\r\nbehind\r\n", false)
	f.Add(byte(2), "words\r\nand no more", false)
	f.Add(byte(3), "as it is\r\n", true)
	f.Fuzz(func(t *testing.T, encoding byte, body string, text bool) {
		mediaType := "application/octet-stream"
		if text {
			mediaType = "text/csv"
		}
		r := remoteOf([]string{"base64", "quoted-printable", "x-uuencode", "8bit"}[encoding%4], mediaType)
		p := r.part
		p.body = []byte(body)
		want := p.decoded(len(body) + 1)
		for _, pieces := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader, iotest.DataErrReader} {
			if got, err := decodeWhole(&r, []byte(body), pieces); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s of %q is %q, in pieces %q (%v)", r.part.encoding, body, want, got, err)
			}
		}
		failing := io.MultiReader(strings.NewReader(body), iotest.ErrReader(errLost))
		if got, err := io.ReadAll(r.Decode(failing)); !errors.Is(err, errLost) || len(got) > len(body)+1 {
			t.Errorf("a link that broke: %q, %v", got, err)
		}
	})
}

var errLost = errors.New("the link broke")

// TestDecodeWithoutLines: a part of one endless line takes no more memory, and no
// more time for each octet, than any other.
func TestDecodeWithoutLines(t *testing.T) {
	for _, test := range []struct{ encoding, piece string }{
		{"base64", "QUJD"}, {"quoted-printable", "=41B "}, {"quoted-printable", "    "}, {"quoted-printable", "===="}, {"x-uuencode", "abcd"}, {"8bit", "abcd"},
	} {
		const n = 8 << 20
		r := remoteOf(test.encoding, "application/zip")
		count := int64(0)
		endless := io.LimitReader(repeated(test.piece), n)
		allocs := testing.AllocsPerRun(1, func() {
			endless = io.LimitReader(repeated(test.piece), n)
			got, err := io.Copy(io.Discard, r.Decode(endless))
			if err != nil {
				t.Error(err)
			}
			count = got
		})
		if count == 0 && test.piece != "    " || allocs > 2000 {
			t.Errorf("%s of %q: %d octets, %v allocations", test.encoding, test.piece, count, allocs)
		}
	}
}

// repeated is a text without an end.
type repeated string

func (s repeated) Read(p []byte) (int, error) {
	n := 0
	for n+len(s) <= len(p) {
		n += copy(p[n:], s)
	}
	if n == 0 {
		return copy(p, s), nil
	}
	return n, nil
}
