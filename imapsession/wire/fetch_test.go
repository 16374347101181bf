package wire

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

const header = "Subject: (UID 99)\r\nFrom: \"a\" <a@example.org>\r\n\r\n"

// lit writes a literal as a server does.
func lit(s string) string { return "{" + strconv.Itoa(len(s)) + "}\r\n" + s }

// TestFetchAnswers asks for messages and checks that imapclient gets the
// answers, whatever the server sends between them and in whatever order.
func TestFetchAnswers(t *testing.T) {
	full := &imap.FetchOptions{UID: true, Flags: true, InternalDate: true, RFC822Size: true, BodySection: []*imap.FetchItemBodySection{headerFields}}
	const sec = `BODY[HEADER.FIELDS (DATE FROM SUBJECT)]`
	date := time.Date(1994, 2, 7, 21, 52, 25, 0, time.FixedZone("", -8*3600))
	whole := imapclient.FetchMessageBuffer{SeqNum: 3, UID: 17, Flags: []imap.Flag{imap.FlagSeen}, RFC822Size: 4423, InternalDate: date}
	tests := []struct {
		name   string
		set    imap.NumSet
		opts   *imap.FetchOptions
		reply  string
		want   []imapclient.FetchMessageBuffer // no sections compared
		header string
		events []string
	}{
		{
			name:   "plain",
			set:    imap.UIDSetNum(17),
			opts:   full,
			reply:  "* 3 FETCH (UID 17 FLAGS (\\Seen) INTERNALDATE \" 7-Feb-1994 21:52:25 -0800\" RFC822.SIZE 4423 " + sec + " " + lit(header) + ")\r\n",
			want:   []imapclient.FetchMessageBuffer{whole},
			header: header,
			events: []string{"fetch 3 uid 17 [\\Seen]"},
		},
		{
			name:  "a message 0, which there is not",
			set:   imap.UIDSetNum(17),
			opts:  full,
			reply: "* 0 FETCH (UID 17 FLAGS (\\Seen) INTERNALDATE \"07-Feb-1994 21:52:25 -0800\" RFC822.SIZE 4423 " + sec + " " + lit(header) + ")\r\n",
		},
		{
			name:   "UID behind the literal",
			set:    imap.UIDSetNum(17),
			opts:   full,
			reply:  "* 3 FETCH (" + sec + " " + lit(header) + " FLAGS (\\Seen) INTERNALDATE \"07-Feb-1994 21:52:25 -0800\" RFC822.SIZE 4423 UID 17)\r\n",
			want:   []imapclient.FetchMessageBuffer{whole},
			header: header,
			events: []string{"fetch 3 uid 17 [\\Seen]"},
		},
		{
			name:   "UID between two literals, sections twice",
			set:    imap.UIDSetNum(17),
			opts:   full,
			reply:  "* 3 FETCH (" + sec + " " + lit(header) + " UID 17 BODY[TEXT] " + lit("text") + " FLAGS (\\Seen) INTERNALDATE \"07-Feb-1994 21:52:25 -0800\" RFC822.SIZE 4423)\r\n",
			want:   []imapclient.FetchMessageBuffer{whole},
			header: header,
		},
		{
			name:   "flags update steals no slot",
			set:    imap.UIDSetNum(17),
			opts:   full,
			reply:  "* 3 FETCH (FLAGS (\\Flagged) UID 17)\r\n* 3 FETCH (UID 17 FLAGS (\\Seen) INTERNALDATE \"07-Feb-1994 21:52:25 -0800\" RFC822.SIZE 4423 " + sec + " " + lit(header) + ")\r\n",
			want:   []imapclient.FetchMessageBuffer{whole},
			header: header,
			events: []string{"fetch 3 uid 17 [\\Flagged]", "fetch 3 uid 17 [\\Seen]"},
		},
		{
			name:   "flags update by number steals no slot",
			set:    imap.SeqSetNum(3),
			opts:   full,
			reply:  "* 3 FETCH (FLAGS (\\Flagged))\r\n* 3 FETCH (UID 17 FLAGS (\\Seen) INTERNALDATE \"07-Feb-1994 21:52:25 -0800\" RFC822.SIZE 4423 " + sec + " " + lit(header) + ")\r\n",
			want:   []imapclient.FetchMessageBuffer{whole},
			header: header,
			events: []string{"fetch 3 uid 0 [\\Flagged]", "fetch 3 uid 17 [\\Seen]"},
		},
		{
			name:   "flags update by number, of flags by number",
			set:    imap.SeqSetNum(3),
			opts:   &imap.FetchOptions{UID: true, Flags: true},
			reply:  "* 3 FETCH (FLAGS (\\Flagged))\r\n* 3 FETCH (FLAGS (\\Seen) UID 17)\r\n",
			want:   []imapclient.FetchMessageBuffer{{SeqNum: 3, UID: 17, Flags: []imap.Flag{imap.FlagSeen}}},
			events: []string{"fetch 3 uid 0 [\\Flagged]", "fetch 3 uid 17 [\\Seen]"},
		},
		{
			name:   "expunge and exists between",
			set:    imap.UIDSetNum(17),
			opts:   &imap.FetchOptions{UID: true, Flags: true},
			reply:  "* 2 EXPUNGE\r\n* 2 FETCH (UID 17 FLAGS (\\Seen))\r\n* 30 EXISTS\r\n",
			want:   []imapclient.FetchMessageBuffer{{SeqNum: 2, UID: 17, Flags: []imap.Flag{imap.FlagSeen}}},
			events: []string{"expunge 2", "fetch 2 uid 17 [\\Seen]", "30 exists"},
		},
		{
			name:   "section as a quoted string",
			set:    imap.UIDSetNum(17),
			opts:   full,
			reply:  "* 3 FETCH (UID 17 FLAGS (\\Seen) INTERNALDATE \"07-Feb-1994 21:52:25 -0800\" RFC822.SIZE 4423 " + sec + " \"Subject: \\\"hi\\\"\")\r\n",
			want:   []imapclient.FetchMessageBuffer{whole},
			header: "Subject: \"hi\"",
		},
		{
			name:   "items nobody asked for, around",
			set:    imap.UIDSetNum(17),
			opts:   full,
			reply:  "* 3 FETCH (X-GM-LABELS (\"a\" {2}\r\n() b) ENVELOPE (NIL \"bro\"ken\"\" NIL) UID 17 FLAGS (\\Seen) RFC822.SIZE 4423 " + sec + " " + lit(header) + " INTERNALDATE \"07-Feb-1994 21:52:25 -0800\" RFC822.HEADER " + lit("* 1 EXPUNGE\r\n") + ")\r\n",
			want:   []imapclient.FetchMessageBuffer{whole},
			header: header,
			events: []string{"fetch 3 uid 17 [\\Seen] broken"},
		},
		{
			name:  "date and size that cannot be",
			set:   imap.UIDSetNum(17),
			opts:  &imap.FetchOptions{UID: true, InternalDate: true, RFC822Size: true},
			reply: "* 3 FETCH (UID 17 INTERNALDATE \"00-Jan-0000 00:00:00 +0000\" RFC822.SIZE 12)\r\n",
			want:  []imapclient.FetchMessageBuffer{{SeqNum: 3, UID: 17, RFC822Size: 12}},
		},
		{
			name:  "a date in another form",
			set:   imap.UIDSetNum(17),
			opts:  &imap.FetchOptions{UID: true, InternalDate: true},
			reply: "* 3 FETCH (UID 17 INTERNALDATE \"Mon, 7 Feb 1994 21:52:25 -0800\")\r\n",
			want:  []imapclient.FetchMessageBuffer{{SeqNum: 3, UID: 17, InternalDate: date}},
		},
		{
			name:   "a body nobody asked for",
			set:    imap.UIDSetNum(17),
			opts:   &imap.FetchOptions{UID: true, Flags: true},
			reply:  "* 4 FETCH (UID 18 BODY[] " + lit(header) + ")\r\n* 3 FETCH (UID 17 FLAGS ())\r\n",
			want:   []imapclient.FetchMessageBuffer{{SeqNum: 3, UID: 17}},
			events: []string{"fetch 4 uid 18", "fetch 3 uid 17 []"},
		},
		{
			name:   "vanished messages are not there",
			set:    imap.UIDSetNum(17),
			opts:   full,
			reply:  "",
			events: nil,
		},
		{
			name:   "no UID at all, but only one was asked for",
			set:    imap.UIDSetNum(17),
			opts:   full,
			reply:  "* 3 FETCH (FLAGS (\\Seen) INTERNALDATE \"07-Feb-1994 21:52:25 -0800\" RFC822.SIZE 4423 " + sec + " " + lit(header) + ")\r\n",
			want:   []imapclient.FetchMessageBuffer{whole},
			header: header,
		},
		{
			name:   "UID behind a literal too large to hold",
			set:    imap.UIDSetNum(17),
			opts:   full,
			reply:  "* 3 FETCH (" + sec + " " + lit(strings.Repeat(header, 2000)) + " FLAGS (\\Seen) INTERNALDATE \"07-Feb-1994 21:52:25 -0800\" RFC822.SIZE 4423 UID 17)\r\n",
			want:   []imapclient.FetchMessageBuffer{whole},
			header: strings.Repeat(header, 2000),
		},
		{
			name:  "UID behind a literal too large to hold, of two messages",
			set:   imap.UIDSetNum(17, 18),
			opts:  full,
			reply: "* 3 FETCH (" + sec + " " + lit(strings.Repeat(header, 2000)) + " UID 17)\r\n",
		},
		{
			name:  "flags without UID are nobody's answer",
			set:   imap.UIDSetNum(17),
			opts:  full,
			reply: "* 3 FETCH (FLAGS (\\Seen))\r\n",
		},
		{
			name:  "section NIL",
			set:   imap.UIDSetNum(17),
			opts:  full,
			reply: "* 3 FETCH (UID 17 FLAGS (\\Seen) INTERNALDATE \"07-Feb-1994 21:52:25 -0800\" RFC822.SIZE 4423 " + sec + " NIL)\r\n",
			want:  []imapclient.FetchMessageBuffer{whole},
		},
		{
			name:  "section empty",
			set:   imap.UIDSetNum(17),
			opts:  full,
			reply: "* 3 FETCH (UID 17 FLAGS (\\Seen) INTERNALDATE \"07-Feb-1994 21:52:25 -0800\" RFC822.SIZE 4423 " + sec + " {0}\r\n)\r\n",
			want:  []imapclient.FetchMessageBuffer{whole},
		},
		{
			name:   "a quote too many, then a literal that looks like responses",
			set:    imap.UIDSetNum(17),
			opts:   &imap.FetchOptions{UID: true, Flags: true},
			reply:  "* 3 FETCH (UID 17 FLAGS () X \"a\"b\" BODY[] " + lit("\r\n* 1 EXPUNGE\r\n") + ")\r\n",
			want:   []imapclient.FetchMessageBuffer{{SeqNum: 3, UID: 17}},
			events: []string{"fetch 3 uid 17 [] broken"},
		},
		{
			name:   "everything in lower case, blanks doubled",
			set:    imap.UIDSetNum(17),
			opts:   full,
			reply:  "*  3  fetch  (uid  17  flags  (\\Seen)  internaldate  \"07-Feb-1994 21:52:25 -0800\"  rfc822.size  4423  body[header.fields (date from subject)]  " + lit(header) + " )\r\n",
			want:   []imapclient.FetchMessageBuffer{whole},
			header: header,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := dial(t, false, Options{}, func(tag, command string) string {
					if strings.Contains(command, "FETCH") {
						return tt.reply + tag + " OK fetched\r\n"
					}
					return ""
				})
				got, err := s.Fetch(tt.set, tt.opts).Collect()
				if err != nil {
					t.Fatalf("fetch: %v (tap: %v)", err, s.tap.Err())
				}
				if len(got) != len(tt.want) {
					t.Fatalf("imapclient got %d messages, want %d", len(got), len(tt.want))
				}
				for i, m := range got {
					w := tt.want[i]
					if m.SeqNum != w.SeqNum || m.UID != w.UID || m.RFC822Size != w.RFC822Size || !m.InternalDate.Equal(w.InternalDate) || len(m.Flags) != len(w.Flags) {
						t.Errorf("message %+v, want %+v", m, w)
					}
					if h := string(m.FindBodySection(headerFields)); h != tt.header {
						t.Errorf("header %q, want %q", h, tt.header)
					}
				}
				evs := s.tap.Events()
				if last := evs[len(evs)-1]; last.Kind != KindTagged || last.Text != "fetched" {
					t.Errorf("the last event is %q, want the tagged reply", brief(last))
				}
				if tt.events != nil {
					if got, want := strings.Join(briefs(evs[:len(evs)-1]), "; "), strings.Join(tt.events, "; "); got != want {
						t.Errorf("events %s, want %s", got, want)
					}
				}
			})
		})
	}
}

// TestAnotherMessage: content that turns out to be another message's ends the
// connection.
func TestAnotherMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := dial(t, false, Options{}, before("UID", "* 3 FETCH (BODY[] "+lit(strings.Repeat(header, 2000))+" UID 18)\r\n"))
		_, err := s.Fetch(imap.UIDSetNum(17), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{{Peek: true}}}).Collect()
		if err == nil || !errors.Is(s.tap.Err(), errOtherMessage) {
			t.Errorf("%v (tap: %v)", err, s.tap.Err())
		}
	})
}

// TestLargeLiteralStreams: a body goes through without being kept.
func TestLargeLiteralStreams(t *testing.T) {
	const size = 32 << 20
	synctest.Test(t, func(t *testing.T) {
		s := dial(t, false, Options{}, nil)
		s.peer.answer = nil
		body := &imap.FetchItemBodySection{Peek: true}
		s.peer.answer = func(tag, command string) string {
			if !strings.Contains(command, "FETCH") {
				return ""
			}
			io.WriteString(s.peer.conn, "* 3 FETCH (UID 17 BODY[] {"+strconv.Itoa(size)+"}\r\n")
			chunk := strings.Repeat("0123456789abcde\n", 4096)
			for range size / len(chunk) {
				io.WriteString(s.peer.conn, chunk)
			}
			return ")\r\n" + tag + " OK\r\n"
		}
		cmd := s.Fetch(imap.UIDSetNum(17), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{body}})
		var n int64
		for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
			for item := msg.Next(); item != nil; item = msg.Next() {
				if sec, ok := item.(imapclient.FetchItemDataBodySection); ok {
					n, _ = io.Copy(io.Discard, sec.Literal)
				}
			}
		}
		if err := cmd.Close(); err != nil || n != size {
			t.Fatalf("%d octets, %v", n, err)
		}
		s.end()
		if c := cap(s.tap.in.out) + cap(s.tap.in.seg) + cap(s.tap.in.fetch.held) + cap(s.tap.in.resp); c > 4*keepBuffer {
			t.Errorf("the tap holds %d octets of buffers after a body of %d", c, size)
		}
	})
}
