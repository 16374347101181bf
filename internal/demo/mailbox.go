package demo

import (
	"slices"
	"sort"
	"time"

	"github.com/emersion/go-imap/v2"
)

// mailbox is one mailbox and who looks at it. Server.mu guards it.
type mailbox struct {
	name       string
	role       imap.MailboxAttr // RFC 6154, or ""
	subscribed bool
	validity   uint32
	next       uint32 // UIDNEXT
	rows       []row  // ascending by UID
	views      map[*view]struct{}
}

// row is one message of a mailbox. It is small: a mailbox may have a million.
type row struct {
	uid    uint32
	flags  flagSet
	date   int64   // INTERNALDATE, Unix seconds
	letter *letter // what was appended or has arrived; nil: generated letter number
	number uint32
}

// folders are what every account starts with.
var folders = []struct {
	name string
	role imap.MailboxAttr
}{
	{"INBOX", ""},
	{"Archive", imap.MailboxAttrArchive},
	{"Drafts", imap.MailboxAttrDrafts},
	{"Junk", imap.MailboxAttrJunk},
	{"Sent", imap.MailboxAttrSent},
	{"Trash", imap.MailboxAttrTrash},
}

func (s *Server) newMailbox(name string, role imap.MailboxAttr) *mailbox {
	s.validity++
	return &mailbox{
		name:       name,
		role:       role,
		subscribed: true,
		validity:   s.validity,
		next:       1,
		views:      map[*view]struct{}{},
	}
}

// index is the position of a UID, or of the first row above it.
func (m *mailbox) index(uid uint32) (int, bool) {
	i := sort.Search(len(m.rows), func(i int) bool { return m.rows[i].uid >= uid })
	return i, i < len(m.rows) && m.rows[i].uid == uid
}

// add appends a row under the next UID.
func (m *mailbox) add(r row) uint32 {
	r.uid = m.next
	m.next++
	m.rows = append(m.rows, r)
	for v := range m.views {
		v.poke()
	}
	return r.uid
}

// setFlags changes the flags of the row at index i. The view of the client
// that did it (nil: nobody's) is not told; its command does that.
func (m *mailbox) setFlags(i int, flags flagSet, by *view) bool {
	if m.rows[i].flags == flags {
		return false
	}
	m.rows[i].flags = flags
	for v := range m.views {
		if v != by && i < v.known() {
			v.changed[m.rows[i].uid] = struct{}{}
			v.poke()
		}
	}
	return true
}

// expunge removes the rows at these positions (ascending).
func (m *mailbox) expunge(positions []int) {
	if len(positions) == 0 {
		return
	}
	for v := range m.views {
		v.expunge(positions)
		for _, i := range positions {
			delete(v.changed, m.rows[i].uid)
		}
		v.poke()
	}
	kept := positions[0]
	for k, i := range positions {
		end := len(m.rows)
		if k+1 < len(positions) {
			end = positions[k+1]
		}
		kept += copy(m.rows[kept:], m.rows[i+1:end])
	}
	clear(m.rows[kept:])
	m.rows = m.rows[:kept]
}

// positions of those UIDs that exist, ascending, each once.
func (m *mailbox) positions(uids []uint32) []int {
	found := make([]int, 0, len(uids))
	for _, uid := range uids {
		if i, ok := m.index(uid); ok {
			found = append(found, i)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// time of a row's INTERNALDATE.
func (r *row) time() time.Time { return time.Unix(r.date, 0) }
