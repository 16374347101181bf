package imapsession

import (
	"errors"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"tidings/internal/safetext"
	"tidings/store"
)

const (
	bodyLimit    = 2 << 20 // the default of FetchBody.Limit
	bodyChunk    = 256 << 10
	bodyChunkMin = 16 << 10
	longBody     = 256 << 10              // what is left of it is the worker's
	slowChunk    = 2 * time.Second        // a chunk that takes longer is too large
	quickChunk   = 500 * time.Millisecond // one that takes less may grow
)

// bodyPart is what a FetchBody has so far; it survives a reconnect.
type bodyPart struct {
	data []byte
	size int64
	// missed: the server gave nothing, though the message seems to be there.
	missed bool
}

// limit is how many octets are wanted at most.
func (c FetchBody) limit() int64 {
	if c.Limit <= 0 {
		return bodyLimit
	}
	return c.Limit
}

// errGone is the answer to a command whose message is not there any more.
var errGone = errors.New("the message is gone: somebody removed it before this could reach it")

// fetchBody fetches the next part of a body and, if that was the last, ends the
// job; else the other jobs have their turn first.
func (l *link) fetchBody(j *job, c FetchBody) error {
	if len(c.Target.UIDs) != 1 {
		l.s.finish(j, errors.New("a body is fetched of one message at a time"), safetext.Text{})
		return nil
	}
	uid := c.Target.UIDs[0]
	limit := c.limit()
	if l.bodyChunk == 0 {
		l.bodyChunk = bodyChunk
	}
	if len(j.body.data) == 0 {
		have := min(int64(len(c.Have)), limit-1)
		j.body.data = c.Have[:have:have]
	}
	want := min(l.bodyChunk, limit-int64(len(j.body.data)))
	began := time.Now()
	part, err := l.fetchPart(uid, nil, int64(len(j.body.data)), want)
	if err != nil {
		return err
	}
	l.paceBody(time.Since(began))
	switch {
	case l.s.isCanceled(j):
		return nil // ended at the next turn
	case part.refusal != nil:
		l.s.finish(j, errors.New("the server would not give the message: it said "+words(part.refusal)), safetext.Text{})
		return nil
	case !part.found:
		gone, err := l.goneByNow(uid)
		switch {
		case err != nil:
			return err
		case gone || j.body.missed:
			l.s.finish(j, errGone, safetext.Text{})
		default:
			j.body.missed = true
			l.s.letPass(j)
		}
		return nil
	case !part.hasData && len(j.body.data) == 0:
		l.s.finish(j, errors.New("the server sent nothing of the message"), safetext.Text{})
		return nil
	case len(part.data) == 0:
		// Its end; or it was expunged, of which Dovecot makes an empty message.
		if gone, err := l.goneByNow(uid); err != nil || gone {
			if gone {
				l.s.finish(j, errGone, safetext.Text{})
			}
			return err
		}
	}
	// The slice that went out before must not change under its reader: append
	// writes behind its end only.
	j.body.data = append(j.body.data, part.data...)
	if len(part.data) > 0 {
		j.lost = 0 // however often the link breaks, it comes to an end
	}
	if part.size > 0 {
		j.body.size = part.size
	}
	got := int64(len(j.body.data))
	// Some servers send less than was asked for in the middle of a message, and
	// some say a wrong size: if the two do not agree, it ends where nothing comes.
	whole := len(part.data) == 0 || got == j.body.size
	done := whole || got >= limit
	l.s.box.Put(BodyEvent{
		ID:          j.id,
		UIDValidity: c.Target.UIDValidity,
		UID:         uid,
		Data:        j.body.data[:got:got],
		Size:        j.body.size,
		Complete:    done,
		Truncated:   done && !whole,
	})
	if !done {
		if left := min(j.body.size, limit) - got; l.role == asMonitor && left > longBody {
			l.s.handOver(j)
		}
		l.s.letPass(j)
		return nil
	}
	l.s.larder.opened(c.Target, uid, j.body.data[:got:got], whole)
	l.s.finish(j, nil, safetext.Text{})
	return nil
}

// goneByNow asks what the server has to tell, and whether a message is still
// there.
func (l *link) goneByNow(uid store.UID) (gone bool, err error) {
	if err := l.noop(); err != nil {
		return false, err
	}
	if l.m.visited {
		if err := l.learn([]store.UID{uid}); err != nil {
			return false, err
		}
	}
	return !l.desyncing() && len(l.stillThere([]store.UID{uid})) == 0, nil
}

// paceBody keeps a part to about a second or two, so that other commands get
// their turn on slow links, too.
func (l *link) paceBody(took time.Duration) {
	switch {
	case took > slowChunk:
		l.bodyChunk = max(l.bodyChunk/2, bodyChunkMin)
	case took < quickChunk:
		l.bodyChunk = min(l.bodyChunk*2, bodyChunk)
	}
}

// fetchedPart is what one partial FETCH brought.
type fetchedPart struct {
	found   bool // the server spoke of the message
	hasData bool // and had data for it, be it none
	data    []byte
	size    int64
	refusal error
}

// fetchPart fetches octets of a message by UID, or of the section of it that has
// these numbers, without marking it read. It may go out right behind DONE. An error
// means that the link is lost.
func (l *link) fetchPart(uid store.UID, section []int, offset, n int64) (fetchedPart, error) {
	cmd := l.client.Fetch(uidSet([]store.UID{uid}), &imap.FetchOptions{
		UID:         true,
		RFC822Size:  true,
		BodySection: []*imap.FetchItemBodySection{bodySection(section, offset, n)},
	})
	settled := l.settle()
	var part fetchedPart
	for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
		if whole := part.read(msg, n); !whole {
			return part, l.lost(errBroken)
		}
	}
	err := cmd.Close()
	l.pump()
	switch {
	case settled != nil:
		return part, settled
	case refused(err):
		part.refusal = err
		return part, nil
	case err != nil:
		return part, l.lost(err)
	}
	return part, nil
}

// read takes one message of the answer; false means that the link broke, see
// errBroken.
func (p *fetchedPart) read(msg *imapclient.FetchMessageData, n int64) (whole bool) {
	for item := msg.Next(); item != nil; item = msg.Next() {
		switch item := item.(type) {
		case imapclient.FetchItemDataUID:
			p.found = true
		case imapclient.FetchItemDataRFC822Size:
			p.size = item.Size
		case imapclient.FetchItemDataBodySection:
			if item.Literal != nil {
				p.hasData = true
				if p.data, whole = readLiteral(item.Literal, n); !whole {
					return false
				}
			}
		}
	}
	return true
}
