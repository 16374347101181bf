package credential

import (
	"context"
	"errors"
	"fmt"
	"os"

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
