package imapsession

import (
	"github.com/emersion/go-imap/v2"

	"tidings/store"
)

// quarantined are the messages whose summaries killed the parser twice.
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
