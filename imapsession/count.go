package imapsession

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/emersion/go-imap/v2"

	"tidings/store"
)

const (
	// auditEvery is how long it must be quiet before the list is held against
	// the server.
	auditEvery = 10 * time.Minute
	auditRows  = 3
	// unseenGiveUp is how long a server is left alone that will not count.
	unseenGiveUp = time.Hour
)

// countUnseen asks for the number of messages without \Seen. The answer counts
// only if nothing changed while it was under way.
func (l *link) countUnseen() error {
	s := l.s
	l.unseenAt = time.Now().Add(unseenEvery)
	options := &imap.SearchOptions{ReturnCount: l.hasESearch()}
	before := s.changes
	l.searched, l.counted = "", false
	// By UID, so that it may go out behind DONE; what is counted is the same.
	cmd := l.client.UIDSearch(&imap.SearchCriteria{NotFlag: []imap.Flag{imap.FlagSeen}}, options)
	settled := l.settle()
	data, err := cmd.Wait()
	l.pump()
	if settled != nil {
		return settled
	}
	if err != nil {
		if !refused(err) {
			return l.lost(err)
		}
		l.unseenAt = time.Now().Add(unseenGiveUp)
		s.log.Warn("the server does not count unread messages", "it said", words(err))
		return nil
	}
	if before != s.changes || l.desync != nil {
		return nil // asked again after a moment
	}
	n := data.Count
	set, _ := data.All.(imap.UIDSet)
	if len(set) > 0 && !l.counted {
		n = countSet(set) // also from a server that offers ESEARCH and has not got it
	}
	if options.ReturnCount && !l.counted && len(set) == 0 && l.searched != "SEARCH" {
		l.unseenAt = time.Now().Add(unseenGiveUp)
		s.log.Warn("the server was asked to count unread messages, said OK and no number")
		return nil
	}
	if uint64(n) > uint64(s.list.Len()) {
		l.unseenAt = time.Now().Add(unseenGiveUp)
		s.log.Warn("the server counts more unread messages than there are", "unread", n, "messages", s.list.Len())
		return nil
	}
	s.unseen.n, s.unseen.known, s.unseen.from = n, true, s.list.Len()
	s.tellUnseen()
	return nil
}

func countSet(set imap.UIDSet) uint32 {
	n := uint64(0)
	for _, r := range set {
		if r.Stop >= r.Start {
			n += uint64(r.Stop) - uint64(r.Start) + 1
		}
	}
	return uint32(min(n, 1<<32-1))
}

// audit holds a few rows of the list against the server. A difference is a bug,
// ours or the server's: it is logged, and the mailbox is read again.
func (l *link) audit() error {
	s := l.s
	l.quietAgain()
	s.claimAgain() // another process may have ended meanwhile
	if err := l.settle(); err != nil {
		return err
	}
	if err := l.noop(); err != nil { // what the server has to tell, it tells now
		return err
	}
	n := s.list.Len()
	if n == 0 || l.desync != nil {
		return nil
	}
	var set imap.SeqSet
	before := map[int]store.Row{}
	for range auditRows {
		i := rand.IntN(n)
		before[i] = s.list.Row(i)
		set.AddNum(uint32(i) + 1)
	}
	l.flagsSeen = map[store.UID]bool{}
	err := l.fetchFlags(set)
	silent := len(l.flagsSeen) == 0
	l.flagsSeen = nil
	if err != nil {
		return err
	}
	if silent {
		l.disagree(fmt.Errorf("%w: %d messages are said to exist, and nothing is said of %v", store.ErrDesync, n, set))
	}
	for i, was := range before {
		is := s.list.Row(i)
		if was.UID != is.UID && was.UID != 0 || was.Flags.Known() && was.Flags != is.Flags {
			s.log.Error("the list was wrong: this is a bug", "row", i+1, "was", was, "is", is)
			l.disagree(fmt.Errorf("%w: row %d was %v and is %v", store.ErrDesync, i+1, was, is))
		}
	}
	s.unkept = true // as of now, the list is confirmed
	return nil
}
