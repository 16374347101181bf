package store

import "time"

// Entry is a command that waits in the outbox, as it is kept on disk. What the
// command is and how far it has come is the session's business: the outbox knows
// neither.
type Entry struct {
	ID      int64     // in the outbox, where it only grows; 0 before it is there
	Place   Place     // whose UIDs the command names
	Command []byte    // as the session encodes it
	Created time.Time // when it was asked for, to the millisecond
	Progress
}

// Progress is how far a command has come.
type Progress struct {
	Stage uint8 // the session's word for it
	// Landing is what the mailbox to which messages are copied had to say right
	// before that: copies have a UID from Next on, as long as UIDValidity holds.
	// Zero where nothing was copied.
	Landing Landing
	// Attempts counts the links that broke while it was being done.
	Attempts int
}

// Landing is a mailbox's UIDVALIDITY and UIDNEXT at one moment.
type Landing struct {
	UIDValidity uint32
	Next        UID
}
