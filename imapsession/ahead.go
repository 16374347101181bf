package imapsession

import (
	"github.com/emersion/go-imap/v2"

	"tidings/store"
)

const (
	// aheadMax is the size up to which a message is fetched ahead; aheadPart is
	// how much of it comes at once, so that a command gets its turn.
	aheadMax  = 256 << 10
	aheadPart = 64 << 10
	// aheadRows is how far from what was opened the next unread message is looked
	// for.
	aheadRows = 500
)

// aheadDue tells whether the next unread message has to be fetched: it is not
// kept, and there is nothing better to do.
func (l *link) aheadDue() bool {
	s := l.s
	if !s.cfg.Prefetch || s.cfg.Cache == nil || l.desync != nil || l.m != &s.mailbox {
		return false
	}
	s.mu.Lock()
	last, v := s.larder.last, s.visible
	s.mu.Unlock()
	key := aheadKey{s.changes, s.epoch, last, v.Epoch, v.Lo, v.Hi}
	if key != l.aheadKey {
		l.aheadKey = key
		uid := nextUnread(s.list, last)
		if uid == 0 && v.Epoch == s.epoch && v.Lo > 0 {
			uid = newestUnread(s.list, int(v.Lo)-1, int(v.Hi))
		}
		s.mu.Lock()
		if d := &s.larder; d.ahead.uid != uid || d.ahead.at != s.place() {
			d.ahead = ahead{at: s.place(), uid: uid}
			l.ahead = bodyPart{}
			nudge(d.wake)
		}
		s.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.larder.ahead.uid != 0 && s.larder.ahead.state == aheadMissing
}

// aheadKey is all that decides which message is fetched ahead.
type aheadKey struct {
	changes  uint64
	epoch    uint32
	last     store.UID
	visible  uint32
	low, top uint32
}

// nextUnread is the unread message next to one that was opened: below it on the
// screen, where older ones are, else above; 0 if there is none near.
func nextUnread(list *store.List, uid store.UID) store.UID {
	i, ok := list.Find(uid)
	if !ok {
		return 0
	}
	if u := newestUnread(list, i-aheadRows, i); u != 0 {
		return u
	}
	var found store.UID
	list.Known(i+1, min(list.Len(), i+1+aheadRows), func(_ int, r store.Row) bool {
		if isUnread(r) {
			found = r.UID
		}
		return found == 0
	})
	return found
}

// newestUnread is the newest unread message of the rows [lo,hi), or 0.
func newestUnread(list *store.List, lo, hi int) store.UID {
	hi = min(hi, list.Len())
	for i := hi - 1; i >= max(lo, hi-aheadRows, 0); i-- {
		if r := list.Row(i); isUnread(r) {
			return r.UID
		}
	}
	return 0
}

func isUnread(r store.Row) bool {
	return r.UID != 0 && r.Flags.Known() && !r.Flags.Has(store.Seen) && !r.Flags.Has(store.Deleted)
}

// fetchAhead fetches the next part of the message that is to be kept, or first of
// all its size.
func (l *link) fetchAhead() error {
	s := l.s
	s.mu.Lock()
	a := s.larder.ahead
	s.mu.Unlock()
	if l.ahead.size == 0 {
		size, err := l.fetchSize(a.uid)
		if err != nil {
			return err
		}
		l.ahead.size = size
		if size <= 0 || size > aheadMax {
			s.larder.settle(a, aheadDone)
			return nil
		}
	}
	part, err := l.fetchPart(a.uid, nil, int64(len(l.ahead.data)), aheadPart)
	if err != nil {
		return err
	}
	l.ahead.data = append(l.ahead.data, part.data...)
	got := int64(len(l.ahead.data))
	switch {
	case part.refusal != nil || len(part.data) == 0 || got > l.ahead.size:
		// It is gone, or not what it was said to be: whoever opens it will see.
		s.larder.settle(a, aheadDone)
	case got == l.ahead.size:
		s.cfg.Cache.KeepBody(a.at, a.uid, l.ahead.data, true)
		s.larder.settle(a, aheadDone)
		l.ahead = bodyPart{}
	}
	return nil
}

// fetchSize asks for a message's size; 0 where the server will not say it.
func (l *link) fetchSize(uid store.UID) (size int64, err error) {
	cmd := l.client.Fetch(uidSet([]store.UID{uid}), &imap.FetchOptions{UID: true, RFC822Size: true})
	settled := l.settle()
	for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
		var part fetchedPart
		part.read(msg, 0) // of a text that nobody asked for, nothing is kept
		size = part.size
	}
	if _, err := l.drain(cmd.Close()); err != nil {
		return 0, err
	}
	return size, settled
}
