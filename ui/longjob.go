package ui

import "tidings/imapsession"

// longJobs is from how many messages on a command is shown with how far it is, and
// ends with Esc; one on fewer is as soon as the session tells how far it is, which
// it does when that takes longer than a moment.
const longJobs = 1000

// longJob is the command under way that takes long, the oldest of them.
func (a *account) longJob() (id imapsession.CommandID, j job, ok bool) {
	for i, x := range a.jobs {
		if (x.n >= longJobs || x.done > 0 && x.done < x.n) && !x.stopped && (!ok || i < id) {
			id, j, ok = i, x, true
		}
	}
	return id, j, ok
}

// stopLong ends that command, as soon as it can. What was done until then is done,
// and its end says so. It reports whether there was one.
func (a *account) stopLong() bool {
	id, j, ok := a.longJob()
	if !ok {
		return false
	}
	j.stopped = true
	a.jobs[id] = j
	a.cfg.Session.Cancel(id)
	return true
}
