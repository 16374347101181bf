package run

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain lets this binary play the programs that are run.
func TestMain(m *testing.M) {
	if role := os.Getenv("TIDINGS_RUN_ROLE"); role != "" {
		play(role)
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

func sh(script string) Program { return Program{Argv: []string{"sh", "-c", script}} }

func TestRun(t *testing.T) {
	cases := []struct {
		name           string
		p              Program
		stdout, stderr string
		exit           int // of the *Error; 0: none
	}{
		{name: "output", p: sh("echo out; echo err >&2"), stdout: "out\n", stderr: "err\n"},
		{name: "arguments are not a shell's", p: Program{Argv: []string{"echo", "$HOME; `ls`", "a  b"}}, stdout: "$HOME; `ls` a  b\n"},
		{name: "no stdin", p: Program{Argv: []string{"cat"}}},
		{name: "stdin", p: Program{Argv: []string{"cat"}, Stdin: strings.NewReader("in")}, stdout: "in"},
		{name: "status", p: sh("echo out; exit 3"), stdout: "out\n", exit: 3},
		{name: "directory", p: Program{Argv: []string{"pwd"}, Dir: "/"}, stdout: "/\n"},
		{name: "environment", p: Program{Argv: []string{"sh", "-c", `echo "$ADDED ${HOME-gone}"`}, Env: []string{"ADDED=x=y", "HOME"}}, stdout: "x=y gone\n"},
		{name: "killed by a signal", p: sh("kill -9 $$"), exit: -1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.p.Run(t.Context())
			if string(got.Stdout) != c.stdout || string(got.Stderr) != c.stderr {
				t.Errorf("stdout %q, stderr %q; want %q, %q", got.Stdout, got.Stderr, c.stdout, c.stderr)
			}
			var failed *Error
			switch {
			case c.exit == 0 && err != nil:
				t.Error(err)
			case c.exit != 0 && !errors.As(err, &failed):
				t.Errorf("error %v, want an *Error", err)
			case c.exit != 0 && failed.Exit != c.exit:
				t.Errorf("exit status %d, want %d", failed.Exit, c.exit)
			}
		})
	}
}

func TestOutputIsBounded(t *testing.T) {
	p := sh("yes | head -c 3000000; yes no | head -c 200000 >&2")
	p.Output = 1000
	got, err := p.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Stdout) != 1000 || len(got.Stderr) != 1000 || !got.StdoutTruncated || !got.StderrTruncated {
		t.Errorf("%d and %d octets kept, truncated %v and %v", len(got.Stdout), len(got.Stderr), got.StdoutTruncated, got.StderrTruncated)
	}
}

func TestNoSuchProgram(t *testing.T) {
	for _, program := range []string{"tidings-no-such-program", "/nonexistent/program"} {
		_, err := Program{Argv: []string{program}}.Run(t.Context())
		if !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), program) {
			t.Errorf("got %v", err)
		}
	}
	if _, err := (Program{}).Run(t.Context()); err == nil {
		t.Error("an empty command runs")
	}
}

// TestErrorsSayNothingPrivate: arguments and output stay out of errors.
func TestErrorsSayNothingPrivate(t *testing.T) {
	const secret = "hunter2"
	for _, p := range []Program{
		{Argv: []string{"sh", "-c", "echo " + secret + "; echo " + secret + " >&2; exit 1"}},
		{Argv: []string{"tidings-no-such-program", secret}},
		{Argv: []string{"sh", "-c", "sleep 60", secret}, Timeout: time.Millisecond},
	} {
		_, err := p.Run(t.Context())
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("error %v", err)
		}
	}
}

// TestTheWholeGroupEnds: what the program started has a FIFO open for writing;
// the end of the FIFO proves that it is gone.
func TestTheWholeGroupEnds(t *testing.T) {
	for _, ignoring := range []bool{false, true} {
		name := map[bool]string{false: "on SIGTERM", true: "although it ignores SIGTERM"}[ignoring]
		t.Run(name, func(t *testing.T) {
			fifo := filepath.Join(t.TempDir(), "alive")
			if err := syscall.Mkfifo(fifo, 0o600); err != nil {
				t.Fatal(err)
			}
			// The grandchild says that it runs and holds the FIFO open while it does.
			script := `sh -c 'echo up; sleep 600' > ` + fifo + ` & wait`
			if ignoring {
				script = "trap '' TERM; " + script
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error, 1)
			go func() {
				_, err := sh(script).Run(ctx)
				ended <- err
			}()
			alive, err := os.Open(fifo)
			if err != nil {
				t.Fatal(err)
			}
			defer alive.Close()
			if _, err := io.ReadFull(alive, make([]byte, len("up\n"))); err != nil {
				t.Fatal(err)
			}
			cancel()
			if rest, err := io.ReadAll(alive); err != nil || len(rest) > 0 {
				t.Errorf("the grandchild said %q, %v", rest, err)
			}
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("error %v, want context.Canceled", err)
			}
		})
	}
}

func TestTimeout(t *testing.T) {
	p := sh("sleep 600")
	p.Timeout = 20 * time.Millisecond
	_, err := p.Run(t.Context())
	if !errors.Is(err, ErrTimeout) || !strings.Contains(err.Error(), "20ms") {
		t.Errorf("error %v, want ErrTimeout after 20ms", err)
	}
}

// TestWhatIsLeftBehind: a program that ends well and leaves an agent behind,
// which holds the output open, has ended well.
func TestWhatIsLeftBehind(t *testing.T) {
	got, err := sh("echo secret; sleep 3 & exit 0").Run(t.Context())
	if err != nil || string(got.Stdout) != "secret\n" {
		t.Errorf("stdout %q, %v", got.Stdout, err)
	}
	_, err = sh("sleep 3 & exit 4").Run(t.Context())
	var failed *Error
	if !errors.As(err, &failed) || failed.Exit != 4 {
		t.Errorf("error %v", err)
	}
}

func TestWithhold(t *testing.T) {
	t.Setenv("TIDINGS_TEST_WITHHELD", "secret")
	p := sh("echo ${TIDINGS_TEST_WITHHELD-none}")
	Withhold("TIDINGS_TEST_WITHHELD")
	if got, err := p.Run(t.Context()); err != nil || string(got.Stdout) != "none\n" {
		t.Errorf("stdout %q, %v", got.Stdout, err)
	}
	p.Env = []string{"TIDINGS_TEST_WITHHELD=said"}
	if got, err := p.Run(t.Context()); err != nil || string(got.Stdout) != "said\n" {
		t.Errorf("stdout %q, %v", got.Stdout, err)
	}
}

func TestContextEndsTheProgram(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sh("sleep 600").Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}

// TestNoTerminal: without Terminal a program cannot reach ours.
func TestNoTerminal(t *testing.T) {
	got, err := sh("exec 2>/dev/null; (: </dev/tty) && echo reached || echo none").Run(t.Context())
	if err != nil || string(got.Stdout) != "none\n" {
		t.Errorf("the program says %q, %v", got.Stdout, err)
	}
}

func TestLastLine(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "\n": "", "a": "a", "a\nb\n": "b", "a\r\n  b \r\n\n": "b",
	} {
		if got := LastLine([]byte(in)); got != want {
			t.Errorf("LastLine(%q) = %q, want %q", in, got, want)
		}
	}
}
