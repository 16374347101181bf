package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"rsc.io/qr"

	"tidings/internal/credential"
	"tidings/internal/testserver"
)

// deviceCode reads the address and the code off a screen.
func deviceCode(t *testing.T, screen []string) (address, code string) {
	t.Helper()
	for i, line := range screen {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "http") && address == "" {
			address = line
		}
		if strings.Contains(line, "type this code there") && i+2 < len(screen) {
			code = strings.TrimSpace(screen[i+2])
		}
	}
	if address == "" || code == "" {
		t.Fatalf("no address or no code:\n%s", strings.Join(screen, "\n"))
	}
	return address, code
}

// TestSignInOnScreen goes through an account's life with a real provider and a
// real server: nobody has signed in; tidings login by a code; the mail; the grant
// revoked; R on the screen; the mail again; tidings logout. No token stands in
// anything that was written or shown.
func TestSignInOnScreen(t *testing.T) {
	auth := testserver.AuthorizationServer(t, testserver.AuthorizationSettings{Access: time.Minute}) // on a slow machine, too, one is good when it is shown
	server := testserver.Dovecot(t, testserver.OAuth2(auth.Introspection))
	server.AppendN(t, "INBOX", 3)
	_, port := host(t, server.Addr)
	path := filepath.Join(t.TempDir(), "config.toml")
	text := fmt.Sprintf(`[[account]]
name = "work"
host = "127.0.0.1"
port = %s
tls = "none"
user = %q
[account.oauth2]
provider = "custom"
flow = "device"
issuer = %q
client_id = %q
scopes = ["openid", "offline_access", "mail"]
`, port, server.User, auth.Issuer, auth.ClientID)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(t.TempDir(), "state")
	var seen strings.Builder
	look := func(screen []string) { seen.WriteString(strings.Join(screen, "\n")) }
	approve := func(p person) {
		t.Helper()
		screen := p.WaitFor("Waiting for you to sign in", patience)
		look(screen)
		address, code := deviceCode(t, screen)
		if _, page, err := auth.Browse(address, server.User, code, nil); err != nil || !strings.Contains(page, "Sign-in Success") {
			t.Fatalf("the browser ended with %v at %q", err, page)
		}
	}

	p := startIn(t, state, "--config", path)
	p.WaitFor("nobody has signed in yet; run: tidings login work", patience)
	p.ended(t, 1)

	p = startIn(t, state, "login", "--config", path)
	approve(p)
	screen := p.WaitFor("Signed in to 127.0.0.1 as "+server.User+": INBOX has 3 messages", patience)
	look(screen)
	if !testserver.Shows(screen, "there is no keyring here") {
		t.Errorf("it does not say where the secret went:\n%s", strings.Join(screen, "\n"))
	}
	p.ended(t, 0)
	secrets := filepath.Join(state, "tidings", "secrets")
	kept, err := os.ReadFile(filepath.Join(secrets, "work%2frefresh-token"))
	if err != nil {
		t.Fatal(err)
	}

	p = startIn(t, state, "--config", path, "--log", filepath.Join(state, "log"))
	p.WaitFor("live", patience)
	auth.RevokeAll(t)
	server.Restart(t)
	look(p.WaitFor("press R", patience))
	p.Send("R")
	screen = p.WaitFor("Waiting for you to sign in there; Enter gives up", patience)
	look(screen)
	p.Send("Enter")
	p.WaitFor("not signed in; R tries again", patience)
	p.Send("R")
	p.WaitFor("Waiting for you to sign in there; Enter gives up", patience)
	p.Send("C-c") // leaves the sign-in, and not the monitor
	p.WaitFor("not signed in; R tries again", patience)
	p.Send("R")
	approve(p)
	look(p.WaitFor("live", patience))
	p.Send("L")
	look(p.WaitFor("IDLE", patience))
	p.Send("L")

	// Signed in to from another terminal, it goes on by itself.
	auth.RevokeAll(t)
	server.Restart(t)
	look(p.WaitFor("R signs in again", patience))
	other := startIn(t, state, "login", "work", "--config", path)
	approve(other)
	other.ended(t, 0)
	look(p.WaitFor("live", patience))
	again, err := os.ReadFile(filepath.Join(secrets, "work%2frefresh-token"))
	if err != nil || bytes.Equal(kept, again) {
		t.Errorf("the new grant is not kept: %v", err)
	}
	p.Send("Q")
	p.ended(t, 0)

	p = startIn(t, state, "logout", "--config", path)
	look(p.WaitFor("Erased the grant of account work.", patience))
	p.ended(t, 0)
	if left, _ := os.ReadDir(secrets); len(left) > 0 {
		t.Errorf("after the logout there is %v", left)
	}

	log, err := os.ReadFile(filepath.Join(state, "log"))
	if err != nil {
		t.Fatal(err)
	}
	seen.Write(log)
	for _, grant := range [][]byte{kept, again} {
		token := regexp.MustCompile(`"refresh_token":"([^"]+)"`).FindSubmatch(grant)
		if token == nil {
			t.Fatalf("no refresh token is kept")
		}
		if strings.Contains(seen.String(), string(token[1])) {
			t.Error("a refresh token was shown or logged")
		}
	}
	// Access tokens begin with what this provider's begin with; nobody has one.
	if m := regexp.MustCompile(`(?i)bearer [A-Za-z0-9_-]{20,}|auth=Bearer`).FindString(seen.String()); m != "" {
		t.Error("an access token was shown or logged")
	}
}

// TestQRCode: what is drawn can be read back as the code's modules, dark on light.
func TestQRCode(t *testing.T) {
	code, err := qr.Encode("https://login.example.org/device?user_code=ABCD-EFGH", qr.L)
	if err != nil {
		t.Fatal(err)
	}
	const quiet = 2
	lines := strings.Split(strings.TrimSuffix(drawQR(code.Size, code.Black, quiet), "\n"), "\n")
	for y := range code.Size {
		line := strings.TrimSuffix(strings.TrimPrefix(lines[(y+quiet)/2], "  \x1b[38;5;16;48;5;231m"), "\x1b[0m")
		cells := []rune(line)
		if len(cells) != code.Size+2*quiet {
			t.Fatalf("line %d has %d cells", y, len(cells))
		}
		for x := range code.Size {
			cell := cells[x+quiet]
			top := cell == '█' || cell == '▀'
			bottom := cell == '█' || cell == '▄'
			dark := top
			if (y+quiet)%2 == 1 {
				dark = bottom
			}
			if dark != code.Black(x, y) {
				t.Fatalf("the module at %d, %d is %v", x, y, dark)
			}
		}
	}
}

// TestPrompterShowsNoEscapes: what a provider says reaches the terminal as text.
func TestPrompterShowsNoEscapes(t *testing.T) {
	const hostile = "\x1b[2J\x1b]0;owned\a\u202e"
	var out bytes.Buffer
	p := newTerminalPrompter(&dialog{out: &out, fd: -1}, nil)
	p.ShowDevice(credential.DeviceCode{Address: "https://a.example/" + hostile, Code: "AB" + hostile, Complete: "https://a.example/" + hostile})
	p.ShowBrowser(credential.BrowserPage{Address: "https://a.example/" + hostile, Redirect: "http://127.0.0.1:80/" + hostile, Heard: true})
	p.Note("no" + hostile)
	if strings.ContainsAny(out.String(), "\x1b\a\u202e") {
		t.Errorf("the terminal gets %q", out.String())
	}
	for _, want := range []string{"https://a.example/", "AB", "copy the address and paste it"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it lacks %q:\n%s", want, out.String())
		}
	}
}

// TestTakenPort: where Tidings cannot listen, it says so, and that the address is to
// be pasted, also where a browser is open.
func TestTakenPort(t *testing.T) {
	for _, opened := range []bool{false, true} {
		var out bytes.Buffer
		p := newTerminalPrompter(&dialog{out: &out, fd: -1}, nil)
		p.browse = func(context.Context, string) bool { return opened }
		p.ShowBrowser(credential.BrowserPage{Address: "https://a.example/", Redirect: "http://127.0.0.1:8400/"})
		if text := out.String(); !strings.Contains(text, "cannot listen there") || !strings.Contains(text, "http://127.0.0.1:8400/") || strings.Contains(text, "ssh -L") {
			t.Errorf("with a browser open %v:\n%s", opened, text)
		}
	}
}

// TestNoBrowserOverSSH: no program is started where it would open a page that the
// person does not see.
func TestNoBrowserOverSSH(t *testing.T) {
	for _, environ := range [][]string{{"SSH_CONNECTION=a", "DISPLAY=:0"}, {}, {"DISPLAY="}} {
		if newTerminalPrompter(&dialog{}, environ).openBrowser(t.Context(), "https://a.example/") {
			t.Errorf("a browser is said to be open with %v", environ)
		}
	}
	if newTerminalPrompter(&dialog{}, []string{"DISPLAY=:0"}).openBrowser(t.Context(), "file:///etc/passwd") {
		t.Error("a file is opened")
	}
}

func TestPortOf(t *testing.T) {
	for address, want := range map[string]string{"http://127.0.0.1:8400/": "8400", "http://localhost/": "", "http://[::1]/": "", "http://[::1]:80/x:1": "80", "": ""} {
		if got := portOf(address); got != want {
			t.Errorf("%q has the port %q", address, got)
		}
	}
}
