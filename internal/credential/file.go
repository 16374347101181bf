package credential

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"tidings/internal/run"
)

// fromFile reads the first line of password_file and its like.
func fromFile(what sort, path string) (string, error) {
	data, err := readPrivate(what.option+"_file", path)
	if errors.Is(err, errTooLarge) {
		return "", fmt.Errorf("%w; its first line has to be %s", err, what.name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%w; make it with mode 0600, or correct the path in the config", err)
	}
	if err != nil {
		return "", err
	}
	defer clear(data)
	return checked(firstLine(data), fmt.Sprintf("%s_file %q is empty; its first line has to be %s", what.option, path, what.name))
}

// errTooLarge: the file holds more than any secret.
var errTooLarge = errors.New("is larger than any secret")

// errRefused: what is there is not read, since others could have read or written
// it, until somebody has mended that.
var errRefused = errors.New("refused")

// readPrivate reads a file of at most maxSecret bytes that only its owner, who
// is us, can read. What is judged is the opened file, not its name, so that
// nothing can be put in its place between the look and the reading; a symbolic
// link is followed to a file that has to pass the same way. Errors begin with
// what, the file's part, and name the command that mends them.
func readPrivate(what, path string) ([]byte, error) {
	// O_NONBLOCK: opening a FIFO must not wait for a writer.
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s %q does not exist%w", what, path, silent{err})
	case err != nil:
		return nil, fmt.Errorf("%s cannot be read: %w", what, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", what, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s %q is not a regular file%w", what, path, silent{errRefused})
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) != os.Geteuid() {
		return nil, fmt.Errorf("%s %q belongs to another user; run: sudo chown %d %s%w", what, path, os.Geteuid(), run.Quote(path), silent{errRefused})
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%s %q can be read or changed by others (mode %04o); run: chmod 600 %s%w", what, path, mode, run.Quote(path), silent{errRefused})
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", what, err)
	}
	if len(data) > maxSecret {
		clear(data)
		return nil, fmt.Errorf("%s %q %w (%d KiB)", what, path, errTooLarge, maxSecret>>10)
	}
	return data, nil
}

// silent is an error that is there for errors.Is and adds no words.
type silent struct{ err error }

func (silent) Error() string   { return "" }
func (s silent) Unwrap() error { return s.err }
