package bench

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Host runs what testserver offers outside of a test: it stands in for the
// test. Whatever would end the test panics with failure, which Do turns into an
// error.
type Host struct {
	testing.TB // nil: only what is defined here may be called

	cleanups []func()
	failed   bool
}

// failure is what Fatalf and Skipf panic with.
type failure string

// Do runs f with a Host and cleans up after it.
func Do(f func(h *Host) error) (err error) {
	h := &Host{}
	defer func() {
		if p := recover(); p != nil {
			said, ok := p.(failure)
			if !ok {
				panic(p)
			}
			err = fmt.Errorf("%s", string(said))
		}
		for _, clean := range slices.Backward(h.cleanups) {
			clean()
		}
	}()
	return f(h)
}

// The parts of testing.TB that testserver uses.

func (h *Host) Helper()                           {}
func (h *Host) Name() string                      { return "bench" }
func (h *Host) Cleanup(f func())                  { h.cleanups = append(h.cleanups, f) }
func (h *Host) Failed() bool                      { return h.failed }
func (h *Host) Logf(format string, args ...any)   { fmt.Fprintf(os.Stderr, format+"\n", args...) }
func (h *Host) Errorf(format string, args ...any) { h.failed = true; h.Logf(format, args...) }
func (h *Host) Fatalf(format string, args ...any) { panic(failure(fmt.Sprintf(format, args...))) }
func (h *Host) Fatal(args ...any)                 { panic(failure(fmt.Sprint(args...))) }
func (h *Host) Skipf(format string, args ...any)  { panic(failure(fmt.Sprintf(format, args...))) }

// TempDir is a directory that is removed in the end.
func (h *Host) TempDir() string {
	dir, err := os.MkdirTemp("", "tidings-bench")
	if err != nil {
		h.Fatalf("%v", err)
	}
	h.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// chownTree gives a tree to the user that the mail server runs as.
func chownTree(dir string, uid, gid int) error {
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, uid, gid)
	})
}
