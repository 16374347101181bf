// Package cache keeps what is known of an account's mailboxes on disk, so that
// the next start shows them before the network is up. It may be deleted at any
// time: nothing is in it that the server has not.
//
// A *Cache is one account's, in one process. The session hands it Checkpoints,
// Summaries and bodies, which never blocks; one goroutine, the writer, writes
// them. Anyone may read, at any time, on connections of their own: they see what
// was committed, and the few things that wait to be written.
//
// # What is written, and when
//
// Nothing is replayed. Of the Checkpoints that wait for a mailbox the newest
// counts; the writer holds its List against the one it wrote last and writes what
// differs, together with its ModSeq, in one transaction. So a HIGHESTMODSEQ on
// disk never promises a change that is not there, whenever the process dies. What
// waits is written within a quarter of a second, at once where Settled or Close
// waits for it. Power that fails may cost the last transactions, never their
// order.
//
// There is no file before there is something to write: a first start has its rows
// on the screen before it is made. When nothing was written for a while, the writer
// merges what the search index was written in.
//
// # Several processes
//
// The file may be open in any number of processes. For each mailbox one of them
// has the lease, a lock on a file beside it, and writes; what the others are
// given to keep comes to nothing. The lock ends with its process, however that
// ends, and the next who has something to keep takes it, reads what is there and
// goes on from it.
//
// # What can go wrong
//
// A file that is damaged, of another program or of another version is renamed
// and a new one begun, at the start or whenever it shows. Where there can be no file
// (a directory that cannot be written, a full disk at the start) the same code
// runs on a database in memory. A disk that fills up meanwhile leaves what was
// committed; writing is tried again every half minute. Each of these is said
// once, in a sentence, through Options.Say. No error of the disk ever reaches the
// session: it finds an empty cache instead.
//
// # The schema
//
// A message's id, in every table that has one, is mailbox.id<<32 | UID: messages
// of a mailbox lie together, UIDs ascending, and no join or index is needed to
// find them. A mailbox gets a new id when its UIDVALIDITY changes, so that
// nothing that stands under the old one is ever seen again; sweeping it away may
// take its time. Use messageID and uidOf.
//
//	mailbox   the mailboxes. name is raw. written counts the Checkpoints written
//	          (0: none yet, only summaries are kept). gaps has the runs of unknown
//	          rows: after which UID, how many. digest is a checksum over the rows.
//	          asof is in milliseconds since 1970.
//	row       the known rows of the newest Checkpoint. flags: the bits of
//	          store.Flags' low byte (\Seen is 1; 0: the flags are not known), the
//	          keywords' id above (<<8), and keywordsLost.
//	keywords  sets of keywords, names joined by NUL
//	message   of each message whose summary is kept what selecting, sorting and
//	          threading need, narrow enough to read all of: INTERNALDATE in seconds
//	          since 1970, its day as the server prints it (yyyymmdd),
//	          store.DateKey, octets, store.SenderKey and SubjectKey, the hash of
//	          the Message-ID (linkHash) and those of References and In-Reply-To, 8
//	          octets big-endian each. internal and day are NULL where INTERNALDATE
//	          is not known, msgid and refs where there are none.
//	summary   the Summary itself, see encodeSummary
//	words     FTS5 trigrams of wordsOf(summary), which is folded as query.Fold
//	          does. It keeps no text and no positions (detail=none): a term's
//	          trigrams, joined by AND, find candidates, which then have to be
//	          held against the Summary.
//	body      the complete messages that are kept; used ascends with each use
//	bodydata  their bytes
//	bodytext  their readable text, folded
//	bodywords FTS5 trigrams of bodytext, like words
//	gone      messages that left row, and whose other rows are still to be swept
//	dropped   ids of former mailboxes, still to be swept
//
// A message may have a row without a message (its summary is not kept) or a
// message without a row (it is not in the index yet, or gone): whoever wants what
// is in the mailbox joins row.
//
// Cache.read gives a connection to read with, Cache.mailboxOf the id.
package cache
