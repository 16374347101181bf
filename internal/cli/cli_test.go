package cli

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"tidings/internal/crash"
	"tidings/internal/demo"
	"tidings/internal/testserver"
)

// TestMain lets this binary be the program: in scripts, where it is called
// tidings, and in terminals.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"tidings": func() { os.Exit(program()) }})
}

// program is main.go's, with one addition: SIGUSR1 makes a goroutine panic with
// a value that nobody may see.
func program() int {
	defer crash.Handle("main")
	usr1 := make(chan os.Signal, 1)
	signal.Notify(usr1, syscall.SIGUSR1)
	crash.Go("test panic", func() {
		<-usr1
		panic("Dear Alice, the launch code is 0000")
	})
	example, err := os.ReadFile(os.Getenv("TIDINGS_EXAMPLE"))
	if err != nil {
		example = []byte("# no example\n")
	}
	return Program{
		Args:    os.Args[1:],
		Stdin:   os.Stdin,
		Stdout:  os.Stdout,
		Stderr:  os.Stderr,
		Environ: os.Environ(),
		Example: string(example),
	}.Main()
}

// TestScripts runs testdata/script. Each script has a demo server (HOST, PORT,
// USER_NAME, PASSWORD), a port at which nothing listens (DEADPORT), a server
// that is none of IMAP (HTTPPORT), and a home directory of its own.
func TestScripts(t *testing.T) {
	example, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			server, err := demo.Start(context.Background(), demo.Options{Seed: 1, Messages: 30})
			if err != nil {
				return err
			}
			env.Defer(func() { server.Close() })
			host, port, err := net.SplitHostPort(server.Addr())
			if err != nil {
				return err
			}
			dead, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			_, deadPort, _ := net.SplitHostPort(dead.Addr().String())
			dead.Close()
			_, httpPort, _ := net.SplitHostPort(testserver.Listen(t, func(l *testserver.Liar) {
				l.Raw("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
			}))
			env.Setenv("HOST", host)
			env.Setenv("PORT", port)
			env.Setenv("USER_NAME", server.User())
			env.Setenv("PASSWORD", server.Password())
			env.Setenv("DEADPORT", deadPort)
			env.Setenv("HTTPPORT", httpPort)
			env.Setenv("HOME", env.WorkDir+"/home")
			env.Setenv("TIDINGS_EXAMPLE", example+"/../../config.toml.example")
			return os.Mkdir(env.WorkDir+"/home", 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":  exits,
			"expand": expand,
			"mode":   mode,
			"lines":  lines,
		},
	})
}

// exits STATUS PROGRAM ARGS... runs a program and checks its exit status.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS PROGRAM ARGS...")
	}
	err := ts.Exec(args[1], args[2:]...)
	status := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		status = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(status) != args[0] {
		ts.Fatalf("exit status %d, want %s", status, args[0])
	}
}

// expand FILE... replaces $NAME in files.
func expand(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		text := os.Expand(ts.ReadFile(name), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
	}
}

// mode OCTAL FILE checks or, as "mode = OCTAL FILE", sets permissions.
func mode(ts *testscript.TestScript, _ bool, args []string) {
	set := args[0] == "="
	if set {
		args = args[1:]
	}
	want, err := strconv.ParseUint(args[0], 8, 32)
	ts.Check(err)
	if set {
		ts.Check(os.Chmod(ts.MkAbs(args[1]), os.FileMode(want)))
		return
	}
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if info.Mode().Perm() != os.FileMode(want) {
		ts.Fatalf("%s has mode %o, want %o", args[1], info.Mode().Perm(), want)
	}
}

// lines N FILE counts lines; FILE may be stdout or stderr.
func lines(ts *testscript.TestScript, _ bool, args []string) {
	if got := strconv.Itoa(strings.Count(ts.ReadFile(args[1]), "\n")); got != args[0] {
		ts.Fatalf("%s has %s lines, want %s:\n%s", args[1], got, args[0], ts.ReadFile(args[1]))
	}
}
