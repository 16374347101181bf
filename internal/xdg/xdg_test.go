package xdg

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDirs(t *testing.T) {
	dirs := []struct {
		name, variable, fallback string
		get                      func() (string, error)
	}{
		{"config", "XDG_CONFIG_HOME", "/home/anna/.config/tidings", ConfigDir},
		{"cache", "XDG_CACHE_HOME", "/home/anna/.cache/tidings", CacheDir},
		{"state", "XDG_STATE_HOME", "/home/anna/.local/state/tidings", StateDir},
	}
	for _, d := range dirs {
		t.Run(d.name, func(t *testing.T) {
			cases := []struct{ name, xdg, home, want string }{
				{"variable", "/x/y", "/home/anna", "/x/y/tidings"},
				{"variable without HOME", "/x/y", "", "/x/y/tidings"},
				{"default", "", "/home/anna", d.fallback},
				{"relative variable is ignored", "x/y", "/home/anna", d.fallback},
				{"nothing", "", "", ""},
				{"relative HOME", "", "anna", ""},
			}
			for _, c := range cases {
				t.Run(c.name, func(t *testing.T) {
					t.Setenv(d.variable, c.xdg)
					t.Setenv("HOME", c.home)
					got, err := d.get()
					if got != c.want {
						t.Errorf("got %q, want %q", got, c.want)
					}
					if c.want == "" && (err == nil || !strings.Contains(err.Error(), d.variable) || !strings.Contains(err.Error(), "HOME")) {
						t.Errorf("the error %v does not name %s and HOME", err, d.variable)
					}
				})
			}
		})
	}
}

func TestMakeDirIsPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "tidings")
	if err := MakeDir(dir); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{dir, filepath.Dir(dir)} {
		fi, err := os.Stat(d)
		if err != nil {
			t.Fatal(err)
		}
		if fi.Mode().Perm() != 0o700 {
			t.Errorf("%s has mode %o, want 700", d, fi.Mode().Perm())
		}
	}
}
