package setup

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidings/internal/config"
)

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// loaded is the account of that name in the config at path.
func loaded(t *testing.T, path, name string) config.Account {
	t.Helper()
	cfg, err := config.Load(path)
	if err != nil {
		t.Fatalf("%v\n%s", err, read(t, path))
	}
	for _, a := range cfg.Accounts {
		if a.Name == name {
			return a
		}
	}
	t.Fatalf("there is no %s", name)
	return config.Account{}
}

// base is a bare account, as the config reads it.
func base(t *testing.T, change func(*config.Account)) config.Account {
	t.Helper()
	cfg, err := config.Parse("/etc/tidings/config.toml", []byte("[[account]]\nname = \"work\"\nhost = \"imap.example.org\"\nuser = \"alice@example.org\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	a := cfg.Accounts[0]
	change(&a)
	return a
}

// TestWrittenIsRead: whatever an account needs comes out of the config as it went
// in, with comments around it.
func TestWrittenIsRead(t *testing.T) {
	for name, change := range map[string]func(*config.Account){
		"bare":      func(*config.Account) {},
		"odd names": func(a *config.Account) { a.Name, a.User = `it's "work" \ ünï #1`, `dom\alice` },
		"STARTTLS":  func(a *config.Account) { a.TLS, a.Port = config.TLSStart, 1143 },
		"loopback":  func(a *config.Account) { a.TLS, a.Port, a.Host = config.TLSNone, 143, "127.0.0.1" },
		"pinned":    func(a *config.Account) { a.TLSFingerprint = "sha256:" + strings.Repeat("ab", 32) },
		"command":   func(a *config.Account) { a.PasswordCommand = []string{"sh", "-c", `pass show "a b" | head -1 # x`} },
		"env":       func(a *config.Account) { a.PasswordEnv = "WORK" },
		"file":      func(a *config.Account) { a.PasswordFile = "/home/alice/the secret" },
		"read only": func(a *config.Account) { a.ReadOnly = true },
		"microsoft": func(a *config.Account) {
			a.OAuth2 = &config.OAuth2{Provider: config.Microsoft, Flow: config.FlowDevice, ClientID: "x", Tenant: "common", Mechanism: config.MechanismAuto}
		},
		"custom": func(a *config.Account) {
			a.OAuth2 = &config.OAuth2{Provider: config.Custom, Flow: config.FlowBrowser, ClientID: "x", ClientSecretCommand: []string{"pass", "x"},
				Issuer: "https://id.example.org", Scopes: []string{"a", "b"}, RedirectURL: "http://127.0.0.1:8400/", Mechanism: config.MechanismXOAuth2}
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := base(t, change)
			path := filepath.Join(t.TempDir(), "new", "config.toml")
			if err := Write(path, want, "imap.example.org was named by the domain's DNS", false); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, loaded(t, path, want.Name)); diff != "" {
				t.Errorf("-want +read:\n%s\n%s", diff, read(t, path))
			}
			info, err := os.Stat(path)
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%v, %v", info, err)
			}
			if text := read(t, path); !strings.Contains(text, "# imap.example.org was named by") || strings.Count(text, "#") < 5 {
				t.Errorf("the comments:\n%s", text)
			}
		})
	}
}

const person = `# my config
[ui]
notice = "off" # quiet

[[account]]
name = "work"   # old
host = "old.example.org"
user = "alice"

# The other one.
[[account]]
name = "home"
host = "home.example.org"
user = "alice"
`

// TestNeverOverAnother: an account is added behind what is there, never over one
// of the same name unless that was asked for, and then nothing of the old one is
// lost.
func TestNeverOverAnother(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.toml")
	put := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put(person)
	a := base(t, func(*config.Account) {})
	if err := Write(path, a, "", false); !errors.Is(err, ErrAccountExists) {
		t.Errorf("error %v", err)
	}
	if read(t, path) != person {
		t.Error("the config was changed")
	}
	if err := Write(path, a, "", true); err != nil {
		t.Fatal(err)
	}
	text := read(t, path)
	for _, line := range strings.Split(person, "\n") {
		if !strings.Contains(text, line) {
			t.Errorf("%q is lost:\n%s", line, text)
		}
	}
	if got := loaded(t, path, "work"); got.Host != "imap.example.org" {
		t.Errorf("it is read as %+v", got)
	}
	if got := loaded(t, path, "home"); got.Host != "home.example.org" {
		t.Errorf("the other one is read as %+v", got)
	}
	put(person)
	a.Name = "third"
	if err := Write(path, a, "", false); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(read(t, path), person) {
		t.Errorf("what was there has changed:\n%s", read(t, path))
	}
	for name, text := range map[string]string{
		"broken":          person + "[[account]]\nname = 3\n",
		"not TOML":        "[[[\n",
		"an inline array": `account = [{name = "work", host = "h", user = "u"}]`,
	} {
		put(text)
		for _, replace := range []bool{false, true} {
			if err := Write(path, a, "", replace); err == nil {
				t.Errorf("%s: no error", name)
			}
			if read(t, path) != text {
				t.Errorf("%s: the config was changed", name)
			}
		}
	}
	// One that has no accounts yet.
	put("[ui]\nnotice = \"off\"\n")
	if err := Write(path, a, "", false); err != nil {
		t.Fatal(err)
	}
	if cfg, err := config.Load(path); err != nil || cfg.UI.Notice != config.NoticeOff || len(cfg.Accounts) != 1 {
		t.Errorf("%+v, %v", cfg, err)
	}
}

// TestWriteLosesNothing: where it cannot be written, the config is as it was.
func TestWriteLosesNothing(t *testing.T) {
	a := base(t, func(a *config.Account) { a.User = "al\x00ice" })
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := Write(path, a, "", false); err == nil {
		t.Error("a user's name with a NUL was written")
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is a config: %v", err)
	}
}
