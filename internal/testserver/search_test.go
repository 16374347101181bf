package testserver

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// searchLetters are what the searches below find.
var searchLetters = []struct {
	raw   string
	flags []imap.Flag
	date  string // INTERNALDATE
}{
	{"Date: Thu, 1 Jan 2026 10:00:00 +0000\r\nFrom: Alice <alice@example.org>\r\nSubject: one\r\n\r\napple\r\n",
		nil, "2026-01-01"},
	{"Date: Fri, 2 Jan 2026 10:00:00 +0000\r\nFrom: Bob <bob@example.com>\r\nSubject: two\r\n\r\nbanana apple\r\n",
		[]imap.Flag{imap.FlagSeen}, "2026-01-02"},
	{"Date: Sat, 3 Jan 2026 10:00:00 +0000\r\nFrom: Alice <alice@example.org>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n" +
		"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nw4RwZmVsIHVuZCBCaXJuZW4K\r\n",
		[]imap.Flag{imap.FlagSeen, imap.FlagFlagged}, "2026-01-03"},
	{"Date: Sun, 4 Jan 2026 10:00:00 +0000\r\nFrom: Carol <carol@example.org>\r\nList-Id: <a.example.org>\r\nSubject: four\r\n\r\n" +
		strings.Repeat("cherry ", 300) + "\r\n", []imap.Flag{"$Work"}, "2026-02-01"},
	{"Date: Mon, 5 Jan 2026 10:00:00 +0000\r\nFrom: Bob <bob@example.com>\r\nSubject: five\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nplum\r\n" +
		"--b\r\nContent-Type: text/html\r\n\r\n<p>prune</p>\r\n--b--\r\n", []imap.Flag{imap.FlagAnswered, imap.FlagDeleted}, "2026-02-02"},
}

// testSearchKeys asks both servers the same questions and wants the same,
// known, answers.
func testSearchKeys(t *testing.T, p peer) {
	client := p.login(t)
	for _, l := range searchLetters {
		date, err := time.Parse(time.DateOnly, l.date)
		if err != nil {
			t.Fatal(err)
		}
		cmd := client.Append("INBOX", int64(len(l.raw)), &imap.AppendOptions{Flags: l.flags, Time: date.Add(12 * time.Hour)})
		if err := finish(cmd, l.raw); err != nil {
			t.Fatal(err)
		}
	}
	raw := dialRaw(t, p)
	raw.open("INBOX")
	for key, want := range map[string]string{
		"ALL":                                 "1 2 3 4 5",
		"UNSEEN":                              "1 4 5",
		"SEEN UNFLAGGED":                      "2",
		"NOT SEEN":                            "1 4 5",
		"OR FLAGGED ANSWERED":                 "3 5",
		"OR (SEEN FLAGGED) (DELETED)":         "3 5",
		"NOT (OR SEEN DELETED)":               "1 4",
		"KEYWORD $work":                       "4",
		"UNKEYWORD $Work UNDELETED":           "1 2 3",
		"2:3":                                 "2 3",
		"4:*":                                 "4 5",
		"*":                                   "5",
		"NOT 2:*":                             "1",
		"UID 2:3 FLAGGED":                     "3",
		"SINCE 3-Jan-2026":                    "3 4 5",
		"BEFORE 3-Jan-2026":                   "1 2",
		"ON 1-Feb-2026":                       "4",
		"SENTSINCE 4-Jan-2026":                "4 5",
		"SENTBEFORE 2-Jan-2026":               "1",
		"LARGER 1500":                         "4",
		"SMALLER 1500":                        "1 2 3 5",
		"FROM alice":                          "1 3",
		"FROM EXAMPLE.COM":                    "2 5",
		"SUBJECT two":                         "2",
		"HEADER List-Id \"\"":                 "4",
		"HEADER List-Id a.example":            "4",
		"BODY apple":                          "1 2",
		"TEXT bob":                            "2 5",
		"BODY prune":                          "5",
		"BODY birnen":                         "3",
		"CHARSET UTF-8 SUBJECT {6+}\r\nGrüß":  "3",
		"FROM nobody":                         "",
		"UNSEEN FROM carol LARGER 10 4 UID 4": "4",
	} {
		untagged := raw.ok("SEARCH %s", key)
		got := "?"
		for _, line := range untagged {
			if found, ok := strings.CutPrefix(line, "* SEARCH"); ok {
				got = strings.TrimSpace(found)
			}
		}
		if got != want {
			t.Errorf("SEARCH %s: %q, want %q", key, got, want)
		}
	}
	for options, want := range map[string]string{
		"RETURN (COUNT) UNSEEN":         "COUNT 3",
		"RETURN (MIN MAX) UNSEEN":       "MIN 1 MAX 5",
		"RETURN (ALL) UNSEEN":           "ALL 1,4:5",
		"RETURN () SEEN":                "ALL 2:3",
		"RETURN (COUNT) KEYWORD $none":  "COUNT 0",
		"RETURN (MIN ALL COUNT) SEEN":   "ALL 2:3 MIN 2 COUNT 2",
		"RETURN (ALL) SUBJECT nonesuch": "",
	} {
		untagged := raw.ok("UID SEARCH %s", options)
		got := "?"
		for _, line := range untagged {
			if rest, ok := strings.CutPrefix(line, "* ESEARCH "); ok {
				_, rest, _ = strings.Cut(rest, "UID")
				got = strings.TrimSpace(rest)
			}
		}
		if !sameItems(got, want) {
			t.Errorf("UID SEARCH %s: %q, want %q", options, got, want)
		}
	}
}

// sameItems compares ESEARCH results, whose items come in any order.
func sameItems(a, b string) bool {
	items := func(s string) string {
		pairs := map[string]string{}
		words := strings.Fields(s)
		for i := 0; i+1 < len(words); i += 2 {
			pairs[words[i]] = words[i+1]
		}
		return fmt.Sprint(pairs, len(words)) // maps print in order
	}
	return items(a) == items(b)
}

func finish(cmd *imapclient.AppendCommand, raw string) error {
	if _, err := cmd.Write([]byte(raw)); err != nil {
		return err
	}
	if err := cmd.Close(); err != nil {
		return err
	}
	_, err := cmd.Wait()
	return err
}
