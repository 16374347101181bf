package ui

import (
	"tidings/imapsession"
	"tidings/internal/safetext"
	"tidings/store"
)

// What d, a and J do depends on which folder is the trash, the archive and the
// one for junk. The server says so (RFC 6154), their names do, or the config.

// folderFor finds the folder for a role.
func (a *account) folderFor(role string) (imapsession.Folder, bool) {
	return imapsession.FolderFor(a.folders.list, role, a.folderNamed(role))
}

// folderNamed is the folder that the config, or the person, names for a role, ""
// if none.
func (a *account) folderNamed(role string) string {
	if name := a.folders.named[role]; name != "" {
		return name
	}
	switch role {
	case "archive":
		return a.cfg.Archive
	case "trash":
		return a.cfg.Trash
	case "junk":
		return a.cfg.Junk
	}
	return ""
}

// withRole calls do with the folder of a role as soon as it is known; the
// messages are those aimed at when the key was pressed, however long the list of
// folders takes. Where there is no such folder, it says so.
func (m *Model) withRole(a *account, role string, do func(m *Model, f imapsession.Folder)) {
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
			m.lackingRole(a, role, do)
		default:
			do(m, f)
		}
	})
}

// lackingRole offers to make a folder for a role, or to name one.
func (m *Model) lackingRole(a *account, role string, do func(m *Model, f imapsession.Folder)) {
	name := map[string]string{"trash": "Trash", "archive": "Archive", "junk": "Junk"}[role]
	validity := a.validity
	q := &menu{label: "The server has no " + ink(role) + " folder: nothing was done yet", a: a}
	q.add(choice{key: "c", word: "create one, " + ink(name), do: func(m *Model) {
		m.createFolder(a, name, func(m *Model, f imapsession.Folder) {
			if a.validity == validity {
				do(m, f)
			}
		})
	}})
	q.add(choice{key: "n", word: "name the folder that is to be it, until Tidings ends", do: func(m *Model) {
		m.prompt = newPrompt("Use as "+ink(role), safetext.Text{}, a, func(m *Model, f imapsession.Folder) {
			if a.folders.named == nil {
				a.folders.named = map[string]string{}
			}
			a.folders.named[role] = f.Raw
			m.say(a, own(sDim, "the "+ink(role)+" folder is "), said(sBold, f.Name), own(sDim, " now; in the config that is "+ink(role)+" = \"...\""))
			if a.validity == validity {
				do(m, f)
			}
		})
		m.withFolders(a, func(*Model) {})
	}})
	m.menu = q
}

// createFolder makes a folder and calls then with it.
func (m *Model) createFolder(a *account, name string, then func(*Model, imapsession.Folder)) {
	if a.readOnly() {
		m.say(a, own(sWarn, "this mailbox is open read-only: nothing was done"))
		return
	}
	id := a.cfg.Session.Do(imapsession.CreateFolder{Name: name})
	a.jobs[id] = job{kind: jobMade, then: func(m *Model, err error) {
		if err != nil {
			m.sayFailed(a, "no folder was made: ", err)
			return
		}
		m.say(a, own(sDim, "made the folder "), said(sBold, safetext.Clean(name)))
		a.folders.known = false
		m.withFolders(a, func(m *Model) {
			for _, f := range a.folders.list {
				if f.Raw == name || f.Name.String() == name {
					if then != nil {
						then(m, f)
					}
					return
				}
			}
			m.say(a, own(sWarn, "the server made the folder "), said(sBold, safetext.Clean(name)), own(sWarn, ", but does not list it"))
		})
	}}
}

// archive moves messages to the archive.
func (m *Model) archive(a *account) {
	uids, ok := m.mayChange(a)
	if !ok {
		return
	}
	m.withRole(a, "archive", func(m *Model, f imapsession.Folder) {
		what := ink("moved to")
		if a.folders.gmail && f.Role == "all" {
			what = "label taken off, kept in"
		}
		m.moveTo(a, uids, f, what)
	})
}

// remove moves messages to the trash; those that are there are deleted for ever,
// if the person says so.
func (m *Model) remove(a *account) {
	uids, ok := m.mayChange(a)
	if !ok {
		return
	}
	m.withRole(a, "trash", func(m *Model, f imapsession.Folder) {
		if f.Raw == a.mailbox {
			m.askExpunge(a, uids)
			return
		}
		what := ink("moved to")
		if a.folders.gmail && f.Role == "trash" {
			what = "deleted, with all its labels: moved to"
		}
		m.moveTo(a, uids, f, what)
	})
}

// askExpunge asks before messages are deleted for ever.
func (m *Model) askExpunge(a *account, uids []store.UID) {
	at := a.place()
	q := &menu{label: "Delete " + counted(len(uids)) + " for ever? That cannot be taken back", a: a}
	if len(uids) == 1 {
		q.label, q.what = "Delete for ever? That cannot be taken back:", a.subject(uids[0])
	}
	q.add(choice{key: "n", word: "no", do: func(*Model) {}})
	q.add(choice{key: "y", word: "yes, delete for ever", do: func(m *Model) {
		if a.place() != at {
			m.say(a, own(sWarn, "the mailbox changed meanwhile: nothing was done"))
			return
		}
		d := a.newDeed("deleted for ever", uids)
		id := a.cfg.Session.Do(imapsession.Expunge{Target: a.target(uids...)})
		a.over.Put(uint64(id), uids, store.Effect{Dest: a.mailbox})
		a.history.did(d, "that cannot be taken back")
		a.jobs[id] = job{kind: jobDone, deed: d, subject: d.subject, n: len(uids)}
		m.stepOn(a, uids)
	}})
	m.menu = q
}

// junk moves messages to the folder for junk, marked as such, or from there back
// to the inbox, marked as none.
func (m *Model) junk(a *account) {
	uids, ok := m.mayChange(a)
	if !ok {
		return
	}
	m.withRole(a, "junk", func(m *Model, f imapsession.Folder) {
		if f.Raw != a.mailbox {
			m.moveTo(a, uids, f, "junk, moved to", a.flagging(uids, "$Junk", "$NotJunk")...)
			return
		}
		for _, in := range a.folders.list {
			if isInbox(in.Raw) {
				m.moveTo(a, uids, in, "not junk, moved to", a.flagging(uids, "$NotJunk", "$Junk")...)
				return
			}
		}
		m.say(a, own(sWarn, "the server lists no INBOX: nothing was done"))
	})
}

// flagging are the parts of a deed that make messages have one keyword and not
// another, where the mailbox permits it.
func (a *account) flagging(uids []store.UID, add, remove string) (parts []*part) {
	lack, _ := a.splitBy(uids, add)
	_, have := a.splitBy(uids, remove)
	if len(lack) > 0 && a.permits(add) {
		parts = append(parts, &part{at: a.place(), uids: lack, add: []string{add}})
	}
	if len(have) > 0 && a.permits(remove) {
		parts = append(parts, &part{at: a.place(), uids: have, remove: []string{remove}})
	}
	return parts
}
