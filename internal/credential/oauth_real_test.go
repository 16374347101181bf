package credential

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"tidings/internal/testserver"
)

// memoryVault is a Vault for tests; several Sources may share it, as processes
// share a keyring.
type memoryVault struct {
	mu     sync.Mutex
	values map[string]string
	fail   error // of Set
	sets   []string
}

func newMemoryVault() *memoryVault { return &memoryVault{values: map[string]string{}} }

func (v *memoryVault) Get(_ context.Context, name string) (string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	value, ok := v.values[name]
	if !ok {
		return "", ErrNoSecret
	}
	return value, nil
}

func (v *memoryVault) Set(_ context.Context, name, value string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.fail != nil {
		return v.fail
	}
	v.values[name] = value
	v.sets = append(v.sets, value)
	return nil
}

func (v *memoryVault) Delete(_ context.Context, name string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.values, name)
	return nil
}

// person is a Prompter that does what a person would.
type person struct {
	t    *testing.T
	auth *testserver.Authorization
	user string
	// pastes: the browser runs elsewhere, and the addresses are pasted; before
	// the right one, these.
	pastes []string
	paste  chan string

	mu    sync.Mutex
	notes []string
	said  []string // everything that was shown
	wg    sync.WaitGroup
}

func (p *person) ShowDevice(c DeviceCode) {
	p.mu.Lock()
	p.said = append(p.said, fmt.Sprint(c))
	p.mu.Unlock()
	p.wg.Go(func() {
		_, text, err := p.auth.Browse(c.Address, p.user, c.Code, nil)
		if err != nil || !strings.Contains(text, "Sign-in Success") {
			p.t.Errorf("the browser ended with %v at a page that says %q", err, text)
		}
	})
}

func (p *person) ShowBrowser(b BrowserPage) {
	p.mu.Lock()
	p.said = append(p.said, fmt.Sprint(b))
	p.mu.Unlock()
	p.wg.Go(func() {
		var stop func(*url.URL) bool
		if p.paste != nil {
			stop = func(u *url.URL) bool { return strings.HasPrefix(u.String(), b.Redirect) }
		}
		end, text, err := p.auth.Browse(b.Address, p.user, "", stop)
		switch {
		case err != nil:
			p.t.Errorf("the browser: %v", err)
		case p.paste != nil:
			for _, line := range p.pastes {
				p.paste <- line
			}
			p.paste <- end.String()
		case !strings.Contains(text, "Look at the terminal"):
			p.t.Errorf("the browser ended at a page that says %q", text)
		}
	})
}

func (p *person) Paste(ctx context.Context) (string, error) {
	select {
	case line := <-p.paste:
		return line, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (p *person) Note(s string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.notes = append(p.notes, s)
}

// custom is the config of an account at an authorization server.
func custom(a *testserver.Authorization, flow Flow) *OAuth2 {
	return &OAuth2{Provider: ProviderCustom, Flow: flow, Issuer: a.Issuer, ClientID: a.ClientID, Scopes: a.Scopes}
}

// introspect asks the authorization server whose a token is.
func introspect(t *testing.T, a *testserver.Authorization, token string) string {
	t.Helper()
	u, err := url.Parse(a.Introspection.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.PostForm(u.String(), url.Values{"token": {token}})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var b strings.Builder
	if _, err := fmt.Fprint(&b, readAll(t, resp)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestSignInAtARealProvider: device code, browser and paste, then tokens that
// rotate, a sign-out that the provider heard of.
func TestSignInAtARealProvider(t *testing.T) {
	auth := testserver.AuthorizationServer(t, testserver.AuthorizationSettings{})
	for _, test := range []struct {
		name   string
		flow   Flow
		pastes []string
		notes  []string
	}{
		{name: "device", flow: FlowDevice},
		{name: "browser", flow: FlowBrowser},
		{name: "paste", flow: FlowBrowser,
			pastes: []string{"", "not an address", "http://127.0.0.1/?code=stolen&state=of-another-sign-in", "http://127.0.0.1/"},
			notes:  []string{"begins with http", "another sign-in", "begins with http"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			vault := newMemoryVault()
			source := New(Settings{Account: "work", User: "alice", OAuth2: custom(auth, test.flow), Vault: vault, StateDir: t.TempDir()})
			if err := source.Prepare(t.Context()); err == nil || !strings.Contains(err.Error(), "tidings login work") {
				t.Errorf("before any sign-in: %v", err)
			}
			if _, err := source.Secret(t.Context()); err == nil || !strings.Contains(err.Error(), "press R, or run tidings login work") {
				t.Errorf("before any sign-in: %v", err)
			}
			p := &person{t: t, auth: auth, user: "alice", pastes: test.pastes}
			if test.pastes != nil {
				p.paste = make(chan string)
			}
			if err := source.SignIn(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			p.wg.Wait()
			for i, want := range test.notes {
				if i >= len(p.notes) || !strings.Contains(p.notes[i], want) {
					t.Errorf("note %d lacks %q: %q", i, want, p.notes)
				}
			}
			if len(p.notes) != len(test.notes) {
				t.Errorf("%d notes: %q", len(p.notes), p.notes)
			}
			if err := source.Prepare(t.Context()); err != nil {
				t.Error(err)
			}
			secret, err := source.Secret(t.Context())
			if err != nil || secret.Token == "" || secret.Password != "" || secret.User != "alice" {
				t.Fatalf("user %q, a token: %v, %v", secret.User, secret.Token != "", err)
			}
			if got := introspect(t, auth, secret.Token); !strings.Contains(got, `"sub":"alice"`) || !strings.Contains(got, "mail") {
				t.Errorf("the provider knows of the token %s", got)
			}
			// The server refuses it: the next one is another, and the refresh token
			// that came with it is what is kept.
			before := vault.values[RefreshTokenName("work")]
			source.Rejected()
			next, err := source.Secret(t.Context())
			if err != nil || next.Token == secret.Token {
				t.Fatalf("the refused token again: %v, %v", next.Token == secret.Token, err)
			}
			if after := vault.values[RefreshTokenName("work")]; after == before {
				t.Error("the refresh token did not rotate, or was not kept")
			}
			note, err := source.SignOut(t.Context())
			if note != "" || err != nil {
				t.Errorf("sign out: %q, %v", note, err)
			}
			if got := introspect(t, auth, next.Token); got != `{"active":false}` {
				t.Errorf("after the sign-out the provider says of the token %s", got)
			}
			if len(vault.values) != 0 {
				t.Error("something is kept after the sign-out")
			}
			if _, err := source.Secret(t.Context()); err == nil {
				t.Error("a token after the sign-out")
			}
		})
	}
}

// TestDaemonAtARealProvider: client credentials need nobody.
func TestDaemonAtARealProvider(t *testing.T) {
	auth := testserver.AuthorizationServer(t, testserver.AuthorizationSettings{DaemonUser: "alice"})
	t.Setenv("TEST_CLIENT_SECRET", auth.DaemonSecret)
	o := custom(auth, FlowClientCredentials)
	o.ClientID, o.ClientSecret, o.Scopes = auth.DaemonID, Origin{Env: "TEST_CLIENT_SECRET"}, []string{"mail"}
	source := New(Settings{Account: "work", User: "alice", OAuth2: o, StateDir: t.TempDir()})
	if err := source.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	secret, err := source.Secret(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := introspect(t, auth, secret.Token); !strings.Contains(got, `"username":"alice"`) {
		t.Errorf("the provider knows of the token %s", got)
	}
	if n := auth.Counts(t)["client_credentials"]; n != 1 {
		t.Errorf("%d tokens were asked for", n)
	}

	t.Setenv("TEST_CLIENT_SECRET", "wrong-"+auth.DaemonSecret)
	_, err = New(Settings{Account: "work", User: "alice", OAuth2: o, StateDir: t.TempDir()}).Secret(t.Context())
	if err == nil || !strings.Contains(err.Error(), "its secret is wrong") || strings.Contains(err.Error(), auth.DaemonSecret) {
		t.Errorf("a wrong secret: %v", err)
	}
}

// TestTwoProcesses: two that share a vault need new tokens all the time, while
// every refresh token is good for one use: the provider ends the sign-in if one
// is shown twice.
func TestTwoProcesses(t *testing.T) {
	auth := testserver.AuthorizationServer(t, testserver.AuthorizationSettings{})
	vault, dir := newMemoryVault(), t.TempDir()
	make := func() *Source {
		return New(Settings{Account: "work", User: "alice", OAuth2: custom(auth, FlowDevice), Vault: vault, StateDir: dir})
	}
	first := make()
	p := &person{t: t, auth: auth, user: "alice"}
	if err := first.SignIn(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	p.wg.Wait()
	var running sync.WaitGroup
	const each = 8
	for _, source := range []*Source{first, make(), make()} {
		running.Go(func() {
			for range each {
				source.Rejected()
				if _, err := source.Secret(t.Context()); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	running.Wait()
	counts := auth.Counts(t)
	if counts["refresh_token"] < 3*each-1 || counts["refresh_token invalid_grant"] != 0 {
		t.Errorf("the provider counts %v", counts)
	}
}

// TestRevoked: a grant that was taken back is one clear state, of which the
// provider is not asked again; a sign-in mends it.
func TestRevoked(t *testing.T) {
	auth := testserver.AuthorizationServer(t, testserver.AuthorizationSettings{})
	vault := newMemoryVault()
	source := New(Settings{Account: "work", User: "alice", OAuth2: custom(auth, FlowBrowser), Vault: vault, StateDir: t.TempDir()})
	p := &person{t: t, auth: auth, user: "alice"}
	if err := source.SignIn(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	p.wg.Wait()
	auth.FailTokens(t, 1)
	source.Rejected()
	if _, err := source.Secret(t.Context()); !isTransient(err) || !strings.Contains(err.Error(), "503") {
		t.Errorf("while the provider is busy: %v", err)
	}
	if _, err := source.Secret(t.Context()); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	auth.RevokeAll(t)
	source.Rejected()
	kept := vault.values[RefreshTokenName("work")]
	for range 3 {
		_, err := source.Secret(t.Context())
		if err == nil || isTransient(err) || !strings.Contains(err.Error(), "sign in again: press R, or run tidings login work") {
			t.Errorf("revoked: %v", err)
		}
	}
	if n := auth.Counts(t)["refresh_token invalid_grant"]; n != 1 {
		t.Errorf("the provider was asked %d times with a grant that it had taken back", n)
	}
	if vault.values[RefreshTokenName("work")] != kept {
		t.Error("what was kept is lost")
	}
	if source.SignedIn(t.Context()) {
		t.Error("a sign-in is said to have come about")
	}
	later := func() time.Time { return time.Now().Add(time.Second) }
	other := New(Settings{Account: "work", User: "alice", OAuth2: custom(auth, FlowBrowser), Vault: vault, StateDir: source.settings.StateDir, Wall: later})
	if err := other.SignIn(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	p.wg.Wait()
	if !source.SignedIn(t.Context()) {
		t.Error("the sign-in of another process goes unnoticed")
	}
	if _, err := source.Secret(t.Context()); err != nil {
		t.Errorf("after the sign-in: %v", err)
	}
}
