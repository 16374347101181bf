package imapsession

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"tidings/store"
	"tidings/store/query"
)

// parse reads a query, or the test fails.
func parse(t testing.TB, text string) query.Query {
	t.Helper()
	q, err := query.Parse(text, time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(text, err)
	}
	return q
}

// found is everything that a search brought, ascending.
func (f *follower) found(id CommandID) []store.UID {
	f.mu.Lock()
	defer f.mu.Unlock()
	var uids []store.UID
	for _, ev := range f.searches[id] {
		uids = append(uids, ev.UIDs...)
	}
	slices.Sort(uids)
	return uids
}

// inbox searches the inbox.
func (f *follower) inbox(q query.Query) Search { return Search{Target: f.target(), Query: q} }

// answerSearches makes a fake server find every message whose UID every divides;
// windows gets the windows that it was asked for.
func answerSearches(srv *fakeServer, every uint32, windows *[]string) {
	srv.on = func(c *fakeConn, tag, cmd string) bool {
		rest, ok := strings.CutPrefix(cmd, "UID SEARCH ")
		if !ok || !strings.Contains(rest, "UID ") {
			return false
		}
		_, set, _ := strings.Cut(rest, "UID ")
		set, _, _ = strings.Cut(set, " ")
		var lo, hi uint32
		if _, err := fmt.Sscanf(set, "%d:%d", &lo, &hi); err != nil {
			lo, hi = 1, 1
		}
		*windows = append(*windows, set)
		var uids []string
		for _, r := range c.box().rows {
			if r.uid >= lo && r.uid <= hi && r.uid%every == 0 {
				uids = append(uids, fmt.Sprint(r.uid))
			}
		}
		switch {
		case !strings.Contains(cmd, "RETURN"):
			c.send(strings.TrimSpace("* SEARCH " + strings.Join(uids, " ")))
		case len(uids) == 0:
			c.send(fmt.Sprintf(`* ESEARCH (TAG "%s") UID`, tag))
		default:
			c.send(fmt.Sprintf(`* ESEARCH (TAG "%s") UID ALL %s`, tag, strings.Join(uids, ",")))
		}
		c.send(tag + " OK done")
		return true
	}
}

func TestSearchComesInWindows(t *testing.T) {
	for _, caps := range []string{"IMAP4rev1 IDLE ESEARCH LITERAL+", "IMAP4rev1 IDLE"} {
		bubble(t, func(t *testing.T) {
			srv := newFake(t, 2000)
			srv.setCaps(caps)
			var windows []string
			answerSearches(srv, 100, &windows)
			f, _ := start(t, srv.config())
			f.live(1)
			srv.idling(t)
			id := f.s.Do(f.inbox(parse(t, "word")))
			other := f.s.Do(StoreFlags{Target: f.target(5), Add: []string{`\Seen`}})
			if r := f.result(id); r.Err != nil {
				t.Fatal(r.Err)
			}
			f.result(other)
			if got := f.found(id); len(got) != 20 || got[0] != 100 || got[19] != 2000 {
				t.Errorf("found %v", got)
			}
			if len(f.searches[id]) < 2 || f.searches[id][0].UIDs[0] != 2000 {
				t.Errorf("it came in %d pieces: %v", len(f.searches[id]), f.searches[id])
			}
			if strings.Join(windows, " ") != "1801:2000 1001:1800 1:1000" {
				t.Errorf("windows %v", windows)
			}
			for _, said := range srv.said("UID SEARCH") {
				if strings.Contains(said, "UNSEEN") || strings.Contains(said, "RETURN (COUNT)") {
					continue
				}
				if strings.Contains(caps, "ESEARCH") != strings.Contains(said, "RETURN (ALL)") {
					t.Errorf("with %s it says %s", caps, said)
				}
			}
			all := strings.Join(srv.said(""), "\n")
			if i, j := strings.Index(all, "UID STORE"), strings.Index(all, "UID 1:1000"); i > j {
				t.Errorf("a flag waited for the whole search:\n%s", all)
			}
		})
	}
}

func TestSearchTakenBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 2000)
		var windows []string
		answerSearches(srv, 7, &windows)
		answer := srv.on
		cfg := srv.config()
		cfg.Connections = 1
		f, _ := start(t, cfg)
		f.live(1)
		srv.idling(t)
		var id CommandID
		first := make(chan struct{})
		srv.with(func() {
			srv.on = func(c *fakeConn, tag, cmd string) bool {
				if strings.Contains(cmd, "UID 1801:2000") {
					<-first
				}
				return answer(c, tag, cmd)
			}
		})
		id = f.s.Do(f.inbox(parse(t, "word")))
		f.s.Cancel(id)
		close(first)
		if r := f.result(id); !errors.Is(r.Err, context.Canceled) {
			t.Errorf("result %v", r.Err)
		}
		if len(windows) > 1 {
			t.Errorf("it went on with %v", windows)
		}
		if n := len(srv.conns); n != 1 {
			t.Errorf("%d connections", n)
		}
	})
}

// A window that takes long leaves the search to the worker, and cancelling it
// there ends it at once, whatever the server does.
func TestSlowSearchIsTheWorkers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 2000)
		var windows []string
		answerSearches(srv, 7, &windows)
		answer := srv.on
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			switch {
			case strings.Contains(cmd, "UID 1801:2000"):
				<-time.After(2 * time.Second) // virtual
			case strings.HasPrefix(cmd, "UID SEARCH") && strings.Contains(cmd, "UID 1"):
				return true // for ever
			}
			return answer(c, tag, cmd)
		}
		f, _ := start(t, srv.config())
		f.live(1)
		srv.idling(t)
		id := f.s.Do(f.inbox(parse(t, "word")))
		<-time.After(3 * time.Second)
		if worker := strings.Join(srv.saidBy(2), "\n"); !strings.Contains(worker, "EXAMINE INBOX") || !strings.Contains(worker, "UID SEARCH") {
			t.Errorf("the worker said:\n%s", worker)
		}
		began := time.Now()
		if r := f.do(StoreFlags{Target: f.target(5), Add: []string{`\Seen`}}); r.Err != nil {
			t.Error(r.Err)
		}
		f.s.Cancel(id)
		if r := f.result(id); !errors.Is(r.Err, context.Canceled) {
			t.Errorf("result %v", r.Err)
		}
		if d := time.Since(began); d > time.Second {
			t.Errorf("it took %v", d)
		}
		if got := f.found(id); len(got) == 0 {
			t.Error("nothing was found by the first window")
		}
	})
}

func TestSearchThatTheServerRefuses(t *testing.T) {
	for answer, want := range map[string]string{
		"NO [BADCHARSET (US-ASCII)] no":           "beyond ASCII",
		"BAD what":                                `"what"`,
		"* ESEARCH (TAG \"x\") UID ALL 1:4000000": "", // what is not of the window does not count
	} {
		bubble(t, func(t *testing.T) {
			srv := newFake(t, 3)
			srv.on = func(c *fakeConn, tag, cmd string) bool {
				if !strings.HasPrefix(cmd, "UID SEARCH") || !strings.Contains(cmd, "SUBJECT") {
					return false
				}
				if reply, ok := strings.CutPrefix(answer, "* "); ok {
					c.send("* "+strings.ReplaceAll(reply, `"x"`, `"`+tag+`"`), tag+" OK done")
				} else {
					c.send(tag + " " + answer)
				}
				return true
			}
			f, _ := start(t, srv.config())
			f.live(1)
			r := f.do(f.inbox(parse(t, "subject:word")))
			if strings.Contains(answer, "4000000") {
				if got := f.found(r.ID); r.Err != nil || len(got) != 3 {
					t.Errorf("%s: %v %v", answer, r.Err, got)
				}
				return
			}
			if r.Err == nil || !strings.Contains(r.Err.Error(), want) {
				t.Errorf("%s: %v", answer, r.Err)
			}
		})
	}
}

func TestSearchOfNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 0)
		f, _ := start(t, srv.config())
		f.live(1)
		r := f.do(f.inbox(parse(t, "word")))
		if r.Err != nil || len(f.found(r.ID)) != 0 {
			t.Errorf("in an empty mailbox: %v %v", r.Err, f.found(r.ID))
		}
		r = f.do(Search{Target: Target{Mailbox: "INBOX", UIDValidity: 12345}, Query: parse(t, "word")})
		if !errors.Is(r.Err, errRenumbered) {
			t.Errorf("under another UIDVALIDITY: %v", r.Err)
		}
	})
}

func TestWithinIsBounded(t *testing.T) {
	var set imap.UIDSet
	set.AddRange(5, 4_000_000_000)
	set.AddNum(2)
	if uids, ok := within(set, 1, 8, 10); !ok || !slices.Equal(uids, []store.UID{8, 7, 6, 5, 2}) {
		t.Errorf("%v %v", uids, ok)
	}
	if _, ok := within(set, 1, 4_294_967_295, 1000); ok {
		t.Error("a range of four thousand million UIDs is listed")
	}
}
