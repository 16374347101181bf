package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tidings/internal/config"
	"tidings/internal/setup"
	"tidings/internal/testserver"
)

// TestSetupInATerminal: started without a config, tidings asks what a person
// wants; from an address without a server it gets, by plain questions, to the
// mail. The server's certificate is trusted because the person says so.
func TestSetupInATerminal(t *testing.T) {
	server := testserver.Dovecot(t)
	server.AppendN(t, "INBOX", 3)
	_, port := host(t, server.TLSAddr)
	p := start(t)
	p.WaitFor("There is no config yet", patience)
	p.Send("Enter")
	answer := func(question, text string) {
		t.Helper()
		p.WaitFor(question, patience)
		p.Type(text)
		p.Send("Enter")
	}
	answer("Your mail address:", "alice")
	answer(`"alice" is not a mail address`, "alice@nowhere.invalid")
	answer("Please name it yourself:", "imaps://127.0.0.1")
	answer("Host is \"imaps://127.0.0.1\"; expected the name alone", "127.0.0.1")
	answer("Port (993: TLS; 143: STARTTLS) [993]:", "99999")
	answer("Port is 99999; expected a whole number from 1 to 65535", port)
	answer("User name [alice@nowhere.invalid]:", "")
	answer("Name of the account [nowhere]:", "home")
	answer("Number [1]:", "1")
	answer("Password of alice@nowhere.invalid (not shown):", server.Password)
	answer("Trust this certificate from now on", "7")
	// The right server, and another user's name.
	screen := p.WaitFor("server cannot open INBOX", patience)
	if testserver.Shows(screen, server.Password) {
		t.Error("the password is shown")
	}
	answer("6  Give up", "6")
	p.ended(t, 1)
	if _, err := os.Stat(filepath.Join(p.home, "config")); err == nil {
		t.Error("something was written")
	}

	p = start(t, "setup", "alice@nowhere.invalid", "--user", server.User, "--host", "127.0.0.1", "--port", port)
	answer("Name of the account [nowhere]:", "")
	answer("Number [1]:", "1")
	answer("(not shown):", server.Password)
	answer("Trust this certificate from now on", "7")
	screen = p.WaitFor("Watch it:  tidings", patience)
	for _, want := range []string{"INBOX has 3 messages", "Wrote account nowhere to", "there is no keyring here"} {
		if !strings.Contains(strings.Join(screen, " "), want) {
			t.Errorf("the screen lacks %q:\n%s", want, strings.Join(screen, "\n"))
		}
	}
	p.ended(t, 0)
	text := p.read(t, "config/tidings/config.toml")
	if !strings.Contains(text, "tls_fingerprint = \"sha256:") || strings.Contains(text, server.Password) {
		t.Errorf("the config is\n%s", text)
	}
	if cfg, err := config.Load(filepath.Join(p.home, "config/tidings/config.toml")); err != nil || len(cfg.Accounts) != 1 {
		t.Errorf("%+v, %v", cfg, err)
	}
}

// TestSetupMended: what was typed wrongly is typed anew, without the rest: the
// user's name, the password, the server.
func TestSetupMended(t *testing.T) {
	server := testserver.Dovecot(t)
	_, port := host(t, server.TLSAddr)
	p := start(t, "setup", "alice@nowhere.invalid", "--host", "127.0.0.1", "--port", "1", "--ca-file", server.CAFile, "--name", "work")
	for _, step := range [][2]string{
		{"Where does the password come from?", "1"},
		{"Password of alice@nowhere.invalid (not shown):", "wrong"},
		{"4  Take another server", "4"},
		{"Server (IMAP) [127.0.0.1]:", ""},
		{"Port (993: TLS; 143: STARTTLS) [1]:", port},
		{"User name [alice@nowhere.invalid]:", server.User},
		{"Wrong user name or password", "2"},
		{"Password of " + server.User + " (not shown):", server.Password},
	} {
		p.WaitFor(step[0], patience)
		p.Type(step[1])
		p.Send("Enter")
	}
	p.WaitFor("Watch it:  tidings", patience)
	p.ended(t, 0)
	if text := p.read(t, "config/tidings/config.toml"); !strings.Contains(text, "port = "+port) || !strings.Contains(text, "user = \""+server.User+"\"") {
		t.Errorf("the config is\n%s", text)
	}
}

// TestSetupIsToldWrongly: what flags cannot mean is said before anything is asked
// of anybody, and of no line in a file that there is not.
func TestSetupIsToldWrongly(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	path := filepath.Join(t.TempDir(), "config.toml")
	for _, test := range []struct{ args, want string }{
		{"--host imaps://imap.example.org --ask", `host is "imaps://imap.example.org"; expected the name alone`},
		{"--host imap.example.org --port 99999 --ask", "port is 99999; expected"},
		{"--host imap.example.org --tls some --ask", `tls is "some"; expected`},
		{"--host imap.example.org --ask --password-command pass", "--password-command and --ask are ways to sign in; say one of them"},
		{"--host imap.example.org --oauth2 microsoft --client-id x --password-env X", "--password-env and --oauth2 are ways to sign in"},
		{"--host imap.gmail.com --oauth2 google --flow device --client-id x", `flow is "device", by which Google does not grant access to mail; expected "browser"`},
		{"--host imap.example.org --oauth2 custom --client-id x --issuer http://login.example.org", `issuer is "http://login.example.org", which sends tokens readable`},
	} {
		var out bytes.Buffer
		p := Program{Args: append([]string{"setup", "alice@example.org", "--batch", "--no-login", "--config", path}, strings.Fields(test.args)...), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out}
		if status := p.run(t.Context()); status != 2 || !strings.Contains(out.String(), test.want) || strings.Contains(out.String(), path) {
			t.Errorf("%s: status %d, want %q:\n%s", test.args, status, test.want, out.String())
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s: something was written", test.args)
		}
	}
}

// TestSetupInterrupted: ctrl+c at any question changes nothing and leaves the
// terminal in order.
func TestSetupInterrupted(t *testing.T) {
	for _, at := range []string{"Name of the account", "Number [1]:", "(not shown):"} {
		p := start(t, "setup", "alice@nowhere.invalid", "--host", "127.0.0.1", "--port", "1", "--tls", "none")
		for _, question := range []string{"Name of the account", "Number [1]:", "(not shown):"} {
			p.WaitFor(question, patience)
			if question == at {
				p.Send("C-c")
				break
			}
			p.Send("Enter")
		}
		p.ended(t, 1)
		if _, err := os.Stat(filepath.Join(p.home, "config")); err == nil {
			t.Errorf("at %q: something was written", at)
		}
	}
}

// TestWelcomeDemo: the other answer is the demo.
func TestWelcomeDemo(t *testing.T) {
	p := start(t)
	p.WaitFor("There is no config yet", patience)
	p.Send("2")
	p.Send("Enter")
	p.WaitFor("live", patience)
	p.Send("Q")
	p.ended(t, 0)
}

// names is a name server of the test's.
type names map[string]string

func (n names) LookupSRV(_ context.Context, service, _, name string) (string, []*net.SRV, error) {
	if target, ok := n[name]; ok && service == "imaps" {
		return "", []*net.SRV{{Target: target, Port: 993}}, nil
	}
	return "", nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func (n names) LookupMX(_ context.Context, name string) ([]*net.MX, error) {
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

type nobody struct{}

func (nobody) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("nobody") }

// TestSetupFinds: what the network says of a domain ends in the config, with
// where it came from; a host of somebody else's, which only DNS names, does not
// without a person's word.
func TestSetupFinds(t *testing.T) {
	server := testserver.Dovecot(t)
	p := Program{Stdin: strings.NewReader(""), finder: setup.Finder{
		Resolver:  names{"localhost.example": "localhost.localhost.example.", "other.example": "imap.evil.example."},
		Transport: nobody{},
		Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, server.TLSAddr)
		},
		// Names are the setup room's tests' to check.
		TLS: &tls.Config{InsecureSkipVerify: true},
	}}
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	run := func(args ...string) (status int, out, errs string) {
		var stdout, stderr bytes.Buffer
		p.Args, p.Stdout, p.Stderr = append([]string{"setup", "--batch", "--no-login", "--ask"}, args...), &stdout, &stderr
		return p.run(t.Context()), stdout.String(), stderr.String()
	}
	path := filepath.Join(t.TempDir(), "config.toml")
	status, out, errs := run("alice@localhost.example", "--config", path)
	if status != 0 || !strings.Contains(out, "Found localhost.localhost.example, port 993, TLS (named by the domain's DNS") {
		t.Fatalf("status %d\n%s%s", status, out, errs)
	}
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), "# localhost.localhost.example was named by the domain's DNS.\n[[account]]") {
		t.Errorf("%v\n%s", err, text)
	}
	status, out, errs = run("alice@other.example", "--config", path)
	if status != 1 || !strings.Contains(errs, "imap.evil.example is not below other.example") || !strings.Contains(errs, "--host imap.evil.example") {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(after, text) {
		t.Error("the config was changed")
	}
	// Where Tidings knows the server, it need not answer for the config to be written.
	nowhere := p
	nowhere.finder.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no network") }
	var stdout, stderr bytes.Buffer
	nowhere.Args, nowhere.Stdout, nowhere.Stderr = []string{"setup", "--batch", "--ask", "--no-login", "--print", "alice@fastmail.com"}, &stdout, &stderr
	if status := nowhere.run(t.Context()); status != 0 || !strings.Contains(stdout.String(), `host = "imap.fastmail.com"`) || strings.Contains(stderr.String(), "is valid") {
		t.Errorf("status %d\n%s%s", status, &stdout, &stderr)
	}
	status, out, errs = run("alice@proton.me", "--config", path)
	if status != 1 || !strings.Contains(errs, "Bridge") {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
}

// TestSecretsLeakNowhere: a planted password is in nothing that login, check,
// setup and logout print, whatever goes wrong, and in no file but the one that it
// is kept in.
func TestSecretsLeakNowhere(t *testing.T) {
	server := testserver.Dovecot(t)
	planted := server.Password // the right one at one port of four
	_, port := host(t, server.Addr)
	_, httpPort := host(t, testserver.Listen(t, func(l *testserver.Liar) { l.Raw("HTTP/1.1 400 Bad Request\r\n\r\n") }))
	_, refuses := host(t, testserver.Listen(t, func(l *testserver.Liar) {
		l.Greet("")
		l.Serve(func(l *testserver.Liar, c testserver.Command) bool {
			if c.Name == "LOGIN" || c.Name == "AUTHENTICATE" {
				l.No(c, "[AUTHENTICATIONFAILED] no such user")
				return true
			}
			return false
		})
	}))
	state := t.TempDir()
	t.Setenv("XDG_STATE_HOME", state)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
	t.Setenv("TIDINGS_TEST_PLANTED", planted)
	secrets := map[string]string{
		"default":         "",
		"set fails":       "[secrets]\norder = [\"command\"]\nget_command = [\"sh\", \"-c\", \"exit 1\"]\nset_command = [\"sh\", \"-c\", \"cat >&2; exit 3\"]\n",
		"get quotes":      "[secrets]\norder = [\"command\"]\nget_command = [\"sh\", \"-c\", \"echo " + planted + "; echo bad " + planted + " >&2; exit 3\"]\nset_command = [\"true\"]\n",
		"nowhere":         "[secrets]\norder = [\"env\"]\n",
		"keyring only":    "[secrets]\norder = [\"keyring\"]\n",
		"no such program": "[secrets]\norder = [\"command\"]\nget_command = [\"tidings-none\"]\nset_command = [\"tidings-none\"]\n",
	}
	for name, s := range secrets {
		for _, at := range []string{port, httpPort, refuses, "1"} {
			sources := []string{""}
			if name == "default" {
				sources = append(sources, "password_env = \"TIDINGS_TEST_PLANTED\"\n")
			}
			for _, source := range sources {
				path := filepath.Join(t.TempDir(), "config.toml")
				text := s + fmt.Sprintf("[[account]]\nname = \"work\"\nhost = \"127.0.0.1\"\nport = %s\ntls = \"none\"\nuser = %q\n%s", at, server.User, source)
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				before := text
				for _, args := range [][]string{
					{"login", "--config", path, "--password-stdin"},
					{"check", "--config", path},
					{"setup", "bob@nowhere.invalid", "--config", path, "--name", "bob", "--host", "127.0.0.1", "--port", at, "--tls", "none", "--password-stdin"},
					{"logout", "--config", path},
				} {
					var out bytes.Buffer
					p := Program{Args: args, Stdin: strings.NewReader(planted + "\n"), Stdout: &out, Stderr: &out}
					p.run(t.Context())
					if strings.Contains(out.String(), planted) {
						t.Errorf("%s, port %s: %v tells the password:\n%s", name, at, args[0], out.String())
					}
				}
				if after, _ := os.ReadFile(path); strings.Contains(string(after), planted) && !strings.Contains(before, planted) {
					t.Errorf("%s: the password is in the config", name)
				}
			}
		}
	}
	err := filepath.Walk(state, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		if data, _ := os.ReadFile(path); strings.Contains(string(data), planted) {
			t.Errorf("the password is in %s", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
