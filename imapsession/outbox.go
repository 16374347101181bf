package imapsession

import (
	"errors"
	"slices"
	"time"

	"tidings/internal/safetext"
	"tidings/store"
)

// Outbox is where a session leaves what it was asked to change until it is done,
// so that it outlives the program. Nothing of it blocks; what its methods are
// given to call is called on another goroutine, never before they return, and in
// the order of the calls.
type Outbox interface {
	// Put adds an entry behind all others and tells its ID when it is on the disk.
	// An error means that it will not outlive the program.
	Put(e store.Entry, written func(id int64, err error))
	// Note replaces what is known of how far an entry came. written may be nil.
	Note(id int64, p store.Progress, written func(error))
	// Remove takes an entry out.
	Remove(id int64)
	// Release leaves an entry to whoever claims it next.
	Release(id int64)
	// Claim hands over, oldest first, what no process is doing: an earlier run
	// left it. No entry is handed over twice.
	Claim(take func([]store.Entry, error))
	// KeepFolders replaces what is known of the account's mailboxes, without which
	// nothing can be moved to one; Folders tells it, nil where nothing is known.
	KeepFolders(folders []byte)
	Folders(take func(folders []byte))
}

// QueuedEvent tells of a command that changes something, and waits: at once when
// Do takes it in, at the start those that an earlier run left, and again when
// what it waits for changes. Its Result ends it.
type QueuedEvent struct {
	ID      CommandID
	Command Command
	Since   time.Time // when the person asked for it
	// Earlier: an earlier run of the program was asked for it, not this one.
	Earlier bool
	// Unclear, where not empty, says in a sentence why only the person can tell how
	// it goes on: Session.Again has it done again, Cancel takes it out.
	Unclear safetext.Text
	// Refused, where not empty, is what the server said when it would not do it for
	// now; at Retry it is tried again, or when Session.Again says so.
	Refused safetext.Text
	Retry   time.Time
}

func (QueuedEvent) event() {}

// errKept ends a command that the next run of the program will do.
var errKept = errors.New("the program ended before this was done: it is kept, and done when the program runs again")

// outbox is a session's side of its Outbox. Session.mu guards it.
type outbox struct {
	claimed bool // the first Claim was made: what it brings comes before all else
}

// kept is a job's part of the outbox. Session.mu guards it.
type kept struct {
	entry   int64 // 0 where it is not, or not yet, on the disk
	writing bool  // the disk is busy with it: nothing of it may be sent yet
	noted   stage // as it is on the disk
	since   time.Time
	earlier bool // an earlier run was asked for it
	ended   bool // what is on the disk, if anything, has to go
	// unclear says why only the person can tell how it goes on; empty mostly.
	unclear safetext.Text
	// refusals counts how often the server refused it for now, in a row; resting is
	// until when it waits for that, and refused what the server said.
	refusals int
	resting  time.Time
	refused  safetext.Text
}

// outbox returns where changing commands are kept; nil where they are not. A
// session that may change nothing leaves them to one that may.
func (c *Config) outbox() Outbox {
	if c.ReadOnly {
		return nil
	}
	return c.Outbox
}

// enqueue takes a job in. What changes something is on the disk before a link may
// do it. The caller holds s.mu, so that entries have the order of the queue.
func (s *Session) enqueue(j *job) {
	s.queue = append(s.queue, j)
	if !changes(j.cmd) {
		return
	}
	s.box.Put(j.queued())
	out := s.cfg.outbox()
	if out == nil || s.refuse(j.cmd) != nil {
		return
	}
	s.claim()
	e := encodeCommand(j.cmd)
	e.Created = j.since
	if s.worker.up {
		j.noted = outset(j.cmd)
	}
	e.Stage = uint8(j.noted)
	j.writing = true
	out.Put(e, func(id int64, err error) { s.written(j, id, err) })
}

// outset is the stage of a command of which it is not known whether it was sent.
// Only of a move it says more than that it was asked for: a message that is not
// there any more may be where it should go.
func outset(c Command) stage {
	if _, ok := c.(Move); ok {
		return sent
	}
	return fresh
}

// written takes note that a job is on the disk, or cannot be: then it is done all
// the same, as long as the program runs.
func (s *Session) written(j *job, id int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j.writing = false
	if err == nil {
		j.entry = id
		if j.ended { // it was taken back, say
			s.dropEntry(j)
		}
	}
	s.poke()
}

// note writes down how far a job has come, and lets no link have it before that
// is done. The caller holds s.mu.
func (s *Session) note(j *job, at stage) {
	j.noted = at
	if j.entry == 0 {
		return
	}
	j.writing = true
	s.cfg.Outbox.Note(j.entry, j.progress(), func(error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		j.writing = false
		s.poke()
	})
}

// progress is what is written down of a job.
func (j *job) progress() store.Progress {
	return store.Progress{Stage: uint8(j.noted), Landing: j.copies.landing, Attempts: j.lost}
}

// claim takes over what an earlier run left. The caller holds s.mu.
func (s *Session) claim() {
	out := s.cfg.outbox()
	if out == nil {
		return
	}
	s.readFolders()
	first := !s.outbox.claimed
	s.outbox.claimed = true
	out.Claim(func(entries []store.Entry, err error) {
		if err != nil {
			s.log.Warn("what waits to be sent could not be read", "error", err)
			return
		}
		s.takeOver(entries, first)
	})
}

// claimAgain takes over what a session that ended has left, one of another process
// or of this one.
func (s *Session) claimAgain() {
	if s.cfg.Guest {
		return // that is the other session's
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.claim()
}

// takeOver makes jobs of entries. At the start they come before all others.
func (s *Session) takeOver(entries []store.Entry, first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var jobs []*job
	for _, e := range entries {
		c, err := decodeCommand(e)
		if err != nil {
			s.log.Warn("an action in the outbox is left alone", "id", e.ID, "error", err)
			s.cfg.Outbox.Release(e.ID)
			continue
		}
		s.lastID++
		j := &job{id: s.lastID, cmd: c, at: s.roleFor(c), stage: stage(e.Stage), lost: min(e.Attempts, maxLost-1)}
		j.copies.landing = e.Landing
		j.kept = kept{entry: e.ID, noted: stage(e.Stage), since: e.Created, earlier: true}
		jobs = append(jobs, j)
		s.box.Put(j.queued())
	}
	if len(jobs) == 0 {
		return
	}
	s.log.Info("actions of an earlier run are taken over", "count", len(jobs))
	if first {
		s.queue = append(jobs, s.queue...)
	} else {
		s.queue = append(s.queue, jobs...)
	}
	s.poke()
}

// leaveOutbox takes a job that ends out of the outbox, but for one that is left to
// the next run. The caller holds s.mu.
func (s *Session) leaveOutbox(j *job, err error) {
	switch {
	case errors.Is(err, errKept) && j.entry != 0:
		s.cfg.Outbox.Release(j.entry)
		j.entry = 0
	case !errors.Is(err, errKept):
		j.ended = true
		s.dropEntry(j)
	}
}

func (s *Session) dropEntry(j *job) {
	if j.entry != 0 {
		s.cfg.Outbox.Remove(j.entry)
		j.entry = 0
	}
}

// isKept tells whether a job outlives the program, if it has to.
func (j *job) isKept() bool { return j.entry != 0 || j.writing }

// leaveAll leaves what is kept to the next run.
func (s *Session) leaveAll() {
	s.mu.Lock()
	jobs := slices.DeleteFunc(slices.Clone(s.queue), func(j *job) bool { return j.on != nil || !j.isKept() })
	s.mu.Unlock()
	for _, j := range jobs {
		s.finish(j, errKept, safetext.Text{})
	}
}

// noteLoss writes down that a link broke under a job.
func (s *Session) noteLoss(j *job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j.entry != 0 {
		s.cfg.Outbox.Note(j.entry, j.progress(), nil)
	}
}

// askPerson is ask for the link that does the job.
func (s *Session) askPerson(j *job, why safetext.Text) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ask(j, why)
}

// ask leaves it to the person how a job goes on. It keeps its place and lets the
// others pass, as far as they may. The caller holds s.mu.
func (s *Session) ask(j *job, why safetext.Text) {
	j.unclear = why
	s.log.Warn("an action waits for the person", "why", why.String())
	s.box.Put(j.queued())
}

// Again has a command whose fate is unclear (QueuedEvent) done again, as if it had
// not been, and one that was refused for now tried at once. Any other command is
// left as it is.
func (s *Session) Again(id CommandID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.queue {
		if j.id == id && j.rests() {
			j.resting = time.Time{}
			s.box.Put(j.queued())
		}
		if j.id != id || j.unclear.IsEmpty() {
			continue
		}
		j.unclear = safetext.Text{}
		j.lost = 0
		if j.stage == copying {
			j.stage, j.copies.landing, j.copies.landed = fresh, store.Landing{}, false
		}
		s.note(j, max(outset(j.cmd), min(j.stage, marked)))
		s.box.Put(j.queued())
	}
	s.poke()
}
