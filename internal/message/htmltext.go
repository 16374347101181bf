package message

import (
	"bytes"
	"strconv"
	"strings"

	"tidings/internal/safetext"
)

// text adds text, with its white space collapsed unless preformatted.
func (r *renderer) text(b []byte) {
	if r.skip.active() {
		return
	}
	if r.pre > 0 || r.preWrap.active() {
		for i, part := range bytes.Split(b, []byte{'\n'}) {
			if i > 0 {
				r.lineBreak()
			}
			if part = bytes.TrimRight(part, "\r"); len(part) > 0 {
				r.open()
				r.cur = append(r.cur, part...)
				r.inLink(part)
			}
		}
		return
	}
	for len(b) > 0 {
		i := 0
		for i < len(b) && !isHTMLSpace(b[i]) {
			i++
		}
		if i > 0 {
			r.writeBytes(b[:i])
			b = b[i:]
			continue
		}
		r.space = true
		for i < len(b) && isHTMLSpace(b[i]) {
			i++
		}
		b = b[i:]
	}
}

func isHTMLSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f'
}

// write adds a piece of text that has no white space of its own to collapse.
func (r *renderer) write(s string) { r.writeBytes([]byte(s)) }

func (r *renderer) writeBytes(s []byte) {
	if r.space && len(r.cur) > 0 && r.gap == 0 {
		r.cur = append(r.cur, ' ')
		r.inLink([]byte{' '})
	}
	r.space = false
	r.open()
	r.cur = append(r.cur, s...)
	if r.link != "" && len(r.linkText) < 512 {
		r.linkText = append(r.linkText, s...)
	}
}

// append adds a piece right behind the text before it.
func (r *renderer) append(s string) {
	space := r.space
	r.space = false
	r.write(s)
	r.space = space
}

func (r *renderer) inLink(b []byte) {
	if r.link != "" && len(r.linkText) < 512 && len(r.linkText) > 0 {
		r.linkText = append(r.linkText, b...)
	}
}

// open makes the line ready for text: what has to come before it comes now.
func (r *renderer) open() {
	if r.gap > 0 {
		r.flushGap()
	}
	if len(r.cur) == 0 && r.mark != "" {
		r.cur = append(r.cur, r.mark...)
		r.mark = strings.Repeat(" ", len([]rune(r.mark))) // under the text of the item
	}
}

// block asks for a new line (1) or an empty line (2) before the next text.
func (r *renderer) block(gap int) {
	r.space = false
	r.gap = max(r.gap, gap)
	if len(r.cur) > 0 {
		r.flush()
	}
}

// lineBreak is <br>: it ends the line, or makes an empty one where there is
// none and no gap does so anyway.
func (r *renderer) lineBreak() {
	r.space = false
	gap := r.gap
	empty := len(r.cur) == 0
	r.flushGap()
	if empty && gap < 2 {
		r.emit(Line{Quote: r.quote})
	}
}

// flushGap ends the line and puts out the empty line that waits.
func (r *renderer) flushGap() {
	r.flush()
	if r.gap == 2 {
		r.blank()
	}
	r.gap = 0
}

// flush puts the line out.
func (r *renderer) flush() {
	if len(r.cur) == 0 {
		return
	}
	raw := string(r.cur)
	r.cur = r.cur[:0]
	lines := safetext.CleanLines(raw)
	for _, t := range lines {
		if r.pre == 0 && !r.preWrap.active() {
			t = collapse(t)
		} else {
			t = trimRight(t)
		}
		if t.IsEmpty() && r.pre == 0 {
			if strings.Contains(raw, "\u00a0") { // how editors write an empty line
				r.blank()
			}
			continue
		}
		r.emit(Line{Text: t, Quote: r.quote, Fixed: r.pre > 0})
	}
}

// collapse joins the runs of spaces that are left once no-break spaces became
// plain ones and invisible characters are gone; the indent stays.
func collapse(t safetext.Text) safetext.Text {
	s := t.String()
	body := strings.TrimLeft(s, " ")
	if body == "" {
		return safetext.Text{}
	}
	if !strings.Contains(body, "  ") {
		return trimRight(t)
	}
	indent := len(s) - len(body)
	if indent > 2*maxListDepth+8 {
		indent = 0
	}
	return safetext.Clean(s[:indent] + strings.Join(strings.Fields(body), " "))
}

// emit puts a line into the cell that is open, or into the message.
func (r *renderer) emit(l Line) {
	l.Quote = min(l.Quote, maxQuote)
	if r.grid != nil && r.grid.inCell {
		r.grid.addLine(l)
		if r.grid.size > maxGridCells {
			r.spillGrid()
		}
		return
	}
	if r.grid != nil {
		r.spillGrid() // text between cells: no table of data
	}
	r.w.add(l)
}

func (r *renderer) blank() {
	if r.grid != nil && r.grid.inCell {
		r.grid.addBlank()
		return
	}
	if n := len(r.w.lines); n > 0 && !r.w.lines[n-1].Text.IsEmpty() {
		r.w.add(Line{Quote: min(r.quote, r.w.lines[n-1].Quote)})
	}
}

// item begins a list item.
func (r *renderer) item() {
	indent := strings.Repeat("  ", max(0, min(r.depth, maxListDepth)-1))
	if n := len(r.lists); n > 0 && r.lists[n-1].ordered && r.depth <= maxListDepth {
		r.mark = indent + strconv.Itoa(r.lists[n-1].n) + ". "
		r.lists[n-1].n++
		return
	}
	r.mark = indent + "\u2022 "
}

func (r *renderer) end() {
	r.closeLink()
	r.block(1)
	if r.grid != nil {
		r.endCell()
		r.endRow()
		r.finishGrid()
	}
}

// image shows what an image says of itself. Remote content is never loaded,
// and what is there to be counted (a pixel) is not worth a word.
func (r *renderer) image(at attrs) {
	alt := strings.TrimSpace(at.alt)
	if at.pixel || alt == "" && (r.link == "" || len(r.linkText) > 0) {
		return
	}
	if alt == "" {
		alt = "image"
	}
	if len(alt) > 300 {
		alt = alt[:300]
	}
	r.space = r.space || len(r.cur) > 0 && r.gap == 0 && r.cur[len(r.cur)-1] != ' '
	r.write("[" + alt + "]")
}

// closeLink ends the open <a> and puts its number behind its text; where the
// text names another host than the link goes to, that host too.
func (r *renderer) closeLink() {
	if r.link == "" {
		return
	}
	url := r.link
	r.link = ""
	text := clean(string(r.linkText)).TrimSpace()
	if text.IsEmpty() {
		return
	}
	host := hostOf(url)
	claimed := claimedHost(text.String())
	mismatch := claimed != "" && host != "" && !sameSite(claimed, host)
	n := r.w.addLink(url, host, text, mismatch)
	if n == 0 {
		return
	}
	mark := " [" + strconv.Itoa(n) + "]"
	if mismatch {
		mark = " [" + strconv.Itoa(n) + ": goes to " + host + "]"
	}
	if last := r.lastLine(); len(r.cur) == 0 && last != nil && !last.Text.IsEmpty() {
		last.Text = concat(last.Text, clean(mark)) // the link was around blocks
		return
	}
	r.append(mark)
}

// lastLine is the line that was put out last, nil if there is none.
func (r *renderer) lastLine() *Line {
	lines := r.w.lines
	if r.grid != nil {
		if !r.grid.inCell {
			return nil
		}
		lines = r.grid.last().lines
	}
	if len(lines) == 0 {
		return nil
	}
	return &lines[len(lines)-1]
}
