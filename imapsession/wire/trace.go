package wire

import (
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
	if tr == nil || len(tr.ring) == 0 {
		return
	}
	tr.mu.Lock()
	e := &tr.ring[tr.next]
	e.at, e.conn, e.dir = at, conn, dir
	e.text = append(e.text[:0], text[:min(len(text), lineCut)]...)
	if tr.next++; tr.next == len(tr.ring) {
		tr.next, tr.full = 0, true
	}
	tr.mu.Unlock()
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
		out = append(out, Line{Time: es[i].at, Conn: es[i].conn, Dir: es[i].dir, Text: printable(es[i].text)})
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
