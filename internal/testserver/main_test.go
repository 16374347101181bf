package testserver

import (
	"runtime"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// judge is a testing.TB that keeps its verdict.
type judge struct {
	testing.TB
	fatal, skipped bool
}

func (j *judge) Helper()                    {}
func (j *judge) Fatalf(string, ...any)      { j.fatal = true; runtime.Goexit() }
func (j *judge) Skipf(_ string, why ...any) { j.skipped = true; runtime.Goexit() }

func TestAMissingProgramSkipsButNotInCI(t *testing.T) {
	for ci, want := range map[string]judge{"": {skipped: true}, "true": {fatal: true}} {
		t.Setenv("CI", ci)
		j := &judge{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			need(j, "a-program-that-does-not-exist")
		}()
		<-done
		if j.fatal != want.fatal || j.skipped != want.skipped {
			t.Errorf("CI=%q: fatal %v, skipped %v", ci, j.fatal, j.skipped)
		}
	}
	if path := need(t, "a-program-that-does-not-exist", "sh"); !strings.HasSuffix(path, "sh") {
		t.Errorf("found %q", path)
	}
}
