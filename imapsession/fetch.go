package imapsession

import (
	"bytes"
	"errors"
	"io"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"tidings/store"
)

const (
	windowMax = 200       // rows of one FETCH on demand
	headerMax = 256 << 10 // octets of a summary's header that are kept
	// directTail is how many new rows are asked for by UID right behind DONE;
	// more of them come window by window, as the screen needs them.
	directTail = 200
)

// summaryFields are what a summary costs. No ENVELOPE and no BODYSTRUCTURE:
// many real servers send broken ones, and they cost twice as much.
var summaryFields = []string{
	"DATE", "FROM", "TO", "CC", "REPLY-TO", "SUBJECT", "MESSAGE-ID",
	"IN-REPLY-TO", "REFERENCES", "CONTENT-TYPE", "LIST-ID",
}

func summaryItems() *imap.FetchOptions {
	return &imap.FetchOptions{
		UID:          true,
		Flags:        true,
		InternalDate: true,
		RFC822Size:   true,
		BodySection: []*imap.FetchItemBodySection{{
			Specifier:    imap.PartSpecifierHeader,
			HeaderFields: summaryFields,
			Peek:         true,
		}},
	}
}

func flagItems() *imap.FetchOptions { return &imap.FetchOptions{UID: true, Flags: true} }

func seqRange(lo, hi uint32) imap.SeqSet {
	var set imap.SeqSet
	set.AddRange(lo, hi)
	return set
}

func uidSet(uids []store.UID) imap.UIDSet {
	var set imap.UIDSet
	for _, u := range uids {
		set.AddNum(imap.UID(u))
	}
	return set
}

// fetchRows fetches flags and summaries of rows by sequence number, which is
// how their UIDs are learnt. The previous tagged reply has been read and nothing
// else is in flight, so the numbering is frozen meanwhile (RFC 9051 §7.5.1).
// A refusal of the server is not an error: there are no summaries then.
func (l *link) fetchRows(set imap.SeqSet) ([]*store.Summary, error) {
	if err := l.settle(); err != nil {
		return nil, err
	}
	if l.desync != nil {
		return nil, nil
	}
	if len(l.s.quarantined()) > 0 {
		return l.fetchCarefully(set)
	}
	l.asked = true
	sums, err := l.gather(l.client.Fetch(set, summaryItems()))
	l.asked = false
	if err != nil {
		return nil, err
	}
	return l.fetchOmitted(set, sums)
}

// fetchOmitted asks again, by UID, for the summaries that an answer lacked: an
// unsolicited FETCH of the same message can take its place.
func (l *link) fetchOmitted(set imap.SeqSet, sums []*store.Summary) ([]*store.Summary, error) {
	have := make(map[store.UID]bool, len(sums))
	for _, sum := range sums {
		have[sum.UID] = true
	}
	var omitted []store.UID
	for _, r := range set {
		l.s.list.Known(int(r.Start)-1, min(int(r.Stop), l.s.list.Len()), func(_ int, row store.Row) bool {
			if !have[row.UID] {
				omitted = append(omitted, row.UID)
			}
			return true
		})
	}
	if len(omitted) == 0 {
		return sums, nil
	}
	more, err := l.fetchSummaries(omitted)
	return append(sums, more...), err
}

// fetchSummaries fetches the summaries of known messages by UID. It may go out
// right behind DONE.
func (l *link) fetchSummaries(uids []store.UID) ([]*store.Summary, error) {
	bad := l.s.quarantined()
	var good []store.UID
	var sums []*store.Summary
	for _, u := range uids {
		if bad[u] {
			sums = append(sums, &store.Summary{UID: u, Unreadable: true})
		} else {
			good = append(good, u)
		}
	}
	if len(good) == 0 {
		return sums, nil
	}
	cmd := l.client.Fetch(uidSet(good), summaryItems())
	settled := l.settle()
	l.asked = true
	more, err := l.gather(cmd)
	l.asked = false
	return append(sums, more...), errors.Join(settled, err)
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

// fetchFlags asks for UIDs and flags by sequence number.
func (l *link) fetchFlags(set imap.SeqSet) error {
	if err := l.settle(); err != nil {
		return err
	}
	l.asked = true
	defer func() { l.asked = false }()
	_, err := l.gather(l.client.Fetch(set, flagItems()))
	return err
}

// gather drains a FETCH or STORE, pumps what the tap saw of it, and returns the
// summaries among what it brought. It never waits for anything but the link.
func (l *link) gather(cmd *imapclient.FetchCommand) ([]*store.Summary, error) {
	var sums []*store.Summary
	for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
		sum, whole := readSummary(msg)
		if !whole {
			return nil, l.lost(errBroken)
		}
		if sum != nil {
			sums = append(sums, sum)
		}
	}
	err := cmd.Close()
	l.pump()
	switch {
	case err == nil:
		return sums, nil
	case refused(err):
		l.s.log.Warn("the server refused a FETCH", "it said", words(err))
		return sums, nil
	}
	return nil, l.lost(err)
}

// errBroken is a literal that ended early, because the link did. Nothing more of
// that command may be read then, not even to drain it: imapclient's reader has
// gone on meanwhile and has the buffer to itself.
var errBroken = errors.New("the link broke in the middle of a message")

// readSummary takes one message of a FETCH; nil where it has no header or no
// UID. whole is false where the link broke, see errBroken.
func readSummary(msg *imapclient.FetchMessageData) (sum *store.Summary, whole bool) {
	var uid store.UID
	var internal time.Time
	var size int64
	var header []byte
	found := false
	for item := msg.Next(); item != nil; item = msg.Next() {
		switch item := item.(type) {
		case imapclient.FetchItemDataUID:
			uid = store.UID(item.UID)
		case imapclient.FetchItemDataInternalDate:
			internal = item.Time
		case imapclient.FetchItemDataRFC822Size:
			size = item.Size
		case imapclient.FetchItemDataBodySection:
			found = true
			if item.Literal != nil {
				if header, whole = readLiteral(item.Literal, headerMax); !whole {
					return nil, false
				}
			}
		}
	}
	if uid == 0 || !found {
		return nil, true
	}
	return newSummary(uid, internal, size, header), true
}

// readLiteral reads at most limit octets of a literal. whole is false where it
// ended early: a link that breaks inside a literal looks like its end.
func readLiteral(lit imap.LiteralReader, limit int64) (b []byte, whole bool) {
	n := min(lit.Size(), limit)
	var buf bytes.Buffer
	buf.Grow(int(min(n, 64<<10)))
	got, err := io.Copy(&buf, io.LimitReader(lit, n))
	return buf.Bytes(), err == nil && got == n
}

// fetchNew brings the rows that no NewMailEvent has told of, whether or not
// their UIDs are known by now. Right behind DONE it asks by UID, from above the
// one before them (never from UIDNEXT, which some servers freeze); if that has no
// news, by sequence number.
func (l *link) fetchNew() error {
	s := l.s
	l.newTries++
	l.newAt = time.Now().Add(newPause(l.newTries))
	var sums []*store.Summary
	var err error
	if below, ok := l.belowNew(); ok && l.newTries == 1 {
		var set imap.UIDSet
		set.AddRange(imap.UID(below)+1, 0)
		cmd := l.client.Fetch(set, summaryItems())
		settled := l.settle()
		sums, err = l.gather(cmd)
		if settled != nil {
			err = settled
		}
	} else {
		if err := l.settle(); err != nil {
			return err
		}
		n := s.list.Len()
		lo := max(s.freshFrom, n-s.cfg.FirstWindow)
		if lo >= n || l.desync != nil {
			return nil
		}
		sums, err = l.fetchRows(seqRange(uint32(lo)+1, uint32(n)))
	}
	if err != nil {
		return err
	}
	l.announce(sums)
	return nil
}

// belowNew is the UID of the row before the new ones; ok tells that they may be
// asked for by UID from there on.
func (l *link) belowNew() (uid store.UID, ok bool) {
	s := l.s
	if s.freshFrom == 0 || s.list.Len()-s.freshFrom > directTail || len(s.quarantined()) > 0 {
		return 0, false
	}
	uid = s.list.Row(s.freshFrom - 1).UID
	return uid, uid != 0 && uid != ^store.UID(0)
}

// maxNewTries is how often new rows are asked for before they are left to the
// next event: some servers count a message before they have it.
const maxNewTries = 4

// newWanted tells whether there are new rows to ask for.
func (l *link) newWanted() bool {
	return l.s.freshFrom < l.s.list.Len() && l.newTries < maxNewTries
}

// newDue tells whether it is time to ask for them.
func (l *link) newDue(now time.Time) bool {
	return l.newWanted() && !now.Before(l.newAt)
}

// newPause is how long to wait before new rows are asked for again.
func newPause(tries int) time.Duration {
	if tries < 2 {
		return 0 // by number, at once
	}
	return time.Second << (2 * (tries - 2))
}

// announce publishes summaries and then the new mail whose summaries they are.
// Of many new rows at once, the oldest wait until somebody looks at them.
func (l *link) announce(sums []*store.Summary) {
	l.publish(sums)
	s := l.s
	if l.desync != nil {
		return
	}
	first := s.freshFrom
	uids := s.advanceFresh(sums, max(first, s.list.Len()-s.cfg.FirstWindow))
	if s.freshFrom == first {
		return
	}
	l.newTries, l.newAt = 0, time.Time{}
	ev := NewMailEvent{UIDValidity: s.uidValidity, UIDs: uids, Count: s.freshFrom - first}
	s.log.Info("new mail", "count", ev.Count)
	s.box.Put(ev)
}

// advanceFresh moves freshFrom behind the rows from row on that have a summary
// in sums, and returns their UIDs.
func (m *mailbox) advanceFresh(sums []*store.Summary, from int) (uids []store.UID) {
	have := make(map[store.UID]bool, len(sums))
	for _, sum := range sums {
		have[sum.UID] = true
	}
	m.list.Rows(from, m.list.Len(), func(i int, r store.Row) bool {
		if r.UID == 0 || !have[r.UID] {
			return false
		}
		uids = append(uids, r.UID)
		m.freshFrom = i + 1
		return true
	})
	return uids
}

func (l *link) publish(sums []*store.Summary) {
	if len(sums) > 0 {
		l.s.box.Put(SummariesEvent{UIDValidity: l.s.uidValidity, Summaries: sums})
	}
}

// stuck remembers what was asked for and not answered, so that a server that
// will not say is not asked for ever.
type stuck struct {
	changes uint64
	rows    string
}

// wanted is what the screen lacks.
type wanted struct {
	rows    imap.SeqSet // by number: unknown rows, and rows of unknown flags
	missing []store.UID // by UID: summaries that the listener does not hold
}

func (w wanted) empty() bool { return len(w.rows) == 0 && len(w.missing) == 0 }

// screenWants returns what to ask for: first what is visible, then one screen
// either side.
func (l *link) screenWants() wanted {
	v, renewed := l.s.takeVisible()
	if renewed {
		l.stuck = stuck{}
	}
	var w wanted
	if v.Epoch == l.s.epoch && v.Hi >= v.Lo && v.Lo > 0 {
		n := l.s.list.Len()
		w.rows = rowsWanted(l.s.list, min(int(v.Lo)-1, n), min(int(v.Hi), n))
		if len(w.rows) > 0 && l.stuck.rows == w.rows.String() && l.stuck.changes == l.s.changes {
			w.rows = nil
		}
	}
	if len(w.rows) == 0 {
		w.missing = v.Missing
		if len(w.missing) > windowMax {
			w.missing = w.missing[:windowMax]
		}
	}
	return w
}

// rowsWanted looks at rows [lo,hi) and one screen either side, where the next
// key may lead. The neighbours alone are worth a FETCH only when a good part of
// a screen is unknown: with every expunge one more row comes near.
func rowsWanted(list *store.List, lo, hi int) imap.SeqSet {
	page := min(hi-lo, windowMax)
	var set imap.SeqSet
	visible := addRows(&set, list, lo, hi)
	near := addRows(&set, list, max(0, lo-page), lo)
	near = max(near, addRows(&set, list, hi, min(list.Len(), hi+page)))
	if visible == 0 && near < (page+1)/2 {
		return nil
	}
	return set
}

// addRows adds the rows of [lo,hi) whose UID or flags are unknown, up to
// windowMax, and returns how many there are.
func addRows(set *imap.SeqSet, list *store.List, lo, hi int) (n int) {
	list.Rows(lo, hi, func(i int, r store.Row) bool {
		if r.UID == 0 || !r.Flags.Known() {
			set.AddNum(uint32(i) + 1)
			n++
		}
		return n < windowMax
	})
	return n
}

// fill asks for what the screen lacks.
func (l *link) fill(w wanted) error {
	if len(w.rows) > 0 {
		// Numbers may have moved since IDLE was left: look again when none can.
		if err := l.settle(); err != nil {
			return err
		}
		if w = l.screenWants(); len(w.rows) > 0 {
			asked := stuck{rows: w.rows.String()}
			sums, err := l.fetchRows(w.rows)
			if err != nil {
				return err
			}
			asked.changes = l.s.changes
			l.stuck = asked
			l.publish(sums)
			return nil
		}
	}
	if len(w.missing) == 0 {
		return nil
	}
	l.s.missingAsked(w.missing)
	sums, err := l.fetchSummaries(w.missing)
	if err != nil {
		return err
	}
	l.publish(sums)
	return nil
}

// screenLacks tells whether the screen wants rows or summaries; for visits,
// between which nothing is asked for otherwise.
func (s *Session) screenLacks() bool {
	s.mu.Lock()
	v := s.visible
	s.mu.Unlock()
	if len(v.Missing) > 0 {
		return true
	}
	if v.Epoch != s.epoch || v.Lo == 0 || v.Hi < v.Lo {
		return false
	}
	lo, hi := min(int(v.Lo)-1, s.list.Len()), min(int(v.Hi), s.list.Len())
	return s.list.UnknownIn(lo, hi)
}

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
