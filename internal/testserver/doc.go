// Package testserver is what the tests of Tidings talk to: a private Dovecot on
// loopback, a scripted server that lies, a link that lags, cuts and swallows,
// and a terminal (tmux) to look at.
//
// Everything here takes a testing.TB, cleans up after itself, and where the
// machine lacks a program (dovecot, tmux) skips the test; with CI=true in the
// environment it fails the test instead, so that no build is green for want of
// a package.
package testserver

import (
	"os"
	"os/exec"
	"testing"
)

// need finds a program, or skips the test; in CI it fails it.
func need(t testing.TB, program string, elsewhere ...string) string {
	t.Helper()
	for _, name := range append([]string{program}, elsewhere...) {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	Missing(t, program+" is not installed")
	return ""
}

// Missing skips a test for want of something that the machine lacks, which CI=true
// does not allow.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s, and CI=true does not let this test skip", what)
	}
	t.Skipf("%s", what)
}
