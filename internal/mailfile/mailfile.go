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
// or about the whole, says what to do. The letters can be opened until the
// iteration is over, and those of files longer.
func Letters(path string) iter.Seq2[Letter, error] {
	return func(yield func(Letter, error) bool) {
		info, err := os.Stat(path)
		if err != nil {
			yield(Letter{}, explain(path, err))
			return
		}
		if info.IsDir() {
			maildir(path, yield)
			return
		}
		f, err := os.Open(path)
		if err != nil {
			yield(Letter{}, explain(path, err))
			return
		}
		defer f.Close()
		if !info.Mode().IsRegular() {
			spooled(f, path, yield)
			return
		}
		file(f, path, info.ModTime(), yield)
	}
}

// Stdin reads what r, which is read to its end first, brings: an mbox or one
// message. It waits in a file of its own until the iteration is over.
func Stdin(r io.Reader) iter.Seq2[Letter, error] {
	return func(yield func(Letter, error) bool) { spooled(r, "standard input", yield) }
}

// spooled copies r into a file that has no name any more.
func spooled(r io.Reader, name string, yield func(Letter, error) bool) {
	f, err := os.CreateTemp("", "tidings-*.mail")
	if err != nil {
		yield(Letter{}, fmt.Errorf("%s needs a place to wait in: %w", name, err))
		return
	}
	defer f.Close()
	defer os.Remove(f.Name())
	if _, err := io.Copy(f, r); err != nil {
		yield(Letter{}, fmt.Errorf("%s could not be read: %w", name, err))
		return
	}
	file(f, name, time.Time{}, yield)
}

// file reads an mbox or one message.
func file(f *os.File, name string, modified time.Time, yield func(Letter, error) bool) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		yield(Letter{}, fmt.Errorf("%s could not be read: %w", name, err))
		return
	}
	start := make([]byte, len(postmark))
	n, err := f.ReadAt(start, 0)
	switch {
	case size == 0:
		yield(Letter{}, fmt.Errorf("%s is empty: there is no message in it", name))
	case err != nil && !errors.Is(err, io.EOF):
		yield(Letter{}, fmt.Errorf("%s could not be read: %w", name, err))
	case string(start[:n]) == postmark:
		mbox(f, size, name, yield)
	default:
		l, err := single(func() (io.ReadCloser, error) { return io.NopCloser(io.NewSectionReader(f, 0, size)), nil }, name)
		if l.Date.IsZero() {
			l.Date = modified
		}
		yield(l, err)
	}
}

// single makes the Letter of a file that holds one message.
func single(open func() (io.ReadCloser, error), name string) (Letter, error) {
	r, err := open()
	if err != nil {
		return Letter{}, err
	}
	defer r.Close()
	var m measure
	if err := m.all(bufio.NewReaderSize(r, 64<<10)); err != nil {
		return Letter{}, fmt.Errorf("%s could not be read: %w", name, err)
	}
	return Letter{
		Name: name, Size: m.size, Date: message.ParseHeader(m.header).Date,
		Open: func() (io.ReadCloser, error) {
			r, err := open()
			if err != nil {
				return nil, err
			}
			return convert(r, false), nil
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
