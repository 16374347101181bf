package wire

import (
	"errors"
	"fmt"
)

// ErrLimit is what every breach of Limits is: the server sent more than a
// well-meaning one would, and the connection ended before imapclient saw it.
var ErrLimit = errors.New("the server exceeded a limit")

// ErrGreeting says that what answered is no IMAP server.
var ErrGreeting = errors.New("what answered is not an IMAP server")

const (
	defaultLine     = 4 << 20
	defaultDepth    = 64
	defaultLiteral  = 128 << 20
	defaultResponse = 256 << 20
	defaultQueue    = 1 << 20
)

func (l Limits) orDefaults() Limits {
	if l.Line == 0 {
		l.Line = defaultLine
	}
	if l.Depth == 0 {
		l.Depth = defaultDepth
	}
	if l.Literal == 0 {
		l.Literal = defaultLiteral
	}
	if l.Response == 0 {
		l.Response = defaultResponse
	}
	if l.Queue == 0 {
		l.Queue = defaultQueue
	}
	return l
}

// limitError names the limit that was exceeded.
func limitError(what string, limit int64) error {
	return fmt.Errorf("%w: %s (more than %d)", ErrLimit, what, limit)
}
