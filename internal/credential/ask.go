package credential

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"tidings/internal/crash"
	"tidings/internal/run"
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
	show, err := run.HideTyping(fd)
	if err != nil {
		tty.Close()
		return "", errAsk
	}
	fmt.Fprint(tty, prompt)
	ended := func() {
		show()
		fmt.Fprintln(tty)
	}
	type answer struct {
		line []byte
		err  error
	}
	answers := make(chan answer, 1)
	crash.Go("password prompt", func() {
		line, err := bufio.NewReader(tty).ReadBytes('\n')
		answers <- answer{line, err}
	})
	select {
	case a := <-answers:
		ended()
		defer tty.Close()
		defer clear(a.line)
		line := bytes.TrimRight(a.line, "\r\n")
		if a.err != nil && (!errors.Is(a.err, io.EOF) || len(line) == 0) {
			return "", errors.New("none was typed")
		}
		return string(line), nil
	case <-ctx.Done():
		// The reading goroutine keeps the terminal until a line comes; the
		// program is about to end.
		ended()
		return "", ctx.Err()
	}
}
