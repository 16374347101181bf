package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"go.uber.org/goleak"

	"tidings/imapsession"
	"tidings/internal/config"
	"tidings/internal/testserver"
)

// runIn runs the program in this process and returns what it printed.
func runIn(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = Program{Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs}.run(t.Context())
	return status, out.String(), errs.String()
}

func host(t *testing.T, addr string) (name, port string) {
	t.Helper()
	name, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return name, port
}

// TestCheckAgainstDovecot: a real server, with and without TLS, trusted by an
// authority, by a pin, or not at all.
func TestCheckAgainstDovecot(t *testing.T) {
	t.Cleanup(func() { goleak.VerifyNone(t) })
	server := testserver.Dovecot(t)
	server.AppendN(t, "INBOX", 3)
	_, port := host(t, server.Addr)
	_, tlsPort := host(t, server.TLSAddr)
	conn, err := tls.Dial("tcp", server.TLSAddr, &tls.Config{RootCAs: server.CAPool, ServerName: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	fingerprint := config.Fingerprint(conn.ConnectionState().PeerCertificates[0])
	conn.Close()

	common := fmt.Sprintf("[[account]]\nname = \"real\"\nhost = \"127.0.0.1\"\nuser = %q\npassword_command = [\"echo\", %q]\n", server.User, server.Password)
	cases := []struct {
		name   string
		config string
		status int
		stdout []string
		stderr []string
	}{
		{"TLS by ca_file", fmt.Sprintf("port = %s\nca_file = %q\n", tlsPort, server.CAFile), 0,
			[]string{`link +TLS 1\.3`, `certificate .*, until \d`, regexp.QuoteMeta(fingerprint), `yes IDLE`, `yes MOVE`, `yes UIDPLUS`,
				`INBOX`, `mailbox +INBOX, 3 messages`, `IDLE +answers in`, `round trip`}, nil},
		{"STARTTLS by ca_file", fmt.Sprintf("port = %s\ntls = \"starttls\"\nca_file = %q\n", port, server.CAFile), 0,
			[]string{`link +.*TLS 1\.3`, `mailbox +INBOX, 3 messages`}, nil},
		{"TLS by a pin", fmt.Sprintf("port = %s\ntls_fingerprint = %q\n", tlsPort, fingerprint), 0,
			[]string{`link +TLS 1\.3`, `mailbox +INBOX`}, nil},
		{"plaintext to loopback", fmt.Sprintf("port = %s\ntls = \"none\"\n", port), 0, []string{`link +not encrypted`}, nil},
		{"not trusted", fmt.Sprintf("port = %s\n", tlsPort), 1,
			[]string{regexp.QuoteMeta(fingerprint)}, []string{`does not trust`, `ca_file`, regexp.QuoteMeta(fingerprint)}},
		{"STARTTLS not trusted", fmt.Sprintf("port = %s\ntls = \"starttls\"\n", port), 1,
			nil, []string{`does not trust`}},
		{"another pin", fmt.Sprintf("port = %s\ntls_fingerprint = \"sha256:%s\"\n", tlsPort, strings.Repeat("0", 64)), 1,
			nil, []string{`another certificate than the one pinned`, regexp.QuoteMeta(fingerprint)}},
		{"TLS on the plain port", fmt.Sprintf("port = %s\nca_file = %q\n", port, server.CAFile), 1,
			nil, []string{`does not speak TLS`}},
		{"no such folder", fmt.Sprintf("port = %s\nca_file = %q\nmailbox = \"Nowhere\"\n", tlsPort, server.CAFile), 1,
			[]string{`link +TLS`}, []string{`Nowhere`}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "config.toml")
			if err := os.WriteFile(path, []byte(common+c.config), 0o600); err != nil {
				t.Fatal(err)
			}
			status, stdout, stderr := runIn(t, "check", "--config", path)
			if status != c.status {
				t.Errorf("exit status %d, want %d", status, c.status)
			}
			for _, want := range c.stdout {
				if !regexp.MustCompile(want).MatchString(stdout) {
					t.Errorf("the report lacks %q", want)
				}
			}
			for _, want := range c.stderr {
				if !regexp.MustCompile(want).MatchString(stderr) {
					t.Errorf("stderr lacks %q", want)
				}
			}
			if (c.status == 0) != (stderr == "") || strings.Count(stderr, "\n") > 1 {
				t.Error("a failure is one sentence, and a success none")
			}
			if strings.Contains(stdout+stderr, server.Password) {
				t.Error("the password is told")
			}
			if t.Failed() {
				t.Logf("stdout:\n%s\nstderr:\n%s", stdout, stderr)
			}
		})
	}
}

// TestCheckShowsNoEscapes: what a hostile server says reaches the terminal as
// plain text, whether it lets us in or not.
func TestCheckShowsNoEscapes(t *testing.T) {
	const hostile = "\x1b[2J\x1b]0;owned\a\u202e"
	for name, script := range map[string]func(*testserver.Liar){
		"login refused": func(l *testserver.Liar) {
			l.Greet("")
			l.Serve(func(l *testserver.Liar, c testserver.Command) bool {
				if c.Name == "LOGIN" || c.Name == "AUTHENTICATE" {
					l.No(c, "[AUTHENTICATIONFAILED] go away"+hostile)
					return true
				}
				return false
			})
		},
		"folders": func(l *testserver.Liar) {
			l.Greet("")
			l.LogIn("")
			l.Serve(func(l *testserver.Liar, c testserver.Command) bool {
				switch c.Name {
				case "LIST":
					l.Send("* LIST () \"/\" {%d}\r\n%s", len("Evil"+hostile), "Evil"+hostile)
					l.OK(c)
				case "SELECT", "EXAMINE":
					l.Selected(c, 1, 1, 2)
				default:
					return false
				}
				return true
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, port := host(t, testserver.Listen(t, script))
			path := filepath.Join(t.TempDir(), "config.toml")
			text := fmt.Sprintf("[[account]]\nname = \"evil\"\nhost = \"127.0.0.1\"\nport = %s\ntls = \"none\"\nuser = \"a\"\npassword_command = [\"echo\", \"x\"]\n", port)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, stdout, stderr := runIn(t, "check", "--config", path)
			if strings.ContainsAny(stdout+stderr, "\x1b\a\u202e") {
				t.Errorf("the terminal gets\n%q\n%q", stdout, stderr)
			}
			if !strings.Contains(stdout+stderr, "go away") && !strings.Contains(stdout, "Evil") {
				t.Errorf("the server's words are lost:\n%s\n%s", stdout, stderr)
			}
		})
	}
}

// TestCheckInterrupted: an interrupted check blames nobody.
func TestCheckInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, port := host(t, testserver.Listen(t, func(l *testserver.Liar) {
		cancel() // the client is here, and waits for the greeting
		l.ExpectClosed()
	}))
	path := filepath.Join(t.TempDir(), "config.toml")
	text := fmt.Sprintf("[[account]]\nname = \"slow\"\nhost = \"127.0.0.1\"\nport = %s\ntls = \"none\"\nuser = \"a\"\npassword_command = [\"echo\", \"x\"]\n", port)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	status := Program{Args: []string{"check", "--config", path}, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr}.run(ctx)
	if want := "tidings: interrupted before every account had been tried\n"; status != 1 || stderr.String() != want || stdout.Len() > 0 {
		t.Errorf("status %d\n%s%s", status, stdout.String(), stderr.String())
	}
}

// TestDumbTerminal: a terminal that cannot place a cursor is refused in words.
func TestDumbTerminal(t *testing.T) {
	master, slave, err := pty.Open()
	if err != nil {
		testserver.Missing(t, "no pseudo-terminal: "+err.Error())
	}
	defer master.Close()
	defer slave.Close()
	p := Program{Stdin: slave, Stdout: slave, Environ: []string{"TERM=dumb"}}
	if err := p.needTerminal(); err == nil || !strings.Contains(err.Error(), "TERM=dumb") {
		t.Errorf("got %v", err)
	}
	p.Environ = []string{"TERM=xterm"}
	if err := p.needTerminal(); err != nil {
		t.Errorf("a terminal is refused: %v", err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	p.Stdout = null
	if err := p.needTerminal(); err == nil || !strings.Contains(err.Error(), "standard output") {
		t.Errorf("/dev/null: %v", err)
	}
}

// TestOffScreen: what is printed where no screen is names no key.
func TestOffScreen(t *testing.T) {
	for said, want := range map[string]string{
		"wrong password; correct it" + imapsession.Restart + ", or press r if it comes from a file\nno such folder" + imapsession.Restart: "wrong password; correct it\nno such folder",
		"pin it by tls_fingerprint = \"sha256:00\"; press r once the server has a good one":                                               "pin it by tls_fingerprint = \"sha256:00\"",
		"sign in again: press R, or run tidings login":                                                                                    "sign in again: run tidings login",
	} {
		if got := offScreen(said); got != want {
			t.Errorf("%q is printed as %q, want %q", said, got, want)
		}
	}
}

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		36499 * time.Nanosecond:    "36µs",
		1234567 * time.Nanosecond:  "1.2ms",
		234567 * time.Microsecond:  "235ms",
		1234567 * time.Microsecond: "1.235s",
	} {
		if got := short(d); got != want {
			t.Errorf("%v is written %q, want %q", d, got, want)
		}
	}
}
