package ui

import (
	"slices"
	"time"

	"tidings/imapsession"
	"tidings/internal/message"
	"tidings/internal/safetext"
	"tidings/store"
)

// outbox is what an account's session was asked to change and has not confirmed,
// in the order in which it was asked.
type outbox struct {
	waits []*waiting
	taken int // of an earlier run, and not told yet
	// refused is what the server said when it was told last that it would not do
	// something for now, and toldAt when that was: a storm of it is one line.
	refused safetext.Text
	toldAt  time.Time
}

// waiting is one such command.
type waiting struct {
	id      imapsession.CommandID
	cmd     imapsession.Command
	since   time.Time
	unclear safetext.Text // why only the person can tell how it goes on
	box     *account      // of whose session it is
	earlier bool          // it is from an earlier run
	drawn   bool          // its effect is in the overlay; of an earlier run's alone
	// refused is what the server said when it would not do it for now; it is tried
	// again at retry.
	refused safetext.Text
	retry   time.Time
}

// queued takes in a command that waits, or what is new of it.
func (m *Model) queued(a *account, ev imapsession.QueuedEvent) {
	i := slices.IndexFunc(a.outbox.waits, func(w *waiting) bool { return w.id == ev.ID })
	if i < 0 {
		w := &waiting{id: ev.ID, cmd: ev.Command, since: ev.Since, box: a, earlier: ev.Earlier}
		i = len(a.outbox.waits)
		for i > 0 && a.outbox.waits[i-1].since.After(w.since) { // what is from an earlier run may be told late
			i--
		}
		a.outbox.waits = slices.Insert(a.outbox.waits, i, w)
		if ev.Earlier {
			a.outbox.taken++
			a.jobs[ev.ID] = job{kind: jobDone, deed: w.deed(true), n: len(w.target().UIDs)}
			a.drawQueued()
		}
	}
	w := a.outbox.waits[i]
	if w.unclear = ev.Unclear; !w.unclear.IsEmpty() {
		m.say(a, own(sWarn, "press "), own(sBold, "w"), own(sWarn, " to decide: "), said(sPlain, w.unclear))
	}
	if w.refused, w.retry = ev.Refused, ev.Retry; !w.refused.IsEmpty() {
		m.tellRefused(a, w)
	}
}

// tellRefused says that the server would not do something for now.
func (m *Model) tellRefused(a *account, w *waiting) {
	o := &a.outbox
	if w.refused == o.refused && m.now.Sub(o.toldAt) < 5*time.Second {
		return
	}
	o.refused, o.toldAt = w.refused, m.now
	line := []span{own(sWarn, "not yet, the server says "), said(sPlain, w.refused), own(sDim, ": again in "+countdown(w.retry.Sub(m.now))+" "+m.theme.marks.bullet+" "), own(sBold, "w"), own(sDim, " "+m.theme.marks.bullet+" ")}
	m.say(a, append(line, w.deed(false).spans()...)...)
}

// unqueued: a command has ended. What an earlier run was asked for is told by what
// is known of it by now.
func (a *account) unqueued(id imapsession.CommandID) {
	if i := slices.IndexFunc(a.outbox.waits, func(w *waiting) bool { return w.id == id }); i >= 0 && a.outbox.waits[i].earlier {
		j := a.jobs[id]
		j.deed = a.outbox.waits[i].deed(true)
		j.subject = j.deed.subject
		a.jobs[id] = j
	}
	a.outbox.waits = slices.DeleteFunc(a.outbox.waits, func(w *waiting) bool { return w.id == id })
}

// tellQueued says that actions of an earlier run are under way again.
func (m *Model) tellQueued(a *account) {
	if n := a.outbox.taken; n > 0 {
		m.say(a, own(sAccent, ink(thousands(n))+plural(n, " action", " actions")+" of an earlier run"+plural(n, " waits", " wait")+" to be sent"), own(sDim, " "+m.theme.marks.bullet+" "), own(sBold, "w"), own(sDim, " shows what"))
		a.outbox.taken = 0
	}
}

// drawQueued draws the effects of an earlier run's actions on the mailbox on
// screen, as soon as that is known.
func (a *account) drawQueued() {
	for _, w := range a.outbox.waits {
		t := w.target()
		if !w.earlier || w.drawn || (store.Place{Mailbox: t.Mailbox, UIDValidity: t.UIDValidity}) != a.place() {
			continue
		}
		w.drawn = true
		e := store.Effect{}
		switch c := w.cmd.(type) {
		case imapsession.StoreFlags:
			e.Add, e.Remove = c.Add, c.Remove
		case imapsession.Move:
			e.Dest = c.Dest
		case imapsession.Expunge:
			e.Dest = t.Mailbox
		}
		a.over.Put(uint64(w.id), t.UIDs, e)
	}
}

// undrawn: the overlay was emptied.
func (b *outbox) undrawn() {
	for _, w := range b.waits {
		w.drawn = false
	}
}

// toSend is how many actions wait on an account, folders that are open beside its
// mailbox included.
func (a *account) toSend() int { return len(a.pending()) }

// pending is what waits on an account, oldest first.
func (a *account) pending() []*waiting {
	root := a.root
	if root == nil {
		root = a
	}
	if root.opened == nil || len(root.opened.outbox.waits) == 0 {
		return root.outbox.waits
	}
	all := slices.Concat(root.outbox.waits, root.opened.outbox.waits)
	slices.SortStableFunc(all, func(x, y *waiting) int { return x.since.Compare(y.since) })
	return all
}

// target is what a command is aimed at.
func (w *waiting) target() imapsession.Target {
	switch c := w.cmd.(type) {
	case imapsession.StoreFlags:
		return c.Target
	case imapsession.Move:
		return c.Target
	case imapsession.Copy:
		return c.Target
	case imapsession.Expunge:
		return c.Target
	}
	return imapsession.Target{}
}

// deed is what a command does, in words, or what it did.
func (w *waiting) deed(done bool) *deed {
	t := w.target()
	d := &deed{n: len(t.UIDs)}
	if d.n == 1 {
		d.subject = w.subject(t)
	}
	switch c := w.cmd.(type) {
	case imapsession.StoreFlags:
		d.what, d.dest = flagDeed(c, done)
	case imapsession.Move:
		d.what, d.dest = tense(done, "move to", "moved to"), w.box.folderTitle(c.Dest)
	case imapsession.Copy:
		d.what, d.dest = tense(done, "copy to", "copied to"), w.box.folderTitle(c.Dest)
	case imapsession.Expunge:
		d.what = tense(done, "delete for ever", "deleted for ever")
	case imapsession.CreateFolder:
		d.what, d.n, d.subject = tense(done, "make the folder", "made the folder"), 1, safetext.Clean(c.Name)
	default:
		d.what = "change"
	}
	return d
}

// subject names the one message of a command.
func (w *waiting) subject(t imapsession.Target) safetext.Text {
	if (store.Place{Mailbox: t.Mailbox, UIDValidity: t.UIDValidity}) == w.box.place() {
		if w.box.sums.Get(t.UIDs[0]) != nil {
			return w.box.subject(t.UIDs[0])
		}
	}
	return safetext.Format("message %s of %s", safetext.Uint(uint32(t.UIDs[0])), w.box.folderTitle(t.Mailbox))
}

// folderTitle is what a person calls a mailbox.
func (a *account) folderTitle(raw string) safetext.Text {
	for _, f := range a.folders.list {
		if f.Raw == raw {
			return f.Name
		}
	}
	return safetext.Clean(raw)
}

func tense(done bool, does, did ink) ink {
	if done {
		return did
	}
	return does
}

// flagDeed says what a change of flags is.
func flagDeed(c imapsession.StoreFlags, done bool) (ink, safetext.Text) {
	words := []struct {
		flag        string
		add, remove ink
	}{
		{`\Seen`, tense(done, "mark read", "marked read"), tense(done, "mark unread", "marked unread")},
		{`\Flagged`, tense(done, "flag", "flagged"), tense(done, "take the flag away", "flag taken away")},
		{`\Answered`, tense(done, "mark answered", "marked answered"), tense(done, "mark not answered", "marked not answered")},
		{`\Deleted`, tense(done, "mark deleted", "marked deleted"), tense(done, "mark not deleted", "marked not deleted")},
	}
	for _, x := range words {
		switch {
		case len(c.Add) == 1 && len(c.Remove) == 0 && c.Add[0] == x.flag:
			return x.add, safetext.Text{}
		case len(c.Remove) == 1 && len(c.Add) == 0 && c.Remove[0] == x.flag:
			return x.remove, safetext.Text{}
		}
	}
	var names []safetext.Text
	for _, n := range c.Add {
		names = append(names, safetext.Format("+%s", safetext.Clean(n)))
	}
	for _, n := range c.Remove {
		names = append(names, safetext.Format("-%s", safetext.Clean(n)))
	}
	return "flags", safetext.Join(names, " ")
}

// outboxPane is the pane of what waits: a part of the shade that lies over the
// list.
type outboxPane struct {
	pick  *waiting
	at    int             // where the pick stands
	why   []safetext.Text // of the pick, in rows
	waits []*waiting      // as of the last Update
}

// settleOutbox brings the pane up to date for rows of w cells, and returns how
// many rows it has, and which of them the picked entry takes.
func (m *Model) settleOutbox(w int) (rows, lo, hi int) {
	o := &m.over.outbox
	a := m.account()
	o.waits = nil
	if a != nil {
		o.waits = a.pending()
	}
	if i := slices.Index(o.waits, o.pick); i >= 0 {
		o.at = i
	} else {
		o.at = max(min(o.at, len(o.waits)-1), 0)
		o.pick = nil
		if len(o.waits) > 0 {
			o.pick = o.waits[o.at]
		}
	}
	o.why = nil
	if o.pick == nil {
		return 1, 0, 1
	}
	for _, row := range message.Wrap([]message.Line{{Text: m.whyWaits(o.pick)}}, max(w-4, 1), m.pen.method.StringWidth) {
		o.why = append(o.why, row.Text)
	}
	lo = 2 * o.at
	return 2*(len(o.waits)-1) + 1 + len(o.why), lo, lo + 1 + len(o.why)
}

// reveal scrolls so that the rows [lo,hi) are on a screen of h, the first before
// the last.
func (s *shade) reveal(lo, hi, h int) {
	s.top = max(s.top, hi-h)
	s.top = min(s.top, lo)
}

// whyWaits says since when a command waits, and for what.
func (m *Model) whyWaits(w *waiting) safetext.Text {
	since := safetext.Clean(w.since.In(m.now.Location()).Format("15:04"))
	if m.now.Sub(w.since) >= 20*time.Hour {
		since = safetext.Clean(w.since.In(m.now.Location()).Format("2 Jan 15:04"))
	}
	s := w.box.state
	why := safetext.Const("is being sent")
	switch {
	case !w.unclear.IsEmpty():
		return safetext.Format("since %s: %s. r does it again, d leaves it as it is.", since, w.unclear)
	case !w.refused.IsEmpty():
		again := safetext.Clean(w.retry.In(m.now.Location()).Format("15:04:05"))
		return safetext.Format("since %s: the server would not for now, it said %s. Tried again at %s; r tries it at once, d takes it back.", since, w.refused, again)
	case w.queues():
		why = safetext.Const("waits for one before it")
	case s.State == imapsession.Live:
	case s.Fatal:
		why = safetext.Format("stopped: %s", s.Reason)
	case s.State == imapsession.Waiting && !s.Reason.IsEmpty():
		why = safetext.Format("offline: %s", s.Reason)
	case s.State == imapsession.Waiting, s.State == imapsession.Offline:
		why = safetext.Const("offline")
	case s.State == imapsession.BetweenVisits:
		why = safetext.Const("waits for the next visit")
	default:
		why = safetext.Const("waits for the connection")
	}
	return safetext.Format("since %s: %s", since, why)
}

// queues tells whether something before it has to be done first, which the server
// has refused for now or the person has to decide on.
func (w *waiting) queues() bool {
	for _, x := range w.box.outbox.waits {
		if x == w {
			return false
		}
		if !x.refused.IsEmpty() && x.alike(w) {
			return true
		}
	}
	return false
}

// alike tells whether two commands do the same, between the same mailboxes.
func (w *waiting) alike(x *waiting) bool {
	dest := func(c imapsession.Command) (kind int, raw string) {
		switch c := c.(type) {
		case imapsession.StoreFlags:
			return 1, ""
		case imapsession.Move:
			return 2, c.Dest
		case imapsession.Copy:
			return 3, c.Dest
		case imapsession.Expunge:
			return 4, ""
		}
		return 0, ""
	}
	k1, d1 := dest(w.cmd)
	k2, d2 := dest(x.cmd)
	return k1 != 0 && k1 == k2 && d1 == d2 && w.target().Mailbox == x.target().Mailbox
}

// pickWaiting moves the choice by n entries.
func (m *Model) pickWaiting(n int) {
	o := &m.over.outbox
	if len(o.waits) > 0 {
		o.at = min(addClamped(o.at, n), len(o.waits)-1)
		o.pick = o.waits[o.at]
	}
}

// drawOutbox draws line y of the pane.
func (m *Model) drawOutbox(p *pen, y int) {
	o := &m.over.outbox
	y += m.over.top
	if len(o.waits) == 0 {
		p.gap(sPlain, 1)
		if y == 0 {
			p.ink(sDim, "Nothing waits: all is done.")
		}
		p.end(sPlain)
		return
	}
	i, line := y/2, y%2
	if own := 2*o.at + 1; y >= own && y < own+len(o.why) {
		i, line = o.at, 1+y-own
	} else if y >= own {
		i, line = (y-len(o.why)+1)/2, (y-len(o.why)+1)%2
	}
	if i >= len(o.waits) {
		p.end(sPlain)
		return
	}
	w := o.waits[i]
	switch {
	case line == 0 && w == o.pick:
		p.ink(sAccent, m.theme.marks.cursor+" ")
		p.draw(w.deed(false).spans())
	case line == 0:
		p.gap(sPlain, 2)
		p.draw(w.deed(false).spans())
	default:
		p.gap(sPlain, 4)
		text := m.whyWaits(w)
		if w == o.pick {
			text = o.why[line-1]
		}
		s := sFaint
		if !w.unclear.IsEmpty() || !w.refused.IsEmpty() {
			s = sWarn
		}
		p.text(s, text, p.room)
	}
	p.end(sPlain)
}

// sendAgain tries the picked action again at once: the connection, if it waits for
// that; the action, if it is for the person to say.
func (m *Model) sendAgain(a *account) {
	w := m.over.outbox.pick
	switch {
	case w == nil:
	case !w.unclear.IsEmpty():
		w.box.cfg.Session.Again(w.id)
	case !w.refused.IsEmpty():
		m.say(a, own(sDim, "trying it again"))
		w.box.cfg.Session.Again(w.id)
	case w.box.state.State != imapsession.Live:
		m.say(a, own(sDim, "trying the connection again"))
		w.box.cfg.Session.Retry(true)
	default:
		m.say(a, own(sDim, "it is being sent"))
	}
}

// discard takes the picked action out. Its Result says what came of it.
func (m *Model) discard() {
	if w := m.over.outbox.pick; w != nil {
		w.box.cfg.Session.Cancel(w.id)
	}
}
