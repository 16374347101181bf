package message

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"tidings/internal/safetext"
)

func wrapStrings(lines []Line, width int) []string {
	var out []string
	for _, d := range Wrap(lines, width, ansi.StringWidthWc) {
		out = append(out, d.Text.String())
	}
	return out
}

func TestWrap(t *testing.T) {
	tests := []struct {
		name  string
		line  Line
		width int
		want  []string
	}{
		{"short", Line{Text: clean("short")}, 20, []string{"short"}},
		{"empty", Line{}, 20, []string{""}},
		{"words", Line{Text: clean("the quick brown fox jumps")}, 10, []string{"the quick", "brown fox", "jumps"}},
		{"exact", Line{Text: clean("ten chars! more")}, 10, []string{"ten chars!", "more"}},
		{"quote", Line{Text: clean("the quick brown fox"), Quote: 2}, 14, []string{"> > the quick", "> > brown fox"}},
		{"empty quote", Line{Quote: 1}, 14, []string{">"}},
		{"bullet", Line{Text: clean("• one two three four")}, 12, []string{"• one two", "  three four"}},
		{"number", Line{Text: clean("12. one two three")}, 12, []string{"12. one two", "    three"}},
		{"long word", Line{Text: clean("see abcdefghijklmno end")}, 6, []string{"see", "abcdef", "ghijkl", "mno", "end"}},
		{"URL whole on its own row", Line{Text: clean("look at https://example.org/x now")}, 22,
			[]string{"look at", "https://example.org/x", "now"}},
		{"fixed", Line{Text: clean("a    b    c    d"), Fixed: true}, 8, []string{"a    b", "  c    d"}},
		{"japanese", Line{Text: clean("障害のお知らせ、切り替え")}, 10, []string{"障害のお知", "らせ、切り", "替え"}},
		{"no row begins with a full stop", Line{Text: clean("日本語です。はい")}, 10, []string{"日本語で", "す。はい"}},
		{"combining stays", Line{Text: clean("ae\u0301ae\u0301a")}, 2, []string{"ae\u0301", "ae\u0301", "a"}},
		{"wide in one cell", Line{Text: clean("日本")}, 1, []string{"日", "本"}},
		{"deep quote keeps room", Line{Text: clean("abcdef"), Quote: 50}, 8, []string{"> > abcd", "> > ef"}},
		{"spaces at the edge", Line{Text: clean("abcde   fgh")}, 5, []string{"abcde", "fgh"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, wrapStrings([]Line{tt.line}, tt.width)); d != "" {
				t.Error(d)
			}
		})
	}
}

// Nothing is lost and nothing sticks out, whatever is wrapped to whatever width.
func FuzzWrap(f *testing.F) {
	f.Add("the quick  brown https://example.org/", 10, 1, false)
	f.Add("日本語、ae\u0301 👨\u200d👩\u200d👧 x", 3, 0, false)
	f.Add("   - item text", 6, 2, true)
	f.Fuzz(func(t *testing.T, s string, width, quote int, fixed bool) {
		width = 1 + (width&0xff)%100
		quote = (quote & 0xff) % 20
		l := Line{Text: safetext.Clean(s), Quote: quote, Fixed: fixed}
		var all strings.Builder
		for _, d := range Wrap([]Line{l}, width, ansi.StringWidthWc) {
			text := d.Text.String()
			if n := ansi.StringWidthWc(text); n > width && width > 8 {
				t.Fatalf("row %q has %d cells, want at most %d", text, n, width)
			}
			all.WriteString(strings.TrimLeft(text[min(len(text), 2*min(quote, width/4)):], " "))
		}
		squash := func(s string) string { return strings.ReplaceAll(s, " ", "") }
		if got, want := squash(all.String()), squash(l.Text.String()); got != want {
			t.Fatalf("text changed: %q, want %q", got, want)
		}
	})
}
