//go:build unix

package tty

import (
	"os"
	"time"
)

// device is the terminal for writing.
type device struct {
	file *os.File
	ours bool // file was opened by us, and a write to it can be interrupted
}

// openDevice opens the terminal that out is once more, for ourselves: writes
// that wait can be interrupted on a descriptor that does not block, and the
// flag for that belongs to all who share a descriptor, the shell among them.
// Where that cannot be had, out itself has to do.
func openDevice(out *os.File) *device {
	if f, err := reopen(out); err == nil {
		if f.SetWriteDeadline(time.Time{}) == nil {
			return &device{f, true}
		}
		f.Close()
	}
	return &device{out, false}
}

func (d *device) Write(b []byte) (int, error) { return d.file.Write(b) }

func (d *device) limit(wait time.Duration) {
	if d.ours {
		_ = d.file.SetWriteDeadline(time.Now().Add(wait))
	}
}

func (d *device) forgetOutput() {
	if raw, err := d.file.SyscallConn(); err == nil { // Fd would make it block
		_ = raw.Control(func(fd uintptr) { forget(int(fd), output) })
	}
}

func (d *device) close() {
	if d.ours {
		d.file.Close()
	}
}
