package imapsession

import (
	"errors"
	"strings"

	"github.com/emersion/go-imap/v2"

	"tidings/imapsession/wire"
)

// What the list holds is complete up to a HIGHESTMODSEQ only in certain moments.
// A FETCH by number may tell of a change while an EXPUNGE of before it waits for
// a command that may carry it (RFC 9051 §7.5.1), so that the highest MODSEQ seen
// proves nothing yet. It does when the server has answered a NOOP, which holds
// nothing back, or, of what it said within an IDLE, when that has ended.

// modseqs follows what the server says of mod-sequences (RFC 7162).
type modseqs struct {
	// sure: the list has every change up to it. 0 where the server has none.
	sure uint64
	seen uint64 // the highest that was seen
	idle uint64 // the highest that was seen since IDLE began
}

// see takes note of the MODSEQ of a FETCH.
func (m *modseqs) see(n uint64) {
	m.seen = max(m.seen, n)
	m.idle = max(m.idle, n)
}

// said takes note of a HIGHESTMODSEQ code outside SELECT. Dovecot sends a lower
// one than it has used while it holds an EXPUNGE back.
func (m *modseqs) said(n uint64) {
	if n == 0 {
		return
	}
	m.seen, m.idle = n, n
	m.sure = min(m.sure, n)
}

// told: everything that was seen is in the list. It returns whether that is news.
func (m *modseqs) told() bool { return m.settle(m.seen) }

// idled: an IDLE has ended.
func (m *modseqs) idled() bool { return m.settle(m.idle) }

func (m *modseqs) settle(n uint64) bool {
	if m.sure == 0 || n <= m.sure {
		return false
	}
	m.sure = n
	return true
}

// proof is a command whose reply makes mod-sequences sure.
type proof uint8

const (
	noProof proof = iota
	byIdle        // of what it brought
	byNoop        // of everything
)

// proved takes the tagged reply of the command that is in flight, at its place on
// the wire: what came behind it is not part of what it proves.
func (l *link) proved(ev wire.Event) {
	by := l.proving
	l.proving = noProof
	if ev.Type != "OK" {
		return
	}
	switch by {
	case byIdle:
		l.m.unkept = l.m.modseqs.idled() || l.m.unkept
	case byNoop:
		l.m.unkept = l.m.modseqs.told() || l.m.unkept
	}
}

// reset starts anew from what a SELECT said, once every change up to it is in the
// list.
func (m *modseqs) reset(n uint64) { *m = modseqs{sure: n, seen: n} }

// ahead tells whether a NOOP would make more of what was seen sure.
func (m *modseqs) ahead() bool { return m.sure != 0 && m.seen > m.sure }

// hasCondstore tells whether the server keeps mod-sequences.
func (l *link) hasCondstore() bool {
	return l.caps.Has(imap.CapCondStore) || l.caps.Has(imap.CapQResync)
}

// enableQresync asks for VANISHED in place of EXPUNGE, ahead of the first SELECT
// of a link; nil where that is not to be had. It is raw: imapclient knows neither.
func (l *link) enableQresync() (*wire.Call, error) {
	if l.role != asMonitor || l.enabling || !l.caps.Has(imap.CapQResync) || !l.caps.Has(imap.CapEnable) {
		return nil, nil
	}
	l.enabling = true
	return l.tap.Start("ENABLE QRESYNC")
}

// enabled takes the answer to enableQresync.
func (l *link) enabled(call *wire.Call) error {
	if call == nil {
		return nil
	}
	<-call.Done()
	reply, err := call.Reply()
	if err != nil {
		return l.lost(err)
	}
	for _, line := range reply.Untagged {
		words := strings.Fields(strings.ToUpper(line))
		if len(words) > 1 && words[1] == "ENABLED" {
			for _, w := range words[2:] {
				l.qresync = l.qresync || w == "QRESYNC"
			}
		}
	}
	return nil
}

// errRefusedAsk is the server's NO or BAD to a command of ask.
var errRefusedAsk = errors.New("refused")

// ask sends a command whose replies are wire events alone, and takes these while
// they come, however many. It is for when nothing else is in flight.
func (l *link) ask(command string) error {
	if err := l.settle(); err != nil {
		return err
	}
	call, err := l.tap.Ask(command)
	if err != nil {
		return l.lost(err)
	}
	for over := false; !over; {
		select {
		case <-l.tap.Ready():
		case <-call.Done():
			over = true
		}
		l.pump()
	}
	reply, err := call.Reply()
	if err != nil {
		return l.lost(err)
	}
	l.tagged++
	if reply.Tagged.Type != "OK" {
		l.s.log.Warn("the server refused what was asked", "it said", say(reply.Tagged.Text).String())
		return errRefusedAsk
	}
	return nil
}

// saidModSeq takes a HIGHESTMODSEQ code that stands outside a SELECT.
func (l *link) saidModSeq(ev wire.Event) {
	if ev.Code == "HIGHESTMODSEQ" && l.selecting == nil && l.opened {
		l.m.modseqs.said(ev.ModSeq)
	}
}
