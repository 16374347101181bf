//go:build unix

package wire

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"tidings/internal/message"
)

// cpu is the processor time this process has used so far.
func cpu(b *testing.B) time.Duration {
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		b.Fatal(err)
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
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
