package wire

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
)

// RawReply is what a raw command brought.
type RawReply struct {
	Untagged []string // raw lines without CRLF, literals inlined up to the line limit
	Tagged   Event
}

// rawCommand waits for its tagged reply. reply belongs to the reader until
// done is closed.
type rawCommand struct {
	reply RawReply
	quiet bool // the untagged replies are Events only
	// stream, if not nil, gets the content of what it fetches.
	stream *stream
	size   int
	err    error
	done   chan struct{}
	over   bool
	// goAhead gets a token when the server asks for the literal of an Upload.
	goAhead chan struct{}
}

// end wakes the caller, once.
func (r *rawCommand) end(err error) {
	if !r.over {
		r.over = true
		r.err = err
		close(r.done)
	}
}

// Call is a raw command under way.
type Call struct{ r *rawCommand }

// Done is closed when the tagged reply has come, or never will.
func (c *Call) Done() <-chan struct{} { return c.r.done }

// Reply is what the command brought. Done must be closed.
func (c *Call) Reply() (RawReply, error) { return c.r.reply, c.r.err }

// Raw sends one command line (without tag and CRLF) while no imapclient
// command is in flight, and collects its replies. They are kept from
// imapclient, but EXISTS, EXPUNGE, VANISHED and FETCH still become Events (and
// the first two still reach imapclient). NO and BAD are not errors here: see
// Tagged.Type. When ctx ends first, what still comes is thrown away up to its
// tagged reply.
func (t *Tap) Raw(ctx context.Context, cmd string) (RawReply, error) {
	if err := ctx.Err(); err != nil {
		return RawReply{}, err
	}
	call, err := t.Start(cmd)
	if err != nil {
		return RawReply{}, err
	}
	select {
	case <-call.Done():
		return call.Reply()
	case <-ctx.Done():
		return RawReply{}, ctx.Err()
	}
}

// Start is Raw without the waiting. A command of imapclient's may follow before
// the reply has come, if the server answers the two one after the other.
func (t *Tap) Start(cmd string) (*Call, error) { return t.start(cmd, new(rawCommand)) }

// Ask is Start for a command whose replies are wanted as Events alone: there may
// be millions. The caller takes them while he waits for Done.
func (t *Tap) Ask(cmd string) (*Call, error) { return t.start(cmd, &rawCommand{quiet: true}) }

func (t *Tap) start(cmd string, r *rawCommand) (*Call, error) {
	if strings.ContainsAny(cmd, "\r\n\x00") {
		return nil, fmt.Errorf("raw command %q holds a line end", cmd)
	}
	if err := t.Err(); err != nil {
		return nil, err
	}
	r.done = make(chan struct{})
	w := &t.out
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.usable(); err != nil {
		return nil, err
	}
	w.rawTags++
	line := nextRawTag(w.rawTags) + " " + cmd
	if learn := t.begin([]byte(line), r); learn != nil {
		t.learn(func(s *secrets) { learn(s, []byte(line)) })
	}
	t.traceOut([]byte(line), []byte(line), true)
	w.out = append(append(w.out, line...), "\r\n"...)
	if err := w.send(); err != nil {
		return nil, err
	}
	return &Call{r}, nil
}

// rawRunning reports whether a raw command waits for its replies, and whether it
// wants their octets.
func (t *Tap) rawRunning() (running, collects bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.pending {
		if raw := t.pending[i].raw; raw != nil {
			return true, !raw.quiet
		}
	}
	return false, false
}

// captureBytes keeps the octets of a response for Raw.
func (s *scanner) captureBytes(b []byte) error {
	if len(s.capture)+len(b) > s.tap.opts.Limits.Line {
		return limitError("octets of one reply to a raw command", int64(s.tap.opts.Limits.Line))
	}
	s.capture = append(s.capture, b...)
	return nil
}

// captured adds a complete response to the replies of the raw command.
func (s *scanner) captured() error {
	line := trimEOL(s.capture)
	defer func() {
		s.capture = s.capture[:0]
		if cap(s.capture) > keepBuffer {
			s.capture = nil
		}
	}()
	if !bytes.HasPrefix(line, []byte("*")) {
		return nil
	}
	t := s.tap
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.pending {
		if r := t.pending[i].raw; r != nil && !r.over {
			if r.size += len(line); r.size > maxRawReply {
				return limitError("octets in the replies to a raw command", maxRawReply)
			}
			r.reply.Untagged = append(r.reply.Untagged, string(line))
			return nil
		}
	}
	return nil
}

// maxRawReply bounds all untagged replies to one raw command.
const maxRawReply = 16 << 20

// nextRawTag makes the tag of a raw command: imapclient's begin with T.
func nextRawTag(n int) string { return "W" + strconv.Itoa(n) }
