package wire

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestFetchPastImapclient(t *testing.T) {
	firstTag := ""
	s := dial(t, false, Options{}, func(tag, command string) string {
		switch {
		case strings.HasPrefix(command, "UID FETCH 1:9"):
			firstTag = tag // it is answered when both are asked
			return silence
		case strings.HasPrefix(command, "UID FETCH 10:19"):
			return strings.Join([]string{
				"* 1 FETCH (UID 4 INTERNALDATE \"20-Nov-2026 10:11:12 -0130\" RFC822.SIZE 77 BODY[HEADER] {5}\r\nab\r\nc)",
				"* 3 FETCH (FLAGS (\\Seen))",
				"* 4 FETCH (UID 11 BODY[HEADER] {3}\r\nabc)",
				"* 2 FETCH (BODY[HEADER] {20}\r\n0123456789abcdefghij UID 5)",
				"* 3 FETCH (BODY[HEADER] \"in quotes\" UID 6 FLAGS ())",
				"* 5 FETCH (BODY[HEADER] \"not asked for\" UID 8)",
				"* 29 EXISTS",
				firstTag + " OK done",
				"* 4 FETCH (UID 10 BODY[HEADER] NIL)",
				tag + " NO not all of it", ""}, "\r\n")
		}
		return ""
	})
	s.tap.Events()
	first, err := s.tap.Fetch("UID FETCH 1:9 (UID INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER])", []uint32{6, 5, 4}, 12)
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.tap.Fetch("UID FETCH 10:19 (UID BODY.PEEK[HEADER])", []uint32{11, 10}, 1000)
	if err != nil {
		t.Fatal(err)
	}
	<-first.Done()
	<-second.Done()
	var got []string
	for _, call := range []*FetchCall{first, second} {
		for _, m := range call.Messages() {
			date := ""
			if !m.Date.IsZero() {
				date = m.Date.Format(time.RFC3339)
			}
			got = append(got, fmt.Sprintf("%d %q %d %s", m.UID, m.Body, m.Size, date))
		}
		reply, err := call.Reply()
		got = append(got, fmt.Sprintf("%s %v", reply.Tagged.Type, err))
	}
	want := []string{
		`4 "ab\r\nc" 77 2026-11-20T10:11:12-01:30`,
		`5 "0123456789ab" 0 `,
		`6 "in quotes" 0 `,
		"OK <nil>",
		`11 "abc" 0 `,
		`10 "" 0 `,
		"NO <nil>",
	}
	if a, b := strings.Join(got, "\n"), strings.Join(want, "\n"); a != b {
		t.Errorf("got\n%s\nwant\n%s", a, b)
	}
	if got := strings.Join(briefs(s.tap.Events()), "; "); got != "fetch 3 uid 0 [\\Seen]; fetch 3 uid 6 []; 29 exists" {
		t.Errorf("events %s", got)
	}
	if err := s.Noop().Wait(); err != nil {
		t.Errorf("imapclient behind it: %v", err)
	}
}

func TestFetchEndsWithItsLink(t *testing.T) {
	var s *session
	s = dial(t, false, Options{}, func(tag, command string) string {
		if !strings.HasPrefix(command, "UID FETCH") {
			return ""
		}
		defer s.peer.conn.Close()
		_, _ = s.peer.conn.Write([]byte("* 1 FETCH (UID 4 BODY[HEADER] {5}\r\nab"))
		return " "
	})
	call, err := s.tap.Fetch("UID FETCH 1:9 (UID BODY.PEEK[HEADER])", []uint32{4}, 100)
	if err != nil {
		t.Fatal(err)
	}
	<-call.Done()
	if _, err := call.Reply(); err == nil || len(call.Messages()) != 0 {
		t.Errorf("%v, %d messages", err, len(call.Messages()))
	}
}
