package message

import (
	"strings"
	"testing"
)

const parcel = "From: a@example.org\r\nSubject: outer\r\nMIME-Version: 1.0\r\n" +
	"Content-Type: multipart/mixed; boundary=b\r\n\r\n" +
	"--b\r\nContent-Type: text/plain\r\n\r\nouter text\r\n" +
	"--b\r\nContent-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\n" +
	"From: x@example.com\r\nSubject: inner\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\ngr\xfcn\r\n\r\n" +
	"--b\r\nContent-Type: text/x-go; name=\"m.go\"\r\nContent-Transfer-Encoding: base64\r\n\r\ncGFja2FnZSBtCgpmdW5jIGYoKQo=\r\n" +
	"--b\r\nContent-Type: text/html; name=\"p.html\"\r\nContent-Disposition: attachment; filename=p.html\r\n\r\n<p>a <b>page</b> \x1b[2J\r\n" +
	"--b\r\nContent-Type: image/png; name=\"i.png\"\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw==\r\n" +
	"--b\r\nContent-Type: application/octet-stream; name=build.log\r\n\r\nall is w\u00e9ll\r\n" +
	"--b--\r\n"

func linesOf(m *Message) string {
	var out []string
	for _, l := range m.Lines {
		out = append(out, l.Text.String())
	}
	return strings.Join(out, "|")
}

func TestView(t *testing.T) {
	m := Parse([]byte(parcel), false)
	var sections []string
	for _, a := range m.Attachments {
		sections = append(sections, a.Section)
	}
	if got := strings.Join(sections, " "); got != "2 3 4 5 6" {
		t.Fatalf("the attachments are %s", got)
	}
	for _, c := range []struct{ section, subject, lines string }{
		{"1", "", "outer text"},
		{"2", "inner", "grün"},
		{"3", "", "package m||func f()"},
		{"4", "", "a page"},
		{"6", "", "all is w\u00e9ll"},
	} {
		v, ok := View([]byte(parcel), c.section)
		if !ok || v.Subject != c.subject || linesOf(v) != c.lines {
			t.Errorf("part %s is %v, %q: %q", c.section, ok, v.Subject, linesOf(v))
		}
	}
	for _, none := range []string{"5", "7", "", "2.9"} {
		if _, ok := View([]byte(parcel), none); ok {
			t.Errorf("part %q can be read", none)
		}
	}
}

func TestSource(t *testing.T) {
	all := Source([]byte(parcel), false)
	if len(all) != strings.Count(parcel, "\n") || all[1].Text.String() != "Subject: outer" {
		t.Errorf("%d lines, the second %q", len(all), all[1].Text)
	}
	header := Source([]byte(parcel), true)
	if n := len(header); n != 4 && n != 5 || header[3].Text.String() != "Content-Type: multipart/mixed; boundary=b" {
		t.Errorf("%d lines, %v", n, header)
	}
}

func TestReads(t *testing.T) {
	m := Parse([]byte("Subject: x\r\n\r\nhttps://p\u0430ypal.example/ and http://plain.example/ again http://plain.example/\r\n"), false)
	if len(m.Links) != 2 || m.Links[0].Reads().String() != "p\u0430ypal.example" || !m.Links[1].Reads().IsEmpty() {
		t.Errorf("%+v", m.Links)
	}
	if got, want := linesOf(m), "https://p\u0430ypal.example/ [1] and http://plain.example/ [2] again http://plain.example/ [2]"; got != want {
		t.Errorf("the text is %q", got)
	}
}

func FuzzView(f *testing.F) {
	f.Add([]byte(parcel), "2")
	f.Add([]byte(parcel), "4")
	f.Fuzz(func(t *testing.T, b []byte, number string) {
		if m, ok := View(b, number); ok && m == nil {
			t.Error("nothing")
		}
		Source(b, true)
		Source(b, false)
	})
}
