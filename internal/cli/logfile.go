package cli

import (
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"tidings/internal/crash"
)

// logFile is the file of --log. Writing to it never blocks a session: a
// goroutine writes, and what a disk that hangs makes wait beyond 1,024 lines is
// dropped, which the log says.
type logFile struct {
	file    *os.File
	lines   chan []byte
	dropped atomic.Int64
	quit    chan struct{}
	done    chan struct{}
	closing sync.Once
}

func openLogFile(path string) (*logFile, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("--log: %w", err)
	}
	l := &logFile{
		file:  file,
		lines: make(chan []byte, 1024),
		quit:  make(chan struct{}),
		done:  make(chan struct{}),
	}
	crash.Go("log file", l.run)
	return l, nil
}

// run writes until quit, and then what still waits.
func (l *logFile) run() {
	defer close(l.done)
	for {
		select {
		case line := <-l.lines:
			l.write(line)
		case <-l.quit:
			for {
				select {
				case line := <-l.lines:
					l.write(line)
				default:
					return
				}
			}
		}
	}
}

func (l *logFile) write(line []byte) {
	if n := l.dropped.Swap(0); n > 0 {
		fmt.Fprintf(l.file, "level=WARN msg=\"%d lines were lost: the disk was too slow\"\n", n)
	}
	// A full disk is no reason to stop watching mail.
	_, _ = l.file.Write(line)
}

// Write takes one line; slog's handlers write a record at a time.
func (l *logFile) Write(line []byte) (int, error) {
	select {
	case l.lines <- append([]byte(nil), line...):
	default:
		l.dropped.Add(1)
	}
	return len(line), nil
}

// handler quotes whatever is not printable, outside text included.
func (l *logFile) handler() slog.Handler { return slog.NewTextHandler(l, nil) }

// close writes what waits, for as long as a quitting person may be kept. A
// session that still logs after it loses the line.
func (l *logFile) close() {
	l.closing.Do(func() { close(l.quit) })
	select {
	case <-l.done:
		l.file.Close()
	case <-time.After(goodbye / 2):
	}
}
