package message

import (
	"strings"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"

	"tidings/internal/safetext"
)

// DisplayLine is one row of wrapped text.
type DisplayLine struct {
	Text  safetext.Text // with its quote prefix
	Quote int           // depth of quoting, as of the Line it comes from
	Line  int           // the index of that Line
}

// Wrap breaks lines into rows of at most width cells, measured by w (the
// renderer's own width function; printable ASCII is taken for one cell each).
// Quoted rows begin with "> " for each depth, wrapped ones too; the second and
// later rows of a list item stand under its text. Rows break at spaces and
// between ideographs; a word that is wider than a row, a long URL, is broken
// where it must be, never inside a grapheme cluster. Fixed lines break at the
// edge only. A cluster that is wider than a row by itself is broken between its
// characters; a character that is, gets a row of its own and sticks out.
func Wrap(lines []Line, width int, w func(string) int) []DisplayLine {
	width = max(width, 1)
	out := make([]DisplayLine, 0, len(lines)+len(lines)/4)
	for i, l := range lines {
		prefix := quotePrefix(l.Quote, width)
		avail := width - prefix.Len()
		if l.Text.IsEmpty() {
			out = append(out, DisplayLine{prefix.TrimSpace(), l.Quote, i})
			continue
		}
		wr := wrapper{s: l.Text.String(), fixed: l.Fixed, w: w}
		if !l.Fixed {
			wr.hang = hangingIndent(wr.s, avail)
		}
		for row, first := range wr.rows(avail) {
			t := l.Text.Slice(row.start, row.end)
			if first || wr.hang == 0 {
				t = concat(prefix, t)
			} else {
				t = safetext.Join([]safetext.Text{prefix, spaces(wr.hang), t}, "")
			}
			out = append(out, DisplayLine{t, l.Quote, i})
		}
	}
	return out
}

func concat(a, b safetext.Text) safetext.Text {
	if a.IsEmpty() {
		return b
	}
	return safetext.Join([]safetext.Text{a, b}, "")
}

// quotePrefix leaves at least half of the row to the text, however deep.
func quotePrefix(depth, width int) safetext.Text {
	depth = min(depth, width/4)
	return safetext.Const(quoteMarks).Slice(0, 2*min(depth, len(quoteMarks)/2))
}

const (
	quoteMarks  = "> > > > > > > > > > > > > > > > > > > > > > > > > > > > > > > > > > > > > > > > "
	indentSpace = "                                                                "
)

func spaces(n int) safetext.Text { return safetext.Const(indentSpace).Slice(0, n) }

// hangingIndent is how far the text of a list item stands from the edge: behind
// its spaces and its "•", "-", "*" or "12.". For other text it is its indent.
func hangingIndent(s string, avail int) int {
	t := strings.TrimLeft(s, " ")
	n := len(s) - len(t)
	switch {
	case strings.HasPrefix(t, "• "), strings.HasPrefix(t, "- "), strings.HasPrefix(t, "* "):
		n += 2
	default:
		d := 0
		for d < len(t) && d < 3 && t[d] >= '0' && t[d] <= '9' {
			d++
		}
		if d > 0 && d+1 < len(t) && (t[d] == '.' || t[d] == ')') && t[d+1] == ' ' {
			n += d + 2
		}
	}
	if n > avail/2 || n > len(indentSpace) {
		return 0
	}
	return n
}

// wrapper breaks one line.
type wrapper struct {
	s     string
	hang  int
	fixed bool
	w     func(string) int
}

type row struct{ start, end int } // bytes

// rows yields the rows of the line; the second value tells the first one.
func (wr *wrapper) rows(avail int) func(yield func(row, bool) bool) {
	return func(yield func(row, bool) bool) {
		s := wr.s
		room := avail
		start, x := 0, 0            // the row so far: where it begins, its cells
		breakAt, breakX := -1, 0    // the last place to break, and the cells before it
		text := false               // there is something but spaces in the row
		first := true               // this is the first row
		var prev rune               // the character before
		put := func(end int) bool { // ends the row at end, without spaces there
			e := end
			for e > start && s[e-1] == ' ' {
				e--
			}
			ok := yield(row{start, e}, first)
			first = false
			room = avail - wr.hang
			return ok
		}
		for i := 0; i < len(s); {
			j, cells := wr.cluster(i, room)
			if s[i] == ' ' && !wr.fixed {
				if x+1 > room && text {
					if !put(i) {
						return
					}
					for i < len(s) && s[i] == ' ' {
						i++
					}
					start, x, breakAt, text, prev = i, 0, -1, false, 0
					continue
				}
				x++
				i = j
				if text {
					breakAt, breakX = i, x
				}
				prev = ' '
				continue
			}
			r, _ := utf8.DecodeRuneInString(s[i:j])
			if !wr.fixed && text && i > start && breaksBetween(prev, r) {
				breakAt, breakX = i, x
			}
			if x+cells > room && i > start {
				if breakAt > start {
					if !put(breakAt) {
						return
					}
					start, x = breakAt, x-breakX
				} else {
					if !put(i) {
						return
					}
					start, x = i, 0
				}
				breakAt = -1
				if x+cells > room && i > start {
					if !put(i) {
						return
					}
					start, x = i, 0
				}
			}
			x += cells
			text = true
			prev = r
			i = j
		}
		if start < len(s) || first {
			put(len(s))
		}
	}
}

// cluster returns the end of the grapheme cluster at i, and its cells. Of one
// that is wider than room it is the first character with its marks.
func (wr *wrapper) cluster(i, room int) (end, cells int) {
	s := wr.s
	if s[i] < utf8.RuneSelf && (i+1 == len(s) || s[i+1] < utf8.RuneSelf) {
		return i + 1, 1
	}
	// Clusters are short but for chains of conjuncts, which may as well be
	// broken; looking at a window keeps the cost of each step small.
	end = min(len(s), i+256)
	for end < len(s) && !utf8.RuneStart(s[end]) {
		end--
	}
	g := graphemes.FromString(s[i:end])
	if !g.Next() {
		return len(s), 0
	}
	v := g.Value()
	if cells = wr.w(v); cells <= room {
		return i + len(v), cells
	}
	_, n := utf8.DecodeRuneInString(v)
	for n < len(v) {
		_, size := utf8.DecodeRuneInString(v[n:])
		if wr.w(v[n:n+size]) > 0 {
			break
		}
		n += size
	}
	return i + n, wr.w(v[:n])
}

// breaksBetween: rows may break between two characters without a space where
// one is an ideograph or kana, except before what must not begin a row and
// after what must not end one (JIS X 4051, the common part).
func breaksBetween(a, b rune) bool {
	if a == 0 || !isIdeographic(a) && !isIdeographic(b) {
		return false
	}
	return !strings.ContainsRune("、。，．・：；？！）］｝」』】〉》〕ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ,.!?)]};:%\u2019\u201d", b) &&
		!strings.ContainsRune("（［｛「『【〈《〔([{\u2018\u201c", a)
}

func isIdeographic(r rune) bool {
	return r >= 0x2e80 && r <= 0x9fff || r >= 0xf900 && r <= 0xfaff ||
		r >= 0xff00 && r <= 0xff60 || r >= 0x20000 && r <= 0x3fffd
}
