//go:build unix

package tty

import (
	"bytes"
	gocmp "cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/colorprofile"
	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"
	"github.com/hinshun/vt10x"
)

// emulated is everything that an emulator shows: characters and their looks.
func emulated(t vt10x.Terminal, w, h int) []string {
	lines := make([]string, h)
	for y := range h {
		var b strings.Builder
		last := vt10x.Glyph{}
		for x := range w {
			g := t.Cell(x, y)
			if g.Char == 0 {
				g.Char = ' '
			}
			if g.FG != last.FG || g.BG != last.BG || g.Mode != last.Mode {
				fmt.Fprintf(&b, "<%d %d %d>", g.FG, g.BG, g.Mode)
			}
			last = g
			b.WriteRune(g.Char)
		}
		lines[y] = b.String()
	}
	return lines
}

// differ tells of two screens' differences.
func differ(want, got []string) string {
	if slices.Equal(want, got) { // nearly always, and soon said
		return ""
	}
	return cmp.Diff(want, got)
}

// emulatedText is the emulator's text.
func emulatedText(t vt10x.Terminal, w, h int) []string {
	lines := make([]string, h)
	for y := range h {
		var b strings.Builder
		for x := range w {
			c := t.Cell(x, y).Char
			if c == 0 {
				c = ' '
			}
			b.WriteRune(c)
		}
		lines[y] = strings.TrimRight(b.String(), " ")
	}
	return lines
}

// TestCanvas: after each of thousands of random frames an emulator shows
// exactly what it shows when only that frame is painted, and what the frame
// says.
func TestCanvas(t *testing.T) {
	words := narrow[:len(narrow)-1] // the emulator knows no combining marks
	for i, name := range []string{"xterm-256color", "screen-256color", "linux"} {
		t.Run(name, func(t *testing.T) {
			environ := []string{"TERM=" + name}
			m := newMailer(uint64(i), words, 60, 16)
			c, screen := newCanvas(environ), vt10x.New(vt10x.WithSize(m.w, m.h))
			for step := range 500 {
				for range 1 + m.r.IntN(3) {
					m.step()
				}
				f := m.frame()
				drawn := string(c.draw(f, false, step%2 == 0))
				if _, err := screen.Write([]byte(drawn)); err != nil {
					t.Fatal(err)
				}
				if diff := differ(f.text(), emulatedText(screen, m.w, m.h)); diff != "" {
					t.Fatalf("step %d (-frame +terminal):\n%s\nof %q", step, diff, drawn)
				}
				if step%8 != 0 {
					continue
				}
				anew := vt10x.New(vt10x.WithSize(m.w, m.h))
				if _, err := anew.Write(newCanvas(environ).draw(f, false, false)); err != nil {
					t.Fatal(err)
				}
				if diff := differ(emulated(anew, m.w, m.h), emulated(screen, m.w, m.h)); diff != "" {
					t.Fatalf("step %d (-painted anew +painted on):\n%s\nof %q", step, diff, drawn)
				}
			}
		})
	}
}

// TestCanvasResized: ten thousand resizes in a row, with and without a frame
// between, leave no stray cell.
func TestCanvasResized(t *testing.T) {
	m := newMailer(1, narrow[:len(narrow)-1], 40, 10)
	c, screen := newCanvas([]string{"TERM=xterm-256color"}), vt10x.New(vt10x.WithSize(m.w, m.h))
	painted := 0
	for step := range 10_000 {
		m.w, m.h = 1+m.r.IntN(40), 1+m.r.IntN(12)
		m.cursor, m.over = 0, 0
		screen.Resize(m.w, m.h)
		if m.r.IntN(3) > 0 && step < 9_999 {
			continue // the next resize came before a frame did
		}
		painted++
		m.step()
		f := m.frame()
		if _, err := screen.Write(c.draw(f, true, false)); err != nil {
			t.Fatal(err)
		}
		if m.r.IntN(4) == 0 {
			m.step()
			f = m.frame()
			if _, err := screen.Write(c.draw(f, false, false)); err != nil {
				t.Fatal(err)
			}
		}
		if diff := differ(f.text(), emulatedText(screen, m.w, m.h)); diff != "" {
			t.Fatalf("resize %d, to %dx%d (-frame +terminal):\n%s", step, m.w, m.h, diff)
		}
	}
	if painted < 3000 {
		t.Fatalf("only %d frames were painted", painted)
	}
}

// TestCanvasModes: grapheme widths, titles and progress are set when a frame
// has them, and put back.
func TestCanvasModes(t *testing.T) {
	c := newCanvas([]string{"TERM=xterm-256color"})
	f := Frame{Width: 10, Height: 2, Content: "a         \nb         "}
	wrote := func(f Frame, want ...string) {
		t.Helper()
		got := string(c.draw(f, false, false))
		for _, s := range want {
			if !strings.Contains(got, s) {
				t.Errorf("%q has no %q", got, s)
			}
		}
		if len(want) == 0 && got != "" {
			t.Errorf("%q is written for nothing", got)
		}
	}
	wrote(f, "a", "b")
	wrote(f)
	f.Title = "(3) INBOX"
	wrote(f, "\x1b]2;(3) INBOX\a")
	wrote(f)
	f.Progress = Progress{Progressing, 40}
	wrote(f, "\x1b]9;4;1;40\a")
	f.Progress = Progress{}
	wrote(f, "\x1b]9;4;0\a")
	if s := c.leave(); strings.Contains(s, "2027") {
		t.Errorf("leaving, %q is written", s)
	}
	f.Method = ansi.GraphemeWidth
	wrote(f, "\x1b[?2027h", "a")
	wrote(f)
	if s := c.leave(); !strings.Contains(s, "\x1b[?2027l") {
		t.Errorf("leaving, %q is written", s)
	}
	if s := string(c.draw(f, true, true)); !strings.HasPrefix(s, "\x1b[?2026h") || !strings.HasSuffix(s, "\x1b[?2026l") {
		t.Errorf("a synchronized frame is %q", s)
	}
	if s := c.draw(Frame{}, true, false); len(s) > 0 {
		t.Errorf("a frame of no size is %q", s)
	}
	wrote(f, "a", "b")
}

// list is a mail list as the program draws it: a cursor mark of one cell, marks
// in colours, dim dates, unread mail bold, a status bar with a count. Row n of the
// mailbox is flagged where flagged says so.
func list(top, cursor, first, counter, flagged int) Frame {
	const w, h = 120, 40
	var b strings.Builder
	for y := range h - 1 {
		n := top + y + first
		mark, unread, flag := " ", " ", " "
		look := ""
		if y == cursor {
			mark = "▌"
		}
		if n%3 == 0 {
			unread, look = "\x1b[0;38;5;75m●\x1b[m", "\x1b[0;1m"
		}
		if n == flagged {
			flag = "\x1b[0;38;5;221m⚑\x1b[m"
		}
		fmt.Fprintf(&b, "%s%s%s    \x1b[0;38;5;246m%2d Jan\x1b[m  %s%-24s  %-78s\x1b[m\n", mark, unread, flag, 1+n%28, look,
			fmt.Sprintf("sender %d", n%17), fmt.Sprintf("row %d of the list, with a subject of its own: %x", n, n*n*7919))
	}
	fmt.Fprintf(&b, "\x1b[0;38;5;252;48;5;236m%-*s\x1b[m", w, fmt.Sprintf(" INBOX   %d unread", counter))
	return Frame{Width: w, Height: h, Content: b.String(), Profile: colorprofile.ANSI256}
}

// upstream draws frames as Bubble Tea's renderer does: the same differ, all rows
// of every frame, no patches.
type upstream struct {
	out    bytes.Buffer
	cells  uv.ScreenBuffer
	differ *uv.TerminalRenderer
}

func newUpstream(f Frame) *upstream {
	u := &upstream{cells: uv.NewScreenBuffer(f.Width, f.Height)}
	u.differ = uv.NewTerminalRenderer(&u.out, []string{"TERM=xterm-256color"})
	u.differ.SetColorProfile(f.Profile)
	u.differ.SetFullscreen(true)
	u.differ.SetRelativeCursor(false)
	u.differ.SetBackspace(true)
	u.differ.SetScrollOptim(true)
	u.differ.Erase()
	return u
}

func (u *upstream) draw(f Frame) int {
	u.out.Reset()
	u.cells.Clear()
	uv.NewStyledString(f.Content).Draw(u.cells, u.cells.Bounds())
	u.differ.Render(u.cells.RenderBuffer)
	_ = u.differ.Flush()
	return u.out.Len()
}

// TestCanvasBytes holds what a step costs on a list of styled rows: a figure where
// it does not depend on the looks of whole rows, else no more than Bubble Tea's
// renderer takes for the same frames.
func TestCanvasBytes(t *testing.T) {
	const none = -1
	for _, c := range []struct {
		step         string
		before, then Frame
		atMost       int // 0: what upstream takes
	}{
		{"cursor down", list(0, 5, 1, 500, none), list(0, 6, 1, 500, none), 9},
		{"cursor up", list(0, 5, 1, 500, none), list(0, 4, 1, 500, none), 9},
		{"counter", list(0, 5, 1, 500, none), list(0, 5, 1, 501, none), 0},
		{"flag on a row", list(0, 5, 1, 500, none), list(0, 5, 1, 500, 12), 113},
		{"insert at the top, the cursor stays on its mail", list(0, 5, 1, 500, none), list(0, 6, 0, 501, none), 0},
		{"scroll by one", list(0, 38, 1, 500, none), list(1, 38, 1, 500, none), 217},
		{"half a page", list(0, 5, 1, 500, none), list(19, 5, 1, 500, none), 0},
	} {
		t.Run(c.step, func(t *testing.T) {
			canvas, theirs := newCanvas([]string{"TERM=xterm-256color"}), newUpstream(c.then)
			for _, f := range []Frame{list(0, 3, 1, 500, none), list(0, 4, 1, 500, none), c.before} { // the person is moving
				canvas.draw(f, false, false)
				theirs.draw(f)
			}
			if again := canvas.draw(c.before, false, false); len(again) > 0 {
				t.Errorf("%q is written for nothing", again)
			}
			got, upstream := canvas.draw(c.then, false, false), theirs.draw(c.then)
			if limit := gocmp.Or(c.atMost, upstream); len(got) > limit || upstream == 0 {
				t.Errorf("it takes %d bytes, more than %d: %q", len(got), limit, got)
			}
			t.Logf("%d bytes, upstream %d", len(got), upstream)
		})
	}
}

// TestCanvasWide: one row of a screen full of wide characters is one row, and
// not the screen.
func TestCanvasWide(t *testing.T) {
	m := newMailer(3, wide, 120, 40)
	c := newCanvas([]string{"TERM=xterm-256color"})
	whole := len(c.draw(m.frame(), false, false))
	m.cursor++
	if got := len(c.draw(m.frame(), false, false)); got > whole/10 {
		t.Errorf("a cursor move costs %d bytes, the whole screen %d", got, whole)
	} else {
		t.Logf("a cursor move costs %d bytes, the whole screen %d", got, whole)
	}
}

// BenchmarkCanvas is a cursor move on a screen of 120x40.
func BenchmarkCanvas(b *testing.B) {
	for name, words := range map[string][]string{"narrow": narrow, "wide": wide} {
		b.Run(name, func(b *testing.B) {
			m := newMailer(3, words, 120, 40)
			var frames [2]Frame
			for i := range frames {
				m.cursor = i
				frames[i] = m.frame()
			}
			c := newCanvas([]string{"TERM=xterm-256color"})
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				c.draw(frames[i%2], false, false)
			}
		})
	}
}

// TestCanvasRehearsed: what a canvas writes after a rehearsal is, octet for octet,
// what it writes without, whatever the frame that it rehearsed and the one that
// comes.
func TestCanvasRehearsed(t *testing.T) {
	environ := []string{"TERM=xterm-256color"}
	m := newMailer(3, narrow, 60, 16)
	next := func() Frame {
		if m.r.IntN(4) == 0 {
			m.w, m.h = 1+m.r.IntN(60), 1+m.r.IntN(16)
			m.cursor, m.over = 0, 0
		}
		m.step()
		f := m.frame()
		f.Title = fmt.Sprint(m.r.IntN(2))
		f.Profile = []colorprofile.Profile{colorprofile.TrueColor, colorprofile.ANSI}[m.r.IntN(2)]
		f.Method = []ansi.Method{ansi.WcWidth, ansi.GraphemeWidth}[m.r.IntN(2)]
		return f
	}
	for step := range 300 {
		rehearsed, fresh := newCanvas(environ), newCanvas(environ)
		if step > 0 {
			rehearsed.rehearse(next())
		} else {
			rehearsed.rehearse(Frame{Content: "no size is known"})
		}
		for frame := range 3 {
			f, anew := next(), frame == 0 || m.r.IntN(3) == 0
			got, want := string(rehearsed.draw(f, anew, false)), string(fresh.draw(f, anew, false))
			if got != want {
				t.Fatalf("step %d, frame %d: written\n%q\nwithout a rehearsal\n%q", step, frame, got, want)
			}
		}
	}
}
