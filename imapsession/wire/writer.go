package wire

import (
	"bytes"
	"errors"
	"net"
	"strings"
	"sync"
	"time"

	"tidings/internal/crash"
)

// maxCommand bounds one command line of our own.
const maxCommand = 1 << 20

var errCommandTooLong = errors.New("command line too long")

// writer is the way out: it finds the commands in what imapclient writes, line
// by line, so that the reading side knows what is asked for, the trace what to
// leave out, and mailbox stand-ins become the server's own names.
type writer struct {
	tap *Tap

	mu      sync.Mutex // serialises writes
	line    []byte     // the command line so far
	head    []byte     // the command's beginning, while its literals pass
	literal int64      // octets of our own literal still to come
	args    []byte     // a log-in's arguments, literals inlined
	secret  func(*secrets, []byte)
	out     []byte
	rawTags int
	hold    bool // the next DONE waits
	held    bool // a DONE waits in out
	timer   *time.Timer
	err     error
}

// Write sends what imapclient writes. What is not yet a whole line waits for
// its end, so that a command leaves in one piece.
func (t *Tap) Write(p []byte) (int, error) {
	w := &t.out
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.usable(); err != nil {
		return 0, err
	}
	for n := 0; n < len(p); {
		piece := p[n:min(n+writeChunk, len(p))]
		held := w.held
		if err := w.lines(piece); err != nil {
			w.err = t.fail(err)
			return n, err
		}
		n += len(piece)
		if w.held && !held {
			continue // the DONE waits for company
		}
		if err := w.send(); err != nil {
			return n, err
		}
	}
	return len(p), nil
}

// usable reports why nothing can be sent any more. After Close every write
// fails, whatever the connection below would say: imapclient waits for ever for
// the reply to a command that it could send after its reader ended.
func (w *writer) usable() error {
	if w.err != nil {
		return w.err
	}
	w.tap.mu.Lock()
	defer w.tap.mu.Unlock()
	if w.tap.closed {
		return net.ErrClosed
	}
	return nil
}

// lines takes p apart; what is to be sent is appended to out.
func (w *writer) lines(p []byte) error {
	for len(p) > 0 {
		if w.literal > 0 {
			n := min(w.literal, int64(len(p)))
			w.out = append(w.out, p[:n]...)
			if w.secret != nil {
				w.args = append(w.args, p[:n]...)
			}
			w.literal -= n
			p = p[n:]
			continue
		}
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			w.line = append(w.line, p...)
			if len(w.line) > maxCommand {
				return errCommandTooLong
			}
			return nil
		}
		w.line = append(w.line, p[:i+1]...)
		p = p[i+1:]
		w.commandLine(w.line)
		if cap(w.line) > keepBuffer {
			w.line = nil
		}
		w.line = w.line[:0]
	}
	return nil
}

// commandLine takes one line of a command: the whole of it, or up to a literal
// or behind one.
func (w *writer) commandLine(line []byte) {
	t := w.tap
	text := trimEOL(line)
	first := len(w.head) == 0
	size, sync, literal := outgoingLiteral(text)
	if first && bytes.IndexByte(text, ' ') < 0 {
		w.answer(line)
		return
	}
	if first {
		w.head = append(w.head[:0], text[:min(len(text), 4096)]...)
		w.args = w.args[:0]
		w.secret = t.begin(text, nil)
	}
	if w.secret != nil {
		w.args = append(w.args, line...)
		if !literal {
			args := trimEOL(w.args)
			t.learn(func(s *secrets) { w.secret(s, args) })
			clear(w.args)
			w.args = w.args[:0]
		}
	}
	t.traceOut(w.head, text, first)
	if literal {
		w.literal = size
		if sync {
			t.expectContinuation()
		}
	} else {
		w.head = w.head[:0]
	}
	w.out = appendUnaliased(w.out, line)
}

// answer takes a line without a blank. It is no command, but an answer to the
// server, in a SASL exchange or an IDLE. imapclient may send it when the server
// has ended either by itself; there it would be taken for a command, so it does
// not leave.
func (w *writer) answer(line []byte) {
	t := w.tap
	switch {
	case t.exchanging():
		t.expectContinuation()
		t.learn(func(s *secrets) { s.learnSASL(trimEOL(line)) })
		t.trace.record(time.Now(), t.opts.Name, Out, []byte("[redacted]"))
		if string(trimEOL(line)) == "=" {
			// imapclient's way of saying nothing, which is right only behind
			// AUTHENTICATE itself (RFC 9051 §6.2.2): here it is an empty line.
			line = line[1:]
		}
		w.out = append(w.out, line...)
	case t.idling():
		w.done(line)
	default:
		w.hold = false
	}
}

// done takes the line that ends IDLE.
func (w *writer) done(line []byte) {
	w.tap.trace.record(time.Now(), w.tap.opts.Name, Out, []byte("DONE"))
	w.out = append(w.out, line...)
	if w.hold {
		w.hold, w.held = false, true
		w.timer = time.AfterFunc(time.Millisecond, func() {
			defer crash.Handle("wire DONE")
			_ = w.tap.Flush()
		})
	}
}

// send writes out to the connection, in pieces that each get their own time.
func (w *writer) send() error {
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
	w.held = false
	b := w.out
	for len(b) > 0 {
		n := min(len(b), writeChunk)
		_ = w.tap.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
		n, err := w.tap.conn.Write(b[:n])
		w.tap.mu.Lock()
		w.tap.stats.BytesOut += int64(n)
		w.tap.mu.Unlock()
		if err != nil {
			w.err = w.tap.fail(err)
			return err
		}
		b = b[n:]
	}
	if cap(w.out) > keepBuffer {
		w.out = nil
	}
	w.out = w.out[:0]
	return nil
}

// HoldDone makes the next write of exactly DONE wait for the write after it, so
// that both leave in one segment; released after 1 ms, or by Flush.
func (t *Tap) HoldDone() {
	t.out.mu.Lock()
	t.out.hold = true
	t.out.mu.Unlock()
}

// Flush sends a DONE that HoldDone keeps.
func (t *Tap) Flush() error {
	t.out.mu.Lock()
	defer t.out.mu.Unlock()
	t.out.hold = false
	if !t.out.held {
		return t.out.err
	}
	return t.out.send()
}

// stop ends the timer of a held DONE.
func (w *writer) stop() {
	if w.mu.TryLock() {
		if w.timer != nil {
			w.timer.Stop()
			w.timer = nil
		}
		w.mu.Unlock()
	}
}

// outgoingLiteral finds the literal that a command line ends in. sync: the
// server has to ask for its octets.
func outgoingLiteral(text []byte) (size int64, sync, ok bool) {
	size, ok = trailingLiteral(text)
	return size, ok && text[len(text)-2] != '+', ok
}

// traceOut records a line of a command that begins with head.
func (t *Tap) traceOut(head, text []byte, first bool) {
	if t.trace == nil {
		return
	}
	c := cursor{b: head}
	c.word()
	c.space()
	verb := c.word()
	if equalFold(verb, "LOGIN") || equalFold(verb, "AUTHENTICATE") {
		if !first {
			return
		}
		b := append([]byte(nil), head[:c.i]...)
		if equalFold(verb, "AUTHENTICATE") {
			c.space()
			c.word()
			b = append(b[:0], head[:c.i]...)
		}
		text = append(b, " [redacted]"...)
	}
	if !first && len(text) == 0 {
		return // the end of a line that ended in a literal
	}
	if t.holdsSecret(text) {
		text = []byte("[redacted]")
	}
	t.trace.record(time.Now(), t.opts.Name, Out, text)
}

// appendUnaliased appends a command line with every mailbox stand-in replaced
// by the name it stands for.
func appendUnaliased(dst, line []byte) []byte {
	for {
		i := bytes.Index(line, []byte(`"`+aliasPrefix))
		if i < 0 {
			return append(dst, line...)
		}
		n := bytes.IndexByte(line[i+1:], '"')
		if n < 0 {
			return append(dst, line...)
		}
		raw, ok := RawMailbox(string(line[i+1 : i+1+n]))
		if !ok || strings.ContainsAny(raw, "\r\n\x00") {
			dst = append(dst, line[:i+n+2]...)
		} else {
			dst = append(dst, line[:i]...)
			dst = appendQuoted(dst, []byte(raw))
		}
		line = line[i+n+2:]
	}
}
