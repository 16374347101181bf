package cli

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"tidings/internal/crash"
	"tidings/internal/testserver"
)

// TestNoWayInLeaks: whichever way an account signs in, and whatever goes wrong with
// it first, no secret is in what terminals were sent, the log, the trace, the
// config, the cache, a crash report, the arguments of the program or the
// environment of those that it starts.
func TestNoWayInLeaks(t *testing.T) {
	auth := testserver.AuthorizationServer(t, testserver.AuthorizationSettings{DaemonUser: "alice"})
	mail := testserver.Dovecot(t, testserver.OAuth2(auth.Introspection))
	mail.AppendN(t, "INBOX", 2)
	byBrowser := func(pasted bool) func(l *leaking) {
		return func(l *leaking) {
			if pasted {
				l.loginFailing()
			}
			l.loginByBrowser(pasted)
		}
	}
	daemon := func(secret string) string {
		return fmt.Sprintf("[account.oauth2]\nflow = \"client_credentials\"\nprovider = \"custom\"\nissuer = %q\nclient_id = %q\nscopes = [\"mail\"]\nclient_secret_%s\n", auth.Issuer, auth.DaemonID, secret)
	}
	person := fmt.Sprintf("[account.oauth2]\nflow = \"browser\"\nprovider = \"custom\"\nissuer = %q\nclient_id = %q\nscopes = [\"openid\", \"offline_access\", \"mail\"]\n", auth.Issuer, auth.ClientID)
	for _, test := range []struct {
		name    string
		account string
		env     string // a variable that has a secret, as the person wants
		first   func(*leaking)
	}{
		{name: "a password that is kept", first: (*leaking).loginByPassword},
		{name: "a password of a command", account: `password_command = ["cat", "{home}/secrets/password"]`},
		{name: "a password of a file", account: `password_file = "{home}/secrets/password"`},
		{name: "a password of a variable", account: `password_env = "TEST_SECRET"`, env: mail.Password},
		{name: "a browser here", account: person, first: byBrowser(false)},
		{name: "a browser elsewhere", account: person, first: byBrowser(true)},
		{name: "a client secret of a variable", account: daemon(`env = "TEST_SECRET"`), env: auth.DaemonSecret},
		{name: "a client secret of a command", account: daemon(`command = ["cat", "{home}/secrets/client"]`)},
		{name: "a client secret of a file", account: daemon(`file = "{home}/secrets/client"`)},
		{name: "a token of a command", account: "[account.oauth2]\nflow = \"command\"\ntoken_command = [\"cat\", \"{home}/secrets/token\"]\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, port := host(t, mail.TLSAddr)
			l := &leaking{T: t, auth: auth, mail: mail, house: newHouse(t, fmt.Sprintf("[secrets]\norder = [\"file\"]\n[[account]]\nname = \"work\"\nhost = \"127.0.0.1\"\nport = %s\nca_file = %q\nuser = %q\n%s", port, mail.CAFile, mail.User, test.account))}
			for name, secret := range map[string]string{"password": mail.Password, "client": auth.DaemonSecret, "token": daemonToken(t, auth)} {
				l.keep(name, secret)
			}
			if test.env != "" {
				l.env = append(l.env, "TEST_SECRET="+test.env)
			}
			if test.first != nil {
				test.first(l)
			}
			l.watch(test.env == "")
			l.look()
		})
	}
}

// leaking is a home in which secrets are looked for.
type leaking struct {
	*testing.T
	*house
	auth      *testserver.Authorization
	mail      *testserver.Server
	terminals []*testserver.Terminal
}

// keep puts a secret where the person keeps theirs.
func (l *leaking) keep(name, secret string) {
	l.Helper()
	dir := filepath.Join(l.dir, "secrets")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		l.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(secret+"\n"), 0o600); err != nil {
		l.Fatal(err)
	}
}

// daemonToken is an access token that a program of the person's has got.
func daemonToken(t *testing.T, auth *testserver.Authorization) string {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, auth.Issuer+"/token", strings.NewReader("grant_type=client_credentials&scope=mail"))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(auth.DaemonID, auth.DaemonSecret)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	token := regexp.MustCompile(`"access_token":"([^"]+)"`).FindSubmatch(body)
	if err != nil || token == nil {
		t.Fatalf("no token: %v, %s", err, resp.Status)
	}
	return string(token[1])
}

// open starts the program in a terminal that is looked at in the end.
func (l *leaking) open(args ...string) *testserver.Terminal {
	l.Helper()
	terminal := l.run(args...)
	l.terminals = append(l.terminals, terminal)
	return terminal
}

// loginByPassword types a wrong password, and the right one.
func (l *leaking) loginByPassword() {
	l.Helper()
	for _, try := range []struct{ password, want string }{{"not" + l.mail.Password, "ended 1"}, {l.mail.Password, "ended 0"}} {
		login := l.open("login")
		login.WaitFor("Password of", patience)
		login.Type(try.password)
		login.Send("Enter")
		login.WaitFor(try.want, patience)
	}
}

// page waits for the page that a sign-in wants opened.
func (l *leaking) page(login *testserver.Terminal) (page, redirect string) {
	l.Helper()
	screen := strings.Join(login.WaitFor("Paste the address here", patience), "")
	address := regexp.MustCompile(`http://127\.0\.0\.1:\d+/auth\?\S+`).FindString(strings.ReplaceAll(screen, " ", ""))
	u, err := url.Parse(strings.Split(address, "Itsaddress")[0])
	if err != nil || u.Query().Get("redirect_uri") == "" {
		l.Fatalf("no page to open in %q: %v", address, err)
	}
	return u.String(), u.Query().Get("redirect_uri")
}

// loginByBrowser signs in with a browser on this machine, or on another one.
func (l *leaking) loginByBrowser(pasted bool) {
	l.Helper()
	login := l.open("login")
	page, redirect := l.page(login)
	var stop func(*url.URL) bool
	if pasted {
		stop = func(u *url.URL) bool { return strings.HasPrefix(u.String(), redirect) }
	}
	end, _, err := l.auth.Browse(page, l.mail.User, "", stop)
	if err != nil {
		l.Fatal(err)
	}
	if pasted {
		login.Type(end.String())
		login.Send("Enter")
	}
	login.WaitFor("ended 0", patience)
}

// loginFailing has a sign-in fail after the code has come, when the answer to
// another one was pasted before.
func (l *leaking) loginFailing() {
	l.Helper()
	login := l.open("login")
	page, redirect := l.page(login)
	end, _, err := l.auth.Browse(page, l.mail.User, "", func(u *url.URL) bool { return strings.HasPrefix(u.String(), redirect) })
	if err != nil {
		l.Fatal(err)
	}
	other := *end
	q := other.Query()
	q.Set("state", "of-another-sign-in")
	other.RawQuery = q.Encode()
	login.Type(other.String())
	login.Send("Enter")
	login.WaitFor("answer to another sign-in", patience)
	l.auth.FailTokens(l.T, 1)
	login.Type(end.String())
	login.Send("Enter")
	login.WaitFor("ended 1", patience)
	if screen := strings.Join(login.Screen(), "\n"); !strings.Contains(screen, "cannot at present") {
		l.Errorf("the screen says\n%s", screen)
	}
}

// watch has the monitor come up, show its trace and start a program, and crash. Its
// environment is ours alone to know, unless the person put a secret there.
func (l *leaking) watch(ownEnviron bool) {
	l.Helper()
	monitor := l.open("--log", filepath.Join(l.dir, "log"))
	monitor.WaitFor("live", patience)
	monitor.Send("L")
	monitor.WaitFor("monitor >", patience)
	monitor.WaitUntil("the beginning of the trace", patience, func(screen []string) bool {
		if testserver.Shows(screen, "[redacted]") {
			return true
		}
		monitor.Send("g") // as long as all of it fits, the end is what is shown
		return false
	})
	monitor.Send("L")
	monitor.WaitFor("Enter open", patience)
	monitor.Send("Enter")
	monitor.WaitFor("Subject", patience)
	hook := filepath.Join(l.dir, "hook") // which is looked at with all other files
	monitor.Type(":pipe env >" + hook + "; tr '\\0' '\\n' </proc/$PPID/cmdline >>" + hook + "; echo the hook has run")
	monitor.Send("Enter")
	monitor.WaitFor("it printed: the hook has run", patience)
	if data, err := os.ReadFile(hook); err != nil || !strings.Contains(string(data), "HOME="+l.dir) {
		l.Fatalf("the environment of a program: %v", err)
	}
	pid := programBehind(l.T, monitor)
	names := []string{"cmdline"}
	if ownEnviron {
		names = append(names, "environ")
	}
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), name))
		if err != nil || !strings.Contains(string(data), l.dir) {
			l.Fatalf("%s of the program cannot be read: %v", name, err)
		}
		findSecrets(l.T, name, data, l.auth, l.mail)
	}
	if err := syscall.Kill(pid, syscall.SIGUSR1); err != nil {
		l.Fatal(err)
	}
	monitor.WaitFor(fmt.Sprintf("ended %d", crash.ExitStatus), patience)
	if reports, err := filepath.Glob(filepath.Join(l.dir, "state/tidings/tidings-crash-*")); len(reports) != 1 {
		l.Errorf("crash reports: %v, %v", reports, err)
	}
}

// look looks at everything that was written.
func (l *leaking) look() {
	l.Helper()
	check := l.open("check")
	check.WaitFor("ended 0", patience)
	for _, terminal := range l.terminals {
		findSecrets(l.T, "what a terminal was sent", terminal.Output(), l.auth, l.mail)
	}
	if files := l.eachFile(func(path string, data []byte) { findSecrets(l.T, path, data, l.auth, l.mail) }); files < 4 {
		l.Errorf("%d files looked at", files)
	}
}
