package store

import (
	"encoding/binary"
	"slices"
	"strings"
	"sync"
)

// Bounds of the table of keywords. Dovecot allows a mailbox 26 keywords by
// file name and some hundred in all; Gmail a few thousand labels, which are
// not keywords. Together they cost at most some 20 MB, whatever servers send.
const (
	maxKeyword     = 128   // octets of one keyword
	maxKeywords    = 4096  // distinct keywords
	maxKeywordSets = 16384 // distinct sets, but for those of wellKnown alone
	maxSetKeywords = 64    // keywords of one message
)

// wellKnown are the keywords that programs agree on. They are in the table from
// the start, and their sets always find room, so that what one server mints
// never costs another account these.
var wellKnown = []string{
	"$Junk", "$NotJunk", "Junk", "NonJunk", "$MDNSent", "$Phishing", "$Important",
	"$Label1", "$Label2", "$Label3", "$Label4", "$Label5",
}

// keywords is the process's table.
var keywords = newKeywordTable(maxKeywords, maxKeywordSets)

// keywordTable interns keywords and sets of them. It only grows, up to its
// bounds. Any goroutine may use it.
type keywordTable struct {
	maxKeywords, maxSets int

	mu    sync.RWMutex
	ids   map[string]uint16 // by name, ASCII-folded
	named []string          // by id, as first seen
	fold  []string          // by id, the key of ids
	setID map[string]uint32 // by ids in order of fold, two octets each
	sets  [][]string        // by set id, names in that order; sets[0] is empty
}

func newKeywordTable(keywords, sets int) *keywordTable {
	t := &keywordTable{
		maxKeywords: keywords,
		maxSets:     sets,
		ids:         make(map[string]uint16),
		setID:       make(map[string]uint32),
		sets:        make([][]string, 1),
	}
	for _, name := range wellKnown {
		t.intern(name)
	}
	return t
}

// keywordSet collects the keywords of one message without allocating.
type keywordSet struct {
	n    int
	ids  [maxSetKeywords]uint16
	lost bool // some keyword found no room
}

func (ks *keywordSet) add(t *keywordTable, name string) {
	id, ok := t.lookup(name)
	if !ok {
		id, ok = t.intern(name)
	}
	if !ok {
		ks.lost = true
		return
	}
	if slices.Contains(ks.ids[:ks.n], id) {
		return
	}
	if ks.n == len(ks.ids) {
		ks.lost = true
		return
	}
	ks.ids[ks.n] = id
	ks.n++
}

// flags is the part of a Flags that stands for the set.
func (ks *keywordSet) flags(t *keywordTable) Flags {
	var f Flags
	if ks.lost {
		f = partial
	}
	if ks.n == 0 {
		return f
	}
	set, ok := t.set(ks.ids[:ks.n])
	if !ok {
		return partial
	}
	return f | Flags(set)<<setShift
}

// folded writes name in ASCII lower case to buf; IMAP compares keywords without
// regard to case, and a keyword is an atom (RFC 9051 §9).
func folded(buf *[maxKeyword]byte, name string) []byte {
	b := buf[:len(name)]
	for i := range b {
		b[i] = lower(name[i])
	}
	return b
}

// foldEqual compares two names as the table does.
func foldEqual(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

func (t *keywordTable) lookup(name string) (uint16, bool) {
	if len(name) > maxKeyword {
		return 0, false
	}
	var buf [maxKeyword]byte
	t.mu.RLock()
	id, ok := t.ids[string(folded(&buf, name))]
	t.mu.RUnlock()
	return id, ok
}

func (t *keywordTable) intern(name string) (uint16, bool) {
	if len(name) > maxKeyword {
		return 0, false
	}
	var buf [maxKeyword]byte
	key := string(folded(&buf, name))
	t.mu.Lock()
	defer t.mu.Unlock()
	if id, ok := t.ids[key]; ok {
		return id, true
	}
	if len(t.named) >= t.maxKeywords {
		return 0, false
	}
	id := uint16(len(t.named))
	t.ids[key] = id
	t.named = append(t.named, strings.Clone(name)) // not the buffer it stands in
	t.fold = append(t.fold, key)
	return id, true
}

// set interns the set of ids; it sorts them.
func (t *keywordTable) set(ids []uint16) (uint32, bool) {
	var buf [2 * maxSetKeywords]byte
	t.mu.RLock()
	slices.SortFunc(ids, func(a, b uint16) int { return strings.Compare(t.fold[a], t.fold[b]) })
	key := buf[:0]
	for _, id := range ids {
		key = binary.BigEndian.AppendUint16(key, id)
	}
	set, ok := t.setID[string(key)]
	t.mu.RUnlock()
	if ok {
		return set, true
	}

	t.mu.Lock()
	defer t.mu.Unlock()
	if set, ok := t.setID[string(key)]; ok {
		return set, true
	}
	if len(t.sets) > t.maxSets && slices.ContainsFunc(ids, func(id uint16) bool { return int(id) >= len(wellKnown) }) {
		return 0, false
	}
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = t.named[id]
	}
	set = uint32(len(t.sets))
	t.setID[string(key)] = set
	t.sets = append(t.sets, names)
	return set, true
}

func (t *keywordTable) names(set uint32) []string {
	if set == 0 {
		return nil
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.sets[set]
}
