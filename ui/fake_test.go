package ui

import (
	"fmt"
	"sync"
	"time"

	"tidings/imapsession"
	"tidings/internal/safetext"
	"tidings/store"
)

// fakeSession is a mailbox in memory behind the Session interface. A test
// plays the server: it delivers, expunges and flags, and answers commands.
// Methods of Session may be called from any goroutine, those of the test from
// the test's.
type fakeSession struct {
	box *imapsession.Box

	mu       sync.Mutex
	nextID   imapsession.CommandID
	commands []sent // not answered yet
	visible  []imapsession.Visible
	retries  []bool
	canceled []imapsession.CommandID
	again    []imapsession.CommandID
	sign     time.Time

	mailbox  string // "" is INBOX
	put      int    // events put so far
	narrow   bool   // nothing but narrow characters
	epoch    uint32
	list     store.List
	nextUID  store.UID
	subjects map[store.UID]safetext.Text
}

type sent struct {
	id  imapsession.CommandID
	cmd imapsession.Command
}

func newFakeSession() *fakeSession {
	f := &fakeSession{nextUID: 1, sign: time.Now()}
	f.box = imapsession.NewBox(f.resync)
	return f
}

func (f *fakeSession) Events() *imapsession.Box { return f.box }

func (f *fakeSession) Do(c imapsession.Command) imapsession.CommandID {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.nextID++
	f.commands = append(f.commands, sent{f.nextID, c})
	return f.nextID
}

func (f *fakeSession) Cancel(id imapsession.CommandID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.canceled = append(f.canceled, id)
}

func (f *fakeSession) Again(id imapsession.CommandID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.again = append(f.again, id)
}

func (f *fakeSession) SetVisible(v imapsession.Visible) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.visible = append(f.visible, v)
}

func (f *fakeSession) Retry(forced bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.retries = append(f.retries, forced)
}

func (f *fakeSession) LastSign() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sign
}

func (f *fakeSession) signAt(t time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sign = t
}

func (f *fakeSession) retried() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.retries)
}

// pending returns the commands that wait for an answer.
func (f *fakeSession) pending() []sent {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]sent(nil), f.commands...)
}

// take removes the oldest unanswered command.
func (f *fakeSession) take() (sent, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.commands) == 0 {
		return sent{}, false
	}
	c := f.commands[0]
	f.commands = f.commands[1:]
	return c, true
}

func (f *fakeSession) say(ev imapsession.Event) {
	f.put++
	f.box.Put(ev)
}

const fakeValidity = 7

func (f *fakeSession) resync() imapsession.ResyncEvent {
	f.epoch++
	name := "INBOX"
	if f.mailbox != "" {
		name = f.mailbox
	}
	return imapsession.ResyncEvent{
		Epoch: f.epoch, Mailbox: name, UIDValidity: fakeValidity, List: f.list.Snapshot(), AnyKeyword: true,
	}
}

func (f *fakeSession) live() {
	f.say(imapsession.StateEvent{State: imapsession.Live, Transport: safetext.Const("TLS 1.3")})
}

// start connects with n messages, the newest of them unread every third.
func (f *fakeSession) start(n int) {
	f.live()
	var sums []*store.Summary
	if n > 0 {
		f.apply(store.Change{Kind: store.Exists, N: uint32(n)})
	}
	for i := range n {
		flags := []string{`\Seen`}
		if i%3 == 0 {
			flags = nil
		}
		if i%7 == 0 {
			flags = append(flags, `\Flagged`)
		}
		if i%5 == 1 {
			flags = append(flags, `\Answered`)
		}
		f.apply(store.Change{Kind: store.Fill, Seq: uint32(i + 1), UID: f.nextUID, Flags: store.MakeFlags(flags)})
		sums = append(sums, f.summary(f.nextUID))
		f.nextUID++
	}
	f.say(f.resync())
	f.say(imapsession.SummariesEvent{UIDValidity: fakeValidity, Summaries: sums})
	f.count()
}

func (f *fakeSession) apply(c store.Change) store.Applied {
	a, err := f.list.Apply(c)
	if err != nil {
		panic(err)
	}
	return a
}

// change applies a Change to the session's list and tells of it.
func (f *fakeSession) change(c store.Change, uid store.UID) {
	f.apply(c)
	f.say(imapsession.ListEvent{Epoch: f.epoch, Change: c, UID: uid})
}

func (f *fakeSession) count() {
	n := uint32(0)
	for i := range f.list.Len() {
		if r := f.list.Row(i); r.Flags.Known() && !r.Flags.Has(store.Seen) {
			n++
		}
	}
	f.say(imapsession.UnseenEvent{Epoch: f.epoch, N: n, Known: true})
}

// deliver has one message arrive, with its summary unless it is to be late.
func (f *fakeSession) deliver(late bool) store.UID {
	uid := f.nextUID
	f.nextUID++
	n := uint32(f.list.Len() + 1)
	f.change(store.Change{Kind: store.Exists, N: n}, 0)
	f.change(store.Change{Kind: store.Fill, Seq: n, UID: uid, Flags: store.NoFlags}, uid)
	if !late {
		f.say(imapsession.SummariesEvent{UIDValidity: fakeValidity, Summaries: []*store.Summary{f.summary(uid)}})
		f.say(imapsession.NewMailEvent{UIDValidity: fakeValidity, UIDs: []store.UID{uid}, Count: 1})
	}
	f.count()
	return uid
}

// expunge removes the message uid.
func (f *fakeSession) expunge(uid store.UID) {
	i, ok := f.list.Find(uid)
	if !ok {
		panic("expunge of a message that is not there")
	}
	f.change(store.Change{Kind: store.Expunge, Seq: uint32(i + 1)}, uid)
	f.count()
}

// flag sets the flags of the message uid.
func (f *fakeSession) flag(uid store.UID, names ...string) {
	i, ok := f.list.Find(uid)
	if !ok {
		panic("flags of a message that is not there")
	}
	f.change(store.Change{Kind: store.SetFlags, Seq: uint32(i + 1), UID: uid, Flags: store.MakeFlags(names)}, uid)
	f.count()
}

// fakeNow is the time at which the messages of a fake session are young.
var fakeNow = time.Date(2000, 11, 24, 14, 30, 0, 0, time.UTC)

var (
	fakeNames = []string{"Alice", "Bob", "Facilities", "Deploy Notices", "build@ci.example", "Élodie", "さくら", "The Department of Very Long and Winding Names"}
	fakeWords = []string{"Deploy window tonight", "Re: budget for the second quarter", "Invoice 2026-1107", "会議の議事録を共有します", "שלום, הפגישה מחר", "🎉 We shipped it 🚀", "Build 4711 failed on linux/arm64", "Your order has been sent and will arrive between Tuesday and Thursday of next week"}
)

func (f *fakeSession) summary(uid store.UID) *store.Summary {
	n := int(uid)
	subject := safetext.Clean(fmt.Sprintf("(%d) %s", n, fakeWords[n%len(fakeWords)]))
	from := fakeNames[n%len(fakeNames)]
	if f.narrow {
		subject = safetext.Clean(fmt.Sprintf("(%d) %s", n, fakeWords[n%3]))
		from = fakeNames[n%5]
	}
	if s, ok := f.subjects[uid]; ok {
		subject = s
	}
	return &store.Summary{
		UID: uid, Internal: fakeNow.Add(-time.Duration(200-n) * 97 * time.Minute), Size: int64(n) * 1000,
		From:    []store.Address{{Name: safetext.Clean(from), Addr: safetext.Clean(fmt.Sprintf("p%d@example.org", n))}},
		Subject: subject, Mixed: n%4 == 0,
	}
}

// remove forgets an unanswered command.
func (f *fakeSession) remove(id imapsession.CommandID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, c := range f.commands {
		if c.id == id {
			f.commands = append(f.commands[:i], f.commands[i+1:]...)
			return
		}
	}
}
