package wire

import (
	"strconv"
	"strings"
	"sync"
	"time"
)

// lineCut is how much of a line the trace keeps.
const lineCut = 500

// Dir says which way a traced line went.
type Dir uint8

const (
	In     Dir = iota // from the server
	Out               // to the server
	Remark            // neither: a Note about the connection
)

func (d Dir) String() string {
	switch d {
	case Out:
		return ">"
	case Remark:
		return "-"
	}
	return "<"
}

// Trace is a bounded ring of redacted wire lines, shared by the connections of
// one account; safe for any goroutine. What must not be kept never gets in:
// log-in arguments and SASL exchanges are left out where they are recorded,
// literals are their length, and of FETCH data only numbers and flags stay.
type Trace struct {
	mu   sync.Mutex
	ring []entry
	next int
	full bool
}

type entry struct {
	at   time.Time
	conn string
	dir  Dir
	text []byte
	run  int // how many lines of a kind end in this one; 0: it is of no such kind
}

// Line is one traced line. Its Text is printable ASCII: octets that are not
// stand as \xNN.
type Line struct {
	Time time.Time
	Conn string // the connection's Options.Name
	Dir  Dir
	Text string
}

// NewTrace keeps the last lines lines (0: 500), each cut to 500 octets.
func NewTrace(lines int) *Trace {
	if lines <= 0 {
		lines = 500
	}
	return &Trace{ring: make([]entry, lines)}
}

// record keeps a line. The caller has redacted it.
func (tr *Trace) record(at time.Time, conn string, dir Dir, text []byte) {
	tr.keep(at, conn, dir, text, false)
}

// recordRun keeps a line of a kind that comes in hundreds, the FETCH responses
// of a window: of such a run only the first and the last are kept, so that it
// does not push everything else out of the ring.
func (tr *Trace) recordRun(at time.Time, conn string, dir Dir, text []byte) {
	tr.keep(at, conn, dir, text, true)
}

func (tr *Trace) keep(at time.Time, conn string, dir Dir, text []byte, inRun bool) {
	if tr == nil || len(tr.ring) == 0 {
		return
	}
	tr.mu.Lock()
	defer tr.mu.Unlock()
	run := 0
	if inRun {
		run = 1
		last := &tr.ring[(tr.next+len(tr.ring)-1)%len(tr.ring)]
		if last.run > 0 && last.conn == conn && last.dir == dir {
			run = last.run + 1
		}
		if run > 2 {
			last.at, last.run = at, run
			last.text = append(last.text[:0], text[:min(len(text), lineCut)]...)
			return
		}
	}
	e := &tr.ring[tr.next]
	e.at, e.conn, e.dir, e.run = at, conn, dir, run
	e.text = append(e.text[:0], text[:min(len(text), lineCut)]...)
	if tr.next++; tr.next == len(tr.ring) {
		tr.next, tr.full = 0, true
	}
}

// Note adds a line that no Tap saw: what happened before TLS, or a remark
// about the connection. It must hold no secret.
func (tr *Trace) Note(conn string, dir Dir, text string) {
	tr.record(time.Now(), conn, dir, []byte(text))
}

// Lines returns what is kept, oldest first.
func (tr *Trace) Lines() []Line {
	if tr == nil {
		return nil
	}
	tr.mu.Lock()
	defer tr.mu.Unlock()
	var out []Line
	if tr.full {
		out = appendLines(out, tr.ring[tr.next:])
	}
	return appendLines(out, tr.ring[:tr.next])
}

func appendLines(out []Line, es []entry) []Line {
	for i := range es {
		text := printable(es[i].text)
		if n := es[i].run; n > 2 {
			text += " [the last of " + strconv.Itoa(n) + " like this]"
		}
		out = append(out, Line{Time: es[i].at, Conn: es[i].conn, Dir: es[i].dir, Text: text})
	}
	return out
}

// printable makes b ASCII that no terminal acts on.
func printable(b []byte) string {
	const hex = "0123456789abcdef"
	var sb strings.Builder
	sb.Grow(len(b))
	for _, ch := range b {
		if ch >= 0x20 && ch < 0x7f {
			sb.WriteByte(ch)
			continue
		}
		sb.WriteString(`\x`)
		sb.WriteByte(hex[ch>>4])
		sb.WriteByte(hex[ch&15])
	}
	return sb.String()
}
