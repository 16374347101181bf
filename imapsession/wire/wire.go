// Package wire is the tap between the network and imapclient: a bounded,
// wire-ordered view of the server's bytes.
//
// A Tap is a net.Conn placed above TLS and under imapclient. It splits what the
// server says into responses, bounds them, repairs or drops what would kill
// imapclient's decoder, and emits Events in wire order. An Event is queued
// before the bytes that complete its response are handed to imapclient: when a
// command's Wait returns, everything up to and including its tagged reply is in
// the queue.
//
// The reading side (Read) runs on imapclient's reader goroutine and is never
// blocked by the listener. Everything else is for the one session goroutine,
// but for LastRead, Stats, Err and Close, which anyone may call.
package wire

import "time"

// Kind says what an Event is.
type Kind uint8

const (
	KindExists   Kind = iota + 1 // Num
	KindRecent                   // Num
	KindExpunge                  // Num
	KindVanished                 // UIDs, Earlier
	KindFetch                    // Num, UID, Flags, ModSeq
	KindStatus                   // Type, Code, Arg, Text: untagged OK, NO, BAD, PREAUTH, BYE
	KindTagged                   // Tag, Type, Code, Arg, Text
	KindCont                     // Text: a continuation request
	KindFlags                    // FlagNames: the mailbox's FLAGS response
	KindOther                    // Type: any other untagged response, by name
)

// UIDRange is an inclusive range of UIDs, Lo <= Hi.
type UIDRange struct{ Lo, Hi uint32 }

// Event is one response, or what matters of it.
type Event struct {
	Kind Kind
	Num  uint32 // message count or sequence number
	UID  uint32 // KindFetch: 0 where the server did not say it
	// FlagNames are the flags as sent; HasFlags tells FLAGS () from none.
	FlagNames []string
	HasFlags  bool
	ModSeq    uint64
	Type      string // upper case: OK NO BAD BYE PREAUTH, or a response's name
	Code      string // response code, upper case: ALERT, UIDVALIDITY, COPYUID ...
	Arg       string // the code's argument, raw
	Text      string // raw and untrusted; safetext before it is shown
	Tag       string
	UIDs      []UIDRange
	Earlier   bool
	// Broken: the response was repaired or dropped before imapclient saw it.
	Broken bool
}

// Phase selects the sliding read deadline: how long the tap waits for the next
// byte.
type Phase uint8

const (
	PhaseConnect Phase = iota // greeting and log-in: 30 s
	PhaseCommand              // a reply or a literal is due: 60 s
	PhaseIdle                 // nothing is due; the session's own probe timer rules: none unless set
	PhaseDone                 // the reply to DONE is due: 10 s
	PhaseProbe                // proof of life after sleep is due: 5 s
	phases
)

// Timeouts are the deadlines per phase; zero entries take the defaults above,
// negative means none.
type Timeouts [phases]time.Duration

// Limits bound what the server can make us hold. Zero entries take the
// defaults.
type Limits struct {
	Line     int   // octets of one response without its literals: 4 MiB
	Depth    int   // nested parentheses: 64
	Literal  int64 // octets of one announced literal: 128 MiB
	Response int64 // octets of one response with its literals: 256 MiB
	Queue    int   // events waiting for the session: 1<<20, beyond which the connection ends
}

// Options configure a Tap; the zero value is usable.
type Options struct {
	Limits   Limits
	Timeouts Timeouts
	Trace    *Trace // nil: no trace is kept
	Name     string // in the trace: which connection
	// Greeting, if not empty, is handed to imapclient before anything from the
	// connection (after our own STARTTLS), e.g. "* OK ready\r\n".
	Greeting string
}

// Stats count what passed.
type Stats struct {
	BytesIn, BytesOut int64
	Responses         int64
	Repaired, Dropped int64
	Commands          int64
}
