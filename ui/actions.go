package ui

import (
	tea "charm.land/bubbletea/v2"

	"tidings/store"
)

// key handles one key press.
func (m *Model) key(k tea.KeyPressMsg) {
	m.wake()
	name := k.String()
	in := m.here()
	act := lookup(name, in)
	if name == "Q" && in == inPrompt && m.menu != nil {
		act = actQuit // nothing is typed there
	}
	if in == inPrompt && act == actNone {
		switch {
		case m.command != nil:
			m.commandKey(k)
		case m.menu != nil:
			m.menuKey(k)
		case m.search != nil:
			m.searchKey(k)
		default:
			m.promptKey(k)
		}
		return
	}
	if act == actAccount {
		i := int(name[0] - '1')
		if a := m.account(); a != nil && i >= len(m.accounts) {
			m.say(a, own(sDim, "there is no account "), own(sDim, ink(name)))
			return
		}
		m.switchTo(i)
		return
	}
	m.act(m.account(), act)
}

// act does what a key, or a command, asks for; a is the account on screen.
func (m *Model) act(a *account, act action) {
	switch act {
	case actQuit:
		m.quit = true
		m.end()
		return
	case actSuspend:
		m.later(tea.Suspend)
		return
	}
	if a == nil || m.here() == inFolders && m.folderAct(a, act) {
		return
	}
	if m.insideKeeps(a, act) {
		return
	}
	switch act {
	case actHelp:
		m.toggleShade(helpShade)
	case actLog:
		m.toggleShade(logShade)
	case actOutbox:
		m.toggleShade(outboxShade)
	case actAgain:
		m.sendAgain(a)
	case actDiscard:
		m.discard()
	case actRetry:
		m.say(a, own(sDim, "trying the connection again"))
		a.cfg.Session.Retry(true)
	case actSignIn:
		m.signIn(a)
	case actCommand:
		m.openCommand()
	case actFolders:
		m.toggleFolders(a)
	case actInbox:
		m.pane = false
		m.toBox(a.root)
	case actNextAccount:
		m.switchTo((m.current + 1) % len(m.accounts))
	case actDown, actUp, actHalfDown, actHalfUp, actPageDown, actPageUp, actTop, actBottom:
		m.motion(a, act)
	case actBack:
		m.back(a)
	case actSearch:
		m.openSearch(a)
	case actFilter:
		m.menu = filterMenu(a)
	case actSort:
		m.menu = sortMenu(a)
	case actThreads:
		m.toggleThreads(a)
	case actFold:
		m.toggleFold(a)
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
		m.remove(a)
	case actArchive:
		m.archive(a)
	case actMove:
		m.askMove(a)
	case actCopy:
		m.askCopy(a)
	case actJunk:
		m.junk(a)
	case actFlag:
		m.toggle(a, `\Flagged`, "flagged", "flag taken away")
	case actSeen:
		m.toggle(a, `\Seen`, "marked read", "marked unread")
	case actKeyword:
		m.keywordMenu(a, false)
	case actUnlabel:
		m.keywordMenu(a, true)
	case actMark:
		m.toggleMark(a)
	case actRange:
		m.toggleRange(a)
	case actMarkShown:
		m.markShown(a)
	case actMarkConversation:
		m.markConversation(a)
	case actAttachments:
		m.attachments(a)
	case actLinks:
		m.links(a, false)
	case actCopyText:
		m.copyMenu(a)
	case actPipe:
		m.pipeMenu(a)
	case actExport:
		m.exportMenu(a)
	case actSource:
		m.sourceMenu(a)
	case actUndo:
		m.undo(a)
	case actRedo:
		m.redo(a)
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
	m.reading = m.accounts[i].onScreen().reader != nil && m.layout().split == alone
}

// motion moves in whatever has the keys.
func (m *Model) motion(a *account, act action) {
	page := a.view.h
	move := a.view.move
	switch {
	case m.over.kind == outboxShade:
		page = m.layout().body.h / 2
		move = m.pickWaiting
	case m.over.kind != noShade:
		page = m.layout().body.h
		move = func(n int) { m.over.scroll(n, page) }
	case m.pane:
		page = a.root.tree.h
		move = a.root.tree.move
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

// back unwinds one layer: shade, then reader, then view.
func (m *Model) back(a *account) {
	switch {
	case a.stopLong():
		m.say(a, own(sDim, "stopping"))
	case m.over.kind != noShade:
		m.over = shade{}
	case m.stopTask():
	case m.stopRest(a):
	case m.stopGather(a):
	case m.reading && m.outOfIt(a):
	case a.reader != nil:
		m.closeReader(a)
	case m.unmark(a):
	case m.stopAsking(a):
	case a.viewed().show == showFound:
		m.leaveSearch(a)
	case m.leaveView(a):
	default:
		m.stopFilling(a)
	}
}

// scanLimit bounds how many rows one key press looks at for an unread one.
const scanLimit = 8192

// toUnread moves to the next unread message in the direction of step, and
// opens it where a message is being read.
func (m *Model) toUnread(a *account, step int) {
	if a.viewed().show == showFound {
		m.toMatch(a, step)
		return
	}
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
		row := v.row(i)
		f, _ := a.over.Flags(row.UID, row.Flags)
		if f.Known() && !f.Has(store.Seen) || v.unreadInside(row.UID) {
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
