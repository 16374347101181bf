//go:build unix

package tty

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tidings/internal/testserver"

	uv "github.com/charmbracelet/ultraviolet"
)

// pane is a pane of a private tmux that shows what is written to it.
type pane struct {
	t      *testing.T
	in     io.Writer // tmux's control mode
	out    *bufio.Reader
	pipe   *os.File // into the pane
	frames int
}

// newPane opens a pane of w x h.
func newPane(t *testing.T, w, h int) *pane {
	t.Helper()
	program, err := exec.LookPath("tmux")
	if err != nil {
		testserver.Missing(t, "tmux is not installed")
	}
	dir, err := os.MkdirTemp("", "tidings-tty") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	fifo, socket := filepath.Join(dir, "f"), filepath.Join(dir, "s")
	if out, err := exec.Command("mkfifo", fifo).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	tmux := func(args ...string) *exec.Cmd {
		c := exec.Command(program, append([]string{"-u", "-S", socket, "-f", "/dev/null"}, args...)...)
		c.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TMUX=", "SHELL=/bin/sh") // a service user's own shell says no
		return c
	}
	if out, err := tmux("new-session", "-d", "-x", strconv.Itoa(w), "-y", strconv.Itoa(h),
		"stty raw -echo; exec cat "+fifo).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Cleanup(func() { _ = tmux("kill-server").Run() })
	control := tmux("-C", "attach", "-f", "no-output")
	in, err := control.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := control.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := control.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_ = control.Wait()
	})
	pipe, err := os.OpenFile(fifo, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pipe.Close() })
	p := &pane{t: t, in: in, out: bufio.NewReader(out), pipe: pipe}
	p.reply() // to attach
	p.ask("set -g window-size manual")
	p.ask("set -g status off")
	p.resize(w, h)
	return p
}

// ask runs a command of tmux.
func (p *pane) ask(command string) []string {
	p.t.Helper()
	if _, err := io.WriteString(p.in, command+"\n"); err != nil {
		p.t.Fatal(err)
	}
	return p.reply()
}

func (p *pane) reply() []string {
	p.t.Helper()
	var lines []string
	for inside := false; ; {
		line, err := p.out.ReadString('\n')
		if err != nil {
			p.t.Fatal(err)
		}
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "%begin "):
			inside = true
		case strings.HasPrefix(line, "%end "):
			return lines
		case strings.HasPrefix(line, "%error "):
			p.t.Fatalf("tmux: %q", lines)
		case inside:
			lines = append(lines, line)
		}
	}
}

func (p *pane) resize(w, h int) {
	p.t.Helper()
	p.ask(fmt.Sprintf("resize-window -x %d -y %d", w, h))
}

// shows writes b and returns what the pane shows then; how are options of
// tmux's capture-pane.
func (p *pane) shows(b []byte, how string) []string {
	p.t.Helper()
	p.frames++
	mark := fmt.Sprintf("frame %d", p.frames)
	if _, err := fmt.Fprintf(p.pipe, "%s\x1b]2;%s\a", b, mark); err != nil {
		p.t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; {
		if got := p.ask("display-message -p '#{pane_title}'"); slices.Equal(got, []string{mark}) {
			break
		}
		if time.Now().After(deadline) {
			p.t.Fatal("tmux does not read")
		}
	}
	return p.ask("capture-pane -p " + how)
}

// looks is styled lines with equal styles written equally, and without what
// cannot be seen.
func looks(lines []string, w int) []string {
	b := uv.NewScreenBuffer(w, len(lines))
	uv.NewStyledString(strings.Join(lines, "\n")).Draw(b, b.Bounds())
	for i := range lines {
		for x := range b.Line(i) {
			c := &b.Line(i)[x]
			if c.Content == " " && c.Style.Underline == uv.UnderlineNone && c.Style.Attrs&^(uv.AttrBold|uv.AttrFaint) == 0 {
				c.Style.Fg, c.Style.Attrs = nil, 0 // a blank looks the same in all of them
			}
		}
		lines[i] = b.Line(i).Render()
	}
	return lines
}

// TestCanvasInTmux: wide characters and resizes included, tmux shows what each
// frame says, and looks as if that frame alone had been painted.
func TestCanvasInTmux(t *testing.T) {
	const w, h = 90, 24
	for i, words := range [][]string{wide, narrow} {
		m := newMailer(uint64(100+i), words, w, h)
		p := newPane(t, w, h)
		c := newCanvas([]string{"TERM=tmux-256color"})
		for step := range 750 {
			anew := false
			if step%25 == 24 {
				for range 1 + m.r.IntN(5) {
					m.w, m.h = 10+m.r.IntN(120), 3+m.r.IntN(40)
					p.resize(m.w, m.h)
				}
				m.cursor, m.over, anew = 0, 0, true
			}
			m.step()
			f := m.frame()
			drawn := c.draw(f, anew, false)
			if diff := differ(f.text(), p.shows(drawn, "")); diff != "" {
				t.Fatalf("step %d, %dx%d (-frame +tmux):\n%s\nof %q", step, m.w, m.h, diff, drawn)
			}
			if step%10 == 9 {
				painted := looks(p.shows(nil, "-e -N"), m.w)
				if diff := differ(looks(p.shows(c.draw(f, true, false), "-e -N"), m.w), painted); diff != "" {
					t.Fatalf("step %d (-painted anew +painted on):\n%s", step, diff)
				}
			}
		}
	}
}
