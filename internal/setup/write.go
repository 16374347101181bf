package setup

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"tidings/internal/config"
	"tidings/internal/save"
	"tidings/internal/xdg"
)

// ErrAccountExists: the config has an account of that name already.
var ErrAccountExists = errors.New("there is an account of that name already")

// AccountText is an account as it stands in a config, with comments; what has its
// default is left out. about is a line on how it was found, "" for none.
func AccountText(a config.Account, about string) string {
	var b strings.Builder
	if about != "" {
		fmt.Fprintf(&b, "# %s\n", about)
	}
	b.WriteString("[[account]]\n")
	line := func(key, value, comment string) {
		if comment != "" {
			value = fmt.Sprintf("%-*s # %s", 40-len(key+" = "), value, comment)
		}
		fmt.Fprintf(&b, "%s = %s\n", key, value)
	}
	line("name", quote(a.Name), "yours to choose; shown on screen and taken by --account")
	line("host", quote(a.Host), "the server")
	port := 993
	if a.TLS != config.TLSImplicit {
		port = 143
		line("tls", quote(string(a.TLS)), "implicit | starttls")
	}
	if a.Insecure {
		line("insecure", "true", "the password is readable on its way")
	}
	if a.Port != port {
		line("port", strconv.Itoa(a.Port), "")
	}
	if a.CAFile != "" {
		line("ca_file", quote(a.CAFile), "an authority to trust beside the system's")
	}
	if a.TLSFingerprint != "" {
		line("tls_fingerprint", quote(a.TLSFingerprint), "exactly this certificate is accepted")
	}
	line("user", quote(a.User), "the name to sign in with")
	switch {
	case a.OAuth2 != nil:
	case a.PasswordCommand != nil:
		line("password_command", array(a.PasswordCommand), "the first line of its output")
	case a.PasswordEnv != "":
		line("password_env", quote(a.PasswordEnv), "the environment variable with the password")
	case a.PasswordFile != "":
		line("password_file", quote(a.PasswordFile), "only you may read it (mode 0600)")
	default:
		b.WriteString("# The password is kept where [secrets] says, by \"tidings login\", or typed at each start.\n")
	}
	if a.ReadOnly {
		line("read_only", "true", "nothing on the server is ever changed")
	}
	if a.OAuth2 != nil {
		oauth2Text(&b, *a.OAuth2, line)
	}
	b.WriteString("# Every other option, with its default:  tidings config\n")
	return b.String()
}

func oauth2Text(b *strings.Builder, o config.OAuth2, line func(key, value, comment string)) {
	b.WriteString("\n[account.oauth2]\n")
	if o.Provider != "" {
		line("provider", quote(string(o.Provider)), "google | microsoft | custom")
	}
	line("flow", quote(string(o.Flow)), "device | browser | client_credentials | command")
	for _, s := range []struct{ key, value, comment string }{
		{"client_id", o.ClientID, "the provider gave it to you"},
		{"client_secret_env", o.ClientSecretEnv, "the environment variable with the client's secret"},
		{"client_secret_file", o.ClientSecretFile, "only you may read it (mode 0600)"},
		{"issuer", o.Issuer, "has the discovery document"},
		{"auth_url", o.AuthURL, ""}, {"token_url", o.TokenURL, ""}, {"device_url", o.DeviceURL, ""}, {"revoke_url", o.RevokeURL, ""},
		{"redirect_url", o.RedirectURL, "where the browser comes back to"},
	} {
		if s.value != "" {
			line(s.key, quote(s.value), s.comment)
		}
	}
	if o.Tenant != "" && o.Tenant != "common" {
		line("tenant", quote(o.Tenant), "")
	}
	if o.ClientSecretCommand != nil {
		line("client_secret_command", array(o.ClientSecretCommand), "prints the client's secret")
	}
	if o.Scopes != nil {
		line("scopes", array(o.Scopes), "")
	}
	if o.TokenCommand != nil {
		line("token_command", array(o.TokenCommand), "prints an access token")
	}
	if o.Mechanism != config.MechanismAuto && o.Mechanism != "" {
		line("mechanism", quote(string(o.Mechanism)), "auto | xoauth2 | oauthbearer")
	}
}

// quote writes a TOML string. What Go and TOML do not write alike (a control
// character) no value here has; Add would find it.
func quote(s string) string { return strconv.Quote(s) }

func array(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = quote(v)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// Read returns an account as a config reads it, with all that a config knows
// better; path is where it will stand. What is wrong with it is one line per
// option. With keys only what is wrong with those options is.
func Read(path string, a config.Account, keys ...string) (config.Account, error) {
	cfg, err := config.Parse(path, []byte(AccountText(a, "")))
	if err == nil {
		return cfg.Accounts[0], nil
	}
	var problems *config.Error
	if !errors.As(err, &problems) {
		return config.Account{}, err
	}
	var lines []string
	for _, p := range problems.Problems {
		if len(keys) == 0 || p.Key == "" || slices.Contains(keys, p.Key) {
			lines = append(lines, strings.TrimSpace(p.Key+" "+p.Text))
		}
	}
	if len(lines) == 0 {
		return a, nil
	}
	return config.Account{}, errors.New(strings.Join(lines, "\n"))
}

// Add returns the content of a config with an account added, everything else as
// it was. An account of the same name is ErrAccountExists, or, to be replaced,
// left there as comments. What comes out has been read back: the accounts that
// were there mean what they meant, and the new one means a.
func Add(path string, before []byte, a config.Account, about string, replace bool) ([]byte, error) {
	text := AccountText(a, about)
	out := before
	var old *config.Config
	if len(bytes.TrimSpace(before)) > 0 && hasAccounts(before) {
		var err error
		if old, err = config.Parse(path, before); err != nil {
			return nil, fmt.Errorf("the config has to be in order before an account is added:\n%w", err)
		}
		for _, other := range old.Accounts {
			if other.Name != a.Name {
				continue
			}
			if !replace {
				return nil, ErrAccountExists
			}
			if out = commentedOut(before, a.Name); out == nil {
				return nil, fmt.Errorf("the account %q is written in a way that cannot be replaced; edit %s by hand", a.Name, path)
			}
		}
	}
	if len(out) > 0 {
		out = append(bytes.TrimRight(bytes.Clone(out), "\n"), "\n\n"...)
	}
	out = append(out, text...)
	return out, verify(path, out, a, old)
}

// hasAccounts tells whether a config is more than options for accounts to come.
func hasAccounts(data []byte) bool {
	_, err := config.Parse("config", data)
	var problems *config.Error
	if errors.As(err, &problems) && len(problems.Problems) == 1 && problems.Problems[0].Key == "account" && problems.Problems[0].Line == 0 {
		return false
	}
	return true
}

// commentedOut makes comments of an account's lines; nil where it cannot.
func commentedOut(data []byte, name string) []byte {
	first, last, ok := config.AccountLines(data, name)
	if !ok {
		return nil
	}
	lines := strings.Split(string(data), "\n")
	for i := first - 1; i < last; i++ {
		lines[i] = strings.TrimRight("# "+lines[i], " ")
	}
	lines[first-1] = "# Replaced by \"tidings setup\":\n" + lines[first-1]
	return []byte(strings.Join(lines, "\n"))
}

// verify reads a config back.
func verify(path string, data []byte, a config.Account, old *config.Config) error {
	got, err := config.Parse(path, data)
	if err != nil {
		return fmt.Errorf("the account cannot be written so that it could be read again: %w", err)
	}
	want := []config.Account{}
	if old != nil {
		for _, other := range old.Accounts {
			if other.Name != a.Name {
				want = append(want, other)
			}
		}
		if !reflect.DeepEqual(got.UI, old.UI) || !reflect.DeepEqual(got.Secrets, old.Secrets) {
			return errors.New("the config's other settings would change; edit it by hand")
		}
	}
	last := len(got.Accounts) - 1
	if last != len(want) || last > 0 && !reflect.DeepEqual(got.Accounts[:last], want) {
		return errors.New("another account would change; edit the config by hand")
	}
	n := got.Accounts[last]
	if n.Name != a.Name || n.Host != a.Host || n.Port != a.Port || n.TLS != a.TLS || n.User != a.User {
		return fmt.Errorf("the account would be read as another: host %q, user %q", n.Host, n.User)
	}
	return nil
}

// Write adds an account to the config at path, making the file and its directory
// where they are missing. The file is replaced whole, or left as it was.
func Write(path string, a config.Account, about string, replace bool) error {
	before, err := os.ReadFile(path)
	missing := errors.Is(err, fs.ErrNotExist)
	if err != nil && !missing {
		return fmt.Errorf("the config cannot be read: %w", err)
	}
	out, err := Add(path, before, a, about, replace)
	if err != nil {
		return err
	}
	if err := xdg.MakeDir(filepath.Dir(path)); err != nil {
		return fmt.Errorf("the config's directory cannot be made: %w", err)
	}
	put := save.Replace
	if missing {
		put = save.Create // somebody else may have been quicker
	}
	if err := put(path, out); err != nil {
		return fmt.Errorf("the config cannot be written: %w", err)
	}
	return nil
}
