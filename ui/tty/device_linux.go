package tty

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// The queues of a terminal: what was typed or answered, and what was written.
const (
	input  = unix.TCIFLUSH
	output = unix.TCOFLUSH
)

// forget throws away what was not read of a queue.
func forget(fd, queue int) { _ = unix.IoctlSetInt(fd, unix.TCFLSH, queue) }

func reopen(f *os.File) (*os.File, error) {
	return os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", f.Fd()), os.O_WRONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
}
