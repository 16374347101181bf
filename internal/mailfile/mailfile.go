// Package mailfile reads and writes mail as files hold it: one message (.eml), an
// mbox (RFC 4155, with the quoting of mboxrd), a Maildir. A Letter streams: no
// file is held in memory, however large.
package mailfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"time"

	"tidings/internal/message"
)

// Letter is one message of a file.
type Letter struct {
	// Name says where it is from, for a person: "old.mbox, message 3".
	Name string
	// Date is when it was received, as far as the file tells; zero where it does
	// not.
	Date time.Time
	// Flags are its IMAP flags, as far as the file tells.
	Flags []string
	// Size is the number of octets that Open gives: with CRLF at the line's ends.
	Size int64
	// Open gives its octets, with CRLF at the line's ends. It may be called again.
	Open func() (io.ReadCloser, error)
}

// Letters reads the file or folder at path: an mbox, a Maildir, one message. It
// goes on behind a letter that cannot be read; the error, which is about that one
// or about the whole, says what to do. Letters can be opened for as long as the
// files are there and unchanged.
func Letters(path string) iter.Seq2[Letter, error] {
	return func(yield func(Letter, error) bool) {
		info, err := os.Stat(path)
		switch {
		case err != nil:
			yield(Letter{}, explain(path, err))
		case info.IsDir():
			maildir(path, yield)
		case !info.Mode().IsRegular():
			yield(Letter{}, fmt.Errorf("%q is neither a file nor a Maildir: give what it brings on standard input", path))
		default:
			file(path, info, yield)
		}
	}
}

// Spool copies what r brings into a file of its own, which Letters can read;
// remove takes it away.
func Spool(r io.Reader) (path string, remove func(), err error) {
	f, err := os.CreateTemp("", "tidings-*.mail") // 0600
	if err != nil {
		return "", nil, fmt.Errorf("standard input needs a place to wait in: %w", err)
	}
	remove = func() { os.Remove(f.Name()) }
	if _, err := io.Copy(f, r); err != nil {
		f.Close()
		remove()
		return "", nil, fmt.Errorf("standard input could not be read: %w", err)
	}
	if err := f.Close(); err != nil {
		remove()
		return "", nil, fmt.Errorf("standard input needs a place to wait in: %w", err)
	}
	return f.Name(), remove, nil
}

// file reads an mbox or one message.
func file(path string, info fs.FileInfo, yield func(Letter, error) bool) {
	f, err := os.Open(path)
	if err != nil {
		yield(Letter{}, explain(path, err))
		return
	}
	defer f.Close()
	start := make([]byte, len(postmark))
	n, err := f.ReadAt(start, 0)
	switch {
	case info.Size() == 0:
		yield(Letter{}, fmt.Errorf("%q is empty: there is no message in it", path))
	case err != nil && !errors.Is(err, io.EOF):
		yield(Letter{}, explain(path, err))
	case string(start[:n]) == postmark:
		mbox(f, info.Size(), path, yield)
	default:
		l, err := single(path)
		if l.Date.IsZero() {
			l.Date = info.ModTime()
		}
		yield(l, err)
	}
}

// section opens the octets [from,to) of a file.
func section(path string, from, to int64) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, explain(path, err)
	}
	return struct {
		io.Reader
		io.Closer
	}{io.NewSectionReader(f, from, to-from), f}, nil
}

// single makes the Letter of a file that holds one message.
func single(path string) (Letter, error) {
	f, err := os.Open(path)
	if err != nil {
		return Letter{}, explain(path, err)
	}
	defer f.Close()
	var m measure
	if err := m.all(bufio.NewReaderSize(f, 64<<10)); err != nil {
		return Letter{}, explain(path, err)
	}
	return Letter{
		Name: path, Size: m.size, Date: message.ParseHeader(m.header).Date,
		Open: func() (io.ReadCloser, error) {
			f, err := os.Open(path)
			if err != nil {
				return nil, explain(path, err)
			}
			return convert(f, false), nil
		},
	}, nil
}

func explain(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no %q: check the name: %w", path, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%q may not be read by you: %w", path, err)
	}
	return fmt.Errorf("%q could not be read: %w", filepath.Clean(path), err)
}
