package cli

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tidings/internal/crash"
	"tidings/internal/credential"
	"tidings/internal/testserver"
)

// house is a person's home with a config in it, and several terminals.
type house struct {
	t    *testing.T
	dir  string
	env  []string
	path string // of the program
}

// newHouse makes a home whose config is text; "{home}" in it is the home.
func newHouse(t *testing.T, text string) *house {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes a terminal")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, dir: t.TempDir()}
	h.path = filepath.Join(h.dir, "tidings") // the name makes the test binary the program
	if err := os.Symlink(self, h.path); err != nil {
		t.Fatal(err)
	}
	h.env = []string{"HOME=" + h.dir, "XDG_STATE_HOME=" + h.dir + "/state", "XDG_CONFIG_HOME=" + h.dir + "/config",
		"XDG_CACHE_HOME=" + h.dir + "/cache", "LC_ALL=C.UTF-8", "DISPLAY=", "WAYLAND_DISPLAY=", "GORACE=exitcode=0 log_path=" + h.dir + "/race"}
	if err := os.MkdirAll(filepath.Join(h.dir, "config/tidings"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(h.dir, "config/tidings/config.toml"), []byte(strings.ReplaceAll(text, "{home}", h.dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	return h
}

// run starts the program in a terminal of its own, below a shell that stays
// behind it; the terminal is shown the status.
func (h *house) run(args ...string) *testserver.Terminal {
	h.t.Helper()
	command := append([]string{"sh", "-c", `trap : INT; "$@"; echo "ended $?"; exec cat`, "-", h.path}, args...)
	return testserver.Tmux(h.t, command, testserver.Size(130, 50), testserver.Dir(h.dir), testserver.Env(h.env...), testserver.Record())
}

// signIn does `tidings login` by code, with a person at a browser.
func (h *house) signIn(auth *testserver.Authorization, user string) *testserver.Terminal {
	h.t.Helper()
	login := h.run("login")
	screen := strings.Join(login.WaitFor("Waiting for you to sign in", patience), "\n")
	address := regexp.MustCompile(`http://\S+/device\S*`).FindString(screen)
	code := regexp.MustCompile(`(?m)^ +([A-Z]{4}-[A-Z]{4}) *$`).FindStringSubmatch(screen)
	if address == "" || code == nil {
		h.t.Fatalf("no address or no code on the screen:\n%s", screen)
	}
	if _, text, err := auth.Browse(address, user, code[1], nil); err != nil || !strings.Contains(text, "Sign-in Success") {
		h.t.Fatalf("the browser: %v\n%s", err, text)
	}
	login.WaitFor("ended 0", patience)
	return login
}

// TestStaysSignedIn is a person's whole story: a sign-in by code, a monitor that
// outlives its tokens, a second one that shares them, a grant taken back at the
// provider, a sign-in beside the monitor, a sign-out. In the end every secret that
// the provider ever gave is looked for in everything that was written.
func TestStaysSignedIn(t *testing.T) {
	auth := testserver.AuthorizationServer(t, testserver.AuthorizationSettings{Access: 8 * time.Second})
	mail := testserver.Dovecot(t, testserver.OAuth2(auth.Introspection))
	mail.AppendN(t, "INBOX", 3)
	link := testserver.NewLink(t, mail.TLSAddr)
	_, port := host(t, link.Addr())
	h := newHouse(t, fmt.Sprintf(`
[secrets]
order = ["file"]

[[account]]
name = "work"
host = "127.0.0.1"
port = %s
user = %q
ca_file = %q

[account.oauth2]
provider = "custom"
flow = "device"
client_id = %q
issuer = %q
scopes = ["openid", "offline_access", "mail"]
`, port, mail.User, mail.CAFile, auth.ClientID, auth.Issuer))

	terminals := []*testserver.Terminal{h.signIn(auth, mail.User)}
	log := filepath.Join(h.dir, "log")
	monitor := h.run("--log", log)
	second := h.run("--log", log+"2")
	terminals = append(terminals, monitor, second)
	monitor.WaitFor("live", patience)
	second.WaitFor("live", patience)

	for expiry := range 3 {
		waitForTokensToEnd(t, auth)
		link.Cut() // and with it goes what the server knew of us
		raw := []byte(fmt.Sprintf("From: Bob <bob@example.org>\r\nTo: alice@example.org\r\nSubject: after expiry %d\r\nDate: Fri, 20 Nov 2026 10:0%d:00 +0000\r\n\r\nHello.\r\n", expiry, expiry))
		mail.Append(t, "INBOX", raw)
		for _, screen := range []*testserver.Terminal{monitor, second} {
			screen.WaitFor(fmt.Sprintf("after expiry %d", expiry), patience)
			screen.WaitFor("live", patience)
		}
	}
	counts := auth.Counts(t)
	if counts["refresh_token"] < 3 || counts["refresh_token invalid_grant"] != 0 || len(auth.Secrets(t)["refresh_token"]) < 4 {
		t.Errorf("the provider counts %v", counts)
	}

	auth.RevokeAll(t)
	link.Cut()
	for _, screen := range []*testserver.Terminal{monitor, second} {
		rows := strings.Join(screen.WaitFor("sign in again: press R, or run tidings login work", patience), "\n")
		for _, want := range []string{"after expiry 2", "after expiry 0", "Letter 0"} {
			if !strings.Contains(rows, want) {
				t.Errorf("with the grant taken back the screen lacks %q:\n%s", want, rows)
			}
		}
	}
	refused := auth.Counts(t)["refresh_token invalid_grant"]
	if refused < 1 || refused > 2 {
		t.Errorf("two programs asked %d times with a grant that was taken back", refused)
	}

	terminals = append(terminals, h.signIn(auth, mail.User))
	monitor.WaitFor("live", 2*patience) // by itself
	second.WaitFor("live", 2*patience)
	checkLeaks(t, h, auth, mail, monitor, second)

	logout := h.run("logout")
	logout.WaitFor("ended 0", patience)
	for _, token := range auth.Secrets(t)["refresh_token"] {
		if auth.Active(t, token) {
			t.Error("a refresh token is good after the sign-out")
		}
	}
	monitor.Send("Q")
	monitor.WaitFor("ended 0", patience)
	// The second one crashes, with all that it knows in its memory.
	if err := syscall.Kill(programBehind(t, second), syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	second.WaitFor(fmt.Sprintf("ended %d", crash.ExitStatus), patience)
	if reports, err := filepath.Glob(filepath.Join(h.dir, "state/tidings/tidings-crash-*")); len(reports) != 1 {
		t.Errorf("crash reports: %v, %v", reports, err)
	}
	// Signed out, it starts with the mail that is kept; with none kept, not at all.
	offline := h.run()
	offline.WaitUntil("the kept mail, and what to do", patience, func(screen []string) bool {
		rows := strings.Join(screen, "\n") // the refusal may come before the mail is read from the disk
		return strings.Contains(rows, "after expiry 2") && strings.Contains(rows, "signed out") && strings.Contains(rows, "sign in again: press R")
	})
	offline.Send("Q")
	offline.WaitFor("ended 0", patience)
	bare := h.run("--no-cache")
	bare.WaitFor("nobody has signed in yet; run: tidings login work", patience)
	bare.WaitFor("ended 1", patience)
	leaks := 0
	for _, sink := range append(terminals, logout, offline, bare) {
		leaks += findSecrets(t, "what a terminal was sent", sink.Output(), auth, mail)
	}
	if files := h.eachFile(func(path string, data []byte) { leaks += findSecrets(t, path, data, auth, mail) }); files < 4 {
		t.Errorf("%d files looked at", files)
	}
	if leaks > 0 {
		t.Errorf("%d leaks", leaks)
	}
}

// waitForTokensToEnd waits until the provider stands by no access token that it
// gave.
func waitForTokensToEnd(t *testing.T, auth *testserver.Authorization) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for _, token := range auth.Secrets(t)["access_token"] {
		for auth.Active(t, token) {
			if time.Now().After(deadline) {
				t.Fatal("a token does not end")
			}
		}
	}
}

// checkLeaks looks at the programs while they run: their arguments and their
// environment are there for others to read.
func checkLeaks(t *testing.T, h *house, auth *testserver.Authorization, mail *testserver.Server, running ...*testserver.Terminal) {
	t.Helper()
	for _, terminal := range running {
		pid := strconv.Itoa(programBehind(t, terminal))
		for _, name := range []string{"cmdline", "environ"} {
			data, err := os.ReadFile(filepath.Join("/proc", pid, name))
			if err != nil || !strings.Contains(string(data), h.dir) { // where the program is, and HOME
				t.Fatalf("%s of the program cannot be read: %v", name, err)
			}
			findSecrets(t, name, data, auth, mail)
		}
	}
	status, out, errOut := runAs(t, h, "check")
	if status != 0 {
		t.Errorf("check ends with %d: %s%s", status, out, errOut)
	}
	findSecrets(t, "tidings check", []byte(out+errOut), auth, mail)
}

// programBehind is the process of the program in a terminal of house.run.
func programBehind(t *testing.T, terminal *testserver.Terminal) int {
	t.Helper()
	shell := terminal.Pid()
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", shell, shell))
	pid, bad := strconv.Atoi(strings.TrimSpace(string(children)))
	if err != nil || bad != nil {
		t.Fatalf("the program behind the shell %d is not found: %v, %v", shell, err, bad)
	}
	return pid
}

// TestDaemonLeaksNowhere: an account that signs in as itself, or by a program, with
// everything that may go wrong with it, says what is wrong and tells no secret.
func TestDaemonLeaksNowhere(t *testing.T) {
	auth := testserver.AuthorizationServer(t, testserver.AuthorizationSettings{DaemonUser: "alice"})
	mail := testserver.Dovecot(t, testserver.OAuth2(auth.Introspection))
	_, port := host(t, mail.Addr)
	grants := fmt.Sprintf("flow = \"client_credentials\"\nprovider = \"custom\"\nissuer = %q\nclient_id = %q\nclient_secret_env = \"TEST_DAEMON_SECRET\"\nscopes = [\"mail\"]\n", auth.Issuer, auth.DaemonID)
	program := func(script string) string {
		return fmt.Sprintf("flow = \"command\"\ntoken_command = [\"sh\", \"-c\", %q]\n", script)
	}
	const token = "ya29-planted_a0AfB_byC1x9nQ0163"
	for _, test := range []struct {
		name, oauth2, secret, want string
		status                     int
	}{
		{"as itself", grants, auth.DaemonSecret, "INBOX, 0 messages", 0},
		{"a wrong secret", grants, "wrong-" + auth.DaemonSecret, "correct client_id and client_secret_", 1},
		{"no secret", grants, "", "TEST_DAEMON_SECRET is empty", 1},
		{"a token that nobody gave", program("echo " + token), "", "the server refused", 1},
		{"a program that tells", program("echo " + token + "; echo not good: " + token + " >&2; exit 1"), "", "token_command failed", 1},
		{"a program that tells in another way", program("echo GET /?t=" + token + " >&2; exit 1"), "", "token_command failed: GET /?t=[redacted]", 1},
		{"its environment", program("env >&2; test -z \"$TEST_DAEMON_SECRET\" || echo it has it >&2; exit 1"), auth.DaemonSecret, "token_command failed", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("TEST_DAEMON_SECRET", test.secret)
			h := newHouse(t, fmt.Sprintf("[secrets]\norder = [\"file\"]\n[[account]]\nname = \"work\"\nhost = \"127.0.0.1\"\nport = %s\ntls = \"none\"\nuser = \"alice\"\n[account.oauth2]\n%s", port, test.oauth2))
			for _, args := range [][]string{{"check"}, {"list"}, {"login"}} {
				status, out, errOut := runAs(t, h, args...)
				all := out + errOut
				if status != test.status || args[0] == "check" && !strings.Contains(all, test.want) {
					t.Errorf("%v ends with %d, want %d and %q:\n%s", args, status, test.status, test.want, all)
				}
				if strings.Contains(all, token) || strings.Contains(all, "it has it") || strings.Contains(all, "press ") {
					t.Errorf("%v says\n%s", args, all)
				}
				findSecrets(t, args[0], []byte(all), auth, mail)
			}
			h.eachFile(func(path string, data []byte) {
				if !strings.HasSuffix(path, "config.toml") && strings.Contains(string(data), token) {
					t.Errorf("the token is in %s", path)
				}
				findSecrets(t, path, data, auth, mail)
			})
		})
	}
}

// TestQuittingWhileATokenIsRenewed: Q gives the terminal back at once, and the
// program lives on until the refresh token that is on its way is stored.
func TestQuittingWhileATokenIsRenewed(t *testing.T) {
	asked, answer := make(chan string, 1), make(chan struct{})
	say := sync.OnceFunc(func() { close(answer) })
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.FormValue("refresh_token")
		<-answer
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"access_token":"access","token_type":"Bearer","expires_in":3600,"refresh_token":"rotated-refresh-token"}`)
	}))
	defer provider.Close()
	defer say() // it waits for its handlers
	_, port := host(t, testserver.Listen(t, func(l *testserver.Liar) {
		l.Greet("IMAP4rev1 IDLE SASL-IR AUTH=XOAUTH2")
		l.ExpectClosed()
	}))
	h := newHouse(t, fmt.Sprintf("[secrets]\norder = [\"file\"]\n[[account]]\nname = \"work\"\nhost = \"127.0.0.1\"\nport = %s\ntls = \"none\"\nuser = \"alice\"\n[account.oauth2]\nflow = \"device\"\nprovider = \"custom\"\nclient_id = \"tidings\"\ntoken_url = %q\ndevice_url = %q\n", port, provider.URL, provider.URL))
	vault := credential.NewPlaces(credential.VaultSettings{Order: []string{credential.PlaceFile}, Dir: filepath.Join(h.dir, "state/tidings/secrets")})
	if err := vault.Set(t.Context(), credential.RefreshTokenName("work"), "first-refresh-token"); err != nil {
		t.Fatal(err)
	}
	monitor := h.run()
	select {
	case got := <-asked:
		if got != "first-refresh-token" {
			t.Errorf("it shows %q", got)
		}
	case <-time.After(patience):
		t.Fatal("no token was asked for")
	}
	monitor.Send("Q")
	for deadline := time.Now().Add(patience); monitor.Format("#{alternate_on}") != "0"; {
		if time.Now().After(deadline) {
			t.Fatal("the terminal is not given back")
		}
	}
	pid := programBehind(t, monitor)
	for began := time.Now(); time.Since(began) < 10*goodbye; monitor.Format("#{alternate_on}") {
		if err := syscall.Kill(pid, 0); err != nil {
			t.Fatalf("the program has not waited: %v", err)
		}
	}
	say()
	monitor.WaitFor("ended 0", patience)
	if kept, err := vault.Get(t.Context(), credential.RefreshTokenName("work")); !strings.Contains(kept, `"rotated-refresh-token"`) {
		t.Errorf("the rotated one is not kept: %v", err)
	}
}

// runAs runs the program without a terminal.
func runAs(t *testing.T, h *house, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	for _, e := range h.env {
		name, value, _ := strings.Cut(e, "=")
		t.Setenv(name, value)
	}
	return runIn(t, args...)
}

// findSecrets looks for everything secret in what was written somewhere, and
// fails the test without showing it.
func findSecrets(t *testing.T, where string, data []byte, auth *testserver.Authorization, mail *testserver.Server) (found int) {
	t.Helper()
	for kind, values := range auth.Secrets(t) {
		for _, value := range values {
			if strings.Contains(string(data), value) {
				t.Errorf("%s: a secret shows (%s)", where, kind)
				found++
			}
		}
	}
	for kind, value := range map[string]string{"password": mail.Password, "client secret": auth.DaemonSecret} {
		if strings.Contains(string(data), value) {
			t.Errorf("%s: a secret shows (%s)", where, kind)
			found++
		}
	}
	return found
}

// eachFile visits what stands in the home, but for where secrets are kept.
func (h *house) eachFile(visit func(path string, data []byte)) (files int) {
	h.t.Helper()
	err := filepath.WalkDir(h.dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "secrets":
			return filepath.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		data, err := os.ReadFile(path)
		files++
		visit(path, data)
		return err
	})
	if err != nil {
		h.t.Error(err)
	}
	return files
}
