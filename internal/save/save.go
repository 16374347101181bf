// Package save writes every file that a person asked for: attachments, exported
// messages. A name from outside is only ever a suggestion for the last part of a
// path; nothing that exists is overwritten; a file is there whole or not at all;
// and nobody else can read it.
//
// It is blocking I/O: never called from the screen's loop. Any goroutine may call
// it, and several processes may save into one folder.
package save

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// maxSame is how many files of one name a folder may hold.
const maxSame = 999

// File writes a file called like name (see Name) into dir, which has to exist,
// and returns its path. Where the name is taken, a number is added: "a (2).pdf".
// write is called once with what to write into; if it fails, nothing is left
// behind and its error is returned as it is. Errors of the disk name the file and
// say what to do.
func File(dir, name string, write func(io.Writer) error) (path string, err error) {
	name = Name(name)
	part, err := os.CreateTemp(dir, ".tidings-*.part") // 0600
	if err != nil {
		return "", explain(filepath.Join(dir, name), err)
	}
	defer func() {
		part.Close()
		if removed := os.Remove(part.Name()); err == nil && removed != nil && !errors.Is(removed, fs.ErrNotExist) {
			err = explain(part.Name(), removed)
		}
	}()
	counted := &disk{f: part}
	if err := write(counted); err != nil {
		if counted.err != nil {
			return "", explain(filepath.Join(dir, name), counted.err)
		}
		return "", err
	}
	if err := errors.Join(part.Sync(), part.Close()); err != nil {
		return "", explain(filepath.Join(dir, name), err)
	}
	path, err = settle(part.Name(), dir, name)
	if err != nil {
		return "", explain(filepath.Join(dir, name), err)
	}
	return path, nil
}

// disk remembers that it was the disk which failed, and not the source.
type disk struct {
	f   *os.File
	err error
}

func (d *disk) Write(b []byte) (int, error) {
	n, err := d.f.Write(b)
	if err != nil {
		d.err = err
	}
	return n, err
}

// settle gives the whole file at part its name, the first that is free.
func settle(part, dir, name string) (string, error) {
	for n := 1; n <= maxSame; n++ {
		path := filepath.Join(dir, numbered(name, n))
		err := os.Link(part, path) // fails where something has that name, whatever it is
		switch {
		case err == nil:
			return path, nil
		case errors.Is(err, fs.ErrExist):
			continue
		case !unlinkable(err):
			return "", err
		}
		// A file system without hard links: the name is reserved, then taken over.
		reserved, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		reserved.Close()
		if err := os.Rename(part, path); err != nil {
			os.Remove(path)
			return "", err
		}
		return path, nil
	}
	return "", fmt.Errorf("there are %d files of that name already", maxSame)
}

// unlinkable tells of a file system, or a sandbox, that has no hard links.
func unlinkable(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EMLINK) || errors.Is(err, syscall.EINVAL)
}

// numbered is the n-th name of a file: "a.pdf", "a (2).pdf" ...
func numbered(name string, n int) string {
	if n == 1 {
		return name
	}
	stem, ext := splitExt(name)
	mark := " (" + strconv.Itoa(n) + ")"
	return cut(stem, maxName-len(mark)-len(ext)) + mark + ext
}

// explain says what is wrong with a file and what to do about it.
func explain(path string, err error) error {
	dir := filepath.Dir(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no folder %q: make it or choose another: %w", dir, err)
	case errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%q is no folder: choose another: %w", dir, err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("nothing can be written into %q: choose another folder: %w", dir, err)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%q could not be saved, the disk is full: make room or choose another folder: %w", path, err)
	}
	return fmt.Errorf("%q could not be saved: %w", path, err)
}
