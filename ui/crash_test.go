//go:build unix

package ui

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/creack/pty"

	"tidings/imapsession"
	"tidings/internal/crash"
	"tidings/internal/safetext"
	"tidings/internal/testserver"
)

// crashingSession panics where it is asked to.
type crashingSession struct {
	*fakeSession
	where string
	asked chan struct{}
}

const secretOfTheMail = "nobody else may read this"

func (s *crashingSession) Do(c imapsession.Command) imapsession.CommandID {
	switch s.where {
	case "update":
		panic(errors.New(secretOfTheMail))
	case "goroutine":
		crash.Go("test", func() { panic(secretOfTheMail) })
	}
	s.asked <- struct{}{}
	return s.fakeSession.Do(c)
}

// TestMain's children run the program and have it panic.
func crashChild(where string) {
	s := &crashingSession{newFakeSession(), where, make(chan struct{}, 8)}
	s.start(5)
	o := Options{Accounts: []Account{{Name: safetext.Const("work"), Session: s}}, Environ: os.Environ()}
	ctx := context.Background()
	m := newModel(o)
	if where == "command" {
		m.later(func() tea.Msg { <-s.asked; panic(secretOfTheMail) })
	}
	ready()
	_ = run(ctx, m, o)
	os.Exit(0)
}

// TestPanicRestoresTheTerminal: wherever the panic is, the terminal comes back,
// a report is left, and neither it nor the terminal quotes the panic's value.
func TestPanicRestoresTheTerminal(t *testing.T) {
	for _, where := range []string{"update", "goroutine", "command"} {
		t.Run(where, func(t *testing.T) {
			state := t.TempDir()
			c := exec.Command(os.Args[0])
			c.Env = append(os.Environ(), "TIDINGS_TEST_CRASH="+where, "XDG_STATE_HOME="+state, "TERM=xterm-256color")
			master, err := pty.StartWithSize(c, &pty.Winsize{Rows: 24, Cols: 80})
			if err != nil {
				testserver.Missing(t, "no pseudo-terminal: "+err.Error())
			}
			defer master.Close()
			timer := time.AfterFunc(patience, func() { _ = c.Process.Kill() })
			defer timer.Stop()
			var out bytes.Buffer
			b := make([]byte, 4096)
			pressed := false
			for {
				n, err := master.Read(b)
				out.Write(b[:n])
				if !pressed && strings.Contains(out.String(), "(5)") {
					pressed = true
					if _, err := io.WriteString(master, "\r"); err != nil {
						t.Fatal(err)
					}
				}
				if err != nil {
					break
				}
			}
			err = c.Wait()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != crash.ExitStatus {
				t.Errorf("it ended with %v, want status %d\n%q", err, crash.ExitStatus, out.String())
			}
			for _, undo := range []string{"\x1b[?1049l", "\x1b[?25h"} {
				if !strings.Contains(out.String(), undo) {
					t.Errorf("it did not write %q", undo)
				}
			}
			if strings.Contains(out.String(), secretOfTheMail) {
				t.Error("the terminal shows the panic's value")
			}
			reports := 0
			err = filepath.WalkDir(state, func(path string, d os.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				reports++
				text, err := os.ReadFile(path)
				if strings.Contains(string(text), secretOfTheMail) {
					t.Errorf("the report quotes the panic's value:\n%s", text)
				}
				return err
			})
			if err != nil || reports == 0 {
				t.Errorf("%d reports were left (%v)", reports, err)
			}
		})
	}
}

// TestTheTerminalGoesAway: without a SIGHUP, too, the program ends when its
// terminal does.
func TestTheTerminalGoesAway(t *testing.T) {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "TIDINGS_TEST_SCREEN=nohup", "TERM=xterm-256color")
	master, err := pty.StartWithSize(c, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		testserver.Missing(t, "no pseudo-terminal: "+err.Error())
	}
	timer := time.AfterFunc(patience, func() { _ = c.Process.Kill() })
	defer timer.Stop()
	var out bytes.Buffer
	b := make([]byte, 4096)
	for !strings.Contains(out.String(), "(90)") {
		n, err := master.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b[:n])
	}
	master.Close()
	err = c.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 3 {
		t.Errorf("it ended with %v, want status 3", err)
	}
}
