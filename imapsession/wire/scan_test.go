package wire

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"pgregory.net/rapid"
)

// chunks is a conn that brings a stream in given pieces.
type chunks struct {
	feeder
	pieces [][]byte
}

func (c *chunks) Read(p []byte) (int, error) {
	for len(c.pieces) > 0 && len(c.pieces[0]) == 0 {
		c.pieces = c.pieces[1:]
	}
	if len(c.pieces) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.pieces[0])
	c.pieces[0] = c.pieces[0][n:]
	return n, nil
}

// asked are commands in flight while a stream comes.
const asked = "T1 UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (DATE)])\r\n" +
	"T2 FETCH 1:* (FLAGS)\r\n" +
	"T3 UID SEARCH RETURN (ALL) ALL\r\n" +
	"T4 IDLE\r\n"

// through sends a stream, in the pieces given, through a Tap with asked in
// flight, and returns what came out: bytes, events, and how it ended.
func through(t interface{ Fatal(...any) }, limits Limits, pieces [][]byte) (out string, events []string, err error) {
	tap := New(&chunks{pieces: pieces}, Options{Limits: limits, Trace: NewTrace(10)})
	if _, err := tap.Write([]byte(asked)); err != nil {
		t.Fatal(err)
	}
	var sb strings.Builder
	buf := make([]byte, 512)
	for {
		n, err := tap.Read(buf)
		sb.Write(buf[:n])
		tap.Each(func(ev *Event) { events = append(events, fmt.Sprintf("%+v", *ev)) })
		if err != nil {
			if tapErr := tap.Err(); tapErr == nil {
				t.Fatal("Read failed but Err is nil")
			}
			return sb.String(), events, err
		}
		if n == 0 {
			t.Fatal("Read returned nothing and no error")
		}
	}
}

// same fails unless two ways of cutting a stream gave the same.
func same(t interface {
	Fatal(...any)
	Fatalf(string, ...any)
}, limits Limits, stream string, pieces [][]byte) {
	out1, ev1, err1 := through(t, limits, [][]byte{[]byte(stream)})
	out2, ev2, err2 := through(t, limits, pieces)
	if out1 != out2 {
		t.Fatalf("bytes differ:\n%q\n%q", out1, out2)
	}
	if a, b := strings.Join(ev1, "\n"), strings.Join(ev2, "\n"); a != b {
		t.Fatalf("events differ:\n%s\n\n%s", a, b)
	}
	if errors.Is(err1, io.EOF) != errors.Is(err2, io.EOF) || errors.Is(err1, ErrLimit) != errors.Is(err2, ErrLimit) {
		t.Fatalf("ends differ: %v, %v", err1, err2)
	}
}

// bytewise cuts a stream at every octet.
func bytewise(stream string) [][]byte {
	var pieces [][]byte
	for i := range len(stream) {
		pieces = append(pieces, []byte(stream[i:i+1]))
	}
	return pieces
}

// TestAnySplit: how the network cuts the stream shows nowhere.
func TestAnySplit(t *testing.T) {
	var inputs []string
	for _, o := range odd {
		inputs = append(inputs, o.input)
	}
	inputs = append(inputs, summary(3, 17), summary(4, 18),
		"* 3 FETCH (BODY[] {7}\r\nabc\r\nde FLAGS (\\Seen) UID 9)\r\n",
		"* SEARCH "+strings.Repeat("123 ", 12000)+"(MODSEQ 5)\r\n",
		"T2 OK done\r\n", "+ idling\r\n", "T4 OK [READ-WRITE] x\r\n")
	rapid.Check(t, func(t *rapid.T) {
		var sb strings.Builder
		sb.WriteString("* OK hello\r\n")
		for _, in := range rapid.SliceOfN(rapid.SampledFrom(inputs), 1, 12).Draw(t, "responses") {
			sb.WriteString(in)
		}
		stream := sb.String()
		var pieces [][]byte
		for rest := []byte(stream); len(rest) > 0; {
			n := rapid.IntRange(1, min(len(rest), 300)).Draw(t, "piece")
			if len(stream) > 20000 {
				n = min(len(rest), n*97)
			}
			pieces = append(pieces, rest[:n:n])
			rest = rest[n:]
		}
		same(t, Limits{}, stream, pieces)
	})
}

func TestBytewise(t *testing.T) {
	for _, o := range odd {
		if len(o.input) < 1000 {
			same(t, Limits{}, "* OK hello\r\n"+o.input+"* 1 EXISTS\r\n", bytewise("* OK hello\r\n"+o.input+"* 1 EXISTS\r\n"))
		}
	}
}

// small are limits that a fuzzer can reach.
var small = Limits{Line: 4 << 10, Depth: 8, Literal: 8 << 10, Response: 16 << 10, Queue: 1000}

// FuzzScan: no stream makes the Tap panic or hold more than its limits, and
// none depends on how it was cut.
func FuzzScan(f *testing.F) {
	for _, o := range odd {
		if len(o.input) < 2000 {
			f.Add([]byte(o.input))
		}
	}
	f.Add([]byte(summary(3, 17)))
	f.Add([]byte("T2 OK done\r\nT1 NO [X] y\r\n+ idling\r\n* ESEARCH (TAG \"T3\") UID ALL 5,1:3\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		stream := "* OK hello\r\n" + string(data)
		same(t, small, stream, bytewise(stream))
	})
}

// FuzzUnderImapclient: whatever a logged-in server sends, imapclient decodes
// it to its end; nobody panics and nobody hangs.
func FuzzUnderImapclient(f *testing.F) {
	for _, o := range odd {
		if len(o.input) < 2000 {
			f.Add([]byte(o.input))
		}
	}
	f.Add([]byte(summary(3, 17) + "T3 OK\r\n"))
	f.Add([]byte("* ESEARCH (TAG \"T4\") UID COUNT 5 ALL 1:5\r\nT4 OK\r\nT3 OK\r\n* LIST () \"/\" x\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<14 {
			return
		}
		synctest.Test(t, func(t *testing.T) { survives(t, data) })
	})
}

// survives sends data to a client with a FETCH and a SEARCH in flight, then
// closes the far end. The Tap has to be the one that notices the end: had
// imapclient died of the data, it would have closed the near end.
func survives(t *testing.T, data []byte) {
	s := dial(t, false, Options{Limits: small, Trace: NewTrace(5)}, func(tag, command string) string {
		if strings.HasPrefix(command, "UID") {
			return "* 20 EXISTS\r\n"
		}
		return ""
	})
	opts := &imap.FetchOptions{UID: true, Flags: true, InternalDate: true, RFC822Size: true, BodySection: []*imap.FetchItemBodySection{headerFields}}
	fetch := s.Fetch(imap.UIDSet{imap.UIDRange{Start: 1, Stop: 0}}, opts)
	search := s.UIDSearch(&imap.SearchCriteria{}, &imap.SearchOptions{ReturnAll: true})
	list := make(chan struct{})
	go func() {
		defer close(list)
		s.List("", "*", nil).Collect()
	}()
	fetched := make(chan struct{})
	go func() {
		defer close(fetched)
		for msg := fetch.Next(); msg != nil; msg = fetch.Next() {
			for item := msg.Next(); item != nil; item = msg.Next() {
				if sec, ok := item.(imapclient.FetchItemDataBodySection); ok && sec.Literal != nil {
					io.Copy(io.Discard, sec.Literal)
				}
			}
		}
		fetch.Close()
	}()
	synctest.Wait() // the commands are out
	go func() {
		s.peer.conn.Write(data)
		s.peer.conn.Close()
	}()
	search.Wait()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for _, done := range []<-chan struct{}{fetched, list, s.Closed()} {
		select {
		case <-done:
		case <-timer.C:
			t.Fatal("hangs")
		}
	}
	switch err := s.tap.Err(); {
	case errors.Is(err, io.EOF), errors.Is(err, ErrLimit):
	default:
		t.Errorf("imapclient died by itself (tap: %v): %v", err, s.Client.Close())
	}
}
