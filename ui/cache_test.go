package ui

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tidings/imapsession"
	"tidings/internal/safetext"
	"tidings/store"
)

// fakeCache keeps messages in memory. While hold is not nil, answers wait for
// it.
type fakeCache struct {
	mu       sync.Mutex
	hold     chan struct{}
	sums     map[store.UID]*store.Summary
	bodies   map[store.UID]string
	asked    [][]store.UID
	busy     int
	together int // the most requests for summaries at a time
	selected []store.UID
	near     func(day time.Time) (store.UID, bool)
	fails    error
}

func newFakeCache() *fakeCache {
	return &fakeCache{sums: map[store.UID]*store.Summary{}, bodies: map[store.UID]string{}}
}

func (c *fakeCache) Summaries(ctx context.Context, at store.Place, uids []store.UID) ([]*store.Summary, error) {
	c.mu.Lock()
	c.asked = append(c.asked, slices.Clone(uids))
	c.busy++
	c.together = max(c.together, c.busy)
	hold, fails := c.hold, c.fails
	c.mu.Unlock()
	if hold != nil {
		<-hold
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy--
	if fails != nil {
		return nil, fails
	}
	var out []*store.Summary
	for _, uid := range uids {
		if s := c.sums[uid]; s != nil {
			out = append(out, s)
		}
	}
	return out, nil
}

func (c *fakeCache) Body(_ context.Context, _ store.Place, uid store.UID) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if b, ok := c.bodies[uid]; ok {
		return []byte(strings.ReplaceAll(b, "\n", "\r\n")), nil
	}
	return nil, nil
}

func (c *fakeCache) KeepSelected(_ store.Place, uid store.UID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.selected = append(c.selected, uid)
}

func (c *fakeCache) Near(_ context.Context, _ store.Place, day time.Time) (store.UID, bool, error) {
	if c.near == nil {
		return 0, false, nil
	}
	uid, sure := c.near(day)
	return uid, sure, nil
}

// keep has the cache keep the summaries of the first n messages of a fake
// session.
func (c *fakeCache) keep(f *fakeSession, n int) {
	for uid := store.UID(1); uid <= store.UID(n); uid++ {
		c.sums[uid] = f.summary(uid)
	}
}

// cachedList has the session say what a cache of n messages holds: first the
// newest page rows, then the whole index. All but the newest are read.
func (f *fakeSession) cachedList(n, page int, selected store.UID, asOf time.Time) {
	list := func(known int) *store.List {
		var b store.Builder
		if err := b.AddUnknown(n - known); err != nil {
			panic(err)
		}
		for i := n - known; i < n; i++ {
			flags := store.MakeFlags([]string{`\Seen`})
			if i == n-1 {
				flags = store.NoFlags
			}
			if err := b.Add(store.Row{UID: store.UID(i + 1), Flags: flags}); err != nil {
				panic(err)
			}
		}
		return b.List()
	}
	ev := imapsession.ResyncEvent{Mailbox: "INBOX", UIDValidity: fakeValidity, AsOf: asOf, Selected: selected, List: list(page)}
	f.say(ev)
	var sums []*store.Summary
	for uid := store.UID(n - page + 1); uid <= store.UID(n); uid++ {
		sums = append(sums, f.summary(uid))
	}
	f.say(imapsession.SummariesEvent{UIDValidity: fakeValidity, Summaries: sums})
	ev.Selected, ev.List = 0, list(n)
	f.say(ev)
	f.nextUID = store.UID(n + 1)
}

// confirm has the session's list be n messages, arrived of which were not in the
// cache's, and say so.
func (f *fakeSession) confirm(n, arrived int, flags func(uid store.UID) []string) {
	f.signAt(time.Now())
	had := f.list.Len()
	f.apply(store.Change{Kind: store.Exists, N: uint32(n)})
	for i := had; i < n; i++ {
		set := []string{`\Seen`}
		if i >= n-arrived {
			set = nil
		}
		if flags != nil {
			set = append(set, flags(store.UID(i+1))...)
		}
		f.apply(store.Change{Kind: store.Fill, Seq: uint32(i + 1), UID: store.UID(i + 1), Flags: store.MakeFlags(set)})
	}
	ev := f.resync()
	ev.Arrived = uint32(arrived)
	f.say(ev)
	if arrived > 0 {
		var sums []*store.Summary
		var uids []store.UID
		for uid := store.UID(n - arrived + 1); uid <= store.UID(n); uid++ {
			sums = append(sums, f.summary(uid))
			uids = append(uids, uid)
		}
		f.say(imapsession.SummariesEvent{UIDValidity: fakeValidity, Summaries: sums})
		f.say(imapsession.NewMailEvent{UIDValidity: fakeValidity, UIDs: uids, Count: arrived, Gap: true})
	}
	f.nextUID = store.UID(n + 1)
	f.count()
	f.live()
}

// withCache gives the first account a cache.
func withCache(c *fakeCache) func(*Options) {
	return func(o *Options) { o.Accounts[0].Cache = c }
}

func connecting(f *fakeSession) {
	f.signAt(time.Time{})
	f.say(imapsession.StateEvent{State: imapsession.Connecting})
}

// yesterday is 18:02 of the day before the fake one.
var yesterday = time.Date(2000, 11, 23, 18, 2, 0, 0, time.UTC)

func TestCachedRowsComeFirstAndSayTheirAge(t *testing.T) {
	c := newFakeCache()
	atScreen(t, 100, 24, func(p *person) {
		s := p.server()
		c.keep(s, 500)
		connecting(s)
		s.cachedList(500, 40, 490, yesterday)
		p.idle()
		p.sees("(500) ", "as of yesterday 18:02", "connecting")
		p.seesNot("live", "heard")
		p.selects("(490) ")
		p.press("G")
		p.sees("(1) ")
		p.selects("(1) ")

		s.confirm(503, 3, nil)
		p.idle()
		p.sees("live", "of 503")
		p.seesNot("as of")
		p.selects("(1) ")
		p.press("g")
		p.sees("(503) ")
	}, withCache(c))
}

func TestASelectionBelowTheFirstPageIsFoundAgain(t *testing.T) {
	c := newFakeCache()
	atScreen(t, 100, 24, func(p *person) {
		s := p.server()
		c.keep(s, 500)
		connecting(s)
		s.cachedList(500, 40, 123, yesterday)
		p.idle()
		p.selects("(123) ")
	}, withCache(c))
	atScreen(t, 100, 24, func(p *person) { // who moved stays where they are
		s := p.server()
		c.keep(s, 500)
		connecting(s)
		s.cachedList(500, 40, 123, yesterday)
		first, err := s.box.Next(t.Context(), 2)
		if err != nil {
			t.Fatal(err)
		}
		p.send(batchMsg{0, first})
		p.send(keyPress("j"))
		p.idle()
		p.selects("(499) ")
	}, withCache(c))
}

// TestOfflineReader: with the network gone, what is kept can be read, and what
// is done waits.
func TestOfflineReader(t *testing.T) {
	c := newFakeCache()
	atScreen(t, 100, 24, func(p *person) {
		s := p.server()
		c.keep(s, 300)
		c.bodies[300] = letter
		s.signAt(time.Time{})
		s.cachedList(300, 40, 0, yesterday)
		s.say(imapsession.StateEvent{State: imapsession.Waiting, Attempt: 1,
			Reason: safetext.Const("no route to imap.example.org"), Retry: time.Now().Add(20 * time.Second)})
		p.idle()
		p.sees("as of yesterday 18:02", "offline", "retry in 20 s", "no route to imap.example.org")
		p.press("enter")
		p.wait(50 * time.Millisecond)
		p.sees("the window opens at 22:00")
		for _, w := range s.pending() {
			if _, fetch := w.cmd.(imapsession.FetchBody); fetch {
				t.Error("a message that is kept was asked of the server")
			}
		}
		store, ok := s.pending()[0].cmd.(imapsession.StoreFlags)
		if !ok || store.Target.UIDs[0] != 300 || store.Target.UIDValidity != fakeValidity || store.Target.Mailbox != "INBOX" {
			t.Errorf("reading it leads to %#v", s.pending())
		}
		p.press("esc j enter")
		p.wait(150 * time.Millisecond)
		p.sees("Not kept here; it is fetched when the server can be reached.")
		p.press("esc !")
		p.sees("⚑", "to send")
	}, withCache(c), func(o *Options) { o.Accounts[0].MarkSeen = 0 })
}

// TestPagesAreTurnedOneAtATime: while one request is under way there is no other,
// and the next asks for what is on screen then, first for that and then for what
// is around it.
func TestPagesAreTurnedOneAtATime(t *testing.T) {
	c := newFakeCache()
	atScreen(t, 100, 24, func(p *person) {
		s := p.server()
		c.keep(s, 5000)
		s.cachedList(5000, 40, 0, yesterday)
		s.say(imapsession.StateEvent{State: imapsession.Connecting})
		p.idle()
		c.asked, c.hold = nil, make(chan struct{})
		p.press("G")
		for _, row := range []string{"1000", "2000", "3000", "4000"} {
			p.press(":")
			p.types(row)
			p.press("enter")
		}
		p.seesNot("(1001) ")
		p.wait(150 * time.Millisecond)
		p.sees("···")
		close(c.hold)
		c.hold = nil
		p.idle()
		p.selects("(1001) ")
		if c.together != 1 {
			t.Errorf("%d requests at a time", c.together)
		}
		if len(c.asked) != 3 {
			t.Fatalf("%d requests, want one for the first jump, one for the last, and one around it", len(c.asked))
		}
		if !slices.Contains(c.asked[0], 1) || !slices.Contains(c.asked[1], 1001) || len(c.asked[1]) > p.m.accounts[0].view.h {
			t.Errorf("asked for %v", c.asked)
		}
		p.press("ctrl+f")
		p.seesNot("···") // what is around it is there already
	}, withCache(c))
}

// TestWhatTheCacheHasNotIsAskedOfTheServer: once, and rows come in order of what
// is seen.
func TestWhatTheCacheHasNotIsAskedOfTheServer(t *testing.T) {
	c := newFakeCache()
	atScreen(t, 100, 24, func(p *person) {
		s := p.server()
		c.keep(s, 5000)
		delete(c.sums, 4800)
		s.cachedList(5000, 40, 0, yesterday)
		p.idle()
		s.confirm(5000, 0, nil)
		p.idle()
		s.visible = nil
		p.press(":")
		p.types("201")
		p.press("enter")
		p.sees("(4799) ", "(4801) ")
		last := s.visible[len(s.visible)-1]
		if !slices.Equal(last.Missing, []store.UID{4800}) {
			t.Errorf("the session is asked for %v", last.Missing)
		}
		n := len(c.asked)
		p.press("j k j k")
		if len(c.asked) != n {
			t.Error("the cache is asked again for what it has not")
		}
		s.say(imapsession.SummariesEvent{UIDValidity: fakeValidity, Summaries: []*store.Summary{s.summary(4800)}})
		p.idle()
		p.sees("(4800) ")
	}, withCache(c))
}

func TestACacheThatFailsLeavesItToTheServer(t *testing.T) {
	c := newFakeCache()
	c.fails = errors.New("disk I/O error")
	atScreen(t, 100, 24, func(p *person) {
		s := p.server()
		s.confirm(100, 0, nil)
		p.idle()
		last := s.visible[len(s.visible)-1]
		if len(last.Missing) == 0 {
			t.Error("the session is not asked")
		}
	}, withCache(c))
}

// TestTheSelectionIsKept: a second after the last movement, and at the end.
func TestTheSelectionIsKept(t *testing.T) {
	c := newFakeCache()
	atScreen(t, 100, 24, func(p *person) {
		s := p.server()
		s.start(50)
		p.idle()
		p.press("j j j")
		p.wait(1100 * time.Millisecond)
		p.press("j")
		p.wait(1100 * time.Millisecond)
		p.wait(10 * time.Second)
		if !slices.Equal(c.selected, []store.UID{47, 46}) {
			t.Errorf("kept were %v", c.selected)
		}
		p.press("j Q")
		p.m.keepAll()
		if c.selected[len(c.selected)-1] != 45 {
			t.Errorf("at the end %v were kept", c.selected)
		}
	}, withCache(c))
}

func TestRenumberedMailboxDropsWhatWaited(t *testing.T) {
	c := newFakeCache()
	atScreen(t, 100, 24, func(p *person) {
		s := p.server()
		c.keep(s, 100)
		s.cachedList(100, 40, 0, yesterday)
		p.idle()
		p.press("!")
		ev := s.resync()
		ev.UIDValidity, ev.Reload = fakeValidity+1, true
		s.say(ev)
		p.idle()
		p.sees("the server renumbered the mailbox: loaded anew, and 1 action that waited was dropped")
		s.say(imapsession.StateEvent{State: imapsession.Waiting, Attempt: 1})
		s.say(ev)
		s.say(imapsession.StateEvent{State: imapsession.Live})
		p.idle()
		p.sees("the server renumbered the mailbox")
		p.seesNot("back online")
	}, withCache(c))
}

func TestProgressOnTheStatusBarAndInTheTerminal(t *testing.T) {
	for _, w := range []int{40, 80, 120, 200} {
		atScreen(t, w, 24, func(p *person) {
			s := p.server()
			s.start(60)
			s.say(imapsession.ProgressEvent{Done: 12_345, Total: 100_000, Rate: 8120, Left: 10_800 * time.Millisecond})
			p.idle()
			p.sees("live")
			switch {
			case w >= 120:
				p.sees("headers 12,345 of 100,000, 8,120/s, 11 s left")
			case w >= 80:
				p.sees("12,345 of 100,000")
			default:
				p.sees("12%")
			}
			if b := p.m.View().ProgressBar; b == nil || b.Value != 12 {
				t.Errorf("the terminal is told %+v", b)
			}
			p.press("esc")
			if !slices.Equal(s.canceled, []imapsession.CommandID{0}) {
				t.Errorf("Esc takes back %v", s.canceled)
			}
			p.sees("no more headers are")
			s.say(imapsession.ProgressEvent{Done: 100_000, Total: 100_000})
			p.idle()
			p.seesNot("headers 100,000", "100,000 of", "%")
			if b := p.m.View().ProgressBar; b != nil {
				t.Errorf("at the end the terminal is told %+v", b)
			}
			s.say(imapsession.ProgressEvent{Done: 1, Total: 100})
			s.say(imapsession.StateEvent{State: imapsession.Connecting})
			p.idle()
			if b := p.m.View().ProgressBar; b != nil {
				t.Error("something is said to go on while the link is down")
			}
		})
	}
}
