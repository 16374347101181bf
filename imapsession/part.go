package imapsession

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"

	"tidings/imapsession/wire"
	"tidings/internal/message"
	"tidings/internal/safetext"
	"tidings/store"
)

// ErrNoStructure: the server does not say in a form that can be read what a message
// is made of. What is in it is found out by fetching all of it.
var ErrNoStructure = errors.New("the server does not say clearly what the message is made of")

// structured is the structure that a link asked for last.
type structured struct {
	at   store.Place
	uid  store.UID
	size int64
	root *wire.Structure
}

// partPart is how far a FetchPart is; it survives a reconnect.
type partPart struct {
	on     *link // on which the message was found to be the one that was meant
	got    int64
	toldAt time.Time
}

// fetchStructure answers a FetchStructure.
func (l *link) fetchStructure(j *job, c FetchStructure) error {
	if len(c.Target.UIDs) != 1 {
		l.s.finish(j, errors.New("a structure is asked for of one message at a time"), safetext.Text{})
		return nil
	}
	s, refusal, err := l.structure(c.Target.UIDs[0])
	if err != nil {
		return err
	}
	if refusal != nil {
		l.s.finish(j, refusal, safetext.Text{})
		return nil
	}
	root := entity(s.root)
	l.s.box.Put(StructureEvent{
		ID: j.id, UIDValidity: c.Target.UIDValidity, UID: s.uid, Size: s.size, Type: root.Type, Parts: root.Attachments(),
	})
	l.s.finish(j, nil, safetext.Text{})
	return nil
}

// structure asks what a message is made of, unless that was the last question of
// the kind. refusal is why that is not known; an error means that the link is lost.
func (l *link) structure(uid store.UID) (s structured, refusal, err error) {
	at := l.m.place()
	if l.structured.at == at && l.structured.uid == uid {
		return l.structured, nil, nil
	}
	if err := l.settle(); err != nil {
		return s, nil, err
	}
	d, found, refusal, err := l.describe(uid)
	if err == nil && refusal == nil && !found {
		// A connection that has just been made may not have heard of it yet.
		gone, lost := l.goneByNow(uid)
		if lost != nil || gone {
			return s, errGone, lost
		}
		d, found, refusal, err = l.describe(uid)
	}
	switch bad := errors.Is(refusal, wire.ErrStructure); {
	case err != nil:
		return s, nil, err
	case refusal != nil && !bad:
		return s, refusal, nil
	case !found:
		return s, errGone, nil
	case bad:
		l.s.log.Info("a structure cannot be read", "uid", uid, "why", refusal)
		return s, ErrNoStructure, nil
	}
	l.structured = structured{at, uid, d.Size, d.Root}
	return l.structured, nil, nil
}

// describe asks what a message is made of. found tells that the server spoke of the
// message; refusal is the server's, or wire.ErrStructure.
func (l *link) describe(uid store.UID) (d wire.Described, found bool, refusal, err error) {
	call, err := l.tap.Start(fmt.Sprintf("UID FETCH %d (UID RFC822.SIZE BODYSTRUCTURE)", uid))
	if err != nil {
		return d, false, nil, l.lost(err)
	}
	<-call.Done()
	l.pump()
	reply, err := call.Reply()
	if err != nil {
		return d, false, nil, l.lost(err)
	}
	l.tagged++
	if reply.Tagged.Type != "OK" {
		return d, false, fmt.Errorf("%w: it said %s", ErrNoStructure, strconv.Quote(say(reply.Tagged.Text).String())), nil
	}
	d, found, refusal = wire.ReadStructure(reply, uint32(uid))
	return d, found, refusal, nil
}

// entity is a structure as the room of messages has it.
func entity(s *wire.Structure) *message.Entity {
	e := &message.Entity{
		Type: s.Type + "/" + s.Subtype, Params: entityParams(s.Params), Description: s.Description, Encoding: s.Encoding,
		Octets: s.Octets, Disposition: s.Disposition, DispositionParams: entityParams(s.DispositionParams),
	}
	for i := range s.Parts {
		e.Parts = append(e.Parts, *entity(&s.Parts[i]))
	}
	if s.Inside != nil {
		e.Inside = entity(s.Inside)
	}
	return e
}

func entityParams(in []wire.Param) (out []message.Param) {
	for _, p := range in {
		out = append(out, message.Param(p))
	}
	return out
}

// sectionNumbers reads the number of a part, such as "1.3"; "" is all of the message.
func sectionNumbers(section string) (part []int, ok bool) {
	if section == "" {
		return nil, true
	}
	for n := range strings.SplitSeq(section, ".") {
		i, err := strconv.ParseUint(n, 10, 31)
		if err != nil || i == 0 || len(part) > 100 {
			return nil, false
		}
		part = append(part, int(i))
	}
	return part, true
}

// fetchPartOf fetches the next chunk of a part and, if that was the last, ends the
// job; else the other jobs have their turn first.
func (l *link) fetchPartOf(j *job, c FetchPart) error {
	section, ok := sectionNumbers(c.Section)
	if len(c.Target.UIDs) != 1 || !ok || c.Into == nil {
		l.s.finish(j, errors.New("a part is fetched of one message at a time"), safetext.Text{})
		return nil
	}
	uid := c.Target.UIDs[0]
	if j.part.on != l {
		if done, err := l.sameAsBefore(j, c, uid); done || err != nil {
			return err
		}
		j.part.on = l
	}
	if l.bodyChunk == 0 {
		l.bodyChunk = bodyChunk
	}
	// One octet more than there should be: if it does not come, that was all, and
	// no further question is needed to know it.
	want := l.bodyChunk
	if left := c.Octets - j.part.got; c.Octets >= 0 && left >= 0 {
		want = min(want, left+1)
	}
	if c.Limit > 0 {
		want = min(want, c.Limit-j.part.got)
	}
	began := time.Now()
	part, err := l.fetchPart(uid, section, j.part.got, want)
	if err != nil {
		return err
	}
	l.paceBody(time.Since(began))
	n := int64(len(part.data))
	switch {
	case l.s.isCanceled(j):
		return nil // ended at the next turn
	case part.refusal != nil:
		l.s.finish(j, errors.New("the server would not give the part: it said "+words(part.refusal)), safetext.Text{})
		return nil
	case !part.found:
		l.s.finish(j, errGone, safetext.Text{})
		return nil
	case n == 0 && j.part.got != c.Octets:
		if gone, err := l.goneByNow(uid); err != nil || gone {
			if gone {
				l.s.finish(j, errGone, safetext.Text{})
			}
			return err
		}
		if j.part.got == 0 && c.Octets > 0 {
			l.s.finish(j, errors.New("the server sent nothing of the part"), safetext.Text{})
			return nil
		}
	}
	c.Into.Put(part.data)
	j.part.got += n
	if n > 0 {
		j.lost = 0 // however often the link breaks, it comes to an end
	}
	// Some servers send less than was asked for in the middle.
	whole := n == 0 || n < want && j.part.got == c.Octets
	done := whole || c.Limit > 0 && j.part.got >= c.Limit
	if now := time.Now(); done || now.Sub(j.part.toldAt) >= reportEvery {
		j.part.toldAt = now
		l.s.box.Put(ProgressEvent{ID: j.id, Done: j.part.got, Total: max(c.Octets, 0), Ended: done})
	}
	switch {
	case done:
		l.s.finish(j, nil, c.differs(j.part.got, whole))
	case l.role == asMonitor && (c.Octets < 0 || c.left(j.part.got) > longBody):
		l.s.handOver(j)
		fallthrough
	default:
		l.s.letPass(j)
	}
	return nil
}

// left is how much is still to be fetched.
func (c *FetchPart) left(got int64) int64 {
	if c.Limit > 0 {
		return min(c.Octets, c.Limit) - got
	}
	return c.Octets - got
}

// differs says that a part is not as long as it was said to be.
func (c *FetchPart) differs(got int64, whole bool) safetext.Text {
	if !whole || c.Octets < 0 || got == c.Octets {
		return safetext.Text{}
	}
	return safetext.Format("the server announced %s octets of it and sent %s", safetext.Int(int(c.Octets)), safetext.Int(int(got)))
}

// sameAsBefore tells whether the message is the one whose structure the listener
// knows, on a link that has not fetched of it yet. If not, it ends the job: what was
// fetched before must not be continued by something else.
func (l *link) sameAsBefore(j *job, c FetchPart, uid store.UID) (done bool, err error) {
	if c.Section == "" {
		size, err := l.fetchSize(uid)
		gone := false
		if err == nil && size == 0 {
			gone, err = l.goneByNow(uid)
		}
		switch {
		case err != nil:
			return false, err
		case gone:
			l.s.finish(j, errGone, safetext.Text{})
		case size > 0 && c.Octets >= 0 && size != c.Octets:
			l.s.finish(j, errors.New("the message is not what it was: it has another size now"), safetext.Text{})
			gone = true
		}
		return gone, nil
	}
	s, refusal, err := l.structure(uid)
	if err != nil {
		return false, err
	}
	if refusal == nil {
		if octets, found := sectionOctets(entity(s.root), c.Section); !found || octets != c.Octets {
			refusal = errors.New("the message is not what it was: the part has another size now")
		}
	}
	if refusal != nil {
		l.s.finish(j, refusal, safetext.Text{})
	}
	return refusal != nil, nil
}

// sectionOctets finds the size of a part that can be fetched.
func sectionOctets(root *message.Entity, section string) (octets int64, found bool) {
	for _, r := range root.Attachments() {
		if r.Section == section {
			return r.Octets, true
		}
	}
	return 0, false
}

// bodySection names what a partial FETCH asks for: a part, or the message.
func bodySection(section []int, offset, n int64) *imap.FetchItemBodySection {
	return &imap.FetchItemBodySection{Part: section, Peek: true, Partial: &imap.SectionPartial{Offset: offset, Size: n}}
}
