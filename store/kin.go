package store

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// Kin is what conversations are made by: a message's own name, those that it
// answers, and its subject as a fallback.
type Kin struct {
	UID    UID
	ID     uint64   // KinID of its Message-ID; 0 where it has none
	Refs   []uint64 // KinIDs of References, then of what In-Reply-To has besides; the nearest last
	Base   string   // its SubjectKey; it counts only where there are no Refs
	Unread bool
}

// KinID is a Message-ID in eight octets, the same in every process; 0 is none.
// Two that happen to be alike, among millions, make one conversation of two.
func KinID(id string) uint64 {
	if id == "" {
		return 0
	}
	sum := sha256.Sum256([]byte(id))
	return max(binary.BigEndian.Uint64(sum[:]), 1)
}

// KinOf is the kin of a summary, but for Unread.
func KinOf(s *Summary) Kin {
	k := Kin{UID: s.UID, ID: KinID(s.MessageID)}
	for _, id := range s.References {
		if id != "" {
			k.Refs = append(k.Refs, KinID(id))
		}
	}
	for _, id := range s.InReplyTo {
		if id != "" && !slices.Contains(s.References, id) {
			k.Refs = append(k.Refs, KinID(id))
		}
	}
	if len(k.Refs) == 0 {
		k.Base = SubjectKey(s)
	}
	return k
}

// maxRefs is how many of its references count for a message: the first, by which
// a conversation is held together, and the last.
const maxRefs = 16

// near are the references that count.
func (k *Kin) near() []uint64 {
	if n := len(k.Refs); n > maxRefs {
		return append([]uint64{k.Refs[0]}, k.Refs[n-maxRefs+1:]...)
	}
	return k.Refs
}

// names are all the names by which k is of one conversation with others.
func (k *Kin) names(yield func(uint64) bool) {
	if k.ID != 0 && !yield(k.ID) {
		return
	}
	for _, id := range k.near() {
		if !yield(id) {
			return
		}
	}
	if len(k.Refs) == 0 && k.Base != "" {
		yield(KinID("\x00" + k.Base))
	}
}
