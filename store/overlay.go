package store

// Overlay holds the effects that the person asked for and the server has not
// confirmed, keyed by UID within one mailbox and UIDVALIDITY. Views read it; it
// never moves an index. It belongs to one goroutine.
type Overlay struct{}

// Effect is what one pending command does to its messages.
type Effect struct {
	Add, Remove []string // flags
	Dest        string   // raw name of the mailbox they move to; "" : they stay
}

// Put adds the effect of command id on uids, after those already there.
func (o *Overlay) Put(id uint64, uids []UID, e Effect) {}

// End removes the effects of command id (confirmed or refused).
func (o *Overlay) End(id uint64) {}

// Flags are the flags to draw for uid, given the server's; pending tells
// whether an effect had a part in it.
func (o *Overlay) Flags(uid UID, server Flags) (f Flags, pending bool) { return server, false }

// Leaving tells whether uid is on its way to another mailbox, and which.
func (o *Overlay) Leaving(uid UID) (dest string, ok bool) { return "", false }

// Len is the number of pending commands.
func (o *Overlay) Len() int { return 0 }

// Reset drops everything (UIDVALIDITY changed).
func (o *Overlay) Reset() {}
