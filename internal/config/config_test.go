package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// account is an [[account]] with extra lines.
func account(extra ...string) string {
	lines := append([]string{"[[account]]", `name = "work"`, `host = "imap.example.org"`, `user = "alice"`}, extra...)
	return strings.Join(lines, "\n") + "\n"
}

// bare is what account() means without extra lines.
func bare() Account {
	a := defaultAccount()
	a.Name, a.Host, a.User, a.Port = "work", "imap.example.org", "alice", 993
	return a
}

func TestAccepted(t *testing.T) {
	t.Setenv("HOME", "/home/alice")
	cases := []struct {
		name string
		text string
		want func(*Config)
	}{
		{"bare", account(), func(*Config) {}},
		{"byte order mark and CRLF", "\ufeff" + strings.ReplaceAll(account(), "\n", "\r\n"), func(*Config) {}},
		{"ui", "[ui]\nnotice = \"off\"\nemoji = \"text\"\n" + account(), func(c *Config) { c.UI = UI{Notice: NoticeOff, Emoji: EmojiText, Keywords: DefaultKeywords()} }},
		{"ui after the accounts", account() + "[ui]\nnotice = \"osc9\"\n", func(c *Config) { c.UI.Notice = NoticeOSC9 }},
		{"port by tls", account(`tls = "starttls"`), func(c *Config) { c.Accounts[0].TLS, c.Accounts[0].Port = TLSStart, 143 }},
		{"port said", account(`tls = "starttls"`, `port = 1143`), func(c *Config) { c.Accounts[0].TLS, c.Accounts[0].Port = TLSStart, 1143 }},
		{"plaintext in words", account(`tls = "none"`, `insecure = true`), func(c *Config) {
			c.Accounts[0].TLS, c.Accounts[0].Insecure, c.Accounts[0].Port = TLSNone, true, 143
		}},
		{"durations", account(`poll = "90s"`, `probe = "1m30s"`, `idle_renew = "4m"`, `max_age = "1h"`), func(c *Config) {
			a := &c.Accounts[0]
			a.Poll, a.Probe, a.IdleRenew, a.MaxAge = 90*time.Second, 90*time.Second, 4*time.Minute, time.Hour
		}},
		{"never seen", account(`mark_seen = "never"`), func(c *Config) { c.Accounts[0].MarkSeen = MarkSeenNever }},
		{"seen late", account(`mark_seen = "2s"`), func(c *Config) { c.Accounts[0].MarkSeen = MarkSeen(2 * time.Second) }},
		{"command", account(`password_command = ["pass", "show", "mail/work"]`), func(c *Config) {
			c.Accounts[0].PasswordCommand = []string{"pass", "show", "mail/work"}
		}},
		{"env", account(`password_env = "WORK_1"`), func(c *Config) { c.Accounts[0].PasswordEnv = "WORK_1" }},
		{"file, home", account(`password_file = "~/.secret"`), func(c *Config) { c.Accounts[0].PasswordFile = "/home/alice/.secret" }},
		{"file, relative to the config", account(`password_file = "secret"`), func(c *Config) { c.Accounts[0].PasswordFile = "/etc/tidings/secret" }},
		{"sources not used", account(`password_env = ""`, `password_file = ""`, `ca_file = ""`, `tls_fingerprint = ""`), func(*Config) {}},
		{"fingerprint as openssl prints it", account(`tls_fingerprint = "SHA256:` + strings.TrimSuffix(strings.Repeat("AB:", 32), ":") + `"`), func(c *Config) {
			c.Accounts[0].TLSFingerprint = "sha256:" + strings.Repeat("ab", 32)
		}},
		{"folders", account(`mailbox = "Ablage/Müller"`, `archive = "Archiv"`, `trash = "Papierkorb"`), func(c *Config) {
			a := &c.Accounts[0]
			a.Mailbox, a.Archive, a.Trash = "Ablage/Müller", "Archiv", "Papierkorb"
		}},
		{"visit", account(`watch = "visit"`, `connections = 1`, `read_only = true`), func(c *Config) {
			a := &c.Accounts[0]
			a.Watch, a.Connections, a.ReadOnly = WatchVisit, 1, true
		}},
		{"inline", `account = [{name = "work", host = "imap.example.org", user = "alice"}]`, func(*Config) {}},
		{"IPv6", strings.Replace(account(), "imap.example.org", "2001:db8::1", 1), func(c *Config) { c.Accounts[0].Host = "2001:db8::1" }},
		{"two", account() + strings.Replace(account(), "work", "home", 1), func(c *Config) {
			b := bare()
			b.Name = "home"
			c.Accounts = append(c.Accounts, b)
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			want := &Config{UI: defaultUI(), Secrets: defaultSecrets(), Cache: defaultCache(), Accounts: []Account{bare()}}
			c.want(want)
			got, err := parse("/etc/tidings/config.toml", []byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestLoopbackMayBePlaintext(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST.": true, "127.0.0.1": true, "127.9.9.9": true, "::1": true, "::ffff:127.0.0.1": true,
		"localhost.example.org": false, "imap.example.org": false, "10.0.0.1": false, "0.0.0.0": false, "127.0.0.1.example.org": false, "::": false,
	} {
		text := strings.Replace(account(`tls = "none"`), "imap.example.org", host, 1)
		if _, err := parse("c", []byte(text)); (err == nil) != want {
			t.Errorf("plaintext to %s: %v", host, err)
		}
	}
}

func TestProblems(t *testing.T) {
	noPEM := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(noPEM, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	const secret = "hunter2"
	cases := []struct {
		name string
		text string
		want []string // whole lines, in order, without the path
	}{
		{"empty", "", []string{`account: there is none; expected at least one [[account]] with name, host and user`}},
		{"syntax", "[[account]]\nname = \n", []string{`2: *this is not TOML: *`}},
		{"syntax does not quote the line", "[[account]]\npassword = " + secret + "\n", []string{`2: *this is not TOML: *`}},
		{"duplicate key", account(`port = 1`, `port = 2`), []string{`6: port: is set twice; expected once`}},
		{"not UTF-8", "a = \"\xff\"", []string{`1: *this is not TOML: *`}},
		{"one bracket", "[account]\nname = \"x\"\n", []string{`1: account: is a table; expected an array of tables, each starting with [[account]] (two brackets)`}},
		{"missing keys", "\n[[account]]\n", []string{
			`2: name: is missing; expected in every [[account]]`,
			`2: host: is missing; expected in every [[account]]`,
			`2: user: is missing; expected in every [[account]]`}},
		{"misspelt", account(`mailbx = "INBOX"`), []string{`5: mailbx: there is no such key in [[account]]; did you mean mailbox?`}},
		{"swapped", account(`prot = 993`), []string{`5: prot: there is no such key in [[account]]; did you mean port?`}},
		{"another program's word", account(`ssl = true`, `readonly = true`), []string{
			`5: ssl: there is no such key in [[account]]; did you mean tls?`,
			`6: readonly: there is no such key in [[account]]; did you mean read_only?`}},
		{"hyphen", account(`read-only = true`), []string{`5: read-only: there is no such key in [[account]]; did you mean read_only?`}},
		{"unheard of", "[ui]\nzzzzzzzzz = 1\n" + account(), []string{`2: zzzzzzzzz: there is no such key in ui; expected one of notice, emoji, save_dir, open, open_with, open_link`}},
		{"unknown table", account() + "[colours]\nred = 1\n", []string{`5: colours: there is no such key; expected one of ui, cache, secrets, account`}},
		{"misspelt table", strings.Replace(account(), "account", "accounts", 1), []string{`1: accounts: there is no such key; did you mean account?`}},
		{"misspelt required key", strings.Replace(account(), "host", "server", 1), []string{`3: server: there is no such key in [[account]]; did you mean host?`}},
		{"in the wrong table", "notice = \"off\"\n" + account(`backfill = "off"`) + "[ui]\npoll = \"60s\"\n", []string{
			`1: notice: there is no such key outside of all tables; it belongs in [ui]`,
			`6: backfill: there is no such key in [[account]]; it belongs in [cache]`,
			`8: poll: there is no such key in ui; it belongs in [[account]]`}},
		{"without its table", strings.Replace(account(), "[[account]]\n", "", 1), []string{
			`account: there is none; expected at least one [[account]] with name, host and user`,
			`1: name: there is no such key outside of all tables; it belongs in [[account]]`,
			`2: host: there is no such key outside of all tables; it belongs in [[account]]`,
			`3: user: there is no such key outside of all tables; it belongs in [[account]]`}},
		{"behind a table within", account() + "[account.oauth2]\nwatch = \"poll\"\n", []string{
			`5: flow: is missing; expected *`,
			`6: watch: there is no such key in *; it belongs in [[account]]`}},
		{"nested table", account() + "[account.extra]\na = 1\n", []string{`5: extra: there is no such key in [[account]]; expected one of *`}},
		{"password", account(`password = "` + secret + `"`), []string{`5: password: a password does not belong in the config; expected password_command, password_env or password_file to say where it comes from, or none of them to be asked`}},
		{"port", account(`port = 70000`), []string{`5: port: is 70000; expected a whole number from 1 to 65535`}},
		{"port as text", account(`port = "993"`), []string{`5: port: is a string; expected a whole number from 1 to 65535, without quotes`}},
		{"port with a fraction", account(`port = 99.3`), []string{`5: port: is a number with a fraction; expected *`}},
		{"date", account(`port = 2026-01-01`), []string{`5: port: is a date or time; expected *`}},
		{"tls", account(`tls = "ssl"`), []string{`5: tls: is "ssl"; expected "implicit", "starttls" or "none"`}},
		{"bool as text", account(`read_only = "true"`), []string{`5: read_only: is a string; expected true or false, without quotes`}},
		{"duration without unit", account(`poll = 60`), []string{`5: poll: is 60 without a unit; expected a duration from 5s to 24h, such as "60s"`}},
		{"duration without unit, as text", account(`poll = "60"`), []string{`5: poll: is "60"; expected a duration from 5s to 24h, with a unit: s, m or h`}},
		{"duration out of range", account(`idle_renew = "30m"`, `probe = "1s"`, `poll = "-1m"`, `max_age = "800h"`), []string{
			`5: idle_renew: is "30m"; expected a duration from 30s to 29m`,
			`6: probe: is "1s"; expected a duration from 5s to 1h`,
			`7: poll: is "-1m"; expected a duration from 5s to 24h`,
			`8: max_age: is "800h"; expected a duration from 10m to 720h`}},
		{"mark_seen", account(`mark_seen = "sometimes"`), []string{`5: mark_seen: is "sometimes"; expected "open", "never", or a delay up to 1h such as "2s"`}},
		{"mark_seen negative", account(`mark_seen = "-1ns"`), []string{`5: mark_seen: is "-1ns"; expected *`}},
		{"connections", account(`connections = 3`), []string{`5: connections: is 3; expected a whole number from 1 to 2`}},
		{"no name", strings.Replace(account(), `"work"`, `" "`, 1), []string{`2: name: is empty; expected a short name such as "work"`}},
		{"control characters", strings.Replace(account(), `"alice"`, `"a\u001b[31m"`, 1), []string{`4: user: is "a\x1b[31m"; expected text without control or invisible characters`}},
		{"empty mailbox", account(`mailbox = ""`), []string{`5: mailbox: is empty; expected a folder such as "INBOX"`}},
		{"host with scheme", strings.Replace(account(), "imap.e", "imaps://imap.e", 1), []string{`3: host: is "imaps://imap.example.org"; expected the name alone, without "imaps://"; tls and port say the rest`}},
		{"host with port", strings.Replace(account(), "org", "org:993", 1), []string{`3: host: is "imap.example.org:993"; expected the name alone; port has the port`}},
		{"host with brackets", strings.Replace(account(), "imap.example.org", "[::1]", 1), []string{`3: host: is "[::1]"; expected an IPv6 address without brackets; port has the port`}},
		{"host with user", strings.Replace(account(), "imap", "alice@imap", 1), []string{`3: host: is "alice@imap.example.org"; expected a host name or an IP address`}},
		{"duplicate name", account() + account(), []string{`6: name: "work" is the name of the account in line 2 too; expected a name of its own`}},
		{"command as text", account(`password_command = "pass show ` + secret + `"`), []string{`5: password_command: is a string; expected the program and its arguments as an array, such as ["pass", "show", "mail/work"] (no shell takes part)`}},
		{"empty command", account(`password_command = []`), []string{`5: password_command: names no program; expected *`}},
		{"command of numbers", account(`password_command = ["a", 1]`), []string{`5: password_command: element 2 is a whole number; expected *`}},
		{"two sources", account(`password_command = ["pass"]`, `password_env = "X"`), []string{`6: password_env: password_command and password_env are set; expected one of them, or none to be asked`}},
		{"env that is no name", account(`password_env = "` + secret + `!"`), []string{`5: password_env: is not the name of a variable; expected *`}},
		{"no ca_file", account(`ca_file = "/nonexistent/ca.pem"`), []string{`5: ca_file: cannot be read (open /nonexistent/ca.pem: no such file or directory); expected a PEM file with the authority's certificate`}},
		{"ca_file without certificate", account(`ca_file = "` + noPEM + `"`), []string{`5: ca_file: has no certificate in it; expected a PEM file (-----BEGIN CERTIFICATE-----)`}},
		{"fingerprint of another kind", account(`tls_fingerprint = "sha1:abcd"`), []string{`5: tls_fingerprint: is "sha1:abcd"; expected "sha256:" and the 64 hex digits *`}},
		{"short fingerprint", account(`tls_fingerprint = "sha256:abcd"`), []string{`5: tls_fingerprint: has 4 characters after sha256:, which are not a SHA-256; expected *`}},
		{"plaintext", account(`tls = "none"`), []string{`5: tls: is "none", which sends the password readable over the network; expected "implicit" or "starttls" (or insecure = true beside it, if you mean it)`}},
		{"insecure with TLS", account(`insecure = true`), []string{`5: insecure: is true with tls = "implicit"; expected only with tls = "none" (certificates are always verified; trust another one by ca_file or tls_fingerprint)`}},
		{"pin without TLS", account(`tls = "none"`, `insecure = true`, `tls_fingerprint = "sha256:`+strings.Repeat("0", 64)+`"`), []string{`7: tls_fingerprint: is set with tls = "none"; expected with "implicit" or "starttls"`}},
		{"all at once, by line", "[ui]\nnotice = \"loud\"\n" + account(`port = 0`, `watc = "idle"`) + "[[account]]\nname = 3\n", []string{
			`2: notice: is "loud"; expected "bell", "osc9" or "off"`,
			`7: port: is 0; expected a whole number from 1 to 65535`,
			`8: watc: there is no such key in [[account]]; did you mean watch?`,
			`9: host: is missing; expected in every [[account]]`,
			`9: user: is missing; expected in every [[account]]`,
			`10: name: is a whole number; expected a short name such as "work", in quotes`}},
		{"inline", "account = [\n  {name = \"work\", host = \"h\", user = \"u\",\n   port = 0},\n]", []string{`3: port: is 0; expected *`}},
		{"dotted", "ui.notice = 3\n" + account(), []string{`1: notice: is a whole number; expected "bell", "osc9" or "off", in quotes`}},
		{"in the second account", account() + strings.Replace(account("port = 0"), "work", "home", 1), []string{`9: port: is 0; expected *`}},
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
				if !ok || !like(strings.TrimPrefix(line, " "), want) {
					t.Errorf("got  %s\nwant %s", got[i], want)
				}
			}
		})
	}
}

// like matches text against a pattern in which "*" stands for anything.
func like(text, pattern string) bool {
	parts := strings.Split(pattern, "*")
	if !strings.HasPrefix(text, parts[0]) {
		return false
	}
	for _, part := range parts[1:] {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return true
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load(filepath.Join(dir, "none.toml")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := Load(dir); err == nil {
		t.Error("a directory is loaded")
	}
	large := filepath.Join(dir, "large.toml")
	if err := os.WriteFile(large, make([]byte, maxSize+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(large); err == nil || !strings.Contains(err.Error(), "1 MiB") {
		t.Errorf("a large file: %v", err)
	}
	t.Setenv("XDG_CONFIG_HOME", dir)
	path, err := DefaultPath()
	if err != nil || path != filepath.Join(dir, "tidings", "config.toml") {
		t.Errorf("the default path is %q, %v", path, err)
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		5 * time.Second: "5s", time.Minute: "60s", 90 * time.Second: "90s", 9 * time.Minute: "9m", time.Hour: "1h", 36 * time.Hour: "36h", 1500 * time.Millisecond: "1.5s",
	} {
		if got := Duration(d); got != want {
			t.Errorf("%v is written %q, want %q", d, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	example, err := os.ReadFile("../../config.toml.example")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(example)
	f.Add([]byte(account(`password = "x"`, `a.b.c = [{d = 1}, {e = [[1], 2]}]`)))
	f.Add([]byte("[a]\n[[a.b]]\n[[a.b.c]]\nd.e = {f.g = 1}\n[account.x]\n"))
	f.Add([]byte("account = [{}]\nui = 1\n\"\\u0000\" = 3\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg, err := parse("c", data)
		if err != nil {
			if !IsProblem(err) {
				t.Fatalf("not about the config: %v", err)
			}
			var all *Error
			errors.As(err, &all)
			lines := strings.Count(string(data), "\n") + 1
			for i, p := range all.Problems {
				if p.Line < 0 || p.Line > lines || p.Text == "" {
					t.Errorf("problem %d of a file of %d lines: %+v", i, lines, p)
				}
			}
			return
		}
		if len(cfg.Accounts) == 0 {
			t.Error("no accounts, and no problem")
		}
		for _, a := range cfg.Accounts {
			if a.Name == "" || a.Host == "" || a.User == "" || a.Mailbox == "" || a.Port < 1 || a.Port > 65535 || a.Probe <= 0 {
				t.Errorf("accepted: %+v", a)
			}
		}
	})
}
