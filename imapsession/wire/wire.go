// Package wire is the tap between the network and imapclient: a bounded,
// wire-ordered view of the server's bytes.
//
// A Tap is a net.Conn placed above TLS and under imapclient:
//
//	server <-> TCP <-> TLS <-> Tap <-> imapclient <-> session goroutine
//	                            \___ Events, in wire order ___/
//
// imapclient encodes our commands and decodes their results. The Tap is there
// for what imapclient cannot be asked to do: tell in which order things
// happened, survive what real servers send, refuse what hostile ones send, and
// give up waiting.
//
// # Order
//
// What the server says is split into responses: lines, with counted literals in
// them. Each becomes one Event (but for blank lines, and the tagged reply that
// Raw returns), queued before the bytes that complete its response are handed to
// imapclient: when a command's Wait returns, everything up to and including its
// tagged reply is in the queue, and perhaps what came after it. A response that
// imapclient never sees has its Event at its place all the same.
//
// # What imapclient gets to see
//
// Any octet that imapclient does not expect ends its connection, and comes
// again after the reconnect. So nothing of a response is passed on as it came:
// it is parsed leniently and written out anew, in the form imapclient is known
// to accept, or withheld.
//
//   - FETCH: only UID, FLAGS, MODSEQ, INTERNALDATE, RFC822.SIZE and BODY[...],
//     UID first; ENVELOPE, BODYSTRUCTURE, BINARY and all else is left out and
//     must not be requested. A value that cannot be right is left out too.
//   - A FETCH response goes to imapclient only if a command in flight asked for
//     it. The Tap reads the commands that go out: one that asked for content
//     (INTERNALDATE, RFC822.SIZE, BODY[...]) is answered by a response with
//     content, one that asked for flags alone (STORE as well) by one with flags,
//     and with the UID if that was asked for by name. Everything else, such as
//     the flags update of a message whose content is on its way, would take the
//     place of the answer in imapclient; it is an Event only. The session need
//     not announce anything.
//   - A response to UID FETCH whose UID stands behind its literals is held
//     back, up to 64 KiB, and written out UID first. Beyond that, or where the
//     server leaves the UID out, it can be passed on only if the command named
//     one message; it is then that one's, and a UID that says otherwise ends
//     the connection.
//   - LIST, STATUS, NAMESPACE, SEARCH, SORT, ESEARCH, CAPABILITY, ENABLED,
//     FLAGS, EXISTS, RECENT, EXPUNGE and status responses go to imapclient,
//     repaired. So do the codes of status responses that it can decode, but for
//     CLOSED.
//   - All else is an Event only: tagged replies to no command, continuation
//     requests nobody waits for, unknown responses, VANISHED, and those of
//     commands that we leave to Raw (ID, QUOTA, ACL, METADATA, THREAD).
//   - A mailbox name that imapclient could not decode, or would write back as
//     other octets than the server listed it with, is replaced by a stand-in of
//     plain ASCII, and the stand-in by the server's octets in every command
//     that goes out. The session uses names as imapclient gives them, also on
//     another connection; MailboxTitle is how they are shown.
//
// # What goes out
//
// Commands leave as imapclient writes them, each line in one write, but for the
// mailbox names above. A DONE or a SASL response that imapclient sends when the
// server has ended the IDLE or the exchange already does not leave: it would be
// taken for a command. HoldDone lets a DONE and the next command travel
// together. Inside a SASL exchange an empty response is an empty line, not
// imapclient's "=", and an empty challenge reaches the mechanism's Next: one with
// a first response that could not go along with AUTHENTICATE gives it there.
//
// # Bounds and deadlines
//
// A response's text, its literals, the nesting of parentheses and the queue of
// events have Limits; what exceeds one ends the connection with ErrLimit before
// imapclient sees it. Literals stream through. Reads have one sliding deadline,
// chosen by SetPhase and armed before each Read of the connection; a write has
// 30 s for every 32 KiB. imapclient's own deadlines are absolute, kill what is
// merely slow, and are ignored.
//
// # Trace
//
// A Trace keeps the last lines of the conversation for the person to look at.
// It is redacted as it is written: of log-ins the verb, of literals the length,
// of FETCH data numbers and flags, of what it does not know the name and length
// only; a line in which the server repeats a secret it was told is left out.
//
// # Goroutines
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
	// Num is the message count or sequence number; in a KindStatus or
	// KindTagged with code UIDVALIDITY, UIDNEXT or UNSEEN that code's number.
	// An Expunge of 0 says that the server and we disagree.
	Num uint32
	UID uint32 // KindFetch: 0 where it is not known from the response
	// FlagNames are the flags as sent, of a FETCH, a FLAGS or a PERMANENTFLAGS
	// code; HasFlags tells FLAGS () from none. Shared: not to be modified.
	FlagNames []string
	HasFlags  bool
	ModSeq    uint64 // of a FETCH or a HIGHESTMODSEQ code
	Type      string // upper case: OK NO BAD BYE PREAUTH, or a response's name
	Code      string // response code, upper case: ALERT, UIDVALIDITY, COPYUID ...
	Arg       string // the code's argument, raw
	Text      string // raw and untrusted, cut to 8 KiB; safetext before it is shown
	Tag       string
	UIDs      []UIDRange
	Earlier   bool
	Counted   bool // of an ESEARCH: it has a COUNT
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
