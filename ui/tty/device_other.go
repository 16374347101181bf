//go:build unix && !linux

package tty

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// The queues of a terminal: what was typed or answered, and what was written.
const (
	input  = unix.TCIFLUSH
	output = unix.TCOFLUSH
)

// forget throws away what was not read of a queue.
func forget(fd, queue int) { _ = unix.IoctlSetPointerInt(fd, unix.TIOCFLUSH, queue) }

// reopen: a terminal's path is not to be had here without cgo, and /dev/fd
// shares the flags.
func reopen(*os.File) (*os.File, error) { return nil, errors.ErrUnsupported }
