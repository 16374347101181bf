package config

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOAuth2Example: without its comment marks, the example's [account.oauth2]
// is accepted, has every option once, each with a comment, in the order of the
// table that Load follows, and says the defaults.
func TestOAuth2Example(t *testing.T) {
	raw, err := os.ReadFile(examplePath)
	if err != nil {
		t.Fatal(err)
	}
	account, table, ok := strings.Cut(string(raw), "# [account.oauth2]\n")
	if !ok {
		t.Fatal("the example has no [account.oauth2]")
	}
	var want, got []string
	fields := map[string]bool{}
	for f := range reflect.TypeFor[OAuth2]().Fields() {
		fields[strings.ToLower(f.Name)] = true
	}
	for _, o := range oauth2Options {
		want = append(want, o.key)
		name := strings.ReplaceAll(o.key, "_", "")
		if !fields[name] {
			t.Errorf("the option %s has no field", o.key)
		}
		delete(fields, name)
	}
	for name := range fields {
		t.Errorf("the field %s has no option", name)
	}
	for _, m := range regexp.MustCompile(`(?m)^# (\w+) = (.*)$`).FindAllStringSubmatch(table, -1) {
		got = append(got, m[1])
		if !strings.Contains(m[2], "# ") {
			t.Errorf("%s has no comment", m[1])
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-options +example:\n%s", diff)
	}
	account = regexp.MustCompile(`(?m)^password_command = .*$`).ReplaceAllString(account, "")
	text := account + "[account.oauth2]\n" + regexp.MustCompile(`(?m)^# `).ReplaceAllString(table, "")
	cfg, err := parse(examplePath, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	o := defaultOAuth2()
	o.Provider, o.Flow, o.Tenant, o.ClientID = Microsoft, FlowDevice, "common", "00000000-0000-0000-0000-000000000000"
	if diff := cmp.Diff(&o, cfg.Accounts[0].OAuth2); diff != "" {
		t.Errorf("-want +example:\n%s", diff)
	}
}

// oauth2 is an account with an [account.oauth2] of these lines.
func oauth2(lines ...string) string {
	return account() + "[account.oauth2]\n" + strings.Join(lines, "\n") + "\n"
}

func TestOAuth2Accepted(t *testing.T) {
	cases := []struct {
		name string
		text string
		want OAuth2
	}{
		{"microsoft, device", oauth2(`provider = "microsoft"`, `flow = "device"`, `client_id = "x"`),
			OAuth2{Provider: Microsoft, Flow: FlowDevice, ClientID: "x", Tenant: "common"}},
		{"google, browser", oauth2(`provider = "google"`, `flow = "browser"`, `client_id = "x"`, `client_secret_file = "s"`),
			OAuth2{Provider: Google, Flow: FlowBrowser, ClientID: "x", ClientSecretFile: "/etc/tidings/s"}},
		{"microsoft, app only", oauth2(`provider = "microsoft"`, `flow = "client_credentials"`, `client_id = "x"`, `client_secret_env = "S"`, `tenant = "example.org"`),
			OAuth2{Provider: Microsoft, Flow: FlowClientCredentials, ClientID: "x", ClientSecretEnv: "S", Tenant: "example.org"}},
		{"custom by issuer", oauth2(`provider = "custom"`, `flow = "device"`, `client_id = "x"`, `issuer = "https://id.example.org/realm"`, `scopes = ["openid", "mail"]`),
			OAuth2{Provider: Custom, Flow: FlowDevice, ClientID: "x", Issuer: "https://id.example.org/realm", Scopes: []string{"openid", "mail"}}},
		{"custom by endpoints", oauth2(`provider = "custom"`, `flow = "browser"`, `client_id = "x"`, `auth_url = "https://a/b"`, `token_url = "http://127.0.0.1:80/t"`),
			OAuth2{Provider: Custom, Flow: FlowBrowser, ClientID: "x", AuthURL: "https://a/b", TokenURL: "http://127.0.0.1:80/t"}},
		{"command", oauth2(`flow = "command"`, `token_command = ["oauth2l", "fetch"]`, `mechanism = "xoauth2"`),
			OAuth2{Flow: FlowCommand, TokenCommand: []string{"oauth2l", "fetch"}, Mechanism: MechanismXOAuth2}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			cfg, err := parse("/etc/tidings/config.toml", []byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if c.want.Mechanism == "" {
				c.want.Mechanism = MechanismAuto
			}
			if diff := cmp.Diff(&c.want, cfg.Accounts[0].OAuth2); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestWaysInProblems(t *testing.T) {
	const secret = "hunter2"
	device := []string{`provider = "microsoft"`, `flow = "device"`, `client_id = "x"`}
	custom := []string{`provider = "custom"`, `client_id = "x"`}
	with := func(base []string, more ...string) string {
		return oauth2(append(append([]string{}, base...), more...)...)
	}
	cases := []struct {
		name string
		text string
		want []string
	}{
		{"two ways to sign in", account(`password_command = ["pass"]`) + "[account.oauth2]\n" + strings.Join(device, "\n"),
			[]string{`5: password_command: is set, and [account.oauth2] too; expected one way to sign in`}},
		{"auth beside oauth2", account(`auth = "plain"`) + "[account.oauth2]\n" + strings.Join(device, "\n"),
			[]string{`5: auth: is "plain", and [account.oauth2] is set too; expected one way *`}},
		{"google, device", oauth2(`provider = "google"`, `flow = "device"`, `client_id = "x"`),
			[]string{`7: flow: is "device", by which Google does not grant access to mail; expected "browser" *`}},
		{"google, client_credentials", oauth2(`provider = "google"`, `flow = "client_credentials"`, `client_id = "x"`, `client_secret_env = "S"`),
			[]string{`7: flow: is "client_credentials", which Google does not have; *`}},
		{"app only without tenant", oauth2(`provider = "microsoft"`, `flow = "client_credentials"`, `client_id = "x"`, `client_secret_env = "S"`),
			[]string{`5: tenant: names no tenant of its own; *`}},
		{"app only without secret", oauth2(`provider = "microsoft"`, `flow = "client_credentials"`, `client_id = "x"`, `tenant = "t"`),
			[]string{`5: client_secret_command: is missing; *`}},
		{"no flow", oauth2(`provider = "google"`), []string{`5: flow: is missing; expected "device", "browser", "client_credentials" or "command"`}},
		{"no provider", oauth2(`flow = "device"`), []string{`5: provider: is missing; *`}},
		{"no client id", oauth2(`provider = "google"`, `flow = "browser"`), []string{`5: client_id: is missing; *`}},
		{"two secrets", with(device, `client_secret_env = "A"`, `client_secret_file = "b"`), []string{`10: client_secret_file: client_secret_env and client_secret_file are set; *`}},
		{"secret in the config", with(device, `client_secret = "`+secret+`"`), []string{`9: client_secret: a secret does not belong in the config; *`}},
		{"token in the config", with(device, `refresh_token = "`+secret+`"`), []string{`9: refresh_token: a secret does not belong in the config; *`}},
		{"tenant elsewhere", with(custom, `flow = "device"`, `tenant = "t"`, `issuer = "https://a"`), []string{`9: tenant: is set with provider = "custom"; *`}},
		{"tenant that leaves its place", with(device, `tenant = "../evil"`), []string{`9: tenant: is "../evil"; *`}},
		{"tenant of dots", with(device, `tenant = ".."`), []string{`9: tenant: is ".."; *`}},
		{"endpoint of a preset", with(device, `token_url = "https://evil.example"`), []string{`9: token_url: is set with provider = "microsoft", whose addresses are known; *`}},
		{"custom without endpoints", with(custom, `flow = "device"`), []string{`5: token_url: is missing; expected issuer, or token_url and device_url, *`}},
		{"redirect elsewhere", with(custom, `flow = "browser"`, `issuer = "https://a"`, `redirect_url = "https://a/t"`), []string{`10: redirect_url: is "https://a/t"; expected an address of this machine, *`}},
		{"redirect without browser", with(device, `redirect_url = "http://127.0.0.1:1/"`), []string{`9: redirect_url: is set with flow = "device"; *`}},
		{"plain http", with(custom, `flow = "device"`, `issuer = "http://id.example.org"`), []string{`9: issuer: is "http://id.example.org", which sends tokens readable *`}},
		{"no address", with(custom, `flow = "device"`, `issuer = "id.example.org"`), []string{`9: issuer: is "id.example.org"; expected an address that begins with "https://"`}},
		{"address with a user", with(custom, `flow = "device"`, `issuer = "https://a:`+secret+`@b"`), []string{`9: issuer: has a user's name in it; *`}},
		{"command without program", oauth2(`flow = "command"`), []string{`5: token_command: is missing; *`}},
		{"program without command", with(device, `token_command = ["x"]`), []string{`9: token_command: is set with flow = "device"; *`}},
		{"command and client id", oauth2(`flow = "command"`, `token_command = ["x"]`, `client_id = "y"`), []string{`8: client_id: is set with flow = "command"; *`}},
		{"scopes as text", with(device, `scopes = "a b"`), []string{`9: scopes: is a string; expected an array *`}},
		{"scope with a space", with(device, `scopes = ["a b"]`), []string{`9: scopes: element 1 is no scope; *`}},
		{"no table", account(`oauth2 = "device"`), []string{`5: oauth2: is a string; expected a table, [account.oauth2]`}},
		{"misspelt", with(device, `clientid = "x"`), []string{`9: clientid: there is no such key in [account.oauth2]; did you mean client_id?`}},
		{"external without certificate", account(`auth = "external"`), []string{`5: auth: is "external", which signs in by a certificate; *`}},
		{"external and a password", account(`auth = "external"`, `tls_certificate = "c"`, `password_env = "X"`), []string{`7: password_env: is set with auth = "external", *`}},
		{"key without certificate", account(`tls_key = "k"`), []string{`5: tls_key: is set without tls_certificate; *`}},
		{"secrets: order", "[secrets]\norder = [\"keychain\"]\n" + account(), []string{`2: order: element 1 is "keychain"; expected an array of "keyring", *`}},
		{"secrets: twice", "[secrets]\norder = [\"file\", \"file\"]\n" + account(), []string{`2: order: has "file" twice; *`}},
		{"secrets: behind file", "[secrets]\norder = [\"file\", \"keyring\"]\n" + account(), []string{`2: order: has "keyring" behind "file", which always serves; *`}},
		{"secrets: behind prompt", "[secrets]\norder = [\"prompt\", \"file\"]\n" + account(), []string{`2: order: has "file" behind "prompt", *`}},
		{"secrets: none", "[secrets]\norder = []\n" + account(), []string{`2: order: is empty; *`}},
		{"secrets: no command", "[secrets]\norder = [\"command\"]\nget_command = [\"a\"]\n" + account(), []string{`1: set_command: is missing; *`}},
		{"secrets: command unused", "[secrets]\nget_command = [\"a\"]\n" + account(), []string{`2: get_command: is set, but order does not have "command"; *`}},
		{"secrets: no table", "secrets = 3\n" + account(), []string{`1: secrets: is a whole number; expected a table, [secrets]`}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := parse("dir/config.toml", []byte(c.text))
			if !IsProblem(err) {
				t.Fatalf("error %v, want an *Error", err)
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the secret is told: %v", err)
			}
			got := strings.Split(err.Error(), "\n")
			if len(got) != len(c.want) {
				t.Fatalf("got %d problems, want %d:\n%v", len(got), len(c.want), err)
			}
			for i, want := range c.want {
				line, ok := strings.CutPrefix(got[i], "dir/config.toml:")
				if !ok || !like(line, want) {
					t.Errorf("got  %s\nwant %s", got[i], want)
				}
			}
		})
	}
}

func TestSecretsAccepted(t *testing.T) {
	cfg, err := parse("c", []byte("[secrets]\norder = [\"env\", \"command\", \"file\"]\nget_command = [\"g\"]\nset_command = [\"s\", \"{name}\"]\n"+account()))
	if err != nil {
		t.Fatal(err)
	}
	want := Secrets{Order: []Place{PlaceEnv, PlaceCommand, PlaceFile}, GetCommand: []string{"g"}, SetCommand: []string{"s", "{name}"}}
	if diff := cmp.Diff(want, cfg.Secrets); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestClientCertificate: a certificate of ours is shown to the server, and a key
// that others can read is refused with the command that mends it.
func TestClientCertificate(t *testing.T) {
	ca := newAuthority(t, "Example CA")
	pair := ca.issueFiles(t)
	a := bare()
	a.TLSCertificate, a.TLSKey = pair.cert, pair.key
	cfg, err := a.TLSConfig()
	if err != nil || len(cfg.Certificates) != 1 {
		t.Fatalf("%v, %v", cfg, err)
	}
	if err := os.Chmod(pair.key, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := a.TLSConfig(); err == nil || !strings.Contains(err.Error(), "chmod 600") || !strings.Contains(err.Error(), pair.key) {
		t.Errorf("a key that others can read: %v", err)
	}
	if err := os.Chmod(pair.key, 0o600); err != nil {
		t.Fatal(err)
	}
	a.TLSKey = filepath.Join(t.TempDir(), "none")
	if _, err := a.TLSConfig(); err == nil || !strings.Contains(err.Error(), "tls_key") {
		t.Errorf("a key that is not there: %v", err)
	}
	a.TLSKey = ca.file
	if err := os.Chmod(ca.file, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := a.TLSConfig(); err == nil || !strings.Contains(err.Error(), "private key") {
		t.Errorf("a key that is none: %v", err)
	}
}
