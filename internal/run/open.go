package run

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"tidings/internal/crash"
)

// Open starts a program that shows something in a window of its own, and waits
// for its end as long as patience: what is still there then lives on, also beyond
// our own end. If it fails earlier, the Result has what it said (Stderr). With
// ctx it is ended.
func Open(ctx context.Context, argv []string, patience time.Duration) (Result, error) {
	p := Program{Argv: argv}
	if len(argv) == 0 || argv[0] == "" {
		return Result{}, &Error{Program: "(no program)", Exit: -1, err: errors.New("the command is empty")}
	}
	// A pipe would break under it when we end: what it says goes into a file.
	words, err := os.CreateTemp("", "tidings-*.err")
	if err != nil {
		return Result{}, &Error{Program: argv[0], Exit: -1, err: err}
	}
	defer words.Close()
	_ = os.Remove(words.Name())
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = environment(os.Environ(), withheldNames())
	cmd.Stderr = words
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return Result{}, p.fail(ctx, cmd, err)
	}
	ended := make(chan error, 1)
	crash.Go("opened program", func() { ended <- cmd.Wait() })
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case err = <-ended:
	case <-timer.C:
		return Result{}, nil
	case <-ctx.Done():
		_ = endGroup(cmd.Process.Pid)
		return Result{}, p.fail(ctx, cmd, ctx.Err())
	}
	if err == nil {
		return Result{}, nil
	}
	var r Result
	if _, seek := words.Seek(0, io.SeekStart); seek == nil {
		r.Stderr, _ = io.ReadAll(io.LimitReader(words, DefaultOutput))
	}
	return r, p.fail(ctx, cmd, err)
}
