package credential

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"tidings/internal/xdg"
)

// lockEvery is how often a lock that another process has is tried again.
const lockEvery = 50 * time.Millisecond

// lock waits until no other process refreshes the account's tokens, or ctx ends.
// The lock ends with the process that has it, whatever becomes of it.
func (t *tokens) lock(ctx context.Context) (unlock func(), err error) {
	if err := xdg.MakeDir(t.dir); err != nil {
		return nil, fmt.Errorf("the directory %q cannot be made: %w", t.dir, err)
	}
	f, err := os.OpenFile(t.lockPath(), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the lock of the account's tokens cannot be opened: %w", err)
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			f.Close()
			return nil, fmt.Errorf("the account's tokens cannot be locked: %w", err)
		}
		timer := time.NewTimer(lockEvery)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			f.Close()
			return nil, fmt.Errorf("another Tidings has been refreshing the account's tokens for too long: %w", ctx.Err())
		}
	}
}

func (t *tokens) lockPath() string {
	return filepath.Join(t.dir, "oauth2-"+fileName(t.account)+".lock")
}

// announce leaves a mark of a sign-in for other processes that wait for one.
func (t *tokens) announce() {
	now := t.wall()
	_ = os.Chtimes(t.lockPath(), now, now)
}

// announced is when the last sign-in, or refresh, of any process was.
func (t *tokens) announced() time.Time {
	info, err := os.Stat(t.lockPath())
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
