package ui

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"tidings/internal/safetext"
)

var update = flag.Bool("update", false, "write the golden screens anew")

func TestMain(m *testing.M) {
	if where := os.Getenv("TIDINGS_TEST_CRASH"); where != "" {
		crashChild(where)
	}
	if os.Getenv("TIDINGS_TEST_SCREEN") != "" {
		screenChild()
	}
	if os.Getenv("TIDINGS_TEST_LEND") != "" {
		lendChild()
	}
	time.Local = time.UTC
	goleak.VerifyTestMain(m)
}

// person sits at a screen of their own, with fake sessions behind it, and with
// time that passes only when nothing else is left to do. What they do and see
// is what the tests are written in.
type person struct {
	t        reporter
	m        *Model
	sessions []*fakeSession
	folder   *fakeSession // of the folder that was opened last
	msgs     chan tea.Msg
	raw      []string // what was written to the terminal besides frames
	quit     bool
	updates  int
}

// reporter is what a *testing.T and a *rapid.T have in common.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Fatal(args ...any)
}

// atScreen runs f as a person at a w x h screen, at 14:30 of a Friday.
func atScreen(t *testing.T, w, h int, f func(p *person), change ...func(*Options)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		// The bubble's clock starts at midnight of 1 January 2000.
		time.Sleep(time.Until(time.Date(2000, 11, 24, 14, 30, 0, 0, time.UTC)))
		defer func() { // the last timers run out, also where f failed
			time.Sleep(time.Hour)
			synctest.Wait()
		}()
		f(sitDown(t, w, h, change...))
	})
}

// sitDown makes a person; it must be called in a synctest bubble.
func sitDown(t reporter, w, h int, change ...func(*Options)) *person {
	p := &person{t: t, msgs: make(chan tea.Msg, 4096)}
	o := Options{Notice: NoticeBell, Environ: []string{"TERM=xterm-256color", "LANG=C.UTF-8"}}
	o.Accounts = []Account{{Name: safetext.Const("work"), Session: newFakeSession(), Probe: time.Minute}}
	for _, c := range change {
		c(&o)
	}
	for _, a := range o.Accounts {
		p.sessions = append(p.sessions, a.Session.(*fakeSession))
	}
	p.m = newModel(o)
	p.m.end = func() { p.quit = true }
	p.run(p.m.Init())
	p.send(tea.WindowSizeMsg{Width: w, Height: h})
	return p
}

// server is the first account's session.
func (p *person) server() *fakeSession { return p.sessions[0] }

func (p *person) run(c tea.Cmd) {
	if c == nil {
		return
	}
	go func() {
		switch msg := c().(type) {
		case nil:
		case tea.BatchMsg:
			for _, c := range msg {
				p.run(c)
			}
		default:
			p.msgs <- msg
		}
	}()
}

func (p *person) send(msg tea.Msg) {
	p.t.Helper()
	switch msg := msg.(type) {
	case tea.RawMsg:
		p.raw = append(p.raw, msg.Msg.(string))
		return
	case foregroundMsg:
		p.run(func() tea.Msg { return msg.done(msg.run()) })
		return
	}
	p.updates++
	_, c := p.m.Update(msg)
	p.run(c)
	p.checkFrame()
	for _, f := range p.m.shown {
		f()
	}
	p.m.shown = nil
}

// idle lets everything happen that happens by itself without time passing.
func (p *person) idle() {
	p.t.Helper()
	for {
		synctest.Wait()
		did := false
		for i, s := range p.sessions {
			if s.box.Pending() > 0 {
				evs, err := s.box.Next(context.Background(), pumpBatch)
				if err != nil {
					p.t.Fatal(err)
				}
				p.send(batchMsg{i, evs})
				did = true
			}
		}
		if a := p.m.account(); p.folder != nil && p.folder.box.Pending() > 0 && a.root.opened != nil && a.root.opened.cfg.Session == p.folder {
			evs, err := p.folder.box.Next(context.Background(), pumpBatch)
			if err != nil {
				p.t.Fatal(err)
			}
			p.send(batchMsg{a.root.opened.id, evs})
			did = true
		}
		select {
		case msg := <-p.msgs:
			p.send(msg)
			did = true
		default:
		}
		if !did {
			return
		}
	}
}

// wait lets time pass.
func (p *person) wait(d time.Duration) {
	p.t.Helper()
	end := time.Now().Add(d)
	for time.Now().Before(end) {
		p.idle()
		timeout := time.After(time.Until(end))
		select {
		case msg := <-p.msgs:
			p.send(msg)
		case <-timeout:
		}
	}
	p.idle()
}

// press presses keys, named as in the keymap and separated by blanks.
func (p *person) press(keys string) {
	p.t.Helper()
	for k := range strings.FieldsSeq(keys) {
		p.send(keyPress(k))
	}
	p.idle()
}

// types types a text.
func (p *person) types(s string) {
	p.t.Helper()
	for _, r := range s {
		p.send(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
	p.idle()
}

var specialKeys = map[string]rune{
	"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "space": tea.KeySpace,
	"up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft, "right": tea.KeyRight,
	"home": tea.KeyHome, "end": tea.KeyEnd, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown,
	"backspace": tea.KeyBackspace, "delete": tea.KeyDelete,
}

func keyPress(name string) tea.KeyPressMsg {
	if c, ok := strings.CutPrefix(name, "ctrl+"); ok {
		return tea.KeyPressMsg{Code: rune(c[0]), Mod: tea.ModCtrl}
	}
	if c, ok := specialKeys[name]; ok {
		if c == tea.KeySpace {
			return tea.KeyPressMsg{Code: c, Text: " "}
		}
		return tea.KeyPressMsg{Code: c}
	}
	return tea.KeyPressMsg{Code: []rune(name)[0], Text: name}
}

// lines is the screen as plain text.
func (p *person) lines() []string { return frameLines(p.m) }

func frameLines(m *Model) []string {
	b := uv.NewScreenBuffer(m.w, m.h)
	b.Method = m.pen.method
	uv.NewStyledString(m.View().Content).Draw(b, b.Bounds())
	// Cells behind a wide one are empty: String leaves them out.
	return strings.Split(b.Buffer.String(), "\n")
}

// checkFrame holds what must hold of every frame: as many lines as the screen,
// each exactly as wide as it.
func (p *person) checkFrame() {
	p.t.Helper()
	content := p.m.View().Content
	if p.m.w <= 0 || p.m.h <= 0 {
		if content != "" {
			p.t.Fatalf("a frame of %d bytes for a screen of %dx%d", len(content), p.m.w, p.m.h)
		}
		return
	}
	lines := strings.Split(content, "\n")
	if len(lines) != p.m.h {
		p.t.Fatalf("%d lines on a screen of %dx%d", len(lines), p.m.w, p.m.h)
	}
	for i, l := range lines {
		if w := p.m.pen.method.StringWidth(l); w != p.m.w {
			p.t.Fatalf("line %d is %d cells wide on a screen of %d:\n%q", i, w, p.m.w, l)
		}
	}
}

// sees asserts that some line of the screen contains each text.
func (p *person) sees(texts ...string) {
	p.t.Helper()
	screen := strings.Join(p.lines(), "\n")
	for _, s := range texts {
		if !strings.Contains(screen, s) {
			p.t.Errorf("%q is not on the screen:\n%s", s, screen)
		}
	}
}

// seesNot asserts that no line of the screen contains any of the texts.
func (p *person) seesNot(texts ...string) {
	p.t.Helper()
	screen := strings.Join(p.lines(), "\n")
	for _, s := range texts {
		if strings.Contains(screen, s) {
			p.t.Errorf("%q is on the screen:\n%s", s, screen)
		}
	}
}

// selected returns the line with the cursor mark.
func (p *person) selected() string {
	p.t.Helper()
	var found []string
	for _, l := range p.lines() {
		if strings.HasPrefix(l, "▌") {
			found = append(found, l)
		}
	}
	if len(found) != 1 {
		p.t.Fatalf("%d lines have the cursor:\n%s", len(found), strings.Join(p.lines(), "\n"))
	}
	return found[0]
}

// selects asserts what the cursor is on.
func (p *person) selects(text string) {
	p.t.Helper()
	if l := p.selected(); !strings.Contains(l, text) {
		p.t.Errorf("the cursor is on %q, want %q", l, text)
	}
}

// golden compares the screen with the one on file.
func (p *person) golden(name string) {
	p.t.Helper()
	var b strings.Builder
	for _, l := range p.lines() {
		b.WriteString(strings.TrimRight(l, " ") + "\n")
	}
	path := filepath.Join("testdata", "screens", name+".txt")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			p.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			p.t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		p.t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		p.t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// grapheme has the screen measured as by a terminal in mode 2027.
func (p *person) grapheme() {
	p.send(tea.ModeReportMsg{Mode: ansi.ModeUnicodeCore, Value: ansi.ModeReset})
}
