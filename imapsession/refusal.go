package imapsession

import (
	"errors"
	"math"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"

	"tidings/internal/safetext"
	"tidings/store"
)

// Some refusals are not for good (RFC 5530): what is in the outbox stays there,
// and is tried again after a rest that grows.
const (
	firstRest = 5 * time.Second
	longRest  = 30 * time.Minute
	// someTries are as many as are made where it is not sure that it passes: over
	// some ten minutes. Then the server's words end it.
	someTries = 6
)

// triesFor is how often a command is tried that meets this refusal each time.
func triesFor(c Command, refusal error) int {
	var no *imap.Error
	if !errors.As(refusal, &no) || no.Type != imap.StatusResponseTypeNo {
		return 1
	}
	_, flags := c.(StoreFlags)
	switch no.Code {
	case imap.ResponseCodeUnavailable, imap.ResponseCodeInUse:
		return math.MaxInt
	case imap.ResponseCodeServerBug, codeExpungeIssued:
		return someTries
	case imap.ResponseCodeLimit:
		// Of flags it is how many a mailbox can have, and does not pass; of all else
		// mostly how much may be asked for in a while.
		if !flags {
			return someTries
		}
	case imap.ResponseCodeOverQuota:
		if !flags {
			return someTries // room is made elsewhere, perhaps right now
		}
	}
	return 1
}

// codeExpungeIssued: another client has removed some of the messages, which the
// server has told by the next command's end (RFC 5530 §3).
const codeExpungeIssued imap.ResponseCode = "EXPUNGEISSUED"

// restAfter is how long a command rests after its n-th refusal in a row.
func restAfter(n int, refusal error) time.Duration {
	var no *imap.Error
	if !errors.As(refusal, &no) {
		return firstRest
	}
	if no.Code == codeExpungeIssued {
		return 0
	}
	d := longRest
	if n <= 6 {
		d = min(firstRest*time.Duration(math.Pow(3, float64(n-1))), longRest)
	}
	return max(d, statedBackoff(no.Text))
}

// putOff has a command of the outbox tried again later, if the refusal may pass,
// and tells so. Its link is done with it for now.
func (s *Session) putOff(j *job, refusal error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.cfg.outbox() == nil || j.canceled || j.on != nil && j.on.expired:
		return false
	case j.refusals+1 >= triesFor(j.cmd, refusal):
		return false
	}
	j.refusals++
	if j.stage == sent || j.stage == copying {
		j.stage = fresh // its reply is known: NO
	}
	d := restAfter(j.refusals, refusal)
	if d == 0 {
		return true
	}
	j.resting, j.refused = time.Now().Add(d), say(words(refusal))
	s.log.Info("refused for now", "reason", j.refused.String(), "tried again in", d)
	s.box.Put(j.queued())
	time.AfterFunc(d, s.poke)
	return true
}

// goesWell: the server does what the job asks for; what it refused before is over.
func (s *Session) goesWell(j *job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j.refusals = 0
}

// rests tells whether a job waits until it is tried again. The caller holds s.mu.
func (j *job) rests() bool { return time.Now().Before(j.resting) }

// alike tells whether a later command would meet the refusal that an earlier one
// has met: it does the same, to the same place. The caller holds s.mu.
func (j *job) alike(later *job) bool {
	switch c := j.cmd.(type) {
	case Move:
		l, ok := later.cmd.(Move)
		return ok && l.Dest == c.Dest
	case Copy:
		l, ok := later.cmd.(Copy)
		return ok && l.Dest == c.Dest
	case StoreFlags:
		_, ok := later.cmd.(StoreFlags)
		return ok
	case Expunge:
		_, ok := later.cmd.(Expunge)
		return ok
	}
	return false
}

// needs tells whether a command is aimed into a mailbox of that name.
func needs(c Command, name string) bool {
	switch c := c.(type) {
	case Move:
		return c.Dest == name
	case Copy:
		return c.Dest == name
	}
	return false
}

// shareUIDs tells whether two sets have a message in common.
func shareUIDs(a, b []store.UID) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if slices.IsSorted(b) {
		return slices.ContainsFunc(a, func(u store.UID) bool { _, ok := slices.BinarySearch(b, u); return ok })
	}
	set := make(map[store.UID]bool, len(a))
	for _, u := range a {
		set[u] = true
	}
	return slices.ContainsFunc(b, func(u store.UID) bool { return set[u] })
}

// visitRefused: the server would not open a mailbox for a command.
type visitRefused struct {
	text string
	err  error
}

func (r *visitRefused) Error() string { return r.text }
func (r *visitRefused) Unwrap() error { return r.err }

// queued is the event of a job that waits. The caller holds s.mu.
func (j *job) queued() QueuedEvent {
	ev := QueuedEvent{ID: j.id, Command: j.cmd, Since: j.since, Earlier: j.earlier, Unclear: j.unclear}
	if j.rests() {
		ev.Refused, ev.Retry = j.refused, j.resting
	}
	return ev
}

// tried says how often a command was tried before it was given up, where it was
// more than once.
func (j *job) tried() string {
	if j.refusals == 0 {
		return ""
	}
	return safetext.Format(" (tried %s times)", safetext.Int(j.refusals+1)).String()
}
