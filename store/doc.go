// Package store holds what Tidings knows of a mailbox: the index-aligned List,
// message Summaries, interned Flags, and the Overlay of effects that the person
// has asked for and the server has not yet confirmed.
//
// The List exists twice, in the session and in the model, as the same type fed
// by the same Changes: no locks, no shared mutable memory. Only wire events
// change a List; an Overlay is read by the views and never moves an index.
package store
