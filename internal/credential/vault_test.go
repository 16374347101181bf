package credential

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tidings/internal/testserver"

	"github.com/zalando/go-keyring"
)

// fakeKeyring is a keyring whose every call goes through before.
type fakeKeyring struct {
	mu     sync.Mutex
	kept   map[string]string
	before func() error
}

func newFakeKeyring() *fakeKeyring {
	return &fakeKeyring{kept: map[string]string{}, before: func() error { return nil }}
}

func (k *fakeKeyring) enter() error {
	k.mu.Lock()
	before := k.before
	k.mu.Unlock()
	return before()
}

func (k *fakeKeyring) fails(f func() error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.before = f
}

func (k *fakeKeyring) Get(service, user string) (string, error) {
	if err := k.enter(); err != nil {
		return "", err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if v, ok := k.kept[service+" "+user]; ok {
		return v, nil
	}
	return "", keyring.ErrNotFound
}

func (k *fakeKeyring) Set(service, user, value string) error {
	if err := k.enter(); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kept[service+" "+user] = value
	return nil
}

func (k *fakeKeyring) Delete(service, user string) error {
	if err := k.enter(); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.kept, service+" "+user)
	return nil
}

const vaultKey = "work/refresh-token"

// store is a command pair on a directory, as a person would write it.
func store(dir string) VaultSettings {
	return VaultSettings{
		Get:    []string{"sh", "-c", `cat "$0/$TIDINGS_SECRET"`, dir},
		Set:    []string{"sh", "-c", `umask 077; mkdir -p "$(dirname "$0/$1")" && cat >"$0/$1"`, dir, "{name}"},
		Delete: []string{"sh", "-c", `rm "$0/$1"`, dir, "{name}"},
	}
}

// TestVaults: every kind of vault keeps, replaces, erases, and holds secrets of
// names that no file system likes apart.
func TestVaults(t *testing.T) {
	withoutDelete := store(t.TempDir())
	withoutDelete.Delete, withoutDelete.Order = nil, []string{PlaceCommand}
	command := store(t.TempDir())
	command.Order = []string{PlaceCommand}
	for name, s := range map[string]VaultSettings{
		"file":                   {Order: []string{PlaceFile}, Dir: filepath.Join(t.TempDir(), "new", "secrets")},
		"keyring":                {Order: []string{PlaceKeyring}, keyring: newFakeKeyring()},
		"command":                command,
		"command without delete": withoutDelete,
		"keyring and file":       {Order: []string{PlaceKeyring, PlaceFile}, Dir: t.TempDir() + "/s", keyring: newFakeKeyring()},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, v := t.Context(), NewPlaces(s)
			names := []string{vaultKey, "Work/refresh-token", "work/password", "../../x/password", "a b'$(c)\n/password", "-rf/password", ".hidden/password", "wörk/password"}
			for _, n := range names {
				if _, err := v.Get(ctx, n); !errors.Is(err, ErrNoSecret) {
					t.Fatalf("%q before it was set: %v", n, err)
				}
			}
			for i, n := range names {
				for _, value := range []string{"old", fmt.Sprintf("value %d %s", i, strings.Repeat("x", 3000))} {
					if err := v.Set(ctx, n, value); err != nil {
						t.Fatalf("%q: %v", n, err)
					}
				}
			}
			for i, n := range names {
				if got, err := v.Get(ctx, n); err != nil || !strings.HasPrefix(got, fmt.Sprintf("value %d ", i)) || len(got) < 3000 {
					t.Errorf("%q: %.20q, %v", n, got, err)
				}
			}
			for _, n := range names {
				for range 2 {
					if err := v.Delete(ctx, n); err != nil {
						t.Errorf("%q: %v", n, err)
					}
				}
				if got, err := v.Get(ctx, n); !errors.Is(err, ErrNoSecret) {
					t.Errorf("%q after it was erased: %q, %v", n, got, err)
				}
			}
		})
	}
}

// TestNoKeyring: on a machine without a keyring the file is used, which is said
// when a secret is first written there, and not again.
func TestNoKeyring(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
	dir := filepath.Join(t.TempDir(), "secrets")
	var said []string
	open := func() *Places {
		return NewPlaces(VaultSettings{Order: []string{PlaceKeyring, PlaceFile}, Dir: dir, Say: func(s string) { said = append(said, s) }})
	}
	v := open()
	if _, err := v.Get(t.Context(), vaultKey); !errors.Is(err, ErrNoSecret) || !strings.Contains(err.Error(), "there is no keyring here") {
		t.Errorf("with nothing kept: %v", err)
	}
	if err := v.Delete(t.Context(), vaultKey); err != nil {
		t.Errorf("nothing to erase: %v", err)
	}
	for _, value := range []string{"one", "two", "three"} {
		v = open() // as another process would
		if err := v.Set(t.Context(), vaultKey, value); err != nil {
			t.Fatal(err)
		}
		if got, err := v.Get(t.Context(), vaultKey); got != value || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
	}
	if len(said) != 1 || !strings.Contains(said[0], "there is no keyring here") || !strings.Contains(said[0], dir) {
		t.Errorf("it said %q", said)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory: %v, %v", info, err)
	}
	files, _ := filepath.Glob(dir + "/*")
	if len(files) != 1 {
		t.Fatalf("files %v", files)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v", info, err)
	}
}

// TestLockedKeyring: one that does not answer costs each call 5 s at most; calls
// behind it are not piled up; the file serves meanwhile, and what it holds counts
// when the keyring is there again.
func TestLockedKeyring(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKeyring()
		unlocked := make(chan struct{})
		var said []string
		v := NewPlaces(VaultSettings{Order: []string{PlaceKeyring, PlaceFile}, Dir: t.TempDir() + "/s", keyring: k, Say: func(s string) { said = append(said, s) }})
		ctx := t.Context()
		if err := v.Set(ctx, vaultKey, "old"); err != nil {
			t.Fatal(err)
		}
		var calls atomic.Int32
		k.fails(func() error { calls.Add(1); <-unlocked; return errors.New("failed to unlock correct collection") })

		began := time.Now()
		if got, err := v.Get(ctx, vaultKey); err == nil || errors.Is(err, ErrNoSecret) || !strings.Contains(err.Error(), "unlock it") {
			t.Errorf("from a locked keyring: %q, %v", got, err)
		}
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("it took %v", took)
		}
		began = time.Now()
		if err := v.Set(ctx, vaultKey, "new"); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("writing took %v", took)
		}
		if n := calls.Load(); n != 1 {
			t.Errorf("%d calls are piled up", n)
		}
		if len(said) != 1 || !strings.Contains(said[0], "locked") {
			t.Errorf("it said %q", said)
		}
		began = time.Now()
		if got, err := v.Get(ctx, vaultKey); got != "new" || err != nil || time.Since(began) != 0 {
			t.Errorf("%q, %v after %v; want what the file has, at once", got, err, time.Since(began))
		}
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if err := v.Delete(short, vaultKey); err == nil || !strings.Contains(err.Error(), "may still have it") {
			t.Errorf("erasing with a locked keyring: %v", err)
		}

		close(unlocked)
		k.fails(func() error { return nil })
		if err := v.Set(ctx, vaultKey, "newer"); err != nil {
			t.Fatal(err)
		}
		if got, err := v.Get(ctx, vaultKey); got != "newer" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		if k.kept["tidings "+vaultKey] != "newer" {
			t.Error("the keyring, unlocked, was not used again")
		}
	})
}

// TestKeyringThatPanics: the library trusts the types of what a service says.
func TestKeyringThatPanics(t *testing.T) {
	k := newFakeKeyring()
	k.fails(func() error { var v any = 1; _ = v.(string); return nil })
	if _, err := newKeyringVault(k).Get(t.Context(), vaultKey); err == nil || !strings.Contains(err.Error(), "no keyring does") {
		t.Errorf("got %v", err)
	}
}

// TestSecretTooLarge: what the keyring does not take goes to the file.
func TestSecretTooLarge(t *testing.T) {
	k := newFakeKeyring()
	var said []string
	v := NewPlaces(VaultSettings{Order: []string{PlaceKeyring, PlaceFile}, Dir: t.TempDir() + "/s", keyring: k, Say: func(s string) { said = append(said, s) }})
	k.fails(func() error { return keyring.ErrSetDataTooBig })
	if err := v.Set(t.Context(), vaultKey, "large"); err != nil || len(said) != 1 || !strings.Contains(said[0], "this size") {
		t.Errorf("%v, said %q", err, said)
	}
}

// TestFileVaultRefuses: files that others can read, that are cut short or not
// ours are refused in words, and left as they are.
func TestFileVaultRefuses(t *testing.T) {
	cases := []struct {
		name  string
		spoil func(t *testing.T, dir, file string)
		want  []string
	}{
		{"file that others can read", func(t *testing.T, _, file string) { chmod(t, file, 0o644) }, []string{"0644", "chmod 600 ", "%2frefresh-token"}},
		{"directory that others can write to", func(t *testing.T, dir, _ string) { chmod(t, dir, 0o770) }, []string{"0770", "chmod 700 "}},
		{"half-written", func(t *testing.T, _, file string) {
			if err := os.Truncate(file, 100); err != nil {
				t.Fatal(err)
			}
		}, []string{"incomplete", "tidings login"}},
		{"empty", func(t *testing.T, _, file string) {
			if err := os.Truncate(file, 0); err != nil {
				t.Fatal(err)
			}
		}, []string{"incomplete", "tidings login"}},
		{"a directory", func(t *testing.T, _, file string) {
			if err := errors.Join(os.Remove(file), os.Mkdir(file, 0o700)); err != nil {
				t.Fatal(err)
			}
		}, []string{"not a regular file"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "it's secret")
			v := NewPlaces(VaultSettings{Order: []string{PlaceFile}, Dir: dir})
			if err := v.Set(t.Context(), vaultKey, secret+strings.Repeat("x", 100)); err != nil {
				t.Fatal(err)
			}
			c.spoil(t, dir, fileVault{dir}.path(vaultKey))
			_, err := v.Get(t.Context(), vaultKey)
			if err == nil || errors.Is(err, ErrNoSecret) {
				t.Fatalf("error %v", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error lacks %q: %v", want, err)
				}
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the secret is told: %v", err)
			}
			source, _, _ := account(t, &fakeProvider{}, fakeCustom(FlowDevice), "", func(s *Settings) { s.Vault = v })
			before := v.Ready()
			for name, err := range map[string]error{"at the start": source.Prepare(t.Context()), "at a log-in": func() error { _, err := source.Secret(t.Context()); return err }()} {
				if err == nil || isTransient(err) {
					t.Errorf("%s it is not refused for good: %v", name, err)
				}
			}
			if refuses := strings.HasPrefix(c.name, "directory"); refuses != (before != nil) {
				t.Errorf("before a sign-in it says %v", before)
			}
			if note, err := source.SignOut(t.Context()); !strings.Contains(note, "the provider was not told") {
				t.Errorf("a sign-out says %q, %v", note, err)
			}
		})
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// TestCommandVaultFailures: what a program says of its failure is passed on, but
// for the secret; a missing one is told from a locked one.
func TestCommandVaultFailures(t *testing.T) {
	cases := []struct {
		name     string
		get, set []string
		none     bool
		getErr   string
		setErr   string
	}{
		{"pass, nothing kept", script("echo 'Error: tidings/work is not in the password store.' >&2; exit 1"), script("exit 0"), true, "", ""},
		{"secret-tool, nothing kept", script("exit 1"), script("exit 0"), true, "", ""},
		{"cat, nothing kept", []string{"cat", "/nonexistent/{name}"}, script("exit 0"), true, "", ""},
		{"empty", script("exit 0"), script("exit 0"), true, "", ""},
		{"locked", script("echo 'gpg: decryption failed: \033[31mNo secret key' >&2; exit 2"), script("echo full >&2; exit 2"), false, "get_command failed: gpg: decryption failed", "set_command failed: full"},
		{"quotes the secret", script("echo " + secret + "; echo bad: " + secret + " >&2; exit 2"), script("echo cannot take $(cat) >&2; exit 2"), false, "get_command failed: sh: exit status 2", "set_command failed: sh: exit status 2"},
		{"no program", []string{"tidings-no-such-program"}, []string{"tidings-no-such-program"}, false, "there is no program", "there is no program"},
		{"prints for ever", script("yes | head -c 200000"), script("exit 0"), false, "more than 64 KiB", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			v := NewPlaces(VaultSettings{Order: []string{PlaceCommand}, Get: c.get, Set: c.set})
			_, err := v.Get(t.Context(), vaultKey)
			if errors.Is(err, ErrNoSecret) != c.none || !c.none && (err == nil || !strings.Contains(err.Error(), c.getErr)) {
				t.Errorf("get: %v", err)
			}
			setErr := v.Set(t.Context(), vaultKey, secret)
			if (setErr != nil) != (c.setErr != "") || setErr != nil && !strings.Contains(setErr.Error(), c.setErr) {
				t.Errorf("set: %v", setErr)
			}
			if both := fmt.Sprint(err, setErr); strings.Contains(both, secret) || strings.ContainsAny(both, "\x1b\n") {
				t.Errorf("not fit to be shown: %q", both)
			}
		})
	}
}

// TestCommandVaultArgv: the value is in no program's arguments or environment, and
// the name can do no harm there.
func TestCommandVaultArgv(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	v := NewPlaces(VaultSettings{Order: []string{PlaceCommand}, Get: []string{"true"},
		Set: []string{"sh", "-c", `cat >/dev/null; { tr '\0' '\n' </proc/$$/cmdline; env; } >"$0"`, out, "{name}"}})
	if err := v.Set(t.Context(), "-a/../b;c/refresh-token", secret); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(got), secret) {
		t.Error("the secret is in the arguments or the environment")
	}
	for _, want := range []string{"\n%2da%2f..%2fb%3bc/refresh-token\n", "TIDINGS_SECRET=%2da%2f..%2fb%3bc/refresh-token"} {
		if !strings.Contains(string(got), want) {
			t.Errorf("it lacks %q:\n%s", want, got)
		}
	}
}

// TestEnv: a variable counts before the places that stand behind it, and only
// where those before it have nothing.
func TestEnv(t *testing.T) {
	t.Setenv("TIDINGS_WORK_PASSWORD", "from env")
	vaultKey := PasswordName("work")
	for _, c := range []struct {
		order         []string
		before, after string
	}{
		{[]string{PlaceEnv, PlaceFile}, "from env", "from env"},
		{[]string{PlaceFile, PlaceEnv}, "from env", "from file"},
	} {
		v := NewPlaces(VaultSettings{Order: c.order, Dir: t.TempDir() + "/s"})
		if got, err := v.Get(t.Context(), vaultKey); got != c.before || err != nil {
			t.Errorf("%v: %q, %v", c.order, got, err)
		}
		if err := v.Set(t.Context(), vaultKey, "from file"); err != nil {
			t.Fatal(err)
		}
		if got, err := v.Get(t.Context(), vaultKey); got != c.after || err != nil {
			t.Errorf("%v, with the file: %q, %v", c.order, got, err)
		}
	}
	v := NewPlaces(VaultSettings{Order: []string{PlaceEnv}})
	if err := v.Ready(); err == nil || !strings.Contains(err.Error(), `add "file"`) {
		t.Errorf("nowhere to write, before a sign-in: %v", err)
	}
	if err := v.Set(t.Context(), vaultKey, "x"); err == nil || !strings.Contains(err.Error(), `add "file"`) {
		t.Errorf("nowhere to write: %v", err)
	}
}

// TestKeyringHelper is TestRealKeyring's other half, below dbus-run-session.
func TestKeyringHelper(t *testing.T) {
	if os.Getenv("TIDINGS_TEST_KEYRING") == "" {
		t.Skip("it is run by TestRealKeyring")
	}
	ctx, v := t.Context(), newKeyringVault(systemKeyring{})
	if _, err := v.Get(ctx, vaultKey); !errors.Is(err, ErrNoSecret) {
		t.Fatalf("before it was set: %v", err)
	}
	value := strings.Repeat("token ", 700)
	for _, value := range []string{"old", value} {
		if err := v.Set(ctx, vaultKey, value); err != nil {
			t.Fatal(err)
		}
	}
	// As another process would: go-keyring's connection is shared, ours is not.
	if got, err := newKeyringVault(systemKeyring{}).Get(ctx, vaultKey); got != value || err != nil {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	out, err := exec.Command("secret-tool", "lookup", "service", keyringService, "username", vaultKey).Output()
	if err == nil && strings.TrimRight(string(out), "\n") != value {
		t.Errorf("secret-tool finds %d bytes", len(out))
	}
	for range 2 {
		if err := v.Delete(ctx, vaultKey); err != nil {
			t.Errorf("erasing: %v", err)
		}
	}
	if _, err := v.Get(ctx, vaultKey); !errors.Is(err, ErrNoSecret) {
		t.Errorf("after it was erased: %v", err)
	}
	fmt.Println("the real keyring was used")
}

// TestRealKeyring runs TestKeyringHelper with gnome-keyring behind a session bus
// of its own.
func TestRealKeyring(t *testing.T) {
	for _, program := range []string{"dbus-run-session", "gnome-keyring-daemon"} {
		if _, err := exec.LookPath(program); err != nil {
			testserver.Missing(t, "there is no "+program)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	// Asked for before it has taken its name, the bus would start another one, which
	// is locked.
	script := `printf test | gnome-keyring-daemon --unlock --components=secrets >/dev/null
		for i in 1 2 3 4 5 6 7 8 9 10; do
			dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner string:org.freedesktop.secrets | grep -q 'boolean true' && break
			sleep 0.2
		done
		exec "$0" -test.run='^TestKeyringHelper$' -test.v`
	cmd := exec.CommandContext(t.Context(), "dbus-run-session", "--", "sh", "-c", script, self)
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_DATA_HOME="+home+"/data", "XDG_RUNTIME_DIR="+home, "XDG_CONFIG_HOME="+home+"/config",
		"XDG_CACHE_HOME="+home+"/cache", "TIDINGS_TEST_KEYRING=yes", "DISPLAY=", "WAYLAND_DISPLAY=")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "the real keyring was used") {
		t.Errorf("%v\n%s", err, out)
	}
}
