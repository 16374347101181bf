package save

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Replace makes data the content of the file path, mode 0600: whoever reads the
// file finds what it held before or all of data, even across a power failure.
// A symbolic link is followed, so that a config kept elsewhere stays there. The
// directory has to exist.
func Replace(path string, data []byte) error {
	return put(path, data, func(from, to string) error { return os.Rename(from, to) })
}

// Create is Replace for a file that must not exist: fs.ErrExist where it does,
// and nothing is changed then.
func Create(path string, data []byte) error {
	return put(path, data, func(from, to string) error {
		// A link, unlike a rename, fails where the name is taken.
		err := os.Link(from, to)
		if err == nil {
			return os.Remove(from)
		}
		if errors.Is(err, fs.ErrExist) {
			return err
		}
		// Some file systems have no hard links.
		if _, stat := os.Lstat(to); stat == nil {
			return &os.PathError{Op: "create", Path: to, Err: fs.ErrExist}
		}
		return os.Rename(from, to)
	})
}

func put(path string, data []byte, place func(from, to string) error) (err error) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".tidings-*") // made with mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("%s could not be written for good: %w", path, err)
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := place(f.Name(), path); err != nil {
		return err
	}
	syncDir(dir)
	return nil
}

// syncDir makes a rename durable. Not every file system knows how; where one
// does not, the file itself is whole all the same.
func syncDir(dir string) {
	d, err := os.Open(dir)
	if err != nil {
		return
	}
	_ = d.Sync()
	d.Close()
}
