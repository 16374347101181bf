package ui

import (
	tea "charm.land/bubbletea/v2"

	"tidings/imapsession"
	"tidings/internal/safetext"
	"tidings/store"
)

// key handles one key press.
func (m *Model) key(k tea.KeyPressMsg) {
	m.wake()
	name := k.String()
	in := m.here()
	act := lookup(name, in)
	if in == inPrompt && act == actNone {
		m.promptKey(k)
		return
	}
	switch act {
	case actQuit:
		m.quit = true
		m.end()
		return
	case actSuspend:
		m.later(tea.Suspend)
		return
	}
	a := m.account()
	if a == nil {
		return
	}
	switch act {
	case actHelp:
		m.toggleShade(helpShade)
	case actLog:
		m.toggleShade(logShade)
	case actRetry:
		m.say(a, own(sDim, "trying the connection again"))
		a.cfg.Session.Retry(true)
	case actAccount:
		m.switchTo(int(name[0] - '1'))
	case actNextAccount:
		m.switchTo((m.current + 1) % len(m.accounts))
	case actDown, actUp, actHalfDown, actHalfUp, actPageDown, actPageUp, actTop, actBottom:
		m.motion(a, act)
	case actBack:
		m.back(a)
	case actQuitHint:
		m.say(a, own(sBold, "Q"), own(sDim, " quits"))
	case actOpen:
		m.open(a)
	case actPane:
		if a.reader != nil && m.layout().split != alone {
			m.reading = !m.reading
		}
	case actNextUnread:
		m.toUnread(a, 1)
	case actPrevUnread:
		m.toUnread(a, -1)
	case actDelete:
		m.moveByRole(a, "trash")
	case actArchive:
		m.moveByRole(a, "archive")
	case actMove:
		m.askMove(a)
	case actFlag:
		m.toggle(a, store.Flagged, `\Flagged`, "flagged", "flag taken away")
	case actSeen:
		m.toggle(a, store.Seen, `\Seen`, "marked read", "marked unread")
	}
}

func (m *Model) toggleShade(k shadeKind) {
	if m.over.kind == k {
		m.over = shade{}
		return
	}
	m.over = shade{kind: k, follow: k == logShade}
}

func (m *Model) switchTo(i int) {
	if i < 0 || i >= len(m.accounts) || i == m.current {
		return
	}
	m.current = i
	m.reading = m.accounts[i].reader != nil && m.layout().split == alone
}

// motion moves in whatever has the keys.
func (m *Model) motion(a *account, act action) {
	page := a.view.h
	move := a.view.move
	switch {
	case m.over.kind != noShade:
		page = m.layout().body.h
		move = func(n int) { m.over.scroll(n, page) }
	case m.reading && a.reader != nil:
		page = m.layout().reader.h
		move = a.reader.scroll
	}
	step := max(page-1, 1)
	switch act {
	case actDown:
		move(1)
	case actUp:
		move(-1)
	case actHalfDown:
		move(max(step/2, 1))
	case actHalfUp:
		move(-max(step/2, 1))
	case actPageDown:
		move(step)
	case actPageUp:
		move(-step)
	case actTop:
		move(-atEnd / 2)
	case actBottom:
		move(atEnd / 2)
	}
}

func addClamped(a, b int) int {
	if b > 0 && a > atEnd-b {
		return atEnd
	}
	return max(a+b, 0)
}

// back unwinds one layer: shade, then reader.
func (m *Model) back(a *account) {
	switch {
	case m.over.kind != noShade:
		m.over = shade{}
	case a.reader != nil:
		m.closeReader(a)
	}
}

// scanLimit bounds how many rows one key press looks at for an unread one.
const scanLimit = 8192

// toUnread moves to the next unread message in the direction of step, and
// opens it where a message is being read.
func (m *Model) toUnread(a *account, step int) {
	v := &a.view
	r := v.cursor()
	if r < 0 {
		return
	}
	for n := 0; n < scanLimit; n++ {
		r += step
		if r < 0 || r >= v.rows() {
			m.say(a, own(sDim, "no unread message that way"))
			return
		}
		i, tomb := v.at(r)
		if tomb {
			continue
		}
		row := v.list.Row(i)
		f, _ := a.over.Flags(row.UID, row.Flags)
		if f.Known() && !f.Has(store.Seen) {
			v.selectRow(r)
			if m.reading {
				m.open(a)
			}
			return
		}
	}
	v.selectRow(r)
	m.say(a, own(sDim, "no unread message among "+ink(thousands(scanLimit))+": again goes on from here"))
}

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
	case a.view.tomb:
		m.say(a, own(sWarn, "that message was expunged by another client: nothing was done"))
		return 0, false
	case a.view.sel < 0:
		m.say(a, own(sDim, "there is no message here"))
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
		a.view.move(1)
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

// click selects the row under the mouse; a second click on it opens it.
func (m *Model) click(e tea.Mouse) {
	m.wake()
	a := m.account()
	if a == nil || m.prompt != nil || m.over.kind != noShade || e.Button != tea.MouseLeft {
		return
	}
	l := m.layout()
	switch {
	case inside(l.list, e):
		m.reading = false
		r := a.view.top + e.Y - l.list.y
		if r >= a.view.rows() {
			return
		}
		if r == a.view.cursor() {
			m.open(a)
			return
		}
		a.view.selectRow(r)
	case a.reader != nil && inside(l.reader, e):
		m.reading = true
	}
}

// wheel scrolls what is under the mouse.
func (m *Model) wheel(e tea.Mouse) {
	a := m.account()
	if a == nil {
		return
	}
	n := 3
	if e.Button == tea.MouseWheelUp {
		n = -3
	} else if e.Button != tea.MouseWheelDown {
		return
	}
	l := m.layout()
	switch {
	case m.over.kind != noShade:
		m.over.scroll(n, l.body.h)
	case a.reader != nil && inside(l.reader, e):
		a.reader.scroll(n)
	case inside(l.list, e):
		a.view.scroll(n)
	}
}

func inside(a area, e tea.Mouse) bool {
	return e.X >= a.x && e.X < a.x+a.w && e.Y >= a.y && e.Y < a.y+a.h
}
