package bench

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Mailbox is where a program finds the mail it is measured on: the INBOX of an
// account, on a plain loopback port.
type Mailbox struct {
	Addr     string // host:port
	User     string
	Password string
	Messages int
}

// Program is something that can open a Mailbox in a terminal.
type Program struct {
	Name string
	// Open starts the program on the mailbox; home is an empty directory of
	// this run alone. It must not wait for anything but what the program has to
	// be told by key.
	Open func(home string, box Mailbox) (*Terminal, error)
	// Quit are the keys that end it; programs that take none are killed.
	Quit string
}

// Columns and Lines are the terminal that everything is measured in.
const (
	Columns = 120
	Lines   = 40
)

// Tidings is the binary at path.
func Tidings(path string) Program { return tidings("tidings", path, "") }

// TidingsAsked is Tidings without what nobody has asked for yet: no headers of
// older mail for the cache, no text of the next unread message.
func TidingsAsked(path string) Program {
	return tidings("tidings, nothing ahead", path, "[cache]\nbackfill = \"off\"\nprefetch = false")
}

func tidings(name, path, extra string) Program {
	return Program{Name: name, Quit: "Q", Open: func(home string, box Mailbox) (*Terminal, error) {
		config, err := TidingsConfig(home, box, extra)
		if err != nil {
			return nil, err
		}
		return Start(Columns, Lines, homeEnv(home), path, "--config", config)
	}}
}

// TidingsConfig writes a config for box with these extra lines behind the
// account's and gives its path.
func TidingsConfig(home string, box Mailbox, extra string) (string, error) {
	host, port, err := net.SplitHostPort(box.Addr)
	if err != nil {
		return "", err
	}
	secret := filepath.Join(home, "secret")
	if err := os.WriteFile(secret, []byte(box.Password+"\n"), 0o600); err != nil {
		return "", err
	}
	config := filepath.Join(home, "config.toml")
	text := fmt.Sprintf("[[account]]\nname = \"bench\"\nhost = %q\nport = %s\ntls = \"none\"\nuser = %q\npassword_file = %q\n%s\n",
		host, port, box.User, secret, extra)
	return config, os.WriteFile(config, []byte(text), 0o600)
}

// Peers are the mail programs to be ahead of, as far as they are installed.
// Each is set up for its fastest way to the newest subjects: no header cache,
// newest first by arrival, no pauses.
func Peers() []Program {
	var installed []Program
	for _, p := range []Program{muttLike("neomutt"), muttLike("mutt"), aerc, alpine} {
		if _, err := exec.LookPath(p.Name); err == nil {
			installed = append(installed, p)
		}
	}
	return installed
}

func muttLike(name string) Program {
	return Program{Name: name, Quit: "x", Open: func(home string, box Mailbox) (*Terminal, error) {
		rc := filepath.Join(home, "muttrc")
		text := strings.Join([]string{
			fmt.Sprintf("set spoolfile=imap://%s/INBOX folder=imap://%s/", box.Addr, box.Addr),
			fmt.Sprintf("set imap_user=%q imap_pass=%q", box.User, box.Password),
			"set ssl_starttls=no ssl_force_tls=no",
			"set sort=reverse-mailbox-order sleep_time=0 imap_idle=yes",
			"push <first-entry>", "set timeout=2 mail_check=1", "unset header_cache", "set record=\"\" postponed=\"\" move=no quit=yes",
			"",
		}, "\n")
		if err := os.WriteFile(rc, []byte(text), 0o600); err != nil {
			return nil, err
		}
		return Start(Columns, Lines, homeEnv(home), name, "-F", rc)
	}}
}

var aerc = Program{Name: "aerc", Open: func(home string, box Mailbox) (*Terminal, error) {
	dir := filepath.Join(home, ".config", "aerc")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	account := fmt.Sprintf("[bench]\nsource = imap+insecure://%s:%s@%s\ndefault = INBOX\nfrom = Bench <bench@example.org>\n",
		box.User, box.Password, box.Addr)
	for file, text := range map[string]string{
		"accounts.conf": account,
		// Without any aerc.conf and binds.conf the first start copies its own.
		"aerc.conf":  "[general]\n",
		"binds.conf": "<C-q> = :quit<Enter>\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	return Start(Columns, Lines, homeEnv(home), "aerc")
}}

var alpine = Program{Name: "alpine", Quit: "qy", Open: func(home string, box Mailbox) (*Terminal, error) {
	// Without it, it says so for four seconds.
	if err := os.Mkdir(filepath.Join(home, "mail"), 0o700); err != nil {
		return nil, err
	}
	rc := filepath.Join(home, ".pinerc")
	text := strings.Join([]string{
		"personal-name=Bench", "user-domain=example.org", "smtp-server=127.0.0.1",
		fmt.Sprintf("inbox-path={%s/imap/notls/user=%s}INBOX", box.Addr, box.User),
		"sort-key=Arrival/Reverse", "incoming-startup-rule=first",
		// Else it says for three seconds that AUTH=PLAIN is offered without TLS.
		"disable-these-authenticators=PLAIN,LOGIN",
		"last-version-used=6.26", "initial-keystroke-list=",
		"feature-list=quit-without-confirm,quell-lock-failure-warnings,quell-folder-internal-msg,disable-password-file-saving",
		"mail-check-interval=15", "",
	}, "\n")
	if err := os.WriteFile(rc, []byte(text), 0o600); err != nil {
		return nil, err
	}
	t, err := Start(Columns, Lines, homeEnv(home), "alpine", "-p", rc, "-i")
	if err != nil {
		return nil, err
	}
	// It takes a password from nowhere but the keyboard.
	if _, err := t.Wait(10*time.Second, "password prompt", func(s string) bool {
		return strings.Contains(s, "ENTER PASSWORD") || strings.Contains(s, "HOST:")
	}); err != nil {
		t.Kill()
		return nil, err
	}
	t.Type(box.Password + "\r")
	return t, nil
}}

func homeEnv(home string) []string {
	return []string{"HOME=" + home, "XDG_CONFIG_HOME=" + filepath.Join(home, ".config"),
		"XDG_CACHE_HOME=" + filepath.Join(home, ".cache"), "XDG_STATE_HOME=" + filepath.Join(home, ".state"),
		"XDG_DATA_HOME=" + filepath.Join(home, ".data"), "XDG_RUNTIME_DIR=" + home}
}
