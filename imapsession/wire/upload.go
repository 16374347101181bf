package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// Upload is a command of ours whose literals are streamed, such as APPEND (RFC
// 9051 §6.3.12, with several messages RFC 3502). imapclient buffers nothing
// either, but waits for the server's go-ahead with each literal above 4 KiB, and
// knows one message a command.
//
// It is for the session's goroutine, while no command of imapclient is in flight.
// Several may be: their replies come in any order.
type Upload struct {
	t   *Tap
	raw *rawCommand
	buf []byte
	n   int64 // octets of literals sent
}

// ErrRefused: the server ended the command instead of asking for its literal.
// The reply says why; the link is as good as before.
var ErrRefused = errors.New("the server refused to take it")

// NewUpload begins a command: all of it up to its first literal, without the
// tag. It is sent with the first Literal.
func (t *Tap) NewUpload(command string) (*Upload, error) {
	u := &Upload{t: t, raw: &rawCommand{done: make(chan struct{}), goAhead: make(chan struct{}, 1)}}
	if !oneLine(command) {
		return nil, fmt.Errorf("command %q holds a line end", command)
	}
	w := &t.out
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.usable(); err != nil {
		return nil, err
	}
	w.rawTags++
	line := nextRawTag(w.rawTags) + " " + command
	t.begin([]byte(line), u.raw)
	t.traceOut([]byte(line), []byte(line), true)
	w.out = append(w.out, line...)
	return u, nil
}

func oneLine(s string) bool {
	for i := range len(s) {
		if c := s[i]; c == '\r' || c == '\n' || c == 0 {
			return false
		}
	}
	return true
}

// Literal sends args and then size octets of r as a literal. synchronizing: the
// server is asked first, as it has to be without LITERAL+ (RFC 7888); where it
// says no, ErrRefused, and nothing of r was read.
//
// Any other error leaves the command half sent: the link is of no use any more,
// also where it was r that failed (*SourceError).
func (u *Upload) Literal(ctx context.Context, args string, r io.Reader, size int64, synchronizing bool) error {
	if !oneLine(args) {
		return fmt.Errorf("arguments %q hold a line end", args)
	}
	mark := "+}\r\n"
	if synchronizing {
		mark = "}\r\n"
		u.t.expectContinuation()
	}
	if err := u.send([]byte(args + "{" + strconv.FormatInt(size, 10) + mark)); err != nil {
		return err
	}
	if synchronizing {
		select {
		case <-u.raw.goAhead:
		case <-u.raw.done:
			if u.raw.err != nil {
				return u.raw.err
			}
			return ErrRefused
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if u.buf == nil {
		u.buf = make([]byte, writeChunk)
	}
	for left := size; left > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := io.ReadFull(r, u.buf[:min(left, int64(len(u.buf)))])
		if err != nil {
			return &SourceError{err: err, Missing: left - int64(n)}
		}
		if err := u.send(u.buf[:n]); err != nil {
			return err
		}
		left -= int64(n)
		u.n += int64(n)
	}
	return nil
}

// SourceError: what was to be uploaded could not be read to its end.
type SourceError struct {
	Missing int64 // octets
	err     error
}

func (e *SourceError) Error() string {
	return fmt.Sprintf("it ends %d octets too early: %v", e.Missing, e.err)
}

func (e *SourceError) Unwrap() error { return e.err }

// End ends the command.
func (u *Upload) End() error { return u.send([]byte("\r\n")) }

// Sent is how many octets of literals have left.
func (u *Upload) Sent() int64 { return u.n }

// Done is closed when the reply has come, or the link is gone.
func (u *Upload) Done() <-chan struct{} { return u.raw.done }

// Wait waits for the reply; it may be called again.
func (u *Upload) Wait(ctx context.Context) (RawReply, error) {
	select {
	case <-u.raw.done:
		return u.raw.reply, u.raw.err
	default:
	}
	select {
	case <-u.raw.done:
		return u.raw.reply, u.raw.err
	case <-ctx.Done():
		return RawReply{}, ctx.Err()
	}
}

func (u *Upload) send(b []byte) error {
	w := &u.t.out
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.usable(); err != nil {
		return err
	}
	w.out = append(w.out, b...)
	return w.send()
}
