package state

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// busy is how long a connection waits for another process's transaction.
const busy = 5 * time.Second

// openFile opens the database at path, or makes one there, for the person alone.
func openFile(path string) (c *sqlite.Conn, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	// Two processes must not begin the file at once.
	begin, err := lock(path+".lock", syscall.LOCK_EX)
	if err != nil {
		return nil, err
	}
	defer begin.Close()
	// SQLite makes a file readable for all, and its companions like the file.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(f.Chmod(0o600), f.Close()); err != nil {
		return nil, err
	}
	c, err = sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			c.Close()
			c = nil
		}
	}()
	c.SetBusyTimeout(busy)
	for _, pragma := range []string{
		// Where the file system has no shared memory, the old journal stays.
		"PRAGMA journal_mode = WAL",
		"PRAGMA synchronous = FULL",
		"PRAGMA trusted_schema = OFF",
		"PRAGMA cell_size_check = ON",
	} {
		if err := sqlitex.ExecuteTransient(c, pragma, nil); err != nil {
			return nil, err
		}
	}
	return c, bringForward(c)
}

// damaged tells whether an error says that the file holds nonsense.
func damaged(err error) bool {
	code := sqlite.ErrCode(err).ToPrimary()
	return code == sqlite.ResultCorrupt || code == sqlite.ResultNotADB
}

// setAside renames a damaged file with its companions and returns its new name;
// none that was set aside earlier is lost for it.
func setAside(path string) (string, error) {
	l, err := lock(path+".lock", syscall.LOCK_EX)
	if err != nil {
		return "", err
	}
	defer l.Close()
	name := ""
	for n := 1; ; n++ {
		name = path + ".damaged-" + strconv.Itoa(n)
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	// The log goes first: it must never be taken for that of the next file.
	for _, companion := range []string{"-shm", "-wal", "-journal", ""} {
		if err := os.Rename(path+companion, name+companion); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return name, nil
}

// errLocked: another process holds the lock.
var errLocked = errors.New("another process holds it")

// lock locks the file name, which it makes where it is not there. The system
// takes the lock back when the file is closed or the process ends; the file
// stays, for deleting it would let two processes lock two files of one name.
func lock(name string, how int) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), how)
		if err != syscall.EINTR {
			break
		}
	}
	if err == nil {
		return f, nil
	}
	f.Close()
	if err == syscall.EWOULDBLOCK {
		return nil, errLocked
	}
	return nil, err
}
