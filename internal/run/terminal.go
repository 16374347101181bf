package run

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// own puts cmd into a process group of its own: in a new session without a
// terminal, or as the foreground group of the controlling terminal. restore
// gives the terminal back to our own group.
func own(cmd *exec.Cmd, terminal, screen bool) (restore func(), err error) {
	if !terminal {
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		return func() {}, nil
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		// Not started from a terminal: there is none to hand over.
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		return func() {}, nil
	}
	fd := int(tty.Fd())
	group, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP)
	if err != nil {
		tty.Close()
		return nil, fmt.Errorf("the terminal's foreground group: %w", err)
	}
	state, stateErr := unix.IoctlGetTermios(fd, ioctlGetTermios)
	if group != unix.Getpgrp() {
		// We run in the background; so will the program.
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		return func() { tty.Close() }, nil
	}
	if cmd.Stdin == nil {
		cmd.Stdin = tty
	}
	if screen {
		cmd.Stdout = tty // stderr has why it failed, which the screen would cover
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Foreground: true, Ctty: fd}
	return func() {
		// Taking the terminal back from the background raises SIGTTOU. (Ignored
		// any earlier, the program would inherit it.)
		signal.Ignore(syscall.SIGTTOU)
		_ = unix.IoctlSetPointerInt(fd, unix.TIOCSPGRP, group)
		if stateErr == nil {
			// A program that died while it hid the typing leaves it hidden.
			_ = unix.IoctlSetTermios(fd, ioctlSetTermios, state)
		}
		signal.Reset(syscall.SIGTTOU)
		tty.Close()
	}, nil
}

// endGroup tells the process group to end.
func endGroup(pid int) error {
	if err := syscall.Kill(-pid, syscall.SIGTERM); err != nil {
		return os.ErrProcessDone
	}
	return nil
}
