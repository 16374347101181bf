package message

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// seeds adds the corpus to a fuzz target.
func seeds(f *testing.F) {
	f.Helper()
	names, err := filepath.Glob("testdata/mail/*.eml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(typical))
	f.Add([]byte("Subject: x\n\n" + uuencode("a", []byte("some")) + uuencode("b", []byte("more"))))
	f.Add(append([]byte("Content-Type: application/ms-tnef\nContent-Transfer-Encoding: binary\n\n"), tnef(tnefFile{name: "a", data: []byte("aaaa")})...))
}

func checkText(t *testing.T, s string) {
	t.Helper()
	if !utf8.ValidString(s) {
		t.Fatalf("invalid UTF-8: %q", s)
	}
	for _, r := range s {
		if unicode.IsControl(r) && r != '\n' {
			t.Fatalf("control %U in %q", r, s)
		}
	}
}

func FuzzParseHeader(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		h := ParseHeader(b)
		if !h.Date.IsZero() && (h.Date.Year() < minYear-1 || h.Date.Year() > maxYear+1) {
			t.Errorf("year %d", h.Date.Year())
		}
		if h.ContentType == "" {
			t.Error("no content type")
		}
		if !utf8.ValidString(h.Subject) {
			t.Errorf("subject %q", h.Subject)
		}
		for _, id := range append(append([]string{h.MessageID}, h.InReplyTo...), h.References...) {
			if strings.ContainsAny(id, "\r\n") {
				t.Errorf("message-id %q", id)
			}
		}
		for _, field := range h.Fields() {
			checkText(t, field.Value.String())
		}
	})
}

func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, truncated := range []bool{false, true} {
			m := Parse(b, truncated)
			checkText(t, m.Text())
			for _, p := range m.Problems {
				checkText(t, p.String())
			}
			for i, l := range m.Links {
				if l.N != i+1 {
					t.Errorf("link %d has number %d", i+1, l.N)
				}
				checkText(t, l.Text.String())
			}
			for i, a := range m.Attachments {
				if i < 5 && a.File > 0 {
					if content, ok := Content(b, a); !ok || !a.Cut && int64(len(content)) != a.Size {
						t.Errorf("file %+v: %d octets, %v", a, len(content), ok)
					}
					if seen, ok := ViewAttachment(b, a); ok {
						checkText(t, seen.Text())
					}
				}
				if a.Size < 0 || a.Size > int64(len(b))+3 {
					t.Errorf("attachment of %d octets in %d", a.Size, len(b))
				}
			}
			for _, l := range m.Lines {
				if l.Quote < 0 || l.Quote > maxQuote {
					t.Errorf("quote depth %d", l.Quote)
				}
			}
			Wrap(m.Lines, 40, ansi.StringWidthWc)
		}
	})
}

func FuzzHTML(f *testing.F) {
	for _, s := range []string{
		"<p>Hello <b>world</b></p>", "<table><tr><td>a<td>b<tr><td>c<td>d</table>",
		"<ul><li>a<ol start=4><li>b</ol></ul>", "<div style='display:none'>x</div>y",
		"<a href='http://a.example'>www.b.example</a>", "<blockquote>a<br>b</blockquote>",
		"<pre>a\n b</pre>", "<td hidden>x<td>y</table>", "<table><td><table><tr><td>x</table>y<td>z",
		"<svg><a href=x>y</svg>z", "<p hidden>a<p>b", "<img alt=x><img width=1>", "a&nbsp;&#8203;&zwnj;b",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m := Parse([]byte("Content-Type: text/html; charset=utf-8\r\n\r\n"+s), false)
		checkText(t, m.Text())
		for i, l := range m.Lines {
			if l.Text.IsEmpty() && (i == 0 || i == len(m.Lines)-1) {
				t.Errorf("an empty line at the edge of %q", m.Text())
			}
		}
	})
}

func FuzzFlowed(f *testing.F) {
	for _, s := range []string{"a \nb\n", "> a \n> b\n>> c", " >x", "-- \nsig", "a \n\n b", ">\n> \n"} {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, s string, delSp bool) {
		n := 0
		for _, l := range flow(s, delSp) {
			n += len(l.text)
			if strings.ContainsRune(l.text, '\n') {
				t.Errorf("line break in %q", l.text)
			}
			if l.quote < 0 || l.quote > maxQuote {
				t.Errorf("quote depth %d", l.quote)
			}
		}
		if n > len(s) {
			t.Errorf("%d octets became %d", len(s), n)
		}
	})
}

func FuzzDate(f *testing.F) {
	for _, tt := range dateTests {
		f.Add(tt.in)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d := parseDateBytes([]byte(s))
		if d.IsZero() {
			return
		}
		if d.Year() < minYear-1 || d.Year() > maxYear+1 {
			t.Errorf("%q is in the year %d", s, d.Year())
		}
		again := parseDateBytes([]byte(d.Format("Mon, 02 Jan 2006 15:04:05 -0700")))
		if d.Year() >= minYear && d.Year() <= maxYear && !again.Equal(d) {
			t.Errorf("%q is %v; written and read again %v", s, d, again)
		}
	})
}
