package demo

import (
	"bytes"
	"io"
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
	q := &query{server: s.server, sets: map[flagSet][]imap.Flag{}, answers: map[flagQuestion]bool{}}
	for i, list := range s.server.flags.sets {
		q.sets[flagSet(i+1)] = list
	}
	q.last, q.lastUID = uint32(v.told), 0
	s.server.mu.Unlock()

	if len(rows) > 0 {
		q.lastUID = rows[len(rows)-1].uid
	}
	var numbers []uint32
	seq := uint32(0)
	for i := range rows {
		seq++
		for len(gone) > 0 && gone[0] == seq {
			gone = gone[1:]
			seq++
		}
		c := candidate{row: &rows[i], seq: seq}
		if !q.matches(&c, criteria) {
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
	server        *Server
	sets          map[flagSet][]imap.Flag
	answers       map[flagQuestion]bool
	last, lastUID uint32 // what "*" stands for
}

// candidate is a row, and its bytes once somebody needed them.
type candidate struct {
	row *row
	seq uint32
	raw []byte
}

func (q *query) bytes(c *candidate) []byte {
	if c.raw == nil {
		c.raw = q.server.writer.bytes(c.row)
	}
	return c.raw
}

// matches tries what is cheap first: most searches never need the bytes.
func (q *query) matches(c *candidate, criteria *imap.SearchCriteria) bool {
	return q.matchesRow(c, criteria) && q.matchesBytes(c, criteria) && q.matchesNested(c, criteria)
}

func (q *query) matchesRow(c *candidate, criteria *imap.SearchCriteria) bool {
	for _, set := range criteria.SeqNum {
		if !inSeqs(set, c.seq, q.last) {
			return false
		}
	}
	for _, set := range criteria.UID {
		if !inUIDs(set, c.row.uid, q.lastUID) {
			return false
		}
	}
	return q.matchesFlags(c.row.flags, criteria) && within(c.row.time(), criteria.Since, criteria.Before)
}

// matchesFlags answers once for each set of flags: there are few sets, and
// there may be a million rows.
func (q *query) matchesFlags(set flagSet, criteria *imap.SearchCriteria) bool {
	if len(criteria.Flag)+len(criteria.NotFlag) == 0 {
		return true
	}
	key := flagQuestion{criteria, set}
	answer, asked := q.answers[key]
	if !asked {
		lacks := func(flag imap.Flag) bool { return !containsFold(q.sets[set], flag) }
		has := func(flag imap.Flag) bool { return containsFold(q.sets[set], flag) }
		answer = !slices.ContainsFunc(criteria.Flag, lacks) && !slices.ContainsFunc(criteria.NotFlag, has)
		q.answers[key] = answer
	}
	return answer
}

// flagQuestion is whether a set has the flags that one criteria asks for.
type flagQuestion struct {
	criteria *imap.SearchCriteria
	set      flagSet
}

func (q *query) matchesBytes(c *candidate, criteria *imap.SearchCriteria) bool {
	if criteria.Larger != 0 && int64(len(q.bytes(c))) <= criteria.Larger {
		return false
	}
	if criteria.Smaller != 0 && int64(len(q.bytes(c))) >= criteria.Smaller {
		return false
	}
	if len(criteria.Header)+len(criteria.Text)+len(criteria.Body) == 0 &&
		criteria.SentSince.IsZero() && criteria.SentBefore.IsZero() {
		return true
	}
	header := entity(q.bytes(c)).Header
	for _, want := range criteria.Header {
		if !hasField(header, want.Key, want.Value) {
			return false
		}
	}
	if !criteria.SentSince.IsZero() || !criteria.SentBefore.IsZero() {
		sent, err := time.Parse(time.RFC1123Z, header.Get("Date"))
		if err != nil || !within(sent, criteria.SentSince, criteria.SentBefore) {
			return false
		}
	}
	for _, text := range criteria.Text {
		if !hasText(entity(q.bytes(c)), strings.ToLower(text), true) {
			return false
		}
	}
	for _, text := range criteria.Body {
		if !hasText(entity(q.bytes(c)), strings.ToLower(text), false) {
			return false
		}
	}
	return true
}

func (q *query) matchesNested(c *candidate, criteria *imap.SearchCriteria) bool {
	for i := range criteria.Not {
		if q.matches(c, &criteria.Not[i]) {
			return false
		}
	}
	for i := range criteria.Or {
		if !q.matches(c, &criteria.Or[i][0]) && !q.matches(c, &criteria.Or[i][1]) {
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
	if since.IsZero() && before.IsZero() {
		return true
	}
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
