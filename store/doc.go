// Package store holds what Tidings knows of a mailbox: the index-aligned List,
// message Summaries, interned Flags, and the Overlay of effects that the person
// has asked for and the server has not yet confirmed.
//
// # The List
//
// The List exists twice, in the session and in the model, as the same type fed
// by the same Changes: no locks, no shared mutable memory. Only wire events
// change a List; an Overlay is read by the views and never moves an index.
// Applied in the same order to two equal Lists, the same Changes leave equal
// Lists. A Change that contradicts what is known is ErrDesync and changes
// nothing: the server and we disagree, and only a new SELECT can tell who errs.
//
// Row i is sequence number i+1 at all times. A row is known, with its UID and
// perhaps its flags, or unknown: the server said that there is a message, and
// nobody has asked which. Known UIDs ascend; that is what an unknown message's
// VANISHED and a FETCH for the wrong row are held against.
//
// Rows lie in chunks of up to 248, at five bytes a row; a run of unknown rows is
// one number. Up to 128 such stretches make a page, and the List is a slice of
// pages. So an expunge moves rows within one chunk, and finding a row passes
// some dozen pages and stretches even among a million messages. Pages and chunks
// are shared between a List and its Snapshots and copied by whoever writes first,
// which makes a Snapshot cost a few hundred nanoseconds.
//
// # Who may call
//
// List, Builder, Overlay and Summaries belong to one goroutine each; Snapshot
// makes a List for another. Flags and Summary are values that never change: any
// goroutine may use them.
package store
