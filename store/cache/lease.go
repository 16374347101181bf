package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"syscall"
)

// lease is the right to write one mailbox: a lock on a file of its own, which
// the system takes back when the process ends. The file stays where it is:
// deleting it would let two processes lock two files of one name.
type lease struct{ f *os.File }

// errLeased: another process has the lease.
var errLeased = errors.New("another process writes this mailbox")

// takeLease takes the lease of a mailbox in the cache at path, if it is free.
func takeLease(path, mailbox string) (lease, error) {
	sum := sha256.Sum256([]byte(mailbox))
	return lockFile(path+"-"+hex.EncodeToString(sum[:6])+".lease", syscall.LOCK_EX|syscall.LOCK_NB)
}

// lockFile locks the file name, which it makes where it is not there.
func lockFile(name string, how int) (lease, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return lease{}, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), how)
		if err == nil {
			return lease{f}, nil
		}
		if err != syscall.EINTR {
			break
		}
	}
	f.Close()
	if err == syscall.EWOULDBLOCK {
		err = errLeased
	}
	return lease{}, err
}

// release gives the lease back. That of a cache in memory is nobody's.
func (l lease) release() {
	if l.f != nil {
		l.f.Close()
	}
}
