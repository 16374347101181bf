package wire

import (
	"context"
	"net"
	"time"
)

// Tap is the conn that imapclient gets. Make one with New.
type Tap struct{ net.Conn }

// New puts a Tap on conn, which is plaintext or a *tls.Conn after its
// handshake. The Tap owns conn and its read deadline from then on;
// SetReadDeadline and SetDeadline by imapclient are ignored.
func New(conn net.Conn, opts Options) *Tap { return &Tap{Conn: conn} }

// Ready pokes (capacity 1) whenever Events has something or Err was set.
func (t *Tap) Ready() <-chan struct{} { return nil }

// Events takes all queued events, in wire order. The slice is the caller's.
func (t *Tap) Events() []Event { return nil }

// SetPhase changes the read deadline, also of a Read that is waiting now.
func (t *Tap) SetPhase(p Phase) {}

// LastRead is when the last byte came from the server.
func (t *Tap) LastRead() time.Time { return time.Time{} }

// Err is the first thing that went wrong, with its cause (errors.Is works:
// os.ErrDeadlineExceeded, io.EOF, ErrLimit ...), or nil.
func (t *Tap) Err() error { return nil }

// Stats counts what passed so far.
func (t *Tap) Stats() Stats { return Stats{} }

// LastFetch is the message of the last FETCH response that was handed to
// imapclient, for the quarantine of what kills its decoder.
func (t *Tap) LastFetch() (seq, uid uint32) { return 0, 0 }

// HoldDone makes the next write of exactly DONE wait for the write after it, so
// that both leave in one segment; released after 1 ms, or by Flush.
func (t *Tap) HoldDone() {}

// RawReply is what a raw command brought.
type RawReply struct {
	Untagged []string // raw lines without CRLF, literals inlined up to the line limit
	Tagged   Event
}

// Raw sends one command line (without tag and CRLF) while no imapclient
// command is in flight, and collects its replies. They are kept from
// imapclient, but EXISTS, EXPUNGE, VANISHED and FETCH still become Events (and
// the first two still reach imapclient). NO and BAD are not errors here: see
// Tagged.Type.
func (t *Tap) Raw(ctx context.Context, cmd string) (RawReply, error) { return RawReply{}, nil }
