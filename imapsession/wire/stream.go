package wire

import (
	"cmp"
	"slices"
	"time"
)

// Fetched is one message of what a Fetch brought.
type Fetched struct {
	UID  uint32
	Date time.Time // INTERNALDATE in the server's own zone; zero where unusable
	Size int64     // RFC822.SIZE, 0 where it was not sent
	Body []byte    // the one section that was asked for; nil where it was not sent
}

// FetchCall is a Fetch under way. Several may be, of different messages: the
// server answers them in any order, also mixed.
type FetchCall struct {
	Call
	stream *stream
}

// Messages are what has come of it, in the server's order. Done must be closed.
func (c *FetchCall) Messages() []Fetched { return c.stream.messages }

// Fetch sends a UID FETCH that asks for one section of messages, and collects what
// comes, past imapclient: a mailbox's headers are read several times as fast that
// way. uids are those that it asks for, descending. Of a section no more than cut
// octets are kept. Flags that come with it are Events, the rest is not.
func (t *Tap) Fetch(cmd string, uids []uint32, cut int64) (*FetchCall, error) {
	st := &stream{uids: uids, cut: cut}
	call, err := t.start(cmd, &rawCommand{quiet: true, stream: st})
	if err != nil {
		return nil, err
	}
	return &FetchCall{Call: *call, stream: st}, nil
}

// stream collects the answers of a Fetch. It belongs to the reader until the call
// is done.
type stream struct {
	messages []Fetched
	uids     []uint32 // that are asked for, descending
	cut      int64
	block    []byte // what the sections are cut from
}

// streamBlock is how much is set aside for sections at once.
const streamBlock = 128 << 10

// section begins a section of n octets.
func (st *stream) section(n int64) []byte {
	keep := int(min(n, st.cut))
	if cap(st.block)-len(st.block) < keep {
		st.block = make([]byte, 0, max(streamBlock, keep))
	}
	at := len(st.block)
	st.block = st.block[:at+keep]
	return st.block[at : at : at+keep]
}

// asks tells whether a message is one of those that are asked for.
func (st *stream) asks(uid uint32) bool {
	_, ok := slices.BinarySearchFunc(st.uids, uid, func(a, b uint32) int { return cmp.Compare(b, a) })
	return ok
}

// add takes one message in.
func (st *stream) add(m Fetched) {
	if st.messages == nil {
		st.messages = make([]Fetched, 0, len(st.uids))
	}
	if len(st.messages) < len(st.uids) {
		st.messages = append(st.messages, m)
	}
}

// streaming returns the oldest Fetch under way, of those that ask for a message if
// uid is not 0.
func (t *Tap) streaming(uid uint32) *stream {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.pending {
		if r := t.pending[i].raw; r != nil && r.stream != nil && (uid == 0 || r.stream.asks(uid)) {
			return r.stream
		}
	}
	return nil
}

// streamSection takes the section of a message that a Fetch asked for. It is
// there already (val), or comes as a literal of n octets.
func (s *scanner) streamSection(st *stream, val []byte, n int64) {
	f := &s.fetch
	f.state = streamed
	f.section = append(st.section(n), val...)
}

// streamLiteral takes octets of it.
func (f *fetch) streamLiteral(b []byte) {
	room := cap(f.section) - len(f.section)
	f.section = append(f.section, b[:min(len(b), room)]...)
}

// endStreamed hands a message to the Fetch that asked for it.
func (s *scanner) endStreamed() {
	f := &s.fetch
	m := Fetched{UID: f.uid, Size: int64(f.size), Body: f.section}
	if f.have&itemDate != 0 {
		m.Date = s.zones.date(&f.date)
	}
	if st := s.tap.streaming(f.uid); st != nil && f.uid != 0 {
		st.add(m)
	}
}

// zones are the time zones of the dates that a server sends: few, and dear to
// make.
type zones map[int]*time.Location

// date reads an INTERNALDATE in the form that internalDate leaves.
func (z *zones) date(b *[26]byte) time.Time {
	two := func(i int) int { return int(b[i]&15)*10 + int(b[i+1]&15) }
	if !plainDate(b[:]) {
		at, err := time.Parse(dateLayout, string(b[:]))
		if err != nil {
			return time.Time{}
		}
		return at
	}
	day := two(0)
	if b[0] == ' ' {
		day = int(b[1] & 15)
	}
	offset := (two(22)*60 + two(24)) * 60
	if b[21] == '-' {
		offset = -offset
	}
	if *z == nil {
		*z = zones{}
	}
	zone := (*z)[offset]
	if zone == nil {
		zone = time.UTC
		if offset != 0 {
			zone = time.FixedZone("", offset)
		}
		if len(*z) < 100 {
			(*z)[offset] = zone
		}
	}
	m := month(b[3:6])
	if m == 0 {
		return time.Time{}
	}
	return time.Date(two(7)*100+two(9), m, day, two(12), two(15), two(18), 0, zone)
}

// month is the month of its three letters, or 0.
func month(b []byte) time.Month {
	for m := time.January; m <= time.December; m++ {
		if "JanFebMarAprMayJunJulAugSepOctNovDec"[3*(m-1):3*m] == string(b) {
			return m
		}
	}
	return 0
}
