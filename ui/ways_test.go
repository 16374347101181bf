//go:build unix

package ui

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tidings/internal/emulator"
	"tidings/internal/testserver"

	tea "charm.land/bubbletea/v2"
	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"
	"github.com/hinshun/vt10x"
)

// seat is a person at a terminal with a shell in it. The terminal answers
// questions about itself, as real ones do.
type seat struct {
	t      *testing.T
	dir    string // the shell's $D
	master *os.File

	mu      sync.Mutex
	changed *sync.Cond
	screen  vt10x.Terminal
	raw     bytes.Buffer
	closed  bool
	expired bool
}

const (
	seatWidth  = 100
	seatHeight = 30
)

// library is what the shell knows: run starts the program, back brings it to the
// foreground again, and both say whether the terminal's settings are as before.
const library = `PS1='$ '
same() { stty -a >$D/after; cmp $D/before $D/after && echo same $1; }
run() { stty -a >$D/before; env "$@" $PROG; same $?; }
back() { fg >/dev/null; same $?; }
`

// route is how the person gets to the shell. command takes what to run at the
// far end.
type route struct {
	name    string
	command func(t *testing.T, dir string, shell []string) *exec.Cmd
}

var routes = []route{
	{"terminal", func(_ *testing.T, _ string, shell []string) *exec.Cmd { return exec.Command(shell[0], shell[1:]...) }},
	{"ssh", func(t *testing.T, dir string, shell []string) *exec.Cmd {
		needs(t, "sshd", "ssh", "ssh-keygen")
		return overSSH(t, dir, shell)
	}},
	{"tmux", func(t *testing.T, dir string, shell []string) *exec.Cmd {
		needs(t, "tmux")
		socket := filepath.Join(dir, "s")
		t.Cleanup(func() { _ = exec.Command("tmux", "-S", socket, "kill-server").Run() })
		conf := filepath.Join(dir, "tmux.conf")
		if err := os.WriteFile(conf, []byte("set -g status off\nset -g default-terminal tmux-256color\nset -sg escape-time 0\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return exec.Command("tmux", append([]string{"-u", "-S", socket, "-f", conf, "new-session"}, shell...)...)
	}},
}

// needs skips the test where a program is not installed; CI has them all.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := lookPath(p); err != nil {
			testserver.Missing(t, err.Error())
		}
	}
}

func lookPath(program string) (string, error) {
	if path, err := exec.LookPath(program); err == nil {
		return path, nil
	}
	return exec.LookPath("/usr/sbin/" + program) // not on everybody's path
}

// overSSH runs a command by a private sshd that serves this one connection.
func overSSH(t *testing.T, dir string, shell []string) *exec.Cmd {
	t.Helper()
	for _, name := range []string{"host", "key"} {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, name)).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	sshd, err := lookPath("sshd")
	if err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 { // sshd as root wants a place of its own
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	who, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	passwd, err := os.ReadFile("/etc/passwd")
	if err != nil {
		testserver.Missing(t, err.Error())
	}
	for line := range strings.Lines(string(passwd)) {
		if f := strings.Split(strings.TrimSpace(line), ":"); f[0] == who.Username && !strings.HasSuffix(f[len(f)-1], "sh") {
			testserver.Missing(t, fmt.Sprintf("sshd runs nothing for a user whose shell is %q", f[len(f)-1]))
		}
	}
	conf := filepath.Join(dir, "sshd.conf")
	settings := fmt.Sprintf("HostKey %s\nAuthorizedKeysFile %s\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nPrintMotd no\nPrintLastLog no\nPidFile none\nLogLevel ERROR\n",
		filepath.Join(dir, "host"), filepath.Join(dir, "key.pub"))
	if err := os.WriteFile(conf, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	return exec.Command("ssh", "-F", "/dev/null", "-tt", "-q", "-e", "none",
		"-o", "ProxyCommand="+sshd+" -i -f "+conf,
		"-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "IdentitiesOnly=yes",
		"-i", filepath.Join(dir, "key"), who.Username+"@localhost", "exec "+strings.Join(shell, " "))
}

// sitAt opens a terminal and gets to a shell by route.
func sitAt(t *testing.T, r route) *seat {
	t.Helper()
	dir, err := os.MkdirTemp("", "seat") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.WriteFile(filepath.Join(dir, "lib"), []byte(library), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "ready"), 0o600); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := r.command(t, dir, []string{"env", "ENV=" + dir + "/lib", "D=" + dir, "PROG=" + self, "TIDINGS_TEST_READY=" + dir + "/ready",
		"XDG_STATE_HOME=" + dir, "LC_ALL=C.UTF-8", "LANG=C.UTF-8", "GORACE=exitcode=66 atexit_sleep_ms=0 log_path=" + dir + "/race", "sh", "-i"})
	c.Env = append(os.Environ(), "TERM=xterm-256color", "LC_ALL=C.UTF-8", "TMUX=", "SHELL=/bin/sh")
	master, err := pty.StartWithSize(c, &pty.Winsize{Rows: seatHeight, Cols: seatWidth})
	if err != nil {
		testserver.Missing(t, "no pseudo-terminal: "+err.Error())
	}
	s := &seat{t: t, dir: dir, master: master, screen: emulator.New(vt10x.WithSize(seatWidth, seatHeight), vt10x.WithWriter(master))}
	s.changed = sync.NewCond(&s.mu)
	read := make(chan struct{})
	go func() {
		defer close(read)
		b := make([]byte, 64<<10)
		for {
			n, err := master.Read(b)
			s.mu.Lock()
			s.raw.Write(b[:n])
			_, _ = s.screen.Write(b[:n])
			s.closed = err != nil
			s.changed.Broadcast()
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
		master.Close() // whoever still has the terminal may not keep us
		<-read
		reports, _ := filepath.Glob(filepath.Join(dir, "race.*"))
		for _, path := range reports {
			text, _ := os.ReadFile(path)
			t.Errorf("the program has a data race:\n%s", text)
		}
	})
	s.until("a prompt", func(lines []string) bool { return slices.Contains(lines, "$") })
	return s
}

func (s *seat) lines() []string {
	x := terminalTest{screen: s.screen, w: seatWidth, h: seatHeight}
	lines := x.lines()
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

func (s *seat) until(what string, ok func(lines []string) bool) []string {
	s.t.Helper()
	timer := time.AfterFunc(patience, func() {
		s.mu.Lock()
		s.expired = true
		s.changed.Broadcast()
		s.mu.Unlock()
	})
	defer timer.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		lines := s.lines()
		if ok(lines) {
			return lines
		}
		if s.expired || s.closed {
			s.t.Fatalf("never saw %s; the screen is\n%s\nwritten was\n%q", what, strings.Join(lines, "\n"), s.raw.String())
		}
		s.changed.Wait()
	}
}

func (s *seat) sees(text string) []string {
	s.t.Helper()
	return s.until(text, func(lines []string) bool { return strings.Contains(strings.Join(lines, "\n"), text) })
}

func (s *seat) types(keys string) {
	s.t.Helper()
	if _, err := s.master.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

// modes are those of the emulator that outlast a line.
func (s *seat) modes() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprintf("modes %b, cursor %t", s.screen.Mode(), s.screen.CursorVisible())
}

// started waits for the program's process. Opened for reading alone, a FIFO that
// nobody writes to would be waited for without end.
func (s *seat) started() int {
	s.t.Helper()
	f, err := os.OpenFile(filepath.Join(s.dir, "ready"), os.O_RDWR|syscall.O_NONBLOCK, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	if err := f.SetReadDeadline(time.Now().Add(patience)); err != nil {
		s.t.Fatal(err)
	}
	line, err := bufio.NewReader(f).ReadString('\n')
	if err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.t.Fatalf("the program has not started: %v; the screen is\n%s\nwritten was\n%q", err, strings.Join(s.lines(), "\n"), s.raw.String())
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		s.t.Fatal(err)
	}
	return pid
}

// shell waits for the screen to be the shell's, with exactly these lines and a
// prompt, and then uses the shell: what the terminal answered too late would be
// found typed.
func (s *seat) shell(want ...string) {
	s.t.Helper()
	want = append(want, "$")
	var got []string
	s.until("the shell", func(lines []string) bool {
		got = slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return strings.HasPrefix(l, "[1] + Stopped ") })
		return len(lines) > 1 && lines[len(lines)-1] == "$" && strings.Contains(lines[len(lines)-2], "same ")
	})
	if !slices.Equal(got, want) {
		s.t.Errorf("the screen is not what it was (-want +got):\n%s", cmp.Diff(want, got))
	}
	s.types("echo typed\r")
	s.until("the shell's answer", func(lines []string) bool {
		return len(lines) > 2 && slices.Equal(lines[len(lines)-3:], []string{"$ echo typed", "typed", "$"})
	})
}

// stopped waits for the shell to have the program stopped for the nth time.
func (s *seat) stopped(n int) {
	s.t.Helper()
	s.until("the program stopped", func(lines []string) bool {
		return len(lines) > 1 && lines[len(lines)-1] == "$" && strings.Count(strings.Join(lines, "\n"), "same 148") == n
	})
}

// way is one way into and out of the program.
type way struct {
	name, env string
	do        func(s *seat, pid int) // until the program ends
	want      []string               // what the shell shows between the command and its prompt
}

const running = "TIDINGS_TEST_SCREEN=1"

func signalled(sig syscall.Signal) func(*seat, int) {
	return func(s *seat, pid int) {
		s.sees("(90)")
		if err := syscall.Kill(pid, sig); err != nil {
			s.t.Fatal(err)
		}
	}
}

var ways = []way{
	{"quit", running, func(s *seat, _ int) { s.sees("(90)"); s.types("Q") }, []string{"same 0"}},
	{"quit at once", running, func(s *seat, _ int) { s.types("Q") }, nil},
	{"SIGTERM", running, signalled(syscall.SIGTERM), []string{"same 0"}},
	{"SIGHUP", running, signalled(syscall.SIGHUP), []string{"same 0"}},
	{"ctrl+c", running, func(s *seat, _ int) { s.sees("(90)"); s.types("\x03") }, []string{"same 0"}},
	{"ctrl+c during the start", running, func(s *seat, _ int) { s.types("\x03") }, nil},
	{"SIGTERM during the start", running, func(s *seat, pid int) { _ = syscall.Kill(pid, syscall.SIGTERM) }, []string{"same 0"}},
	{"panic in Update", "TIDINGS_TEST_CRASH=update", func(s *seat, _ int) { s.sees("(5)"); s.types("\r") }, []string{"same 70"}},
	{"panic of a goroutine", "TIDINGS_TEST_CRASH=goroutine", func(s *seat, _ int) { s.sees("(5)"); s.types("\r") }, []string{"same 70"}},
	{"suspended", running, func(s *seat, _ int) {
		s.sees("(90)")
		s.types("\x1a")
		s.stopped(1)
		s.types("back\r")
		s.sees("(90)")
		s.types("j\x1a")
		s.stopped(2)
		s.types("back\r")
		s.until("the cursor further down", func(lines []string) bool {
			return slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "▌") && strings.Contains(l, "(89)") })
		})
		s.types("Q")
	}, []string{"same 148", "$ back", "same 148", "$ back", "same 0"}},
	{"another program in the foreground", "TIDINGS_TEST_LEND=1", func(s *seat, pid int) {
		signalled(syscall.SIGUSR1)(s, pid)
		s.sees("the other program")
		s.types("typed to it\r")
		s.sees("(90)")
		s.types("Q")
	}, []string{"the other program has this terminal", "typed to it", "same 0"}},
}

// TestWays: by whatever way the program is left, and by whatever way the
// terminal is given away for a while, settings, modes and screen are what they
// were, on a terminal, over ssh and in tmux.
func TestWays(t *testing.T) {
	for _, r := range routes {
		t.Run(r.name, func(t *testing.T) {
			for _, w := range ways {
				t.Run(w.name, func(t *testing.T) {
					t.Parallel()
					s := sitAt(t, r)
					command := "run " + w.env
					before := s.modes()
					s.types(command + "\r")
					w.do(s, s.started())
					lines := s.sees("same ")
					want := w.want
					switch {
					case want == nil: // typed at a shell's screen, a key shows there
						if strings.TrimLeft(lines[1], "^CQ") != "same 0" {
							t.Errorf("the screen is\n%s", strings.Join(lines, "\n"))
						}
						want = lines[1:2]
					case strings.Contains(w.name, "panic"):
						lines = s.sees(want[0])
						if len(lines) < 3 || !strings.Contains(lines[1], "tidings crashed") {
							t.Fatalf("the screen is\n%s", strings.Join(lines, "\n"))
						}
						want = append(slices.Clone(lines[1:slices.Index(lines, want[0])]), want[0])
					}
					s.until("what follows", func(lines []string) bool {
						return len(lines) > 1 && lines[len(lines)-1] == "$" && lines[len(lines)-2] == want[len(want)-1]
					})
					s.shell(append([]string{"$ " + command}, want...)...)
					if after := s.modes(); after != before {
						t.Errorf("the terminal has %s, and had %s", after, before)
					}
				})
			}
		})
	}
}

// lendChild is the program, running another one in its terminal at a SIGUSR1.
func lendChild() {
	s := newFakeSession()
	s.start(90)
	ctx := context.Background()
	o := screenOptions(s)
	m := newModel(o)
	p, err := newProgram(ctx, m, o)
	if err != nil {
		panic(err)
	}
	startPump(ctx, 0, s.box, p.Send)
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	go func() {
		<-asked
		p.Send(foregroundMsg{
			run: func() error {
				c := exec.Command("sh", "-c", `stty -a >$D/after; cmp $D/before $D/after && echo the other program has this terminal; read line`)
				c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
				return c.Run()
			},
			done: func(err error) tea.Msg {
				if err != nil {
					panic(err)
				}
				return redrawMsg{}
			},
		})
	}()
	ready()
	_ = p.Run()
	os.Exit(0)
}
