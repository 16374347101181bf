package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"tidings/internal/bench"
	"tidings/internal/testserver"
)

// TestSecureLinks: implicit TLS and STARTTLS with the server's own CA, watched
// and checked. What the log shows holds no password.
func TestSecureLinks(t *testing.T) {
	t.Parallel()
	dovecot := testserver.Dovecot(t)
	for name, addr := range map[string]string{"implicit": dovecot.TLSAddr, "starttls": dovecot.Addr} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := onDovecot(dovecot)
			through := a
			through.addr = addr
			config := through.config(t, "tls = "+strconv.Quote(name), "ca_file = "+strconv.Quote(dovecot.CAFile))
			term := start(t, []string{"--config", config})
			term.WaitFor("TLS 1.3", patience)
			a.deliver(t, bench.MessageWithSubject(3, "Over "+name))
			waitRow(term, "Over "+name, "arrived", func(row string) bool { return strings.Contains(row, "●") })
			term.Send("L")
			term.WaitFor("IDLE", patience)
			if screen := strings.Join(term.Screen(), "\n"); strings.Contains(screen, a.password) {
				t.Errorf("the log shows the password:\n%s", screen)
			}
			term.Send("Q")
			if status := term.Exited(patience); status != 0 {
				t.Errorf("exit status %d", status)
			}

			check := start(t, []string{"check", "--config", config})
			if status := check.Exited(patience); status != 0 {
				t.Errorf("check ended with status %d", status)
			}
			for _, want := range []string{"TLS 1.3", "IDLE", "Archive"} {
				if !testserver.Shows(check.Screen(), want) {
					t.Errorf("check says nothing of %s:\n%s", want, strings.Join(check.Screen(), "\n"))
				}
			}
		})
	}
}

// TestAccountsSideBySide: a session each; what happens in one shows while the
// other is looked at, and an action goes where the eye is.
func TestAccountsSideBySide(t *testing.T) {
	t.Parallel()
	first, second := onDovecot(testserver.Dovecot(t)), onDovecot(testserver.Dovecot(t))
	first.fill(t, "Letter at work", "Another at work")
	second.fill(t, "Letter at home")
	text, err := os.ReadFile(first.config(t, `tls = "none"`))
	if err != nil {
		t.Fatal(err)
	}
	more, err := os.ReadFile(second.config(t, `tls = "none"`))
	if err != nil {
		t.Fatal(err)
	}
	both := string(text) + "\n" + strings.Replace(string(more), `name = "work"`, `name = "home"`, 1)
	config := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(config, []byte(both), 0o600); err != nil {
		t.Fatal(err)
	}
	term := start(t, []string{"--config", config})
	waitSelected(term, "Another at work")
	term.Send("2") // both are loaded before anything arrives
	waitSelected(term, "Letter at home")
	term.Send("1")
	waitSelected(term, "Another at work")
	second.deliver(t, bench.MessageWithSubject(3, "Fresh at home"))
	term.WaitUntil("word of the other account's mail", patience, func(s []string) bool {
		return testserver.Shows(s, "home 1") || testserver.Shows(s, "Fresh at home")
	})
	term.Send("2")
	waitSelected(term, "Letter at home")
	term.Send("!")
	second.inMailbox(t, "INBOX", `\Flagged`, func(m []seen) bool { return has(find(m, "Letter at home").flags, `\Flagged`) })
	first.inMailbox(t, "INBOX", "no flag", func(m []seen) bool {
		return !has(find(m, "Letter at work").flags, `\Flagged`) && !has(find(m, "Another at work").flags, `\Flagged`)
	})
	term.Send("1")
	waitSelected(term, "Another at work")
}

// TestReadOnlyChangesNothing: with EXAMINE no key reaches the server.
func TestReadOnlyChangesNothing(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, a account) {
		a.fill(t, "Old news")
		a.deliver(t, bench.MessageWithSubject(3, "Fresh bread"))
		term := start(t, []string{"--config", a.config(t, `tls = "none"`, "read_only = true")})
		waitSelected(term, "Fresh bread")
		term.WaitFor("read-only", patience)
		term.Send("!", "d", "U", "Enter")
		term.WaitFor("Subject Fresh bread", patience)
		term.Send("Escape")
		term.WaitGone("Subject Fresh bread", patience) // a key right behind Escape is Alt and that key
		term.Send("j")
		waitSelected(term, "Old news")
		a.inMailbox(t, "INBOX", "everything as it was", func(m []seen) bool {
			fresh := find(m, "Fresh bread")
			return len(m) == 2 && !has(fresh.flags, `\Flagged`) && !has(fresh.flags, `\Seen`)
		})
		a.inMailbox(t, "Trash", "nothing", func(m []seen) bool { return len(m) == 0 })
	})
}

// TestNoServerYet: the screen is there before the server is, says so, and fills
// when it comes.
func TestNoServerYet(t *testing.T) {
	t.Parallel()
	a := onDovecot(testserver.Dovecot(t))
	a.fill(t, "First letter")
	link, through := a.behind(t)
	link.Refuse(true)
	term := through.monitor(t)
	term.WaitFor("retry in", patience)
	link.Refuse(false)
	term.Send("r")
	term.WaitFor("First letter", patience)
	term.WaitFor("live", patience)
}
