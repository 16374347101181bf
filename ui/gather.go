package ui

import (
	"context"
	"errors"

	"tidings/imapsession"
	"tidings/internal/message"
	"tidings/internal/safetext"
	"tidings/store"
)

// gather fetches messages one after the other, to be written into one mbox. At
// most one runs for each mailbox; they are held in memory, maxWhole octets in all.
type gather struct {
	left     []store.UID
	all      int
	mailbox  string
	validity uint32 // the messages are those of that one, or none
	letters  []Letter
	octets   int64
	lost     int // could not be fetched
	why      safetext.Text

	id   imapsession.CommandID
	uid  store.UID
	data []byte // of the one that is being fetched
	size int64
	cut  bool
}

// progress says how far it is.
func (g *gather) progress(narrow bool) ink {
	n := "fetching " + ink(thousands(g.all-len(g.left))) + " of " + ink(thousands(g.all))
	if g.size > 0 && !narrow {
		n += ", " + ink(thousands(int(min(int64(len(g.data)), g.size)*100/g.size))) + "% of it"
	}
	return n + ", Esc stops"
}

// exportMarked writes all marked messages into one mbox.
func (m *Model) exportMarked(a *account) {
	uids, ok := m.aimAll(a)
	switch {
	case !ok:
	case m.opts.Ways == nil:
		m.say(a, own(sWarn, "there are no files and programs here"))
	case a.gather != nil:
		m.say(a, own(sWarn, "still fetching messages for another file; Esc stops it"))
	default:
		a.gather = &gather{left: uids, all: len(uids), mailbox: a.mailbox, validity: a.validity}
		m.gatherNext(a)
	}
}

// gatherNext fetches the next message, or writes the file.
func (m *Model) gatherNext(a *account) {
	g := a.gather
	if len(g.left) == 0 {
		a.gather = nil
		m.writeGathered(a, g)
		return
	}
	g.uid, g.left = g.left[0], g.left[1:]
	g.data, g.size, g.cut = nil, 0, false
	target := imapsession.Target{Mailbox: g.mailbox, UIDValidity: g.validity, UIDs: []store.UID{g.uid}}
	g.id = a.cfg.Session.Do(imapsession.FetchBody{Target: target, Limit: maxWhole})
	a.jobs[g.id] = job{kind: jobGather}
}

// gathering takes what has come of a message that is gathered.
func (a *account) gathering(ev imapsession.BodyEvent) bool {
	g := a.gather
	if g == nil || g.id != ev.ID {
		return false
	}
	g.data, g.size, g.cut = ev.Data, ev.Size, ev.Truncated
	return true
}

// gathered ends the fetching of one message.
func (m *Model) gathered(a *account, ev imapsession.ResultEvent) {
	g := a.gather
	if g == nil || g.id != ev.ID {
		return
	}
	err := ev.Err
	if err == nil && g.cut {
		err = errors.New("a message is larger than " + octets(maxWhole))
	}
	if g.octets += int64(len(g.data)); g.octets > maxWhole {
		a.gather = nil
		m.say(a, own(sWarn, "these messages have more than "+ink(octets(maxWhole))+" together: nothing was written; mark fewer"))
		return
	}
	if err != nil {
		g.lost++
		g.why = safetext.Clean(err.Error())
	} else {
		l := Letter{Data: g.data}
		if s := a.sums.Get(g.uid); s != nil {
			l.Date = s.Internal
		}
		g.letters = append(g.letters, l)
	}
	m.gatherNext(a)
}

// writeGathered writes the file.
func (m *Model) writeGathered(a *account, g *gather) {
	if g.lost > 0 {
		m.say(a, own(sWarn, ink(thousands(g.lost))+plural(g.lost, " message", " messages")+" could not be fetched: "), said(sPlain, g.why))
	}
	if len(g.letters) == 0 {
		return
	}
	ways, letters := m.opts.Ways, g.letters
	name := thousands(len(letters)) + string(plural(len(letters), " message", " messages")) + ".mbox"
	m.start(a, "saving", safetext.Clean(name), func(ctx context.Context) func(*Model, *account) {
		for i := range letters {
			h := message.ParseHeader(letters[i].Data)
			if len(h.From) > 0 {
				letters[i].Sender = h.From[0].Address
			}
			if letters[i].Date.IsZero() {
				letters[i].Date = h.Date
			}
		}
		path, err := ways.SaveMbox(ctx, "", name, letters)
		return func(m *Model, a *account) {
			var s saved
			s.add(path, safetext.Clean(name), safetext.Text{}, err)
			m.sayFiles(a, s)
		}
	})
}

// stopGather ends the fetching; nothing is written.
func (m *Model) stopGather(a *account) bool {
	g := a.gather
	if g == nil {
		return false
	}
	a.gather = nil
	delete(a.jobs, g.id)
	a.cfg.Session.Cancel(g.id)
	m.say(a, own(sWarn, "stopped after "+ink(thousands(len(g.letters)))+" of "+ink(thousands(g.all))+" messages: nothing was written"))
	return true
}
