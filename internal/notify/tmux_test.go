package notify

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/internal/testserver"

	"github.com/creack/pty"
)

// TestOSC9ThroughTmux: a real tmux hands the wrapped notice on to the terminal
// outside as it was, where it is allowed to, and nothing of it where it is not.
func TestOSC9ThroughTmux(t *testing.T) {
	tmux, err := exec.LookPath("tmux")
	if err != nil {
		testserver.Missing(t, "tmux is not installed")
	}
	const text = "Alice – Deploy window"
	for _, passthrough := range []string{"on", "off"} {
		t.Run("allow-passthrough "+passthrough, func(t *testing.T) {
			dir, err := os.MkdirTemp("", "tn") // a socket's path is short
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(dir)
			conf, notice, socket := filepath.Join(dir, "conf"), filepath.Join(dir, "notice"), filepath.Join(dir, "s")
			// tmux draws in its own time; the text on screen says that the notice
			// before it has been dealt with.
			sequence := Detect([]string{"TMUX=" + socket + ",1,0"}).OSC9(clean(text)) + "printed"
			for name, content := range map[string]string{
				conf:   "set -g allow-passthrough " + passthrough + "\nset -g status off\n",
				notice: sequence,
			} {
				if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.Command(tmux, "-S", socket, "-f", conf, "new-session", "echo ready; read go; cat "+notice+"; exec cat")
			cmd.Env = slices.DeleteFunc(os.Environ(), func(e string) bool {
				return strings.HasPrefix(e, "TMUX") || strings.HasPrefix(e, "TERM=") || strings.HasPrefix(e, "LC_ALL=")
			})
			cmd.Env = append(cmd.Env, "TERM=xterm-256color", "LC_ALL=C.UTF-8", "SHELL=/bin/sh") // a service user's own shell says no
			outside, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
			if err != nil {
				testserver.Missing(t, "no pseudo-terminal: "+err.Error())
			}
			defer outside.Close()
			killer := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
			defer killer.Stop()
			var seen bytes.Buffer
			buf := make([]byte, 4096)
			await := func(text string) {
				for !bytes.Contains(seen.Bytes(), []byte(text)) {
					n, err := outside.Read(buf)
					seen.Write(buf[:n])
					if err != nil {
						t.Fatalf("%v after %q", err, seen.Bytes())
					}
				}
			}
			await("ready") // what comes before the terminal is attached goes nowhere
			if _, err := io.WriteString(outside, "\n"); err != nil {
				t.Fatal(err)
			}
			await("printed")
			if out, err := exec.Command(tmux, "-S", socket, "kill-server").CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
			_, _ = io.Copy(&seen, outside)
			_ = cmd.Wait()
			want := passthrough == "on"
			if got := bytes.Contains(seen.Bytes(), []byte(Terminal{}.OSC9(clean(text)))); got != want {
				t.Errorf("the terminal outside got the notice: %v, want %v\n%q", got, want, seen.Bytes())
			}
			if !want && bytes.Contains(seen.Bytes(), []byte("Alice")) {
				t.Errorf("parts of the notice are on the screen: %q", seen.Bytes())
			}
		})
	}
}
