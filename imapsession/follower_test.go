package imapsession

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tidings/imapsession/wire"
	"tidings/internal/testserver"
	"tidings/store"
)

// fixedSecret is a Credentials that knows the password.
type fixedSecret Secret

func (s fixedSecret) Secret(context.Context) (Secret, error) { return Secret(s), nil }

// configFor makes a Config for a plain-port server on loopback.
func configFor(t testing.TB, addr, user, password string) Config {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return Config{
		Account:     "test",
		Host:        host,
		Port:        n,
		Security:    Plaintext,
		Credentials: fixedSecret{User: user, Password: password},
		Log:         slog.New(slog.NewTextHandler(testLog{t}, nil)),
	}
}

// testLog writes a session's log to the test's.
type testLog struct{ t testing.TB }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Logf("%s", p)
	return len(p), nil
}

// follower listens to a session as ui does: it applies the events to a list of
// its own and remembers what it was told. It fails the test where an event
// breaks the contract of the Box.
type follower struct {
	t testing.TB
	s *Session

	mu         sync.Mutex
	changed    chan struct{} // closed and replaced with every batch
	list       *store.List
	epoch      uint32
	validity   uint32
	states     []StateEvent
	resyncs    []ResyncEvent
	summaries  map[store.UID]*store.Summary
	results    map[CommandID]ResultEvent
	bodies     map[CommandID]BodyEvent
	structures map[CommandID]StructureEvent
	folders    []Folder
	subscribed bool // which of them are subscribed to
	counts     []FolderCount
	searches   map[CommandID][]SearchEvent
	newMail    []NewMailEvent
	progress   []ProgressEvent
	told       map[store.UID]bool // told of as new
	unseen     UnseenEvent
	alerts     []AlertEvent
	queued     []QueuedEvent
	kinds      []string      // the events in order, by type
	asleep     chan struct{} // not nil: it takes nothing until this is closed
}

// ending is what a test that failed says at the very end.
type ending struct {
	trace *wire.Trace // of the last session
	why   string
}

var endings sync.Map // testing.TB to *ending

// inTheEnd is the test's ending, which comes behind all that it logs otherwise.
func inTheEnd(t testing.TB) *ending {
	have, ok := endings.LoadOrStore(t, new(ending))
	e := have.(*ending)
	if ok {
		return e
	}
	t.Cleanup(func() {
		endings.Delete(t)
		if !t.Failed() {
			return
		}
		if e.trace != nil {
			for _, l := range e.trace.Lines() {
				t.Logf("%s %s %s %s", l.Time.Format("05.000000"), l.Conn, l.Dir, l.Text)
			}
		}
		if e.why != "" {
			t.Log(e.why)
		}
	})
	return e
}

// start runs a session and a follower; both end with the test, or with stop.
func start(t testing.TB, cfg Config) (f *follower, stop func()) {
	t.Helper()
	return startSession(t, cfg, nil)
}

// startSession is start with a session that prepare may change before it runs.
func startSession(t testing.TB, cfg Config, prepare func(*Session)) (f *follower, stop func()) {
	t.Helper()
	if cfg.Trace == nil {
		cfg.Trace = wire.NewTrace(200)
		inTheEnd(t).trace = cfg.Trace
	}
	s := New(cfg)
	if prepare != nil {
		prepare(s)
	}
	f = &follower{
		t: t, s: s,
		changed:    make(chan struct{}),
		list:       new(store.List),
		summaries:  map[store.UID]*store.Summary{},
		results:    map[CommandID]ResultEvent{},
		bodies:     map[CommandID]BodyEvent{},
		structures: map[CommandID]StructureEvent{},
		searches:   map[CommandID][]SearchEvent{},
		told:       map[store.UID]bool{},
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran, heard := make(chan struct{}), make(chan struct{})
	listening, deaf := context.WithCancel(context.Background())
	go func() {
		defer close(ran)
		_ = s.Run(ctx)
	}()
	go func() {
		defer close(heard)
		for {
			evs, err := s.Events().Next(listening, 0)
			if err != nil {
				return
			}
			f.take(evs)
		}
	}()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			<-ran
			for s.Events().Pending() > 0 {
				f.wait()
			}
			deaf()
			<-heard
		})
	}
	t.Cleanup(stop)
	return f, stop
}

// wait waits for the next batch, or a moment.
func (f *follower) wait() {
	f.mu.Lock()
	ch := f.changed
	f.mu.Unlock()
	timer := time.NewTimer(20 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-ch:
	case <-timer.C:
	}
}

func (f *follower) take(evs []Event) {
	f.mu.Lock()
	asleep := f.asleep
	f.mu.Unlock()
	if asleep != nil {
		<-asleep
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, ev := range evs {
		f.kinds = append(f.kinds, fmt.Sprintf("%T", ev)[len("imapsession."):])
		f.takeOne(ev)
	}
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *follower) takeOne(ev Event) {
	switch ev := ev.(type) {
	case StateEvent:
		f.states = append(f.states, ev)
	case ResyncEvent:
		if ev.Epoch <= f.epoch && (ev.AsOf.IsZero() || f.epoch != 0) {
			f.t.Errorf("epoch %d follows %d", ev.Epoch, f.epoch)
		}
		if ev.AsOf.IsZero() != (ev.Epoch != 0) {
			f.t.Errorf("a list of epoch %d is as of %v", ev.Epoch, ev.AsOf)
		}
		if ev.UIDValidity != f.validity {
			f.told = map[store.UID]bool{}
			f.summaries = map[store.UID]*store.Summary{}
		}
		f.list, f.epoch, f.validity = ev.List, ev.Epoch, ev.UIDValidity
		f.resyncs = append(f.resyncs, ev)
	case ListEvent:
		if ev.Epoch != f.epoch {
			return
		}
		if _, err := f.list.Apply(ev.Change); err != nil {
			f.t.Errorf("the listener's list refuses %+v: %v", ev.Change, err)
		}
	case SummariesEvent:
		for _, sum := range ev.Summaries {
			f.summaries[sum.UID] = sum
		}
	case NewMailEvent:
		if len(ev.UIDs) > ev.Count {
			f.t.Errorf("NewMailEvent names %d messages and counts %d", len(ev.UIDs), ev.Count)
		}
		for _, u := range ev.UIDs {
			if f.told[u] {
				f.t.Errorf("message %d was told of as new twice", u)
			}
			if f.summaries[u] == nil {
				f.t.Errorf("message %d was told of as new before its summary", u)
			}
			f.told[u] = true
		}
		f.newMail = append(f.newMail, ev)
	case UnseenEvent:
		if ev.Epoch == f.epoch {
			f.unseen = ev
		}
	case ResultEvent:
		if _, twice := f.results[ev.ID]; twice {
			f.t.Errorf("command %d ended twice", ev.ID)
		}
		f.results[ev.ID] = ev
	case StructureEvent:
		f.structures[ev.ID] = ev
	case ProgressEvent:
		f.progress = append(f.progress, ev)
	case BodyEvent:
		f.bodies[ev.ID] = ev
	case SearchEvent:
		if _, ended := f.results[ev.ID]; ended {
			f.t.Errorf("search %d found something after its end", ev.ID)
		}
		f.searches[ev.ID] = append(f.searches[ev.ID], ev)
	case FoldersEvent:
		f.folders, f.subscribed = ev.Folders, ev.Subscriptions
	case CountsEvent:
		f.counts = append(f.counts, ev.Counts...)
	case QueuedEvent:
		f.queued = append(f.queued, ev)
	case AlertEvent:
		f.alerts = append(f.alerts, ev)
	}
}

// patience bounds every wait of a test; it is no figure of merit.
const patience = 2 * time.Minute

// until waits until cond holds; cond runs under the follower's lock. Under
// virtual time it also waits until nobody has anything left to do, so that the
// test may look at the follower.
func (f *follower) until(what string, cond func() bool) {
	f.t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		f.mu.Lock()
		ok, ch := cond(), f.changed
		f.mu.Unlock()
		if ok {
			if inBubble {
				synctest.Wait()
			}
			return
		}
		select {
		case <-ch:
		case <-timer.C:
			f.mu.Lock()
			defer f.mu.Unlock()
			f.t.Fatalf("waited in vain: %s; last state %+v", what, f.last())
		}
	}
}

func (f *follower) last() StateEvent {
	if len(f.states) == 0 {
		return StateEvent{}
	}
	return f.states[len(f.states)-1]
}

// live waits until the session has been live n times.
func (f *follower) live(n int) {
	f.t.Helper()
	f.until(fmt.Sprintf("live for the %d. time", n), func() bool {
		got := 0
		for _, st := range f.states {
			if st.State == Live {
				got++
			}
		}
		return got >= n && f.last().State == Live
	})
}

// do runs a command and waits for its Result.
func (f *follower) do(c Command) ResultEvent {
	f.t.Helper()
	id := f.s.Do(c)
	return f.result(id)
}

func (f *follower) result(id CommandID) ResultEvent {
	f.t.Helper()
	f.until(fmt.Sprintf("the result of command %d", id), func() bool {
		_, ok := f.results[id]
		return ok
	})
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.results[id]
}

// target aims at messages of the mailbox as it is known now.
func (f *follower) target(uids ...store.UID) Target {
	f.mu.Lock()
	defer f.mu.Unlock()
	return Target{Mailbox: "INBOX", UIDValidity: f.validity, UIDs: uids}
}

// rows are the rows of the follower's list, as testserver has them.
func rows(l *store.List) []testserver.Row {
	out := []testserver.Row{}
	for i := range l.Len() {
		r := l.Row(i)
		row := testserver.Row{UID: uint32(r.UID), Flags: []string{}}
		if r.UID != 0 && !r.Flags.Known() {
			row.Flags = append(row.Flags, "unknown")
		}
		for _, name := range r.Flags.Names() {
			if name != "\\Recent" {
				row.Flags = append(row.Flags, name)
			}
		}
		slices.Sort(row.Flags)
		out = append(out, row)
	}
	return out
}

func sameRows(a, b []testserver.Row) bool {
	return slices.EqualFunc(a, b, func(a, b testserver.Row) bool {
		return a.UID == b.UID && slices.Equal(a.Flags, b.Flags)
	})
}

// untilLong is until with another patience, for virtual time.
func (f *follower) untilLong(what string, d time.Duration, cond func() bool) {
	f.t.Helper()
	end := time.Now().Add(d)
	for time.Now().Before(end) {
		f.mu.Lock()
		ok, ch := cond(), f.changed
		f.mu.Unlock()
		if ok {
			if inBubble {
				synctest.Wait()
			}
			return
		}
		timer := time.NewTimer(time.Until(end))
		select {
		case <-ch:
		case <-timer.C:
		}
		timer.Stop()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.t.Fatalf("waited in vain for %v: %s; last state %+v", d, what, f.last())
}

func itoa(n int) string { return strconv.Itoa(n) }

// state is the last state that was told.
func (f *follower) state() StateEvent {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last()
}
