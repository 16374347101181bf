package imapsession

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tidings/internal/safetext"
)

const (
	// progressFrom: the progress of a job on fewer messages is told only when it
	// takes longer than a moment.
	progressFrom = 1000
	// stopRead and stopChange are how long a command that was taken back may still
	// take until its connection is replaced: what changes something gets longer, for
	// its answer tells what was done.
	stopRead   = 3 * time.Second
	stopChange = 5 * time.Second
	// stopMany: a change of fewer messages is waited for. It is one command, and to
	// know what became of it is worth more than its end.
	stopMany = 100
)

// goesOn is asked between two command lines of a job on many messages: it tells
// the listener how far the job is, and ends it there if the person took it back.
// What was done until then is done, and its Result says so.
func (l *link) goesOn(j *job, done, total int) bool {
	now := time.Now()
	if j.begun.IsZero() {
		j.begun = now
	}
	j.did, j.total = done, total
	if done == 0 {
		return true
	}
	stopped := l.s.isCanceled(j)
	slow := total >= progressFrom || now.Sub(j.begun) >= time.Second
	if (stopped || slow && now.Sub(j.toldAt) >= reportEvery) && total > 1 {
		j.toldAt = now
		l.s.box.Put(ProgressEvent{ID: j.id, Done: int64(done), Total: int64(total), Ended: stopped})
	}
	if stopped {
		l.s.finish(j, nil, j.stopped())
	}
	return !stopped
}

// stopped says how far a job was that was taken back.
func (j *job) stopped() safetext.Text {
	return safetext.Format("stopped when %s of %s were done", safetext.Int(j.did), safetext.Int(j.total))
}

// endPart ends a job on many messages, for a reason that came before the last of
// them. Where some are done it is no failure: they are, and the Result tells which.
func (l *link) endPart(j *job, did string, done, total int, whole, part error) {
	if done == 0 || l.expired { // the token's end is no end of the job: it goes on
		l.s.finish(j, fmt.Errorf("%w%s", whole, j.tried()), safetext.Text{})
		return
	}
	l.s.finish(j, nil, safetext.Format("%s of %s messages were %s; then %s", safetext.Int(done), safetext.Int(total), say(did), say(part.Error()+j.tried())))
}

// stopSoon sees that a job that was taken back ends, whatever its connection does.
// The caller holds s.mu.
func (s *Session) stopSoon(j *job) {
	d, l := stopRead, j.on
	if changes(j.cmd) {
		d = stopChange
		if t, _, _ := aim(j.cmd); len(t.UIDs) < stopMany {
			return
		}
	}
	time.AfterFunc(d, func() {
		s.mu.Lock()
		late := j.on == l && slices.Contains(s.queue, j)
		s.mu.Unlock()
		if late {
			// No failure: another connection is made at once.
			l.kill(&fault{text: "the connection is made anew: what was stopped would not end", err: errCanceled, planned: true})
		}
	})
}

// isStopped tells whether a link was closed to end what was taken back.
func isStopped(err error) bool { return errors.Is(err, errCanceled) }

// endCanceled ends what was taken back and no link is doing.
func (s *Session) endCanceled() {
	for {
		s.mu.Lock()
		i := slices.IndexFunc(s.queue, func(j *job) bool { return j.canceled && j.on == nil })
		if i < 0 {
			s.mu.Unlock()
			return
		}
		j := s.queue[i]
		s.queue = slices.Delete(s.queue, i, i+1)
		s.mu.Unlock()
		s.endStopped(j)
	}
}

// endStopped ends a job that was taken back, and is in the queue no more.
func (s *Session) endStopped(j *job) {
	if j.did > 0 {
		s.finish(j, nil, safetext.Format("%s%s", j.stopped(), say(j.loose())))
		return
	}
	s.finish(j, j.soFar(context.Canceled), safetext.Text{})
}
