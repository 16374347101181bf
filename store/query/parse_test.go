package query

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// today of the tests.
var today = time.Date(2026, 11, 21, 23, 30, 0, 0, time.FixedZone("", 9*3600))

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func word(s string) Term           { return Term{Text: s} }
func in(f Field, s string) Term    { return Term{Field: f, Text: s} }
func is(f Field) Term              { return Term{Field: f} }
func dated(f Field, s string) Term { return Term{Field: f, Date: day(s)} }
func sized(f Field, n int64) Term  { return Term{Field: f, Size: n} }

func TestParse(t *testing.T) {
	for text, want := range map[string]Node{
		"":                           nil,
		"   ":                        nil,
		"invoice":                    word("invoice"),
		"Invoice May":                And{word("Invoice"), word("May")},
		`"two words"`:                word("two words"),
		`"a \"b\" \\ \c"`:            word(`a "b" \ \c`),
		"\"many \t spaces\"":         word("many spaces"),
		"a or b":                     Or{word("a"), word("b")},
		"a OR b oR c":                Or{word("a"), word("b"), word("c")},
		"a b or c":                   Or{And{word("a"), word("b")}, word("c")},
		"a (b or c)":                 And{word("a"), Or{word("b"), word("c")}},
		"(a or b) or c":              Or{word("a"), word("b"), word("c")},
		"(a b) c":                    And{word("a"), word("b"), word("c")},
		"((a))":                      word("a"),
		"-a":                         Not{word("a")},
		"--a":                        Not{Not{word("a")}},
		"-(a b)":                     Not{And{word("a"), word("b")}},
		"-(a or b) c":                And{Not{Or{word("a"), word("b")}}, word("c")},
		"-from:bob":                  Not{in(From, "bob")},
		"a - b":                      And{word("a"), word("-"), word("b")},
		"e-mail":                     word("e-mail"),
		`"or"`:                       word("or"),
		"from:bob":                   in(From, "bob"),
		"FROM:Bob":                   in(From, "Bob"),
		"from: bob":                  in(From, "bob"),
		`from:"Bob B"`:               in(From, "Bob B"),
		"to:a cc:b subject:c body:d": And{in(To, "a"), in(Cc, "b"), in(Subject, "c"), in(Body, "d")},
		"list:golang":                in(List, "golang"),
		"is:unread is:READ":          And{is(Unread), is(Read)},
		"is:seen is:unseen":          And{is(Read), is(Unread)},
		"is:flagged or is:answered":  Or{is(Flagged), is(Answered)},
		"has:attachment":             is(Attachment),
		"has:attachments":            is(Attachment),
		"before:2024-03-01":          dated(Before, "2024-03-01"),
		"before:2024-3-1":            dated(Before, "2024-03-01"),
		"since:2024-03":              dated(Since, "2024-03-01"),
		"since:2024":                 dated(Since, "2024-01-01"),
		"on:2024-02-29":              dated(On, "2024-02-29"),
		"on:2024-02":                 And{dated(Since, "2024-02-01"), dated(Before, "2024-03-01")},
		"-on:2024 x":                 And{Not{And{dated(Since, "2024-01-01"), dated(Before, "2025-01-01")}}, word("x")},
		"on:today":                   dated(On, "2026-11-21"),
		"since:yesterday":            dated(Since, "2026-11-20"),
		"since:7d":                   dated(Since, "2026-11-14"),
		"before:2w":                  dated(Before, "2026-11-07"),
		"before:3m":                  dated(Before, "2026-08-21"),
		"before:1y":                  dated(Before, "2025-11-21"),
		"larger:5000":                sized(Larger, 5000),
		"larger:500k":                sized(Larger, 500<<10),
		"smaller:1.5MB":              sized(Smaller, 3<<19),
		"larger:1G":                  sized(Larger, 1<<30),
		"Re: hello":                  And{word("Re:"), word("hello")},
		"http://x.example/a:b":       word("http://x.example/a:b"),
		"12:30":                      word("12:30"),
		"(fwd)":                      word("fwd"),
		":)":                         word(":)"),
		"a) b":                       And{word("a)"), word("b")},
		"foo(bar)":                   word("foo(bar)"),
		"(foo bar)baz":               And{word("foo"), word("bar"), word("baz")},
		`"is:unread"`:                word("is:unread"),
		`subject:"from:bob"`:         in(Subject, "from:bob"),
		"Grüße from:Müller":          And{word("Grüße"), in(From, "Müller")},
		`subject:"-x"`:               in(Subject, "-x"),
		"subject:-x":                 in(Subject, "-x"),
		"subject:re:":                in(Subject, "re:"),
	} {
		q, err := Parse(text, today)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, q.Root); diff != "" {
			t.Errorf("%q:\n%s", text, diff)
		}
		if q.Text != text {
			t.Errorf("%q: its text is %q", text, q.Text)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct {
		text      string
		at, n     int
		open      bool
		what      string // part of the sentence
		otherwise Node   // what is understood of it all the same
	}{
		{"or a", 0, 2, false, "missing before it", word("a")},
		{"a or", 4, 0, true, "another condition", word("a")},
		{"a or or b", 5, 2, false, "missing before it", Or{word("a"), word("b")}},
		{"(a or) b", 3, 2, false, "another condition", And{word("a"), word("b")}},
		{"a ()", 2, 2, false, "nothing between", word("a")},
		{"(a", 2, 0, true, "a ) is missing", word("a")},
		{`say "hel lo`, 11, 0, true, "closing", And{word("say"), word("hel lo")}},
		{`""`, 0, 2, false, "nothing to search", nil},
		{`a -`, 3, 0, true, "right behind it", word("a")},
		{"(a -) b", 3, 1, false, "right behind it", And{word("a"), word("b")}},
		{"from:", 5, 0, true, "a name or an address", nil},
		{"x from: is:unread", 2, 5, false, "right behind it", And{word("x"), is(Unread)}},
		{"from:(a b)", 0, 5, false, "a name or an address", And{word("a"), word("b")}},
		{"is:unr", 6, 0, true, "unread, read", nil},
		{"is:unr x", 3, 3, false, `no "unr"`, word("x")},
		{"a is:nice", 5, 4, false, "unread, read, flagged or answered", word("a")},
		{"has:cheese b", 4, 6, false, "attachment", word("b")},
		{"has:cheese", 4, 6, false, "attachment", nil},
		{"frm:bob", 0, 7, false, "but from:", nil},
		{"grüße after:2024", 6, 10, false, "but since:", word("grüße")},
		{"wibble:x", 0, 8, false, `in quotes: "wibble:x"`, nil},
		{"since:20", 8, 0, true, "a date", nil},
		{"since:20 x", 6, 2, false, "is no date", word("x")},
		{"since:soon", 6, 4, false, "is no date", nil},
		{"since:2024-02-30", 6, 10, false, "is no date", nil},
		{"since:1812", 6, 4, false, "1970", nil},
		{"larger:big", 7, 3, false, "is no size", nil},
		{"larger:", 7, 0, true, "a size", nil},
		{"larger:9G", 7, 2, false, "is no size", nil},
		{"smaller:0", 8, 1, false, "above 0", nil},
		{"a\x1bb", 1, 1, false, "control character", And{word("a"), word("b")}},
		{strings.Repeat("(", 25) + "a", 20, 1, false, "too deep", nil},
		{strings.Repeat("-", 25) + "a", 0, 25, false, "minus", word("a")},
	} {
		q, err := Parse(c.text, today)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%q: error %v", c.text, err)
			continue
		}
		if e.Column != c.at || e.Length != c.n || e.Open != c.open || !strings.Contains(e.What, c.what) {
			t.Errorf("%q: at %d+%d, open %v: %s", c.text, e.Column, e.Length, e.Open, e.What)
		}
		if strings.HasSuffix(e.What, ".") {
			t.Errorf("%q: %q", c.text, e.What)
		}
		if strings.HasPrefix(c.text, "((") {
			continue
		}
		if diff := cmp.Diff(c.otherwise, q.Root); diff != "" {
			t.Errorf("%q is understood as\n%s", c.text, diff)
		}
	}
	if _, err := Parse(strings.Repeat("a ", 101), today); err == nil || !strings.Contains(err.Error(), "too many") {
		t.Errorf("101 terms: %v", err)
	}
	if _, err := Parse(strings.Repeat("a", MaxLength+1), today); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("a long query: %v", err)
	}
}

// drawText draws what a term may hold.
func drawText(t *rapid.T) string {
	s := rapid.StringOfN(rapid.RuneFrom([]rune(`abzAÉüß-()"\:. or @1`)), 1, 12, -1).Draw(t, "text")
	if s = squeeze(s); strings.TrimSpace(s) == "" {
		return "x"
	}
	return s
}

// drawNode draws a node as Parse makes them.
func drawNode(t *rapid.T, depth int, inside Node) Node {
	kind := rapid.IntRange(0, 9).Draw(t, "kind")
	_, inAnd := inside.(And)
	_, inOr := inside.(Or)
	switch {
	case kind == 0 && depth > 0 && !inAnd:
		return And(drawNodes(t, depth-1, And{}))
	case kind == 1 && depth > 0 && !inOr:
		return Or(drawNodes(t, depth-1, Or{}))
	case kind == 2 && depth > 0:
		return Not{drawNode(t, depth-1, nil)}
	}
	f := Field(rapid.IntRange(0, int(Smaller)).Draw(t, "field"))
	switch {
	case f.holdsText():
		return Term{Field: f, Text: drawText(t)}
	case f == Before || f == Since || f == On:
		return Term{Field: f, Date: day("1970-01-01").AddDate(0, 0, rapid.IntRange(0, 30000).Draw(t, "day"))}
	case f == Larger || f == Smaller:
		return Term{Field: f, Size: rapid.Int64Range(1, maxSize).Draw(t, "size")}
	}
	return Term{Field: f}
}

func drawNodes(t *rapid.T, depth int, inside Node) []Node {
	n := rapid.IntRange(2, 4).Draw(t, "n")
	ns := make([]Node, n)
	for i := range ns {
		ns[i] = drawNode(t, depth, inside)
	}
	return ns
}

func TestStringParsesToTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := Query{Root: drawNode(t, 3, nil)}
		back, err := Parse(q.String(), today)
		if err != nil {
			t.Fatalf("%s: %v", q.String(), err)
		}
		if diff := cmp.Diff(q.Root, back.Root); diff != "" {
			t.Fatalf("%s\n%s", q.String(), diff)
		}
	})
}

// FuzzParse: whatever is typed, the parser ends, its error points into what was
// typed, and what it understood reads back as the same.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"invoice", `from:"A B" -is:unread (a or b) since:2024-03`, `"unclosed`, "a or or", "-(", "frm:x", "larger:1.5M smaller:",
		"Re: http://x 12:30", "é́ ﬁ ǆ", "on:2024", "\x00\xff", "--(((a", `\"`, "since:99999999999d", "larger:1e9", "or",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		q, err := Parse(s, today)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("%v is no *Error", err)
			}
			n := len([]rune(strings.ToValidUTF8(s, "\uFFFD")))
			if e.Column < 0 || e.Length < 0 || e.Column+e.Length > n || e.What == "" {
				t.Fatalf("%q: %+v", s, e)
			}
			if e.Open && e.Column < n && n <= MaxLength {
				t.Fatalf("%q: open at %d of %d", s, e.Column, n)
			}
		}
		text := q.String()
		back, err := Parse(text, today)
		if err != nil {
			if len([]rune(text)) > MaxLength {
				return // it is longer in its own words: dates, quotes
			}
			t.Fatalf("%q is %q: %v", s, text, err)
		}
		if diff := cmp.Diff(q.Root, back.Root); diff != "" {
			t.Fatalf("%q is %q\n%s", s, text, diff)
		}
		q.Matcher()
	})
}
