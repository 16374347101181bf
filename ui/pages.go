package ui

import (
	"log/slog"

	tea "charm.land/bubbletea/v2"

	"tidings/store"
)

// pages brings summaries from the account's cache. One request at a time is
// under way; what is asked for next is decided when it has come back, by what is
// on screen then: the newest wish wins, and none waits behind another.
type pages struct {
	busy bool
	gen  int // of the place; answers to another are dropped
	// absent are messages that the cache was asked for and has not: the session
	// is. Nobody asks the cache for what arrived after the list was read, above
	// UID top.
	absent map[store.UID]bool
	top    store.UID

	wish   []store.UID // gathered while an Update runs
	around around      // what was looked at beside the screen
}

// around names rows whose neighbours have been asked for.
type around struct {
	gen, lo, hi int
	epoch       uint32
}

// pageMsg is the cache's answer.
type pageMsg struct {
	account, gen int
	asked        []store.UID
	found        []*store.Summary
}

// maxAbsent bounds what is remembered of what the cache has not; it is asked
// again then, which costs no more than time.
const maxAbsent = 4096

func (p *pages) begin() { p.wish = p.wish[:0] }

// reset: the list is another, and its cache may have more by now; another place's
// answers mean nothing any more.
func (p *pages) reset(top store.UID, elsewhere bool) {
	if elsewhere {
		p.gen++
	}
	p.top = top
	p.absent = nil
	p.around = around{}
}

// mayBeKept tells whether the cache is to be asked for a message.
func (a *account) mayBeKept(uid store.UID) bool {
	return a.cfg.Cache != nil && uid <= a.pages.top && !a.pages.absent[uid]
}

// turnPages asks the cache for the rows [lo,hi) on screen, or, if they are
// there, for those of one screen on either side.
func (m *Model) turnPages(a *account, lo, hi int) {
	p := &a.pages
	if a.cfg.Cache == nil || p.busy {
		return
	}
	if len(p.wish) == 0 {
		at := around{p.gen, lo, hi, a.epoch}
		if at == p.around {
			return
		}
		p.around = at
		n := hi - lo
		for _, side := range [2][2]int{{lo - n, lo}, {hi, hi + n}} {
			a.view.known(side[0], side[1], func(uid store.UID) {
				if a.sums.Peek(uid) == nil && a.mayBeKept(uid) {
					p.wish = append(p.wish, uid)
				}
			})
		}
		if len(p.wish) == 0 {
			return
		}
	}
	p.busy = true
	index, gen, at := m.indexOf(a), p.gen, a.place()
	asked := append([]store.UID(nil), p.wish...)
	cache, ctx := a.cfg.Cache, m.ctx
	m.later(func() (answer tea.Msg) {
		found, err := cache.Summaries(ctx, at, asked)
		if err != nil && ctx.Err() == nil {
			slog.Warn("the cache cannot be read", "account", a.cfg.Name.String(), "error", err)
		}
		return pageMsg{index, gen, asked, found}
	})
}

// pageArrived takes what the cache has; the rest is the session's to fetch.
func (m *Model) pageArrived(a *account, msg pageMsg) {
	p := &a.pages
	p.busy = false
	if msg.gen != p.gen {
		return
	}
	a.learn(msg.found)
	if len(msg.found) == len(msg.asked) {
		return
	}
	if p.absent == nil || len(p.absent) > maxAbsent {
		p.absent = make(map[store.UID]bool)
	}
	for _, uid := range msg.asked {
		if a.sums.Peek(uid) == nil {
			p.absent[uid] = true
		}
	}
}
