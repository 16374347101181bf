// Package e2e runs the built binary in a real terminal (tmux) against the demo
// server and a real Dovecot, and looks at what a person would see and at what
// another client would read. It holds the program to what docs/PERFORMANCE.md
// promises where that is no time: octets, round trips.
package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"tidings/internal/bench"
	"tidings/internal/demo"
	"tidings/internal/testserver"
)

// binary is the program as it is shipped: static, without the race detector.
var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "tidings-e2e")
	if err == nil {
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "tidings")
		err = bench.Build(binary, "tidings")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// patience is how long anything on screen may take before a test gives up. It
// is no measure of the program: the machine may be busy.
const patience = 30 * time.Second

// account is one on a server of the test.
type account struct {
	addr, user, password string
	// deliver brings mail as the server's own delivery does.
	deliver func(t *testing.T, raw []byte)
}

// onEach runs a test on each server that has to do: a mailbox of the demo's,
// quiet and empty, and a Dovecot.
func onEach(t *testing.T, test func(t *testing.T, a account)) {
	t.Run("demo", func(t *testing.T) {
		t.Parallel()
		s, err := demo.Start(t.Context(), demo.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		a := account{addr: s.Addr(), user: s.User(), password: s.Password()}
		a.deliver = func(t *testing.T, raw []byte) { testserver.Append(t, a.client(t), "INBOX", raw) }
		test(t, a)
	})
	t.Run("Dovecot", func(t *testing.T) {
		t.Parallel()
		test(t, onDovecot(testserver.Dovecot(t)))
	})
}

func onDovecot(s *testserver.Server) account {
	return account{addr: s.Addr, user: s.User, password: s.Password,
		deliver: func(t *testing.T, raw []byte) { s.Deliver(t, raw) }}
}

// client is another client of the account, logged in.
func (a account) client(t *testing.T) *imapclient.Client {
	t.Helper()
	return testserver.Login(t, a.addr, a.user, a.password)
}

// selecting is another client with the INBOX open.
func (a account) selecting(t *testing.T) *imapclient.Client {
	t.Helper()
	c := a.client(t)
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	return c
}

// fill appends messages with these subjects, all of them read.
func (a account) fill(t *testing.T, subjects ...string) {
	t.Helper()
	c := a.client(t)
	defer c.Close()
	for i, subject := range subjects {
		testserver.Append(t, c, "INBOX", bench.MessageWithSubject(i, subject), `\Seen`)
	}
}

// config writes a config for the account with these lines instead of tls =
// "none", and gives its path.
func (a account) config(t *testing.T, lines ...string) string {
	t.Helper()
	dir := t.TempDir()
	host, port, err := net.SplitHostPort(a.addr)
	if err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte(a.password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if len(lines) == 0 {
		lines = []string{`tls = "none"`}
	}
	text := fmt.Sprintf("[[account]]\nname = \"work\"\nhost = %q\nport = %s\nuser = %q\npassword_file = %q\n%s\n",
		host, port, a.user, secret, strings.Join(lines, "\n"))
	path := filepath.Join(dir, "config.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// monitor starts the program on the account in a terminal of 120x40.
func (a account) monitor(t *testing.T, opts ...testserver.TerminalOption) *testserver.Terminal {
	t.Helper()
	return start(t, []string{"--config", a.config(t)}, opts...)
}

// start starts the program in a terminal, in a home of its own.
func start(t *testing.T, args []string, opts ...testserver.TerminalOption) *testserver.Terminal {
	t.Helper()
	opts = append([]testserver.TerminalOption{
		testserver.Size(bench.Columns, bench.Lines), testserver.Env(home(t)...)}, opts...)
	return testserver.Tmux(t, append([]string{binary}, args...), opts...)
}

// home is an environment that points away from the machine's own files.
func home(t *testing.T) []string {
	dir := t.TempDir()
	return []string{"HOME=" + dir, "XDG_CONFIG_HOME=" + dir, "XDG_CACHE_HOME=" + dir, "XDG_STATE_HOME=" + dir}
}

// rowOf is the list's row with this subject; "" if there is none. The lines
// below the list, which may name it too, do not count.
func rowOf(screen []string, subject string) string {
	for _, row := range screen[:max(len(screen)-3, 0)] {
		if strings.Contains(row, subject) {
			return row
		}
	}
	return ""
}

// selected is whether the cursor's mark stands in the subject's row.
func selected(screen []string, subject string) bool {
	return strings.HasPrefix(rowOf(screen, subject), "▌")
}

// waitSelected waits until the cursor is on a subject.
func waitSelected(term *testserver.Terminal, subject string) {
	term.WaitUntil("the cursor on "+subject, patience, func(s []string) bool { return selected(s, subject) })
}

// waitRow waits until the list has a row with this subject that looks so.
func waitRow(term *testserver.Terminal, subject, what string, wanted func(row string) bool) {
	term.WaitUntil(fmt.Sprintf("row %q %s", subject, what), patience, func(s []string) bool {
		row := rowOf(s, subject)
		return row != "" && wanted(row)
	})
}

// waitNoRow waits until the list has no row with this subject.
func waitNoRow(term *testserver.Terminal, subject string) {
	term.WaitUntil(subject+" to leave the list", patience, func(s []string) bool { return rowOf(s, subject) == "" })
}

// inMailbox waits until another client sees the mailbox as wanted.
func (a account) inMailbox(t *testing.T, mailbox, what string, wanted func(messages []seen) bool) {
	t.Helper()
	c := a.client(t)
	defer c.Close()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		messages := look(t, c, mailbox)
		if wanted(messages) {
			return
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("%s: another client never saw %s; it sees %v", mailbox, what, messages)
		}
	}
}

// seen is a message as another client sees it.
type seen struct {
	uid     imap.UID
	subject string
	flags   []imap.Flag
}

func look(t *testing.T, c *imapclient.Client, mailbox string) []seen {
	t.Helper()
	box, err := c.Select(mailbox, &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil {
		t.Fatal(err)
	}
	if box.NumMessages == 0 {
		return nil
	}
	all := imap.SeqSet{{Start: 1, Stop: 0}}
	rows, err := c.Fetch(all, &imap.FetchOptions{UID: true, Flags: true, Envelope: true}).Collect()
	if err != nil {
		t.Fatal(err)
	}
	var out []seen
	for _, r := range rows {
		out = append(out, seen{r.UID, r.Envelope.Subject, r.Flags})
	}
	return out
}

// find gives the message with a subject; uid 0 if there is none.
func find(messages []seen, subject string) seen {
	for _, m := range messages {
		if m.subject == subject {
			return m
		}
	}
	return seen{}
}

// uidOf is a message's UID, which must exist.
func (a account) uidOf(t *testing.T, subject string) imap.UID {
	t.Helper()
	c := a.client(t)
	defer c.Close()
	m := find(look(t, c, "INBOX"), subject)
	if m.uid == 0 {
		t.Fatalf("no message %q on the server", subject)
	}
	return m.uid
}

// expunge has another client expunge a message.
func (a account) expunge(t *testing.T, subject string) {
	t.Helper()
	uid := a.uidOf(t, subject)
	c := a.selecting(t)
	defer c.Close()
	a.store(t, c, uid, imap.FlagDeleted)
	if err := c.UIDExpunge(imap.UIDSetNum(uid)).Close(); err != nil {
		t.Fatal(err)
	}
}

func (a account) store(t *testing.T, c *imapclient.Client, uid imap.UID, flags ...imap.Flag) {
	t.Helper()
	if err := c.Store(imap.UIDSetNum(uid), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: flags}, nil).Close(); err != nil {
		t.Fatal(err)
	}
}

func has(flags []imap.Flag, flag imap.Flag) bool { return slices.Contains(flags, flag) }
