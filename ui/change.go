package ui

import (
	"slices"

	"tidings/imapsession"
	"tidings/internal/safetext"
	"tidings/store"
)

// aim finds the message that an action is meant for: the one being read, or
// the one selected. It says why not, where there is none to be had.
func (m *Model) aim(a *account) (store.UID, bool) {
	if m.reading && a.reader != nil {
		if a.reader.gone {
			m.say(a, own(sWarn, "that message is gone from the server: nothing was done"))
			return 0, false
		}
		return a.reader.uid, true
	}
	switch {
	case a.view.tomb && a.view.doubt:
		m.say(a, own(sWarn, "that message has not been found again yet: nothing was done"))
		return 0, false
	case a.view.tomb:
		m.say(a, own(sWarn, "that message was expunged by another client: nothing was done"))
		return 0, false
	case a.view.sel < 0:
		m.say(a, own(sDim, "there is no message here"))
		return 0, false
	case a.view.lost:
		m.say(a, own(sWarn, "that message has not been found again yet: nothing was done"))
		return 0, false
	case a.view.uid == 0:
		m.say(a, own(sWarn, "that row is not known yet: nothing was done"))
		return 0, false
	}
	return a.view.uid, true
}

// aimAll finds the messages that an action is meant for: the one being read, the
// marked ones, or the one selected. UIDs ascend.
func (m *Model) aimAll(a *account) ([]store.UID, bool) {
	if m.reading && a.reader != nil || !a.marked.any() {
		uid, ok := m.aim(a)
		return []store.UID{uid}, ok
	}
	uids := slices.DeleteFunc(a.marked.all(), func(uid store.UID) bool {
		_, ok := a.view.list.Find(uid)
		return !ok
	})
	if len(uids) == 0 {
		m.say(a, own(sWarn, "none of the marked messages has been found again yet: nothing was done"))
		return nil, false
	}
	return uids, true
}

// mayChange is aimAll for actions that change something. Messages that are on
// their way elsewhere are left out.
func (m *Model) mayChange(a *account) ([]store.UID, bool) {
	if a.readOnly() {
		m.say(a, own(sWarn, "this mailbox is open read-only: nothing was done"))
		return nil, false
	}
	all, ok := m.aimAll(a)
	if !ok {
		return nil, false
	}
	uids := a.staying(all)
	switch n := len(all) - len(uids); {
	case len(uids) > 0:
		return uids, true
	case n == 1:
		m.say(a, own(sWarn, "that message is on its way to another folder already"))
	default:
		m.say(a, own(sWarn, "those messages are on their way to another folder already"))
	}
	return nil, false
}

// staying are those of uids that are not on their way elsewhere.
func (a *account) staying(uids []store.UID) []store.UID {
	if a.over.Len() == 0 {
		return uids
	}
	return slices.DeleteFunc(slices.Clone(uids), func(uid store.UID) bool {
		_, leaving := a.over.Leaving(uid)
		return leaving
	})
}

// flagsOf are the flags to go by for uid: the server's with what is under way.
func (a *account) flagsOf(uid store.UID) store.Flags {
	i, ok := a.view.list.Find(uid)
	if !ok {
		return 0
	}
	f, _ := a.over.Flags(uid, a.view.list.Row(i).Flags)
	return f
}

// toggle sets a flag on the messages that lack it, or takes it away where all of
// them have it.
func (m *Model) toggle(a *account, name string, on, off ink) {
	uids, ok := m.mayChange(a)
	if !ok {
		return
	}
	lack, have := a.splitBy(uids, name)
	unknown := len(uids) - len(lack) - len(have)
	if unknown > 0 {
		m.say(a, own(sWarn, "the flags of "+plural(len(uids), "that message", counted(unknown))+" are not known yet: nothing was done to "+plural(unknown, "it", "them")))
	}
	switch {
	case len(lack) > 0:
		m.setFlags(a, lack, []string{name}, nil, on)
	case len(have) > 0:
		m.setFlags(a, have, nil, []string{name}, off)
	}
}

// splitBy parts messages into those that lack a flag and those that have it;
// messages whose flags are not known are in neither.
func (a *account) splitBy(uids []store.UID, name string) (lack, have []store.UID) {
	set := store.MakeFlags([]string{name})
	keyword := len(set.Keywords()) > 0
	for _, uid := range uids {
		f := a.flagsOf(uid)
		switch {
		case !f.Known():
		case keyword && f.HasKeyword(name), !keyword && f.Has(set):
			have = append(have, uid)
		default:
			lack = append(lack, uid)
		}
	}
	return lack, have
}

// setFlags changes flags of messages that are known not to have them so.
func (m *Model) setFlags(a *account, uids []store.UID, add, remove []string, what ink) *deed {
	d := a.newDeed(what, uids)
	d.parts = []*part{{at: a.place(), uids: uids, add: add, remove: remove}}
	m.do(a, d)
	return d
}

// moveTo draws the move of messages and sends it; first are changes of flags that
// belong to it.
func (m *Model) moveTo(a *account, uids []store.UID, f imapsession.Folder, what ink, first ...*part) {
	if f.Raw == a.mailbox {
		m.say(a, own(sWarn, plural(len(uids), "that message is in ", "those messages are in ")), said(sWarn, f.Name), own(sWarn, " already"))
		return
	}
	if uids = a.staying(uids); len(uids) == 0 {
		return
	}
	d := a.newDeed(what, uids)
	d.dest = f.Name
	d.parts = append(first, &part{at: a.place(), uids: uids, dest: f.Raw})
	m.do(a, d)
	a.marked.settle()
	m.stepOn(a, uids)
}

// stepOn moves the selection off messages that leave, and closes the reader on
// one of them.
func (m *Model) stepOn(a *account, uids []store.UID) {
	leaves := func(uid store.UID) bool {
		_, ok := slices.BinarySearch(uids, uid)
		return ok
	}
	if a.reader != nil && leaves(a.reader.uid) {
		m.closeReader(a)
	}
	v := &a.view
	c := v.cursor()
	if v.tomb || c < 0 || !leaves(v.uid) {
		return
	}
	staying := func(r int) bool {
		i, tomb := v.at(r)
		return !tomb && !leaves(v.uidAt(i))
	}
	for _, step := range []int{1, -1} {
		for n, r := 0, c+step; n < scanLimit && r >= 0 && r < v.rows(); n, r = n+1, r+step {
			if staying(r) {
				v.selectRow(r)
				return
			}
		}
	}
}

// askMove opens the prompt for a folder to move messages to.
func (m *Model) askMove(a *account) {
	uids, ok := m.mayChange(a)
	if !ok {
		return
	}
	m.askFolder(a, "Move", uids, func(m *Model, f imapsession.Folder) { m.moveTo(a, uids, f, "moved to") })
}

// askCopy opens the prompt for a folder to copy messages to.
func (m *Model) askCopy(a *account) {
	uids, ok := m.mayChange(a)
	if !ok {
		return
	}
	m.askFolder(a, "Copy", uids, func(m *Model, f imapsession.Folder) { m.copyTo(a, uids, f) })
}

// askFolder opens the prompt for a folder, for something that is to be done to
// messages; it is done to them whatever happens meanwhile.
func (m *Model) askFolder(a *account, label ink, uids []store.UID, choose func(*Model, imapsession.Folder)) {
	validity := a.validity
	what := safetext.Clean(string(counted(len(uids))))
	if len(uids) == 1 {
		what = a.subject(uids[0])
	}
	m.prompt = newPrompt(label, what, a, func(m *Model, f imapsession.Folder) {
		if a.validity != validity {
			m.say(a, own(sWarn, "the mailbox changed meanwhile: nothing was done"))
			return
		}
		choose(m, f)
	})
	m.withFolders(a, func(*Model) {})
}

// copyTo copies messages.
func (m *Model) copyTo(a *account, uids []store.UID, f imapsession.Folder) {
	t := a.target(uids...)
	d := a.newDeed("copied to", uids)
	d.dest = f.Name
	id := a.cfg.Session.Do(imapsession.Copy{Target: t, Dest: f.Raw})
	a.over.Put(uint64(id), uids, store.Effect{})
	a.history.did(d, "a copy stays; delete it there")
	a.jobs[id] = job{kind: jobDone, deed: d, subject: d.subject, n: len(uids), home: a.boxOf(f.Raw)}
}
