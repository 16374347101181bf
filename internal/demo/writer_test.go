package demo

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	gomessage "github.com/emersion/go-message"
)

// walk reads a message's parts: their types, and all text in them, decoded.
func walk(t *testing.T, raw []byte) (types []string, text string) {
	t.Helper()
	e, err := gomessage.Read(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	var all strings.Builder
	err = e.Walk(func(_ []int, part *gomessage.Entity, err error) error {
		if err != nil {
			return err
		}
		kind, params, err := part.Header.ContentType()
		if err != nil {
			return err
		}
		types = append(types, kind)
		if charset := params["charset"]; charset != "" {
			types = append(types, strings.ToLower(charset))
		}
		if params["format"] != "" {
			types = append(types, "format="+params["format"])
		}
		if part.MultipartReader() != nil {
			return nil
		}
		body, err := io.ReadAll(part.Body)
		if strings.HasPrefix(kind, "text/") {
			all.Write(body)
		}
		return err
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	return types, all.String()
}

func TestLettersDecodeToWhatWasWritten(t *testing.T) {
	w := newWriter(3, 640, time.Now())
	for number := range uint32(640) {
		raw := w.render(number, w.date(int(number)))
		if bytes.Contains(bytes.ReplaceAll(raw, []byte("\r\n"), nil), []byte("\n")) {
			t.Errorf("letter %d has bare line feeds", number)
		}
		for line := range bytes.Lines(raw) {
			if len(line) > 1000 {
				t.Errorf("letter %d has a line of %d octets, RFC 5322 allows 998", number, len(line)-2)
			}
		}
		p, k := w.letterOf(number)
		_, text := walk(t, raw)
		if p.drafts[k].topic.style == htmlOnly {
			continue
		}
		squeeze := func(s string) string { return strings.Join(strings.Fields(s), " ") }
		if want := squeeze(p.text(w, k)); !strings.Contains(squeeze(text), want) {
			t.Errorf("letter %d says\n%s\nwant\n%s", number, text, want)
		}
		e, _ := gomessage.Read(bytes.NewReader(raw))
		if subject, err := e.Header.Text("Subject"); err != nil || squeeze(subject) != squeeze(p.subject(w, k)) {
			t.Errorf("letter %d has the subject %q, %v; want %q", number, subject, err, p.subject(w, k))
		}
		if strings.ContainsAny(p.subject(w, k)+p.text(w, k), "{}") && p.drafts[k].topic.style != plain {
			t.Errorf("letter %d has a word that was not filled in: %s", number, p.text(w, k))
		}
	}
}

// TestTheMailboxIsVaried: what a viewer of the default demo meets.
func TestTheMailboxIsVaried(t *testing.T) {
	for seed := range uint64(4) {
		w := newWriter(seed, DefaultMessages, time.Now())
		seen := map[string]int{}
		for number := range uint32(DefaultMessages) {
			types, text := walk(t, w.render(number, w.date(int(number))))
			for _, kind := range types {
				seen[kind]++
			}
			for name, script := range map[string]*unicode.RangeTable{
				"Han": unicode.Han, "Hiragana": unicode.Hiragana, "Hangul": unicode.Hangul, "Hebrew": unicode.Hebrew,
				"Arabic": unicode.Arabic, "Cyrillic": unicode.Cyrillic, "Greek": unicode.Greek, "Devanagari": unicode.Devanagari,
			} {
				if strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(script, r) }) {
					seen[name]++
				}
			}
			if p, k := w.letterOf(number); p.drafts[k].depth >= 2 {
				seen["deep thread"]++
			}
		}
		for _, kind := range []string{
			"multipart/alternative", "multipart/mixed", "multipart/signed", "text/html", "text/calendar", "message/rfc822",
			"image/png", "application/pdf", "application/zip", "text/csv", "application/pgp-signature", "format=flowed",
			"iso-8859-1", "iso-2022-jp", "koi8-r", "Han", "Hiragana", "Hangul", "Hebrew", "Arabic", "Cyrillic", "Greek",
			"Devanagari", "deep thread",
		} {
			if seen[kind] == 0 {
				t.Errorf("seed %d: no %s in %d letters", seed, kind, DefaultMessages)
			}
		}
	}
}

func TestThreadsHangTogether(t *testing.T) {
	w := newWriter(5, 320, time.Now())
	ids := map[string]bool{}
	replies := 0
	for number := range uint32(320) {
		e, err := gomessage.Read(bytes.NewReader(w.render(number, w.date(int(number)))))
		if err != nil {
			t.Fatal(err)
		}
		id := e.Header.Get("Message-Id")
		if ids[id] {
			t.Errorf("two letters are %s", id)
		}
		ids[id] = true
		references := strings.Fields(e.Header.Get("References"))
		parent := e.Header.Get("In-Reply-To")
		if parent == "" {
			continue
		}
		replies++
		if len(references) == 0 || references[len(references)-1] != parent {
			t.Errorf("letter %d answers %s and refers to %q", number, parent, references)
		}
		for _, reference := range references {
			if !ids[reference] {
				t.Errorf("letter %d refers to %s, which came later or never", number, reference)
			}
		}
	}
	if replies < 60 {
		t.Errorf("%d replies in 320 letters", replies)
	}
}

func TestDatesAscendTowardsNow(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for _, n := range []int{1, 10, 300, 100_000} {
		w := newWriter(1, n, now)
		var dates []time.Time
		for number := range n {
			dates = append(dates, w.date(number))
		}
		if !slices.IsSortedFunc(dates, time.Time.Compare) {
			t.Errorf("%d letters: the dates are not in order", n)
		}
		last := dates[n-1]
		if last.After(now) || now.Sub(last) > time.Hour {
			t.Errorf("%d letters: the newest is of %v", n, last)
		}
		if n >= 300 {
			week := slices.IndexFunc(dates, func(d time.Time) bool { return now.Sub(d) < 7*24*time.Hour })
			if span := now.Sub(dates[0]); span < 30*24*time.Hour || n-week > n/2 {
				t.Errorf("%d letters: the oldest is %v old, %d of the last week", n, span, n-week)
			}
		}
	}
}

var noonUTC = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
