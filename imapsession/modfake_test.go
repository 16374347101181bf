package imapsession

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// modFake is a fakeServer that keeps mod-sequences (RFC 7162), and can be made to
// tell lies of them.
type modFake struct {
	*fakeServer
	modseq  uint64            // HIGHESTMODSEQ
	changed map[uint32]uint64 // by UID; 1 where it is not in it
	gone    map[uint32]uint64

	// The lies; zero values are none.
	highest  string                  // in place of the HIGHESTMODSEQ code
	uidNext  uint32                  // in place of the honest one
	refuses  bool                    // BAD to CHANGEDSINCE
	rows     func([]fakeRow) []int   // which of the changed rows, by index, are told
	number   func(i int) int         // the number under which row i is told
	vanished func([]uint32) []uint32 // what is said to have vanished
}

func newModFake(t testing.TB, messages int, caps string) *modFake {
	m := &modFake{fakeServer: newFake(t, messages), modseq: 1, changed: map[uint32]uint64{}, gone: map[uint32]uint64{}}
	m.setCaps(fakeCaps + " ENABLE " + caps)
	m.on = m.answerMods
	return m
}

// flag, expunge and deliver change the mailbox behind the session's back.
func (m *modFake) flag(uid uint32, flags string) {
	m.modseq++
	for i := range m.fakeServer.rows {
		if r := &m.fakeServer.rows[i]; r.uid == uid {
			r.flags = flags
		}
	}
	m.changed[uid] = m.modseq
}

func (m *modFake) expunge(uids ...uint32) {
	m.modseq++
	m.fakeServer.rows = slices.DeleteFunc(m.fakeServer.rows, func(r fakeRow) bool { return slices.Contains(uids, r.uid) })
	for _, u := range uids {
		m.gone[u] = m.modseq
	}
}

func (m *modFake) deliver(n int) {
	for range n {
		m.modseq++
		m.changed[m.next] = m.modseq
		m.fakeServer.rows = append(m.fakeServer.rows, fakeRow{uid: m.next})
		m.next++
	}
}

func (m *modFake) answerMods(c *fakeConn, tag, cmd string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case strings.HasPrefix(cmd, "ENABLE QRESYNC"):
		c.send("* ENABLED QRESYNC", tag+" OK done")
	case strings.HasPrefix(cmd, "SELECT"):
		highest := m.highest
		if highest == "" {
			highest = fmt.Sprintf("HIGHESTMODSEQ %d", m.modseq)
		}
		next := m.uidNext
		if next == 0 {
			next = m.next
		}
		c.send(fmt.Sprintf("* %d EXISTS", len(m.fakeServer.rows)), fmt.Sprintf("* OK [UIDVALIDITY %d] ok", m.validity),
			fmt.Sprintf("* OK [UIDNEXT %d] next", next), "* OK ["+highest+"] highest", tag+" OK [READ-WRITE] done")
	case strings.Contains(cmd, "CHANGEDSINCE"):
		m.changes(c, tag, cmd)
	default:
		return false
	}
	return true
}

func (m *modFake) changes(c *fakeConn, tag, cmd string) {
	if m.refuses {
		c.send(tag + " BAD what is that")
		return
	}
	var since uint64
	fmt.Sscanf(cmd[strings.Index(cmd, "CHANGEDSINCE"):], "CHANGEDSINCE %d", &since)
	var out []string
	if strings.Contains(cmd, "VANISHED") {
		var gone []uint32
		for u, n := range m.gone {
			if n > since {
				gone = append(gone, u)
			}
		}
		slices.Sort(gone)
		if m.vanished != nil {
			gone = m.vanished(gone)
		}
		var set []string
		for _, u := range gone {
			set = append(set, fmt.Sprint(u))
		}
		if len(set) > 0 {
			out = append(out, "* VANISHED (EARLIER) "+strings.Join(set, ","))
		}
	}
	var told []int
	for i, r := range m.fakeServer.rows {
		if max(1, m.changed[r.uid]) > since {
			told = append(told, i)
		}
	}
	if m.rows != nil {
		told = m.rows(m.fakeServer.rows)
	}
	for _, i := range told {
		n := i + 1
		if m.number != nil {
			n = m.number(i)
		}
		r := m.fakeServer.rows[i]
		out = append(out, fmt.Sprintf("* %d FETCH (UID %d FLAGS (%s) MODSEQ (%d))", n, r.uid, r.flags, max(1, m.changed[r.uid])))
	}
	c.send(append(out, tag+" OK done")...)
}
