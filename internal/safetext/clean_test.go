package safetext

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain", "Deploy window tonight", "Deploy window tonight"},
		{"empty", "", ""},
		{"folded", "a\r\n\t b", "a b"},
		{"breaks are one space", "a \n\n\tb\u2028c", "a bc"[:3] + " c"},
		{"CSI", "a\x1b[31;1mred\x1b[0m", "ared"},
		{"CSI as C1", "a\u009b2Jb", "ab"},
		{"OSC with BEL", "a\x1b]0;title\x07b", "ab"},
		{"OSC with ST", "a\x1b]52;c;ZXZpbA==\x1b\\b", "ab"},
		{"OSC as C1", "a\u009d0;x\u009cb", "ab"},
		{"OSC without end hides nothing", "a\x1b]0;important", "a0;important"},
		{"DCS", "\x1bP$q\"p\x1b\\x", "x"},
		{"charset", "\x1b$Babc\x1b(B", "abc"},
		{"ESC at the end", "a\x1b", "a"},
		{"CSI at the end", "a\x1b[", "a"},
		{"two in a row", "\x1b[\x1b[31mx", "x"},
		{"C0 and DEL", "a\x00b\x07c\x08d\x7fe", "abcde"},
		{"raw C1 byte", "a\x9b31mb", "a\ufffd31mb"},
		{"invalid UTF-8", "caf\xe9", "caf\ufffd"},
		{"override", "\u202egnp.exe\u202c", "gnp.exe"},
		{"isolates", "\u2067abc\u2069 \u2066x", "abc x"},
		{"zero width", "pay\u200bpal\u00ad\u2060\ufeff", "paypal"},
		{"tags", "hi\U000e0041\U000e0042", "hi"},
		{"hangul fillers", "a\u3164\uffa0\u115f\u1160b", "ab"},
		{"variation selectors", "\u2764\ufe0f\ufe0f x\U000e0100", "\u2764 x"},
		{"ZWNJ in Persian", "می\u200cخواهم", "می\u200cخواهم"},
		{"ZWJ in Devanagari", "क्\u200dष", "क्\u200dष"},
		{"ZWNJ in Latin", "pay\u200cpal\u200d", "paypal"},
		{"joiners do not pile up", "ب\u200d\u200c\u200dب", "ب\u200dب"},
		{"family", "👨\u200d👩\u200d👧!", "👨\u200d👩\u200d👧!"},
		{"rainbow flag", "🏳\ufe0f\u200d🌈", "🏳\u200d🌈"},
		{"emoji then letter", "👨\u200dx", "👨x"},
		{"emoji at the end", "👨\u200d", "👨"},
		{"zalgo", "a" + strings.Repeat("\u0301", 50) + "b", "a" + strings.Repeat("\u0301", maxMarks) + "b"},
		{"mark without base", "\u0301a", "\u25cc\u0301a"},
		{"precomposed and marks", "e\u0301", "e\u0301"},
		{"no-break spaces", "a\u00a0b\u202fc\u2009d", "a b c d"},
		{"noncharacter", "a\uffffb\ufdd0", "a\ufffdb\ufffd"},
		{"arabic number sign has no cell", "\u06001", "1"},
		{"japanese", "日本語　テスト", "日本語　テスト"},
		{"hebrew", "שָׁלוֹם", "שָׁלוֹם"},
		{"combining after removed", "a\u200b\u0301", "a\u0301"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Clean(tt.in)
			if got.String() != tt.want {
				t.Errorf("Clean(%q) = %q, want %q", tt.in, got, tt.want)
			}
			checkSafe(t, tt.in, got)
		})
	}
}

// checkSafe holds got against what Text promises.
func checkSafe(t *testing.T, in string, got Text) {
	t.Helper()
	s := got.String()
	if !utf8.ValidString(s) {
		t.Fatalf("Clean(%q) = %q: invalid UTF-8", in, s)
	}
	marks := 0
	for i, r := range s {
		switch {
		case unicode.IsControl(r):
			t.Fatalf("Clean(%q) = %q: control %U", in, s, r)
		case r == 0x2028 || r == 0x2029:
			t.Fatalf("Clean(%q) = %q: line break", in, s)
		case unicode.Is(unicode.Bidi_Control, r):
			t.Fatalf("Clean(%q) = %q: bidi control %U", in, s, r)
		case r >= 0xe0000 && r <= 0xe0fff, r == 0x200b, r == 0xad, r == 0xfeff:
			t.Fatalf("Clean(%q) = %q: invisible %U", in, s, r)
		}
		if unicode.Is(unicode.Mn, r) {
			if i == 0 {
				t.Fatalf("Clean(%q) = %q: begins with a mark", in, s)
			}
			if marks++; marks > maxMarks {
				t.Fatalf("Clean(%q) = %q: %d marks in a row", in, s, marks)
			}
		} else if r != zwj && r != zwnj {
			marks = 0
		}
	}
	if again := Clean(s); again != got {
		t.Fatalf("Clean is not idempotent: %q -> %q -> %q", in, s, again)
	}
}

func TestCleanLines(t *testing.T) {
	got := CleanLines("a\tb\r\n  indented\rc\n\n\x1b[1mbold\x1b[m\u2028end\n")
	want := []string{"a       b", "  indented", "c", "", "bold", "end"}
	if len(got) != len(want) {
		t.Fatalf("got %d lines %q, want %q", len(got), got, want)
	}
	for i := range want {
		if got[i].String() != want[i] {
			t.Errorf("line %d = %q, want %q", i, got[i], want[i])
		}
	}
	if CleanLines("") != nil {
		t.Error("lines of nothing")
	}
}

func TestFormat(t *testing.T) {
	got := Format("new: %s – %s (%s%%)", Clean("Ali\x1b[mce"), Clean("50%s off"), Int(7))
	if want := "new: Alice – 50%s off (7%)"; got.String() != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Format("%s and %s%", Const("a")); got.String() != "a and ?%" {
		t.Errorf("missing argument: %q", got)
	}
}

func TestSlice(t *testing.T) {
	x := Clean("añb")
	for _, tt := range []struct {
		i, j int
		want string
	}{{0, 1, "a"}, {0, 2, "a"}, {1, 3, "ñ"}, {2, 9, "ñb"}, {-3, 99, "añb"}, {3, 1, ""}} {
		if got := x.Slice(tt.i, tt.j).String(); got != tt.want {
			t.Errorf("Slice(%d, %d) = %q, want %q", tt.i, tt.j, got, tt.want)
		}
	}
}

func TestEmojiText(t *testing.T) {
	for in, want := range map[string]string{
		"Party 🎉 at 5":       "Party (party) at 5",
		"👨\u200d👩\u200d👧 ok": "(*) ok",
		"👍🏽 done":            "(+1) done",
		"🇩🇪 and 🇩":           "[DE] and D",
		"日本語":                "日本語",
		"✅ shipped":          "[x] shipped",
	} {
		if got := Clean(in).EmojiText().String(); got != want {
			t.Errorf("EmojiText(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestPlainCostsNothing(t *testing.T) {
	s := strings.Repeat("Deploy window ", 10)
	if n := testing.AllocsPerRun(100, func() { _ = Clean(s) }); n != 0 {
		t.Errorf("Clean of plain ASCII allocates %v times", n)
	}
}

// Time must grow with the text, not with its square: each of these has a
// construct that invites a scan to the end at every place.
func TestCleanIsLinear(t *testing.T) {
	const n = 1 << 20
	for _, unit := range []string{"\x1b]", "\u009d", "\x1bP\x1b", "👨\u200d", "\u0301", "\r", "ب\u200d", "\x1b["} {
		s := strings.Repeat(unit, n/len(unit))
		if got := Clean(s); got.Len() > 3*len(s) {
			t.Errorf("%q: %d bytes become %d", unit, len(s), got.Len())
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"plain", "a\x1b[31mb", "\u202eabc", "👨\u200d👩", "ب\u200cب", "e\u0301\u0301", "\xff\xfe", "\x1b]0;x\x07", "\u0301", "\x1b\u009b[", "क्\u200d\ufe0f"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		checkSafe(t, s, Clean(s))
		for _, l := range CleanLines(s) {
			if again := CleanLines(l.String()); len(again) > 1 || len(again) == 1 && again[0] != l {
				t.Fatalf("CleanLines is not idempotent: %q -> %q -> %q", s, l, again)
			}
		}
		e := Clean(s).EmojiText()
		checkSafe(t, s, e)
	})
}

func BenchmarkClean(b *testing.B) {
	for _, bb := range []struct{ name, s string }{
		{"ascii", strings.Repeat("Deploy window ", 5)},
		{"german", "Änderungen für Müller über Straßen und Größen"},
		{"japanese", "障害のお知らせ：データベースの切り替え"},
		{"hostile", "\x1b[31m\u202e\u200ba\u0301\u0301\x1b]0;t\x07"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = Clean(bb.s)
			}
		})
	}
}
