package e2e

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/emersion/go-imap/v2"
	"zombiezen.com/go/sqlite"

	"tidings/internal/testserver"
)

// TestOutboxOutlivesAKill acts without a network, takes one action out again, kills
// the program, starts it on the same dead link, and brings the link back.
func TestOutboxOutlivesAKill(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, a account) {
		a.fill(t, "First letter", "Second letter", "Third letter", "Fourth letter")
		link, through := a.behind(t)
		dir := home(t)
		env, config := testserver.Env(dir...), through.config(t)
		term := start(t, []string{"--config", config}, env)
		waitSelected(term, "Fourth letter")
		term.WaitFor("live", patience)
		term.Send("c") // once the folders are known, they are known offline
		term.WaitFor("Archive", patience)
		term.Send("Q")
		term.Exited(patience) // the list is in the cache

		term = start(t, []string{"--config", config}, env)
		waitSelected(term, "Fourth letter")
		term.WaitFor("live", patience)
		link.Refuse(true)
		link.Cut()
		term.WaitFor("retry in", patience)
		term.Send("!")
		waitRow(term, "Fourth letter", "drawn as flagged", func(row string) bool { return strings.Contains(row, "⚑") })
		term.Send("j")
		waitSelected(term, "Third letter")
		term.Send("a")
		waitSelected(term, "Second letter")
		term.Send("d")
		term.WaitFor("3 to send", patience)
		term.Send("w")
		term.WaitFor("flag: Fourth letter", patience)
		term.WaitFor("move to Archive: Third letter", patience)
		term.WaitFor("move to Trash: Second letter", patience)
		term.WaitFor("offline", patience)
		term.Send("d") // the flag is taken out
		term.WaitGone("flag: Fourth letter", patience)
		screen := term.WaitFor("2 to send", patience)
		t.Logf("what waits:\n%s", strings.TrimRight(strings.Join(screen[:6], "\n"), "\n "))
		kept(t, dir, 2, term)
		if err := syscall.Kill(term.Pid(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		term.Exited(patience)

		term = start(t, []string{"--config", config}, env)
		term.WaitFor("2 to send", patience)
		waitRow(term, "Third letter", "drawn as on its way", func(row string) bool { return strings.Contains(row, "→") })
		term.Send("w")
		term.WaitFor("move to Archive: ", patience)
		term.WaitFor("move to Trash: ", patience)
		tried := link.Conns()
		term.Send("r") // what it says is gone when the link refuses it, which is at once
		term.WaitUntil("the connection to be tried again", patience, func([]string) bool { return link.Conns() > tried })
		if n := len(look(t, a.client(t), "INBOX")); n != 4 {
			t.Errorf("%d letters in INBOX before there is a link", n)
		}
		link.Heal()
		term.Send("r")
		term.WaitFor("Nothing waits", patience)
		term.Send("w")
		waitNoRow(term, "Third letter")
		waitNoRow(term, "Second letter")
		for mailbox, subject := range map[string]string{"Archive": "Third letter", "Trash": "Second letter"} {
			a.inMailbox(t, mailbox, "one letter", func(m []seen) bool { return len(m) == 1 && m[0].subject == subject })
		}
		a.inMailbox(t, "INBOX", "two letters, none of them flagged", func(m []seen) bool {
			return len(m) == 2 && !has(find(m, "Fourth letter").flags, imap.FlagFlagged)
		})
		term.Send("Q")
		term.Exited(patience)
	})
}

// kept waits until n actions are on the disk.
func kept(t *testing.T, home []string, n int64, term *testserver.Terminal) {
	t.Helper()
	dir := strings.TrimPrefix(home[len(home)-1], "XDG_STATE_HOME=")
	c, err := sqlite.OpenConn(filepath.Join(dir, "tidings", "state.sqlite"), sqlite.OpenReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	count, err := c.Prepare("SELECT count(*) FROM outbox")
	if err != nil {
		t.Fatal(err)
	}
	term.WaitUntil("what waits to be on the disk", patience, func([]string) bool {
		defer count.Reset()
		if _, err := count.Step(); err != nil {
			t.Fatal(err)
		}
		return count.ColumnInt64(0) == n
	})
}

// TestTwoProgramsOneOutbox: two panes on one account. Each does what it was asked
// for, once; what one leaves behind that is killed, the other does.
func TestTwoProgramsOneOutbox(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, a account) {
		a.fill(t, "First letter", "Second letter", "Third letter", "Fourth letter", "Fifth letter")
		link, through := a.behind(t)
		dir := home(t)
		env, config := testserver.Env(dir...), through.config(t)
		var pane [2]*testserver.Terminal
		for i := range pane {
			pane[i] = start(t, []string{"--config", config}, env)
			waitSelected(pane[i], "Fifth letter")
			pane[i].WaitFor("live", patience)
			pane[i].Send("c")
			pane[i].WaitFor("Archive", patience)
			pane[i].Send("c")
			pane[i].WaitGone("Archive", patience)
		}
		offline := func() {
			link.Refuse(true)
			link.Cut()
			for _, p := range pane {
				p.WaitFor("retry in", patience)
			}
		}
		offline()
		pane[0].Send("a") // Fifth
		pane[0].WaitFor("1 to send", patience)
		pane[1].Send("j")
		waitSelected(pane[1], "Fourth letter")
		pane[1].Send("a")
		pane[1].WaitFor("1 to send", patience)
		for _, p := range pane {
			p.Send("G") // away from what the other one takes, which would stay as gone
			waitSelected(p, "First letter")
		}
		link.Heal()
		for _, p := range pane {
			p.Send("r")
			waitNoRow(p, "Fifth letter")
			waitNoRow(p, "Fourth letter")
			p.WaitFor("live", patience)
			p.WaitGone("to send", patience)
		}
		a.inMailbox(t, "Archive", "two letters", func(m []seen) bool { return len(m) == 2 })

		offline()
		pane[0].Send("g")
		waitSelected(pane[0], "Third letter")
		pane[0].Send("a")
		pane[0].WaitFor("1 to send", patience)
		kept(t, dir, 1, pane[0])
		if err := syscall.Kill(pane[0].Pid(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		pane[0].Exited(patience)
		link.Heal()
		pane[1].Send("r")
		waitNoRow(pane[1], "Third letter")
		a.inMailbox(t, "Archive", "three letters, each once", func(m []seen) bool {
			return len(m) == 3 && find(m, "Third letter").uid != 0 && find(m, "Fourth letter").uid != 0 && find(m, "Fifth letter").uid != 0
		})
		pane[1].Send("Q")
		pane[1].Exited(patience)
	})
}

// TestRefusedForNowOnScreen: what finds no room stays pending and stands in the
// pane with the server's words and the time of the next try; when there is room, r
// does it. A discarded one is as if it had not been asked for.
func TestRefusedForNowOnScreen(t *testing.T) {
	t.Parallel()
	dovecot := testserver.Dovecot(t, testserver.ExtraConfig("mail_plugins = quota\nprotocol imap {\n  mail_plugins = $mail_plugins imap_quota\n}\nplugin {\n  quota = maildir:User quota\n  quota_rule = *:messages=4\n}"))
	a := onDovecot(dovecot)
	a.fill(t, "First letter", "Second letter", "Third letter")
	other := a.client(t)
	testserver.Append(t, other, "Junk", testserver.Letter(1))
	term := start(t, []string{"--config", a.config(t)})
	waitSelected(term, "Third letter")
	term.WaitFor("live", patience)
	copyTo := func() {
		t.Helper()
		term.Send("C")
		term.WaitFor("Archive", patience)
		term.Type("archive")
		term.Send("Enter")
	}
	copyTo()
	term.WaitFor("not yet, the server says", patience)
	term.WaitFor("Quota exceeded", patience)
	term.Send("w")
	term.WaitFor("copy to Archive: Third letter", patience)
	term.WaitFor("the server would not for now", patience)
	screen := term.WaitFor("r tries it at once, d takes it back", patience)
	t.Logf("what waits:\n%s", strings.TrimRight(strings.Join(screen[:4], "\n"), "\n "))
	if _, err := other.Select("Junk", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	a.store(t, other, 1, imap.FlagDeleted)
	if err := other.Expunge().Close(); err != nil {
		t.Fatal(err)
	}
	term.Send("r")
	term.WaitFor("Nothing waits", patience)
	a.inMailbox(t, "Archive", "one letter", func(m []seen) bool { return len(m) == 1 })
	term.Send("Escape")
	term.WaitGone("Nothing waits", patience)

	copyTo()
	term.WaitFor("not yet, the server says", patience)
	term.Send("w")
	term.WaitFor("the server would not for now", patience)
	term.Send("d")
	term.WaitFor("Nothing waits", patience)
	term.WaitFor("taken back", patience)
	a.inMailbox(t, "Archive", "one letter still", func(m []seen) bool { return len(m) == 1 })
	term.Send("Q")
	term.Exited(patience)
}
