package testserver

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Terminal is a command in a tmux of its own, as a person would run it. Its
// methods are for the test's goroutine.
type Terminal struct {
	t       testing.TB
	program string
	socket  string
	dir     string
	logged  string // where the command's output is copied to, or ""
}

// TerminalOption changes how a Terminal is set up.
type TerminalOption func(*terminalSettings)

type terminalSettings struct {
	width, height int
	term          string
	env           []string
	dir           string
	record        bool
	conf          string
}

// Size sets the terminal's size; the default is 80x24.
func Size(width, height int) TerminalOption {
	return func(s *terminalSettings) { s.width, s.height = width, height }
}

// Term sets the TERM that the command sees; the default is "tmux-256color".
// "tmux-direct", "screen" and "screen-256color" are others that fit tmux.
func Term(name string) TerminalOption { return func(s *terminalSettings) { s.term = name } }

// Env adds "NAME=value" to the command's environment.
func Env(pairs ...string) TerminalOption {
	return func(s *terminalSettings) { s.env = append(s.env, pairs...) }
}

// Dir sets the command's working directory.
func Dir(path string) TerminalOption { return func(s *terminalSettings) { s.dir = path } }

// Record keeps every byte that the command writes, for Output.
func Record() TerminalOption { return func(s *terminalSettings) { s.record = true } }

// TmuxConfig adds lines to the tmux configuration, e.g. "set -g allow-passthrough on".
func TmuxConfig(lines string) TerminalOption {
	return func(s *terminalSettings) { s.conf += lines + "\n" }
}

// Tmux runs a command (its path and arguments; no shell) in a private tmux
// server, which ends with the test.
func Tmux(t testing.TB, command []string, opts ...TerminalOption) *Terminal {
	t.Helper()
	s := terminalSettings{width: 80, height: 24, term: "tmux-256color"}
	for _, opt := range opts {
		opt(&s)
	}
	program := need(t, "tmux")
	// A Unix socket's path is short; t.TempDir's may not be.
	dir, err := os.MkdirTemp("", "tt")
	if err != nil {
		t.Fatalf("make tmux's directory: %v", err)
	}
	term := &Terminal{t: t, program: program, dir: dir, socket: filepath.Join(dir, "s")}
	release, err := term.guard()
	if err != nil {
		t.Fatalf("guard tmux: %v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			if screen, err := term.tmux("capture-pane", "-p"); err == nil {
				t.Logf("the screen at the end:\n%s", screen)
			}
		}
		term.end()
		release()
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove tmux's directory: %v", err)
		}
	})
	conf := filepath.Join(dir, "tmux.conf")
	lines := "set -g status off\nset -g remain-on-exit on\nset -g remain-on-exit-format ''\nset -sg escape-time 0\n" +
		"set -g history-limit 0\nset -g default-terminal " + s.term + "\nset -g set-titles on\n" + s.conf
	if err := os.WriteFile(conf, []byte(lines), 0o600); err != nil {
		t.Fatalf("configure tmux: %v", err)
	}

	args := []string{"-f", conf, "new-session", "-d", "-x", strconv.Itoa(s.width), "-y", strconv.Itoa(s.height)}
	if s.dir != "" {
		args = append(args, "-c", s.dir)
	}
	for _, pair := range s.env {
		args = append(args, "-e", pair)
	}
	recording := ""
	if s.record {
		term.logged = filepath.Join(dir, "output")
		recording = "yes"
	}
	args = append(args, "sh", "-c", runner, dir, program, recording)
	if out, err := term.tmux(append(args, command...)...); err != nil {
		t.Fatalf("start tmux: %v\n%s", err, out)
	}
	if s.record {
		// The copy has to be there before the first byte: the command waits.
		term.must("pipe-pane", "-O", "cat >"+term.logged)
		term.must("wait-for", "-S", "go")
	}
	return term
}

// runner runs the command in the pane and writes down its process and its exit
// status: tmux 3.3 sometimes loses the latter. The signals of the terminal are
// for the command; the shell only outlives them.
const runner = `trap : HUP INT QUIT TERM
dir=$0 tmux=$1 recording=$2
shift 2
test -z "$recording" || "$tmux" -S "$dir/s" wait-for go
sh -c 'echo $$ >"$0/pid.new" && mv "$0/pid.new" "$0/pid" && exec "$@"' "$dir" "$@"
code=$?
test -z "$recording" || printf '\033]7777;end\007' 2>/dev/null
echo $code >"$dir/status.new" && mv "$dir/status.new" "$dir/status"`

// guard ends the tmux server if the test is killed before it can: a shell waits
// for the end of its standard input. release ends the guard.
func (term *Terminal) guard() (release func(), err error) {
	watch := exec.Command("sh", "-c", `read -r _; "$0" -S "$1" kill-server 2>/dev/null`, term.program, term.socket)
	alive, err := watch.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := watch.Start(); err != nil {
		return nil, err
	}
	return func() {
		_ = alive.Close()
		// It fails where the server has ended already, as it should have.
		_ = watch.Wait()
	}, nil
}

// end closes the terminal under the command, and kills the command if that does
// not end it.
func (term *Terminal) end() {
	_, _ = term.tmux("kill-server")
	pid, ok := term.number("pid")
	if !ok {
		return
	}
	ended := func() bool {
		_, ok := term.number("status")
		return ok
	}
	if !ended() {
		// The kernel tells the session's leader alone that the terminal has gone; an
		// interactive shell passes it on, and so does this.
		_ = syscall.Kill(pid, syscall.SIGHUP)
	}
	if !term.poll(5*time.Second, ended) {
		term.t.Errorf("the command still ran 5 s after its terminal had closed")
		_ = syscall.Kill(pid, syscall.SIGKILL)
		term.poll(5*time.Second, ended)
	}
}

// number reads one of the runner's files.
func (term *Terminal) number(name string) (int, bool) {
	data, err := os.ReadFile(filepath.Join(term.dir, name))
	if err != nil {
		return 0, false
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(data)))
	return n, err == nil
}

// tmux runs a tmux command against the private server.
func (term *Terminal) tmux(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, term.program, append([]string{"-S", term.socket}, args...)...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(pair string) bool {
		return strings.HasPrefix(pair, "TMUX=") || strings.HasPrefix(pair, "TMUX_PANE=")
	})
	if !slices.ContainsFunc(cmd.Env, func(pair string) bool {
		return strings.HasPrefix(pair, "LC_ALL=") || strings.HasPrefix(pair, "LANG=")
	}) {
		cmd.Env = append(cmd.Env, "LC_ALL=C.UTF-8")
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (term *Terminal) must(args ...string) string {
	term.t.Helper()
	out, err := term.tmux(args...)
	if err != nil {
		term.t.Fatalf("tmux %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// Send presses keys by their tmux names: "j", "Enter", "C-c", "Escape", "M-x",
// "PPage".
func (term *Terminal) Send(keys ...string) {
	term.t.Helper()
	term.must(append([]string{"send-keys"}, keys...)...)
}

// Type writes a text as if typed, without reading key names into it.
func (term *Terminal) Type(text string) {
	term.t.Helper()
	term.must("send-keys", "-l", text)
}

// Screen is what is on screen, one string a row, without trailing spaces.
func (term *Terminal) Screen() []string {
	term.t.Helper()
	return strings.Split(strings.TrimSuffix(term.must("capture-pane", "-p"), "\n"), "\n")
}

// ScreenStyled is the screen with the escape sequences of its colours.
func (term *Terminal) ScreenStyled() string {
	term.t.Helper()
	return term.must("capture-pane", "-p", "-e")
}

// Format asks tmux for a format of its own, e.g. "#{cursor_y}" or
// "#{window_bell_flag}".
func (term *Terminal) Format(format string) string {
	term.t.Helper()
	return strings.TrimSuffix(term.must("display-message", "-p", format), "\n")
}

// Title is the window title that the command has set.
func (term *Terminal) Title() string {
	term.t.Helper()
	return term.Format("#{pane_title}")
}

// Resize changes the terminal's size under the command.
func (term *Terminal) Resize(width, height int) {
	term.t.Helper()
	term.must("resize-window", "-x", strconv.Itoa(width), "-y", strconv.Itoa(height))
}

// Output is every byte that the command has written so far; it needs Record.
func (term *Terminal) Output() []byte {
	term.t.Helper()
	if term.logged == "" {
		term.t.Fatal("Output needs the option Record")
	}
	data, err := os.ReadFile(term.logged)
	if err != nil && !os.IsNotExist(err) {
		term.t.Fatalf("read the output: %v", err)
	}
	return bytes.TrimSuffix(data, []byte(endOfOutput))
}

// endOfOutput is what the runner writes behind a recorded command's output; no
// terminal knows the sequence.
const endOfOutput = "\x1b]7777;end\a"

// look is how often a waiting test looks at the screen.
const look = 20 * time.Millisecond

// WaitFor waits until a text stands on the screen, and returns the screen.
func (term *Terminal) WaitFor(text string, timeout time.Duration) []string {
	term.t.Helper()
	return term.WaitUntil(fmt.Sprintf("%q on screen", text), timeout, func(screen []string) bool {
		return Shows(screen, text)
	})
}

// WaitGone waits until a text stands nowhere on the screen any more.
func (term *Terminal) WaitGone(text string, timeout time.Duration) []string {
	term.t.Helper()
	return term.WaitUntil(fmt.Sprintf("%q to go", text), timeout, func(screen []string) bool {
		return !Shows(screen, text)
	})
}

// WaitUntil waits until the screen is as wanted, and returns it; what says in
// words what is waited for.
func (term *Terminal) WaitUntil(what string, timeout time.Duration, wanted func(screen []string) bool) []string {
	term.t.Helper()
	var screen []string
	if !term.poll(timeout, func() bool {
		screen = term.Screen()
		return wanted(screen)
	}) {
		term.t.Fatalf("waited %v for %s; the screen is\n%s", timeout, what, strings.Join(screen, "\n"))
	}
	return screen
}

// Shows says whether a row of the screen holds a text.
func Shows(screen []string, text string) bool {
	return slices.ContainsFunc(screen, func(row string) bool { return strings.Contains(row, text) })
}

// Exited waits until the command has ended and returns its exit status; a
// signal that killed it is 128 plus its number. From then on Output is all that
// the command wrote.
func (term *Terminal) Exited(timeout time.Duration) int {
	term.t.Helper()
	status := 0
	if !term.poll(timeout, func() (ok bool) {
		status, ok = term.number("status")
		// A dead pane is one whose output tmux has read to its end, and passed on.
		return ok && term.Format("#{pane_dead}") == "1"
	}) {
		term.t.Fatalf("the command did not end in %v; the screen is\n%s", timeout, strings.Join(term.Screen(), "\n"))
	}
	if term.logged != "" && !term.poll(5*time.Second, func() bool {
		data, err := os.ReadFile(term.logged)
		return err == nil && bytes.HasSuffix(data, []byte(endOfOutput))
	}) {
		term.t.Fatal("the copy of the output does not end")
	}
	return status
}

// Pid is the command's process.
func (term *Terminal) Pid() int {
	term.t.Helper()
	pid := 0
	if !term.poll(10*time.Second, func() (ok bool) {
		pid, ok = term.number("pid")
		return ok
	}) {
		term.t.Fatal("the command did not start")
	}
	return pid
}

// poll asks every 20 ms; false after the timeout.
func (term *Terminal) poll(timeout time.Duration, done func() bool) bool {
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		if done() {
			return true
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			return done()
		}
	}
}
