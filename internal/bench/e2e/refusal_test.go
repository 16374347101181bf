package e2e

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"

	"tidings/internal/testserver"
)

// TestRefusals: what cannot work says why, in a sentence, and what to do. The
// monitor stays and shows it; `tidings check` ends with it.
func TestRefusals(t *testing.T) {
	t.Parallel()
	dovecot := testserver.Dovecot(t)
	good := onDovecot(dovecot)
	good.fill(t, "First letter")

	wrongPassword := good
	wrongPassword.password = "not this"
	secure := good
	secure.addr = dovecot.TLSAddr
	refused := good
	refused.addr = closedPort(t)
	web := good
	web.addr = webServer(t)

	for name, c := range map[string]struct {
		account account
		lines   []string
		says    []string // any of them, on screen and from check
	}{
		"password":    {wrongPassword, nil, []string{"password"}},
		"certificate": {secure, []string{`tls = "implicit"`}, []string{"certificate"}},
		"plain port where TLS is expected": {good, []string{`tls = "implicit"`},
			[]string{"does not speak TLS"}},
		"folder":        {good, []string{`tls = "none"`, `mailbox = "No such folder"`}, []string{"No such folder"}},
		"refused port":  {refused, nil, []string{"refused"}},
		"no IMAP there": {web, nil, []string{"IMAP"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := c.account.config(t, c.lines...)
			said := func(screen []string) bool {
				// A sentence may be wrapped or reach past the right edge.
				text := strings.Join(strings.Fields(strings.Join(screen, " ")), " ")
				for _, s := range c.says {
					if strings.Contains(text, s) {
						return true
					}
				}
				return false
			}
			term := start(t, []string{"--config", config})
			term.WaitUntil(fmt.Sprintf("a sentence with one of %q", c.says), patience, said)
			if screen := term.Screen(); testserver.Shows(screen, "● live") {
				t.Errorf("the screen claims a live link:\n%s", strings.Join(screen, "\n"))
			}
			term.Send("Q")
			if status := term.Exited(patience); status != 0 {
				t.Errorf("the monitor ended with status %d", status)
			}

			check := start(t, []string{"check", "--config", config})
			if status := check.Exited(patience); status != 1 {
				t.Errorf("check ended with status %d, not 1", status)
			}
			if screen := check.Screen(); !said(screen) {
				t.Errorf("check says nothing of %q:\n%s", c.says, strings.Join(screen, "\n"))
			}
		})
	}
}

// closedPort is an address where nothing listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// webServer answers whatever it is told with a web server's refusal.
func webServer(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				fmt.Fprint(conn, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\r\nno\r\n")
				_, _ = bufio.NewReader(conn).ReadString('\n')
			}()
		}
	}()
	return l.Addr().String()
}

// TestConfigMistakes: a config that cannot be used is named by file, line and
// key, before the screen is touched.
func TestConfigMistakes(t *testing.T) {
	t.Parallel()
	a := account{addr: "127.0.0.1:143", user: "alice", password: "x"}
	config := a.config(t, `tls = "none"`, `mailbix = "INBOX"`)
	for name, args := range map[string][]string{"monitor": {"--config", config}, "check": {"check", "--config", config}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			term := start(t, args)
			if status := term.Exited(patience); status != 1 {
				t.Errorf("ended with status %d, not 1", status)
			}
			text := strings.Join(term.Screen(), "")
			for _, want := range []string{"config.toml:8:", "mailbix"} {
				if !strings.Contains(text, want) {
					t.Errorf("no %q in:\n%s", want, text)
				}
			}
		})
	}
}
