package ui

import (
	"time"

	"tidings/imapsession"
)

// unconfirmed says what is true of a list from the cache: how old it is, and what
// is being done about that. It never claims life: even a link that is up has not
// confirmed these rows.
func (m *Model) unconfirmed(a *account, detail int) []span {
	marks := &m.theme.marks
	s := a.state
	out := []span{own(sBarWarn, marks.quiet+" as of "+asOf(a.asOf, m.now)+" "), own(sBarDim, marks.bullet+" ")}
	switch s.State {
	case imapsession.Connecting, imapsession.SigningIn, imapsession.Selecting, imapsession.Live:
		word := map[imapsession.State]ink{
			imapsession.Connecting: "connecting", imapsession.SigningIn: "signing in",
			imapsession.Selecting: "comparing", imapsession.Live: "comparing",
		}[s.State]
		out = append(out, own(sBarWarn, word))
		return reason(out, s.Reason, marks, detail)
	case imapsession.Waiting:
		out = append(out, own(sBarBad, "offline"))
		if !s.Retry.IsZero() && detail >= 1 {
			out = append(out, own(sBarWarn, " "+marks.bullet+" retry in "+countdown(s.Retry.Sub(m.now))))
		}
		return reason(out, s.Reason, marks, detail)
	}
	switch {
	case !a.started:
		return append(out, own(sBarDim, "starting"))
	case s.Fatal:
		out = append(out, own(sBarBad, stopped(s)))
		out = reason(out, s.Reason, marks, detail)
		if detail >= 1 {
			out = append(out, own(sBarWarn, " "+marks.bullet+" "+remedy(s)))
		}
		return out
	}
	return reason(append(out, own(sBarBad, "not connected")), s.Reason, marks, detail)
}

// asOf says when a list was confirmed: how long ago where that is short, else the
// day and time, which does not go out of date while it stands there.
func asOf(t, now time.Time) ink {
	if t.Unix() <= 0 { // kept, but the server never said that this was all
		return "some time ago"
	}
	if d := now.Round(0).Sub(t.Round(0)); d < 2*time.Hour {
		return age(max(d, 0))
	}
	return moment(t, now)
}

// moment names a time in the past: 18:02 today, yesterday 18:02, Monday 18:02
// within a week, else the date.
func moment(t, now time.Time) ink {
	t = t.In(now.Location())
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	clock := ink(t.Format("15:04"))
	switch {
	case !t.Before(midnight) && t.Before(midnight.AddDate(0, 0, 1)):
		return clock
	case !t.Before(midnight.AddDate(0, 0, -1)) && t.Before(midnight):
		return "yesterday " + clock
	case !t.Before(midnight.AddDate(0, 0, -6)) && t.Before(midnight):
		return ink(t.Weekday().String()) + " " + clock
	case t.Year() == now.Year():
		return ink(t.Format("2 Jan"))
	}
	return ink(t.Format("2006-01-02"))
}
