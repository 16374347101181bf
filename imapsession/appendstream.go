package imapsession

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"

	"tidings/imapsession/wire"
	"tidings/store"
)

// stream sends letters and takes the answers until there are no more of either.
func (a *appender) stream(ctx, linkCtx context.Context) (err error) {
	var underWay []*batch
	octets := int64(0)
	defer func() {
		if err != nil { // what was sent is looked for on the next link
			for _, b := range underWay {
				a.late = append(a.late, b.entries...)
			}
		}
	}()
	take := func() error {
		b := underWay[0]
		if err := a.answer(linkCtx, b); err != nil {
			return err
		}
		octets -= b.octets
		underWay = underWay[1:]
		return nil
	}
	more := true
	for {
		for len(underWay) > 0 && (underWay[0].over() || !a.nonSync || octets >= appendWindow || len(underWay) >= batchLetters) {
			if err := take(); err != nil {
				return err
			}
		}
		var b *batch
		if more = more && ctx.Err() == nil && a.quota < maxQuota; more || len(a.again) > 0 && ctx.Err() == nil && a.quota < maxQuota {
			b, more = a.gather(more)
		}
		if b == nil {
			if len(underWay) == 0 {
				break
			}
			if err := take(); err != nil {
				return err
			}
			continue // an answer may have brought letters back
		}
		sent, err := a.send(ctx, b)
		if sent {
			underWay = append(underWay, b)
			octets += b.octets
		}
		if err != nil {
			return err
		}
	}
	if a.quota >= maxQuota {
		a.giveUp()
		return &fault{text: fmt.Sprintf("there is no room left on the server: %d messages in a row were refused, the rest was not tried", a.quota), fatal: true}
	}
	return nil
}

func (b *batch) over() bool {
	select {
	case <-b.upload.Done():
		return true
	default:
		return false
	}
}

// gather takes the letters of the next command; nil if there are none.
func (a *appender) gather(more bool) (*batch, bool) {
	b := &batch{}
	for len(b.entries) < batchLetters && b.octets < batchOctets {
		e, ok := a.take(&more, b)
		if !ok {
			break
		}
		b.entries = append(b.entries, e)
		b.octets += e.Size
		if !a.multi || e.alone {
			break
		}
	}
	if len(b.entries) == 0 {
		return nil, more
	}
	return b, more
}

// take returns the next letter that may join b.
func (a *appender) take(more *bool, b *batch) (*entry, bool) {
	for {
		if len(a.again) > 0 {
			e := a.again[0]
			if len(b.entries) > 0 && (e.alone || b.octets+e.Size > batchOctets) {
				return nil, false
			}
			a.again = a.again[1:]
			return e, true
		}
		if !*more {
			return nil, false
		}
		letter, err, ok := a.next()
		if !ok {
			*more = false
			return nil, false
		}
		e := &entry{Letter: letter, index: a.index}
		a.index++
		switch {
		case err != nil:
			a.fate(e, Refused, 0, err)
		case e.Size == 0:
			a.fate(e, Refused, 0, errors.New("it is empty"))
		case a.isThere(e):
		case a.limit > 0 && e.Size > a.limit:
			a.fate(e, Refused, 0, fmt.Errorf("it is too large: %d octets, and the server takes %d", e.Size, a.limit))
		case len(b.entries) > 0 && b.octets+e.Size > batchOctets:
			a.again = append(a.again, e)
			return nil, false
		default:
			return e, true
		}
	}
}

// send writes a command. sent tells that the server may have all of it; else its
// letters have been dealt with, unless there is an error, which ends the link.
func (a *appender) send(ctx context.Context, b *batch) (sent bool, err error) {
	l := a.link
	b.upload, err = l.tap.NewUpload("APPEND " + wire.QuotedMailbox(a.o.Mailbox, l.caps.Has(imap.CapIMAP4rev2)))
	if err != nil {
		a.again = append(slices.Clone(b.entries), a.again...)
		return false, l.lost(err)
	}
	l.tap.SetPhase(wire.PhaseIdle) // while we talk, the server need not
	defer l.tap.SetPhase(wire.PhaseCommand)
	for i, e := range b.entries {
		err := a.literal(ctx, b, e)
		var source *wire.SourceError
		switch {
		case errors.Is(err, wire.ErrRefused):
			return true, nil
		case errors.As(err, &source), errors.Is(err, errOpen):
			// The command cannot be finished; nothing of it counts.
			a.fate(e, Refused, 0, err)
			rest := append(slices.Clone(b.entries[:i]), b.entries[i+1:]...)
			a.again = append(rest, a.again...)
			return false, &fault{text: "a letter could not be read to its end", err: err}
		case err != nil:
			// A command that was not ended was not done (RFC 3502 §5).
			a.again = append(slices.Clone(b.entries), a.again...)
			if ctx.Err() != nil {
				return false, &fault{text: "stopped", err: ctx.Err()}
			}
			return false, l.lost(err)
		}
	}
	if err := b.upload.End(); err != nil {
		return true, l.lost(err)
	}
	return true, nil
}

var errOpen = errors.New("it could not be opened")

// literal sends one letter.
func (a *appender) literal(ctx context.Context, b *batch, e *entry) error {
	r, err := e.Open()
	if err != nil {
		return fmt.Errorf("%w: %w", errOpen, err)
	}
	defer r.Close()
	args := " "
	if len(e.Flags) > 0 {
		args += "(" + strings.Join(e.Flags, " ") + ") "
	}
	if !e.Date.IsZero() {
		args += e.Date.Format(`"_2-Jan-2006 15:04:05 -0700" `)
	}
	return b.upload.Literal(ctx, args, counted{r, a}, e.Size, !a.nonSync)
}

// counted tells how many octets have been read.
type counted struct {
	io.Reader
	a *appender
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.a.sent += int64(n)
	if now := time.Now(); c.a.o.Sent != nil && now.Sub(c.a.told) > 100*time.Millisecond {
		c.a.told = now
		c.a.o.Sent(c.a.sent)
	}
	return n, err
}

// answer takes the reply to a command.
func (a *appender) answer(ctx context.Context, b *batch) error {
	l := a.link
	reply, err := b.upload.Wait(ctx)
	l.pump()
	if err != nil {
		return l.lost(err)
	}
	tagged := reply.Tagged
	if tagged.Type == "OK" {
		a.quota = 0
		uids := appendedUIDs(tagged, len(b.entries))
		for i, e := range b.entries {
			a.fate(e, Appended, uids[i], nil)
		}
		if n := uids[len(uids)-1]; n != 0 {
			a.from = n + 1
		}
		return nil
	}
	why := fmt.Errorf("the server refused it: it said %q", say(tagged.Text))
	if len(b.entries) > 1 { // all of it or nothing: which one is it?
		for _, e := range b.entries {
			e.alone = true
		}
		a.again = append(slices.Clone(b.entries), a.again...)
		return nil
	}
	if tagged.Code == "OVERQUOTA" {
		a.quota++
		why = fmt.Errorf("there is no room for it: the server said %q", say(tagged.Text))
	}
	a.fate(b.entries[0], Refused, 0, why)
	return nil
}

// appendedUIDs reads APPENDUID (RFC 4315): n UIDs, zero where they are not told.
func appendedUIDs(tagged wire.Event, n int) []store.UID {
	uids := make([]store.UID, n)
	_, set, _ := strings.Cut(tagged.Arg, " ")
	if tagged.Code != "APPENDUID" {
		return uids
	}
	var found []store.UID
	for part := range strings.SplitSeq(set, ",") {
		first, last, ranged := strings.Cut(part, ":")
		lo, err := strconv.ParseUint(first, 10, 32)
		hi := lo
		if err == nil && ranged {
			hi, err = strconv.ParseUint(last, 10, 32)
		}
		if err != nil || lo == 0 || hi < lo || hi-lo >= uint64(n) {
			return uids
		}
		for u := lo; u <= hi; u++ {
			found = append(found, store.UID(u))
		}
	}
	if len(found) == n {
		copy(uids, found)
	}
	return uids
}
