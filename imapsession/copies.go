package imapsession

import (
	"crypto/sha256"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"

	"tidings/internal/safetext"
	"tidings/store"
)

// copiesPart is what a job knows of the copies that it makes. A COPY is not safe
// to send twice: before the first one, where the copies will land is found out and
// written down; when its answer is lost, they are looked for from there on.
type copiesPart struct {
	landing store.Landing // of the mailbox copied to; zero where it did not tell
	landed  bool          // landing was asked for, and is written down
	left    []store.UID   // nil: all; else what has still to be copied, ascending
	behind  int           // of a move: the copies whose originals are not known to be removed
	// unproven are those that an OK may have copied, or not: they stay. Ascending.
	unproven []store.UID
}

// rest returns those of uids, which ascend, that have still to be copied.
func (j *job) rest(uids []store.UID) []store.UID {
	switch {
	case j.stage >= copied:
		return nil
	case j.copies.left == nil:
		return uids
	}
	return without(uids, without(uids, j.copies.left))
}

// readyToCopy sees to what has to be known before a COPY is sent: what became of
// an earlier one whose answer was lost, and where the copies will land. If it is
// not ready, the job gets another turn, or waits.
func (l *link) readyToCopy(j *job, uids []store.UID, dest string) (ready bool, err error) {
	if j.stage == copying {
		return false, l.findCopies(j, uids, dest)
	}
	if j.stage < copied && !j.copies.landed {
		waits, err := l.land(j, dest)
		return !waits, err
	}
	return true, nil
}

// copySome copies messages by one command, and returns those of which there is a
// copy for sure: where the server can name them (COPYUID, RFC 4315), those that it
// names.
func (l *link) copySome(j *job, some []store.UID, dest string) (proven []store.UID, refusal, err error) {
	j.stage = copying
	before := 0
	if j.copied != nil {
		before = len(j.copied.From)
	}
	data, err := l.client.Copy(uidSet(some), dest).Wait()
	refusal, err = l.drain(err)
	if err != nil || refusal != nil {
		return nil, refusal, err
	}
	if data != nil {
		j.copied = j.copied.and(dest, data.UIDValidity, data.SourceUIDs, data.DestUIDs)
	}
	if !l.hasUIDPlus() {
		return some, nil, nil
	}
	if j.copied != nil {
		named := ascending(j.copied.From[before:])
		proven = without(some, without(some, named))
	}
	return proven, nil, nil
}

// land finds out where copies will land and has it written down, with the stage in
// which the copy may have been sent. waits tells that the disk has to say so first.
func (l *link) land(j *job, dest string) (waits bool, err error) {
	if j.copies.landing == (store.Landing{}) {
		now, refusal, err := l.landingOf(dest)
		if err != nil {
			return false, err
		}
		if refusal == nil { // else the COPY will be told why, in better words
			j.copies.landing = now.Landing
		}
	}
	j.copies.landed = true
	return l.s.noteCopying(j), nil
}

// noteCopying writes down that a COPY may have been sent, and tells whether that
// has to be waited for.
func (s *Session) noteCopying(j *job) (waits bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(j, copying)
	return j.writing
}

// noteStage writes down how far a job has come; nothing waits for that.
func (s *Session) noteStage(j *job, at stage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j.entry != 0 {
		j.noted = at
		s.cfg.Outbox.Note(j.entry, j.progress(), nil)
	}
}

// standing is what a mailbox says of itself without being selected.
type standing struct {
	store.Landing
	messages uint32
}

func (l *link) landingOf(name string) (now standing, refusal, err error) {
	data, err := l.client.Status(name, &imap.StatusOptions{NumMessages: true, UIDNext: true, UIDValidity: true}).Wait()
	refusal, err = l.drain(err)
	if data != nil && refusal == nil {
		now.UIDValidity, now.Next = data.UIDValidity, store.UID(data.UIDNext)
		if data.NumMessages != nil {
			now.messages = *data.NumMessages
		}
	}
	return now, refusal, err
}

// look is what a copy has in common with its original.
type look struct {
	size   int64
	date   int64 // INTERNALDATE, in seconds since 1970
	header [sha256.Size]byte
}

// undated is a look but for its date, which not every server copies.
func (k look) undated() look {
	k.date = 0
	return k
}

// findCopies finds out what became of a COPY whose answer was lost. It looks at
// what came into the other mailbox since before it was sent. Of each message one
// that is its like means that it was copied, none that it was not; what is between
// is for the person to decide.
func (l *link) findCopies(j *job, uids []store.UID, dest string) error {
	if l.role == asMonitor && l.s.handOver(j) {
		return nil // the monitor stays where it is
	}
	uids = j.rest(uids) // of the others it is known
	originals, err := l.originals(uids)
	if err != nil {
		return err
	}
	if len(originals) == 0 {
		l.s.finish(j, j.soFar(errGone), safetext.Text{})
		return nil
	}
	arrived, why, err := l.arrivedIn(dest, j.copies.landing, originals)
	if err != nil {
		return err
	}
	if l.role == asMonitor {
		l.m, l.readOnly = &l.s.mailbox, false
		if err := l.openMailbox(); err != nil {
			return err
		}
	}
	if why != nil {
		l.s.askPerson(j, safetext.Format("whether it was copied to %s is not known: %s", title(dest), say(why.Error())))
		return nil
	}
	if j.copied != nil {
		for _, uid := range j.copied.To {
			delete(arrived, uid) // of which it is known what they are copies of
		}
	}
	l.settleCopies(j, dest, originals, arrived)
	return nil
}

// originals describes messages; what it leaves out is gone.
func (l *link) originals(uids []store.UID) (map[store.UID]look, error) {
	out := map[store.UID]look{}
	for range 2 { // an answer may lack one of which something else was told meanwhile
		var silent []store.UID
		for _, u := range uids {
			if _, ok := out[u]; !ok {
				silent = append(silent, u)
			}
		}
		for _, some := range uidLines(silent) {
			found, err := l.looks(uidSet(some), nil)
			if err != nil {
				return nil, err
			}
			maps.Copy(out, found)
		}
	}
	return out, nil
}

// settleCopies decides which messages were copied.
func (l *link) settleCopies(j *job, dest string, originals, arrived map[store.UID]look) {
	mine, theirs, near := byLook(originals), byLook(arrived), map[look]int{}
	for _, k := range arrived {
		near[k.undated()]++
	}
	to := &Copied{Place: store.Place{Mailbox: dest, UIDValidity: j.copies.landing.UIDValidity}}
	if j.copied != nil {
		to.From, to.To = slices.Clone(j.copied.From), slices.Clone(j.copied.To)
	}
	missing := []store.UID{}
	unclear := 0
	for k, some := range mine {
		switch found := theirs[k]; {
		case len(found) == len(some):
			to.From, to.To = append(to.From, some...), append(to.To, found...)
		case near[k.undated()] == 0:
			missing = append(missing, some...)
		default:
			missing = append(missing, some...)
			unclear += len(some)
		}
	}
	j.copied = nil
	if len(to.From) > 0 {
		j.copied = to
	}
	slices.Sort(missing)
	switch {
	case unclear > 0:
		j.copies.left = missing
		l.s.askPerson(j, safetext.Format("whether %s of %s messages were copied to %s is not known: what came there meanwhile looks almost like it", safetext.Int(unclear), safetext.Int(len(originals)), title(dest)))
	case len(missing) > 0:
		j.copies.left, j.stage = missing, fresh
	default:
		j.stage = copied
		l.s.noteStage(j, copied)
	}
}

// byLook gathers the messages that look alike, in order.
func byLook(looks map[store.UID]look) map[look][]store.UID {
	out := map[look][]store.UID{}
	for u, k := range looks {
		out[k] = append(out[k], u)
	}
	for _, some := range out {
		slices.Sort(some)
	}
	return out
}

const (
	// copyQuiet is how long nothing may come into a mailbox before it is believed
	// that nothing comes: a server may be busy still with what it was sent on the
	// link that broke.
	copyQuiet = 2 * time.Second
	// maxUnquiet is how often that is waited for: others may fill the mailbox.
	maxUnquiet = 5
)

// awaitQuiet waits until nothing more comes into a mailbox: of what was sent on a
// link that broke, the server may be doing some still.
func (l *link) awaitQuiet(name string) error {
	for n, last := 0, (standing{}); n < maxUnquiet; n++ {
		now, refusal, err := l.landingOf(name)
		if err != nil || refusal != nil || n > 0 && now == last {
			return err
		}
		last = now
		timer := time.NewTimer(l.s.quiet)
		select {
		case <-timer.C:
		case <-l.ctx.Done():
		}
		timer.Stop()
	}
	return nil
}

// arrivedIn describes what came into a mailbox since the landing was asked for, as
// far as it has the size of an original. why says why that cannot be told.
func (l *link) arrivedIn(name string, from store.Landing, originals map[store.UID]look) (arrived map[store.UID]look, why, err error) {
	if from.Next == 0 || from.UIDValidity == 0 {
		return nil, errors.New("the server did not say what was there before"), nil
	}
	if err := l.awaitQuiet(name); err != nil {
		return nil, nil, err
	}
	why, err = l.visit(name, false, true)
	if why != nil || err != nil {
		return nil, why, err
	}
	if l.m.uidValidity != from.UIDValidity {
		return nil, errors.New("that mailbox was renumbered meanwhile (its UIDVALIDITY changed)"), nil
	}
	sizes := map[int64]bool{}
	for _, k := range originals {
		sizes[k.size] = true
	}
	var set imap.UIDSet
	set.AddRange(imap.UID(from.Next), 0)
	arrived, err = l.looks(set, func(uid store.UID, size int64) bool { return uid >= from.Next && sizes[size] }) // "n:*" always brings one
	return arrived, nil, err
}

// looks describes messages of the selected mailbox, those that are wanted.
func (l *link) looks(set imap.UIDSet, wanted func(store.UID, int64) bool) (map[store.UID]look, error) {
	out := map[store.UID]look{}
	var uids []store.UID
	items := &imap.FetchOptions{UID: true, RFC822Size: true, InternalDate: true}
	err := l.eachMessage(set, items, func(uid store.UID, octets int64, date time.Time, _ []byte) {
		if uid != 0 && octets > 0 && (wanted == nil || wanted(uid, octets)) {
			uids = append(uids, uid)
			out[uid] = look{size: octets, date: date.Unix()}
		}
	})
	if err != nil {
		return nil, asFault(err)
	}
	header := &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{{Specifier: imap.PartSpecifierHeader, Peek: true}}}
	for _, some := range uidLines(uids) {
		err := l.eachMessage(uidSet(some), header, func(uid store.UID, _ int64, _ time.Time, header []byte) {
			if k, ok := out[uid]; ok && header != nil {
				k.header = sha256.Sum256(header)
				out[uid] = k
			}
		})
		if err != nil {
			return nil, asFault(err)
		}
	}
	for uid, k := range out {
		if k.header == [sha256.Size]byte{} {
			delete(out, uid) // gone between the two
		}
	}
	return out, nil
}
