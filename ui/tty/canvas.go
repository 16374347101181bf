//go:build unix

package tty

import (
	"bytes"
	"strings"

	"github.com/charmbracelet/colorprofile"
	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

// Frame is a whole screen.
type Frame struct {
	Width, Height int // in cells; a frame of no size is not painted
	// Content has Height lines, separated by "\n", each of Width cells as
	// Method counts them. A line's styles (SGR) end with it.
	Content string
	// Method is how widths were counted: by graphemes if, and only if, the
	// terminal said that it knows mode 2027.
	Method ansi.Method
	// Profile is what the terminal has of colours; others are brought down to it.
	Profile  colorprofile.Profile
	Title    string // of the window
	Progress Progress
}

// Progress is the progress bar that some terminals show in a tab or task bar.
type Progress struct {
	State   ProgressState
	Percent int // 0 to 100
}

// ProgressState is what kind of progress there is.
type ProgressState uint8

const (
	NoProgress ProgressState = iota
	Progressing
	ProgressFailed
	ProgressUnknown // something is going on; Percent says nothing
	ProgressWarning
)

func (p Progress) sequence() string {
	switch p.State {
	case Progressing:
		return ansi.SetProgressBar(p.Percent)
	case ProgressFailed:
		return ansi.SetErrorProgressBar(p.Percent)
	case ProgressUnknown:
		return ansi.SetIndeterminateProgressBar
	case ProgressWarning:
		return ansi.SetWarningProgressBar(p.Percent)
	}
	return ansi.ResetProgressBar
}

// fewRows is how many rows may differ for them to be drawn one by one. Beyond
// that all rows are compared with all, in search of what has only moved.
const fewRows = 4

// canvas turns frames into what has to be written for the terminal to show
// them. It knows what the terminal shows. It is for one goroutine.
type canvas struct {
	environ []string
	out     bytes.Buffer

	shown  Frame
	rows   []string // of what is shown; nil: nothing is known of the screen
	ready  bool     // for a first frame like shown, after a rehearsal
	was    uv.Line  // of a row that is about to change
	cells  uv.ScreenBuffer
	differ *uv.TerminalRenderer
}

func newCanvas(environ []string) *canvas { return &canvas{environ: environ} }

// draw returns what has to be written to show f, perhaps nothing; it is valid
// until the next call. anew: nothing is known of what the screen shows.
func (c *canvas) draw(f Frame, anew, synchronized bool) []byte {
	c.out.Reset()
	if f.Width <= 0 || f.Height <= 0 {
		if anew {
			c.rows = nil
		}
		return nil
	}
	if f.Method != c.shown.Method {
		if f.Method == ansi.GraphemeWidth {
			c.out.WriteString(ansi.SetModeUnicodeCore)
		} else {
			c.out.WriteString(ansi.ResetModeUnicodeCore)
		}
	}
	if f.Title != c.shown.Title {
		c.out.WriteString(ansi.SetWindowTitle(f.Title))
	}
	if f.Progress != c.shown.Progress {
		c.out.WriteString(f.Progress.sequence())
	}
	if anew && !c.ready || c.rows == nil || f.Width != c.shown.Width || f.Height != c.shown.Height ||
		f.Method != c.shown.Method || f.Profile != c.shown.Profile {
		c.blank(f)
	} else if f.Content == c.shown.Content {
		c.shown = f
		return c.out.Bytes()
	}
	c.shown, c.ready = f, false

	start := c.out.Len()
	if synchronized {
		c.out.WriteString(ansi.SetModeSynchronizedOutput)
	}
	before := c.out.Len()
	x, y := c.differ.Position()
	few := c.fill(f)
	c.differ.Render(c.cells.RenderBuffer)
	_ = c.differ.Flush() // into a buffer: it cannot fail
	c.shorten(before, few, x, y)
	switch {
	case c.out.Len() == before:
		c.out.Truncate(start)
	case synchronized:
		c.out.WriteString(ansi.ResetModeSynchronizedOutput)
	}
	return c.out.Bytes()
}

// rehearse draws a few rows of a frame for nobody and is ready then for one of its
// size. A first frame takes several times as long as others do, for the memory that
// is asked for and the code that is run for the first time.
func (c *canvas) rehearse(f Frame) {
	if lines := strings.SplitAfter(f.Content, "\n"); len(lines) > 2*rehearsed {
		rest := strings.Repeat("\n", len(lines)-2*rehearsed)
		f.Content = strings.Join(lines[:rehearsed], "") + rest + strings.Join(lines[len(lines)-rehearsed:], "")
	}
	if c.draw(f, true, false); c.rows == nil {
		return // a terminal that does not tell its size
	}
	c.shown = Frame{Width: f.Width, Height: f.Height, Profile: f.Profile}
	clear(c.rows)
	c.cells.Clear()
	c.differ.Resize(f.Width, f.Height) // it forgets where the cursor is
	c.differ.Erase()
	c.ready = true
}

// rehearsed is how many rows are drawn of those at either end.
const rehearsed = 3

// blank begins anew with an empty screen of the frame's size.
func (c *canvas) blank(f Frame) {
	c.rows = make([]string, f.Height)
	c.cells = uv.NewScreenBuffer(f.Width, f.Height)
	c.cells.Method = f.Method
	c.differ = uv.NewTerminalRenderer(&c.out, c.environ)
	c.differ.SetColorProfile(f.Profile)
	c.differ.SetWidthMethod(f.Method)
	c.differ.SetFullscreen(true)
	c.differ.SetRelativeCursor(false)
	c.differ.SetTabStops(-1) // somebody may have set others (tabs -4)
	c.differ.SetBackspace(true)
	c.differ.Erase()
}

// shorten puts a patch in the place of what the differ wrote, from octet before
// on, if it is shorter. The differ goes on from where the patch left the cursor;
// what the screen shows is the same.
func (c *canvas) shorten(before int, spans []span, x, y int) {
	if endX, _ := c.differ.Position(); len(spans) == 0 || min(x, y) < 0 || max(x, endX) >= c.shown.Width {
		return // behind the last column nobody knows where the cursor is
	}
	p := patch{profile: c.shown.Profile, w: c.shown.Width, h: c.shown.Height, x: x, y: y}
	if p.write(c.cells, spans) && len(p.out) < c.out.Len()-before {
		c.out.Truncate(before)
		c.out.Write(p.out)
		c.differ.SetPosition(p.x, p.y)
	}
}

// changed compares a row with what it was and returns the stretches that differ;
// false where they are many, or there are wide characters about.
func (c *canvas) changed(spans []span, was uv.Line, y int) ([]span, bool) {
	written := 0
	for _, s := range spans {
		written += s.hi - s.lo
	}
	open := false
	for x := range was {
		now := c.cells.CellAt(x, y)
		if now == nil || now.Width != 1 || was[x].Width != 1 {
			return nil, false
		}
		if now.Equal(&was[x]) {
			open = false
			continue
		}
		if written++; written > maxPatch {
			return nil, false
		}
		if !open {
			spans = append(spans, span{y: y, lo: x})
			open = true
		}
		spans[len(spans)-1].hi = x + 1
	}
	return spans, true
}

// fill puts the frame's rows into cells, as far as they differ from what is
// shown, and has the differ look at them. It returns what differs, if that is
// little.
func (c *canvas) fill(f Frame) (spans []span) {
	different, rest := 0, f.Content
	few := true
	for y := range c.rows {
		var row string
		row, rest, _ = strings.Cut(rest, "\n")
		if row == c.rows[y] {
			continue
		}
		c.rows[y] = row
		different++
		if few = few && different <= fewRows; few {
			c.was = append(c.was[:0], c.cells.Line(y)...)
		}
		uv.NewStyledString(row).Draw(c.cells, uv.Rect(0, y, f.Width, 1))
		if few {
			spans, few = c.changed(spans, c.was, y)
		}
	}
	if !few {
		spans = nil
	}
	// Rows that the differ is not told of it does not look at: it would repaint
	// those with wide characters in every frame. But when it scrolls, it moves
	// such rows, and has to be told of all of them.
	scroll := different > fewRows
	c.differ.SetScrollOptim(scroll)
	if scroll {
		for y := range c.rows {
			c.cells.TouchLine(0, y, f.Width)
		}
	}
	return spans
}

// leave returns what puts back the modes that frames set.
func (c *canvas) leave() string {
	seq := ansi.ResetModeSynchronizedOutput + restoreTitle
	if c.shown.Method == ansi.GraphemeWidth {
		seq = ansi.ResetModeUnicodeCore + seq
	}
	if c.shown.Progress.State != NoProgress {
		seq += ansi.ResetProgressBar
	}
	return seq
}
