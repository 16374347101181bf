package demo

import (
	"bytes"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
)

// FuzzSection cuts header fields out of anything: what is kept was asked for
// and stood there, and the section ends with an empty line.
func FuzzSection(f *testing.F) {
	f.Add([]byte("Subject: a\r\n b\r\nX: y\r\n\r\nbody\r\n"), "subject")
	f.Add([]byte("Subject : a\r\nno colon\r\n\tfolded\r\n\r\n"), "SUBJECT")
	f.Add([]byte("\r\n"), "X")
	f.Add([]byte("Subject: no end"), "Subject")
	f.Fuzz(func(t *testing.T, raw []byte, name string) {
		whole := section(raw, &imap.FetchItemBodySection{})
		if !bytes.Equal(whole, raw) {
			t.Fatal("BODY[] is not the message")
		}
		header, body := split(raw)
		if !bytes.Equal(append(bytes.Clone(header), body...), raw) {
			t.Fatal("header and body are not the message")
		}
		kept := section(raw, &imap.FetchItemBodySection{Specifier: imap.PartSpecifierHeader, HeaderFields: []string{name}})
		rest := section(raw, &imap.FetchItemBodySection{Specifier: imap.PartSpecifierHeader, HeaderFieldsNot: []string{name}})
		if name == "" {
			return
		}
		for _, s := range [][]byte{kept, rest} {
			if !bytes.HasSuffix(s, []byte("\r\n")) {
				t.Fatalf("%q does not end with an empty line", s)
			}
			for line := range bytes.Lines(bytes.TrimSuffix(s, []byte("\r\n"))) {
				if !bytes.Contains(raw, line) {
					t.Fatalf("%q stands nowhere in %q", line, raw)
				}
			}
		}
		if len(kept)+len(rest)-4 > len(header) {
			t.Fatalf("%q and %q are more than %q", kept, rest, header)
		}
	})
}

// TestSectionAgreesWithTheParser: on the demo's letters, what is cut out of the
// bytes is what go-imap's own MIME code finds.
func TestSectionAgreesWithTheParser(t *testing.T) {
	w := newWriter(1, 200, noonUTC)
	for number := range uint32(200) {
		raw := w.render(number, noonUTC)
		for _, b := range []*imap.FetchItemBodySection{
			{},
			{Specifier: imap.PartSpecifierHeader},
			{Specifier: imap.PartSpecifierText},
			{Specifier: imap.PartSpecifierHeader, HeaderFields: []string{"SUBJECT", "From", "References"}},
			{Specifier: imap.PartSpecifierHeader, HeaderFieldsNot: []string{"Received", "date"}},
			{Specifier: imap.PartSpecifierText, Partial: &imap.SectionPartial{Offset: 10, Size: 50}},
			{Partial: &imap.SectionPartial{Offset: 1 << 20, Size: 50}},
			{Part: []int{1}},
			{Part: []int{1}, Specifier: imap.PartSpecifierMIME},
			{Part: []int{2}},
		} {
			got, want := section(raw, b), imapserver.ExtractBodySection(bytes.NewReader(raw), b)
			if !bytes.Equal(got, want) && strings.TrimSpace(string(got)) != strings.TrimSpace(string(want)) {
				t.Errorf("letter %d, %+v:\n%q\nwant\n%q", number, b, got, want)
			}
		}
	}
}
