package imapsession

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"tidings/imapsession/wire"
	"tidings/internal/safetext"
	"tidings/store"
)

// link is one connection. The goroutine of its role is its only user; watchdogs,
// a cancelled command and the context may close its conn.
type link struct {
	s      *Session
	role   role
	m      *mailbox // the one that is selected, or will be
	tap    *wire.Tap
	client *imapclient.Client
	stop   func() bool // of the context's AfterFunc

	caps      imap.CapSet
	transport safetext.Text
	watch     Watch
	watchNote safetext.Text // why it watches otherwise than the config says
	readOnly  bool
	preauth   bool
	proven    bool // this account has selected its mailbox before
	started   time.Time
	liveSince time.Time // zero until live

	// idle is an IDLE to which DONE was written (or is held for the next write)
	// and whose tagged reply is still due.
	idle *imapclient.IdleCommand

	// What the tap's events said, for whom it may concern.
	bye        string
	taggedCode string // response code of the last tagged reply
	tagged     uint64 // tagged replies so far
	copyUID    bool   // a COPYUID came since it was cleared
	searched   string // SEARCH or ESEARCH, if one came since it was cleared
	counted    bool   // and it had a COUNT
	desync     error  // the server and the list disagree
	selecting  *selecting
	proving    proof
	enabling   bool // QRESYNC was asked for, which goes before the first SELECT alone
	qresync    bool // VANISHED comes in place of EXPUNGE (RFC 7162 §3.2)
	catching   *catching
	sweeping   sweeping
	asked      bool // the rows that come were asked for (see unseen)
	flagsSeen  map[store.UID]bool

	gathering bool        // the answer to a FETCH or STORE is due
	gathered  []store.UID // the messages whose summaries that FETCH asks for by UID

	stuck      stuck
	newTries   int       // how often the new rows were asked for
	newAt      time.Time // when to ask for them again
	running    *job
	moving     stride // how many messages a command on many is given
	copying    stride
	flagging   stride
	bodyChunk  int64
	structured structured
	aheadKey   aheadKey  // what the choice of the message to be fetched ahead rests on
	ahead      bodyPart  // what there is of it
	filling    pace      // of the filling
	helps      bool      // with it: the worker is at it, too
	fillBegan  time.Time // when the chunk that comes next was asked for
	// behindMail: the server said nothing of messages that the filling asked for.
	behindMail bool
	ctx        context.Context // ends the link
	unseenAt   time.Time       // when the unread count was last asked for
	auditAt    time.Time
	desyncs    []time.Time
	probeNow   bool
	loggedOut  bool
	awaited    bool         // see awaitScreen
	why        oauthProblem // of the last log-in
	byToken    bool         // signed in with a token, whose time ends
	expired    bool         // the token's time is over: the server said so
	opened     bool         // a mailbox was selected on this link: it may speak of rows

	alerts     int // since alertsFrom
	alertsFrom time.Time

	mu    sync.Mutex
	cause error // why our own side closed the conn
}

// kill closes the conn from any goroutine and remembers the first reason. It is
// never imapclient's Close: that one waits for a reader who may be waiting for
// us.
func (l *link) kill(cause error) {
	l.mu.Lock()
	if l.cause == nil {
		l.cause = cause
	}
	l.mu.Unlock()
	l.tap.Close()
}

// within kills the link if it is not stopped in time.
func (l *link) within(d time.Duration, what string) *time.Timer {
	return time.AfterFunc(d, func() {
		l.kill(&fault{text: fmt.Sprintf("the server has not %s in %s: the link was dropped", what, d)})
	})
}

// farewellTime is how long a LOGOUT may take when the program ends.
const farewellTime = 100 * time.Millisecond

// hangUpSoon ends the link after a moment for LOGOUT; the context's end calls it.
func (l *link) hangUpSoon() {
	time.AfterFunc(farewellTime, func() { l.kill(errStopped) })
}

var (
	errStopped  = errors.New("stopped")
	errCanceled = errors.New("taken back")
)

// close ends the link for good. All commands have been drained by then.
func (l *link) close() {
	l.stop()
	l.tap.Close()
	if l.role == asMonitor {
		l.s.useTap(nil)
	}
	<-l.client.Closed()
}

// lost makes the fault of a link that died during a command: our own reason, or
// the server's parting words, or the tap's cause, or what is left: imapclient's
// decoder, which could not read the answer.
func (l *link) lost(err error) error {
	l.pump()
	l.mu.Lock()
	cause := l.cause
	l.mu.Unlock()
	var f *fault
	switch tapErr := l.tap.Err(); {
	case errors.As(cause, &f):
		return f
	case cause != nil:
		return &fault{text: say(cause.Error()).String(), err: cause}
	case l.bye != "":
		return &fault{
			text:   "the server closed the link: it said " + strconv.Quote(say(l.bye).String()),
			err:    err,
			after:  statedBackoff(l.bye),
			closed: true,
		}
	case tapErr != nil && !errors.Is(tapErr, net.ErrClosed):
		return &fault{text: lostText(tapErr), err: tapErr, closed: errors.Is(tapErr, io.EOF)}
	case errors.As(err, &f):
		return f
	}
	return &fault{text: "the server's answer could not be read: " + say(err.Error()).String(), err: err, parser: true}
}

// over tells that nothing more is to be expected of the link: it broke, we gave
// it up, or the server said BYE. Not every server closes behind its BYE.
func (l *link) over() bool {
	return l.bye != "" || l.tap.Err() != nil || l.killed()
}

// killed tells whether our own side closed the conn.
func (l *link) killed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cause != nil
}

func isEOF(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe)
}

// pump applies everything that the tap has queued, in wire order. What
// contradicts the list is noted in desync.
func (l *link) pump() {
	l.tap.Each(func(ev *wire.Event) { l.apply(*ev) })
}

// apply takes one wire event.
func (l *link) apply(ev wire.Event) {
	switch ev.Kind {
	case wire.KindStatus:
		l.status(ev)
	case wire.KindTagged:
		l.expired = l.expired || ev.Type != "OK" && l.tokenOver(ev)
		l.tagged++
		l.taggedCode = ev.Code
		l.copyUID = l.copyUID || ev.Code == "COPYUID"
		l.saidModSeq(ev)
		l.proved(ev)
		l.alert(ev)
	case wire.KindOther:
		if ev.Type == "SEARCH" || ev.Type == "ESEARCH" {
			l.searched, l.counted = ev.Type, ev.Counted
		}
		if ev.Type == "VANISHED" && l.opened && l.selecting == nil {
			l.disagree(errors.New("a VANISHED that cannot be read"))
		}
	case wire.KindExists, wire.KindExpunge, wire.KindVanished, wire.KindFetch:
		if ev.Kind == wire.KindFetch && ev.HasFlags && ev.UID != 0 && l.flagsSeen != nil {
			l.flagsSeen[store.UID(ev.UID)] = true
		}
		l.rows(ev)
	}
}

// rows applies an event about rows to the list, or to the SELECT in progress.
func (l *link) rows(ev wire.Event) {
	if l.selecting != nil {
		l.selecting.apply(ev)
		return
	}
	if l.desync != nil || !l.opened {
		// The list will be built anew. What a server says of rows before SELECT
		// is of no mailbox at all (RFC 9051 §7.4).
		return
	}
	if l.catching != nil {
		l.catching.note(ev, l.m.list)
		if len(l.catching.vanished) > maxVanished {
			l.catching.vanished = nil
			l.disagree(fmt.Errorf("more than %d ranges of UIDs are said to have vanished", maxVanished))
		}
	}
	if ev.Kind == wire.KindFetch && ev.ModSeq != 0 {
		l.m.modseqs.see(ev.ModSeq)
	}
	if ev.Kind == wire.KindExists && int64(ev.Num) > int64(l.m.list.Len()) {
		l.newTries, l.newAt = 0, time.Time{}
	}
	err := l.m.changesOf(ev, func(c store.Change) error { return l.m.change(c, l.asked) })
	if err != nil {
		l.disagree(fmt.Errorf("%w: kind %d, number %d, uid %d, with %d rows", err, ev.Kind, ev.Num, ev.UID, l.m.list.Len()))
	}
}

// disagree notes that the list cannot be trusted any more.
func (l *link) disagree(why error) {
	if l.desync == nil {
		l.desync = why
		l.s.log.Warn("the server contradicts the list", "why", why)
	}
}

// status takes an untagged OK, NO, BAD, PREAUTH or BYE.
func (l *link) status(ev wire.Event) {
	l.alert(ev)
	switch {
	case ev.Type == "BYE":
		if l.loggedOut {
			return
		}
		if l.bye != "" {
			return
		}
		if l.bye = ev.Text; l.bye == "" {
			l.bye = "BYE"
		}
		if l.tokenOver(ev) {
			l.expired = true // no word of it: a new token is all that it takes
			return
		}
		l.s.box.Put(AlertEvent{Text: say(l.bye), Bye: true})
	case ev.Type == "PREAUTH":
		l.preauth = true
	case ev.Code == "COPYUID":
		l.copyUID = true
	case l.selecting != nil && l.selecting.status(ev):
	case ev.Code == "UIDVALIDITY" && l.selecting == nil && l.opened:
		if n, err := strconv.ParseUint(ev.Arg, 10, 32); err == nil && uint32(n) != l.m.uidValidity {
			l.disagree(fmt.Errorf("UIDVALIDITY changed from %d to %d", l.m.uidValidity, n))
		}
	case ev.Code == "HIGHESTMODSEQ":
		l.saidModSeq(ev)
	case ev.Code == "READ-ONLY":
		l.readOnly = true
	case ev.Code == "READ-WRITE":
		l.readOnly = false
	}
}

// maxAlerts is how many alerts one link may bring within alertWindow. They are
// never merged or dropped, so that a server that sends nothing else would fill
// the memory.
const (
	maxAlerts   = 100
	alertWindow = time.Minute
)

// alert passes on what the server wants shown (RFC 9051 §7.1).
func (l *link) alert(ev wire.Event) {
	if ev.Code != "ALERT" || ev.Text == "" || ev.Type == "BYE" {
		return
	}
	now := time.Now()
	if now.Sub(l.alertsFrom) > alertWindow {
		l.alertsFrom, l.alerts = now, 0
	}
	l.alerts++
	switch {
	case l.alerts <= maxAlerts:
		l.s.log.Warn("alert", "text", say(ev.Text).String())
		l.s.box.Put(AlertEvent{Text: say(ev.Text)})
	case l.alerts == maxAlerts+1:
		l.kill(&fault{text: fmt.Sprintf("the server sent more than %d alerts within %s: the link was dropped", maxAlerts, alertWindow)})
	}
}
