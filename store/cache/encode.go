package cache

import (
	"encoding/binary"
	"hash/crc32"
	"sync"
	"time"

	"tidings/internal/safetext"
	"tidings/store"
)

// A Summary on disk: the format's number, then in the order of summaryV1's
// writing varints (zigzag for those that may be negative) and strings (their
// length as a varint first; a list begins with its length), then the CRC-32C of
// all that. SQLite has no checksums of its own, and a subject that lost a bit
// must not be shown as if the server had said so.
const summaryV1 = 1

// Bits of a Summary's second octet.
const (
	hasInternal = 1 << iota
	hasDate
	isMixed
	isUnreadable
)

// maxOffset bounds a zone's offset from UTC, in seconds: RFC 5322 writes up to
// 99 hours 59.
const maxOffset = 100 * 3600

// castagnoli takes 0.3 ms to be made, which a start without a file does not need.
var castagnoli = sync.OnceValue(func() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) })

// appendSummary appends the Summary as the file has it; its UID stands in the id.
func appendSummary(b []byte, s *store.Summary) []byte {
	start := len(b)
	var bits byte
	if !s.Internal.IsZero() {
		bits |= hasInternal
	}
	if !s.Date.IsZero() {
		bits |= hasDate
	}
	if s.Mixed {
		bits |= isMixed
	}
	if s.Unreadable {
		bits |= isUnreadable
	}
	b = append(b, summaryV1, bits)
	if bits&hasInternal != 0 {
		b = appendTime(b, s.Internal)
	}
	if bits&hasDate != 0 {
		b = appendTime(b, s.Date)
	}
	b = binary.AppendVarint(b, s.Size)
	for _, list := range [...][]store.Address{s.From, s.To, s.Cc, s.ReplyTo} {
		b = binary.AppendUvarint(b, uint64(len(list)))
		for _, a := range list {
			b = appendString(b, a.Name.String())
			b = appendString(b, a.Raw)
			// The address as it is drawn is nearly always the raw one.
			if clean := a.Addr.String(); clean == a.Raw {
				b = append(b, 0)
			} else {
				b = appendString(append(b, 1), clean)
			}
		}
	}
	b = appendString(b, s.Subject.String())
	b = appendString(b, s.MessageID)
	for _, list := range [...][]string{s.InReplyTo, s.References} {
		b = binary.AppendUvarint(b, uint64(len(list)))
		for _, id := range list {
			b = appendString(b, id)
		}
	}
	b = appendString(b, s.ListID.String())
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli()))
}

func appendTime(b []byte, t time.Time) []byte {
	_, offset := t.Zone()
	return binary.AppendVarint(binary.AppendVarint(b, t.Unix()), int64(offset))
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// decodeSummary reads what appendSummary wrote; false where it is anything else.
// It keeps nothing of data.
func decodeSummary(uid store.UID, data []byte) (*store.Summary, bool) {
	n := len(data) - crc32.Size
	if n < 2 || crc32.Checksum(data[:n], castagnoli()) != binary.LittleEndian.Uint32(data[n:]) || data[0] != summaryV1 {
		return nil, false
	}
	bits := data[1]
	// All strings are parts of one: that is one allocation instead of twenty.
	d := decoder{rest: string(data[2:n])}
	s := &store.Summary{UID: uid, Mixed: bits&isMixed != 0, Unreadable: bits&isUnreadable != 0}
	if bits&hasInternal != 0 {
		s.Internal = d.time()
	}
	if bits&hasDate != 0 {
		s.Date = d.time()
	}
	s.Size = d.varint()
	for _, list := range [...]*[]store.Address{&s.From, &s.To, &s.Cc, &s.ReplyTo} {
		*list = d.addresses()
	}
	s.Subject = d.text()
	s.MessageID = d.string()
	s.InReplyTo = d.strings()
	s.References = d.strings()
	s.ListID = d.text()
	return s, !d.bad && d.rest == ""
}

// decoder reads a Summary's parts; after a fault all of them are empty.
type decoder struct {
	rest string
	bad  bool
}

func (d *decoder) fail() {
	d.bad, d.rest = true, ""
}

func (d *decoder) uvarint() uint64 {
	var v uint64
	for i := 0; i < len(d.rest) && i < binary.MaxVarintLen64; i++ {
		c := d.rest[i]
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			d.rest = d.rest[i+1:]
			return v
		}
	}
	d.fail()
	return 0
}

func (d *decoder) varint() int64 {
	u := d.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

func (d *decoder) string() string {
	n := d.uvarint()
	if n > uint64(len(d.rest)) {
		d.fail()
		return ""
	}
	s := d.rest[:n]
	d.rest = d.rest[n:]
	return s
}

// text is a string that was a Text. Cleaning it again changes nothing, and costs
// next to nothing.
func (d *decoder) text() safetext.Text { return safetext.Clean(d.string()) }

// length is that of a list, each element of which has at least least octets.
func (d *decoder) length(least int) int {
	n := d.uvarint()
	if n > uint64(len(d.rest)/least) {
		d.fail()
		return 0
	}
	return int(n)
}

func (d *decoder) strings() []string {
	n := d.length(1)
	if n == 0 {
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = d.string()
	}
	return list
}

func (d *decoder) addresses() []store.Address {
	n := d.length(3)
	if n == 0 {
		return nil
	}
	list := make([]store.Address, n)
	for i := range list {
		a := &list[i]
		a.Name = d.text()
		a.Raw = d.string()
		switch d.uvarint() {
		case 0:
			a.Addr = safetext.Clean(a.Raw)
		case 1:
			a.Addr = d.text()
		default:
			d.fail()
		}
	}
	return list
}

func (d *decoder) time() time.Time {
	sec, offset := d.varint(), d.varint()
	if offset <= -maxOffset || offset >= maxOffset {
		d.fail()
		return time.Time{}
	}
	return time.Unix(sec, 0).In(zone(int(offset)))
}

// zones are the time zones seen so far, by offset in seconds.
var zones sync.Map

// zone is the zone of an offset; a mailbox has a few hundred of them at most,
// each of which is made once.
func zone(offset int) *time.Location {
	if offset == 0 {
		return time.UTC
	}
	if z, ok := zones.Load(offset); ok {
		return z.(*time.Location)
	}
	z := time.FixedZone("", offset)
	if offset%60 == 0 { // as servers and mail programs write them; others are not worth remembering
		zones.Store(offset, z)
	}
	return z
}
