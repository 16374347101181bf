package imapsession

import (
	"errors"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"tidings/internal/safetext"
)

const (
	// countTogether is how many mailboxes one LIST is worth that counts them all.
	countTogether = 16
	// countsAtOnce is how many STATUS are under way together, and so how many go
	// before another command has its turn.
	countsAtOnce = 8
)

// countPart is what a CountFolders has done so far; it survives a reconnect.
type countPart struct {
	begun    bool
	together bool // they were asked for by one LIST, if that is worth it
	left     []string
	refused  int
}

// countFolders counts some mailboxes and then lets the other jobs have their
// turn: all by one LIST where the server can (RFC 5819), else each by a STATUS.
func (l *link) countFolders(j *job, c CountFolders) error {
	q := &j.count
	if err := l.settle(); err != nil {
		return err
	}
	if !q.begun {
		q.begun = true
		q.left = slices.DeleteFunc(slices.Clone(c.Names), l.follows)
	}
	if err := l.leave(q.left); err != nil {
		return err
	}
	if !q.together {
		q.together = true
		if len(q.left) >= countTogether && l.caps.Has(imap.CapListStatus) && l.caps.Has(imap.CapListExtended) {
			counted, err := l.countTogether(j, q.left)
			if err != nil {
				return err
			}
			q.left = slices.DeleteFunc(q.left, func(name string) bool { return counted[name] })
			l.s.letPass(j)
			return nil
		}
	}
	n := min(len(q.left), countsAtOnce)
	if n > 0 && !l.s.isCanceled(j) {
		if err := l.countEach(j, q.left[:n]); err != nil {
			return err
		}
		q.left = q.left[n:]
	}
	if len(q.left) > 0 {
		l.s.letPass(j)
		return nil
	}
	note := safetext.Text{}
	if q.refused > 0 {
		note = safetext.Format("the server would not count %s of the folders", safetext.Int(q.refused))
	}
	l.s.finish(j, nil, note)
	return nil
}

// follows tells whether a mailbox needs no counting: its list is the session's.
func (l *link) follows(name string) bool { return sameMailbox(l.s.cfg.Mailbox, name) }

func sameMailbox(a, b string) bool {
	return a == b || strings.EqualFold(a, "INBOX") && strings.EqualFold(b, "INBOX")
}

// leave unselects the mailbox that the link visits, if that is to be counted: a
// selected one is not asked for its STATUS (RFC 9051 §6.3.11). A server that has
// no UNSELECT (RFC 3691) is asked all the same, and all known ones answer.
func (l *link) leave(names []string) error {
	if !l.m.visited || !l.opened || !l.caps.Has(imap.CapUnselect) && !l.caps.Has(imap.CapIMAP4rev2) ||
		!slices.ContainsFunc(names, func(name string) bool { return sameMailbox(l.m.name, name) }) {
		return nil
	}
	refusal, err := l.drain(l.client.Unselect().Wait())
	if err == nil && refusal == nil {
		l.opened = false
	}
	return err
}

// countTogether counts what one LIST tells of the named mailboxes.
func (l *link) countTogether(j *job, names []string) (counted map[string]bool, err error) {
	wanted, counted := make(map[string]bool, len(names)), make(map[string]bool, len(names))
	for _, name := range names {
		wanted[name] = true
	}
	cmd := l.client.List("", "*", &imap.ListOptions{ReturnStatus: countItems()})
	var counts []FolderCount
	for data := cmd.Next(); data != nil; data = cmd.Next() {
		c, ok := countOf(data.Mailbox, data.Status)
		if !ok || !wanted[c.Raw] || counted[c.Raw] {
			continue
		}
		counted[c.Raw] = true
		if counts = append(counts, c); len(counts) == 64 {
			l.s.box.Put(CountsEvent{ID: j.id, Counts: counts})
			counts = nil
		}
	}
	refusal, err := l.drain(cmd.Close())
	if err != nil {
		return nil, err
	}
	if refusal != nil {
		l.s.log.Warn("the server does not count its folders together", "it said", words(refusal))
	}
	if len(counts) > 0 {
		l.s.box.Put(CountsEvent{ID: j.id, Counts: counts})
	}
	return counted, nil
}

// countEach counts mailboxes one by one, with all the questions under way at
// once.
func (l *link) countEach(j *job, names []string) error {
	cmds := make([]*imapclient.StatusCommand, len(names))
	for i, name := range names {
		cmds[i] = l.client.Status(name, countItems())
	}
	var counts []FolderCount
	var lost error
	for i, cmd := range cmds {
		data, err := cmd.Wait()
		refusal, err := l.drain(err)
		switch {
		case err != nil:
			lost = errors.Join(lost, err) // every one of them has to be waited for
		case refusal != nil:
			j.count.refused++
			l.s.log.Info("a folder was not counted", "folder", title(names[i]), "it said", words(refusal))
		default:
			if c, ok := countOf(names[i], data); ok {
				counts = append(counts, c)
			}
		}
	}
	if len(counts) > 0 {
		l.s.box.Put(CountsEvent{ID: j.id, Counts: counts})
	}
	if lost != nil {
		return asFault(lost)
	}
	return nil
}

func countItems() *imap.StatusOptions {
	return &imap.StatusOptions{NumMessages: true, NumUnseen: true}
}

// countOf reads the answer for a mailbox. A server that leaves a number out, or
// counts more unread messages than there are, has not counted.
func countOf(name string, data *imap.StatusData) (FolderCount, bool) {
	if data == nil || data.NumMessages == nil || data.NumUnseen == nil || *data.NumUnseen > *data.NumMessages {
		return FolderCount{}, false
	}
	return FolderCount{Raw: name, Messages: *data.NumMessages, Unseen: *data.NumUnseen}, true
}
