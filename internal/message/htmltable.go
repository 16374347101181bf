package message

import (
	"strings"
	"unicode"

	"tidings/internal/safetext"
)

const (
	maxGridCells   = 5000
	maxGridColumns = 12
	maxGridWidth   = 100 // columns of text beyond which a table is not laid out
)

// grid collects the innermost table until it is known whether it is one of
// data, which becomes columns, or of layout, which becomes lines.
type grid struct {
	rows   []gridRow
	inRow  bool
	inCell bool
	size   int // cells and lines, for the bound
}

type gridRow struct{ cells []gridCell }

type gridCell struct {
	lines []Line
	// An empty line is due before, behind: of use only if the table turns out
	// to be layout.
	lead, trail bool
}

// last is the cell that is open.
func (g *grid) last() *gridCell {
	row := &g.rows[len(g.rows)-1]
	return &row.cells[len(row.cells)-1]
}

func (g *grid) addLine(l Line) {
	c := g.last()
	if len(c.lines) == 0 && l.Text.IsEmpty() {
		c.lead = true
		return
	}
	c.lines = append(c.lines, l)
	g.size++
}

func (g *grid) addBlank() {
	c := g.last()
	n := len(c.lines)
	switch {
	case n == 0:
		c.lead = true
	case !c.lines[n-1].Text.IsEmpty():
		c.lines = append(c.lines, Line{Quote: c.lines[n-1].Quote})
		g.size++
	}
}

// table begins a table. One inside of another makes the outer one layout.
func (r *renderer) table() {
	r.block(1)
	if r.grid != nil {
		r.spillGrid()
	}
	r.tables++
	r.grid = &grid{}
}

func (r *renderer) endTable() {
	r.block(1)
	if r.tables == 0 {
		return
	}
	r.tables--
	if r.grid != nil {
		r.endCell()
		r.finishGrid()
	}
	r.block(1)
}

func (r *renderer) row() {
	r.endCell()
	r.block(1)
	if g := r.grid; g != nil {
		g.rows = append(g.rows, gridRow{})
		g.inRow = true
		g.size++
	}
}

func (r *renderer) endRow() {
	r.endCell()
	r.block(1)
	if r.grid != nil {
		r.grid.inRow = false
	}
}

func (r *renderer) cell() {
	r.endCell()
	r.block(1)
	g := r.grid
	if g == nil {
		return
	}
	if !g.inRow {
		r.row()
	}
	r.gap = 0
	row := &g.rows[len(g.rows)-1]
	row.cells = append(row.cells, gridCell{})
	g.inCell = true
	if g.size++; g.size > maxGridCells {
		r.spillGrid()
	}
}

func (r *renderer) endCell() {
	r.closeLink()
	r.block(1)
	if g := r.grid; g != nil && g.inCell {
		g.last().trail = r.gap == 2
		r.gap = 0
		g.inCell = false
	}
}

// spillGrid puts out what the grid holds as lines and gives it up: it is
// layout, or too large. The text goes on right behind.
func (r *renderer) spillGrid() {
	g := r.grid
	r.grid = nil
	for _, row := range g.rows {
		r.lines(row)
	}
}

func (r *renderer) lines(row gridRow) {
	for _, c := range row.cells {
		if c.lead && len(c.lines) > 0 {
			r.blank()
		}
		for _, l := range c.lines {
			if l.Text.IsEmpty() {
				r.blank()
				continue
			}
			r.w.add(l)
		}
		if c.trail && len(c.lines) > 0 {
			r.blank()
		}
	}
}

// finishGrid puts the whole table out.
func (r *renderer) finishGrid() {
	g := r.grid
	r.grid = nil
	widths, ok := g.columns()
	if !ok {
		for _, row := range g.rows {
			if row.isFlat() {
				r.w.add(Line{Text: row.joined(), Quote: row.quote()})
			} else {
				r.lines(row)
			}
		}
		return
	}
	r.blank()
	for _, row := range g.rows {
		if len(row.cells) == 0 {
			continue
		}
		var b strings.Builder
		for i, c := range row.cells {
			t := ""
			if len(c.lines) == 1 {
				t = c.lines[0].Text.String()
			}
			b.WriteString(t)
			if i < len(row.cells)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-columns(t)+2))
			}
		}
		// The parts are clean already; cleaning what is clean changes nothing.
		t := trimRight(clean(b.String()))
		if t.IsEmpty() {
			continue
		}
		r.w.add(Line{Text: t, Quote: row.quote(), Fixed: true})
	}
	r.gap = 2
}

// columns are the widths of the columns; ok is false where the table is none
// of data: fewer than two columns or rows, cells of several lines, too wide.
func (g *grid) columns() (widths []int, ok bool) {
	rows := 0
	for _, row := range g.rows {
		n := 0
		for i, c := range row.cells {
			if len(c.lines) > 1 || i >= maxGridColumns {
				return nil, false
			}
			if i == len(widths) {
				widths = append(widths, 0)
			}
			if len(c.lines) == 1 {
				widths[i] = max(widths[i], columns(c.lines[0].Text.String()))
				n++
			}
		}
		if n > 0 {
			rows++
		}
	}
	total := 0
	for _, w := range widths {
		total += w + 2
	}
	return widths, rows >= 2 && len(widths) >= 2 && total <= maxGridWidth
}

// isFlat: every cell is at most one line, and they are more than one.
func (row gridRow) isFlat() bool {
	n := 0
	for _, c := range row.cells {
		if len(c.lines) > 1 {
			return false
		}
		n += len(c.lines)
	}
	return n > 1
}

func (row gridRow) joined() safetext.Text {
	var ts []safetext.Text
	for _, c := range row.cells {
		for _, l := range c.lines {
			ts = append(ts, l.Text.TrimSpace())
		}
	}
	return safetext.Join(ts, " | ")
}

func (row gridRow) quote() int {
	for _, c := range row.cells {
		if len(c.lines) > 0 {
			return c.lines[0].Quote
		}
	}
	return 0
}

// columns is about how many columns of a terminal s takes, for aligning the
// cells of a table. The renderer of the screen has the last word on widths;
// here a cell off by one costs no more than a crooked column.
func columns(s string) int {
	n := 0
	for _, r := range s {
		switch {
		case r >= 0x300 && (unicode.Is(unicode.M, r) || r == 0x200d || r == 0x200c):
		case r >= 0x1100 && (r <= 0x115f || r >= 0x2e80 && r <= 0xa4cf || r >= 0xac00 && r <= 0xd7a3 ||
			r >= 0xf900 && r <= 0xfaff || r >= 0xfe30 && r <= 0xfe6f || r >= 0xff00 && r <= 0xff60 ||
			r >= 0xffe0 && r <= 0xffe6 || r >= 0x1f300 && r <= 0x1faff || r >= 0x20000 && r <= 0x3fffd):
			n += 2
		default:
			n++
		}
	}
	return n
}
