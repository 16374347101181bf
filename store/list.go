package store

import "errors"

// ErrDesync: a Change contradicts the List; select again and reconcile.
var ErrDesync = errors.New("the server and the list disagree")

// Row is one row of a List.
type Row struct {
	UID   UID // 0: not known yet
	Flags Flags
}

// List is the mailbox, row i being sequence number i+1: known rows (UIDs
// ascending) and unknown rows. It is chunked and copy-on-write. The zero value
// is an empty mailbox. A List belongs to one goroutine; Snapshot makes another
// that may go to another goroutine.
type List struct{}

// Len is the number of messages, known or not.
func (l *List) Len() int { return 0 }

// Row returns row i (0-based, i < Len).
func (l *List) Row(i int) Row { return Row{} }

// Find returns the index of the known row uid.
func (l *List) Find(uid UID) (i int, ok bool) { return 0, false }

// MaxUID is the highest known UID and its index; ok is false where none is known.
func (l *List) MaxUID() (uid UID, i int, ok bool) { return 0, 0, false }

// Unknown calls yield for each maximal run [lo,hi) of unknown rows within
// [from,to), ascending, until it returns false.
func (l *List) Unknown(from, to int, yield func(lo, hi int) bool) {}

// Snapshot returns an independent copy that shares memory until either writes.
// Cost: O(chunks), no row is copied.
func (l *List) Snapshot() *List { return &List{} }

// Applied says what a Change did.
type Applied struct {
	Index int // the row, 0-based; for Exists the first new row
	Old   Row // what it was
	New   Row // what it is now (zero for a removed row)
	Count int // rows added or removed
}

// Apply applies one Change. On ErrDesync the List is as it was.
func (l *List) Apply(c Change) (Applied, error) { return Applied{}, nil }
