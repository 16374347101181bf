package imapsession

import (
	"time"

	"tidings/internal/message"
	"tidings/internal/safetext"
	"tidings/store"
)

// CommandID names one command of one Session; it is never reused and never 0.
type CommandID uint64

// Event is one thing that a Session tells its listener. Events come out of the
// Box in the order in which the session put them in: list events in wire
// order, and a Result after every wire event of its command.
type Event interface{ event() }

// StateEvent says what the connection is doing and what was proven of it.
type StateEvent struct {
	State State
	// Reason says in a sentence for the person why the state is what it is;
	// empty while all is well.
	Reason safetext.Text
	// Retry is when the next attempt is made; zero if none is planned.
	Retry time.Time
	// Attempt counts the failed attempts since the link was last up.
	Attempt int
	// Fatal: nothing more is tried until the person or the config changes
	// something (rejected credentials, bad certificate, missing folder).
	Fatal bool
	// SignIn: it is Fatal, and what helps is to sign in again.
	SignIn bool
	// NoMailbox: it is Fatal, because the mailbox is not there, or not any more.
	NoMailbox bool
	// Transport says how the link is protected, e.g. "TLS 1.3"; Watch how new
	// mail is noticed on it: idle, poll or visit (poll also where the server
	// has no IDLE).
	Transport safetext.Text
	Watch     Watch
	ReadOnly  bool
}

// State is what a session's monitor connection is doing.
type State uint8

const (
	Offline       State = iota // not started, or stopped for good (see Fatal)
	Connecting                 // dialling, TLS, greeting
	SigningIn                  // LOGIN or AUTHENTICATE
	Selecting                  // SELECT, and reconciling with what is known
	Live                       // the list is in step with the server
	Waiting                    // backing off until Retry
	BetweenVisits              // watch = "visit": not connected, by design, until Retry
)

// ResyncEvent starts an epoch: the listener replaces its List by List (its own
// copy; the session goes on with another) and drops list events of any other
// epoch.
type ResyncEvent struct {
	Epoch       uint32
	Mailbox     string // raw name, as commands need it
	UIDValidity uint32
	List        *store.List
	// What reconciling found since the last epoch of the same UIDVALIDITY.
	// All empty or zero at the first load and after an overflow.
	Gone    []store.UID // known rows that vanished meanwhile
	Arrived uint32      // rows that arrived meanwhile
	Changed []store.UID // known rows whose flags changed meanwhile
	// Reload: UIDVALIDITY changed (or the mailbox is another), nothing that was
	// known by UID holds.
	Reload bool
	// Permanent are the flags that can be stored for good (PERMANENTFLAGS), as far
	// as the server says so; AnyKeyword is the "\*" of it.
	Permanent  []string
	AnyKeyword bool
	// AsOf, where not zero, marks a list from the cache: Epoch is 0, and the
	// server confirmed it last then. No ListEvent follows in that epoch, and rows
	// are addressed by UID alone. Confirmed by the server it is a ResyncEvent of
	// the next epoch.
	AsOf time.Time
	// Selected is where the person was when the program ended; 0 where not known,
	// and in all but the first ResyncEvent.
	Selected store.UID
}

// ListEvent is one Change to the List of an epoch.
type ListEvent struct {
	Epoch  uint32
	Change store.Change
	// UID of the row that was hit, where it was known (an Expunge by number).
	UID store.UID
}

// SummariesEvent brings the summaries of rows, in no particular order.
type SummariesEvent struct {
	UIDValidity uint32
	Summaries   []*store.Summary
}

// NewMailEvent says that messages arrived while the list was being watched, or
// during a gap (Gap: one event for all of them). Their Summaries came before.
// Own appends and messages already \Seen are included; the listener decides.
type NewMailEvent struct {
	UIDValidity uint32
	UIDs        []store.UID // ascending; in a Gap only those whose summary is known
	Count       int         // how many arrived, at least len(UIDs)
	Gap         bool
}

// ProgressEvent tells how far something long has come: the filling of the cache
// (ID 0), or a command. Two of one ID come at least 100 ms apart, and the last
// has Done equal to Total or Ended set.
type ProgressEvent struct {
	ID    CommandID // 0: backfill
	Done  int64     // messages, or octets of a command that moves bytes
	Total int64     // 0 where not known
	Rate  float64   // per second, measured lately; 0 where not known
	Left  time.Duration
	Ended bool
}

// SearchEvent brings what the server found for a Search, in pieces; the last one
// comes right before the command's Result.
type SearchEvent struct {
	ID    CommandID
	Place store.Place
	UIDs  []store.UID // in no particular order
}

// UnseenEvent tells the number of messages without \Seen. Known is false while
// it has not been asked for or an event made it uncertain.
type UnseenEvent struct {
	Epoch uint32
	N     uint32
	Known bool
}

// BodyEvent brings a message's raw bytes, growing part by part. The last one
// comes right before the command's Result.
type BodyEvent struct {
	ID          CommandID
	UIDValidity uint32
	UID         store.UID
	Data        []byte // everything so far from octet 0; not to be modified
	Size        int64  // RFC822.SIZE; 0 where unknown
	Complete    bool   // Data is all that was asked for
	Truncated   bool   // Complete, but the message is larger than the limit
}

// StructureEvent answers a FetchStructure, right before the command's Result.
type StructureEvent struct {
	ID          CommandID
	UIDValidity uint32
	UID         store.UID
	Size        int64  // RFC822.SIZE; 0 where the server does not say it
	Type        string // of the message as a whole, lower case
	Parts       []message.Remote
}

// FoldersEvent answers ListFolders: the mailboxes in the server's order, but
// INBOX first.
type FoldersEvent struct {
	ID CommandID
	// Gmail: the folders are labels (X-GM-EXT-1). A message moved from one to All
	// Mail loses its label; moved to Trash it loses all of them.
	Gmail   bool
	Folders []Folder
	// Subscriptions: the server told which of them the person subscribed to.
	Subscriptions bool
}

// CountsEvent tells of some of the mailboxes that a CountFolders named. Those that
// the server would not count are in none.
type CountsEvent struct {
	ID     CommandID
	Counts []FolderCount
}

// FolderCount is what a mailbox held when the server was asked.
type FolderCount struct {
	Raw      string
	Messages uint32
	Unseen   uint32
}

// Folder is one mailbox that LIST returned.
type Folder struct {
	Raw       string // as commands need it
	Name      safetext.Text
	Delimiter rune   // 0: flat
	Role      string // "", or archive, drafts, flagged, junk, sent, trash, all (RFC 6154)
	NoSelect  bool   // \Noselect or \NonExistent
	// Subscribed is false, too, where the server does not tell.
	Subscribed bool
}

// ResultEvent ends a command: it succeeded (Err nil) or not. It comes exactly
// once for each Do, after every wire event of the command.
type ResultEvent struct {
	ID      CommandID
	Command Command
	// Err is nil, or says in a sentence why the command did not happen; the
	// server's own words are part of it.
	Err error
	// Note is something to tell the person of a command that succeeded, e.g.
	// that the original stays marked deleted because the server lacks UIDPLUS.
	Note safetext.Text
	// Copied tells, of a Move or Copy, which message became which, as far as the
	// server says so (COPYUID, RFC 4315); nil where it does not.
	Copied *Copied
	// Landing is what a Move that says nothing of the kind knew before, for a
	// Locate; nil where that is not known.
	Landing *Landing
}

// Copied says that message From[i] is To[i] in another mailbox now.
type Copied struct {
	Place    store.Place
	From, To []store.UID
}

// AlertEvent is an ALERT the server wants shown (RFC 9051 §7.1); Bye its
// parting words. Own: no server said it, Tidings does, of the account's cache.
type AlertEvent struct {
	Text safetext.Text
	Bye  bool
	Own  bool
}

func (StateEvent) event()     {}
func (ResyncEvent) event()    {}
func (ListEvent) event()      {}
func (SummariesEvent) event() {}
func (NewMailEvent) event()   {}
func (UnseenEvent) event()    {}
func (BodyEvent) event()      {}
func (StructureEvent) event() {}
func (FoldersEvent) event()   {}
func (CountsEvent) event()    {}
func (ResultEvent) event()    {}
func (AlertEvent) event()     {}
func (ProgressEvent) event()  {}
func (SearchEvent) event()    {}
