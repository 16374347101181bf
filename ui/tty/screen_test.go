//go:build unix

package tty

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/charmbracelet/colorprofile"
	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

// mailer makes frames like those of a mail list whose mail comes, goes, changes
// and is scrolled through, at random.
type mailer struct {
	r       *rand.Rand
	words   []string
	w, h    int
	rows    []mail
	top     int
	cursor  int
	next    int
	counter int
	over    int // lines of an overlay
	method  ansi.Method
}

type mail struct {
	id, words int
	style     int
}

var (
	narrow = []string{"Deploy window", "Re: budget", "Invoice 4711", "notes", "  ", "==========", "Élodie Brière", "a\u0301b"}
	wide   = append([]string{"会議の議事録", "山田太郎", "🎉 shipped 🚀", "שלום", "가나다", "１２", "👍🏽", "한"}, narrow...)
	styles = []string{"", "\x1b[0;1m", "\x1b[0;38;5;246m", "\x1b[0;1;38;5;75m", "\x1b[0;7m", "\x1b[0;38;5;252;48;5;236m", "\x1b[0;4;31m"}
)

func newMailer(seed uint64, words []string, w, h int) *mailer {
	m := &mailer{r: rand.New(rand.NewPCG(seed, 7)), words: words, w: w, h: h}
	for range 3 * h {
		m.rows = append(m.rows, m.mail())
	}
	return m
}

func (m *mailer) mail() mail {
	m.next++
	return mail{id: m.next, words: m.r.IntN(1 << 30), style: m.r.IntN(len(styles))}
}

// step has something happen.
func (m *mailer) step() {
	i := 0
	if len(m.rows) > 0 {
		i = m.r.IntN(len(m.rows))
	}
	switch m.r.IntN(14) {
	case 0, 1, 2:
		m.cursor = min(m.cursor+1, m.h-1)
	case 3:
		m.cursor = max(m.cursor-1, 0)
	case 4:
		m.rows = append([]mail{m.mail()}, m.rows...)
	case 5:
		m.rows = append(m.rows[:i], append([]mail{m.mail()}, m.rows[i:]...)...)
	case 6:
		if len(m.rows) > 0 {
			m.rows = append(m.rows[:i], m.rows[i+1:]...)
		}
	case 7:
		if len(m.rows) > 0 {
			m.rows[i].style = m.r.IntN(len(styles))
		}
	case 8:
		m.top = m.r.IntN(len(m.rows)/2 + 1)
	case 9:
		m.top++
	case 10:
		m.top = max(m.top-1, 0)
	case 11:
		m.counter++
	case 12:
		m.over = m.r.IntN(m.h)
	case 13:
		if m.r.IntN(8) == 0 {
			m.rows = m.rows[:0]
		}
		for range m.r.IntN(4) {
			m.rows = append(m.rows, m.mail())
		}
	}
}

// frame is the screen as it is now.
func (m *mailer) frame() Frame {
	var b strings.Builder
	for y := range m.h {
		if y > 0 {
			b.WriteByte('\n')
		}
		switch i := m.top + y; {
		case y == m.h-1:
			m.line(&b, styles[5], fmt.Sprintf(" ● live   %d of %d ", m.counter, len(m.rows)), styles[5])
		case y >= m.h-1-m.over && y%2 == 0:
			m.line(&b, "", "", "")
		case i < len(m.rows):
			mark := " "
			if y == m.cursor {
				mark = "▌"
			}
			r := m.rows[i]
			words := rand.New(rand.NewPCG(uint64(r.words), 1))
			text := fmt.Sprintf("%s (%d)", mark, r.id)
			for range 1 + words.IntN(9) {
				text += " " + m.words[words.IntN(len(m.words))]
			}
			m.line(&b, styles[r.style], text, "")
		default:
			m.line(&b, "", "", "")
		}
	}
	return Frame{Width: m.w, Height: m.h, Content: b.String(), Method: m.method, Profile: colorprofile.ANSI256}
}

// line writes a line of exactly w cells. It does not end in blanks of a colour:
// where they are erased to it, tmux does not tell.
func (m *mailer) line(b *strings.Builder, style, text, rest string) {
	text = strings.TrimRight(text, " ")
	end := ""
	if style == rest && style != "" {
		end = "|"
	}
	b.WriteString(style)
	room := m.w - len(end)
	for text != "" {
		c, w := ansi.FirstGraphemeCluster(text, m.method)
		if w > room || w == room && c == " " {
			break
		}
		b.WriteString(c)
		text, room = text[len(c):], room-w
	}
	fill := strings.Repeat(" ", room)
	if style != rest {
		b.WriteString("\x1b[m" + rest)
	}
	b.WriteString(fill + end + "\x1b[m")
}

// text is what a frame shows, line by line, without blanks at the end.
func (f Frame) text() []string {
	b := uv.NewScreenBuffer(f.Width, f.Height)
	b.Method = f.Method
	uv.NewStyledString(f.Content).Draw(b, b.Bounds())
	lines := strings.Split(b.Buffer.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}
