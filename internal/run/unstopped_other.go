//go:build !linux

package run

import (
	"os/signal"
	"syscall"
)

// unstopped calls f without SIGTTOU stopping us, so that it may take the terminal
// from the background. The runtime never gives that stopping back; a thread's own
// mask is not to be had here without cgo.
func unstopped(f func()) {
	signal.Ignore(syscall.SIGTTOU)
	defer signal.Reset(syscall.SIGTTOU)
	f()
}
