package message

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

const letterPart = "Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n"

func TestSection(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     map[string]string // number to content
		none     []string
	}{
		{"alone", "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD\r\n", map[string]string{"1": "ABC"}, []string{"", "2", "1.1"}},
		{"mixed", mime("mixed", plainPart, pdfPart, pngPart), map[string]string{"1": "the plain text", "2": "ABC", "3": "x"}, []string{"4", "0", "1.1", "", "22"}},
		{"nested", mime("mixed", mime("alternative", plainPart, htmlPart), pdfPart), map[string]string{"1.1": "the plain text", "2": "ABC"}, []string{"1.3", "1"}},
		{"a letter inside, plain", mime("mixed", plainPart, letterPart+"\r\nhello"), map[string]string{"2": "Subject: inner\r\n\r\nhello", "2.1": "hello"}, []string{"2.2"}},
		{"a letter inside, of parts", mime("mixed", plainPart, letterPart+mime("related", htmlPart, pdfPart)), map[string]string{"2.2": "ABC"}, []string{"2.3", "3"}},
		{"a letter alone", letterPart + "\r\nhello", map[string]string{"1": "Subject: inner\r\n\r\nhello", "1.1": "hello"}, nil},
	} {
		for number, want := range c.want {
			if got, ok := Section([]byte(c.in), number); !ok || string(got) != want {
				t.Errorf("%s: section %s is %q, %v", c.name, number, got, ok)
			}
		}
		for _, number := range c.none {
			if got, ok := Section([]byte(c.in), number); ok {
				t.Errorf("%s: there is a section %q: %q", c.name, number, got)
			}
		}
	}
}

// Every attachment that Parse lists can be had by its number, in the size that
// it said.
func FuzzSection(f *testing.F) {
	seeds(f)
	for _, in := range []string{mime("mixed", mime("alternative", plainPart, htmlPart), pdfPart), letterPart + mime("digest", letterPart, pngPart)} {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for i, a := range Parse(b, false).Attachments {
			if a.Section == "" || i >= 20 {
				continue
			}
			content, ok := Section(b, a.Section)
			if !ok {
				t.Errorf("%+v cannot be had", a)
			}
			if a.Size > 0 && len(content) == 0 && !bytes.Contains(b, []byte("rfc822")) && a.Size > 4 {
				t.Errorf("%+v is empty", a)
			}
		}
		Section(b, "1.2.3.4.5.6.7.8.9")
	})
}

// TestCutAttachment: of what is not there to its end, no size is claimed.
func TestCutAttachment(t *testing.T) {
	whole := "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: image/png\n\nab\n--b\nContent-Type: image/gif\n\ncdef\n--b--\n"
	for _, test := range []struct {
		octets int
		cut    []bool
	}{
		{len(whole), []bool{false, false}},
		{strings.Index(whole, "ef"), []bool{false, true}},
		{strings.Index(whole, "b\n--b\nContent-Type: image/gif"), []bool{true}},
	} {
		m := Parse([]byte(whole[:test.octets]), test.octets < len(whole))
		var got []bool
		for _, a := range m.Attachments {
			got = append(got, a.Cut)
		}
		if !slices.Equal(got, test.cut) {
			t.Errorf("of %d octets: %v, want %v", test.octets, got, test.cut)
		}
	}
}
