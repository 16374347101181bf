package demo

import (
	"bytes"
	"io"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	gomessage "github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // letters come in several
)

// Search implements imapserver.Session. It sees the messages that the client
// has been told of and that still exist.
func (s *session) Search(kind imapserver.NumKind, criteria *imap.SearchCriteria, options *imap.SearchOptions) (*imap.SearchData, error) {
	s.server.mu.Lock()
	v := s.view
	rows := slices.Clone(v.mailbox.rows[:v.known()])
	gone := slices.Clone(v.gone)
	q := &query{writer: s.server.writer, sets: slices.Clone(s.server.flags.sets), last: uint32(v.told)}
	s.server.mu.Unlock()

	if len(rows) > 0 {
		q.lastUID = rows[len(rows)-1].uid
	}
	wanted := q.compile(criteria)
	var numbers []uint32
	var c candidate
	seq := uint32(0)
	for i := range rows {
		seq++
		for len(gone) > 0 && gone[0] == seq {
			gone = gone[1:]
			seq++
		}
		c = candidate{row: &rows[i], seq: seq}
		if !wanted.matches(&c) {
			continue
		}
		if kind == imapserver.NumKindUID {
			numbers = append(numbers, rows[i].uid)
		} else {
			numbers = append(numbers, seq)
		}
	}
	return found(kind, numbers, options), nil
}

// found packs the numbers, which ascend, as the options want them.
func found(kind imapserver.NumKind, numbers []uint32, options *imap.SearchOptions) *imap.SearchData {
	data := &imap.SearchData{Count: uint32(len(numbers))}
	if len(numbers) > 0 {
		data.Min, data.Max = numbers[0], numbers[len(numbers)-1]
	}
	all := options == nil || options.ReturnAll || !options.ReturnMin && !options.ReturnMax && !options.ReturnCount
	var seqs imap.SeqSet
	var uids imap.UIDSet
	for i := 0; all && i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		seqs = append(seqs, imap.SeqRange{Start: numbers[i], Stop: numbers[j]})
		uids = append(uids, imap.UIDRange{Start: imap.UID(numbers[i]), Stop: imap.UID(numbers[j])})
		i = j + 1
	}
	if kind == imapserver.NumKindUID {
		data.All = uids
	} else {
		data.All = seqs
	}
	return data
}

// query is a SEARCH over rows that were copied out of the lock.
type query struct {
	writer        *writer
	sets          [][]imap.Flag // by flagSet, less one
	last, lastUID uint32        // what "*" stands for
}

// candidate is a row, and its bytes once somebody needed them.
type candidate struct {
	row *row
	seq uint32
	raw []byte
}

// condition is one level of criteria, made ready for many rows: what depends on
// flags is answered per set of flags, of which there are few.
type condition struct {
	*imap.SearchCriteria
	query *query
	flags []bool // by flagSet: the set has what is asked for
	not   []*condition
	or    [][2]*condition
}

func (q *query) compile(criteria *imap.SearchCriteria) *condition {
	c := &condition{SearchCriteria: criteria, query: q, flags: make([]bool, len(q.sets)+1)}
	for set := range c.flags {
		var flags []imap.Flag
		if set > 0 {
			flags = q.sets[set-1]
		}
		lacks := func(flag imap.Flag) bool { return !containsFold(flags, flag) }
		has := func(flag imap.Flag) bool { return containsFold(flags, flag) }
		c.flags[set] = !slices.ContainsFunc(criteria.Flag, lacks) && !slices.ContainsFunc(criteria.NotFlag, has)
	}
	for i := range criteria.Not {
		c.not = append(c.not, q.compile(&criteria.Not[i]))
	}
	for i := range criteria.Or {
		c.or = append(c.or, [2]*condition{q.compile(&criteria.Or[i][0]), q.compile(&criteria.Or[i][1])})
	}
	return c
}

// matches tries what is cheap first: most searches never need the bytes.
func (w *condition) matches(c *candidate) bool {
	return w.flags[c.row.flags] && w.matchesRow(c) && w.matchesBytes(c) && w.matchesNested(c)
}

func (w *condition) matchesRow(c *candidate) bool {
	for _, set := range w.SeqNum {
		if !inSeqs(set, c.seq, w.query.last) {
			return false
		}
	}
	for _, set := range w.UID {
		if !inUIDs(set, c.row.uid, w.query.lastUID) {
			return false
		}
	}
	return w.Since.IsZero() && w.Before.IsZero() || within(c.row.time(), w.Since, w.Before)
}

// bytes of the candidate, made once.
func (w *condition) bytes(c *candidate) []byte {
	if c.raw == nil {
		c.raw = w.query.writer.bytes(c.row)
	}
	return c.raw
}

func (w *condition) matchesBytes(c *candidate) bool {
	if w.Larger != 0 && int64(len(w.bytes(c))) <= w.Larger {
		return false
	}
	if w.Smaller != 0 && int64(len(w.bytes(c))) >= w.Smaller {
		return false
	}
	if len(w.Header)+len(w.Text)+len(w.Body) == 0 && w.SentSince.IsZero() && w.SentBefore.IsZero() {
		return true
	}
	header := entity(w.bytes(c)).Header
	for _, want := range w.Header {
		if !hasField(header, want.Key, want.Value) {
			return false
		}
	}
	if !w.SentSince.IsZero() || !w.SentBefore.IsZero() {
		sent, err := mail.ParseDate(header.Get("Date"))
		if err != nil || !within(sent, w.SentSince, w.SentBefore) {
			return false
		}
	}
	for _, text := range w.Text {
		if !hasText(entity(w.bytes(c)), strings.ToLower(text), true) {
			return false
		}
	}
	for _, text := range w.Body {
		if !hasText(entity(w.bytes(c)), strings.ToLower(text), false) {
			return false
		}
	}
	return true
}

func (w *condition) matchesNested(c *candidate) bool {
	for _, not := range w.not {
		if not.matches(c) {
			return false
		}
	}
	for _, or := range w.or {
		if !or[0].matches(c) && !or[1].matches(c) {
			return false
		}
	}
	return true
}

func inSeqs(set imap.SeqSet, seq, last uint32) bool {
	return slices.ContainsFunc(set, func(r imap.SeqRange) bool { return inRange(r.Start, r.Stop, seq, last) })
}

func inUIDs(set imap.UIDSet, uid, last uint32) bool {
	return slices.ContainsFunc(set, func(r imap.UIDRange) bool {
		return inRange(uint32(r.Start), uint32(r.Stop), uid, last)
	})
}

// inRange reads 0 as "*".
func inRange(lo, hi, n, last uint32) bool {
	if lo == 0 {
		lo = last
	}
	if hi == 0 {
		hi = last
	}
	return min(lo, hi) <= n && n <= max(lo, hi)
}

// within compares days, without time or zone (RFC 3501 §6.4.4).
func within(t, since, before time.Time) bool {
	day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	return (since.IsZero() || !day.Before(since)) && (before.IsZero() || day.Before(before))
}

// entity parses a message; one that cannot be parsed is empty.
func entity(raw []byte) *gomessage.Entity {
	e, _ := gomessage.Read(bytes.NewReader(raw))
	if e == nil {
		e = &gomessage.Entity{Body: bytes.NewReader(nil)}
	}
	return e
}

// hasField says whether a field holds a text, decoded, in any case; an empty
// text asks only for the field.
func hasField(header gomessage.Header, key, text string) bool {
	for f := header.FieldsByKey(key); f.Next(); {
		decoded, _ := f.Text()
		if strings.Contains(strings.ToLower(decoded), strings.ToLower(text)) {
			return true
		}
	}
	return false
}

// hasText looks through the text parts, and with headers through the header
// fields, for a lower-case text.
func hasText(e *gomessage.Entity, text string, headers bool) bool {
	if headers {
		for f := e.Header.Fields(); f.Next(); {
			decoded, _ := f.Text()
			if strings.Contains(strings.ToLower(decoded), text) {
				return true
			}
		}
	}
	if parts := e.MultipartReader(); parts != nil {
		for {
			part, err := parts.NextPart()
			if part == nil || err != nil && !gomessage.IsUnknownCharset(err) && !gomessage.IsUnknownEncoding(err) {
				return false
			}
			if hasText(part, text, headers) {
				return true
			}
		}
	}
	kind, _, _ := e.Header.ContentType()
	if kind != "" && !strings.HasPrefix(kind, "text/") && !strings.HasPrefix(kind, "message/") {
		return false
	}
	body, err := io.ReadAll(e.Body)
	return err == nil && strings.Contains(strings.ToLower(string(body)), text)
}
