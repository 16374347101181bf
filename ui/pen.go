package ui

import (
	"strconv"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"tidings/internal/safetext"
)

// ink is text of the program's own making: constants, and what this package
// formats from numbers and times. Text from outside is never converted to it;
// that is what [safetext.Text] is for.
type ink string

// pen draws a frame row by row into one buffer that is kept between frames.
// It counts cells by the renderer's own width method, so that no row is ever
// wider than it was begun, and a wide character is never cut in half.
type pen struct {
	buf    []byte
	theme  *theme
	method ansi.Method
	room   int // cells left in the row
	cur    style
}

// reset starts a frame.
func (p *pen) reset() { p.buf, p.cur = p.buf[:0], sPlain }

// begin starts a row (or the part of a row that belongs to a pane) of w cells.
func (p *pen) begin(w int) { p.room = max(w, 0) }

// end fills the row up to its width.
func (p *pen) end(s style) {
	p.gap(s, p.room)
}

// newline ends a screen line. Styles never run over a line's end, so that a
// row's bytes depend on the row alone.
func (p *pen) newline() {
	p.set(sPlain)
	p.buf = append(p.buf, '\n')
}

func (p *pen) set(s style) {
	if s != p.cur {
		p.buf = append(p.buf, p.theme.sgr[s]...)
		p.cur = s
	}
}

const blanks = "                                                                "

// gap draws n blanks.
func (p *pen) gap(s style, n int) {
	n = min(n, p.room)
	if n <= 0 {
		return
	}
	p.set(s)
	p.room -= n
	for n > len(blanks) {
		p.buf = append(p.buf, blanks...)
		n -= len(blanks)
	}
	p.buf = append(p.buf, blanks[:n]...)
}

// ink draws the program's own text, as much of it as there is room for. Every
// character of it is one cell wide.
func (p *pen) ink(s style, t ink) {
	w := t.width()
	if w == 0 || p.room == 0 {
		return
	}
	p.set(s)
	if w <= p.room {
		p.buf = append(p.buf, t...)
		p.room -= w
		return
	}
	for i := range t {
		if p.room == 1 {
			p.buf = append(append(p.buf, t[:i]...), p.theme.ellipsis...)
			p.room = 0
			return
		}
		p.room--
	}
}

// width is how many cells the ink takes.
func (t ink) width() int { return utf8.RuneCountInString(string(t)) }

// text draws outside text in at most w cells and returns how many it took.
func (p *pen) text(s style, t safetext.Text, w int) int { return p.raw(s, t.String(), w) }

// col draws outside text in a column of exactly w cells.
func (p *pen) col(s style, t safetext.Text, w int) {
	w = min(w, p.room)
	used := p.raw(s, t.String(), w)
	p.gap(s, w-used)
}

// inkCol draws own text in a column of exactly w cells.
func (p *pen) inkCol(s style, t ink, w int) {
	p.ink(s, t)
	p.gap(s, w-t.width())
}

// digits draws what this package formatted in ASCII into a buffer of its own;
// it costs no allocation.
func (p *pen) digits(s style, b []byte) {
	b = b[:min(len(b), p.room)]
	p.set(s)
	p.buf = append(p.buf, b...)
	p.room -= len(b)
}

// raw draws at most w cells of str; what is cut off shows as an ellipsis.
func (p *pen) raw(s style, str string, w int) int {
	w = min(w, p.room)
	if w <= 0 || str == "" {
		return 0
	}
	p.set(s)
	before := len(p.buf)
	var used int
	p.buf, used = clip(p.buf, str, w, p.method, p.theme.ellipsis)
	if used > w { // a width method that disagrees with itself: rather nothing
		p.buf, used = p.buf[:before], 0
	}
	p.room -= used
	return used
}

// clip appends to dst as much of s as fits into w cells, ending in ellipsis
// where s was cut, and returns how many cells that took.
func clip(dst []byte, s string, w int, m ansi.Method, ellipsis string) ([]byte, int) {
	// Most of what is drawn is ASCII: one byte, one cell. The byte behind the
	// cut counts too, for it could be a mark that joins the one before it.
	n := asciiPrefix(s, w+1)
	if n == len(s) && n <= w {
		return append(dst, s...), n
	}
	if n > w {
		return append(append(dst, s[:w-1]...), ellipsis...), w
	}
	// A mark at the start would join the cell before the text, whose width was
	// counted already: it is left out.
	for n == 0 && s != "" && joins(" ", s) {
		_, size := utf8.DecodeRuneInString(s)
		s = s[size:]
		n = asciiPrefix(s, w)
	}
	// The last ASCII byte may carry a combining mark: measure it again.
	i := max(n-1, 0)
	used := i
	fits := tail{i, i} // the last place where the ellipsis still fits
	end := tail{i, i}  // the last place after which nothing is joined
	for i < len(s) {
		c, cw := ansi.FirstGraphemeCluster(s[i:], m)
		if len(c) == 0 {
			break
		}
		if used+cw > w {
			return append(append(dst, s[:fits.at]...), ellipsis...), fits.cells + 1
		}
		i += len(c)
		used += cw
		if !mayJoin(c) || !joins(c, " ") {
			end = tail{i, used}
			if used <= w-1 {
				fits = end
			}
		}
	}
	// What would join the cell behind the text is left out as well.
	return append(dst, s[:end.at]...), end.cells
}

// tail is a place in a text where it may end, and the cells up to there.
type tail struct{ at, cells int }

// mayJoin rules out nearly everything: of the characters that join what follows
// them (Grapheme_Cluster_Break=Prepend) all are Arabic, Syriac or Indic.
func mayJoin(c string) bool {
	if c[0] < 0xd8 { // below U+0600
		return false
	}
	r, _ := utf8.DecodeLastRuneInString(c)
	return r < 0xe00 || r >= 0x11000 && r < 0x12000
}

// joins reports whether a and b, one behind the other, become one cluster.
func joins(a, b string) bool {
	if b[0] >= 0x80 {
		r, size := utf8.DecodeRuneInString(b)
		if r < 0x300 {
			return false
		}
		b = b[:size]
	}
	c, _ := ansi.FirstGraphemeCluster(a+b, ansi.GraphemeWidth)
	return len(c) > len(a)
}

func asciiPrefix(s string, limit int) int {
	n := min(len(s), limit)
	for i := range n {
		if s[i] < 0x20 || s[i] > 0x7e {
			return i
		}
	}
	return n
}

// width is the number of cells that s takes.
func width(s string, m ansi.Method) int {
	if asciiPrefix(s, len(s)) == len(s) {
		return len(s)
	}
	return m.StringWidth(s)
}

// thousands formats n with commas.
func thousands(n int) string {
	s := strconv.Itoa(n)
	if n < 1000 {
		return s
	}
	var b []byte
	for i, c := range []byte(s) {
		if i > 0 && (len(s)-i)%3 == 0 {
			b = append(b, ',')
		}
		b = append(b, c)
	}
	return string(b)
}
