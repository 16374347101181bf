package ui

import (
	"context"
	"log/slog"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"tidings/store"
)

// Sorter is what ui needs of the account's cache to sort and to find
// conversations. Like Cache's, its methods may wait for the disk. A Cache that is
// no Sorter leaves views to what is in memory.
type Sorter interface {
	// Sorted returns the messages of a mailbox whose summary is kept, in the order
	// of store.Compare: the one that stands lowest first.
	Sorted(ctx context.Context, at store.Place, by store.SortKey) ([]store.UID, error)
	// Since returns those that arrived at t or later.
	Since(ctx context.Context, at store.Place, t time.Time) ([]store.UID, error)
	// Kin calls yield for each of them, UIDs ascending, until it returns false;
	// Unread is not set. What Refs holds is yield's only until it returns.
	Kin(ctx context.Context, at store.Place, yield func(store.Kin) bool) error
	// Settled waits until what was kept before is on disk, or ctx ends: only then
	// do the others know of it.
	Settled(ctx context.Context) error
}

// settleFor is how long a view that is made anew waits for the disk.
const settleFor = time.Second

// building is a view that is being made, from a snapshot of the list. What
// happens meanwhile is written down and applied to it before it is shown.
type building struct {
	gen    int
	spec   viewSpec
	again  bool // the view on screen is made anew
	began  time.Time
	cancel context.CancelFunc
	log    []step
	failed bool // another list, or too much happened: to be begun again
}

// step is one thing that happened: a Change, a summary, or a hit of the search.
type step struct {
	change store.Change
	sum    *store.Summary
	hit    store.UID
}

// maxLog bounds what may happen to a list while a view of it is made.
const maxLog = 1 << 18

func (b *building) add(s step) {
	if len(b.log) == maxLog {
		b.failed = true
	}
	if !b.failed {
		b.log = append(b.log, s)
	}
}

// viewMsg brings a view that was made.
type viewMsg struct {
	account, gen int
	list         *store.List // of the snapshot
	proj         *projection
	err          error
}

// viewInput is what a view is made from; the goroutine that makes it owns it.
type viewInput struct {
	spec  viewSpec
	since time.Time
	list  *store.List
	have  []*store.Summary // in memory
	stays []store.UID
	open  []store.UID // conversations that are unfolded
	again bool
	at    store.Place
	cache Sorter // nil: there is none
}

// setView shows a view of the account's list. It takes effect when the view is
// made, a few frames later at most where the mailbox is small; until then what is
// on screen stays, and goes on. A view asked for later wins. The selection stays
// on its message where the view has it.
func (m *Model) setView(a *account, s viewSpec) {
	if before := a.viewed(); s.show == showFound && before.show != showFound {
		a.views.before = before
	}
	if a.view.next != nil {
		a.view.next.cancel()
		a.view.next = nil
	}
	if s.plain() {
		a.view.project(nil, false)
		return
	}
	m.buildView(a, s, nil, nil, false)
}

// addFound adds messages to the search that is shown, or about to be.
func (m *Model) addFound(a *account, uids []store.UID) {
	v := &a.view
	if b := v.next; b != nil && b.spec.show == showFound {
		b.spec.found = append(slices.Clip(b.spec.found), uids...)
		for _, uid := range uids {
			b.add(step{hit: uid})
		}
		if !b.again {
			return
		}
	}
	p := v.proj
	if p == nil || p.spec.show != showFound {
		return
	}
	p.spec.found = append(p.spec.found, uids...)
	for _, uid := range uids {
		p.hit(v, v.list, uid)
	}
}

// viewed is the view that is shown, or about to be.
func (a *account) viewed() viewSpec {
	switch {
	case a.view.next != nil && !a.view.next.again:
		return a.view.next.spec
	case a.view.proj != nil:
		return a.view.proj.spec
	}
	return viewSpec{}
}

// buildView begins to make a view.
func (m *Model) buildView(a *account, s viewSpec, stays, open []store.UID, again bool) {
	a.views.gen++
	ctx, cancel := context.WithCancel(m.ctx)
	b := &building{gen: a.views.gen, spec: s, again: again, began: m.now, cancel: cancel}
	a.view.next = b
	in := viewInput{spec: s, since: midnight(m.now), list: a.view.list.Snapshot(), stays: stays, open: open, again: again, at: a.place()}
	if s.sort != store.ByArrival || s.threads || s.show == showToday {
		in.have = a.sums.All()
		in.cache, _ = a.cfg.Cache.(Sorter)
	}
	index := m.indexOf(a)
	m.later(func() tea.Msg {
		p, err := in.build(ctx)
		return viewMsg{index, b.gen, in.list, p, err}
	})
	m.later(m.after(slow, redrawMsg{}))
}

// build makes the view.
func (in *viewInput) build(ctx context.Context) (*projection, error) {
	p := &projection{spec: in.spec, since: in.since, stays: map[store.UID]bool{}, queue: map[store.UID]bool{}, branches: map[store.UID]store.Branch{}, opened: map[store.UID]bool{}}
	for _, uid := range in.stays {
		p.stays[uid] = true
	}
	if in.spec.show == showFound {
		p.found = make(map[store.UID]bool, len(in.spec.found))
		for _, uid := range in.spec.found {
			p.found[uid] = true
		}
	}
	if in.cache != nil && in.again {
		settle, cancel := context.WithTimeout(ctx, settleFor)
		_ = in.cache.Settled(settle) // what is not there yet is counted as such
		cancel()
	}
	belongs, err := in.belongs(ctx, p)
	if err != nil {
		return nil, err
	}
	if in.spec.threads {
		return p, in.gather(ctx, p, belongs)
	}
	var uids []store.UID
	kept := map[store.UID]bool{} // of what is in memory, what the cache knows of
	if in.spec.sort == store.ByArrival {
		in.list.Known(0, in.list.Len(), func(_ int, r store.Row) bool {
			if belongs(r) == isIn {
				uids = append(uids, r.UID)
			}
			return ctx.Err() == nil
		})
	} else {
		if in.cache != nil {
			if uids, err = in.cache.Sorted(ctx, in.at, in.spec.sort); err != nil {
				return nil, err
			}
		}
		for _, s := range in.have {
			kept[s.UID] = false
		}
		n := 0
		for _, uid := range uids {
			if _, ok := kept[uid]; ok {
				kept[uid] = true
			}
			if !in.spec.whole() {
				if i, ok := in.list.Find(uid); !ok || belongs(in.list.Row(i)) != isIn {
					continue
				}
			}
			uids[n] = uid
			n++
		}
		uids = uids[:n]
		if in.cache == nil {
			uids = in.sortHave(belongs)
			clear(kept)
		}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	byKey := in.spec.sort != store.ByArrival
	p.order = store.NewOrder(in.list, uids, func(r store.Row) bool {
		v := belongs(r)
		return v == isUnknown || v == isIn && byKey
	})
	for uid, ok := range kept {
		if i, there := in.list.Find(uid); !ok && there && p.order.Standing(i) == store.Waits && belongs(in.list.Row(i)) == isIn {
			p.queue[uid] = true
		}
	}
	return p, nil
}

// belongs returns what tells of a row whether it belongs.
func (in *viewInput) belongs(ctx context.Context, p *projection) (func(store.Row) verdict, error) {
	spec := in.spec
	switch spec.show {
	case showToday:
		some := map[store.UID]bool{}
		var kept []store.UID // ascending
		if in.cache != nil {
			uids, err := in.cache.Since(ctx, in.at, in.since)
			if err != nil {
				return nil, err
			}
			for _, uid := range uids {
				some[uid] = true
			}
			if kept, err = in.cache.Sorted(ctx, in.at, store.ByArrival); err != nil {
				return nil, err
			}
		}
		known := map[store.UID]bool{}
		for _, s := range in.have {
			known[s.UID] = true
			if !when(s).Before(in.since) {
				some[s.UID] = true
			}
		}
		return func(r store.Row) verdict {
			if r.UID == 0 {
				return isUnknown
			}
			if some[r.UID] || p.stays[r.UID] {
				return isIn
			}
			if !known[r.UID] {
				if _, ok := slices.BinarySearch(kept, r.UID); !ok {
					return isUnknown
				}
			}
			return isOut
		}, nil
	case showFound:
		return func(r store.Row) verdict {
			switch {
			case r.UID == 0 && spec.match != nil:
				return isUnknown
			case p.found[r.UID]:
				return isIn
			}
			return isOut
		}, nil
	}
	return func(r store.Row) verdict {
		if r.UID != 0 && p.stays[r.UID] {
			return isIn
		}
		return spec.judge(r, nil, in.since)
	}, nil
}

// sortHave sorts what is in memory, where there is no cache.
func (in *viewInput) sortHave(belongs func(store.Row) verdict) []store.UID {
	sums := slices.DeleteFunc(in.have, func(s *store.Summary) bool {
		i, ok := in.list.Find(s.UID)
		return !ok || belongs(in.list.Row(i)) != isIn
	})
	slices.SortFunc(sums, func(a, b *store.Summary) int { return store.Compare(in.spec.sort, a, b) })
	uids := make([]store.UID, len(sums))
	for i, s := range sums {
		uids[i] = s.UID
	}
	return uids
}

// gather finds the conversations.
func (in *viewInput) gather(ctx context.Context, p *projection, belongs func(store.Row) verdict) error {
	p.threads = store.NewThreads(in.list.CountKnown())
	take := func(k store.Kin) {
		i, ok := in.list.Find(k.UID)
		if !ok {
			return
		}
		r := in.list.Row(i)
		if belongs(r) == isIn {
			k.Unread = r.Flags.Known() && !r.Flags.Has(store.Seen)
			p.threads.Add(k)
		}
	}
	if in.cache != nil {
		n := 0
		err := in.cache.Kin(ctx, in.at, func(k store.Kin) bool {
			take(k)
			n++
			return n%1024 != 0 || ctx.Err() == nil
		})
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
	}
	for _, s := range in.have {
		if !p.threads.Has(s.UID) {
			take(store.KinOf(s))
		}
	}
	var heads []store.UID
	p.threads.Heads(func(newest store.UID) bool {
		heads = append(heads, newest)
		return true
	})
	slices.Sort(heads)
	p.order = store.NewOrder(in.list, heads, func(r store.Row) bool {
		return r.UID == 0 || belongs(r) != isOut && !p.threads.Has(r.UID)
	})
	for _, uid := range in.open {
		if p.threads.Has(uid) {
			p.fold(nil, uid, true)
		}
	}
	return nil
}

// viewMade takes a view that was made: it catches up and is shown.
func (m *Model) viewMade(a *account, msg viewMsg) {
	v, b := &a.view, a.view.next
	if b == nil || msg.gen != b.gen {
		return
	}
	b.cancel()
	v.next = nil
	a.views.made, a.views.took = m.now, m.now.Sub(b.began)
	if msg.err != nil {
		slog.Warn("a view cannot be made", "account", a.cfg.Name.String(), "error", msg.err)
		m.sayFailed(a, "this view cannot be made: ", msg.err)
		if b.again { // rather nothing than what is no more
			v.project(nil, false)
		}
		return
	}
	if b.failed {
		m.rebuildAs(a, b)
		return
	}
	p := msg.proj
	p.sums, p.mine = a.sums, a.attends
	if !m.catchUp(p, msg.list, b.log) || msg.list.Len() != v.list.Len() || msg.list.CountKnown() != v.list.CountKnown() {
		slog.Warn("a view and the list disagree", "account", a.cfg.Name.String())
		m.rebuildAs(a, b)
		return
	}
	p.order.Rebind(v.list)
	p.spec.found = b.spec.found
	v.project(p, b.again)
	// What is on its way to the disk is not in a view that did not wait for it.
	p.again = !b.again && p.waiting() > 0
	if q := m.search; q != nil && q.a == a && !q.moved && !b.again {
		v.selectRow(0) // the newest of what was found
	}
}

// catchUp applies what happened while the view was made.
func (m *Model) catchUp(p *projection, list *store.List, log []step) bool {
	for _, s := range log {
		switch {
		case s.sum != nil:
			p.learnt(nil, list, s.sum)
		case s.hit != 0:
			p.hit(nil, list, s.hit)
		default:
			did, err := list.Apply(s.change)
			if err != nil {
				return false
			}
			p.applied(nil, s.change, did)
		}
	}
	return true
}
