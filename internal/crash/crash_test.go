package crash

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// secret is what must not be seen in any report, nor on stderr.
const secret = "Dear Alice, the launch code is 0000"

// scenarios are run in a process of their own: this binary started again.
var scenarios = map[string]func(){
	"runtime error": func() {
		var a []int
		i := 5
		Go("reader", func() { a[i]++ })
		select {}
	},
	"nil map": func() {
		var m map[string]int
		Go("reader", func() { m[secret]++ })
		select {}
	},
	"type assertion": func() {
		var v any = secret
		Go("reader", func() { _ = v.(fmt.Stringer) })
		select {}
	},
	"string value": func() {
		Go("reader", func() { parse(secret) })
		select {}
	},
	"error value": func() {
		Go("reader", func() { panic(fmt.Errorf("parsing %q", secret)) })
		select {}
	},
	"a type that poses as a runtime error": func() {
		Go("reader", func() { panic(impostor{}) })
		select {}
	},
	"panic(nil)": func() {
		Go("reader", func() { panic(any(nil)) })
		select {}
	},
	"main": func() {
		defer Handle("main")
		parse(secret)
	},
	"restore": func() {
		OnPanic(func() { fmt.Print("restored") })
		OnPanic(func() { fmt.Print("WRONG") })()
		OnPanic(func() { panic(secret) })
		Go("reader", func() { parse(secret) })
		select {}
	},
	"restore that blocks": func() {
		OnPanic(func() { select {} })
		Go("reader", func() { parse(secret) })
		select {}
	},
	"many at once": func() {
		var ready sync.WaitGroup
		start := make(chan struct{})
		for i := range 20 {
			ready.Add(1)
			Go(fmt.Sprintf("reader %d", i), func() {
				ready.Done()
				<-start
				parse(secret)
			})
		}
		OnPanic(func() { fmt.Print("restored") })
		ready.Wait()
		close(start)
		select {}
	},
	"no panic": func() {
		done := make(chan struct{})
		Go("reader", func() { close(done) })
		<-done
	},
}

type impostor struct{}

func (impostor) Error() string { return secret }
func (impostor) RuntimeError() {}

//go:noinline
func parse(s string) { panic("cannot parse " + s) }

func TestMain(m *testing.M) {
	if name := os.Getenv("TIDINGS_CRASH_SCENARIO"); name != "" {
		SetVersion("1.2.3-test")
		scenarios[name]()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// run plays a scenario and returns its exit status, output and reports.
func run(t *testing.T, name string, env ...string) (status int, stdout, stderr string, reports []string) {
	t.Helper()
	state := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "TIDINGS_CRASH_SCENARIO="+name, "XDG_STATE_HOME="+state)
	cmd.Env = append(cmd.Env, env...)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	reports, err = filepath.Glob(filepath.Join(state, "tidings", "tidings-crash-*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String(), reports
}

func TestPanic(t *testing.T) {
	cases := []struct {
		scenario string
		want     []string // in the report
		stdout   string
	}{
		{"runtime error", []string{"goroutine: reader", "index out of range [5] with length 0"}, ""},
		{"nil map", []string{"assignment to entry in nil map"}, ""},
		{"type assertion", []string{"string is not fmt.Stringer: missing method String"}, ""},
		{"string value", []string{"a value of type string", "tidings/internal/crash.parse", "crash/crash_test.go:"}, ""},
		{"error value", []string{"a value of type *errors."}, ""},
		{"a type that poses as a runtime error", []string{"a value of type crash.impostor"}, ""},
		{"panic(nil)", []string{"panic called with nil argument"}, ""},
		{"main", []string{"goroutine: main", "a value of type string"}, ""},
		{"restore", []string{"a value of type string"}, "restored"},
		{"restore that blocks", []string{"a value of type string"}, ""},
		{"many at once", []string{"goroutine: reader "}, "restored"},
	}
	for _, c := range cases {
		t.Run(c.scenario, func(t *testing.T) {
			t.Parallel()
			status, stdout, stderr, reports := run(t, c.scenario)
			if status != ExitStatus {
				t.Errorf("exit status %d, want %d; stderr:\n%s", status, ExitStatus, stderr)
			}
			if stdout != c.stdout {
				t.Errorf("stdout %q, want %q", stdout, c.stdout)
			}
			if len(reports) != 1 {
				t.Fatalf("%d reports, want 1; stderr:\n%s", len(reports), stderr)
			}
			if strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, reports[0]) {
				t.Errorf("stderr is not one sentence that names %s:\n%s", reports[0], stderr)
			}
			raw, err := os.ReadFile(reports[0])
			if err != nil {
				t.Fatal(err)
			}
			text := string(raw)
			for _, want := range append(c.want, "1.2.3-test", runtime.Version(), runtime.GOOS) {
				if !strings.Contains(text, want) {
					t.Errorf("the report lacks %q:\n%s", want, text)
				}
			}
			if strings.Contains(text, secret) || strings.Contains(stderr, secret) {
				t.Errorf("the secret is told:\n%s\n%s", text, stderr)
			}
			if wd, _ := os.Getwd(); strings.Contains(text, wd) {
				t.Errorf("the report tells where the program was built:\n%s", text)
			}
			for p, mode := range map[string]os.FileMode{reports[0]: 0o600, filepath.Dir(reports[0]): 0o700} {
				fi, err := os.Stat(p)
				if err != nil {
					t.Fatal(err)
				}
				if fi.Mode().Perm() != mode {
					t.Errorf("%s has mode %o, want %o", p, fi.Mode().Perm(), mode)
				}
			}
		})
	}
}

func TestReportOfSeveral(t *testing.T) {
	text := report{version: "v", caughts: []caught{
		{goroutine: "one", value: "x"}, {goroutine: "two", value: 3},
	}}.String()
	for _, want := range []string{"goroutine: one", "goroutine: two", "type string", "type int"} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
}

func TestNoPanic(t *testing.T) {
	status, _, stderr, reports := run(t, "no panic")
	if status != 0 || stderr != "" || len(reports) != 0 {
		t.Errorf("status %d, stderr %q, reports %v", status, stderr, reports)
	}
}

func TestReportWithoutStateDir(t *testing.T) {
	tmp := t.TempDir()
	status, _, stderr, _ := run(t, "string value", "XDG_STATE_HOME=", "HOME=", "TMPDIR="+tmp)
	reports, _ := filepath.Glob(filepath.Join(tmp, "tidings-crash-*.txt"))
	if status != ExitStatus || len(reports) != 1 || !strings.Contains(stderr, reports[0]) {
		t.Errorf("status %d, reports %v, stderr %q", status, reports, stderr)
	}
}

func TestReportNowhere(t *testing.T) {
	status, _, stderr, _ := run(t, "string value", "XDG_STATE_HOME=/dev/null/x", "TMPDIR=/dev/null/y")
	if status != ExitStatus || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "could not be written") {
		t.Errorf("status %d, stderr %q", status, stderr)
	}
}
