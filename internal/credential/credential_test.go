package credential

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"tidings/imapsession"
)

const secret = "correct horse battery staple"

func TestMain(m *testing.M) {
	if os.Getenv("TIDINGS_TEST_KEYRING") != "" {
		os.Exit(m.Run()) // the D-Bus library keeps its connection until the process ends
	}
	goleak.VerifyTestMain(m)
}

func write(t *testing.T, mode os.FileMode, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pass word")
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// script is a password command.
func script(s string) []string { return []string{"sh", "-c", s} }

func TestSecret(t *testing.T) {
	t.Setenv("TIDINGS_TEST_SECRET", secret)
	t.Setenv("TIDINGS_TEST_EMPTY", "")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(write(t, 0o600, secret+"\n"), link); err != nil {
		t.Fatal(err)
	}
	openLink := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(write(t, 0o644, secret+"\n"), openLink); err != nil {
		t.Fatal(err)
	}
	open := write(t, 0o640, secret)
	cases := []struct {
		name string
		s    Settings
		want string   // the password, or
		errs []string // what the error has to say
	}{
		{name: "command", s: Settings{Command: script("echo '" + secret + "'")}, want: secret},
		{name: "command, first line", s: Settings{Command: script("printf '" + secret + "\\nuser: x\\n'")}, want: secret},
		{name: "command, CRLF", s: Settings{Command: script("printf '" + secret + "\\r\\n'")}, want: secret},
		{name: "command, no newline", s: Settings{Command: script("printf '" + secret + "'")}, want: secret},
		{name: "command, spaces are kept", s: Settings{Command: script("echo ' a '")}, want: " a "},
		{name: "command fails", s: Settings{Command: script("echo '" + secret + "'; echo first >&2; echo 'the store is \033[31mlocked' >&2; exit 2")},
			errs: []string{"password_command failed", "exit status 2", "the store is", "locked"}},
		{name: "command fails and quotes the password", s: Settings{Command: script("echo '" + secret + "'; echo 'refused: " + secret + "' >&2; exit 2")},
			errs: []string{"password_command failed", "exit status 2"}},
		{name: "command fails silently", s: Settings{Command: script("exit 2")}, errs: []string{"password_command failed", "exit status 2"}},
		{name: "command prints nothing", s: Settings{Command: []string{"true"}}, errs: []string{"printed nothing"}},
		{name: "command prints an empty line first", s: Settings{Command: script("echo; echo " + secret)}, errs: []string{"printed nothing"}},
		{name: "command prints too much", s: Settings{Command: script("yes | head -c 100000")}, errs: []string{"more than 64 KiB"}},
		{name: "command prints a NUL", s: Settings{Command: script("printf 'a\\0b'")}, errs: []string{"NUL"}},
		{name: "no such command", s: Settings{Command: []string{"tidings-no-such-program"}}, errs: []string{"tidings-no-such-program"}},
		{name: "env", s: Settings{Env: "TIDINGS_TEST_SECRET"}, want: secret},
		{name: "env not set", s: Settings{Env: "TIDINGS_TEST_NONE"}, errs: []string{"TIDINGS_TEST_NONE", "not set", "export"}},
		{name: "env empty", s: Settings{Env: "TIDINGS_TEST_EMPTY"}, errs: []string{"TIDINGS_TEST_EMPTY", "empty"}},
		{name: "file", s: Settings{File: write(t, 0o600, secret+"\n")}, want: secret},
		{name: "file, read only", s: Settings{File: write(t, 0o400, secret)}, want: secret},
		{name: "file, first line", s: Settings{File: write(t, 0o600, secret+"\r\nother\n")}, want: secret},
		{name: "file by a link", s: Settings{File: link}, want: secret},
		{name: "file that others can read", s: Settings{File: open}, errs: []string{"0640", "chmod 600 '" + open + "'"}},
		{name: "link to a file that others can read", s: Settings{File: openLink}, errs: []string{"0644", "chmod 600"}},
		{name: "file that others can write", s: Settings{File: write(t, 0o602, secret)}, errs: []string{"chmod 600"}},
		{name: "no file", s: Settings{File: "/nonexistent/x"}, errs: []string{"/nonexistent/x", "does not exist"}},
		{name: "directory", s: Settings{File: t.TempDir()}, errs: []string{"not a regular file"}},
		{name: "device", s: Settings{File: "/dev/null"}, errs: []string{"not a regular file"}},
		{name: "empty file", s: Settings{File: write(t, 0o600, "\n")}, errs: []string{"is empty"}},
		{name: "large file", s: Settings{File: write(t, 0o600, strings.Repeat("x", 70_000))}, errs: []string{"larger than any secret (64 KiB)"}},
		{name: "nothing", s: Settings{}, errs: []string{"typed", "password_command"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.s.Account, c.s.User = "work", "alice"
			source := New(c.s)
			got, err := source.Secret(t.Context())
			if c.want != "" {
				if err != nil || got.Password != c.want || got.User != "alice" {
					t.Fatalf("password right: %v, user %q, error %v", got.Password == c.want, got.User, err)
				}
				return
			}
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.errs {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error lacks %q: %v", want, err)
				}
			}
			if strings.Contains(err.Error(), secret) || strings.ContainsAny(err.Error(), "\x1b\n") {
				t.Errorf("the error is not fit to be shown: %q", err)
			}
			// Prepare says the same, but for the one case in which it asks.
			if c.name != "nothing" {
				if prepared := source.Prepare(t.Context()); prepared == nil {
					t.Error("Prepare finds nothing wrong")
				}
			}
		})
	}
}

func TestFIFOIsNotWaitedFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Settings{File: path}).Secret(t.Context()); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("got %v", err)
	}
}

// TestCommandRunsAtEachLogin: a changed password is picked up; what Prepare got
// is used for the first log-in; when the command fails, the last good password
// serves.
func TestCommandRunsAtEachLogin(t *testing.T) {
	store := write(t, 0o600, "one\n")
	source := New(Settings{Account: "work", Command: []string{"cat", store}})
	login := func(want string) {
		t.Helper()
		got, err := source.Secret(t.Context())
		if err != nil || got.Password != want {
			t.Errorf("password %q, error %v; want %q", got.Password, err, want)
		}
	}
	set := func(s string) {
		t.Helper()
		if err := os.WriteFile(store, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := source.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	set("two\n")
	login("one") // prepared, not run again
	login("two")
	set("three\n")
	login("three")
	if err := os.Remove(store); err != nil {
		t.Fatal(err)
	}
	login("three")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := source.Secret(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("with its context ended: %v", err)
	}
}

// TestCommandIsKeptFromTheScreen: behind the screen a command finds no terminal,
// and gpg-agent is told of none.
func TestCommandIsKeptFromTheScreen(t *testing.T) {
	t.Setenv("GPG_TTY", "/dev/pts/7")
	t.Setenv("DISPLAY", ":7")
	source := New(Settings{Command: script(`(: </dev/tty) 2>/dev/null && t=reached || t=none; echo "$t $GPG_TTY $DISPLAY"`)})
	got, err := source.Secret(t.Context())
	if want := "none /dev/null :7"; err != nil || got.Password != want {
		t.Errorf("the command saw %q, %v; want %q", got.Password, err, want)
	}
}

func TestAskedOnce(t *testing.T) {
	asked := 0
	var prompt string
	source := New(Settings{Account: "wo\x1brk", User: "alice", Ask: func(_ context.Context, p string) (string, error) {
		asked++
		prompt = p
		return secret, nil
	}})
	if err := source.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		got, err := source.Secret(t.Context())
		if err != nil || got.Password != secret {
			t.Fatalf("error %v", err)
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	if !strings.Contains(prompt, "alice") || strings.Contains(prompt, "\x1b") {
		t.Errorf("the prompt is %q", prompt)
	}
}

// TestRejected: what the server has refused is not sent again, unless it is what
// the source still gives.
func TestRejected(t *testing.T) {
	typed := New(Settings{Account: "work", Ask: func(context.Context, string) (string, error) { return "wrong", nil }})
	if err := typed.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := typed.Secret(t.Context()); err != nil {
		t.Fatal(err)
	}
	typed.Rejected()
	if got, err := typed.Secret(t.Context()); err == nil || got.Password != "" || !strings.Contains(err.Error(), "typed is wrong") {
		t.Errorf("password %q, error %v", got.Password, err)
	}
	typed.Typed("right")
	for range 2 { // a reconnect takes it again
		if got, err := typed.Secret(t.Context()); err != nil || got.Password != "right" {
			t.Errorf("password %q, error %v, where another one was typed", got.Password, err)
		}
	}
	typed.Rejected()
	if got, err := typed.Secret(t.Context()); err == nil || got.Password != "" {
		t.Errorf("password %q, error %v, where the other one was wrong, too", got.Password, err)
	}

	store := write(t, 0o600, "wrong\n")
	command := New(Settings{Account: "work", Command: []string{"cat", store}})
	if _, err := command.Secret(t.Context()); err != nil {
		t.Fatal(err)
	}
	command.Rejected()
	if err := os.Rename(store, store+"2"); err != nil {
		t.Fatal(err)
	}
	if _, err := command.Secret(t.Context()); err == nil {
		t.Error("the refused password is used again although the command fails")
	}
	if err := os.WriteFile(store, []byte("right\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := command.Secret(t.Context()); err != nil || got.Password != "right" {
		t.Errorf("password %q, error %v", got.Password, err)
	}
}

func TestAskRefused(t *testing.T) {
	for name, ask := range map[string]func(context.Context, string) (string, error){
		"error": func(context.Context, string) (string, error) { return "", errors.New("no terminal") },
		"empty": func(context.Context, string) (string, error) { return "", nil },
	} {
		source := New(Settings{Account: "work", Ask: ask})
		if err := source.Prepare(t.Context()); err == nil {
			t.Errorf("%s: Prepare succeeds", name)
		}
		if _, err := source.Secret(t.Context()); err == nil {
			t.Errorf("%s: Secret succeeds", name)
		}
	}
}

// TestNeverPrinted: no way of formatting a Source or a Secret shows the
// password.
func TestNeverPrinted(t *testing.T) {
	t.Setenv("TIDINGS_TEST_SECRET", secret)
	source := New(Settings{Account: "work", User: "alice", Env: "TIDINGS_TEST_SECRET"})
	got, err := source.Secret(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(handler).Info("login", "secret", got, "source", source)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&log, verb+"\n", source)
		fmt.Fprintf(&log, verb+"\n", struct{ S any }{source})
		if verb == "%d" {
			continue // vet knows that a Secret is no number
		}
		fmt.Fprintf(&log, verb+"\n", got)
		fmt.Fprintf(&log, verb+"\n", &got)
		fmt.Fprintf(&log, verb+"\n", struct{ A any }{got})
	}
	for _, form := range []string{secret, fmt.Sprintf("%x", secret), strings.Trim(fmt.Sprint([]byte(secret)), "[]")} {
		if strings.Contains(log.String(), form) {
			t.Errorf("the password is printed as %q:\n%s", form, log.String())
		}
	}
}

// TestKeptPassword: what the vault keeps is used before anybody is asked, at
// every log-in anew; without it the person is asked, unless that is not wanted.
func TestKeptPassword(t *testing.T) {
	vault := NewPlaces(VaultSettings{Order: []string{PlaceFile}, Dir: filepath.Join(t.TempDir(), "s")})
	asked := 0
	s := Settings{Account: "work", User: "alice", Vault: vault, Ask: func(context.Context, string) (string, error) {
		asked++
		return "typed", nil
	}}
	keep := func(value string) {
		t.Helper()
		if err := vault.Set(t.Context(), PasswordName("work"), value); err != nil {
			t.Fatal(err)
		}
	}
	keep("one")
	source := New(s)
	if err := source.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"one", "two"} {
		keep("two")
		if got, err := source.Secret(t.Context()); err != nil || got.Password != want {
			t.Errorf("password %q, %v; want %q", got.Password, err, want)
		}
	}
	if asked > 0 {
		t.Error("the person was asked although the password is kept")
	}
	if err := vault.Delete(t.Context(), PasswordName("work")); err != nil {
		t.Fatal(err)
	}
	source = New(s)
	if err := source.Prepare(t.Context()); err != nil || asked != 1 {
		t.Errorf("with nothing kept: asked %d times, %v", asked, err)
	}
	s.NeverAsk = true
	if err := New(s).Prepare(t.Context()); err == nil || !strings.Contains(err.Error(), "tidings login work") || asked != 1 {
		t.Errorf("not to be asked: asked %d times, %v", asked, err)
	}
}

// TestExternal: who signs in by a certificate is asked for no password.
func TestExternal(t *testing.T) {
	source := New(Settings{Account: "work", User: "alice", Mechanism: "EXTERNAL", Ask: func(context.Context, string) (string, error) {
		t.Error("a password is asked for")
		return "", errors.New("no")
	}})
	if err := source.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got, err := source.Secret(t.Context()); err != nil || got.User != "alice" || got.Password != "" || got.Mechanism != "EXTERNAL" {
			t.Errorf("user %q, mechanism %q, error %v", got.User, got.Mechanism, err)
		}
	}
}

// A command that is slow, or fails late, keeps nobody waiting but the log-in; one
// that has to ask fails at once without the terminal, and is left to Prepare.
func TestBegin(t *testing.T) {
	dir := t.TempDir()
	gate := filepath.Join(dir, "gate")
	slow := func(end string) *Source {
		return New(Settings{Account: "work", User: "alice", Command: []string{"sh", "-c", "until test -e " + gate + "; do sleep 0.01; done; " + end}})
	}
	over := make(chan struct{})
	close(over)
	never := make(chan struct{})

	good, late := slow("echo secret"), slow("echo the store is locked >&2; exit 1")
	if !good.Begin(t.Context())(over) || !late.Begin(t.Context())(over) {
		t.Error("a slow command keeps the screen waiting")
	}
	soon, end := context.WithTimeout(t.Context(), time.Millisecond)
	defer end()
	if _, err := good.Secret(soon); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("before it is there: %v", err)
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := good.Secret(t.Context()); err != nil || got.Password != "secret" {
		t.Errorf("it gave %q, %v", got.Password, err)
	}
	_, err := late.Secret(t.Context())
	var known *imapsession.SecretError
	if !errors.As(err, &known) || !known.SignIn || !strings.Contains(known.Text, "the store is locked") {
		t.Errorf("what failed late says %v", err)
	}

	asks := New(Settings{Account: "work", User: "alice", Command: []string{"sh", "-c", "read pin </dev/tty && echo $pin"}})
	if asks.Begin(t.Context())(never) {
		t.Error("a command that has to ask is not given the terminal")
	}
	if typed := New(Settings{Account: "work", User: "alice"}); typed.Begin(t.Context())(never) {
		t.Error("there is no command")
	}
}
