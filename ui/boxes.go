package ui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"tidings/imapsession"
)

// An account struct is the state of one mailbox on screen: its list, its
// summaries, what is being done to it. Each account of the config has one that
// lives as long as the program, that of the mailbox it watches. A folder that a
// person opens is another one, with a session of its own and the same root; there
// is at most one per account beside the root, and one of the two is on screen.

// box is the one that messages name by id; nil where it is closed by now.
func (m *Model) box(id int) *account {
	if id >= 0 && id < len(m.accounts) {
		return m.accounts[id]
	}
	for _, a := range m.accounts {
		if a.opened != nil && a.opened.id == id {
			return a.opened
		}
	}
	return nil
}

// boxes calls yield for every mailbox that is open.
func (m *Model) boxes(yield func(*account) bool) {
	for _, a := range m.accounts {
		if !yield(a) || a.opened != nil && !yield(a.opened) {
			return
		}
	}
}

// indexOf is what messages name a box by.
func (m *Model) indexOf(a *account) int { return a.id }

// onScreen is which of an account's mailboxes is shown.
func (a *account) onScreen() *account {
	if a.root.away {
		return a.root.opened
	}
	return a.root
}

// late tells that a message is for a mailbox that is closed by now.
func (m *Model) late(msg tea.Msg) bool {
	id := 0
	switch msg := msg.(type) {
	case batchMsg:
		id = msg.account
	case placeholderMsg:
		id = msg.account
	case parsedMsg:
		id = msg.account
	case pageMsg:
		id = msg.account
	case keptBodyMsg:
		id = msg.account
	case foundMsg:
		id = msg.account
	case viewMsg:
		id = msg.account
	case placedMsg:
		id = msg.account
	case nearMsg:
		id = msg.account
	case recordedMsg:
		id = msg.account
	case turnMsg:
		id = msg.account
	case keepMsg:
		id = msg.account
	case unseenMsg:
		id = msg.account
	case signedInMsg:
		id = msg.account
	case seenMsg:
		id = msg.account
	default:
		return false
	}
	return m.box(id) == nil
}

// Opened is a folder that was opened beside the mailbox that its account watches.
type Opened struct {
	Session Session
	Cache   Cache // nil where there is none
	// Close ends the session and returns at once. Nothing of it is used
	// afterwards.
	Close func()
}

// openFolder shows a folder of the account in the place of the mailbox that it
// watches, which stays live. Another folder that was open is closed.
func (m *Model) openFolder(a *account, f imapsession.Folder) {
	root := a.root
	switch {
	case f.NoSelect:
		m.say(a, said(sWarn, f.Name), own(sWarn, " holds folders only, no messages"))
		return
	case root.holds(f.Raw):
		m.toBox(root)
		return
	case root.opened != nil && root.opened.wants == f.Raw:
		m.toBox(root.opened)
		return
	case root.cfg.Open == nil:
		m.say(a, own(sWarn, "no other folder can be opened here"))
		return
	}
	left := m.closeFolder(root)
	o := root.cfg.Open(f.Raw)
	cfg := root.cfg
	cfg.Session, cfg.Cache, cfg.Marks = o.Session, o.Cache, nil
	b := newAccount(cfg, root.emoji)
	m.lastBox = max(m.lastBox, len(m.accounts)) + 1
	b.id, b.root, b.folders, b.history = m.lastBox, root, root.folders, root.history
	b.wants, b.mailbox, b.box, b.shut = f.Raw, f.Raw, f.Name, o.Close
	ctx, stop := context.WithCancel(m.ctx)
	b.stop = stop
	root.opened = b
	if m.pumped != nil {
		m.pumped(ctx, b.id, o.Session.Events())
	}
	m.toBox(b)
	if left != nil {
		m.say(b, left...)
	}
}

// holds tells whether a is the state of that mailbox.
func (a *account) holds(raw string) bool {
	return raw == a.mailbox || isInbox(raw) && (isInbox(a.mailbox) || a.mailbox == "" && a.root == a)
}

// toBox shows a mailbox of the account on screen.
func (m *Model) toBox(b *account) {
	root := b.root
	root.away = b != root
	if f := root.opened; f != nil && !root.away {
		if f.visitsHome() {
			m.closeFolder(root) // it has the connection that this one needs
		} else {
			m.later(m.after(keepOpen, unseenMsg{f.id}))
		}
	}
	b.came = m.now
	m.reading = b.reader != nil && m.layout().split == alone
}

// keepOpen is how long a folder stays open that is not on screen any more: it
// takes the second connection, which is good for other things as well.
const keepOpen = 5 * time.Minute

// unseenMsg ends that time.
type unseenMsg struct{ account int }

// unseenFor closes a folder that has not been on screen for so long.
func (m *Model) unseenFor(b *account) {
	if root := b.root; b == root.opened && !root.away && m.now.Sub(root.came) >= keepOpen {
		m.closeFolder(root)
	}
}

// closeFolder ends what was opened beside the account's own mailbox. It returns
// what there is to say of what was under way there, and has said so in that.
func (m *Model) closeFolder(root *account) []span {
	b := root.opened
	if b == nil {
		return nil
	}
	if m.prompt != nil && m.prompt.a == b {
		m.prompt = nil // nothing can be done there any more
	}
	if m.menu != nil && m.menu.a == b {
		m.menu = nil
	}
	if m.search != nil && m.search.a == b {
		m.search = nil
	}
	b.keepSelected()
	m.dropFinding(b)
	if b.view.next != nil {
		b.view.next.cancel()
	}
	root.tree.closedBox(b)
	b.stop()
	b.shut()
	root.opened, root.away = nil, false
	m.unasked(root, b)
	return m.unanswered(b)
}

// refusedFolder: a folder that was being opened cannot be, or is not there any
// more. The person is back where they were, and told why.
func (m *Model) refusedFolder(b *account, ev imapsession.StateEvent) {
	root := b.root
	shown, was := root.away, b.epoch != 0
	m.closeFolder(root)
	if shown {
		m.toBox(root)
	}
	if was {
		m.say(root, said(sBold, b.box), own(sBad, " is gone: "), said(sPlain, ev.Reason))
		m.askFolders(root)
		return
	}
	m.say(root, said(sBold, b.box), own(sBad, " was not opened: "), said(sPlain, ev.Reason))
}

// visitsHome tells whether the folder on screen has the account's one connection,
// so that the mailbox which the account watches is only looked at now and then.
func (a *account) visitsHome() bool {
	return a.root != a && a.root.state.Watch == imapsession.WatchVisit && a.state.Watch != imapsession.WatchVisit
}
