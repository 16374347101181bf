package message

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// mime builds a multipart with each part as it is given: header, empty line,
// body.
func mime(typ string, parts ...string) string {
	return "Content-Type: multipart/" + typ + "; boundary=\"=" + typ + "\"\r\n\r\n--=" + typ + "\r\n" +
		strings.Join(parts, "\r\n--="+typ+"\r\n") + "\r\n--=" + typ + "--\r\n"
}

const (
	plainPart = "Content-Type: text/plain\r\n\r\nthe plain text"
	emptyPart = "Content-Type: text/plain\r\n\r\n  \r\n"
	seeHTML   = "Content-Type: text/plain\r\n\r\nThis is an HTML message. Please use a capable program."
	htmlPart  = "Content-Type: text/html\r\n\r\n<p>the <b>HTML</b> text <a href=\"https://a.example/\">x</a></p>"
	emptyHTML = "Content-Type: text/html\r\n\r\n<html></html>"
	pdfPart   = "Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD"
	pngPart   = "Content-Type: image/png; name=i.png\r\nContent-ID: <i>\r\n\r\nx"
)

func TestWhatIsShown(t *testing.T) {
	tests := []struct {
		name, in, text string
		attachments    []string
	}{
		{"plain over HTML", mime("alternative", plainPart, htmlPart), "the plain text", nil},
		{"plain over HTML in any order", mime("alternative", htmlPart, plainPart), "the plain text", nil},
		{"HTML over nothing", mime("alternative", emptyPart, htmlPart), "the HTML text x [1]", nil},
		{"HTML over an excuse", mime("alternative", seeHTML, htmlPart), "the HTML text x [1]", nil},
		{"the excuse over nothing", mime("alternative", seeHTML, emptyHTML), "This is an HTML message. Please use a capable program.", nil},
		{"HTML alone", mime("alternative", htmlPart), "the HTML text x [1]", nil},
		{"nothing at all", mime("alternative", emptyPart, emptyHTML), "", nil},
		{"attachments of what is not shown", mime("alternative", plainPart, mime("mixed", htmlPart, pdfPart)),
			"the plain text", []string{"a.pdf"}},
		{"one more form of the text is no attachment", mime("alternative", plainPart, "Content-Type: text/x-amp-html\r\n\r\n<p>", htmlPart),
			"the plain text", nil},
		{"forwarded as an attachment", mime("mixed", plainPart, "Content-Type: message/rfc822\r\nContent-Disposition: attachment; filename=f.eml\r\n\r\nSubject: old\r\n\r\nold text"),
			"the plain text\n\nSubject: old\n\nold text", []string{"f.eml"}},
		{"HTML with its images", mime("alternative", emptyPart, mime("related", htmlPart, pngPart)),
			"the HTML text x [1]", []string{"i.png"}},
		{"alternatives in mixed", mime("mixed", mime("alternative", plainPart, htmlPart), pdfPart),
			"the plain text", []string{"a.pdf"}},
		{"text, attachment, footer", mime("mixed", plainPart, pdfPart, "Content-Type: text/plain\r\n\r\nfooter"),
			"the plain text\n\nfooter", []string{"a.pdf"}},
		{"text as attachment", mime("mixed", plainPart, "Content-Type: text/plain\r\nContent-Disposition: attachment; filename=n.txt\r\n\r\nsecret"),
			"the plain text", []string{"n.txt"}},
		{"part without header", mime("mixed", "\r\njust text"), "just text", nil},
		{"part without empty line", mime("mixed", "just text\r\nand more"), "just text\nand more", nil},
		{"a bad part does not end the walk", mime("mixed", ": bad\r\n\x00\xff\r\n\r\nbad part", plainPart), ": bad\nÿ\n\nbad part\n\nthe plain text", nil},
		{"unknown multipart is mixed", mime("x-new", plainPart, pdfPart), "the plain text", []string{"a.pdf"}},
		{"only an attachment", pdfPart, "", []string{"a.pdf"}},
		{"unknown text is shown", "Content-Type: text/x-readme\r\n\r\nread me", "read me", nil},
		{"message without type", "Subject: x\r\n\r\nbody", "body", nil},
		{"broken type", "Content-Type: text\r\n\r\nbody", "body", nil},
		{"type html", "Content-Type: html\r\n\r\n<b>body</b>", "body", nil},
		{"BOM", "\xef\xbb\xbfSubject: x\r\n\r\n\xef\xbb\xbfbody", "body", nil},
		{"CR CR LF", "Subject: x\r\r\n\r\r\nbody\r\r\nmore", "body\nmore", nil},
		{"LF", "Subject: x\n\nbody\nmore", "body\nmore", nil},
		{"boundary like another's beginning", "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=ab\n\n--ab\n\ninner\n--ab--\n--a\n\nouter\n--a--",
			"inner\n\nouter", nil},
		{"space behind the boundary", "Content-Type: multipart/mixed; boundary=a\n\n--a  \n\none\n--a\t\n\ntwo\n--a-- ",
			"one\n\ntwo", nil},
		{"calendar alone", "Content-Type: text/calendar\n\nBEGIN:VEVENT\nSUMMARY:Tea\nDTSTART:20261120T150000Z\nEND:VEVENT\n",
			"Event: Tea\nWhen: 2026-11-20 15:00 (UTC)", nil},
		{"calendar cancelled", "Content-Type: text/calendar; method=CANCEL\n\nBEGIN:VEVENT\nSUMMARY:Tea\nDTSTART;VALUE=DATE:20261120\nEND:VEVENT\n",
			"Cancelled: Tea\nWhen: 2026-11-20", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := Parse([]byte(tt.in), false)
			if m.Text() != tt.text {
				t.Errorf("text %q, want %q", m.Text(), tt.text)
			}
			var names []string
			for _, a := range m.Attachments {
				names = append(names, a.Name)
			}
			if d := cmp.Diff(tt.attachments, names); d != "" {
				t.Error(d)
			}
			for i, l := range m.Links {
				if l.N != i+1 {
					t.Errorf("link %d has number %d", i+1, l.N)
				}
			}
			if len(m.Problems) > 0 {
				t.Errorf("problems: %v", m.Problems)
			}
		})
	}
}

// A mail cut off inside its attachment is shown like the whole one: that is how
// large mails are opened.
func TestTruncatedInAttachment(t *testing.T) {
	whole := mime("mixed", mime("alternative", plainPart, htmlPart),
		"Content-Type: image/jpeg\r\nContent-Disposition: attachment; filename=big.jpg\r\nContent-Transfer-Encoding: base64\r\n\r\n"+
			base64.StdEncoding.EncodeToString(make([]byte, 3000)))
	m := Parse([]byte(whole[:len(whole)-2000]), true)
	if m.Text() != "the plain text" || len(m.Problems) != 0 {
		t.Errorf("%q, %v", m.Text(), m.Problems)
	}
	if len(m.Attachments) != 1 || m.Attachments[0].Name != "big.jpg" || m.Attachments[0].Size < 1000 || m.Attachments[0].Size > 3000 {
		t.Errorf("attachments %v", m.Attachments)
	}
	if m := Parse([]byte("Content-Type: text/plain; charset=utf-8\r\n\r\nGr\xc3"), true); m.Text() != "Gr" {
		t.Errorf("cut inside a character: %q", m.Text())
	}
}

func TestMoreTextThanIsShown(t *testing.T) {
	m := Parse([]byte("Subject: x\r\n\r\n"+strings.Repeat("a line of the log\n", 400_000)), false)
	if len(m.Lines) > maxLines {
		t.Errorf("%d lines", len(m.Lines))
	}
	if len(m.Problems) != 1 || !strings.Contains(m.Problems[0].String(), "very long") {
		t.Errorf("problems %v", m.Problems)
	}
}

func TestFlowed(t *testing.T) {
	type L = flowedLine
	tests := []struct {
		name, in string
		delSp    bool
		want     []L
	}{
		{"joined", "a \nb \nc\nd\n", false, []L{{text: "a b c"}, {text: "d"}}},
		{"DelSp", "a \nb\n", true, []L{{text: "ab"}}},
		{"two spaces stay one", "a  \nb\n", true, []L{{text: "a b"}}},
		{"quotes joined", ">a \n> b\n>> c\n", false, []L{{text: "a b", quote: 1}, {text: "c", quote: 2}}},
		{"depth change ends the paragraph", "> a \nb\n", false, []L{{text: "a ", quote: 1}, {text: "b"}}},
		{"space-stuffing", " >a\n From b\n", false, []L{{text: ">a"}, {text: "From b"}}},
		{"signature", "a \n-- \nb \nc\n", false, []L{{text: "a "}, {text: "--"}, {text: "b c"}}},
		{"empty lines", "a \n\nb\n", false, []L{{text: "a "}, {text: "b"}}},
		{"CR LF", "a \r\nb\r\n", false, []L{{text: "a b"}}},
		{"no last line end", "a \nb ", false, []L{{text: "a b "}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := flow(tt.in, tt.delSp)
			if d := cmp.Diff(tt.want, got, cmp.AllowUnexported(L{})); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestEncodings(t *testing.T) {
	for in, want := range map[string]string{
		"SGVsbG8=":         "Hello",
		"SGVsbG8":          "Hello",
		"SGVs\r\nbG8=\r\n": "Hello",
		"SG!V*sbG8=":       "Hello",
		"SGVsbG8=SGVsbG8=": "HelloHello",
		"SGVsbG8gLV8tXw==": "Hello -_-_",
		"____":             "\xff\xff\xff",
		"":                 "",
		"=====":            "",
		"S":                "",
		"SGVsbG8=\r\nSGk=": "HelloHi",
	} {
		if got := string(appendBase64(nil, in)); got != want {
			t.Errorf("base64 %q: %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"a=3Db":      "a=b",
		"a=\r\nb":    "ab",
		"a=\nb":      "ab",
		"a= \t\r\nb": "ab",
		"a=":         "a",
		"a  \r\nb":   "a\r\nb",
		"a=20\r\nb":  "a \r\nb",
		"=c3=bc":     "\xc3\xbc",
		"=G1 =1":     "=G1 =1",
		"100%=":      "100%",
	} {
		if got := string(decodeQP([]byte(in))); got != want {
			t.Errorf("quoted-printable %q: %q, want %q", in, got, want)
		}
	}
	name, data, rest, ok := cutUU([]byte("x\nbegin 644 a b.txt\n#0V%T\n`\nend\ntail"))
	if !ok || name != "a b.txt" || string(data) != "Cat" || string(rest) != "tail" {
		t.Errorf("uuencode: %q %q %q %v", name, data, rest, ok)
	}
}
