package query

import (
	"testing"
	"time"

	"tidings/internal/safetext"
	"tidings/store"
)

func address(name, addr string) store.Address {
	return store.Address{Name: safetext.Clean(name), Addr: safetext.Clean(addr), Raw: addr}
}

// TestMatch asks about one message.
func TestMatch(t *testing.T) {
	letter := &store.Summary{
		UID: 7, Size: 4096, Mixed: true,
		// The evening of the 29th at the server, and the 1st in UTC.
		Internal: time.Date(2024, 2, 29, 23, 30, 0, 0, time.FixedZone("", -5*3600)),
		From:     []store.Address{address("Zoë Müller", "zoe@example.org")},
		To:       []store.Address{address("", "team@example.com"), address("Bob", "bob@example.net")},
		Cc:       []store.Address{address("Carol", "carol@example.net")},
		Subject:  safetext.Clean("Grüße aus Ängelholm: invoice 42"),
		ListID:   safetext.Clean("go-nuts.example.org"),
	}
	text := Fold("Dear all,\nthe café is closed.")
	flags := store.MakeFlags([]string{`\Seen`, `\Flagged`})
	known := Message{Summary: letter, Flags: flags, Text: &text}
	for q, want := range map[string]Verdict{
		"":                            Matches,
		"zoë":                         Matches,
		"ZOË müller":                  Matches,
		"zoe":                         Matches, // in the address
		"from:muller":                 Misses,
		"from:mu":                     Matches, // the letter before its mark
		"from:mü":                     Matches,
		`"müller <zoe@"`:              Matches,
		"to:team to:bob":              Matches,
		"to:carol":                    Misses,
		"cc:CAROL":                    Matches,
		"subject:grüße":               Matches,
		"subject:grüsse":              Misses, // ß has no other case of one letter
		"subject:\"GRÜßE aus ä\"":     Matches,
		"list:nuts":                   Matches,
		"body:café":                   Matches,
		"body:invoice":                Misses,
		"closed":                      Matches,
		"nuts":                        Misses, // a word is not looked for in List-Id
		"is:read is:flagged":          Matches,
		"is:unread":                   Misses,
		"is:answered":                 Misses,
		"-is:answered":                Matches,
		"has:attachment":              Matches,
		"on:2024-02-29":               Matches,
		"on:2024-03-01":               Misses,
		"before:2024-02-29":           Misses,
		"before:2024-03-01":           Matches,
		"since:2024-02-29":            Matches,
		"since:2024-03-01":            Misses,
		"larger:4k":                   Misses,
		"larger:4095":                 Matches,
		"smaller:4k":                  Misses,
		"smaller:4097":                Matches,
		"nothing or invoice":          Matches,
		"(nothing or nowhere) zoe":    Misses,
		"-(invoice cafe) is:read":     Misses,
		"-(invoice nothing) is:read":  Matches,
		"-nothing -\"from: bob\" zoë": Matches,
	} {
		parsed, err := Parse(q, today)
		if err != nil {
			t.Errorf("%s: %v", q, err)
			continue
		}
		if got := parsed.Matcher().Match(known); got != want {
			t.Errorf("%s: %d, want %d", q, got, want)
		}
	}
	// Of this one neither flags nor date nor text are known.
	dark := Message{Summary: &store.Summary{UID: 8, Subject: safetext.Clean("dark")}}
	for q, want := range map[string]Verdict{
		"is:unread":             Unknown,
		"-is:unread":            Unknown,
		"is:unread or dark":     Matches,
		"is:unread light":       Misses,
		"since:2000":            Unknown,
		"-since:2000":           Unknown,
		"body:x":                Unknown,
		"-body:x":               Unknown,
		"x":                     Misses, // a word looks at the text that is cached
		"-x":                    Matches,
		"-(body:x light) dark":  Matches,
		"-(body:x or light)":    Unknown,
		"dark -(dark is:read)":  Unknown,
		"from:x or -from:x":     Matches,
		"-has:attachment -cc:a": Matches,
	} {
		parsed, err := Parse(q, today)
		if err != nil {
			t.Errorf("%s: %v", q, err)
			continue
		}
		if got := parsed.Matcher().Match(dark); got != want {
			t.Errorf("%s: %d, want %d", q, got, want)
		}
	}
}

func TestWhatTheCacheCanAnswer(t *testing.T) {
	for text, want := range map[string]struct{ exact, overreaches bool }{
		"":                       {true, false},
		"from:a -subject:b":      {true, false},
		"a":                      {false, false},
		"-a":                     {false, true},
		"--a":                    {false, false},
		"-(from:b a)":            {false, true},
		"body:a -body:b":         {false, false},
		"is:unread (to:x or -y)": {false, true},
	} {
		q, err := Parse(text, today)
		if err != nil {
			t.Fatal(err)
		}
		if q.Exact() != want.exact || q.Overreaches() != want.overreaches {
			t.Errorf("%s: exact %v, overreaches %v", text, q.Exact(), q.Overreaches())
		}
	}
}

func BenchmarkFold(b *testing.B) {
	for name, s := range map[string]string{
		"ascii": "Re: [project] The weekly report of what happened and what did not",
		"latin": "Rückmeldung: Grüße aus Ängelholm, das Café ist geöffnet, schöne Größe",
		"viet":  "Chúc mừng năm mới: thông báo lịch nghỉ Tết Nguyên đán của công ty",
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(s)))
			b.ReportAllocs()
			dst := make([]byte, 0, 512)
			for b.Loop() {
				dst = AppendFold(dst[:0], s)
			}
		})
	}
}
