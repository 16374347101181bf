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
}

// NewLab starts a Dovecot whose accounts' mail lies under work, so that the
// mailboxes of an earlier run, and their indexes, are used again. dirty has it
// trust these indexes, as servers of large mailboxes are set up.
func NewLab(h *Host, work, binary string, dirty bool) (*Lab, error) {
	if err := os.MkdirAll(work, 0o755); err != nil {
		return nil, err
	}
	l := &Lab{Host: h, Work: work, Binary: binary}
	config := "mail_location = maildir:" + filepath.Join(work, "%u")
	if dirty {
		config += "\nmaildir_very_dirty_syncs = yes"
	}
	l.Server = testserver.Dovecot(h, testserver.ExtraConfig(config))
	return l, nil
}

// Mailbox makes the account with n messages, or finds it made.
func (l *Lab) Mailbox(n int) (Mailbox, error) {
	box := Mailbox{Addr: l.Server.Addr, User: fmt.Sprintf("m%d", n), Password: l.Server.Password, Messages: n}
	dir := filepath.Join(l.Work, box.User)
	if err := WriteMaildir(dir, n); err != nil {
		return box, fmt.Errorf("make a mailbox of %d: %w", n, err)
	}
	return box, l.own(dir)
}

// Scratch is a mailbox of n messages that a measure may change: a copy made of
// hard links, new each time.
func (l *Lab) Scratch(n int) (Mailbox, error) {
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

// newest says whether the newest subjects of a mailbox are on the screen.
func newest(box Mailbox) func(screen string) bool {
	first, tenth := Subject(box.Messages-1), Subject(box.Messages-10)
	return func(screen string) bool { return strings.Contains(screen, first) && strings.Contains(screen, tenth) }
}

// open runs a program until the newest subjects of box are on its screen and
// says how long that took. The caller ends the program.
func open(h *Host, p Program, box Mailbox) (*Terminal, time.Duration, error) {
	t, err := p.Open(h.TempDir(), box)
	if err != nil {
		return nil, 0, fmt.Errorf("start %s: %w", p.Name, err)
	}
	at, err := t.Wait(60*time.Second, "newest subjects", newest(box))
	if err != nil {
		t.Kill()
		return nil, 0, fmt.Errorf("%s: %w", p.Name, err)
	}
	return t, at.Sub(t.Started), nil
}

// Opened starts a program on box and returns when the newest subjects are on
// its screen. The caller ends it.
func Opened(h *Host, p Program, box Mailbox) (*Terminal, error) {
	t, _, err := open(h, p, box)
	return t, err
}
