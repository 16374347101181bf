package bench

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"tidings/internal/testserver"
)

// Lab is what the measures share: a Dovecot with a mailbox of each size, and
// the program under test.
type Lab struct {
	*Host
	Work   string // kept between runs: mailboxes take longer to make than to measure
	Binary string
	Server *testserver.Server
	format string
}

// NewLab starts a Dovecot whose accounts' mail lies under work, so that the
// mailboxes of an earlier run, and their indexes, are used again. format is how it
// stores mail: "maildir", whose SELECT at 500,000 messages takes longer than all
// else, "sdbox" or "mdbox".
func NewLab(h *Host, work, binary, format string) (*Lab, error) {
	if err := os.MkdirAll(work, 0o755); err != nil {
		return nil, err
	}
	l := &Lab{Host: h, Work: work, Binary: binary, format: format}
	place := filepath.Join(work, "%u")
	if format != "maildir" {
		place = filepath.Join(work, format, "%u")
	}
	l.Server = testserver.Dovecot(h, testserver.ExtraConfig("mail_location = "+format+":"+place))
	return l, nil
}

// Mailbox makes the account with n messages, or finds it made.
func (l *Lab) Mailbox(n int) (Mailbox, error) {
	box := Mailbox{Addr: l.Server.Addr, User: fmt.Sprintf("m%d", n), Password: l.Server.Password, Messages: n}
	if l.format != "maildir" {
		return box, l.fill(box)
	}
	dir := filepath.Join(l.Work, box.User)
	if err := WriteMaildir(dir, n); err != nil {
		return box, fmt.Errorf("make a mailbox of %d: %w", n, err)
	}
	return box, l.own(dir)
}

// fill has the server store the messages of a mailbox, unless it has.
func (l *Lab) fill(box Mailbox) error {
	dir := filepath.Join(l.Work, l.format)
	made := filepath.Join(dir, box.User+".made")
	if _, err := os.Stat(made); err == nil {
		return nil
	}
	if err := os.RemoveAll(filepath.Join(dir, box.User)); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, box.User), 0o755); err != nil {
		return err
	}
	if err := l.own(dir); err != nil {
		return err
	}
	s := testserver.Server{Addr: box.Addr, User: box.User, Password: box.Password}
	s.Fill(l.Host, "INBOX", box.Messages, func(i int) testserver.Mail {
		m := testserver.Mail{Raw: Message(i), Flags: "S"}
		if i%10 == 0 {
			m.Flags = ""
		}
		return m
	})
	return os.WriteFile(made, nil, 0o644)
}

// Scratch is a mailbox of n messages that a measure may change: a copy made of
// hard links, new each time.
func (l *Lab) Scratch(n int) (Mailbox, error) {
	if l.format != "maildir" {
		return Mailbox{}, fmt.Errorf("this measure changes mail, and that is copied as maildir only")
	}
	box, err := l.Mailbox(n)
	if err != nil {
		return box, err
	}
	from := filepath.Join(l.Work, box.User)
	box.User = "scratch"
	to := filepath.Join(l.Work, box.User)
	if err := os.RemoveAll(to); err != nil {
		return box, err
	}
	for _, sub := range []string{"cur", "new", "tmp"} {
		if err := os.MkdirAll(filepath.Join(to, sub), 0o755); err != nil {
			return box, err
		}
	}
	entries, err := os.ReadDir(filepath.Join(from, "cur"))
	if err != nil {
		return box, err
	}
	for _, e := range entries {
		if err := os.Link(filepath.Join(from, "cur", e.Name()), filepath.Join(to, "cur", e.Name())); err != nil {
			return box, err
		}
	}
	return box, l.own(to)
}

// own gives a tree to the owner of the mail: nobody, where we are root.
func (l *Lab) own(dir string) error {
	if os.Getuid() != 0 {
		return nil
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		return err
	}
	uid, _ := strconv.Atoi(nobody.Uid)
	gid, _ := strconv.Atoi(nobody.Gid)
	return chownTree(dir, uid, gid)
}

// calm is Terminal.Calm while a start is measured: the machine's cores are the
// program's and its server's.
const calm = 25 * time.Millisecond

// newest says whether the newest subjects of a mailbox are on the screen.
func newest(box Mailbox) func(screen string) bool {
	first, tenth := Subject(box.Messages-1), Subject(box.Messages-10)
	return func(screen string) bool { return strings.Contains(screen, first) && strings.Contains(screen, tenth) }
}

// open runs a program until the newest subjects of box are on its screen, which is
// looked at when it has been calm, and says how long that took. The caller ends the
// program.
func open(h *Host, p Program, box Mailbox, calm time.Duration) (*Terminal, time.Duration, error) {
	t, err := p.Open(h.TempDir(), box)
	if err != nil {
		return nil, 0, fmt.Errorf("start %s: %w", p.Name, err)
	}
	t.Calm = calm
	at, err := t.Wait(60*time.Second, "newest subjects", newest(box))
	t.Calm = 0
	if err != nil {
		t.Kill()
		return nil, 0, fmt.Errorf("%s: %w", p.Name, err)
	}
	return t, at.Sub(t.Started), nil
}

// Opened starts a program on box and returns when the newest subjects are on
// its screen. The caller ends it.
func Opened(h *Host, p Program, box Mailbox) (*Terminal, error) {
	t, _, err := open(h, p, box, 0)
	return t, err
}
