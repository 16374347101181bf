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

// summaryItems asks for the mod-sequence as well where the list is followed by
// it: then it is known how far the list has come.
func (l *link) summaryItems() *imap.FetchOptions {
	items := summaryItems()
	items.ModSeq = l.role == asMonitor && !l.m.visited && l.hasCondstore()
	return items
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
	if len(l.s.quarantined()) > 0 || l.s.pace() < windowMax {
		return l.fetchCarefully(set)
	}
	l.asked = true
	sums, err := l.gather(l.client.Fetch(set, l.summaryItems()))
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
		l.m.list.Known(int(r.Start)-1, min(int(r.Stop), l.m.list.Len()), func(_ int, row store.Row) bool {
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
	l.publish(sums)
	for _, some := range chunks(good, l.s.pace()) {
		l.gathered = some
		cmd := l.client.Fetch(uidSet(some), l.summaryItems())
		settled := l.settle()
		l.asked = true
		more, err := l.gather(cmd)
		l.asked = false
		sums = append(sums, more...)
		if err := errors.Join(settled, err); err != nil {
			return sums, err
		}
		l.gathered = nil
	}
	return sums, nil
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

// gather drains a FETCH or STORE, pumps what the tap saw of it, publishes the
// summaries among what it brought together with that, and returns them. It
// never waits for anything but the link.
func (l *link) gather(cmd *imapclient.FetchCommand) ([]*store.Summary, error) {
	l.gathering = true
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
	if err != nil && !refused(err) {
		l.pump()
		return nil, l.lost(err)
	}
	l.gathering = false
	if err != nil {
		l.s.log.Warn("the server refused a FETCH", "it said", words(err))
	}
	l.s.box.Together(func() {
		l.pump()
		l.publish(sums)
	})
	return sums, nil
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

// publish tells the listener of summaries. While the list is being reconciled
// it does not: they come behind the Resync then.
func (l *link) publish(sums []*store.Summary) {
	if len(sums) == 0 || l.m.silent {
		return
	}
	l.s.brought += uint64(len(sums))
	l.s.missingTold(sums)
	l.keepSummaries(sums)
	l.s.box.Put(SummariesEvent{UIDValidity: l.m.uidValidity, Summaries: sums})
}
