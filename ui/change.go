package ui

import (
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

// mayChange is aim for actions that change something.
func (m *Model) mayChange(a *account) (store.UID, bool) {
	if a.readOnly() {
		m.say(a, own(sWarn, "this mailbox is open read-only: nothing was done"))
		return 0, false
	}
	uid, ok := m.aim(a)
	if !ok {
		return 0, false
	}
	if _, leaving := a.over.Leaving(uid); leaving {
		m.say(a, own(sWarn, "that message is on its way to another folder already"))
		return 0, false
	}
	return uid, true
}

// storeFlags draws an effect on one message's flags and sends it.
func (m *Model) storeFlags(a *account, uid store.UID, add, remove []string, j job) {
	id := a.cfg.Session.Do(imapsession.StoreFlags{Target: a.target(uid), Add: add, Remove: remove})
	a.over.Put(uint64(id), []store.UID{uid}, store.Effect{Add: add, Remove: remove})
	j.uid, j.subject = uid, a.subject(uid)
	a.jobs[id] = j
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

// toggle sets a flag, or takes it away.
func (m *Model) toggle(a *account, bit store.Flags, name string, on, off ink) {
	uid, ok := m.mayChange(a)
	if !ok {
		return
	}
	f := a.flagsOf(uid)
	if !f.Known() {
		m.say(a, own(sWarn, "the flags of that message are not known yet: nothing was done"))
		return
	}
	if f.Has(bit) {
		m.storeFlags(a, uid, nil, []string{name}, job{kind: jobFlags, what: off})
		return
	}
	m.storeFlags(a, uid, []string{name}, nil, job{kind: jobFlags, what: on})
}

// moveByRole moves the message to the folder of a role: Trash or the archive.
// The message is the one aimed at when the key was pressed, however long the
// list of folders takes.
func (m *Model) moveByRole(a *account, role string) {
	uid, ok := m.mayChange(a)
	if !ok {
		return
	}
	validity := a.validity
	if !a.folders.known {
		m.say(a, own(sDim, "asking the server for its folders"))
	}
	m.withFolders(a, func(m *Model) {
		f, ok := a.folderFor(role)
		named := a.folderNamed(role)
		switch {
		case a.validity != validity:
			m.say(a, own(sWarn, "the mailbox changed meanwhile: nothing was done"))
		case !ok && named != "":
			m.say(a, own(sWarn, "the server has no folder "), said(sBold, safetext.Clean(named)), own(sWarn, ", which the config names: nothing was done"))
		case !ok:
			m.say(a, own(sWarn, "the server has no "+ink(role)+" folder: m moves to one you choose"))
		default:
			m.moveTo(a, uid, f)
		}
	})
}

// moveTo draws the move of one message and sends it.
func (m *Model) moveTo(a *account, uid store.UID, f imapsession.Folder) {
	if f.Raw == a.mailbox {
		m.say(a, own(sWarn, "that message is in "), said(sWarn, f.Name), own(sWarn, " already"))
		return
	}
	if _, leaving := a.over.Leaving(uid); leaving {
		return
	}
	id := a.cfg.Session.Do(imapsession.Move{Target: a.target(uid), Dest: f.Raw})
	a.over.Put(uint64(id), []store.UID{uid}, store.Effect{Dest: f.Raw})
	a.jobs[id] = job{kind: jobMove, what: "moved to", uid: uid, subject: a.subject(uid), dest: f.Name}
	if a.reader != nil && a.reader.uid == uid {
		m.closeReader(a)
	}
	if a.view.uid == uid && !a.view.tomb { // on to the next one
		if a.view.cursor() == a.view.rows()-1 {
			a.view.move(-1)
		} else {
			a.view.move(1)
		}
	}
}

// askMove opens the prompt for a folder.
func (m *Model) askMove(a *account) {
	uid, ok := m.mayChange(a)
	if !ok {
		return
	}
	validity := a.validity
	m.prompt = newPrompt("Move", a.subject(uid), a, func(m *Model, f imapsession.Folder) {
		if a.validity != validity {
			m.say(a, own(sWarn, "the mailbox changed meanwhile: nothing was done"))
			return
		}
		m.moveTo(a, uid, f)
	})
	m.withFolders(a, func(*Model) {})
}
