package ui

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"tidings/imapsession"
)

// folderTree is what a person sees of the folders of an account, and what is
// known of how much is in them. It belongs to the account's root.
type folderTree struct {
	rows     []folderRow // as they are shown, in their order
	pick     string      // the key of the selected row
	top      int         // the row at the top of the pane
	h        int         // of the pane, without its heading
	unfolded map[string]bool
	grown    bool // it has been shown before: what is unfolded is the person's choice
	few      bool // only those that the person subscribed to

	counts   map[string]imapsession.FolderCount // by raw name
	counting imapsession.CommandID              // of what counts them; 0: nothing does
	counter  *account                           // whose session does
	lister   *account                           // whose session was asked for the folders last
	counted  time.Time                          // when all were counted last
	again    map[string]bool                    // to be counted when that is over
	refused  bool                               // some could not be counted
}

// folderRow is a row of the pane.
type folderRow struct {
	key    string
	name   string // the last part of the folder's; drawn through safetext
	depth  int
	at     int  // index in the account's list; -1: a parent that the server does not list
	kids   bool // there are folders below it
	folded bool
	below  []int // the folders below it, if they are not shown
}

const (
	// recount is how often folders are counted while they are looked at.
	recount = 3 * time.Minute
	// longestName and deepest are how long a name may be, in octets, and how many
	// parts it may have, to be taken apart.
	longestName = 1000
	deepest     = 32
	// unfoldedUpTo is up to how many folders a tree is shown unfolded at first.
	unfoldedUpTo = 25
)

// countMsg asks for the counts again.
type countMsg struct{}

// isInbox tells whether a raw name is the INBOX, whose case means nothing (RFC
// 9051 §5.1).
func isInbox(raw string) bool { return strings.EqualFold(raw, "INBOX") }

// toggleFolders shows the folders, or puts them away.
func (m *Model) toggleFolders(a *account) {
	m.pane = !m.pane
	if !m.pane {
		return
	}
	t := &a.root.tree
	t.pick = folderKey(a)
	m.askFolders(a.root)
	m.sprout(a.root)
	t.unfoldTo(t.pick)
	m.sprout(a.root)
	t.reveal()
	if !m.recounting {
		m.recounting = true
		m.later(m.after(recount, countMsg{}))
	}
}

// folderKey is the key of the row of a mailbox.
func folderKey(a *account) string {
	for _, f := range a.folders.list {
		if a.holds(f.Raw) {
			return f.Name.String()
		}
	}
	return a.box.String()
}

// askFolders has the account's folders listed and then counted. What is known of
// them stays on screen meanwhile.
func (m *Model) askFolders(root *account) {
	if root.folders.asked {
		return
	}
	root.folders.asked = true
	b := root.asker()
	root.tree.lister = b
	b.jobs[b.cfg.Session.Do(imapsession.ListFolders{})] = job{kind: jobFolders}
}

// asker is the mailbox of the account whose session is asked for the folders: the
// one on screen, which has a connection if there is one.
func (root *account) asker() *account {
	if b := root.onScreen(); b.state.State == imapsession.Live {
		return b
	}
	return root
}

// unasked: a mailbox is closed; what its session was asked for is asked of
// another.
func (m *Model) unasked(root, b *account) {
	t := &root.tree
	if t.counter == b {
		t.counting, t.counter, t.again = 0, nil, nil
	}
	if t.lister == b {
		t.lister = nil
		if root.folders.asked {
			root.folders.asked = false
			m.askFolders(root)
		}
	}
}

// listed: the account's folders are known, or known anew.
func (m *Model) listed(root *account, ev imapsession.FoldersEvent) {
	root.folders.subscriptions = ev.Subscriptions
	m.sprout(root)
	if m.pane && m.account().root == root {
		if root.tree.pick == "" {
			root.tree.pick = folderKey(root.onScreen())
		}
		root.tree.reveal()
		m.countFolders(root)
	}
}

// countFolders asks how much is in the folders: in those that are named, or else
// in all but those that are open, whose lists tell.
func (m *Model) countFolders(root *account, names ...string) {
	t := &root.tree
	if t.counting != 0 {
		if t.again == nil {
			t.again = map[string]bool{}
		}
		for _, name := range names {
			t.again[name] = true
		}
		return
	}
	all := len(names) == 0
	if all {
		for _, f := range root.folders.list {
			if !f.NoSelect && root.boxOf(f.Raw) == nil {
				names = append(names, f.Raw)
			}
		}
		t.refused = false
	}
	if len(names) == 0 {
		return
	}
	b := root.asker()
	t.counter = b
	t.counting = b.cfg.Session.Do(imapsession.CountFolders{Names: names})
	b.jobs[t.counting] = job{kind: jobCount}
}

// boxOf is the mailbox of the account that is open under a raw name; nil if that
// folder is not open.
func (a *account) boxOf(raw string) *account {
	root := a.root
	switch {
	case root.holds(raw):
		return root
	case root.opened != nil && root.opened.wants == raw:
		return root.opened
	}
	return nil
}

// countsArrived takes what some folders hold.
func (m *Model) countsArrived(root *account, ev imapsession.CountsEvent) {
	t := &root.tree
	if t.counts == nil {
		t.counts = map[string]imapsession.FolderCount{}
	}
	for _, c := range ev.Counts {
		t.counts[c.Raw] = c
	}
}

// countEnded ends a counting. What could not be counted is not known any more.
func (m *Model) countEnded(root *account, ev imapsession.ResultEvent) {
	t := &root.tree
	t.counting, t.counter = 0, nil
	if ev.Err != nil {
		m.sayFailed(root.onScreen(), "the folders could not be counted: ", ev.Err)
		t.counts, t.again = nil, nil
		return
	}
	t.refused = t.refused || !ev.Note.IsEmpty()
	if c, ok := ev.Command.(imapsession.CountFolders); ok && len(c.Names) > 1 {
		t.counted = m.now
	}
	again := slices.Collect(maps.Keys(t.again))
	t.again = nil
	if len(again) > 0 {
		m.countFolders(root, again...)
	}
}

// stirred: a command changed what is in a folder other than its own. What was
// counted there does not hold any more.
func (m *Model) stirred(a *account, ev imapsession.ResultEvent) {
	root := a.root
	var raw string
	switch c := ev.Command.(type) {
	case imapsession.Move:
		raw = c.Dest
	case imapsession.Copy:
		raw = c.Dest
	case imapsession.CreateFolder:
		if ev.Err == nil && root.folders.known {
			m.askFolders(root)
		}
		return
	default:
		return
	}
	if ev.Err != nil && root.folders.known && !errors.Is(ev.Err, imapsession.ErrGone) && !errors.Is(ev.Err, context.Canceled) {
		m.askFolders(root) // it may not be there any more
	}
	delete(root.tree.counts, raw)
	if m.pane && root.boxOf(raw) == nil {
		m.countFolders(root, raw)
	}
}

// closedBox: what a mailbox held is known from its list, up to now.
func (t *folderTree) closedBox(b *account) {
	if b.counted && b.asOf.IsZero() {
		if t.counts == nil {
			t.counts = map[string]imapsession.FolderCount{}
		}
		t.counts[b.wants] = imapsession.FolderCount{Raw: b.wants, Unseen: b.unseen, Messages: uint32(b.view.list.Len())}
	}
}

// recountDue counts again, as long as somebody looks.
func (m *Model) recountDue() {
	m.recounting = m.pane
	if !m.pane {
		return
	}
	if a := m.account(); a != nil && a.root.state.State == imapsession.Live {
		m.countFolders(a.root)
	}
	m.later(m.after(recount, countMsg{}))
}

// holding is what is known of what is in a folder.
func (root *account) holding(raw string) (c imapsession.FolderCount, ok bool) {
	if b := root.boxOf(raw); b != nil {
		return imapsession.FolderCount{Raw: raw, Unseen: b.unseen, Messages: uint32(b.view.list.Len())}, b.counted && b.loaded
	}
	c, ok = root.tree.counts[raw]
	return c, ok
}

// sprout makes the rows of the tree as it is unfolded.
func (m *Model) sprout(root *account) {
	t := &root.tree
	list := root.folders.list
	if !t.grown && root.folders.known {
		t.grown = true
		if len(list) <= unfoldedUpTo {
			for _, f := range list {
				t.unfoldTo(f.Name.String() + string(f.Delimiter))
			}
		}
	}
	tree := grow(list, func(f *imapsession.Folder) bool { return !t.few || f.Subscribed || isInbox(f.Raw) })
	t.rows = t.rows[:0]
	var add func(b *branch, depth int)
	add = func(b *branch, depth int) {
		for _, k := range b.kids {
			r := folderRow{key: k.key, name: k.name, depth: depth, at: k.at, kids: len(k.kids) > 0}
			r.folded = r.kids && !t.unfolded[k.key]
			if r.folded {
				r.below = k.below(nil)
			}
			t.rows = append(t.rows, r)
			if r.kids && !r.folded {
				add(k, depth+1)
			}
		}
	}
	add(tree, 0)
}

// unfoldTo unfolds what is above a folder.
func (t *folderTree) unfoldTo(key string) {
	if t.unfolded == nil {
		t.unfolded = map[string]bool{}
	}
	// Every beginning is unfolded, whatever the delimiter: those that are no
	// folder's key mean nothing.
	for i := range key[:min(len(key), longestName)] {
		t.unfolded[key[:i]] = true
	}
}

// cursor is the selected row; the first one where it is gone.
func (t *folderTree) cursor() int {
	return max(slices.IndexFunc(t.rows, func(r folderRow) bool { return r.key == t.pick }), 0)
}

// move moves the selection by n rows.
func (t *folderTree) move(n int) {
	if len(t.rows) == 0 {
		return
	}
	t.pick = t.rows[min(max(addSigned(t.cursor(), n), 0), len(t.rows)-1)].key
	t.reveal()
}

func addSigned(a, b int) int {
	if b > atEnd/2 || b < -atEnd/2 {
		return b
	}
	return a + b
}

// reveal scrolls as little as it takes to have the selection on screen.
func (t *folderTree) reveal() {
	c := t.cursor()
	if t.h > 0 && c >= t.top+t.h {
		t.top = c - t.h + 1
	}
	t.top = max(min(t.top, c, len(t.rows)-max(t.h, 1)), 0)
}

// settle gives the pane h lines.
func (t *folderTree) settle(h int) {
	if h -= foldersHeading(h); h != t.h {
		t.h = h
		t.reveal()
	}
}

// picked is the selected row; nil if there is none.
func (t *folderTree) picked() *folderRow {
	if len(t.rows) == 0 {
		return nil
	}
	return &t.rows[t.cursor()]
}

// fold folds the selected row's folders, or unfolds them.
func (m *Model) foldFolder(root *account, folded bool) {
	t := &root.tree
	r := t.picked()
	if r == nil || !r.kids || r.folded == folded {
		return
	}
	t.unfolded[r.key] = !folded
	m.sprout(root)
	t.reveal()
}

// folderAct does what a key asks for in the pane; it reports whether it did.
func (m *Model) folderAct(a *account, act action) bool {
	root := a.root
	t := &root.tree
	r := t.picked()
	switch act {
	case actBack, actFolders:
		m.pane = false
	case actOpen:
		switch {
		case r == nil:
		case r.at < 0 || root.folders.list[r.at].NoSelect:
			m.foldFolder(root, !r.folded)
		default:
			m.pane = false
			m.openFolder(root, root.folders.list[r.at])
		}
	case actFold:
		if r != nil {
			m.foldFolder(root, !r.folded)
		}
	case actUnfold:
		m.foldFolder(root, false)
	case actFoldUp:
		if r != nil && r.kids && !r.folded {
			m.foldFolder(root, true)
			break
		}
		for i := t.cursor(); r != nil && r.depth > 0 && i >= 0; i-- {
			if t.rows[i].depth < r.depth {
				t.pick = t.rows[i].key
				t.reveal()
				break
			}
		}
	case actSubscribed:
		if !root.folders.subscriptions {
			m.say(a, own(sDim, "the server does not tell which folders are subscribed to: these are all"))
			break
		}
		t.few = !t.few
		m.sprout(root)
		t.reveal()
	case actRecount:
		m.askFolders(root)
	case actGo:
		m.askGo(a)
	default:
		return false
	}
	return true
}
