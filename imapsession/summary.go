package imapsession

import (
	"time"

	"tidings/internal/message"
	"tidings/internal/safetext"
	"tidings/store"
)

// newSummary makes a Summary of what a FETCH brought.
func newSummary(uid store.UID, internal time.Time, size int64, header []byte) *store.Summary {
	h := message.ParseHeader(header)
	sum := &store.Summary{
		UID:        uid,
		Internal:   internal,
		Date:       h.Date,
		Size:       size,
		From:       addresses(h.From),
		To:         addresses(h.To),
		Cc:         addresses(h.Cc),
		ReplyTo:    addresses(h.ReplyTo),
		Subject:    safetext.Clean(h.Subject),
		MessageID:  h.MessageID,
		InReplyTo:  h.InReplyTo,
		References: h.References,
		ListID:     safetext.Clean(h.ListID),
		Mixed:      h.ContentType == "multipart/mixed",
	}
	if internal.Year() <= 1970 {
		sum.Internal = time.Time{} // what the tap puts where the server's was unusable
	}
	return sum
}

func addresses(in []message.Address) []store.Address {
	if len(in) == 0 {
		return nil
	}
	out := make([]store.Address, len(in))
	for i, a := range in {
		name := a.Name
		if a.Poses() {
			name = a.Address // who shows somebody else's address in a name is called by his own
		}
		out[i] = store.Address{Name: safetext.Clean(name), Addr: safetext.Clean(a.Address), Raw: a.Address}
	}
	return out
}
