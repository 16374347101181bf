package ui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"tidings/imapsession"
)

// progressed takes how far the filling of the cache has come.
func (a *account) progressed(ev imapsession.ProgressEvent) {
	if ev.ID != 0 {
		if ev.ID == a.finding.server {
			a.finding.progress = percent(ev)
		}
		if j, ok := a.jobs[ev.ID]; ok {
			j.done = int(ev.Done)
			a.jobs[ev.ID] = j
		}
		return
	}
	if ev.Total > 0 && ev.Done >= ev.Total {
		ev.Ended = true
	}
	a.progress = ev
	a.view.backfilled()
	a.finding.backfilled()
}

// stopFilling stops the filling of the cache, if that is under way: the last of
// all that Esc ends.
func (m *Model) stopFilling(a *account) {
	p := a.progress
	if p.Ended {
		return
	}
	a.cfg.Session.Cancel(0)
	m.say(a, own(sWarn, "no more headers are fetched: "+ink(thousands(int(p.Done)))+" of "+ink(thousands(int(p.Total)))+" are there "), own(sDim, m.theme.marks.bullet+" "), own(sBold, "r"), own(sDim, " goes on, and so does the next start"))
}

// underWay is in how many degrees of detail there is something to tell of.
func (m *Model) underWay(a *account) int {
	if a.progress.Ended {
		return 0
	}
	return 3
}

// progress says how far the filling of the cache has come: nothing (0), in per
// cent (1), the number (2), and the rate and what is left as well (3).
func (m *Model) progress(a *account, detail int) []span {
	p := a.progress
	if p.Ended || detail == 0 {
		return nil
	}
	out := []span{own(sBar, "  ")}
	done := ink(thousands(int(p.Done)))
	switch {
	case p.Total <= 0:
		out = append(out, own(sBarDim, "headers "), own(sBar, done))
	case detail == 1:
		return append(out, own(sBarDim, ink(thousands(percent(p)))+"%"))
	default:
		out = append(out, own(sBarDim, "headers "), own(sBar, done), own(sBarDim, " of "+ink(thousands(int(p.Total)))))
	}
	if detail < 3 {
		return out
	}
	if p.Rate >= 1 {
		out = append(out, own(sBarDim, ", "+ink(thousands(int(p.Rate)))+"/s"))
	}
	if p.Left > 0 {
		out = append(out, own(sBarDim, ", "+countdown(p.Left.Round(time.Second))+" left"))
	}
	return out
}

func percent(p imapsession.ProgressEvent) int {
	return int(min(max(p.Done*100/max(p.Total, 1), 0), 100))
}

// progressBar is the state that terminals show in a tab or task bar (OSC 9;4):
// what the person asked for, or else the filling of all caches together; nil where
// nothing is under way.
func (m *Model) progressBar() *tea.ProgressBar {
	if t := m.task; t != nil && t.of > 0 {
		return tea.NewProgressBar(tea.ProgressBarDefault, t.percent())
	}
	var sum imapsession.ProgressEvent
	known, any := true, false
	for a := range m.boxes {
		if p := a.progress; !p.Ended {
			any = true
			known = known && p.Total > 0
			sum.Done += min(p.Done, max(p.Total, 0))
			sum.Total += p.Total
		}
	}
	switch {
	case !any:
		return nil
	case !known:
		return tea.NewProgressBar(tea.ProgressBarIndeterminate, 0)
	}
	return tea.NewProgressBar(tea.ProgressBarDefault, percent(sum))
}
