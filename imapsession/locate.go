package imapsession

import "tidings/store"

// Locate finds out what messages became that a server moved without saying so:
// those of the mailbox from UID Landing.Next on that have the Message-ID and the
// size. Its Result has Copied for all of them, or says why they cannot be told:
// exactly one message has to fit each.
type Locate struct {
	Landing Landing
}

func (Locate) command() {}

// Landing is what was known of a mailbox before messages were moved there.
type Landing struct {
	Place    store.Place
	Next     store.UID // UIDNEXT
	Messages []Identity
}

// Identity is what a message keeps when it is moved.
type Identity struct {
	UID       store.UID // before the move
	MessageID string
	Size      int64 // octets
}

// Map gives what each message became.
func (c *Copied) Map() map[store.UID]store.UID {
	became := make(map[store.UID]store.UID, len(c.From))
	for i, uid := range c.From {
		became[uid] = c.To[i]
	}
	return became
}

// ErrGone says why a command did not happen: its messages were not there any more,
// another client was first.
var ErrGone = errGone
