// Package xdg says where Tidings keeps its files, after the XDG Base Directory
// specification 0.8: the config, the cache (deleting it loses nothing) and the
// state (queued actions, crash reports, logs).
//
// It only names directories and never makes them; MakeDir does.
package xdg

import (
	"fmt"
	"os"
	"path/filepath"
)

const program = "tidings"

// ConfigDir is the directory of config.toml: $XDG_CONFIG_HOME/tidings, by
// default ~/.config/tidings, on every system.
func ConfigDir() (string, error) { return dir("XDG_CONFIG_HOME", ".config") }

// CacheDir is $XDG_CACHE_HOME/tidings, by default ~/.cache/tidings.
func CacheDir() (string, error) { return dir("XDG_CACHE_HOME", ".cache") }

// StateDir is $XDG_STATE_HOME/tidings, by default ~/.local/state/tidings.
func StateDir() (string, error) { return dir("XDG_STATE_HOME", ".local", "state") }

// dir resolves one base directory. The specification has relative values
// ignored, and so has every other program that the person runs.
func dir(variable string, fallback ...string) (string, error) {
	if base := os.Getenv(variable); filepath.IsAbs(base) {
		return filepath.Join(base, program), nil
	}
	home := os.Getenv("HOME")
	if !filepath.IsAbs(home) {
		return "", fmt.Errorf("neither %s nor HOME is set to an absolute path; set one of them", variable)
	}
	return filepath.Join(append(append([]string{home}, fallback...), program)...), nil
}

// MakeDir makes dir and what is missing above it, for the person alone (0700).
// A directory that is there already keeps its mode.
func MakeDir(dir string) error { return os.MkdirAll(dir, 0o700) }
