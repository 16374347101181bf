package save

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"unicode/utf8"

	"tidings/internal/testserver"
)

func TestName(t *testing.T) {
	for _, c := range []struct{ raw, want string }{
		{"report.pdf", "report.pdf"},
		{"../../.ssh/authorized_keys", "authorized_keys"},
		{`C:\Users\x\evil.exe`, "evil.exe"},
		{"/etc/passwd", "passwd"},
		{".bashrc", "bashrc"},
		{"-rf", "rf"},
		{"~root", "root"},
		{"..", "attachment"},
		{"", "attachment"},
		{"a/", "attachment"},
		{"\x1b]0;x\a", "attachment"},
		{"a\x00b.txt", "ab.txt"},
		{"invoice\u202efdp.exe", "invoicefdp.exe"},
		{"  two \t words .txt ", "two words .txt"},
		{"what?*.txt", "what__.txt"},
		{"NUL.txt", "_NUL.txt"},
		{"com1", "_com1"},
		{"trailing...", "trailing"},
		{"日本語.pdf", "日本語.pdf"},
		{strings.Repeat("ü", 200) + ".pdf", strings.Repeat("ü", 68) + ".pdf"},
		{strings.Repeat("x", 300), strings.Repeat("x", maxName)},
	} {
		if got := Name(c.raw); got != c.want {
			t.Errorf("Name(%q) is %q, want %q", c.raw, got, c.want)
		}
	}
}

func FuzzName(f *testing.F) {
	for _, s := range []string{"a.pdf", "../x", "\x1b[2J", "CON", "\u202e", strings.Repeat("é", 99) + ".tar.gz", ". .", "-", "_-.", "a\xffb"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		name := Name(raw)
		if name == "" || len(name) > maxName+1 || !utf8.ValidString(name) || name != filepath.Base(name) ||
			strings.ContainsAny(name, "/\\\x00\n\r\x1b") || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "-") {
			t.Errorf("Name(%q) is %q", raw, name)
		}
		if again := Name(name); again != name {
			t.Errorf("Name(%q) is %q, and of that %q", raw, name, again)
		}
		if n := numbered(name, 17); len(n) > maxName+1 || n != filepath.Base(n) {
			t.Errorf("the 17th %q is %q", name, n)
		}
	})
}

func write(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

// files are the folder's names and contents.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			b = []byte(err.Error())
		}
		found[e.Name()] = string(b)
	}
	return found
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	for i, want := range []string{"a.pdf", "a (2).pdf", "a (3).pdf"} {
		path, err := File(dir, "../a.pdf", write(fmt.Sprint(i)))
		if err != nil || path != filepath.Join(dir, want) {
			t.Fatalf("%q, %v", path, err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
	}
	// Not through a link either, wherever it leads.
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.Symlink(outside, filepath.Join(dir, "b.txt")); err != nil {
		t.Fatal(err)
	}
	if path, err := File(dir, "b.txt", write("b")); err != nil || filepath.Base(path) != "b (2).txt" {
		t.Errorf("%q, %v", path, err)
	}
	if _, err := os.Lstat(outside); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("written through a link: %v", err)
	}
	broken := errors.New("the link broke")
	if _, err := File(dir, "c.txt", func(w io.Writer) error {
		_, _ = io.WriteString(w, "half")
		return broken
	}); err != broken {
		t.Errorf("the source's error is %v", err)
	}
	if got := files(t, dir); len(got) != 5 || got["a.pdf"] != "0" || got["a (3).pdf"] != "2" {
		t.Errorf("there is %v", got)
	}
}

// TestFileAtOnce: many savers of one name, and every letter is kept.
func TestFileAtOnce(t *testing.T) {
	dir := t.TempDir()
	const n = 40
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			if _, err := File(dir, "same.eml", write(fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	seen := map[string]bool{}
	for _, content := range files(t, dir) {
		seen[content] = true
	}
	if len(seen) != n {
		t.Errorf("%d of %d are there", len(seen), n)
	}
}

func TestFileErrors(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ dir, says string }{
		{filepath.Join(dir, "missing"), "make it or choose another"},
		{plain, "is no folder"},
		{"/proc", "could not be saved"},
	} {
		_, err := File(c.dir, "x", write("x"))
		if err == nil || !strings.Contains(err.Error(), c.says) && !strings.Contains(err.Error(), "folder") {
			t.Errorf("%s: %v", c.dir, err)
		}
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		testserver.Missing(t, err.Error())
	}
	defer full.Close()
	d := &disk{f: full}
	if err := write("x")(d); err == nil || d.err == nil || !strings.Contains(explain("/x/y", d.err).Error(), "disk is full") {
		t.Errorf("%v", explain("/x/y", d.err))
	}
}

// TestNoHardLinks: what settle does on a file system without them.
func TestNoHardLinks(t *testing.T) {
	for _, err := range []error{errors.ErrUnsupported, os.NewSyscallError("link", syscall.EPERM)} {
		if !unlinkable(err) {
			t.Errorf("%v is taken for another trouble", err)
		}
	}
}
