package imapsession

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"tidings/imapsession/wire"
	"tidings/internal/crash"
	"tidings/internal/safetext"
)

// unseenEvery is how often the unread count is asked for at most.
const unseenEvery = time.Second

// Run connects and stays connected until ctx ends; it returns after the
// connections are closed (LOGOUT is a courtesy of at most 100 ms).
func (s *Session) Run(ctx context.Context) error {
	s.clock.slept()
	defer s.cfg.Budget.join(s)()
	s.claimAgain()
	s.load(ctx)
	defer s.forgetKnown()
	var others sync.WaitGroup
	for name, run := range map[string]func(context.Context){
		"worker of ": s.worker.run, "larder of ": s.larder.run, "backfill of ": s.fill.run,
	} {
		others.Add(1)
		crash.Go(name+s.cfg.Account, func() {
			defer others.Done()
			run(ctx)
		})
	}
	for ctx.Err() == nil {
		visited, err := s.attempt(ctx)
		if ctx.Err() != nil {
			break
		}
		if err := s.between(ctx, visited, err); err != nil {
			break
		}
	}
	others.Wait()
	s.bequeath()
	s.finishAll(errors.New("the program ended before this was done"))
	s.leaveAll()
	s.enter(StateEvent{State: Offline})
	return ctx.Err()
}

// attempt makes one connection and serves it until it ends. visited tells that
// it ended as a visit does; otherwise the error is a *fault.
func (s *Session) attempt(ctx context.Context) (visited bool, err error) {
	release, err := s.cfg.Budget.acquire(ctx, s)
	if err != nil {
		return false, &fault{text: "stopped", err: err}
	}
	defer release()
	s.enter(StateEvent{State: Connecting, Attempt: s.backoff.failures, Watch: s.watchNow()})
	l, err := s.connect(ctx, asMonitor)
	if err != nil {
		if isLimit(asFault(err)) {
			s.cfg.Budget.refused(s)
		}
		return false, err
	}
	defer l.close()
	s.claimAgain()
	err = l.serve(ctx)
	l.keepLast()
	if !l.liveSince.IsZero() && s.unseen.told.Epoch == s.epoch {
		s.tellUnseen() // what broke the link may have left it in doubt
	}
	s.worker.rise(false)
	if err == nil {
		return true, nil
	}
	f := asFault(err)
	if l.expired {
		f = l.renewal(f)
	}
	if l.liveSince.IsZero() && isLimit(f) {
		s.cfg.Budget.refused(s)
		s.worker.giveWay(f)
	}
	switch {
	case f.parser:
		s.mourn(l)
	case f.closed && l.gathering:
		s.closedOn(l)
	}
	switch {
	case l.running == nil:
	case isStopped(f):
		s.letGo(l.running)
	case !f.planned:
		s.lose(l.running)
	}
	if !l.liveSince.IsZero() {
		if time.Since(l.liveSince) >= stableAfter {
			s.backoff.succeeded()
		}
		f.wasLive = true
	}
	return false, f
}

// between rests between two attempts, as the last one's end asks for.
func (s *Session) between(ctx context.Context, visited bool, err error) error {
	if visited {
		s.backoff.succeeded()
		s.enter(StateEvent{State: BetweenVisits, Reason: s.sharing(), Retry: time.Now().Add(s.cfg.Poll), Watch: WatchVisit})
		return s.rest(ctx, s.cfg.Poll, restOptions{visiting: true})
	}
	f := asFault(err)
	if f.planned {
		s.log.Info(f.text)
		return nil
	}
	d := s.backoff.failed(f, f.wasLive)
	if f.doubtful && s.backoff.doubtful > maxDoubtful {
		f.fatal = true
		f.text += "; it has said so several times: press r to try again, or correct the config" + Restart
	}
	s.log.Warn("not connected", "reason", f.text, "cause", causeOf(f), "fatal", f.fatal, "retry in", d)
	ev := StateEvent{State: Waiting, Reason: safetext.Clean(f.text), Attempt: s.backoff.failures, Watch: s.cfg.Watch}
	if f.fatal {
		ev.State, ev.Fatal, ev.SignIn, ev.NoMailbox = Offline, true, f.signIn, f.noMailbox
		s.enter(ev)
		o := restOptions{forever: fmt.Errorf("not connected: %s", f.text)}
		if known, ok := s.cfg.Credentials.(interface{ SignedIn(context.Context) bool }); ok && f.signIn {
			o.mended = known.SignedIn
		}
		if err := s.rest(ctx, 0, o); err != nil {
			return err
		}
		s.backoff.succeeded() // something was changed: start anew
		return nil
	}
	if d <= 0 {
		s.enter(ev)
		return ctx.Err()
	}
	ev.Retry = time.Now().Add(d)
	s.enter(ev)
	return s.rest(ctx, d, restOptions{stated: f.after > 0})
}

// maxDoubtful is how often a refusal without a reason is tried again on an
// account that has worked before.
const maxDoubtful = 3

// causeOf is a fault's cause for the log; never a secret: no command's text is
// ever part of an error.
func causeOf(f *fault) string {
	if f.err == nil {
		return ""
	}
	return say(f.err.Error()).String()
}

// serve logs in, opens the mailbox and keeps it in step until the link ends. It
// returns nil when a visit is over.
func (l *link) serve(ctx context.Context) error {
	l.working(SigningIn, safetext.Text{})
	if err := l.logIn(ctx); err != nil {
		return err
	}
	l.tap.SetPhase(wire.PhaseCommand)
	l.chooseWatch()
	l.working(Selecting, safetext.Text{})
	l.s.takeKnown(ctx)
	if err := l.openMailbox(); err != nil {
		return err
	}
	for {
		worked, err := l.turn()
		if err != nil {
			return err
		}
		switch {
		case ctx.Err() != nil:
			l.farewell(farewellTime)
			return errStopped
		case l.stepsAside():
			return l.aside()
		case worked:
		case l.watch == WatchVisit && l.awaitScreen(ctx):
		case l.watch == WatchVisit:
			l.s.tellUnseen()
			l.farewell(visitFarewell)
			return nil
		case time.Since(l.started) >= l.s.cfg.MaxAge:
			l.farewell(farewellTime)
			return &fault{planned: true, text: fmt.Sprintf("the connection is %s old: making a new one", l.s.cfg.MaxAge)}
		default:
			if err := l.waitForEvents(ctx); err != nil {
				return err
			}
		}
	}
}

// turn does each kind of work that is due once, so that none starves another,
// and tells whether there was any.
func (l *link) turn() (worked bool, err error) {
	l.pump()
	switch {
	case l.over():
		return false, l.lost(io.EOF)
	case l.expired:
		return false, errExpired()
	}
	now := time.Now()
	for _, step := range []struct {
		due func() bool
		do  func() error
	}{
		{func() bool { return l.desync != nil }, l.reselect},
		{func() bool { return l.newDue(now) }, l.fetchNew},
		{l.hasJob, l.work},
		{l.screenDue, func() error { return l.fill(l.screenWants()) }},
		{func() bool { return l.unseenDue(now) }, l.countUnseen},
		{l.foldersDue, l.learnFolders},
		{func() bool { return !now.Before(l.auditAt) }, l.audit},
		{func() bool { return !worked && l.aheadDue() }, l.fetchAhead},
		{func() bool { return !worked && l.sweepDue() }, l.sweep},
		{func() bool { return !worked && l.fillDue() }, l.fillInTurn},
	} {
		if l.desync != nil && worked {
			return true, nil
		}
		if !step.due() {
			continue
		}
		worked = true
		if err := step.do(); err != nil {
			return true, err
		}
		l.pump()
	}
	l.s.checkpoint()
	return worked, nil
}

// due tells whether IDLE has to end for something.
func (l *link) due() bool { return l.dueElse() || l.fillDue() }

// dueElse tells whether there is anything to do but to fill the cache.
func (l *link) dueElse() bool {
	now := time.Now()
	l.s.endRefused(asMonitor)
	return l.stepsAside() || l.desync != nil || l.newDue(now) || l.hasJob() || l.screenDue() ||
		l.unseenDue(now) || l.foldersDue() || !now.Before(l.auditAt) || l.aheadDue() || now.Sub(l.started) >= l.s.cfg.MaxAge
}

// nextDue is how long until something becomes due by time alone.
func (l *link) nextDue(now time.Time) time.Duration {
	d := min(l.auditAt.Sub(now), l.started.Add(l.s.cfg.MaxAge).Sub(now))
	if !l.s.unseen.known {
		d = min(d, l.unseenAt.Sub(now))
	}
	if l.newWanted() {
		d = min(d, l.newAt.Sub(now))
	}
	if _, at := l.s.fill.ready(); at.After(now) {
		d = min(d, at.Sub(now))
	}
	if in := l.s.checkpointIn(now); in >= 0 {
		d = min(d, in)
	}
	return max(d, time.Millisecond)
}

func (l *link) screenDue() bool { return !l.screenWants().empty() }

// unseenDue tells whether the unread count has to be asked for. It is, too, when
// rows arrived of which nobody will ask for the flags.
func (l *link) unseenDue(now time.Time) bool {
	s := l.s
	if s.unseen.known && !s.unseen.settle(s.list) && s.freshFrom >= s.list.Len() {
		s.unseen.known = false
	}
	return !s.unseen.known && !now.Before(l.unseenAt)
}

// hasJob tells whether a command waits for this link.
func (l *link) hasJob() bool { return l.s.hasJob(l.role) }

// work gives the monitor's next job its turn.
func (l *link) work() error {
	j := l.s.nextJob(l)
	if j == nil {
		return nil
	}
	l.quietAgain()
	if t, _, aimed := aim(j.cmd); aimed && l.visits(t) {
		return l.away(j)
	}
	return l.do(j)
}

// run does what a job asks for, in the mailbox that is selected.
func (l *link) run(j *job) error {
	switch c := j.cmd.(type) {
	case FetchBody:
		return l.fetchBody(j, c)
	case FetchStructure:
		return l.fetchStructure(j, c)
	case FetchPart:
		return l.fetchPartOf(j, c)
	case StoreFlags:
		return l.storeFlags(j, c)
	case Move:
		return l.move(j, c)
	case Copy:
		return l.copy(j, c)
	case Expunge:
		return l.expunge(j, c)
	case CreateFolder:
		return l.createFolder(j, c)
	case ListFolders:
		return l.listFolders(j)
	case CountFolders:
		return l.countFolders(j, c)
	case Search:
		return l.search(j, c)
	case Locate:
		return l.locate(j, c)
	default:
		l.s.finish(j, fmt.Errorf("no such command: %T", c), safetext.Text{})
		return nil
	}
}

// quietAgain puts the audit off: it is for quiet times.
func (l *link) quietAgain() { l.auditAt = time.Now().Add(auditEvery) }

// visitFarewell is how long a visit's LOGOUT may take.
const visitFarewell = 5 * time.Second

// farewell logs out within d, behind a DONE that is still held.
func (l *link) farewell(d time.Duration) {
	l.loggedOut = true
	timer := time.AfterFunc(d, func() { l.kill(errStopped) })
	defer timer.Stop()
	cmd := l.client.Logout()
	if l.settle() != nil {
		return
	}
	_ = cmd.Wait()
	l.pump()
}
