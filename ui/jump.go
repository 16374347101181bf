package ui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"tidings/imapsession"
	"tidings/store"
	"tidings/store/query"
)

// jump is the way to a day: the cache is asked first, then, if it cannot be sure,
// the server. The newest wish counts.
type jump struct {
	gen    int
	day    time.Time
	near   store.UID // what the cache knows
	search imapsession.CommandID
	found  store.UID // the lowest UID that the server named so far
}

// nearMsg is the cache's answer.
type nearMsg struct {
	account, gen int
	uid          store.UID
	sure         bool
}

// toDay selects the first message that arrived on a day or later.
func (m *Model) toDay(a *account, day time.Time) {
	j := &a.jump
	if j.search != 0 {
		a.cfg.Session.Cancel(j.search)
	}
	*j = jump{gen: j.gen + 1, day: day}
	if a.cfg.Cache == nil {
		m.searchDay(a)
		return
	}
	index, gen, at, cache, ctx := m.indexOf(a), j.gen, a.place(), a.cfg.Cache, m.ctx
	m.later(func() tea.Msg {
		uid, sure, err := cache.Near(ctx, at, day)
		if err != nil {
			uid, sure = 0, false // then the server is asked
		}
		return nearMsg{index, gen, uid, sure}
	})
}

func (m *Model) nearFound(a *account, msg nearMsg) {
	j := &a.jump
	if msg.gen != j.gen {
		return
	}
	j.near = msg.uid
	if msg.sure {
		m.atDay(a, msg.uid)
		return
	}
	m.searchDay(a)
}

// searchDay asks the server, where it can be asked; else what is kept has to do.
func (m *Model) searchDay(a *account) {
	j := &a.jump
	if a.state.State != imapsession.Live {
		if j.near == 0 {
			m.say(a, own(sWarn, "nothing kept here is from "+dayName(j.day)+" or later, and the server cannot be asked now"))
			return
		}
		m.atDay(a, j.near)
		m.say(a, own(sWarn, "offline: this is the nearest to "+dayName(j.day)+" that is kept here"))
		return
	}
	j.search = a.cfg.Session.Do(imapsession.Search{
		Target: imapsession.Target{Mailbox: a.mailbox, UIDValidity: a.validity},
		Query:  query.Query{Root: query.Term{Field: query.Since, Date: j.day}, Text: "since:" + string(dayName(j.day))},
	})
	a.jobs[j.search] = job{kind: jobDay}
	m.say(a, own(sDim, "asking the server for "+dayName(j.day)))
}

// dayHit takes what the server found; ours tells that it was asked for here.
func (a *account) dayHit(ev imapsession.SearchEvent) (ours bool) {
	j := &a.jump
	if ev.ID == 0 || ev.ID != j.search {
		return false
	}
	if ev.Place == a.place() {
		for _, uid := range ev.UIDs {
			if j.found == 0 || uid < j.found {
				j.found = uid
			}
		}
	}
	return true
}

// dayEnded: the server has answered.
func (m *Model) dayEnded(a *account, ev imapsession.ResultEvent) {
	j := &a.jump
	if ev.ID != j.search {
		return // a later jump took its place
	}
	j.search = 0
	if ev.Err != nil {
		m.sayFailed(a, "the server could not be asked for that day: ", ev.Err)
		return
	}
	m.atDay(a, j.found)
}

// atDay ends the jump at a message; 0: there is none that late.
func (m *Model) atDay(a *account, uid store.UID) {
	day := dayName(a.jump.day)
	if uid == 0 {
		m.jump(a, 0)
		m.say(a, own(sDim, "no message is from "+day+" or later: this is the newest"))
		return
	}
	if !m.toMessage(a, uid) {
		m.say(a, own(sWarn, "the first message of "+day+" has just gone"))
		return
	}
	m.say(a, own(sDim, "from "+day+" on"))
}

func dayName(day time.Time) ink { return ink(day.Format("2006-01-02")) }
