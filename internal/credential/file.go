package credential

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// fromFile reads the first line of a file that only its owner, who is us, can
// read. What is judged is the opened file, not its name, so that nothing can be
// put in its place between the look and the reading; a symbolic link is
// followed to a file that has to pass the same way.
func fromFile(path string) (string, error) {
	// O_NONBLOCK: opening a FIFO must not wait for a writer.
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("password_file %q does not exist", path)
	case err != nil:
		return "", fmt.Errorf("password_file cannot be read: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("password_file cannot be read: %w", err)
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("password_file %q is not a regular file", path)
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) != os.Geteuid() {
		return "", fmt.Errorf("password_file %q belongs to another user; run: sudo chown %d %s", path, os.Geteuid(), quote(path))
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return "", fmt.Errorf("password_file %q can be read or changed by others (mode %04o); run: chmod 600 %s", path, mode, quote(path))
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", fmt.Errorf("password_file cannot be read: %w", err)
	}
	defer clear(data)
	if len(data) > maxSecret {
		return "", fmt.Errorf("password_file %q is larger than %d KiB; its first line has to be the password", path, maxSecret>>10)
	}
	return checked(firstLine(data), fmt.Sprintf("password_file %q is empty; its first line has to be the password", path))
}

// quote quotes a path for the shell that a person would paste it into.
func quote(path string) string {
	if !strings.ContainsFunc(path, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+@%", r))
	}) {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
