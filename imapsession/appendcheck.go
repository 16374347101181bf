package imapsession

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"tidings/internal/message"
	"tidings/store"
)

// likeness is what a letter is known again by: its size, and its Message-ID or,
// where it has none, a hash of its header.
type likeness struct {
	size int64
	id   string
	hash [sha256.Size]byte
}

func likenessOf(size int64, header []byte) likeness {
	like := likeness{size: size, id: message.ParseHeader(header).MessageID}
	if like.id == "" {
		like.hash = sha256.Sum256(header)
	}
	return like
}

// lookFor finds out what became of letters whose answer never came, among the
// messages that have come into the mailbox since. All of a kind that are there
// are done, none that are there are sent again; what is between is said to be
// uncertain.
func (a *appender) lookFor(entries []*entry) error {
	wanted := map[likeness][]*entry{}
	sizes := map[int64]bool{}
	for _, e := range entries {
		header, err := readHeader(e.Letter)
		if err != nil {
			a.fate(e, Uncertain, 0, fmt.Errorf("the link broke, and now it cannot be read to look for it: %w", err))
			continue
		}
		like := likenessOf(e.Size, header)
		wanted[like] = append(wanted[like], e)
		sizes[e.Size] = true
	}
	found, err := a.arrivedSince(a.from, sizes, nil)
	if err != nil {
		return err
	}
	a.late = nil
	for like, some := range wanted {
		uids := found[like]
		switch {
		case len(uids) == 0:
			a.again = append(a.again, some...)
		case len(uids) >= len(some):
			for i, e := range some {
				a.tell(LetterEvent{Index: e.index, Name: e.Name, Size: e.Size, Fate: Appended, UID: uids[i], Found: true})
			}
		default:
			for _, e := range some {
				a.fate(e, Uncertain, 0, fmt.Errorf("the link broke: of %d messages like this one %d are there now", len(some), len(uids)))
			}
		}
	}
	return nil
}

// isThere tells whether an earlier run has appended the letter, and says so.
func (a *appender) isThere(e *entry) bool {
	if len(a.there) == 0 {
		return false
	}
	header, err := readHeader(e.Letter)
	if err != nil {
		return false // it will be refused for that
	}
	like := likenessOf(e.Size, header)
	uids := a.there[like]
	if len(uids) == 0 {
		return false
	}
	a.there[like] = uids[1:]
	a.tell(LetterEvent{Index: e.index, Name: e.Name, Size: e.Size, Fate: Appended, UID: uids[0], Found: true})
	return true
}

// arrivedSince describes the messages of these sizes (nil: of any) with a UID
// from first on, but for those that are known. A
// server may be busy still with what it was sent on the link that broke: only
// when nothing has come for a while is it believed that nothing comes.
func (a *appender) arrivedSince(first store.UID, sizes map[int64]bool, known map[store.UID]bool) (map[likeness][]store.UID, error) {
	next, err := a.open()
	for err == nil {
		time.Sleep(a.o.quiet)
		before := next
		if next, err = a.open(); next == before {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	l := a.link
	_, err = l.client.Select(a.o.Mailbox, &imap.SelectOptions{ReadOnly: true}).Wait()
	if refusal, err := l.drain(err); err != nil || refusal != nil {
		return nil, errors.Join(err, refusal)
	}
	var set imap.UIDSet
	set.AddRange(imap.UID(max(first, 1)), 0)
	var alike []store.UID
	size := map[store.UID]int64{}
	err = l.eachMessage(set, &imap.FetchOptions{UID: true, RFC822Size: true}, func(uid store.UID, octets int64, _ time.Time, _ []byte) {
		if uid >= first && !known[uid] && (sizes == nil || sizes[octets]) { // "n:*" always brings one
			alike = append(alike, uid)
			size[uid] = octets
		}
	})
	found := map[likeness][]store.UID{}
	header := []*imap.FetchItemBodySection{{Specifier: imap.PartSpecifierHeader, Peek: true}}
	for _, some := range chunks(alike, windowMax) {
		if err == nil {
			err = l.eachMessage(uidSet(some), &imap.FetchOptions{UID: true, BodySection: header}, func(uid store.UID, _ int64, _ time.Time, header []byte) {
				like := likenessOf(size[uid], header)
				found[like] = append(found[like], uid)
			})
		}
	}
	return found, err
}

// eachMessage fetches sizes, dates or headers by UID; what was not asked for, or
// is not in the answer, is zero.
func (l *link) eachMessage(set imap.UIDSet, items *imap.FetchOptions, yield func(uid store.UID, octets int64, date time.Time, header []byte)) error {
	cmd := l.client.Fetch(set, items)
	for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
		var uid store.UID
		var octets int64
		var date time.Time
		var header []byte
		for item := msg.Next(); item != nil; item = msg.Next() {
			switch item := item.(type) {
			case imapclient.FetchItemDataUID:
				uid = store.UID(item.UID)
			case imapclient.FetchItemDataRFC822Size:
				octets = item.Size
			case imapclient.FetchItemDataInternalDate:
				date = item.Time
			case imapclient.FetchItemDataBodySection:
				whole := true
				if item.Literal != nil {
					header, whole = readLiteral(item.Literal, headerMax)
				}
				if !whole {
					return l.lost(errBroken)
				}
			}
		}
		yield(uid, octets, date, header)
	}
	refusal, err := l.drain(cmd.Close())
	return errors.Join(err, refusal)
}

// readHeader is the header of a letter, its empty line included.
func readHeader(letter Letter) ([]byte, error) {
	r, err := letter.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, headerMax))
	if err != nil {
		return nil, err
	}
	for i := 0; i+3 < len(b); i++ {
		if string(b[i:i+4]) == "\r\n\r\n" {
			return b[:i+4], nil
		}
	}
	return b, nil
}
