package ui

import (
	"time"

	"tidings/imapsession"
	"tidings/internal/safetext"
	"tidings/store"
)

// account is what the model knows of one account: a plain struct, changed by
// Update alone.
type account struct {
	cfg Account

	id     int        // that messages name it by
	root   *account   // of the account; itself, if it is the mailbox that is watched
	opened *account   // root: the folder that is open beside it; nil: none
	away   bool       // root: that folder is on screen
	wants  string     // raw name of the folder that this is; "": the root
	came   time.Time  // on screen, last
	stop   func()     // ends the pump, of an opened folder
	shut   func()     // ends its session
	tree   folderTree // root: what of the folders is shown

	state   imapsession.StateEvent
	started bool // a StateEvent has come
	// renumbered: that the mailbox was loaded anew has just been said.
	renumbered bool
	trouble    safetext.Text // the last reason that was told, until the link is live
	lastSign   time.Time     // copied from the session by Update, so that View is pure

	loaded bool      // there is a list, from the cache or from the server
	epoch  uint32    // of the list; 0: it is from the cache, or there is none
	asOf   time.Time // the list is from the cache and was confirmed then; zero: by now
	wanted wanted    // the selection of an earlier run, until it is found
	// heardLast is when the link was last known to be live before the list now on
	// screen: what arrived since is told in one piece.
	heardLast time.Time
	recording bool                       // what was told is being written down
	held      []imapsession.NewMailEvent // what arrived meanwhile
	confirmed time.Time                  // the last asOf
	mailbox   string                     // raw name
	box       safetext.Text
	validity  uint32
	// permanent are the flags that the mailbox keeps, anyKeyword tells that it takes
	// any other keyword as well.
	permanent  []string
	anyKeyword bool
	view       listView
	finding    finding // a search, if what it found is shown
	sums       *store.Summaries
	over       store.Overlay
	unseen     uint32
	counted    bool // unseen is known

	jobs    map[imapsession.CommandID]job
	outbox  outbox
	folders *folders // all of the account's mailboxes share it
	news    activity

	visible     imapsession.Visible // as last told to the session
	asked       map[store.UID]bool  // visible.Missing, as a set
	views       views
	pages       pages
	jump        jump
	kept        keptSelection
	progress    imapsession.ProgressEvent // of the backfill; Ended where there is none
	waiting     bool                      // placeholders are painted
	waitPending bool                      // their 100 ms are running

	marked   marked
	history  *history  // all of the account's mailboxes share it
	returns  returning // messages that the person puts into this one
	comeback wanted    // a message that was moved back and is to be selected

	gather *gather   // messages on their way into a file; nil: none
	reader *reader   // nil: no message is open
	emoji  bool      // draw emoji as text
	labels []Keyword // root: keywords that have a label on screen
}

func newAccount(cfg Account, emojiText bool) *account {
	a := &account{
		folders: &folders{}, history: &history{}, cfg: cfg, emoji: emojiText, view: newListView(), sums: store.NewSummaries(maxSummaries),
		jobs: map[imapsession.CommandID]job{}, box: safetext.Const("INBOX"),
		progress: imapsession.ProgressEvent{Ended: true},
	}
	a.root = a
	return a
}

// maxSummaries bounds the summaries that one account keeps: some hundred screens.
const maxSummaries = 4096

// job remembers what a command was for, to tell the person how it ended.
type job struct {
	kind    jobKind
	what    ink           // "moved to", "flagged" ...
	subject safetext.Text // of the message
	uid     store.UID
	n       int // how many messages
	done    int // of them, as far as that was told
	stopped bool
	deed    *deed
	part    *part
	returns bool     // of a jobLocate: they were moved back
	home    *account // where it puts messages, if that is open
	then    func(*Model, error)
	asked   imapsession.StructureEvent
	answer  chan<- structureAnswer // has room for one
}

type jobKind uint8

const (
	jobSeen jobKind = iota // reading marked it read: not worth a line when it succeeds
	jobBody
	jobGather
	jobStructure
	jobFolders
	jobCount
	jobSearch
	jobDay
	jobDeed   // what the person did
	jobBack   // takes it back
	jobLocate // where messages went
	jobDone   // nothing but how it ended is of interest
	jobMade   // a folder was made: then goes on
)

// known gives what is drawn of the row at index i of the view.
func (a *account) known(i int) row {
	r := a.view.row(i)
	if r.UID == 0 {
		return row{}
	}
	out := row{summary: a.sums.Get(r.UID), family: a.view.family(r.UID)}
	out.flags, _ = a.over.Flags(r.UID, r.Flags)
	_, out.leaving = a.over.Leaving(r.UID)
	out.pending = a.over.Pending(r.UID)
	out.marked = a.marked.has(r.UID)
	out.labels = a.root.labels
	return out
}

// grave gives what is drawn of the tombstone.
func (a *account) grave() row {
	s := a.sums.Get(a.view.uid)
	if s == nil {
		s = &store.Summary{UID: a.view.uid, Subject: safetext.Const("a message that is gone")}
	}
	return row{summary: s, gone: !a.view.doubt}
}

// place is the mailbox on screen, as caches know it.
func (a *account) place() store.Place {
	return store.Place{Mailbox: a.mailbox, UIDValidity: a.validity}
}

// target aims a command at messages of this mailbox.
func (a *account) target(uids ...store.UID) imapsession.Target {
	return imapsession.Target{Mailbox: a.mailbox, UIDValidity: a.validity, UIDs: uids}
}

// subject is what to call a message in a line of text.
func (a *account) subject(uid store.UID) safetext.Text {
	if s := a.sums.Get(uid); s != nil {
		if !s.Subject.IsEmpty() {
			return s.Subject
		}
		return sender(s)
	}
	return safetext.Const("a message")
}

// readOnly reports whether nothing may be changed.
func (a *account) readOnly() bool { return a.cfg.ReadOnly || a.state.ReadOnly }

// show has what the screen lacks brought: summaries by the cache, those that it
// has not and rows that are not known by the session, which is told what is on
// screen when that is news to it. It returns whether something is missing.
func (m *Model) show(a *account) (missing bool) {
	if !a.loaded {
		return false
	}
	lo, hi, ok := a.view.bounds()
	if !ok {
		return false
	}
	a.pages.begin()
	v := imapsession.Visible{Epoch: a.epoch}
	v.Lo, v.Hi = a.view.span(lo, hi)
	news := v.Epoch != a.visible.Epoch || v.Lo != a.visible.Lo || v.Hi != a.visible.Hi
	for i := lo; i < hi; i++ {
		uid := a.view.uidAt(i)
		if uid == 0 {
			missing = true
			continue
		}
		if a.sums.Get(uid) == nil {
			missing = true
			if a.mayBeKept(uid) {
				a.pages.wish = append(a.pages.wish, uid)
				continue
			}
			v.Missing = append(v.Missing, uid)
			news = news || !a.asked[uid]
		}
	}
	m.turnPages(a, lo, hi)
	if news && a.epoch != 0 {
		a.visible = v
		a.asked = nil
		if len(v.Missing) > 0 {
			a.asked = make(map[store.UID]bool, len(v.Missing))
			for _, uid := range v.Missing {
				a.asked[uid] = true
			}
		}
		a.cfg.Session.SetVisible(v)
	}
	return missing
}

// folders is what is known of the account's mailboxes.
type folders struct {
	list  []imapsession.Folder
	known bool
	asked bool
	then  []func(*Model)    // what waits for the answer
	gmail bool              // they are labels
	named map[string]string // by role, what the person named since the start
	// subscriptions: the server told which of them are subscribed to.
	subscriptions bool
}
