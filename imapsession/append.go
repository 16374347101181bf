package imapsession

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"

	"tidings/imapsession/wire"
	"tidings/store"
)

// Letter is a message that is to be appended to a mailbox.
type Letter struct {
	Name  string    // for the person: where it is from
	Size  int64     // octets that Open gives, with CRLF at the line's ends
	Date  time.Time // INTERNALDATE; zero: the server's now
	Flags []string
	Open  func() (io.ReadCloser, error)
}

// Fate is what became of a letter.
type Fate uint8

const (
	Appended  Fate = iota + 1 // it is there, as UID where the server or a look told
	Refused                   // the server would not have it, or it could not be read: Err
	Uncertain                 // the link broke, and a look did not tell: Err
	Unsent                    // it was not tried
)

// LetterEvent tells the fate of a letter.
type LetterEvent struct {
	Index int // 0-based, in the order in which the letters came
	Name  string
	Size  int64
	Fate  Fate
	UID   store.UID // 0 where not known
	// Found: the link broke before the answer came, and the letter was found.
	Found bool
	Err   error
}

// AppendOptions say how Append goes about it.
type AppendOptions struct {
	Mailbox string // raw name, or as a person writes it
	Create  bool   // make the mailbox if there is none
	// OneByOne sends each letter alone and asks before its octets, as a client
	// without extensions has to: for servers that get more wrong.
	OneByOne bool
	// Sent is called with the octets that have left, some times a second.
	Sent func(octets int64)
	// Opened is called, once, with the mailbox's UIDVALIDITY and UIDNEXT before
	// the first letter is sent.
	Opened func(uidValidity uint32, next store.UID)
	// Resume takes up an Append that ended before its time, in whatever way; nil:
	// none.
	Resume *AppendResume

	pause time.Duration // before a broken link is made again; 0: 1 s
	quiet time.Duration // how long nothing comes before it is believed; 0: 2 s
}

// AppendResume is what is known of an earlier Append into the same mailbox. The
// letters that it is known to have appended are not given again; of the others
// some may be there all the same.
type AppendResume struct {
	UIDValidity uint32
	From        store.UID          // the mailbox's UIDNEXT before the earlier one began
	Known       map[store.UID]bool // what it is known to have appended
}

const (
	batchLetters = 100
	batchOctets  = 4 << 20
	// appendWindow is how many octets may be on their way unanswered. The server
	// goes on reading while it writes to its disk.
	appendWindow = 8 << 20
	// appendRetries is how often a broken link is made again without a letter
	// getting through.
	appendRetries = 4
	// maxQuota is how many letters in a row may be refused for want of room before
	// the rest is not tried.
	maxQuota = 5
	// endgame is how long a cancelled append may take to find out what became of
	// what was under way.
	endgame = 10 * time.Second
)

// Append appends letters to a mailbox, in their order, over a connection of its
// own, and tells each one's fate in that order as far as the server answers so.
// It streams: MULTIAPPEND (RFC 3502) in batches of at most 100 letters or 4 MB
// where the server has it, several commands at once with LITERAL+ (RFC 7888),
// else one by one. If the link breaks, it is made again, and what was under way
// is looked for among what came into the mailbox meanwhile: Message-ID, size and
// date, so that nothing is appended twice.
//
// Ending ctx ends it between two letters; what was under way is still waited
// for, or looked for, and told. The error is nil, or a sentence why it ended
// before the last letter. A letter's own error does not end it.
func Append(ctx context.Context, cfg Config, o AppendOptions, letters iter.Seq2[Letter, error], tell func(LetterEvent)) error {
	if cfg.ReadOnly {
		return errReadOnly
	}
	s := New(cfg)
	next, stop := iter.Pull2(letters)
	defer stop()
	if o.pause == 0 {
		o.pause, o.quiet = time.Second, 2*time.Second
	}
	a := &appender{s: s, o: o, next: next, tell: tell}
	// The deeds of the link end with the endgame, not with ctx.
	linkCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(endgame, cancel) })()
	return a.run(ctx, linkCtx)
}

// appender is one Append.
type appender struct {
	s    *Session
	o    AppendOptions
	next func() (Letter, error, bool)
	tell func(LetterEvent)

	index int                      // of the next letter
	again []*entry                 // to be sent once more, before others
	there map[likeness][]store.UID // what an earlier run may have appended
	late  []*entry                 // sent, and the link broke before the answer

	link     *link
	validity uint32
	from     store.UID // the mailbox's UIDNEXT when what is under way was sent
	multi    bool
	nonSync  bool
	limit    int64 // of a letter; 0: none is known
	quota    int   // letters in a row that found no room
	sent     int64
	told     time.Time
}

// entry is a letter and where it stands.
type entry struct {
	Letter
	index int
	alone bool // not in a batch: one of its batch was refused
}

// batch is one command under way.
type batch struct {
	entries []*entry
	upload  *wire.Upload
	octets  int64
}

func (a *appender) run(ctx, linkCtx context.Context) error {
	broken := 0
	for {
		before := a.index - len(a.again) - len(a.late)
		err := a.attempt(ctx, linkCtx)
		if err == nil || ctx.Err() != nil && len(a.late) == 0 {
			a.giveUp()
			return ctx.Err()
		}
		f := asFault(err)
		if broken++; a.index-len(a.again)-len(a.late) > before {
			broken = 1
		}
		if f.fatal || broken > appendRetries || linkCtx.Err() != nil {
			for _, e := range a.late {
				a.fate(e, Uncertain, 0, fmt.Errorf("the link broke before the server answered: look whether it is there: %w", f))
			}
			a.late = nil
			a.giveUp()
			return f
		}
		a.s.log.Warn("the link broke while appending", "reason", f.text, "under way", len(a.late))
		select {
		case <-time.After(max(f.after, a.o.pause<<(broken-1)-a.o.pause)): // at once, 1 s, 3 s ...
		case <-linkCtx.Done():
		}
	}
}

// giveUp tells of the letters that will not be tried again.
func (a *appender) giveUp() {
	for _, e := range a.again {
		a.fate(e, Unsent, 0, nil)
	}
	a.again = nil
}

func (a *appender) fate(e *entry, fate Fate, uid store.UID, err error) {
	a.tell(LetterEvent{Index: e.index, Name: e.Name, Size: e.Size, Fate: fate, UID: uid, Err: err})
}

// attempt makes a connection, finds out what became of what an earlier one left,
// and goes on. nil: all is done.
func (a *appender) attempt(ctx, linkCtx context.Context) error {
	l, err := a.s.connect(linkCtx, asWorker)
	if err != nil {
		return err
	}
	defer l.close()
	if err := l.logIn(linkCtx); err != nil {
		return err
	}
	l.tap.SetPhase(wire.PhaseCommand)
	a.link = l
	a.learnLimits()
	next, err := a.open()
	if err != nil {
		return err
	}
	if r := a.o.Resume; r != nil && a.there == nil {
		if r.UIDValidity != a.validity {
			return &fault{text: fmt.Sprintf("%s is another folder than the one that the earlier run appended to (its UIDVALIDITY changed)", title(a.o.Mailbox)), fatal: true}
		}
		if a.there, err = a.arrivedSince(r.From, nil, r.Known); err != nil {
			return err
		}
	}
	if a.o.Opened != nil {
		a.o.Opened(a.validity, next)
		a.o.Opened = nil
	}
	if len(a.late) > 0 {
		if err := a.lookFor(a.late); err != nil {
			return err
		}
	}
	a.from = next
	if ctx.Err() != nil {
		l.farewell(farewellTime)
		return nil
	}
	if err := a.stream(ctx, linkCtx); err != nil {
		return err
	}
	l.farewell(visitFarewell)
	return nil
}

// learnLimits notes what the server can take.
func (a *appender) learnLimits() {
	caps := a.link.caps
	a.nonSync = !a.o.OneByOne && caps.Has(imap.CapLiteralPlus)
	a.multi = !a.o.OneByOne && caps.Has(imap.CapMultiAppend)
	for c := range caps {
		if n, ok := strings.CutPrefix(string(c), "APPENDLIMIT="); ok {
			if limit, err := strconv.ParseInt(n, 10, 64); err == nil {
				a.limit = limit
			}
		}
	}
}

// open makes sure of the mailbox and returns its UIDNEXT.
func (a *appender) open() (store.UID, error) {
	l, name := a.link, a.o.Mailbox
	data, err := l.client.Status(name, &imap.StatusOptions{UIDNext: true, UIDValidity: true}).Wait()
	refusal, err := l.drain(err)
	if err != nil {
		return 0, err
	}
	if refusal != nil && a.o.Create {
		refusal, err = l.drain(l.client.Create(name, nil).Wait())
		if err != nil {
			return 0, err
		}
		if refusal != nil {
			return 0, &fault{text: fmt.Sprintf("there is no folder %s, and the server would not make it: it said %s", title(name), words(refusal)), err: refusal, fatal: true}
		}
		data, err = l.client.Status(name, &imap.StatusOptions{UIDNext: true, UIDValidity: true}).Wait()
		if refusal, err = l.drain(err); err != nil {
			return 0, err
		}
	}
	if refusal != nil {
		return 0, &fault{text: fmt.Sprintf("there is no folder %s to append to: the server said %s", title(name), words(refusal)), err: refusal, fatal: true}
	}
	if a.validity != 0 && data.UIDValidity != a.validity {
		return 0, &fault{text: fmt.Sprintf("%s is another folder since the link broke (its UIDVALIDITY changed)", title(name)), fatal: true}
	}
	a.validity = data.UIDValidity
	return store.UID(data.UIDNext), nil
}
