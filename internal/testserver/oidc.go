package testserver

import (
	"bufio"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/html"
)

//go:embed oidc/package.json oidc/package-lock.json oidc/server.mjs
var oidcFiles embed.FS

// Authorization is a private authorization server (oidc-provider on Node.js):
// device code, authorization code with PKCE, client credentials, refresh tokens
// that rotate, revocation, introspection and discovery.
type Authorization struct {
	Issuer string
	// ClientID is a public client, for a person's sign-in by code or browser.
	// DaemonID and DaemonSecret are a client that signs in as itself.
	ClientID               string
	DaemonID, DaemonSecret string
	Scopes                 []string
	// Introspection is how a mail server asks it whose a token is.
	Introspection Introspection
}

// AuthorizationSettings are the lifetimes of what it gives; 0: an hour, and ten
// minutes for a device code.
type AuthorizationSettings struct {
	Access, Device time.Duration
	DaemonUser     string // whose mail the daemon's tokens open
}

// AuthorizationServer starts one and ends it with the test. Where npm or the
// network it needs the first time is missing, the test is skipped, or fails if
// CI is set.
func AuthorizationServer(t testing.TB, s AuthorizationSettings) *Authorization {
	t.Helper()
	node := need(t, "node")
	dir := oidcModules(t)
	ports, err := freePorts("127.0.0.1", 1)
	if err != nil {
		t.Fatal(err)
	}
	a := &Authorization{
		Issuer: fmt.Sprintf("http://127.0.0.1:%d", ports[0]), ClientID: "tidings",
		DaemonID: "daemon", DaemonSecret: "daemon-secret-" + rand.Text(),
		Scopes: []string{"openid", "offline_access", "mail"},
	}
	asks := "mailserver-secret-" + rand.Text()
	a.Introspection = Introspection{URL: fmt.Sprintf("http://mailserver:%s@127.0.0.1:%d/token/introspection", asks, ports[0])}
	settings, err := json.Marshal(map[string]any{
		"port": ports[0], "daemonSecret": a.DaemonSecret, "daemonUser": s.DaemonUser, "mailserverSecret": asks,
		"accessSeconds": seconds(s.Access, time.Hour), "deviceSeconds": seconds(s.Device, 10*time.Minute),
	})
	if err != nil {
		t.Fatal(err)
	}
	server := exec.Command(node, filepath.Join(dir, "server.mjs"), string(settings))
	server.Dir = dir
	server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	log := &logTail{}
	ready := make(chan struct{})
	gone := make(chan struct{})
	stdin, errIn := server.StdinPipe()
	output, errOut := server.StdoutPipe()
	server.Stderr = server.Stdout
	if err := errors.Join(errIn, errOut, server.Start()); err != nil {
		t.Fatalf("start the authorization server: %v", err)
	}
	go func() {
		defer close(gone)
		lines := bufio.NewScanner(output)
		said := false
		for lines.Scan() {
			log.add(lines.Text())
			if lines.Text() == "ready" && !said {
				said = true
				close(ready)
			}
		}
		_ = server.Wait()
	}()
	t.Cleanup(func() {
		stdin.Close()
		select {
		case <-gone:
		case <-time.After(5 * time.Second):
			_ = syscall.Kill(-server.Process.Pid, syscall.SIGKILL)
			<-gone
		}
		if t.Failed() {
			t.Logf("the authorization server's log:\n%s", log)
		}
	})
	select {
	case <-ready:
	case <-gone:
		t.Fatalf("the authorization server ended at once:\n%s", log)
	case <-time.After(30 * time.Second):
		t.Fatalf("the authorization server did not come up in 30 s:\n%s", log)
	}
	return a
}

func seconds(d, otherwise time.Duration) int {
	if d == 0 {
		d = otherwise
	}
	return int(d / time.Second)
}

// oidcModules returns a directory with the server and the modules it needs,
// which are installed once for each version of the lock file.
func oidcModules(t testing.TB) string {
	t.Helper()
	npm := need(t, "npm")
	sum := sha256.New()
	for _, name := range []string{"package.json", "package-lock.json", "server.mjs"} {
		data, err := oidcFiles.ReadFile("oidc/" + name)
		if err != nil {
			t.Fatal(err)
		}
		sum.Write(data)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	dir := filepath.Join(cache, "tidings-test", "oidc-"+hex.EncodeToString(sum.Sum(nil))[:16])
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err == nil {
		return dir
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	// Made beside it and renamed when complete: tests of several packages may be
	// at it at once.
	draft, err := os.MkdirTemp(filepath.Dir(dir), "draft")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(draft)
	for _, name := range []string{"package.json", "package-lock.json", "server.mjs"} {
		data, _ := oidcFiles.ReadFile("oidc/" + name)
		if err := os.WriteFile(filepath.Join(draft, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	install := exec.Command(npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund")
	install.Dir = draft
	if out, err := install.CombinedOutput(); err != nil {
		Missing(t, fmt.Sprintf("oidc-provider cannot be installed: %v\n%s", err, out))
	}
	if err := os.Rename(draft, dir); err != nil && !errors.Is(err, os.ErrExist) {
		if _, there := os.Stat(filepath.Join(dir, "node_modules")); there != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Counts is how often each grant was given, and refused ("refresh_token
// invalid_grant").
func (a *Authorization) Counts(t testing.TB) map[string]int {
	t.Helper()
	counts := map[string]int{}
	if err := json.Unmarshal(a.turn(t, "/test/counts"), &counts); err != nil {
		t.Fatal(err)
	}
	return counts
}

// Secrets is everything secret that it gave so far: "access_token",
// "refresh_token", "device_code", "authorization_code", "client_credentials".
func (a *Authorization) Secrets(t testing.TB) map[string][]string {
	t.Helper()
	secrets := map[string][]string{}
	if err := json.Unmarshal(a.turn(t, "/test/secrets"), &secrets); err != nil {
		t.Fatal(err)
	}
	return secrets
}

// Active tells whether the server still stands by a token.
func (a *Authorization) Active(t testing.TB, token string) bool {
	t.Helper()
	resp, err := http.PostForm(a.Introspection.URL, url.Values{"token": {token}})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Active bool `json:"active"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return answer.Active
}

// RevokeAll ends every sign-in, as a person does in the account's settings.
func (a *Authorization) RevokeAll(t testing.TB) { t.Helper(); a.turn(t, "/test/revoke") }

// FailTokens makes the token endpoint answer 503 so many times.
func (a *Authorization) FailTokens(t testing.TB, times int) {
	t.Helper()
	a.turn(t, fmt.Sprintf("/test/fail?times=%d", times))
}

func (a *Authorization) turn(t testing.TB, path string) []byte {
	t.Helper()
	resp, err := http.Get(a.Issuer + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", path, resp.Status, err)
	}
	return body
}

// Browse does what a person does in a browser: it opens the page, fills in every
// form that comes (user's name, any password, the code of a device), and consents.
// It returns where it ended, and the text of that page. stopAt, if not nil, ends
// it before a redirect there is followed.
func (a *Authorization) Browse(page, user, code string, stopAt func(*url.URL) bool) (end *url.URL, text string, err error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, "", err
	}
	client := &http.Client{Jar: jar, Timeout: 30 * time.Second, CheckRedirect: func(req *http.Request, via []*http.Request) error {
		if stopAt != nil && stopAt(req.URL) {
			end = req.URL
			return http.ErrUseLastResponse
		}
		if len(via) > 20 {
			return errors.New("redirected for ever")
		}
		return nil
	}}
	defer client.CloseIdleConnections()
	resp, err := client.Get(page)
	for range 10 {
		if err != nil {
			return nil, "", err
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			return nil, "", err
		}
		if end != nil {
			return end, string(body), nil
		}
		f, ok := findForm(string(body))
		if !ok {
			return resp.Request.URL, string(body), nil
		}
		for name, value := range map[string]string{"login": user, "password": "anything", "user_code": code} {
			if _, has := f.values[name]; has && value != "" {
				f.values.Set(name, value)
			}
		}
		action, err := resp.Request.URL.Parse(f.action)
		if err != nil {
			return nil, "", err
		}
		resp, err = client.PostForm(action.String(), f.values)
		if err != nil {
			return nil, "", err
		}
	}
	return nil, "", errors.New("forms without an end")
}

type form struct {
	action string
	values url.Values
}

// findForm reads the first form of a page.
func findForm(page string) (f form, ok bool) {
	f.values = url.Values{}
	for z := html.NewTokenizer(strings.NewReader(page)); ; {
		switch z.Next() {
		case html.ErrorToken:
			return f, ok
		case html.StartTagToken, html.SelfClosingTagToken:
			tok := z.Token()
			attr := map[string]string{}
			for _, at := range tok.Attr {
				attr[at.Key] = at.Val
			}
			switch {
			case tok.Data == "form" && !ok:
				ok, f.action = true, attr["action"]
			case tok.Data == "input" && ok && attr["name"] != "":
				f.values.Set(attr["name"], attr["value"])
			}
		case html.EndTagToken:
			if tok := z.Token(); tok.Data == "form" && ok {
				return f, ok
			}
		}
	}
}
