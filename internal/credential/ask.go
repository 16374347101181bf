package credential

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"

	"tidings/internal/crash"
)

// AskTerminal prints prompt on the controlling terminal and reads a line there
// without showing it. When ctx ends, the terminal is as it was before. Interrupt
// characters reach the program as signals, as at any prompt.
func AskTerminal(ctx context.Context, prompt string) (string, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return "", errAsk
	}
	fd := int(tty.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		tty.Close()
		return "", errAsk
	}
	fmt.Fprint(tty, prompt)
	type answer struct {
		line []byte
		err  error
	}
	answers := make(chan answer, 1)
	crash.Go("password prompt", func() {
		line, err := term.ReadPassword(fd)
		answers <- answer{line, err}
	})
	defer fmt.Fprintln(tty)
	select {
	case a := <-answers:
		defer tty.Close()
		defer clear(a.line)
		if a.err != nil {
			return "", errors.New("none was typed")
		}
		return string(a.line), nil
	case <-ctx.Done():
		// The reading goroutine keeps the terminal until a line comes; the
		// program is about to end.
		_ = term.Restore(fd, before)
		return "", ctx.Err()
	}
}

func firstLine(data []byte) string {
	line, _, _ := strings.Cut(string(data), "\n")
	return line
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
