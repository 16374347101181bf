//go:build unix

package tty

import (
	"slices"
	"strconv"

	"github.com/charmbracelet/colorprofile"
	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

// maxPatch is how many cells a patch writes at most: a mark, a count.
const maxPatch = 48

// patch writes the few cells by which a frame differs from the one before, and
// nothing else. The differ thinks in lines and has sequences that clear and
// shift; for the mark of the cursor alone, which is what moves most, going there
// and writing one cell takes a third of the octets. draw takes whichever of the
// two is shorter.
type patch struct {
	profile colorprofile.Profile
	w, h    int
	x, y    int // the cursor
	pen     uv.Style
	out     []byte
}

// span is a stretch of cells of one row, [lo,hi).
type span struct{ y, lo, hi int }

// write puts cells' spans out, nearest row first; false where that is not to be
// done in this way.
func (p *patch) write(cells uv.ScreenBuffer, spans []span) bool {
	if len(spans) > 1 && abs(p.y-spans[0].y) > abs(p.y-spans[len(spans)-1].y) {
		slices.Reverse(spans)
	}
	for _, s := range spans {
		if s.hi >= p.w {
			return false // behind the last column terminals differ
		}
		p.move(cells, s.lo, s.y)
		for x := s.lo; x < s.hi; x++ {
			if !p.cell(cells.CellAt(x, s.y)) {
				return false
			}
		}
	}
	if !p.pen.IsZero() {
		p.out = append(p.out, ansi.ResetStyle...)
	}
	return true
}

// cell writes one cell of width one, without a link.
func (p *patch) cell(c *uv.Cell) bool {
	if c == nil || c.Width != 1 || !c.Link.IsZero() {
		return false
	}
	if s := uv.ConvertStyle(c.Style, p.profile); !s.Equal(&p.pen) {
		p.out = append(p.out, shorterStyle(&p.pen, &s)...)
		p.pen = s
	}
	p.out = append(p.out, c.Content...)
	p.x++
	return true
}

// shorterStyle changes the pen by difference, or from nothing.
func shorterStyle(from, to *uv.Style) string {
	diff := uv.StyleDiff(from, to)
	if from.IsZero() || to.IsZero() {
		return diff
	}
	if anew := ansi.ResetStyle + to.String(); len(anew) < len(diff) {
		return anew
	}
	return diff
}

// move brings the cursor to x, y by the shortest of the ways there are.
func (p *patch) move(cells uv.ScreenBuffer, x, y int) {
	best := []byte(ansi.CursorPosition(x+1, y+1))
	for _, way := range [][]byte{
		append(p.lines(y), p.columns(cells, p.x, x, y)...),
		append(append(p.lines(y), '\r'), p.columns(cells, 0, x, y)...),
	} {
		if len(way) < len(best) {
			best = way
		}
	}
	p.out = append(p.out, best...)
	p.x, p.y = x, y
}

// lines goes up or down. The screen does not scroll: the row is one of its own.
func (p *patch) lines(y int) []byte {
	switch n := y - p.y; {
	case n > 4:
		return sequence(n, 'B')
	case n >= 0:
		return []byte("\n\n\n\n")[:n]
	case n < -2:
		return sequence(-n, 'A')
	default:
		return []byte("\x1bM\x1bM")[:-2*n]
	}
}

// columns goes left or right in row y; to the right, also by writing again what
// stands there, where that is plain.
func (p *patch) columns(cells uv.ScreenBuffer, from, to, y int) []byte {
	switch n := to - from; {
	case n < -4:
		return sequence(-n, 'D')
	case n < 0:
		return []byte("\b\b\b\b")[:-n]
	case n == 0:
		return nil
	case n < 4 && p.pen.IsZero():
		var again []byte
		for x := from; x < to; x++ {
			c := cells.CellAt(x, y)
			if c == nil || c.Width != 1 || len(c.Content) != 1 || !c.Style.IsZero() || !c.Link.IsZero() {
				return sequence(n, 'C')
			}
			again = append(again, c.Content...)
		}
		return again
	default:
		return sequence(n, 'C')
	}
}

// sequence is CSI n final, n left out where it is 1.
func sequence(n int, final byte) []byte {
	b := []byte("\x1b[")
	if n != 1 {
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return append(b, final)
}

func abs(n int) int { return max(n, -n) }
