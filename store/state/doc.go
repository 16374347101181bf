// Package state keeps what must outlive the program and is not on any server:
// what the person asked for and the server has not confirmed, and up to which
// message the person was told of new mail. It is one SQLite file for all accounts,
// under the XDG state directory; several processes use it at once.
//
// Unlike the cache it cannot be built anew, so that its schema is brought
// forward step by step, a file of a later version is left alone, and what is
// recorded is on the disk (synchronous=FULL) when that is said.
//
// A [State] has one goroutine, which alone waits for the disk. Whoever calls a
// method does not, but for Told and Close. There is no file before there is
// something to be kept.
//
// # Telling
//
// Of several processes that watch one mailbox one tells the person: the one that
// holds a lock on a file, which the system takes back when the process ends. The
// mark is the highest UID that the person was told of; with the account, the
// mailbox and its UIDVALIDITY it is a key for ever. It is written down after the
// telling, and nothing more is told before it is on the disk. So a process that
// is killed in between tells its last batch once more, never an older one, and
// misses nothing.
//
// # The outbox
//
// An [Outbox] keeps an account's actions from the moment they are asked for until
// their end. An entry is on the disk before its command is sent. It belongs to one
// process at a time, the only one that sends it; when that one ends, in whatever
// way, another claims it. What is claimed may have been sent: the session knows
// which commands can be sent again, and what to look for before the others.
package state
