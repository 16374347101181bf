package run

import (
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// unstopped calls f on a thread that SIGTTOU does not reach, so that it may take
// the terminal from the background. (To ignore the signal would be for good: the
// runtime never gives its stopping back, and programs that we start inherit it.)
func unstopped(f func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var set, before unix.Sigset_t
	set.Val[0] = 1 << (syscall.SIGTTOU - 1)
	if unix.PthreadSigmask(unix.SIG_BLOCK, &set, &before) == nil {
		defer func() { _ = unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil) }()
	}
	f()
}
