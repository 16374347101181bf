package run

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// stopping is how long stopping ourselves takes to happen. It never does where
// no shell could continue us.
const stopping = 500 * time.Millisecond

// loan is the controlling terminal in the hands of a program.
type loan struct {
	tty    *os.File
	ours   int           // our process group
	before *unix.Termios // the settings to put back; nil: they cannot be read
	lent   bool          // the program's group has the foreground
}

// own puts cmd into a process group of its own: in a new session without a
// terminal, for which there is no loan, or as the foreground group of the
// controlling terminal.
func own(cmd *exec.Cmd, terminal, screen bool) (*loan, error) {
	if !terminal {
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		return nil, nil
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		// Not started from a terminal: there is none to hand over.
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		return nil, nil
	}
	l := &loan{tty: tty, ours: unix.Getpgrp()}
	front, err := unix.IoctlGetInt(l.fd(), unix.TIOCGPGRP)
	if err != nil {
		tty.Close()
		return nil, fmt.Errorf("the terminal's foreground group: %w", err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if front != l.ours {
		return l, nil // we run in the background; so will the program
	}
	if cmd.Stdin == nil {
		cmd.Stdin = tty
	}
	if screen {
		// Stderr as well: it is where some read their keys when their text comes
		// on stdin (vi), and where others draw.
		cmd.Stdout, cmd.Stderr = tty, tty
	}
	l.before, _ = unix.IoctlGetTermios(l.fd(), ioctlGetTermios)
	l.lent = true
	cmd.SysProcAttr.Foreground, cmd.SysProcAttr.Ctty = true, l.fd()
	return l, nil
}

func (l *loan) fd() int { return int(l.tty.Fd()) }

// end gives the terminal back to our own group.
func (l *loan) end() {
	if l.lent {
		l.takeBack()
	}
	l.tty.Close()
}

func (l *loan) takeBack() {
	unstopped(func() {
		_ = unix.IoctlSetPointerInt(l.fd(), unix.TIOCSPGRP, l.ours)
		if l.before != nil {
			// A program that died while it hid the typing leaves it hidden.
			_ = unix.IoctlSetTermios(l.fd(), ioctlSetTermios, l.before)
		}
	})
	l.lent = false
}

// wait waits for the program as a shell waits for its jobs: when that is stopped
// (ctrl+z), so are we. The Wait of os/exec, which comes behind this one for the
// pipes, would wait on for somebody who has no keyboard.
func (l *loan) wait(pid int) error {
	for {
		var status unix.WaitStatus
		_, err := unix.Wait4(pid, &status, unix.WUNTRACED, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return err
		case status.Stopped():
			l.stop(pid)
		case status.ExitStatus() != 0:
			return ended(status)
		default:
			return nil
		}
	}
}

// stop stops us behind a program that was stopped, and continues it behind us.
func (l *loan) stop(pid int) {
	var theirs *unix.Termios
	if l.lent {
		theirs, _ = unix.IoctlGetTermios(l.fd(), ioctlGetTermios)
		l.takeBack()
	}
	continued := make(chan os.Signal, 1)
	signal.Notify(continued, syscall.SIGCONT)
	_ = syscall.Kill(0, syscall.SIGTSTP) // the whole group, as the terminal does it
	timeout := time.NewTimer(stopping)
	select {
	case <-continued:
	case <-timeout.C:
	}
	timeout.Stop()
	signal.Stop(continued)
	// In the background each of these stops us again.
	l.before, _ = unix.IoctlGetTermios(l.fd(), ioctlGetTermios)
	if theirs != nil {
		_ = unix.IoctlSetTermios(l.fd(), ioctlSetTermios, theirs)
	}
	l.lent = unix.IoctlSetPointerInt(l.fd(), unix.TIOCSPGRP, pid) == nil
	_ = syscall.Kill(-pid, syscall.SIGCONT)
}

// ended is how a program that failed has ended.
type ended unix.WaitStatus

func (e ended) Error() string {
	if s := unix.WaitStatus(e); s.Signaled() {
		return "signal: " + s.Signal().String()
	}
	return fmt.Sprintf("exit status %d", unix.WaitStatus(e).ExitStatus())
}

// endGroup tells the process group to end.
func endGroup(pid int) error {
	if err := syscall.Kill(-pid, syscall.SIGTERM); err != nil {
		return os.ErrProcessDone
	}
	return nil
}
