package imapsession

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tidings/internal/safetext"
	"tidings/store"
)

// job is a Command on its way. Session.mu guards what says whose it is; the rest
// belongs to the goroutine of the link that does it (on), and while there is none,
// to whoever holds the mutex.
type job struct {
	id       CommandID
	cmd      Command
	canceled bool
	at       role  // whose turn it waits for
	on       *link // that is doing it; nil while it waits
	asking   bool  // a body: the cache has not said yet whether it has it

	// lost counts the links that died under it; at maxLost it is given up.
	lost   int
	stage  stage
	copied *Copied // what a COPY or MOVE made of what
	// landing is what is known where the server does not say so.
	landing *Landing
	toldAt  time.Time // when it was told last how far it is
	begun   time.Time // when the first of its messages had their turn
	// did is how many messages of total, as far as it is known, are done.
	did, total int
	body       bodyPart
	part       partPart

	search searchPart
	count  countPart
	copies copiesPart
	kept
}

// stage is how far a job of several steps has come; it survives a reconnect.
type stage uint8

const (
	fresh    stage = iota
	sent           // its command went out and the reply is not known
	copying        // a COPY went out and its reply is not known
	copied         // the COPY succeeded
	marked         // \Deleted was set on the originals
	finished       // its Result was put
)

// maxLost is how many links may die under one command.
const maxLost = 3

// nextJob gives a link the job whose turn it is, or nil. A job keeps its place
// until it ends: one that was lost with its link is done again before what was
// asked for later, or two changes of one flag would come about in the wrong
// order. Jobs that cannot happen end here, whatever the link does.
func (s *Session) nextJob(l *link) *job {
	s.endRefused(l.role)
	s.mu.Lock()
	defer s.mu.Unlock()
	var next *job
	s.eachDue(l.role, func(j *job) bool {
		if at := outset(j.cmd); j.entry != 0 && j.noted < at {
			s.note(j, at) // it gets its turn when that is written down
			return true
		}
		next = j
		return false
	})
	if next != nil {
		next.on, l.running = l, next
	}
	return next
}

// eachDue yields the jobs that may be done now on a link of that role, in order,
// as long as yield returns true. What changes something does not overtake what was
// asked for before in the same mailbox. The caller holds s.mu.
func (s *Session) eachDue(r role, yield func(*job) bool) {
	var ahead, stuck []*job // that change something; those that wait for what may take long
	for _, j := range s.queue {
		behind := func(e *job) bool { return e.precedes(j) }
		like := func(e *job) bool { return e.stalls(j) }
		switch {
		case !changes(j.cmd):
			if j.waitsFor(r) && !yield(j) {
				return
			}
		case j.stands() || slices.ContainsFunc(stuck, like):
			stuck = append(stuck, j)
		case slices.ContainsFunc(ahead, behind) || !j.waitsFor(r):
			ahead = append(ahead, j)
		default:
			if !yield(j) {
				return
			}
			ahead = append(ahead, j)
		}
	}
}

// waitsFor tells whether a link of that role could do it now.
func (j *job) waitsFor(r role) bool {
	return j.at == r && j.on == nil && !j.asking && !j.writing && !j.stands() && !j.stalled()
}

// stalled tells whether who reads what a job fetches has to catch up first.
func (j *job) stalled() bool {
	c, ok := j.cmd.(FetchPart)
	return ok && c.Into != nil && c.Into.full()
}

// stands tells that a job waits for the person, or until the server may do what
// it has refused for now.
func (j *job) stands() bool { return !j.unclear.IsEmpty() || j.rests() }

// precedes tells whether a job has to end before a later one that changes
// something, too, may begin.
func (j *job) precedes(later *job) bool {
	if _, makes := j.cmd.(CreateFolder); makes {
		return true
	}
	mine, _, _ := aim(j.cmd)
	its, _, ok := aim(later.cmd)
	return ok && mine.Mailbox == its.Mailbox
}

// stalls tells whether a job that stands, or waits behind one, has to end
// before a later one may begin: one that is aimed at the same messages, or would
// be refused as well. The others pass it.
func (j *job) stalls(later *job) bool {
	if c, makes := j.cmd.(CreateFolder); makes {
		return needs(later.cmd, c.Name)
	}
	mine, _, _ := aim(j.cmd)
	its, _, ok := aim(later.cmd)
	return ok && mine.Mailbox == its.Mailbox && (j.rests() && j.alike(later) || shareUIDs(mine.UIDs, its.UIDs))
}

// letGo says that no link is doing the job at the moment.
func (s *Session) letGo(j *job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j.on = nil
	if j.at == asWorker {
		nudge(s.worker.wake)
	}
}

// letPass puts a job behind all others. It is for bodies: they change nothing,
// so that their order means nothing, and they may take long.
func (s *Session) letPass(j *job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.queue, j); i >= 0 {
		s.queue = append(slices.Delete(s.queue, i, i+1), j)
	}
}

// lose counts a link that broke under a job. A body then lets the others pass:
// it may be what the link breaks of.
func (s *Session) lose(j *job) {
	j.lost++
	if fetches(j.cmd) || searches(j.cmd) {
		s.letPass(j)
	}
	s.noteLoss(j)
	s.letGo(j)
}

// hasJob tells whether a command waits for a link of that role.
func (s *Session) hasJob(r role) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hasJobLocked(r)
}

func (s *Session) hasJobLocked(r role) (has bool) {
	s.eachDue(r, func(*job) bool {
		has = true
		return false
	})
	return has
}

// endRefused ends every waiting job that was cancelled or cannot happen: the
// worker its own, the monitor all of them. It is called wherever their goroutines
// wait, so that such a Result never waits for the network.
func (s *Session) endRefused(r role) {
	for {
		j, err := s.takeRefused(r)
		switch {
		case j == nil:
			return
		case j.canceled:
			s.endStopped(j)
		default:
			s.finish(j, j.soFar(err), safetext.Text{})
		}
	}
}

func (s *Session) takeRefused(r role) (*job, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, j := range s.queue {
		if j.on != nil || r == asWorker && j.at != r {
			continue
		}
		err := s.refuse(j.cmd)
		switch {
		case j.canceled:
			err = context.Canceled
		case err == nil && r == asMonitor && (!j.earlier || s.proven):
			err = s.renumbered(j.cmd)
		}
		if err == nil && j.lost >= maxLost && j.entry != 0 {
			if j.unclear.IsEmpty() {
				s.ask(j, safetext.Format("the link to the server broke %s times while this was being done", safetext.Int(j.lost)))
			}
			continue
		}
		if err == nil && j.lost >= maxLost {
			err = fmt.Errorf("given up: the link to the server broke %d times while this was being done", j.lost)
		}
		if err != nil {
			s.queue = slices.Delete(s.queue, i, i+1)
			return j, err
		}
	}
	return nil, nil
}

// soFar adds to the reason why a job ends what of it was done before.
func (j *job) soFar(err error) error {
	if loose := j.loose(); loose != "" {
		err = fmt.Errorf("%w%s", err, loose)
	}
	if j.did > 0 && j.did < j.total {
		err = fmt.Errorf("%w; %d of %d messages were done before", err, j.did, j.total)
	}
	return err
}

// loose says what is not settled of a job that ends half-way.
func (j *job) loose() string {
	dest, moves := "", false
	switch c := j.cmd.(type) {
	case Copy:
		dest = c.Dest
	case Move:
		dest, moves = c.Dest, true
	}
	switch {
	case j.stage == copying:
		return fmt.Sprintf("; there may be a copy in %s", title(dest))
	case !moves:
	case j.stage == sent:
		return fmt.Sprintf("; whether it is in %s now is not known", title(dest))
	case j.stage >= copied || j.copies.behind > 0:
		return fmt.Sprintf("; there is a copy in %s, and the original was not removed", title(dest))
	}
	return ""
}

// refuse says why a command can never happen, or returns nil.
func (s *Session) refuse(c Command) error {
	target, changes, ok := aim(c)
	_, makes := c.(CreateFolder)
	switch {
	case makes && s.cfg.ReadOnly:
		return errors.New("this account is read_only in the config: nothing was changed")
	case !ok:
		return nil
	case changes && s.cfg.ReadOnly:
		return errors.New("this account is read_only in the config: nothing was changed")
	case target.Mailbox == "" || strings.ContainsAny(target.Mailbox, "\x00\r\n"):
		return errors.New("no mailbox was named")
	case len(target.UIDs) == 0 && !searches(c):
		return errors.New("no message was named")
	}
	return nil
}

// renumbered tells that a command's UIDs are of another time of the mailbox that
// the session follows. Only Run's goroutine calls it.
func (s *Session) renumbered(c Command) error {
	target, _, ok := aim(c)
	if ok && target.Mailbox == s.cfg.Mailbox && s.selected && target.UIDValidity != s.uidValidity {
		return errRenumbered
	}
	return nil
}

var errRenumbered = errors.New("the server has renumbered this mailbox (its UIDVALIDITY changed): choose the message again")

// aim returns the target of a command that has one, and whether it changes
// anything.
func aim(c Command) (t Target, changes, ok bool) {
	switch c := c.(type) {
	case FetchBody:
		return c.Target, false, true
	case FetchStructure:
		return c.Target, false, true
	case FetchPart:
		return c.Target, false, true
	case StoreFlags:
		return c.Target, true, true
	case Move:
		return c.Target, true, true
	case Copy:
		return c.Target, true, true
	case Expunge:
		return c.Target, true, true
	case Search:
		return c.Target, false, true
	case Locate:
		return c.target(), false, true
	}
	return Target{}, false, false
}

// searches tells whether a command is aimed at a mailbox as a whole.
func searches(c Command) bool {
	_, ok := c.(Search)
	return ok
}

// fetches tells whether a command is for the contents of a message.
func fetches(c Command) bool {
	switch c.(type) {
	case FetchBody, FetchStructure, FetchPart:
		return true
	}
	return false
}

// finish ends a job: it leaves the queue and its Result goes out.
func (s *Session) finish(j *job, err error, note safetext.Text) {
	s.mu.Lock()
	if err != nil && !j.canceled && j.on != nil && j.on.expired {
		// Not the server's word on the command: it is done again, with a new token.
		if j.stage == sent || j.stage == copying {
			j.stage = fresh // its reply is known: NO
		}
		s.mu.Unlock()
		return
	}
	if i := slices.Index(s.queue, j); i >= 0 {
		s.queue = slices.Delete(s.queue, i, i+1)
	}
	s.leaveOutbox(j, err)
	s.mu.Unlock()
	if j.stage == finished {
		return
	}
	j.stage = finished
	j.body = bodyPart{}
	if c, ok := j.cmd.(FetchPart); ok && c.Into != nil {
		c.Into.End(err, note)
	}
	if err != nil {
		s.log.Info("command ended without effect", "command", fmt.Sprintf("%T", j.cmd), "reason", err)
	}
	s.box.Put(ResultEvent{ID: j.id, Command: j.cmd, Err: err, Note: note, Copied: j.copied, Landing: j.landing})
}

// finishAll ends every waiting job with err, but for those that the cache may
// still answer, and those that the outbox has: they wait for better days.
func (s *Session) finishAll(err error) {
	s.mu.Lock()
	var jobs []*job
	s.queue = slices.DeleteFunc(s.queue, func(j *job) bool {
		if j.on != nil || j.asking || j.isKept() {
			return false
		}
		jobs = append(jobs, j)
		return true
	})
	s.mu.Unlock()
	for _, j := range jobs {
		s.finish(j, err, safetext.Text{})
	}
}

// isCanceled tells whether the person took the job back.
func (s *Session) isCanceled(j *job) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return j.canceled
}

// takeVisible returns what the screen shows; fresh tells that it was set since
// the last call.
func (s *Session) takeVisible() (v Visible, fresh bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, fresh = s.visible, s.newVisible
	s.newVisible = false
	return v, fresh
}

// toldGrace is how long a summary may be on its way to the listener: what the
// screen says to miss within it, it said before it looked.
const toldGrace = time.Second

// missingTold takes UIDs off what the screen misses: their summaries have just
// been published.
func (s *Session) missingTold(sums []*store.Summary) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.told == nil {
		s.told = make(map[store.UID]time.Time)
	}
	maps.DeleteFunc(s.told, func(_ store.UID, at time.Time) bool { return now.Sub(at) >= toldGrace })
	for _, sum := range sums {
		s.told[sum.UID] = now
	}
	s.visible.Missing = slices.DeleteFunc(slices.Clone(s.visible.Missing), s.justTold)
}

// justTold tells whether a message's summary is on its way to the listener. The
// caller holds s.mu.
func (s *Session) justTold(u store.UID) bool {
	at, ok := s.told[u]
	return ok && time.Since(at) < toldGrace
}

// missingAsked takes UIDs off what the screen misses: they have been asked for.
func (s *Session) missingAsked(uids []store.UID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := make(map[store.UID]bool, len(uids))
	for _, u := range uids {
		asked[u] = true
	}
	var rest []store.UID
	for _, u := range s.visible.Missing {
		if !asked[u] {
			rest = append(rest, u)
		}
	}
	s.visible.Missing = rest
}
