package imapsession

import (
	"time"

	"github.com/emersion/go-imap/v2"

	"tidings/store"
)

// quarantined are the messages whose summaries killed the parser, or the
// link, twice.
func (s *Session) quarantined() map[store.UID]bool {
	var bad map[store.UID]bool
	for u, n := range s.deaths {
		if n >= 2 {
			if bad == nil {
				bad = make(map[store.UID]bool)
			}
			bad[u] = true
		}
	}
	return bad
}

// closingsKept is how long it is remembered that the server closed links instead
// of answering.
const closingsKept = 10 * time.Minute

// pace is how many summaries are asked for at once. A server may close the link
// over a single message, of which Dovecot's "Internal error" is an example. If it
// does so again, fewer are asked for, and then one, so that it shows over which.
func (s *Session) pace() int {
	switch {
	case s.closings < 2 || time.Since(s.closedAt) > closingsKept:
		return windowMax
	case s.closings == 2:
		return 8
	}
	return 1
}

// closedOn counts a link that the server closed instead of answering a FETCH. If
// that asked for one message, it counts against this.
func (s *Session) closedOn(l *link) {
	if time.Since(s.closedAt) > closingsKept {
		s.closings = 0
	}
	s.closings++
	s.closedAt = time.Now()
	if len(l.gathered) == 1 {
		s.deaths[l.gathered[0]]++
		s.log.Error("the server closed the link over a message", "uid", l.gathered[0], "times", s.deaths[l.gathered[0]])
	}
}

// mourn counts a link that died in imapclient's parser against the message
// whose answer it was reading.
func (s *Session) mourn(l *link) {
	seq, uid := l.tap.LastFetch()
	if uid == 0 && seq > 0 && int(seq) <= s.list.Len() {
		uid = uint32(s.list.Row(int(seq) - 1).UID)
	}
	if uid == 0 {
		return
	}
	s.deaths[store.UID(uid)]++
	s.log.Error("the answer for a message could not be read", "uid", uid, "times", s.deaths[store.UID(uid)])
}

// fetchCarefully fetches rows in two steps, UIDs first, where a message is
// known whose summary kills the parser.
func (l *link) fetchCarefully(set imap.SeqSet) ([]*store.Summary, error) {
	if err := l.fetchFlags(set); err != nil {
		return nil, err
	}
	var uids []store.UID
	for _, r := range set {
		uids = append(uids, l.s.list.UIDs(int(r.Start)-1, min(int(r.Stop), l.s.list.Len()))...)
	}
	if len(uids) == 0 {
		return nil, nil
	}
	return l.fetchSummaries(uids)
}
