package imapsession

import (
	"context"

	"tidings/store"
)

// Cache is where a session finds what an earlier run knew of a mailbox, and
// where it leaves what this one learns. It may be deleted at any time: nothing
// is in it that the server has not.
//
// Load, Body, Missing and Settled may wait for the disk; the session calls them
// on goroutines of their own. The Keep methods never block and may be called
// from any goroutine; what they are given is not changed afterwards. All of
// them come to nothing, without an error, where another process has the writer's
// lease or the disk fails: that is said elsewhere, once.
type Cache interface {
	// Load reads what is kept of a mailbox. As soon as the newest rows and their
	// summaries are read, enough for a screen, first is called with them, on the
	// calling goroutine: a Checkpoint whose List has all rows but knows only those.
	// What it returns has the whole index. Where nothing is kept, first is not
	// called and the Checkpoint has a nil List.
	Load(ctx context.Context, mailbox string, first func(store.Checkpoint, []*store.Summary)) (store.Checkpoint, error)
	// Keep replaces what is kept of a mailbox's rows; of several that wait, the
	// newest counts. Another UIDVALIDITY drops all that was kept under the old one.
	Keep(store.Checkpoint)
	// KeepSummaries adds summaries; those of messages that the index does not
	// know yet are kept as well.
	KeepSummaries(store.Place, []*store.Summary)
	// KeepBody adds a message's bytes, from octet 0; complete tells that they are
	// all of it.
	KeepBody(at store.Place, uid store.UID, data []byte, complete bool)
	// Body returns a complete message that is kept, nil if it is not.
	Body(ctx context.Context, at store.Place, uid store.UID) ([]byte, error)
	// Missing returns those of uids whose summary is not kept, in their order.
	Missing(ctx context.Context, at store.Place, uids []store.UID) ([]store.UID, error)
	// Settled waits until what was kept before is on disk, or ctx ends.
	Settled(ctx context.Context) error
}
