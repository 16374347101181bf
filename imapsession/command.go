package imapsession

import (
	"tidings/store"
	"tidings/store/query"
)

// Command is something that a person asked a session to do. Commands name
// messages by Target, never by sequence number.
type Command interface{ command() }

// Target aims a command: these UIDs of this mailbox at this UIDVALIDITY, or
// nothing. A command whose UIDVALIDITY no longer holds ends with an error.
type Target struct {
	Mailbox     string // raw name
	UIDValidity uint32
	UIDs        []store.UID
}

// FetchBody fetches one message without marking it read (BODY.PEEK), in parts,
// up to Limit octets (0: the default of 2 MiB). Target holds one UID. It goes on
// behind Have, the beginning of the message as an earlier FetchBody brought it;
// the BodyEvents hold all of it.
type FetchBody struct {
	Target Target
	Limit  int64
	Have   []byte
}

// FetchStructure asks what a message is made of (BODYSTRUCTURE); answered by a
// StructureEvent, or by ErrNoStructure. Target holds one UID.
type FetchStructure struct {
	Target Target
}

// FetchPart fetches one part of a message, or all of it, without marking it read, as
// it is transferred: encoded. What comes goes Into a Stream, which has room for some of it
// and makes the command wait; ProgressEvents tell how far it is. It goes on where it
// was when the link broke, if the message's structure is still the same. Target holds
// one UID.
type FetchPart struct {
	Target  Target
	Section string // as a StructureEvent has it; "": all of the message
	Octets  int64  // likewise, or the message's size; below 0: unknown
	Limit   int64  // octets that are wanted at most; 0: all
	Into    *Stream
}

// StoreFlags adds and removes flags. Flags are IMAP names: "\\Seen",
// "\\Flagged", "$Junk".
type StoreFlags struct {
	Target      Target
	Add, Remove []string
}

// Move moves messages to the mailbox Dest (raw name): MOVE where the server
// has it; else COPY and, only after its OK, \Deleted and UID EXPUNGE, and that
// only with UIDPLUS.
type Move struct {
	Target Target
	Dest   string
}

// Copy copies messages to the mailbox Dest (raw name).
type Copy struct {
	Target Target
	Dest   string
}

// Expunge removes messages for good: \\Deleted, then UID EXPUNGE. Without UIDPLUS
// it is refused: others' messages would go as well.
type Expunge struct {
	Target Target
}

// CreateFolder makes a mailbox; one that is there already is no error.
type CreateFolder struct {
	Name string // raw, or as a person writes it
}

// ListFolders asks for the account's mailboxes; answered by a FoldersEvent.
type ListFolders struct{}

// CountFolders asks how many messages mailboxes hold, and how many of them are
// unread; answered by CountsEvents. A mailbox that a session of ours has selected
// is not asked for (RFC 9051 §6.3.11): its own list tells.
type CountFolders struct {
	Names []string // raw
}

// Search asks the server which messages of the mailbox match; answered by
// SearchEvents. Target holds no UIDs.
type Search struct {
	Target Target
	Query  query.Query
}

func (Search) command()         {}
func (FetchBody) command()      {}
func (FetchStructure) command() {}
func (FetchPart) command()      {}
func (StoreFlags) command()     {}
func (Move) command()           {}
func (ListFolders) command()    {}
func (Copy) command()           {}
func (Expunge) command()        {}
func (CreateFolder) command()   {}
func (CountFolders) command()   {}

// Visible tells the session which rows the person can see (1-based sequence
// numbers of Epoch, Lo <= Hi), so that unknown rows there, and one screen
// either side, are asked for. Missing are rows whose UID is known but whose
// Summary the listener does not hold.
type Visible struct {
	Epoch   uint32
	Lo, Hi  uint32
	Missing []store.UID
}
