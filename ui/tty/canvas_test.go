//go:build unix

package tty

import (
	"fmt"
	"slices"
	"strings"
	"testing"

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

// list is a list of plain rows with a cursor mark of one cell and a counter.
func list(top, cursor, first, counter int) Frame {
	const w, h = 120, 40
	var b strings.Builder
	for y := range h - 1 {
		mark := " "
		if y == cursor {
			mark = ">"
		}
		n := top + y + first
		fmt.Fprintf(&b, "%-*s\n", w, fmt.Sprintf("%s row %d of the list, with a subject of its own: %x", mark, n, n*n*7919))
	}
	fmt.Fprintf(&b, "%-*s", w, fmt.Sprintf("%d messages", counter))
	return Frame{Width: w, Height: h, Content: b.String()}
}

// TestCanvasBytes holds what a step costs.
func TestCanvasBytes(t *testing.T) {
	for _, c := range []struct {
		step         string
		before, then Frame
		atMost       int
	}{
		{"first frame", Frame{}, list(0, 0, 1, 500), 3621},
		{"nothing", list(0, 5, 1, 500), list(0, 5, 1, 500), 0},
		{"cursor down", list(0, 5, 1, 500), list(0, 6, 1, 500), 9}, // like the one before
		{"counter", list(0, 5, 1, 500), list(0, 5, 1, 501), 30},
		{"insert at the top, the cursor stays on its mail", list(0, 5, 1, 500), list(0, 6, 0, 501), 125},
		{"scroll by one", list(0, 38, 1, 500), list(1, 38, 1, 500), 217},
		{"half a page", list(0, 5, 1, 500), list(19, 5, 1, 500), 1898},
	} {
		t.Run(c.step, func(t *testing.T) {
			canvas := newCanvas([]string{"TERM=xterm-256color"})
			if c.before.Content != "" {
				canvas.draw(list(0, 4, 1, 500), false, false)
			}
			canvas.draw(c.before, false, false)
			if got := canvas.draw(c.then, false, false); len(got) > c.atMost {
				t.Errorf("it takes %d bytes, more than %d: %q", len(got), c.atMost, got)
			} else {
				t.Logf("%d bytes", len(got))
			}
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
