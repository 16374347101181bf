package query_test

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"

	"tidings/internal/testserver"
	"tidings/store/query"
)

// foldRanges are the characters that are held against Dovecot one by one.
var foldRanges = []struct {
	name   string
	lo, hi rune
}{
	{"ASCII", 0x21, 0x7e},
	{"Latin-1", 0xa1, 0xff},
	{"Latin Extended-A", 0x100, 0x17f},
	{"Latin Extended-B", 0x180, 0x24f},
	{"IPA", 0x250, 0x2af},
	{"Greek", 0x370, 0x3ff},
	{"Cyrillic", 0x400, 0x4ff},
	{"Latin Extended Additional", 0x1e00, 0x1eff},
	{"letterlike", 0x2100, 0x214f},
	{"Kana", 0x3040, 0x30ff},
	{"Hangul", 0xac00, 0xac80},
	{"Latin ligatures", 0xfb00, 0xfb06},
	{"fullwidth", 0xff01, 0xff5e},
}

// TestFoldIsDovecots puts every character of many scripts into a subject and asks
// for each of them, and for the letter that it is made of.
func TestFoldIsDovecots(t *testing.T) {
	if testing.Short() {
		t.Skip("asks Dovecot thousands of questions")
	}
	s := testserver.Dovecot(t)
	var chars []rune
	for _, r := range foldRanges {
		for c := r.lo; c <= r.hi; c++ {
			chars = append(chars, c)
		}
	}
	subject := func(i int) string { return "a" + string(chars[i]) + "z" }
	s.Fill(t, "INBOX", len(chars), func(i int) testserver.Mail {
		b64 := base64.StdEncoding.EncodeToString([]byte(subject(i)))
		return testserver.Mail{Raw: []byte("From: x@y.example\r\nSubject: =?utf-8?b?" + b64 + "?=\r\n\r\nx\r\n")}
	})
	client := s.Client(t)
	if _, err := client.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	terms := map[string]bool{}
	for i := range chars {
		terms[subject(i)] = true
		folded := []rune(query.Fold(subject(i)))
		terms["a"+strings.ToLower(string(folded[1]))] = true
	}
	for _, term := range slices.Sorted(maps.Keys(terms)) {
		data, err := client.UIDSearch(&imap.SearchCriteria{Header: []imap.SearchCriteriaHeaderField{{Key: "Subject", Value: term}}}, nil).Wait()
		if err != nil {
			t.Fatalf("%q: %v", term, err)
		}
		theirs := map[int]bool{}
		for _, u := range data.AllUIDs() {
			theirs[int(u)-1] = true
		}
		for i := range chars {
			ours := strings.Contains(query.Fold(subject(i)), query.Fold(term))
			if ours != theirs[i] {
				t.Errorf("%q (%U) in %q (%U): ours %v, Dovecot's %v", term, []rune(term)[1], subject(i), chars[i], ours, theirs[i])
			}
		}
	}
}
