package ui

import (
	"context"
	"slices"

	tea "charm.land/bubbletea/v2"

	"tidings/store"
)

// A message that comes into a view sorted by its summary has to be held against
// those that are there, whose summaries are on disk. So its place is looked for
// in rounds: a command reads the summaries of some messages of the view, evenly
// apart, and tells between which two the new one belongs; the next round looks
// between those. Three rounds do among two million. Of a message that comes into
// a view of conversations the summary is read.

const (
	probes   = 128 // messages that a round looks at for one place
	batch    = 16  // places looked for at once
	maxQueue = 256 // beyond this a view is made anew instead
)

// placing is a search for places that is under way.
type placing struct {
	gen     int
	targets []target
}

// target is a message whose place is looked for: above lo and below hi, 0 being
// the end. sum is nil until it is read.
type target struct {
	uid, lo, hi store.UID
	sum         *store.Summary
	probes      []store.UID
	absent      bool // its summary, or anything to hold it against, is not to be had
	among       int  // how many lay between lo and hi when they were probed
	settled     bool // and nothing is known of any of those
}

// placedMsg ends a round.
type placedMsg struct {
	account, gen int
	targets      []target
}

// findPlaces begins a search for the places of some that queue.
func (m *Model) findPlaces(a *account, p *projection) {
	s := &placing{gen: a.views.gen}
	for uid := range p.queue {
		s.targets = append(s.targets, target{uid: uid})
		if len(s.targets) == batch {
			break
		}
	}
	a.views.placing = s
	m.placeRound(a, p, s.targets)
}

// placeRound begins a round; targets whose place is known are inserted.
func (m *Model) placeRound(a *account, p *projection, targets []target) {
	v := &a.view
	var rest []target
	for _, t := range targets {
		if !p.queue[t.uid] {
			continue // it is gone, or does not belong any more
		}
		if t.absent {
			delete(p.queue, t.uid) // until its summary comes
			p.again = p.again || t.sum != nil
			continue
		}
		if p.threads != nil { // its conversation is its place
			if i, ok := v.list.Find(t.uid); !ok {
				delete(p.queue, t.uid)
			} else if t.sum != nil {
				p.admitThread(v, i, v.list.Row(i), t.sum)
			} else {
				rest = append(rest, t)
			}
			continue
		}
		lo, hi, ok := p.between(t)
		switch {
		case !ok:
			t.lo, t.hi = 0, 0
			lo, hi = 0, p.order.Len()
		case (lo == hi || t.settled && hi-lo == t.among) && t.sum != nil:
			p.insert(v, lo, t.uid)
			continue
		}
		t.probes, t.among = t.probes[:0], hi-lo
		step := max((hi-lo)/probes, 1)
		for at := lo + step/2; at < hi; at += step {
			t.probes = append(t.probes, p.order.At(at))
		}
		rest = append(rest, t)
	}
	if len(rest) == 0 {
		a.views.placing = nil
		return
	}
	have := map[store.UID]*store.Summary{}
	var lack []store.UID
	want := func(uid store.UID) {
		if _, asked := have[uid]; asked {
			return
		}
		have[uid] = a.sums.Peek(uid)
		if have[uid] == nil {
			lack = append(lack, uid)
		}
	}
	for _, t := range rest {
		want(t.uid)
		for _, uid := range t.probes {
			want(uid)
		}
	}
	index, gen, at, ctx, by := m.indexOf(a), a.views.gen, a.place(), m.ctx, p.spec.sort
	cache := a.cfg.Cache
	m.later(func() tea.Msg {
		if cache != nil && len(lack) > 0 {
			readInto(ctx, cache, at, lack, have)
		}
		for i := range rest {
			rest[i].narrow(by, have)
		}
		return placedMsg{index, gen, rest}
	})
}

// readInto adds the summaries that the cache has.
func readInto(ctx context.Context, cache Cache, at store.Place, uids []store.UID, have map[store.UID]*store.Summary) {
	found, err := cache.Summaries(ctx, at, uids)
	if err != nil {
		return // as if it had none: they wait
	}
	for _, s := range found {
		have[s.UID] = s
	}
}

// between are the positions [lo,hi] among which t belongs; ok is false where what
// they were told by is there no more.
func (p *projection) between(t target) (lo, hi int, ok bool) {
	hi = p.order.Len()
	if t.lo != 0 {
		if lo, ok = p.order.Pos(t.lo); !ok {
			return 0, 0, false
		}
		lo++
	}
	if t.hi != 0 {
		if hi, ok = p.order.Pos(t.hi); !ok {
			return 0, 0, false
		}
	}
	return lo, hi, lo <= hi
}

// narrow holds t against what was probed.
func (t *target) narrow(by store.SortKey, have map[store.UID]*store.Summary) {
	if t.sum = have[t.uid]; t.sum == nil {
		t.absent = true
		return
	}
	probed := len(t.probes)
	known := slices.DeleteFunc(t.probes, func(uid store.UID) bool { return have[uid] == nil })
	t.settled = len(known) == 0
	if t.settled && t.among > probed {
		t.absent = true
		return
	}
	i, _ := slices.BinarySearchFunc(known, t.sum, func(uid store.UID, s *store.Summary) int {
		return store.Compare(by, have[uid], s)
	})
	if i > 0 {
		t.lo = known[i-1]
	}
	if i < len(known) {
		t.hi = known[i]
	}
}

// placed takes what a round found.
func (m *Model) placed(a *account, msg placedMsg) {
	p := a.view.proj
	if a.views.placing == nil || msg.gen != a.views.placing.gen {
		return
	}
	if p == nil || msg.gen != a.views.gen || p.stale {
		a.views.placing = nil
		return
	}
	m.placeRound(a, p, msg.targets)
}
