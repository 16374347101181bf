package credential

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"tidings/internal/run"
	"tidings/internal/save"
	"tidings/internal/xdg"
)

// fileVault keeps each secret in a file of its own, mode 0600, in a directory
// that is ours alone. A file is replaced whole, so readers and writers in any
// number of processes need no lock; a sum in its first line tells a file that
// was cut short by something else from a secret.
type fileVault struct{ dir string }

// fileMark begins a secret's file; the sum of the rest follows.
const fileMark = "tidings secret 1 "

func (v fileVault) String() string { return "a file below " + v.dir }

func (v fileVault) path(name string) string { return filepath.Join(v.dir, fileName(name)) }

func (v fileVault) Get(ctx context.Context, name string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if err := v.private(); err != nil {
		return "", err
	}
	data, err := readPrivate("the secret's file", v.path(name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", ErrNoSecret
	case err != nil:
		return "", err
	}
	defer clear(data)
	head, value, _ := strings.Cut(string(data), "\n")
	if head != fileMark+sum(value) || value == "" {
		return "", fmt.Errorf("the secret's file %q is incomplete or was edited; sign in again, which writes it anew (tidings login)%w", v.path(name), silent{errHalf})
	}
	return value, nil
}

func (v fileVault) Set(ctx context.Context, name, value string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := xdg.MakeDir(v.dir); err != nil {
		return fmt.Errorf("the directory of secrets cannot be made: %w", err)
	}
	if err := v.private(); err != nil {
		return err
	}
	data := []byte(fileMark + sum(value) + "\n" + value)
	defer clear(data)
	if err := save.Replace(v.path(name), data); err != nil {
		return fmt.Errorf("the secret cannot be written: %w", err)
	}
	return nil
}

func (v fileVault) Delete(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := os.Remove(v.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the secret cannot be erased: %w", err)
	}
	return nil
}

// private looks whether the directory, where there is one, is ours alone: in
// one that others can write to they could put files of theirs in our place.
func (v fileVault) private() error {
	info, err := os.Stat(v.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the directory of secrets cannot be looked at: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("the directory of secrets %q can be read or changed by others (mode %04o); run: chmod 700 %s%w", v.dir, mode, run.Quote(v.dir), silent{errRefused})
	}
	return nil
}

func sum(value string) string {
	s := sha256.Sum256([]byte(value))
	return hex.EncodeToString(s[:])
}

// fileName makes a name safe for every file system: what is not a lower-case
// letter, a digit or one of "-_" is written as "%" and two hex digits, so that no
// two names meet, on file systems that ignore case neither.
func fileName(name string) string {
	var b strings.Builder
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	return b.String()
}
