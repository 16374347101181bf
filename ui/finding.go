package ui

import (
	"context"
	"errors"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"tidings/imapsession"
	"tidings/internal/safetext"
	"tidings/store"
	"tidings/store/query"
)

// Searcher is what ui needs of the account's cache to find messages as a person
// types. A Cache that is no Searcher leaves searching to the server.
type Searcher interface {
	// Search returns the messages that match, newest first, of those below a UID
	// (0: of all): as many as most, or what it found within a frame or two. Where
	// next is not 0 the search goes on below it. It may be called from any
	// goroutine; an error is ctx's.
	Search(ctx context.Context, at store.Place, q query.Query, below store.UID, most int) (uids []store.UID, next store.UID, err error)
}

const (
	// firstHits is how many hits are waited for before they are shown: more than a
	// screen has rows.
	firstHits = 256
	// moreHits is how many are at least waited for then, and fewHits up to how many
	// come into the view one by one; for more of them it is made anew.
	moreHits = 4096
	fewHits  = 128
	// maxHits is how many are shown. Who finds more has not said what is looked
	// for.
	maxHits = 100_000
	// firstLook is how long the first command of a search looks at most, before the
	// screen says that nothing is found yet: what the search before found must not
	// stand there as if it were this one's. findFor is for those after it.
	firstLook = 30 * time.Millisecond
	findFor   = 100 * time.Millisecond
)

// finding is a search in an account's mailbox: of the cache as the person types,
// and of the server after Enter. What it has found is shown by a view.
type finding struct {
	query  query.Query
	gen    int             // of the search in the cache; what another brings is dropped
	ctx    context.Context // of that
	cancel context.CancelFunc
	again  func(next store.UID, most int) // goes on with it; nil: the cache cannot search
	local  bool                           // the cache is being looked through
	shown  bool                           // the view is of this search already
	found  []store.UID
	more   bool // there are more than maxHits

	// The cache may be filled meanwhile.
	behind bool      // it has got more since it was looked through
	anew   bool      // it is being looked through once more
	began  time.Time // when it was last begun to be looked through
	ended  time.Time // when that came to its end, or went on
	wakes  time.Time // when the next time is due
	whole  bool      // the server has told all that there is

	server   imapsession.CommandID // 0: it is not being asked
	progress int                   // of it, in per cent; 0: not known
	stopped  bool                  // it was taken back
	known    map[store.UID]bool    // found, while the server is asked or the cache looked through once more
	theirs   []store.UID           // what the server found
	news     int                   // of that, what the cache did not know
}

// foundMsg brings hits of the cache.
type foundMsg struct {
	account, gen int
	uids         []store.UID
	next         store.UID
	err          error
}

// find looks for messages; what was looked for before is dropped. Of a query that
// means the same as the one before nothing is looked for again.
func (m *Model) find(a *account, q query.Query) {
	f := &a.finding
	if a.viewed().show == showFound && f.shown && f.query.String() == q.String() {
		f.query.Text = q.Text
		return
	}
	m.endFinding(a)
	*f = finding{query: q, gen: f.gen + 1, began: m.now}
	cache, ok := a.cfg.Cache.(Searcher)
	if !ok {
		m.showFound(a)
		return
	}
	f.again = func(next store.UID, most int) { m.look(f.ctx, a, cache, next, most) }
	m.beginLooking(a, firstHits)
}

// beginLooking has the cache looked through from its newest message on.
func (m *Model) beginLooking(a *account, most int) {
	f := &a.finding
	f.ctx, f.cancel = context.WithCancel(m.ctx)
	f.local = true
	f.again(0, most)
}

// look has the cache looked through, from below on, for so many hits.
func (m *Model) look(ctx context.Context, a *account, cache Searcher, below store.UID, most int) {
	index, gen, at, q := m.indexOf(a), a.finding.gen, a.place(), a.finding.query
	var filled Sorter
	if a.finding.anew && below == 0 && a.progress.Ended {
		filled, _ = a.cfg.Cache.(Sorter)
	}
	m.later(func() tea.Msg {
		if filled != nil {
			settle, cancel := context.WithTimeout(ctx, settleFor)
			_ = filled.Settled(settle) // what is not there yet is found the next time
			cancel()
		}
		msg := foundMsg{account: index, gen: gen, next: below}
		for began := time.Now(); ; {
			var uids []store.UID
			uids, msg.next, msg.err = cache.Search(ctx, at, q, msg.next, most-len(msg.uids))
			msg.uids = append(msg.uids, uids...)
			looked := time.Since(began)
			switch {
			case msg.err != nil || msg.next == 0 || len(msg.uids) >= most || looked > findFor:
				return msg
			case below == 0 && (len(msg.uids) > 0 || looked > firstLook):
				return msg // the first ones are shown at once
			}
		}
	})
}

// foundSome takes hits of the cache.
func (m *Model) foundSome(a *account, msg foundMsg) {
	f := &a.finding
	if msg.gen != f.gen || !f.local {
		return
	}
	uids := f.add(msg.uids)
	f.ended = m.now
	f.more = len(f.found) >= maxHits && msg.next != 0
	f.local = msg.err == nil && msg.next != 0 && !f.more
	switch {
	case f.shown && len(uids) <= fewHits:
		m.addFound(a, uids)
	case f.anew:
		m.widenFound(a)
	default:
		m.showFound(a)
	}
	if f.local {
		f.again(msg.next, min(max(moreHits, len(f.found)), maxHits-len(f.found)))
	} else if f.cancel != nil {
		f.cancel()
	}
}

// backfilled: summaries came into the cache since it was looked through.
func (f *finding) backfilled() {
	f.behind = f.again != nil && !f.whole && !f.more
}

// followFinding has the cache looked through once more where it was filled since,
// with a rest in between. It is called at the end of every Update.
func (m *Model) followFinding(a *account) {
	f := &a.finding
	if !f.behind || !f.shown || f.local || f.server != 0 || a.viewed().show != showFound {
		return
	}
	if due := f.ended.Add(max(rest*f.ended.Sub(f.began), time.Second)); m.now.Before(due) {
		if m.now.After(f.wakes) {
			f.wakes = due
			m.later(m.after(due.Sub(m.now)+time.Millisecond, redrawMsg{}))
		}
		return
	}
	if f.known == nil {
		f.know()
	}
	f.behind, f.anew, f.began = false, true, m.now
	m.beginLooking(a, moreHits)
}

// know writes down what is found already.
func (f *finding) know() {
	f.known = make(map[store.UID]bool, len(f.found))
	for _, uid := range f.found {
		f.known[uid] = true
	}
}

// widenFound makes the view of what is found anew, for more of it: what the person
// has read there stays, and what is unfolded.
func (m *Model) widenFound(a *account) {
	v := &a.view
	p := v.proj
	if p == nil || p.spec.show != showFound || v.next != nil && !v.next.again {
		m.showFound(a)
		return
	}
	if v.next != nil {
		v.next.cancel()
		v.next = nil
	}
	p.spec.found = slices.Clone(a.finding.found)
	m.rebuildView(a, p)
}

// add takes hits, and returns those that are new.
func (f *finding) add(uids []store.UID) []store.UID {
	if f.known != nil {
		uids = slices.DeleteFunc(slices.Clone(uids), func(uid store.UID) bool { return f.known[uid] })
		for _, uid := range uids {
			f.known[uid] = true
		}
	}
	uids = uids[:min(len(uids), maxHits-len(f.found))]
	f.found = append(f.found, uids...)
	return uids
}

// showFound makes a view of what is found.
func (m *Model) showFound(a *account) {
	f := &a.finding
	f.shown = true
	matcher := f.query.Matcher()
	s := a.viewed()
	s.show, s.found, s.query = showFound, slices.Clone(f.found), safetext.Clean(f.query.Text)
	s.match = func(sum *store.Summary, flags store.Flags) bool {
		return matcher.Match(query.Message{Summary: sum, Flags: flags}) == query.Matches
	}
	m.setView(a, s)
}

// askServer asks the server, too: the cache does not know of every message, and of
// few what they say.
func (m *Model) askServer(a *account) {
	f := &a.finding
	if f.server != 0 {
		return
	}
	if a.state.State != imapsession.Live {
		m.say(a, own(sDim, "the server is not there to be asked: this is what the cache knows"))
		return
	}
	f.know()
	f.theirs, f.news, f.progress, f.stopped = nil, 0, 0, false
	f.server = a.cfg.Session.Do(imapsession.Search{Target: imapsession.Target{Mailbox: a.mailbox, UIDValidity: a.validity}, Query: f.query})
	a.jobs[f.server] = job{kind: jobSearch}
}

// theirs takes what the server found.
func (m *Model) theirs(a *account, uids []store.UID) {
	f := &a.finding
	f.theirs = append(f.theirs, uids...)
	news := f.add(uids)
	f.news += len(news)
	switch {
	case len(news) == 0:
	case f.shown && len(news) <= fewHits:
		m.addFound(a, news)
	default:
		m.showFound(a)
	}
}

// searchEnded takes the end of the server's search.
func (m *Model) searchEnded(a *account, ev imapsession.ResultEvent) {
	f := &a.finding
	if ev.ID != f.server {
		return
	}
	f.server = 0
	if !f.local {
		f.known = nil
	}
	if ev.Err == nil {
		f.behind, f.whole = false, true
	}
	switch {
	case errors.Is(ev.Err, context.Canceled):
		m.say(a, own(sDim, "the server's search was taken back: this is what was found until then"))
	case ev.Err != nil:
		m.say(a, own(sBad, "not all was searched: "), said(sPlain, safetext.Clean(ev.Err.Error())))
	case f.query.Overreaches() && !f.local:
		// Here nothing speaks against a message whose text is not cached; the server
		// has read it.
		f.found = f.theirs
		m.showFound(a)
		m.say(a, own(sDim, "the server found "+ink(thousands(len(f.found)))))
	case f.news > 0:
		m.say(a, own(sDim, "the server found "+ink(thousands(f.news))+" more"))
	default:
		m.say(a, own(sDim, "the server found nothing else"))
	}
	f.theirs = nil
}

// endFinding stops looking; what is shown stays.
func (m *Model) endFinding(a *account) {
	f := &a.finding
	if f.cancel != nil {
		f.cancel()
	}
	if f.server != 0 {
		a.cfg.Session.Cancel(f.server)
		f.server = 0
	}
	f.local, f.behind, f.again, f.known, f.theirs = false, false, nil, nil, nil
}

// stopAsking takes a search of the server back. It reports whether there was one.
func (m *Model) stopAsking(a *account) bool {
	f := &a.finding
	if f.server == 0 || f.stopped {
		return false
	}
	f.stopped = true
	a.cfg.Session.Cancel(f.server)
	return true
}

// dropFinding forgets a search.
func (m *Model) dropFinding(a *account) {
	m.endFinding(a)
	a.finding = finding{gen: a.finding.gen + 1}
}

// leaveSearch goes back to what was shown before the search.
func (m *Model) leaveSearch(a *account) {
	m.dropFinding(a)
	if a.viewed().show == showFound {
		m.setView(a, a.views.before)
	}
}

// note says what a search found so far, in a few words.
func (f *finding) note() ink {
	if f.query.Root == nil {
		return ""
	}
	n := ink(thousands(len(f.found))) + " found"
	switch {
	case f.more:
		n = "the newest " + ink(thousands(len(f.found))) + " of more"
	case len(f.found) == 0 && f.underWay() != "":
		return f.underWay()
	case len(f.found) == 0:
		return "nothing found"
	}
	if now := f.underWay(); now != "" {
		n += ", " + now
	}
	return n
}

// underWay says what is still being searched; "" where nothing is.
func (f *finding) underWay() ink {
	switch {
	case f.server != 0 && !f.stopped && f.progress > 0:
		return "asking the server: " + ink(thousands(f.progress)) + "%"
	case f.server != 0 && !f.stopped:
		return "asking the server"
	case f.local, f.behind:
		return "looking on"
	}
	return ""
}
