package ui

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/imapsession"
	"tidings/store"
	"tidings/store/query"
)

// searchCache is a fakeCache that can search; of few messages at a time.
type searchCache struct {
	*fakeCache
	step     int           // 0: all at once
	hold     chan struct{} // not nil: a search waits until it is closed, or taken back
	searches []string
	stopped  int
}

func (c *searchCache) Search(ctx context.Context, _ store.Place, q query.Query, below store.UID, most int) (found []store.UID, next store.UID, err error) {
	c.mu.Lock()
	c.searches = append(c.searches, q.String())
	hold := c.hold
	c.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			c.mu.Lock()
			c.stopped++
			c.mu.Unlock()
			return nil, 0, ctx.Err()
		}
	}
	if ctx.Err() != nil {
		return nil, 0, ctx.Err()
	}
	if c.step > 0 {
		most = min(most, c.step)
	}
	m := q.Matcher()
	for _, uid := range slices.Backward(slices.Sorted(maps.Keys(c.sums))) {
		if below != 0 && uid >= below || m.Match(query.Message{Summary: c.sums[uid], Flags: store.NoFlags}) != query.Matches {
			continue
		}
		if len(found) == most {
			return found, found[most-1], nil
		}
		found = append(found, uid)
	}
	return found, 0, nil
}

// searching is a person at a mailbox of n messages, all of them in the cache.
func searching(t *testing.T, n, step int, f func(p *person, c *searchCache)) {
	t.Helper()
	c := &searchCache{fakeCache: newFakeCache(), step: step}
	atScreen(t, 100, 24, func(p *person) {
		p.server().narrow = true
		p.server().start(n)
		c.keep(p.server(), n)
		p.idle()
		f(p, c)
	}, func(o *Options) { o.Accounts[0].Cache = c })
}

func TestSearchAsYouType(t *testing.T) {
	for _, step := range []int{0, 3} {
		searching(t, 60, step, func(p *person, c *searchCache) {
			p.press("/")
			p.sees("words, \"phrases\"")
			p.types("invoice")
			p.idle()
			p.sees("/invoice", "20 found", "(59) Invoice", "(56) Invoice")
			p.seesNot("Deploy window", "budget")
			p.types(" from:alice")
			p.idle()
			p.sees("4 found", "(35) Invoice")
			p.seesNot("(59)")
			p.press("ctrl+w")
			p.press("backspace")
			p.idle()
			p.sees("20 found", "(59) Invoice")
			p.press("esc")
			p.idle()
			p.sees("(60)", "(58)", "Deploy window")
			p.seesNot("found", "/invoice")
		})
	}
}

func TestSearchSaysWhatIsWrong(t *testing.T) {
	searching(t, 30, 0, func(p *person, c *searchCache) {
		p.press("/")
		p.types("invoice is:")
		p.idle()
		p.sees("10 found", "is: wants unread, read, flagged or answered") // not complete: what is there is shown
		p.types("nice x")
		p.idle()
		// Under the prompt, pointing at the fourth word.
		screen := p.lines()
		var at int
		for i, line := range screen {
			if len(line) > 2 && line[1] == '/' {
				at = i
			}
		}
		want := `             ^ is: knows no "nice": it wants unread, read, flagged or answered`
		if got := screen[at+1]; !strings.HasPrefix(got, want) {
			t.Errorf("under %q\nstands %q, not\n       %q", screen[at], got, want)
		}
		p.sees("(29) Invoice") // what was found before stays
		p.press("enter")
		p.idle()
		p.sees("/invoice is:nice x")
		if n := len(p.server().pending()); n != 0 {
			t.Errorf("%d commands for a query that is wrong", n)
		}
		p.press("ctrl+u")
		p.types("nothinglikethis")
		p.idle()
		p.sees("nothing found")
		p.press("esc")
		p.idle()
		p.sees("(30)")
	})
}

func TestSearchIsTakenBackByTheNextKey(t *testing.T) {
	searching(t, 30, 0, func(p *person, c *searchCache) {
		c.mu.Lock()
		c.hold = make(chan struct{})
		c.mu.Unlock()
		p.press("/")
		p.types("inv")
		p.idle()
		if c.stopped != 2 || len(c.searches) != 3 {
			t.Errorf("%d searches, %d taken back", len(c.searches), c.stopped)
		}
		p.sees("(30)") // what was on screen stays until something is found
		close(c.hold)
		p.idle()
		p.sees("10 found")
		p.types("  ") // means the same
		p.idle()
		if len(c.searches) != 3 {
			t.Errorf("searched again for %q", c.searches)
		}
	})
}

// search types a query, presses Enter, and returns the command that asks the
// server.
func (p *person) search(q string) sent {
	p.t.Helper()
	p.press("/")
	p.types(q)
	p.press("enter")
	p.idle()
	cs := p.server().pending()
	if len(cs) == 0 {
		p.t.Fatal("the server is not asked")
	}
	p.server().take()
	if s, ok := cs[0].cmd.(imapsession.Search); !ok || s.Query.Text != q || s.Target.UIDValidity != fakeValidity {
		p.t.Fatalf("the server is asked %+v", cs[0].cmd)
	}
	return cs[0]
}

func (f *fakeSession) hits(c sent, uids ...store.UID) {
	f.say(imapsession.SearchEvent{ID: c.id, Place: store.Place{Mailbox: "INBOX", UIDValidity: fakeValidity}, UIDs: uids})
}

func (f *fakeSession) end(c sent, err error) {
	f.say(imapsession.ResultEvent{ID: c.id, Command: c.cmd, Err: err})
}

func TestEnterAsksTheServer(t *testing.T) {
	searching(t, 60, 0, func(p *person, c *searchCache) {
		ask := p.search("invoice")
		p.sees("found invoice  20 of 60, asking the server", "(59) Invoice")
		p.server().hits(ask, 59, 58)
		p.server().say(imapsession.ProgressEvent{ID: ask.id, Done: 30, Total: 60})
		p.idle()
		p.sees("21 of 60, asking the server: 50%", "(58)")
		p.server().hits(ask, 1, 2)
		p.server().end(ask, nil)
		p.idle()
		p.sees("the server found 2 more", "found invoice  22 of 60")
		p.selects("(59)")
		p.press("n")
		p.selects("(58)")
		p.press("n")
		p.press("p")
		p.press("p")
		p.selects("(59)")
		p.press("p")
		p.sees("no more of what was found that way")
		p.press("esc")
		p.idle()
		p.selects("(59)")
		p.sees("(57)")
		p.seesNot("found invoice")
	})
}

func TestEscTakesTheServersSearchBack(t *testing.T) {
	searching(t, 60, 0, func(p *person, c *searchCache) {
		ask := p.search("invoice")
		p.press("esc")
		if got := p.server().canceled; !slices.Equal(got, []imapsession.CommandID{ask.id}) {
			t.Errorf("taken back: %v", got)
		}
		p.server().end(ask, context.Canceled)
		p.idle()
		p.sees("taken back", "found invoice  20 of 60")
		p.press("esc")
		p.idle()
		p.seesNot("found invoice")

		ask = p.search("deploy")
		p.server().end(ask, errors.New("the server would not search: it said \"no\""))
		p.idle()
		p.sees("not all was searched: the server would not search")
	})
}

// Here nothing speaks against a message whose text is not cached; the server has
// read it, and has the last word.
func TestServerDecidesOnWhatIsNotThere(t *testing.T) {
	searching(t, 30, 0, func(p *person, c *searchCache) {
		ask := p.search("invoice -secret")
		p.sees("10 of 30")
		p.server().hits(ask, 29, 26)
		p.server().end(ask, nil)
		p.idle()
		p.sees("found invoice -secret  2 of 30", "(29)", "(26)")
		p.seesNot("(23)")
	})
}

func TestMailThatArrivesIsSearched(t *testing.T) {
	searching(t, 30, 0, func(p *person, c *searchCache) {
		ask := p.search("invoice")
		p.server().end(ask, nil)
		p.idle()
		p.sees("the server found nothing else", "found invoice  10 of 30")
		for range 3 {
			p.server().deliver(false) // 31, 32, 33
		}
		p.idle()
		p.sees("(32) Invoice")
		p.sees("found invoice  11 of 33")
		p.seesNot("(31)")
	})
}

// TestSearchFollowsTheFilling: what comes into the cache while its search is on
// screen is found, too, and until then the search does not look like all there is.
func TestSearchFollowsTheFilling(t *testing.T) {
	for _, n := range []int{60, 600} { // more at once than come into the view one by one
		searching(t, n, 0, func(p *person, c *searchCache) {
			all := maps.Clone(c.sums)
			maps.DeleteFunc(c.sums, func(uid store.UID, _ *store.Summary) bool { return uid <= store.UID(n-30) })
			p.press("/")
			p.types("invoice")
			p.idle()
			p.sees("10 found")
			p.seesNot("looking on")
			p.press("down") // the person chose
			chosen := fmt.Sprintf("(%d) Invoice", n-4)
			p.selects(chosen)
			p.server().say(imapsession.ProgressEvent{Done: 30, Total: int64(n), Rate: 10})
			p.idle()
			p.sees("10 found, looking on")
			c.sums = all
			p.server().say(imapsession.ProgressEvent{Done: int64(n), Total: int64(n), Ended: true})
			p.idle()
			p.wait(time.Minute)
			p.sees(fmt.Sprintf("%d found", n/3))
			p.seesNot("looking on")
			p.selects(chosen)
			asked := len(c.searches)
			p.wait(time.Hour)
			if got := len(c.searches); got != asked {
				t.Errorf("it goes on looking: %d times", got-asked)
			}
			p.press("enter")
			if n := len(p.server().pending()); n != 1 {
				t.Fatalf("%d commands", n)
			}
			p.server().end(p.server().pending()[0], nil)
			p.idle()
			p.server().say(imapsession.ProgressEvent{Done: int64(n), Total: int64(n), Ended: true})
			p.wait(time.Minute)
			p.sees("the server found nothing else")
			if got := len(c.searches); got != asked {
				t.Error("the cache is looked through although the server has told all")
			}
		})
	}
}

func TestSearchOffline(t *testing.T) {
	searching(t, 30, 0, func(p *person, c *searchCache) {
		p.server().say(imapsession.StateEvent{State: imapsession.Waiting, Retry: time.Now().Add(time.Minute)})
		p.idle()
		p.press("/")
		p.types("invoice")
		p.press("enter")
		p.idle()
		p.sees("the server is not there to be asked", "found invoice  10 of 30")
		if n := len(p.server().pending()); n != 0 {
			t.Errorf("%d commands", n)
		}
	})
}

// Without a cache that can search, Enter asks the server alone.
func TestSearchWithoutACache(t *testing.T) {
	atScreen(t, 80, 24, func(p *person) {
		p.server().start(30)
		p.idle()
		ask := p.search("anything")
		p.server().hits(ask, 5, 9)
		p.server().end(ask, nil)
		p.idle()
		p.sees("found anything  2 of 30", "(9)", "(5)")
	})
}

func TestRenumberedMailboxEndsASearch(t *testing.T) {
	searching(t, 30, 0, func(p *person, c *searchCache) {
		ask := p.search("invoice")
		ev := p.server().resync()
		ev.UIDValidity, ev.Reload = fakeValidity+1, true
		p.server().say(ev)
		p.server().hits(ask, 29)
		p.server().end(ask, errors.New("renumbered"))
		p.idle()
		p.seesNot("asking the server")
	})
}

func TestEarlierSearches(t *testing.T) {
	searching(t, 30, 0, func(p *person, c *searchCache) {
		p.search("invoice")
		p.press("esc")
		p.press("esc")
		p.search("deploy")
		p.press("/")
		p.sees("/deploy") // the one that is shown, to be changed
		p.press("ctrl+p")
		p.press("ctrl+p")
		p.idle()
		p.sees("/invoice", "10 found")
		p.press("ctrl+n")
		p.press("ctrl+n")
		p.idle()
		p.sees("/deploy")
	})
}
