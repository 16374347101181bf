package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tidings/internal/config"
	"tidings/ui"
)

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestWaysSave(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	w := Program{}.newWays(config.UI{})
	save := func(dir, name string) string {
		t.Helper()
		path, err := w.Save(t.Context(), dir, name, strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	if got := save("", "../../etc/passwd"); got != filepath.Join(home, "passwd") {
		t.Errorf("without Downloads: %s", got)
	}
	down := filepath.Join(home, "Downloads")
	if err := os.Mkdir(down, 0o700); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"a.pdf", "a (2).pdf"} {
		if got := save("", "a.pdf"); got != filepath.Join(down, want) {
			t.Errorf("file %d is %s", i, got)
		}
	}
	if got := save("~", "b"); got != filepath.Join(home, "b") {
		t.Error(got)
	}
	if got := save("~/Downloads", "b"); got != filepath.Join(down, "b") {
		t.Error(got)
	}
	if _, err := w.Save(t.Context(), "/nowhere/at/all", "b", strings.NewReader("")); err == nil || !strings.Contains(err.Error(), "no folder") {
		t.Errorf("%v", err)
	}
	path, err := w.SaveMbox(t.Context(), "", "two.mbox", []ui.Letter{
		{Data: []byte("Subject: a\r\n\r\nFrom here\r\n"), Sender: "a@example.org", Date: time.Unix(0, 0)},
		{Data: []byte("Subject: b\r\n\r\nb\r\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := content(t, path); !strings.HasPrefix(got, "From a@example.org Thu Jan  1 00:00:00 1970\nSubject: a\n\n>From here\n\nFrom MAILER-DAEMON ") {
		t.Errorf("%q", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Save(ctx, "", "never", strings.NewReader("")); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestWaysPrograms(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "show")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nfor x; do last=$x; done\n{ echo \"$@\"; cat \"$last\"; } > "+dir+"/seen\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	w := Program{}.newWays(config.UI{Open: []string{"false"}, OpenWith: map[string][]string{"image/*": {script, "pic"}, "text/plain": {script, "text"}}, OpenLink: []string{script}})
	defer w.close()
	for kind, word := range map[string]string{"image/png": "pic", "text/plain": "text"} {
		if err := w.Open(t.Context(), "-rf $(x).png", kind, strings.NewReader("content")); err != nil {
			t.Fatal(err)
		}
		seen := strings.SplitN(content(t, filepath.Join(dir, "seen")), "\n", 2)
		if !strings.HasPrefix(seen[0], word+" /") || !strings.HasSuffix(seen[0], "/rf $(x).png") && !strings.HasSuffix(seen[0], "/rf $(x) (2).png") || seen[1] != "content" {
			t.Errorf("%s: %q", kind, seen)
		}
	}
	if err := w.Open(t.Context(), "a", "application/zip", strings.NewReader("")); err == nil || !strings.Contains(err.Error(), "false") {
		t.Errorf("a program that fails: %v", err)
	}
	lent := w.lent
	w.close()
	if _, err := os.Stat(lent); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was lent is still there: %v", err)
	}
	for _, bad := range []string{"--help", "javascript:x", "file:///etc/passwd", "/etc/passwd", ""} {
		if err := w.OpenLink(t.Context(), bad); err == nil {
			t.Errorf("%q was opened", bad)
		}
	}
	if err := w.OpenLink(t.Context(), "https://example.org/a;b$(c)"); err == nil { // the script cannot read it
		t.Log("opened")
	}
	if got := content(t, filepath.Join(dir, "seen")); !strings.HasPrefix(got, "https://example.org/a;b$(c)\n") {
		t.Errorf("%q", got)
	}
}

func TestWaysPipe(t *testing.T) {
	w := Program{}.newWays(config.UI{})
	out, err := w.Pipe(t.Context(), "tr a-z A-Z | cat; echo $((1+1))", []byte("abc\n"))
	if err != nil || string(out) != "ABC\n2\n" {
		t.Errorf("%q, %v", out, err)
	}
	if out, err := w.Pipe(t.Context(), "echo out; echo first >&2; echo 'no \x1b[2Jway' >&2; exit 7", nil); err == nil || !strings.HasPrefix(string(out), "out\nfirst\n") || !strings.HasSuffix(err.Error(), "it said: no way") || !strings.Contains(err.Error(), "7") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := w.Pipe(ctx, "sleep 1000", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// blocking is a part that does not come.
type blocking struct {
	ctx   context.Context
	began chan struct{}
}

func (b blocking) Read([]byte) (int, error) {
	close(b.began)
	<-b.ctx.Done()
	return 0, b.ctx.Err()
}

// TestWaysCloseWaits: a program that ends while a file is being written leaves
// nothing of it.
func TestWaysCloseWaits(t *testing.T) {
	dir := t.TempDir()
	w := Program{}.newWays(config.UI{SaveDir: dir})
	ctx, cancel := context.WithCancel(t.Context())
	began, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		_, err := w.Save(ctx, "", "film.mp4", blocking{ctx, began})
		ended <- err
	}()
	<-began
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("while it is written there are %v, %v", left, err)
	}
	cancel()
	w.close()
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left are %v, %v", left, err)
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
