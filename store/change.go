package store

// ChangeKind says what a Change does to a List.
type ChangeKind uint8

const (
	// Exists: the mailbox now holds N messages. It only ever extends the List;
	// an N below the count is a disagreement (ErrDesync).
	Exists ChangeKind = iota + 1
	// Expunge: the row at Seq is gone; rows above move down by one.
	Expunge
	// Fill: the row at Seq is the message UID; Flags are its flags (zero: not
	// said, what was known stays).
	Fill
	// SetFlags: the flags of the row at Seq are now Flags. UID is zero where the
	// server did not say it.
	SetFlags
	// Vanished: the message UID is gone (RFC 7162 §3.2.10, without EARLIER).
	Vanished
)

// Change is one step of the server's own account of a mailbox, in wire order.
// Seq is a 1-based message sequence number. Applied in the same order to two
// equal Lists, the same Changes give two equal Lists.
type Change struct {
	Kind  ChangeKind
	Seq   uint32
	N     uint32
	UID   UID
	Flags Flags
}
