package credential

import (
	"net/url"
	"strings"
	"testing"
	"tidings/imapsession"
)

// TestDiscovery: a document that points elsewhere is not used.
func TestDiscovery(t *testing.T) {
	const issuer = "https://login.example.org/realm"
	for _, test := range []struct {
		name, body, want string
		status           int
		passes           bool
		ok               bool
	}{
		{name: "right", body: `{"issuer":"` + issuer + `","token_endpoint":"https://login.example.org/token","token_endpoint_auth_methods_supported":["client_secret_post"]}`, ok: true},
		{name: "another issuer", body: `{"issuer":"https://evil.example.org","token_endpoint":"https://evil.example.org/token"}`, want: "says that it is that of https://evil.example.org"},
		{name: "in the clear", body: `{"issuer":"` + issuer + `","token_endpoint":"http://login.example.org/token"}`, want: "begins with https://"},
		{name: "no token endpoint", body: `{"issuer":"` + issuer + `"}`, want: "no token endpoint"},
		{name: "HTML", body: "<html>", want: "no discovery document"},
		{name: "404", status: 404, want: "correct issuer"},
		{name: "busy", status: 502, want: "502", passes: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &fakeProvider{answer: func(_ int, path string, _ url.Values) reply {
				if strings.HasSuffix(path, "/token") {
					return tokenReply("access-planted-1", "")
				}
				return reply{status: test.status, body: test.body}
			}}
			source, _, _ := account(t, p, OAuth2{Provider: ProviderCustom, Flow: FlowDevice, ClientID: "tidings", Issuer: issuer}, "refresh-planted-1", nil)
			_, err := source.Secret(t.Context())
			if test.ok {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) || isTransient(err) != test.passes {
				t.Errorf("want %q: %v", test.want, err)
			}
			for _, form := range p.asked {
				if form.Has("refresh_token") {
					t.Error("the refresh token was sent")
				}
			}
		})
	}
}

// TestTokenCommand: printed at every log-in, once before the screen starts.
func TestTokenCommand(t *testing.T) {
	store := write(t, 0o600, "access-planted-1\n")
	source, _, _ := account(t, &fakeProvider{}, OAuth2{Flow: FlowCommand, TokenCommand: []string{"cat", store}, Mechanism: MechanismXOAuth2}, "", nil)
	if err := source.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := source.Secret(t.Context())
	if err != nil || got.Token != "access-planted-1" || got.Mechanism != "XOAUTH2" {
		t.Fatalf("mechanism %q, %v", got.Mechanism, err)
	}
	source.Rejected()
	if _, err := source.Secret(t.Context()); err == nil || !strings.Contains(err.Error(), "still prints the token that the server refused") {
		t.Errorf("the same token again: %v", err)
	} else {
		leaks(t, "the error", err.Error())
	}
	failing, _, _ := account(t, &fakeProvider{}, OAuth2{Flow: FlowCommand, TokenCommand: []string{"sh", "-c", "echo access-planted-1; echo no: access-planted-1 >&2; exit 1"}}, "", nil)
	if _, err := failing.Secret(t.Context()); err == nil || !strings.Contains(err.Error(), "token_command failed") {
		t.Errorf("a failing command: %v", err)
	} else {
		leaks(t, "the error", err.Error())
	}
	const token = "ya29.a0AfB_byC-1x9nQ-planted_planted_0163"
	failing, _, _ = account(t, &fakeProvider{}, OAuth2{Flow: FlowCommand, TokenCommand: []string{"sh", "-c", "echo curl: HTTP 401 for " + token + " at /home/alice/.config/mail/token >&2; exit 1"}}, "", nil)
	_, err = failing.Secret(t.Context())
	if err == nil || strings.Contains(err.Error(), token[5:]) || !strings.Contains(err.Error(), "HTTP 401 for ya29.[redacted] at /home/alice/.config/mail/token") {
		t.Errorf("a command that tells its token on stderr: %v", err)
	}
}

// TestPresets: the addresses of Google and Microsoft.
func TestPresets(t *testing.T) {
	g := OAuth2{Provider: ProviderGoogle, Flow: FlowBrowser}.Preset()
	if g.TokenURL != "https://oauth2.googleapis.com/token" || g.Scopes[0] != "https://mail.google.com/" || g.params["access_type"] != "offline" {
		t.Errorf("google: %+v", g)
	}
	m := OAuth2{Provider: ProviderMicrosoft, Flow: FlowDevice}.Preset()
	if m.DeviceURL != "https://login.microsoftonline.com/common/oauth2/v2.0/devicecode" || m.Scopes[1] != "offline_access" || m.RedirectURL != "http://localhost:0/" {
		t.Errorf("microsoft: %+v", m)
	}
	d := OAuth2{Provider: ProviderMicrosoft, Flow: FlowClientCredentials, Tenant: "example.onmicrosoft.com"}.Preset()
	if d.TokenURL != "https://login.microsoftonline.com/example.onmicrosoft.com/oauth2/v2.0/token" || d.Scopes[0] != "https://outlook.office365.com/.default" {
		t.Errorf("a daemon at microsoft: %+v", d)
	}
	o := OAuth2{Provider: ProviderGoogle, Flow: FlowBrowser, Scopes: []string{"mine"}}.Preset()
	if len(o.Scopes) != 1 || o.Scopes[0] != "mine" {
		t.Errorf("the person's own scopes: %v", o.Scopes)
	}
}

// A session asks its Credentials by this name who can sign in; without an answer it
// tells nobody to.
func TestSignInCommand(t *testing.T) {
	for _, test := range []struct {
		flow        Flow
		login, want string
	}{
		{FlowBrowser, "", "tidings login 'my work'"},
		{FlowDevice, "tidings login work --config x.toml", "tidings login work --config x.toml"},
		{FlowCommand, "", ""},
		{FlowClientCredentials, "", ""},
	} {
		var c imapsession.Credentials = New(Settings{Account: "my work", Login: test.login, OAuth2: &OAuth2{Flow: test.flow}})
		if known, ok := c.(interface{ SignInCommand() string }); !ok || known.SignInCommand() != test.want {
			t.Errorf("%s: %v, want %q", test.flow, c, test.want)
		}
	}
	if got := New(Settings{Account: "a"}).SignInCommand(); got != "" {
		t.Errorf("with a password: %q", got)
	}
}

// FuzzGrant: whatever a vault gives back is a grant or an error.
func FuzzGrant(f *testing.F) {
	f.Add(goodGrant)
	f.Add(goodGrant[:40])
	f.Add("refresh-planted-1")
	f.Add("{}")
	f.Fuzz(func(t *testing.T, value string) {
		g, err := parseGrant(value)
		if (err == nil) != (g.RefreshToken != "") {
			t.Errorf("%+v, %v", g, err)
		}
		if err != nil {
			return
		}
		again, err := parseGrant(g.encode())
		if err != nil || again.RefreshToken != strings.ToValidUTF8(g.RefreshToken, "\ufffd") {
			t.Errorf("written and read back: %v", err)
		}
	})
}
