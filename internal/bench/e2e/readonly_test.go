package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"tidings/internal/bench"
	"tidings/internal/testserver"
)

// harmless are the commands that change nothing: a FETCH does as long as it looks
// at bodies by PEEK.
var harmless = regexp.MustCompile(`^(EXAMINE|(UID )?(FETCH|SEARCH)|NOOP|IDLE|DONE|LIST|LSUB|STATUS|ENABLE|ID|CAPABILITY|NAMESPACE|UNSELECT|LOGOUT)\b`)

// TestReadOnlyOnTheWire presses every key there is, in the list, on marked
// messages and in the reader, types commands, and reads in the server's own log
// what came over the wire.
func TestReadOnlyOnTheWire(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it presses every key three times")
	}
	dovecot := testserver.Dovecot(t, testserver.ExtraConfig("rawlog_dir = %h/rawlog"))
	a := onDovecot(dovecot)
	a.fill(t, "First letter", "Second letter", "Third letter")
	a.deliver(t, bench.MessageWithSubject(9, "Unread letter"))
	logs := filepath.Join(filepath.Dir(dovecot.Maildir), "rawlog") // of what comes from here on
	if err := os.Mkdir(logs, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(logs, 0o777); err != nil {
		t.Fatal(err)
	}
	term := start(t, []string{"--read-only", "--config", a.config(t)})
	waitSelected(term, "Unread letter")
	term.WaitFor("read-only", patience)
	term.WaitFor("live", patience)
	rest := func() { // all panes and prompts closed, nothing marked
		t.Helper()
		atRest := func(s []string) bool {
			last := s[len(s)-1]
			return strings.Contains(last, "Q quit") && strings.Contains(last, "Enter open") && testserver.Shows(s, " unread of 4") && !strings.Contains(s[len(s)-2], " marked") && !testserver.Shows(s, "Subject ")
		}
		helped := func(s []string) bool { return testserver.Shows(s, "open the message") }
		// soon looks for a moment only: a screen that is otherwise gets another key.
		soon := func(wanted func([]string) bool) bool {
			for range 20 {
				if wanted(term.Screen()) {
					return true
				}
				<-time.After(20 * time.Millisecond)
			}
			return false
		}
		for range 12 {
			term.Send("Escape")
			<-time.After(60 * time.Millisecond) // a key right behind it would be Alt and that key
			// When the help is there, all that was pressed before has had its effect.
			term.Send("?")
			if !soon(helped) {
				continue // it was typed somewhere
			}
			term.Send("Escape")
			term.WaitUntil("the help to close", patience, func(s []string) bool { return !helped(s) })
			if atRest(term.Screen()) {
				break
			}
		}
		term.WaitUntil("the list alone", patience, atRest)
	}
	var keys []string
	for c := '!'; c <= '~'; c++ {
		if !strings.ContainsRune("Q;", c) { // Q quits; ; is tmux's own
			keys = append(keys, string(c))
		}
	}
	keys = append(keys, "C-r", "C-d", "C-u", "Space", "Tab", "BSpace", "DC", "IC")
	for _, where := range []string{"list", "marked", "reader"} {
		for _, key := range keys {
			switch where {
			case "marked":
				if strings.ContainsAny(key, "/:cB?LwqjkgGfSt123456789") {
					continue
				}
				term.Send("X")
				term.WaitFor("4 marked", patience)
			case "reader":
				if strings.ContainsAny(key, "/:cB?LwqgGfSt123456789X") {
					continue
				}
				term.Send("Enter")
				term.WaitFor("Subject ", patience)
			}
			term.Send(key)
			term.Send("y", "1", "Enter") // to whatever it asks
			rest()
		}
	}
	for _, command := range []string{"keyword $Junk", "create New", "archive", "delete", "undo"} {
		term.Send(":")
		term.Type(command)
		term.Send("Enter", "y", "Enter")
		rest()
	}
	term.Send("Q")
	if status := term.Exited(patience); status != 0 {
		t.Errorf("exit status %d", status)
	}

	// Nor does a command without a screen, on an account that is read_only.
	config := a.config(t, `tls = "none"`, "read_only = true")
	letter := filepath.Join(t.TempDir(), "letter.eml")
	if err := os.WriteFile(letter, testserver.Letter(1), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"flag", "--add", "seen", "4"}, {"move", "--to", "Archive", "4"}, {"archive", "4"}, {"delete", "4"}, {"read", "--mark", "4"},
		{"append", "--to", "Archive", letter},
	} {
		command := start(t, append([]string{args[0], "--config", config}, args[1:]...))
		status := command.Exited(patience)
		if screen := command.Screen(); status == 0 || !testserver.Shows(screen, "read_only") && !testserver.Shows(screen, "read-only") {
			t.Errorf("%v ended with %d and said\n%s", args, status, strings.TrimSpace(strings.Join(screen, "\n")))
		}
	}

	files, err := filepath.Glob(filepath.Join(logs, "*.in"))
	if err != nil || len(files) == 0 {
		t.Fatalf("the server has logged nothing: %v", err)
	}
	said := map[string]int{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			_, line, _ = strings.Cut(strings.TrimSpace(line), " ") // when
			cmd := line
			if line != "DONE" {
				_, cmd, _ = strings.Cut(line, " ") // the tag
			}
			word := harmless.FindString(strings.ToUpper(cmd))
			if word == "" || strings.Contains(cmd, "BODY[") || strings.Contains(cmd, "RFC822.TEXT") || strings.HasSuffix(cmd, "RFC822)") {
				t.Errorf("this came over the wire: %q", line)
			}
			said[word]++
		}
	}
	if said["EXAMINE"] == 0 || said["UID FETCH"] == 0 || said["IDLE"] == 0 {
		t.Errorf("what came is too little to be all: %v", said)
	}
	t.Logf("%d connections: %v", len(files), said)
	for _, m := range look(t, a.client(t), "INBOX") {
		if wanted := m.subject != "Unread letter"; has(m.flags, `\Seen`) != wanted || len(m.flags) > 2 {
			t.Errorf("%q has the flags %v", m.subject, m.flags)
		}
	}
}
