package imapsession

import (
	"errors"
	"fmt"
	"time"

	"github.com/emersion/go-imap/v2"

	"tidings/internal/message"
	"tidings/internal/safetext"
	"tidings/store"
)

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

// target is the mailbox that is looked through.
func (c Locate) target() Target {
	t := Target{Mailbox: c.Landing.Place.Mailbox, UIDValidity: c.Landing.Place.UIDValidity}
	for _, m := range c.Landing.Messages {
		t.UIDs = append(t.UIDs, m.UID)
	}
	return t
}

// expectLanding notes what a Locate needs to know, before messages are moved by a
// server that will not say what they became. What cannot be had is done without.
func (l *link) expectLanding(uids []store.UID, dest string) (*Landing, error) {
	if err := l.settle(); err != nil {
		return nil, err
	}
	there, refusal, err := l.landingOf(dest)
	if err != nil || refusal != nil || there.Next == 0 || there.UIDValidity == 0 {
		return nil, err
	}
	landing := &Landing{Place: store.Place{Mailbox: dest, UIDValidity: there.UIDValidity}, Next: there.Next}
	for _, part := range uidLines(uids) {
		some, err := l.identities(uidSet(part))
		if err != nil {
			return nil, err
		}
		landing.Messages = append(landing.Messages, some...)
	}
	return landing, nil
}

// identities asks who messages are.
func (l *link) identities(set imap.UIDSet) ([]Identity, error) {
	items := &imap.FetchOptions{UID: true, RFC822Size: true, BodySection: []*imap.FetchItemBodySection{{
		Specifier: imap.PartSpecifierHeader, HeaderFields: []string{"MESSAGE-ID"}, Peek: true,
	}}}
	var out []Identity
	err := l.eachMessage(set, items, func(uid store.UID, octets int64, _ time.Time, header []byte) {
		if uid != 0 && header != nil {
			out = append(out, Identity{uid, message.ParseHeader(header).MessageID, octets})
		}
	})
	if err != nil {
		return nil, asFault(err)
	}
	return out, nil
}

// locate looks for the messages of a landing.
func (l *link) locate(j *job, c Locate) error {
	if err := l.settle(); err != nil {
		return err
	}
	var set imap.UIDSet
	set.AddRange(imap.UID(c.Landing.Next), 0)
	arrived, err := l.identities(set)
	if err != nil {
		return err
	}
	j.copied, err = c.Landing.match(arrived)
	l.s.finish(j, err, safetext.Text{})
	return nil
}

// match tells which of the messages that arrived is which.
func (g *Landing) match(arrived []Identity) (*Copied, error) {
	type key struct {
		id   string
		size int64
	}
	fits := map[key][]store.UID{}
	for _, m := range arrived {
		if m.UID >= g.Next { // "n:*" always brings one
			k := key{m.MessageID, m.Size}
			fits[k] = append(fits[k], m.UID)
		}
	}
	c := &Copied{Place: g.Place}
	twin := map[store.UID]bool{}
	for _, m := range g.Messages {
		found := fits[key{m.MessageID, m.Size}]
		switch {
		case m.MessageID == "":
			return nil, errors.New("a message without a Message-ID cannot be told from others")
		case len(found) == 0:
			return nil, fmt.Errorf("it is not in %s any more", title(g.Place.Mailbox))
		case len(found) > 1 || twin[found[0]]:
			return nil, fmt.Errorf("several messages in %s look the same", title(g.Place.Mailbox))
		}
		twin[found[0]] = true
		c.From, c.To = append(c.From, m.UID), append(c.To, found[0])
	}
	return c, nil
}
