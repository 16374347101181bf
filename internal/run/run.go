// Package run starts every program that Tidings starts: an argument vector
// (never a shell, unless the person's own argv names one), a time limit, and a
// bounded output. Whatever the program started dies with it when the time is
// over.
//
// By default a program has no terminal: it runs in a session of its own with an
// empty stdin, so that it can neither read keys meant for the screen nor draw
// over it. With Terminal it gets the terminal as a shell would give it, which
// is for before the screen starts and after it ended.
package run

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// DefaultOutput is the bound of each of stdout and stderr, in octets.
const DefaultOutput = 1 << 20

// grace is how long a program may take to end after it was told to (SIGTERM),
// before it is killed, and how long its pipes are waited for after its end.
const grace = 500 * time.Millisecond

// Program is a program to be run once.
type Program struct {
	Argv    []string      // the program (looked up in PATH) and its arguments
	Env     []string      // "NAME=value" added to Tidings' own environment, and "NAME" taken out of it
	Dir     string        // "": the current directory
	Stdin   io.Reader     // nil: empty
	Timeout time.Duration // 0: none but the context's
	Output  int           // bound of stdout, and of stderr; 0: DefaultOutput
	// Terminal hands the controlling terminal to the program, as the foreground
	// process group, until it ends. Only where no screen owns it. When the
	// program is stopped (ctrl+z), so are we, until the shell continues us.
	Terminal bool
	// Screen, with Terminal: the program's stdout and stderr are the terminal, and
	// nothing of that is kept. (A pager, an editor.)
	Screen bool
}

// Result is what a program printed. What exceeded the bound was read and
// dropped.
type Result struct {
	Stdout, Stderr                   []byte
	StdoutTruncated, StderrTruncated bool
}

// ErrTimeout: the program's time was over, and it was ended.
var ErrTimeout = errors.New("it took too long and was ended")

// ErrNotFound: there is no such program, in the PATH or at the path given.
var ErrNotFound = errors.New("there is no such program")

// Error says that a program could not be started, failed or was ended. Its
// text names the program but not its arguments, which may be private, and
// nothing of its output.
type Error struct {
	Program string
	Exit    int // exit status; -1 where it has none
	err     error
}

func (e *Error) Error() string { return e.Program + ": " + e.err.Error() }

// Unwrap is ErrTimeout, ErrNotFound, the context's error, or how it ended.
func (e *Error) Unwrap() error { return e.err }

// Run runs the program and waits for it. An error is an *Error; the Result is
// valid in any case.
func (p Program) Run(ctx context.Context) (Result, error) {
	if len(p.Argv) == 0 || p.Argv[0] == "" {
		return Result{}, &Error{Program: "(no program)", Exit: -1, err: errors.New("the command is empty")}
	}
	if p.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, p.Timeout, ErrTimeout)
		defer cancel()
	}
	bound := p.Output
	if bound <= 0 {
		bound = DefaultOutput
	}
	stdout, stderr := bounded{limit: bound}, bounded{limit: bound}
	cmd := exec.CommandContext(ctx, p.Argv[0], p.Argv[1:]...)
	cmd.Dir = p.Dir
	cmd.Env = environment(os.Environ(), append(withheldNames(), p.Env...))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = p.Stdin, &stdout, &stderr
	cmd.WaitDelay = 2 * grace
	// The group dies, not only its leader: `sh -c "a | b"` is three processes.
	cmd.Cancel = func() error { return endGroup(cmd.Process.Pid) }
	terminal, err := own(cmd, p.Terminal, p.Screen)
	if err != nil {
		return Result{}, p.fail(ctx, cmd, err)
	}
	err = cmd.Start()
	switch {
	case err != nil:
	case terminal == nil:
		err = cmd.Wait()
	default:
		err = terminal.wait(cmd.Process.Pid)
		_ = cmd.Wait() // for the pipes; of the process there is nothing left to wait for
	}
	if terminal != nil {
		terminal.end()
	}
	if cmd.Process != nil && ctx.Err() != nil {
		// Whoever ignored SIGTERM has had WaitDelay to end.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	result := Result{
		Stdout: stdout.buf.Bytes(), StdoutTruncated: stdout.truncated,
		Stderr: stderr.buf.Bytes(), StderrTruncated: stderr.truncated,
	}
	if errors.Is(err, exec.ErrWaitDelay) && ctx.Err() == nil {
		// It has ended well, and left something behind that holds its output
		// open: an agent that it started, which is not ours to judge.
		err = nil
	}
	if err != nil {
		return result, p.fail(ctx, cmd, err)
	}
	return result, nil
}

// fail puts err into words.
func (p Program) fail(ctx context.Context, cmd *exec.Cmd, err error) error {
	e := &Error{Program: p.Argv[0], Exit: -1, err: err}
	var exit *exec.ExitError
	var end ended
	var start *exec.Error
	switch {
	case errors.Is(context.Cause(ctx), ErrTimeout):
		e.err = fmt.Errorf("%w after %s", ErrTimeout, p.Timeout)
	case ctx.Err() != nil:
		e.err = ctx.Err()
	case errors.Is(err, exec.ErrNotFound), p.Dir == "" && errors.Is(err, fs.ErrNotExist):
		e.err = ErrNotFound
	case errors.As(err, &start):
		e.err = start.Err
	case errors.As(err, &exit):
		e.Exit = exit.ExitCode()
	case errors.As(err, &end):
		e.Exit = unix.WaitStatus(end).ExitStatus()
	}
	return e
}

var withheld struct {
	sync.Mutex
	names []string
}

// Withhold takes a variable out of the environment of every program that is
// started from now on: one that holds a password is nobody else's.
func Withhold(name string) {
	withheld.Lock()
	defer withheld.Unlock()
	if !slices.Contains(withheld.names, name) {
		withheld.names = append(withheld.names, name)
	}
}

func withheldNames() []string {
	withheld.Lock()
	defer withheld.Unlock()
	return slices.Clone(withheld.names)
}

// environment adds to base each "NAME=value" of changes, and takes each "NAME"
// out.
func environment(base, changes []string) []string {
	env := slices.Clone(base)
	for _, change := range changes {
		name, _, set := strings.Cut(change, "=")
		env = slices.DeleteFunc(env, func(e string) bool { return strings.HasPrefix(e, name+"=") })
		if set {
			env = append(env, change)
		}
	}
	return env
}

// bounded keeps the first limit octets and drops the rest: a program is never
// blocked by us, and never fills our memory.
type bounded struct {
	buf       bytes.Buffer
	limit     int
	truncated bool
}

func (b *bounded) Write(p []byte) (int, error) {
	room := b.limit - b.buf.Len()
	if len(p) > room {
		b.truncated = true
		b.buf.Write(p[:max(room, 0)])
		return len(p), nil
	}
	return b.buf.Write(p)
}

// LastLine is the last line of b that is not empty, without surrounding space:
// of stderr, where programs say why they failed. It is outside text.
func LastLine(b []byte) string {
	lines := bytes.Split(bytes.TrimSpace(b), []byte("\n"))
	return string(bytes.TrimSpace(lines[len(lines)-1]))
}
