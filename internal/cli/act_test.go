package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"tidings/internal/testserver"
)

// TestHeadless: what the keys do, from a script, on Dovecot; each with the exit
// status of its outcome.
func TestHeadless(t *testing.T) {
	srv := testserver.Dovecot(t)
	for i := range 30 {
		raw := fmt.Sprintf("From: Bob <bob@example.org>\r\nSubject: letter %d\r\nMessage-ID: <%d@x.example>\r\nDate: Fri, 20 Nov 2026 10:00:00 +0000\r\n\r\nbody %d\r\n", i, i, i)
		srv.Append(t, "INBOX", []byte(raw))
	}
	c := srv.Client(t)
	for _, name := range []string{"Archive", "Trash"} {
		_ = c.Create(name, nil).Wait()
	}
	config, _ := appendHome(t, srv.Addr, srv, 0, 0)
	try := func(want int, args ...string) (stdout, stderr string) {
		t.Helper()
		status, out, errs := runIn(t, append(args, "--config", config)...)
		if status != want {
			t.Errorf("%q: status %d, not %d: %q %q", args, status, want, out, errs)
		}
		return out, errs
	}

	out, _ := try(exitDone, "list", "--limit", "3")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "30\tN--\t") || !strings.HasSuffix(lines[0], "\tBob\tletter 29") || !strings.HasPrefix(lines[2], "28\t") {
		t.Errorf("%q", lines)
	}
	out, _ = try(exitDone, "list", "--limit", "25", "--json")
	var rows []jsonRow
	if err := json.Unmarshal([]byte(out), &rows); err != nil || len(rows) != 25 || rows[24].UID != 6 || rows[0].From[0].Address != "bob@example.org" || rows[0].MessageID != "29@x.example" {
		t.Errorf("%v: %d rows of %q", err, len(rows), out[:min(len(out), 300)])
	}

	out, _ = try(exitDone, "search", "subject:letter is:unread -subject:2", "--json")
	if err := json.Unmarshal([]byte(out), &rows); err != nil || len(rows) != 18 {
		t.Errorf("%v: %d found", err, len(rows))
	}
	try(exitFailed, "search", "subject:nowhere")
	if _, errs := try(exitUsage, "search", "before:yesterdayish"); !strings.Contains(errs, "before:") {
		t.Errorf("%q", errs)
	}

	out, _ = try(exitDone, "read", "5")
	if !strings.Contains(out, "Subject: letter 4") || !strings.Contains(out, "body 4") {
		t.Errorf("%q", out)
	}
	if rows := srv.Rows(t, "INBOX"); strings.Contains(rows[4].String(), "Seen") {
		t.Error("reading from a script marked it read")
	}
	try(exitDone, "read", "5", "--mark", "--raw")
	if out, errs := try(exitFailed, "read", "999"); out != "" || errs == "" {
		t.Errorf("a message that is not there: %q %q", out, errs)
	}

	out, _ = try(exitDone, "flag", "--add", "flagged", "--remove", "seen", "--add", "$Todo", "5:7", "9")
	if out != "4 flagged\n" {
		t.Errorf("%q", out)
	}
	got := srv.Rows(t, "INBOX")[4].String()
	if !strings.Contains(got, `\Flagged`) || !strings.Contains(got, "$Todo") || strings.Contains(got, "Seen") {
		t.Errorf("message 5 is %s", got)
	}
	out, _ = try(exitDone, "archive", "1", "2", "--json")
	if out != "{\"done\":true}\n" {
		t.Errorf("%q", out)
	}
	try(exitDone, "delete", "3")
	try(exitDone, "move", "--to", "Archive", "4")
	if a, d, in := len(srv.Rows(t, "Archive")), len(srv.Rows(t, "Trash")), len(srv.Rows(t, "INBOX")); a != 3 || d != 1 || in != 26 {
		t.Errorf("%d archived, %d in the trash, %d left", a, d, in)
	}
	if out, _ := try(exitDone, "list", "--mailbox", "Archive"); strings.Count(out, "\n") != 3 {
		t.Errorf("%q", out)
	}
	if _, errs := try(exitFailed, "move", "--to", "nowhere", "6"); !strings.Contains(errs, "nothing was moved") {
		t.Errorf("%q", errs)
	}
	if _, errs := try(exitFailed, "list", "--mailbox", "nowhere"); !strings.Contains(errs, "nowhere") {
		t.Errorf("%q", errs)
	}
	for _, args := range [][]string{{"read"}, {"read", "x"}, {"read", "1", "2"}, {"flag", "1"}, {"move", "1"}, {"delete", "0"}, {"archive", "5:1"}, {"search"}, {"list", "--limit", "0"}} {
		try(exitUsage, args...)
	}
}
