package imapsession

import (
	"time"

	"tidings/internal/safetext"
)

// goesOn is asked between two command lines of a job on many messages: it tells
// the listener how far the job is, and ends it there if the person took it back.
// What was done until then is done, and its Result says so.
func (l *link) goesOn(j *job, done, total int) bool {
	if done == 0 {
		return true
	}
	now := time.Now()
	stopped := l.s.isCanceled(j)
	if stopped || now.Sub(j.toldAt) >= reportEvery {
		j.toldAt = now
		l.s.box.Put(ProgressEvent{ID: j.id, Done: int64(done), Total: int64(total), Ended: stopped})
	}
	if stopped {
		l.s.finish(j, nil, safetext.Format("stopped when %s of %s were done", safetext.Int(done), safetext.Int(total)))
	}
	return !stopped
}
