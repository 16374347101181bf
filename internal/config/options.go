package config

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The options are the one source of what may stand in a config: Load follows
// these tables, and a test holds config.toml.example to them.

var uiOptions = []option[UI]{
	{"notice", func(u *UI, v any, _ string) error { return oneOf(&u.Notice, v, NoticeBell, NoticeOSC9, NoticeOff) }},
	{"emoji", func(u *UI, v any, _ string) error { return oneOf(&u.Emoji, v, EmojiAuto, EmojiText) }},
	{"save_dir", func(u *UI, v any, dir string) error { return folder(&u.SaveDir, v, dir) }},
	{"open", func(u *UI, v any, _ string) error { return command(&u.Open, v) }},
	{"open_with", func(u *UI, v any, _ string) error { return commands(&u.OpenWith, v) }},
	{"open_link", func(u *UI, v any, _ string) error { return command(&u.OpenLink, v) }},
	{"keywords", func(u *UI, v any, _ string) error { return keywords(&u.Keywords, v) }},
}

var accountOptions = []option[Account]{
	{"name", func(a *Account, v any, _ string) error { return words(&a.Name, v, 64, "a short name such as \"work\"") }},
	{"host", func(a *Account, v any, _ string) error { return host(&a.Host, v) }},
	{"port", func(a *Account, v any, _ string) error { return number(&a.Port, v, 1, 65535) }},
	{"tls", func(a *Account, v any, _ string) error { return oneOf(&a.TLS, v, TLSImplicit, TLSStart, TLSNone) }},
	{"insecure", func(a *Account, v any, _ string) error { return boolean(&a.Insecure, v) }},
	{"ca_file", func(a *Account, v any, dir string) error { return caFile(&a.CAFile, v, dir) }},
	{"tls_fingerprint", func(a *Account, v any, _ string) error { return fingerprint(&a.TLSFingerprint, v) }},
	{"tls_certificate", func(a *Account, v any, dir string) error { return file(&a.TLSCertificate, v, dir) }},
	{"tls_key", func(a *Account, v any, dir string) error { return file(&a.TLSKey, v, dir) }},
	{"user", func(a *Account, v any, _ string) error { return words(&a.User, v, 512, "the name to sign in with") }},
	{"auth", func(a *Account, v any, _ string) error {
		return oneOf(&a.Auth, v, AuthAuto, AuthPlain, AuthLogin, AuthSCRAMSHA256, AuthSCRAMSHA1, AuthExternal)
	}},
	{"password_command", func(a *Account, v any, _ string) error { return argv(&a.PasswordCommand, v) }},
	{"password_env", func(a *Account, v any, _ string) error { return variable(&a.PasswordEnv, v) }},
	{"password_file", func(a *Account, v any, dir string) error { return file(&a.PasswordFile, v, dir) }},
	{"oauth2", func(a *Account, v any, _ string) error { return oauth2Table(&a.OAuth2, v) }},
	{"mailbox", func(a *Account, v any, _ string) error {
		return words(&a.Mailbox, v, 1024, "a folder such as \"INBOX\"")
	}},
	{"watch", func(a *Account, v any, _ string) error { return oneOf(&a.Watch, v, WatchIdle, WatchPoll, WatchVisit) }},
	{"poll", func(a *Account, v any, _ string) error { return duration(&a.Poll, v, 5*time.Second, 24*time.Hour) }},
	{"probe", func(a *Account, v any, _ string) error { return duration(&a.Probe, v, 5*time.Second, time.Hour) }},
	// RFC 2177 has clients renew IDLE at least every 29 minutes.
	{"idle_renew", func(a *Account, v any, _ string) error {
		return duration(&a.IdleRenew, v, 30*time.Second, 29*time.Minute)
	}},
	{"max_age", func(a *Account, v any, _ string) error {
		return duration(&a.MaxAge, v, 10*time.Minute, 30*24*time.Hour)
	}},
	{"connections", func(a *Account, v any, _ string) error { return number(&a.Connections, v, 1, 2) }},
	{"mark_seen", func(a *Account, v any, _ string) error { return markSeen(&a.MarkSeen, v) }},
	{"read_only", func(a *Account, v any, _ string) error { return boolean(&a.ReadOnly, v) }},
	{"archive", func(a *Account, v any, _ string) error { return optionalWords(&a.Archive, v, 1024) }},
	{"trash", func(a *Account, v any, _ string) error { return optionalWords(&a.Trash, v, 1024) }},
	{"junk", func(a *Account, v any, _ string) error { return optionalWords(&a.Junk, v, 1024) }},
}

// str takes a string value; what says what is expected instead.
func str(v any, what string) (string, error) {
	s, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("is %s; expected %s, in quotes", kindOf(v), what)
	}
	return s, nil
}

func oneOf[S ~string](into *S, v any, values ...S) error {
	var quoted []string
	for _, value := range values {
		quoted = append(quoted, fmt.Sprintf("%q", string(value)))
	}
	expected := strings.Join(quoted[:len(quoted)-1], ", ") + " or " + quoted[len(quoted)-1]
	s, err := str(v, expected)
	if err != nil {
		return err
	}
	if !slices.Contains(values, S(s)) {
		return fmt.Errorf("is %.40q; expected %s", s, expected)
	}
	*into = S(s)
	return nil
}

func boolean(into *bool, v any) error {
	b, ok := v.(bool)
	if !ok {
		return fmt.Errorf("is %s; expected true or false, without quotes", kindOf(v))
	}
	*into = b
	return nil
}

func number(into *int, v any, lo, hi int64) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("is %s; expected a whole number from %d to %d, without quotes", kindOf(v), lo, hi)
	}
	if n < lo || n > hi {
		return fmt.Errorf("is %d; expected a whole number from %d to %d", n, lo, hi)
	}
	*into = int(n)
	return nil
}

func duration(into *time.Duration, v any, lo, hi time.Duration) error {
	expected := fmt.Sprintf("a duration from %s to %s", Duration(lo), Duration(hi))
	if n, ok := v.(int64); ok {
		return fmt.Errorf("is %d without a unit; expected %s, such as \"%ds\"", n, expected, n)
	}
	s, err := str(v, expected)
	if err != nil {
		return err
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf("is %.40q; expected %s, with a unit: s, m or h", s, expected)
	}
	if d < lo || d > hi {
		return fmt.Errorf("is %.40q; expected %s", s, expected)
	}
	*into = d
	return nil
}

// Duration writes d as the config does: "60s", "9m", "24h".
func Duration(d time.Duration) string {
	switch {
	case d >= time.Hour && d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d >= time.Minute && d%time.Minute == 0 && d != time.Minute:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d%time.Second == 0:
		return fmt.Sprintf("%ds", d/time.Second)
	}
	return d.String()
}

func markSeen(into *MarkSeen, v any) error {
	const expected = `"open", "never", or a delay up to 1h such as "2s"`
	s, err := str(v, expected)
	if err != nil {
		return err
	}
	switch s {
	case "open":
		*into = MarkSeenOpen
	case "never":
		*into = MarkSeenNever
	default:
		d, err := time.ParseDuration(s)
		if err != nil || d < 0 || d > time.Hour {
			return fmt.Errorf("is %.40q; expected %s", s, expected)
		}
		*into = MarkSeen(d)
	}
	return nil
}

// words takes a line of text that must not be empty.
func words(into *string, v any, limit int, what string) error {
	s, err := str(v, what)
	if err != nil {
		return err
	}
	if strings.TrimSpace(s) == "" {
		return fmt.Errorf("is empty; expected %s", what)
	}
	return optionalWords(into, v, limit)
}

func optionalWords(into *string, v any, limit int) error {
	s, err := str(v, "text")
	switch {
	case err != nil:
		return err
	case len(s) > limit:
		return fmt.Errorf("is %d bytes long; expected at most %d", len(s), limit)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fmt.Errorf("is %.80q; expected text without control or invisible characters", s)
	}
	*into = s
	return nil
}

func host(into *string, v any) error {
	var s string
	if err := words(&s, v, 255, "the server's name, such as \"imap.example.org\""); err != nil {
		return err
	}
	switch {
	case strings.Contains(s, "://"):
		return fmt.Errorf("is %.80q; expected the name alone, without %q; tls and port say the rest", s, s[:strings.Index(s, "://")+3])
	case strings.HasPrefix(s, "["):
		return fmt.Errorf("is %.80q; expected an IPv6 address without brackets; port has the port", s)
	case strings.Count(s, ":") == 1:
		return fmt.Errorf("is %.80q; expected the name alone; port has the port", s)
	case strings.ContainsAny(s, " /@\\"):
		return fmt.Errorf("is %.80q; expected a host name or an IP address", s)
	}
	*into = s
	return nil
}

func argv(into *[]string, v any) error {
	const expected = `the program and its arguments as an array, such as ["pass", "show", "mail/work"]`
	if _, ok := v.(string); ok {
		return errors.New("is a string; expected " + expected + " (no shell takes part)")
	}
	array, ok := v.([]any)
	if !ok {
		return fmt.Errorf("is %s; expected %s", kindOf(v), expected)
	}
	var out []string
	for i, e := range array {
		s, ok := e.(string)
		if !ok {
			return fmt.Errorf("element %d is %s; expected %s", i+1, kindOf(e), expected)
		}
		if strings.ContainsRune(s, 0) {
			return fmt.Errorf("element %d holds a NUL; expected %s", i+1, expected)
		}
		out = append(out, s)
	}
	if len(out) == 0 || out[0] == "" {
		return errors.New("names no program; expected " + expected)
	}
	*into = out
	return nil
}

func variable(into *string, v any) error {
	const expected = `the name of an environment variable, such as "WORK_PASSWORD"`
	s, err := str(v, expected)
	if err != nil {
		return err
	}
	// The value is not quoted: it may be the password itself.
	if strings.ContainsFunc(s, func(r rune) bool { return r != '_' && (r > 127 || !unicode.IsLetter(r) && !unicode.IsDigit(r)) }) {
		return errors.New("is not the name of a variable; expected " + expected)
	}
	*into = s
	return nil
}

// file takes a path, "" for none: "~/" is the home directory, and a relative
// path starts from the config's directory, wherever the program was started.
func file(into *string, v any, dir string) error {
	s, err := str(v, "a file's path")
	if err != nil {
		return err
	}
	if strings.ContainsRune(s, 0) {
		return errors.New("holds a NUL; expected a file's path")
	}
	if rest, ok := strings.CutPrefix(s, "~/"); ok {
		home, err := os.UserHomeDir()
		if err != nil {
			return errors.New("starts with ~/, but HOME is not set; expected an absolute path")
		}
		s = filepath.Join(home, rest)
	}
	if s != "" && !filepath.IsAbs(s) {
		s = filepath.Join(dir, s)
	}
	*into = s
	return nil
}

func caFile(into *string, v any, dir string) error {
	var path string
	if err := file(&path, v, dir); err != nil {
		return err
	}
	if path != "" {
		if _, err := readAuthorities(path); err != nil {
			return err
		}
	}
	*into = path
	return nil
}

// fingerprint takes "sha256:" and 64 hex digits, in either case, with or
// without colons, as openssl x509 -fingerprint -sha256 prints them.
func fingerprint(into *string, v any) error {
	const expected = `"sha256:" and the 64 hex digits of the certificate's SHA-256, as "tidings check" shows them`
	s, err := str(v, expected)
	if err != nil {
		return err
	}
	if s == "" {
		*into = ""
		return nil
	}
	scheme, digits, ok := strings.Cut(s, ":")
	if !ok || !strings.EqualFold(scheme, "sha256") {
		return fmt.Errorf("is %.80q; expected %s", s, expected)
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(digits, ":", ""))
	if err != nil || len(raw) != 32 {
		return fmt.Errorf("has %d characters after sha256:, which are not a SHA-256; expected %s", len(digits), expected)
	}
	*into = "sha256:" + hex.EncodeToString(raw)
	return nil
}
