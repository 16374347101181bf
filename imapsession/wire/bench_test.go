//go:build unix

package wire

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"tidings/internal/message"
)

// feeder is a conn whose server says script over and over and never listens.
type feeder struct {
	script []byte
	off    int
	left   int // octets
}

func (f *feeder) Read(p []byte) (int, error) {
	if f.left == 0 {
		return 0, io.EOF
	}
	n := copy(p, f.script[f.off:])
	n = min(n, f.left)
	f.off = (f.off + n) % len(f.script)
	f.left -= n
	return n, nil
}

func (f *feeder) Write(p []byte) (int, error)      { return len(p), nil }
func (f *feeder) Close() error                     { return nil }
func (f *feeder) LocalAddr() net.Addr              { return nil }
func (f *feeder) RemoteAddr() net.Addr             { return nil }
func (f *feeder) SetDeadline(time.Time) error      { return nil }
func (f *feeder) SetReadDeadline(time.Time) error  { return nil }
func (f *feeder) SetWriteDeadline(time.Time) error { return nil }

// cpu is the processor time this process has used so far.
func cpu(b *testing.B) time.Duration {
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		b.Fatal(err)
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}

// summary is one answer to the fetch of a summary, its header of 500 octets.
func summary(seq, uid int) string {
	h := fmt.Sprintf("Date: Mon, 7 Feb 1994 21:52:25 -0800\r\nFrom: Alice Liddell <alice@example.org>\r\n"+
		"To: Bob <bob@example.net>\r\nSubject: Deploy window %d\r\nMessage-ID: <%d@example.org>\r\n"+
		"In-Reply-To: <%d@example.net>\r\nContent-Type: text/plain; charset=utf-8\r\n", uid, uid, uid)
	h += "References: <" + strings.Repeat("r", 500-len(h)-17) + ">\r\n\r\n"
	return fmt.Sprintf("* %d FETCH (UID %d FLAGS (\\Seen $Junk) INTERNALDATE \" 7-Feb-1994 21:52:25 -0800\" RFC822.SIZE 4423 "+
		"BODY[HEADER.FIELDS (DATE FROM TO CC REPLY-TO SUBJECT MESSAGE-ID IN-REPLY-TO REFERENCES CONTENT-TYPE LIST-ID)] {%d}\r\n%s)\r\n", seq, uid, len(h), h)
}

// BenchmarkTapFetch is the tap alone: parsing, the event, the trace, and
// handing the response on, per FETCH response with a header of 500 octets.
func BenchmarkTapFetch(b *testing.B) {
	for _, traced := range []bool{false, true} {
		b.Run(fmt.Sprintf("trace=%v", traced), func(b *testing.B) {
			line := summary(3, 17)
			f := &feeder{script: []byte(line)}
			opts := Options{Greeting: "* OK ready\r\n"}
			if traced {
				opts.Trace = NewTrace(0)
			}
			tap := New(f, opts)
			buf := make([]byte, 4096)
			if _, err := tap.Read(buf); err != nil {
				b.Fatal(err)
			}
			if _, err := tap.Write([]byte("T1 UID FETCH 17 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (DATE)])\r\n")); err != nil {
				b.Fatal(err)
			}
			f.left = len(line) * b.N
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			b.ResetTimer()
			start := cpu(b)
			for {
				_, err := tap.Read(buf)
				if err == io.EOF {
					break
				} else if err != nil {
					b.Fatal(err)
				}
				tap.Each(func(*Event) {})
			}
			b.ReportMetric(float64(cpu(b)-start)/float64(b.N), "cpu-ns/op")
			if n := tap.Stats().Responses; n != int64(b.N)+1 {
				b.Fatalf("%d responses", n)
			}
		})
	}
}

// BenchmarkFetchSummaries is what a summary costs us in all, from a scripted
// peer over a pipe: the tap, imapclient, the events, and header parsing.
func BenchmarkFetchSummaries(b *testing.B) {
	section := &imap.FetchItemBodySection{Peek: true, Specifier: imap.PartSpecifierHeader, HeaderFields: []string{
		"DATE", "FROM", "TO", "CC", "REPLY-TO", "SUBJECT", "MESSAGE-ID", "IN-REPLY-TO", "REFERENCES", "CONTENT-TYPE", "LIST-ID"}}
	opts := &imap.FetchOptions{UID: true, Flags: true, InternalDate: true, RFC822Size: true, BodySection: []*imap.FetchItemBodySection{section}}
	for _, bare := range []bool{true, false} {
		name := "tap"
		if bare {
			name = "imapclient alone"
		}
		b.Run(name, func(b *testing.B) {
			const window = 500
			var reply strings.Builder
			for i := 1; i <= window; i++ {
				reply.WriteString(summary(i, i))
			}
			s := dial(b, bare, Options{Trace: NewTrace(0)}, nil)
			w := bufio.NewWriterSize(s.peer.conn, 32<<10)
			s.peer.answer = func(tag, command string) string {
				if !strings.Contains(command, "FETCH") {
					return ""
				}
				w.WriteString(reply.String())
				w.Flush()
				return tag + " OK fetched\r\n"
			}
			var set imap.UIDSet
			set.AddRange(1, window)
			header := make([]byte, 0, 4096)
			b.ReportAllocs()
			b.ResetTimer()
			start := cpu(b)
			fetched := 0
			for fetched < b.N {
				cmd := s.Fetch(set, opts)
				got := 0
				for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
					for item := msg.Next(); item != nil; item = msg.Next() {
						if sec, ok := item.(imapclient.FetchItemDataBodySection); ok {
							header = header[:sec.Literal.Size()]
							if _, err := io.ReadFull(sec.Literal, header); err != nil {
								b.Fatal(err)
							}
							io.Copy(io.Discard, sec.Literal)
							if !bare {
								message.ParseHeader(header)
							}
						}
					}
					got++
				}
				if err := cmd.Close(); err != nil || got != window {
					b.Fatalf("%d messages, %v", got, err)
				}
				if !bare {
					s.tap.Each(func(*Event) {})
				}
				fetched += got
			}
			b.StopTimer()
			// The peer's share is in it. b.N is no multiple of the window.
			b.ReportMetric(float64(cpu(b)-start)/float64(fetched), "cpu-ns/msg")
		})
	}
}
