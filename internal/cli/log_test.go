package cli

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"tidings/imapsession"
)

func texts(l *accountLog) string {
	var b strings.Builder
	for _, line := range l.lines() {
		b.WriteString(line.String() + "\n")
	}
	return b.String()
}

func TestLogKeepsTheLastLines(t *testing.T) {
	l := newAccountLog()
	logger := l.logger(nil)
	for i := range 3*logLines + 7 {
		logger.Info(fmt.Sprintf("line %d", i))
	}
	lines := l.lines()
	if len(lines) != logLines {
		t.Fatalf("%d lines, want %d", len(lines), logLines)
	}
	for i, line := range lines {
		if want := fmt.Sprintf("line %d", 2*logLines+7+i); !strings.HasSuffix(line.String(), want) {
			t.Fatalf("line %d is %q, want %q", i, line, want)
		}
	}
}

func TestLogLine(t *testing.T) {
	l := newAccountLog()
	logger := l.logger(nil).With("account", "work", "mailbox", "INBOX").WithGroup("link")
	logger.Warn("lost \x1b[31mthe link\nfor good", "reason", "BYE\x1b]0;x\a", slog.Group("retry", "in", "2s"), "secret", imapsession.Secret{User: "a", Password: "hunter2"})
	logger.Debug("not kept")
	got := texts(l)
	for _, want := range []string{"WARN lost ", " mailbox=INBOX", " link.reason=BYE", " link.retry.in=2s", "[redacted]"} {
		if !strings.Contains(got, want) {
			t.Errorf("the line lacks %q: %s", want, got)
		}
	}
	if strings.Count(got, "\n") != 1 || strings.ContainsAny(got, "\x1b\a") || strings.Contains(got, "hunter2") || strings.Contains(got, "account=") || strings.Contains(got, "not kept") {
		t.Errorf("got %q", got)
	}
}

func TestLogFromManyGoroutines(t *testing.T) {
	l := newAccountLog()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 200 {
				l.logger(nil).Info("x")
				if i%20 == 0 {
					l.lines()
				}
			}
		})
	}
	all.Wait()
	if n := len(l.lines()); n != logLines {
		t.Errorf("%d lines", n)
	}
}

func TestLogFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte("before\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := openLogFile(path)
	if err != nil {
		t.Fatal(err)
	}
	logger := newAccountLog().logger(f.handler()).With("account", "work")
	for i := range 100 {
		logger.Info("state\x1b[31m", "n", i)
	}
	f.close()
	logger.Info("after the end") // by a session that hangs: lost, and nothing breaks
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	if len(lines) != 101 || lines[0] != "before" || !strings.Contains(lines[100], "account=work") || !strings.Contains(lines[100], "n=99") {
		t.Errorf("%d lines, the last one %q", len(lines), lines[len(lines)-1])
	}
	if bytes.ContainsRune(raw, 0x1b) {
		t.Errorf("an escape character is in the file")
	}
	if _, err := openLogFile(t.TempDir()); err == nil || !strings.Contains(err.Error(), "--log") {
		t.Errorf("a directory: %v", err)
	}
}
