package cache

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"tidings/store"
	"tidings/store/query"
)

// messageID is a message's id in every table.
func messageID(mailbox int64, uid store.UID) int64 { return mailbox<<32 | int64(uid) }

// uidOf is the UID of an id.
func uidOf(id int64) store.UID { return store.UID(uint32(id)) }

// linkHash stands for a Message-ID: eight octets of what takes fifty. Two that
// happen to be alike, among millions, make one conversation of two; nothing else
// depends on it.
func linkHash(id string) uint64 {
	sum := sha256.Sum256([]byte(id))
	return binary.BigEndian.Uint64(sum[:])
}

// appendLinks appends the hashes of the messages that s answers, oldest first:
// References, then what In-Reply-To has beside them.
func appendLinks(b []byte, s *store.Summary) []byte {
	for _, id := range s.References {
		b = binary.BigEndian.AppendUint64(b, linkHash(id))
	}
next:
	for _, id := range s.InReplyTo {
		for _, known := range s.References {
			if id == known {
				continue next
			}
		}
		b = binary.BigEndian.AppendUint64(b, linkHash(id))
	}
	return b
}

// day is a date as the server prints it, as the number yyyymmdd.
func day(t time.Time) int64 {
	y, m, d := t.Date()
	return int64(y)*10000 + int64(m)*100 + int64(d)
}

// appendWords appends what a search for words looks at, folded, a line for each
// part: sender, recipients, subject and list.
func appendWords(b []byte, s *store.Summary) []byte {
	for _, list := range [...][]store.Address{s.From, s.To, s.Cc} {
		for _, a := range list {
			b = query.AppendFold(b, a.Name.String())
			b = append(b, '\n')
			b = query.AppendFold(b, a.Raw)
			b = append(b, '\n')
		}
	}
	b = query.AppendFold(b, s.Subject.String())
	b = append(b, '\n')
	b = query.AppendFold(b, s.ListID.String())
	return b
}
