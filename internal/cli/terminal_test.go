package cli

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"tidings/internal/crash"
	"tidings/internal/demo"
	"tidings/internal/testserver"
)

// patience is how long a test waits for what should come at once.
const patience = 15 * time.Second

// person is someone at a terminal with the program in it.
type person struct {
	*testserver.Terminal
	home string
}

// start runs the program in a terminal of its own, below a shell that then says
// "ended STATUS" and the terminal's settings.
func start(t *testing.T, args ...string) person {
	t.Helper()
	return startIn(t, "", args...)
}

// startIn is start with a state directory that others share; "": its own.
func startIn(t *testing.T, state string, args ...string) person {
	t.Helper()
	return startUnder(t, `trap : INT; sh -c 'echo $$ >pid; exec "$@"' - "$@"; echo "ended $?"; stty -a; exec cat`, state, args...)
}

// linked is the program, in a home directory of its own: the name makes the test
// binary the program.
func linked(t *testing.T) (tidings, home string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	home = t.TempDir()
	tidings = filepath.Join(home, "tidings")
	if err := os.Symlink(self, tidings); err != nil {
		t.Fatal(err)
	}
	return tidings, home
}

// startUnder is startIn below a shell script whose arguments are the program and
// those of the program.
func startUnder(t *testing.T, script, state string, args ...string) person {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes a terminal")
	}
	tidings, home := linked(t)
	if state == "" {
		state = home + "/state"
	}
	command := append([]string{"sh", "-c", script, "-", tidings}, args...)
	return person{home: home, Terminal: testserver.Tmux(t, command, testserver.Size(100, 30), testserver.Dir(home),
		testserver.Env("HOME="+home, "XDG_STATE_HOME="+state, "XDG_CONFIG_HOME="+home+"/config", "LC_ALL=C.UTF-8",
			"GORACE=exitcode=0 log_path="+home+"/race"))}
}

// pid is the program's process.
func (p person) pid(t *testing.T) int {
	t.Helper()
	pid, err := strconv.Atoi(strings.TrimSpace(p.read(t, "pid")))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// signal sends a signal to the program.
func (p person) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(p.pid(t), s); err != nil {
		t.Fatal(err)
	}
}

// ended waits for the program's end and checks that the terminal is as a shell
// needs it.
func (p person) ended(t *testing.T, status int) {
	t.Helper()
	screen := p.WaitFor("echok", patience) // near the end of what stty prints
	if want := fmt.Sprintf("ended %d", status); !testserver.Shows(screen, want) {
		t.Errorf("the screen does not say %q:\n%s", want, strings.Join(screen, "\n"))
	}
	settings := strings.Join(screen, " ")
	p.noRaces(t)
	for _, want := range []string{" echo ", " icanon ", " isig ", " icrnl ", " opost "} {
		if !strings.Contains(settings+" ", want) {
			t.Errorf("the terminal is left without%s: %s", want, settings)
		}
	}
	for format, want := range map[string]string{"#{alternate_on}": "0", "#{cursor_flag}": "1", "#{mouse_any_flag}": "0"} {
		if got := p.Format(format); got != want {
			t.Errorf("%s is %s, want %s", format, got, want)
		}
	}
}

// noRaces fails the test if the program, built with the race detector, has found
// a race. It says so in files, and neither on the screen nor by its exit status,
// which are looked at for other things.
func (p person) noRaces(t *testing.T) {
	t.Helper()
	reports, err := filepath.Glob(filepath.Join(p.home, "race.*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range reports {
		t.Errorf("the program has a data race:\n%s", p.read(t, filepath.Base(path)))
	}
}

// read reads a file in the person's home.
func (p person) read(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(p.home, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestDemoInATerminal(t *testing.T) {
	p := start(t, "demo", "--seed", "7", "--rate", "0", "--messages", "50")
	p.WaitFor("live", patience)
	p.Send("Q")
	p.ended(t, 0)
}

func TestSignals(t *testing.T) {
	for name, signal := range map[string]syscall.Signal{"SIGTERM": syscall.SIGTERM, "SIGHUP": syscall.SIGHUP, "SIGINT": syscall.SIGINT} {
		t.Run(name, func(t *testing.T) {
			p := start(t, "demo", "--seed", "7", "--messages", "50")
			p.WaitFor("live", patience)
			p.signal(t, signal)
			p.ended(t, 0)
		})
	}
}

func TestPanicInATerminal(t *testing.T) {
	p := start(t, "demo", "--seed", "7", "--messages", "50")
	p.WaitFor("live", patience)
	p.signal(t, syscall.SIGUSR1)
	p.ended(t, crash.ExitStatus)
	screen := strings.Join(p.Screen(), "")
	reports, err := filepath.Glob(filepath.Join(p.home, "state/tidings/*"))
	if err != nil || len(reports) != 1 {
		t.Fatalf("reports %v, %v", reports, err)
	}
	if !strings.Contains(screen, "tidings crashed") || !strings.Contains(screen, filepath.Base(reports[0])) {
		t.Errorf("the screen does not name the report %s:\n%s", reports[0], screen)
	}
	report := p.read(t, "state/tidings/"+filepath.Base(reports[0]))
	if strings.Contains(report, "launch code") || strings.Contains(screen, "launch code") {
		t.Error("the panic's value is told")
	}
	if !strings.Contains(report, "goroutine: test panic") || !strings.Contains(report, "cli.program") {
		t.Errorf("the report does not say where:\n%s", report)
	}
}

// demoServer is a mailbox for accounts of a config.
func demoServer(t *testing.T) (server *demo.Server, port string) {
	t.Helper()
	server, err := demo.Start(context.Background(), demo.Options{Seed: 7, Messages: 50})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	_, port, err = net.SplitHostPort(server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	return server, port
}

// configFile writes a config with accounts of these lines.
func configFile(t *testing.T, accounts ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.toml")
	text := ""
	for _, a := range accounts {
		text += "[[account]]\ntls = \"none\"\nhost = \"127.0.0.1\"\n" + a + "\n"
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestQuittingOverADeadLink: the link swallows everything, and Q still ends the
// program.
func TestQuittingOverADeadLink(t *testing.T) {
	server, port := demoServer(t)
	link := testserver.NewLink(t, "127.0.0.1:"+port)
	_, linkPort, _ := net.SplitHostPort(link.Addr())
	for name, fault := range map[string]func(){
		"swallowing": func() { link.Swallow(testserver.Both, true) },
		"stalled":    func() { link.Stall(testserver.Both, true) },
	} {
		t.Run(name, func(t *testing.T) {
			defer link.Heal()
			p := start(t, "--config", configFile(t, fmt.Sprintf("name = \"work\"\nport = %s\nuser = %q\npassword_command = [\"echo\", %q]",
				linkPort, server.User(), server.Password())))
			p.WaitFor("live", patience)
			fault()
			p.Send("U") // something to be sent into the dead link
			began := time.Now()
			p.Send("Q")
			p.WaitFor("ended 0", patience)
			t.Logf("from the key to the shell, tmux's own time included: %v", time.Since(began))
			p.ended(t, 0)
		})
	}
}

// TestPasswordIsAskedFor: without a source the person types the password, which
// is not shown; a wrong one is told of on screen, and another one typed there.
func TestPasswordIsAskedFor(t *testing.T) {
	server, port := demoServer(t)
	config := configFile(t, fmt.Sprintf("name = \"work\"\nport = %s\nuser = %q", port, server.User()))

	p := start(t, "--config", config, "--log", "log")
	p.WaitFor("Password of "+server.User()+" (account work):", patience)
	p.Type(server.Password())
	p.Send("Enter")
	p.WaitFor("live", patience)
	p.Send("L")
	screen := p.WaitFor("IDLE", patience)
	p.Send("Q")
	p.ended(t, 0)
	log := p.read(t, "log")
	for _, text := range []string{strings.Join(screen, ""), strings.Join(p.Screen(), ""), log} {
		if strings.Contains(text, server.Password()) {
			t.Errorf("the password is shown:\n%s", text)
		}
	}
	if !strings.Contains(log, "account=work") {
		t.Errorf("the log file says nothing of the account:\n%s", log)
	}
	if info, err := os.Stat(filepath.Join(p.home, "log")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the log file: %v, %v", info.Mode(), err)
	}

	p = start(t, "--config", config)
	p.WaitFor("Password of", patience)
	p.Type("hunter2")
	p.Send("Enter")
	screen = p.WaitFor("wrong user name or password", patience)
	if testserver.Shows(screen, "hunter2") {
		t.Error("the password is shown")
	}
	p.Send("r")
	p.WaitFor("the password that was typed is wrong", patience)
	p.Send("R")
	p.WaitFor("Enter alone goes back", patience)
	p.Send("C-c") // ends the question, not the program
	p.WaitFor("not signed in", patience)
	p.Send("R")
	p.WaitFor("Enter alone goes back", patience)
	p.Type(server.Password())
	p.Send("Enter")
	p.WaitFor("● live", patience)
	p.Send("Q")
	p.ended(t, 0)

	p = start(t, "--config", config)
	p.WaitFor("Password of", patience)
	p.Send("C-c")
	p.ended(t, 1)
}

// TestPasswordCommandMayAsk: before the screen starts, a command has the
// terminal.
func TestPasswordCommandMayAsk(t *testing.T) {
	server, port := demoServer(t)
	p := start(t, "--config", configFile(t, fmt.Sprintf("name = \"work\"\nport = %s\nuser = %q\npassword_command = [\"sh\", \"-c\", %q]",
		port, server.User(), "printf 'PIN? ' >/dev/tty; read pin </dev/tty; test $pin = 1234 && echo "+server.Password())))
	p.WaitFor("PIN?", patience)
	p.Type("1234")
	p.Send("Enter")
	p.WaitFor("live", patience)
	p.Send("Q")
	p.ended(t, 0)
}

// TestOneAccountFails: the others are shown all the same, and the failed one
// says why.
func TestOneAccountFails(t *testing.T) {
	server, port := demoServer(t)
	good := fmt.Sprintf("name = \"good\"\nport = %s\nuser = %q\npassword_command = [\"echo\", %q]", port, server.User(), server.Password())
	bad := fmt.Sprintf("name = \"bad\"\nport = %s\nuser = %q\npassword_command = [\"sh\", \"-c\", \"echo the store is locked >&2; exit 1\"]", port, server.User())

	p := start(t, "--config", configFile(t, good, bad))
	p.WaitFor("live", patience)
	p.Send("2")
	p.WaitFor("the store is locked", patience)
	p.Send("Q")
	p.ended(t, 0)

	p = start(t, "--config", configFile(t, bad))
	p.ended(t, 1)
	if !testserver.Shows(p.Screen(), "the store is locked") {
		t.Errorf("the screen says\n%s", strings.Join(p.Screen(), "\n"))
	}
}

func TestReadOnly(t *testing.T) {
	server, port := demoServer(t)
	p := start(t, "--read-only", "--config", configFile(t, fmt.Sprintf("name = \"work\"\nport = %s\nuser = %q\npassword_command = [\"echo\", %q]",
		port, server.User(), server.Password())))
	p.WaitFor("live", patience)
	p.WaitFor("read-only", patience)
	p.Send("Q")
	p.ended(t, 0)
}

// TestFoldersOfTheConfig: d moves to the folder that the config calls trash.
func TestFoldersOfTheConfig(t *testing.T) {
	server, port := demoServer(t)
	p := start(t, "--config", configFile(t, fmt.Sprintf("name = \"work\"\nport = %s\nuser = %q\npassword_command = [\"echo\", %q]\ntrash = \"Junk\"",
		port, server.User(), server.Password())))
	p.WaitFor("of 50", patience)
	p.Send("d")
	p.WaitFor("of 49", patience)
	p.WaitFor("moved to Junk", patience)
	p.Send("Q")
	p.ended(t, 0)
}

// TestTerminalGone: the terminal is closed (ssh drops, a window is shut), and
// the program ends, with status 0.
func TestTerminalGone(t *testing.T) {
	tidings, home := linked(t)
	cmd := exec.Command(tidings, "demo", "--seed", "7", "--messages", "50")
	cmd.Env = append(os.Environ(), "TERM=xterm-256color", "GORACE=exitcode=0 log_path="+home+"/race")
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 30, Cols: 100})
	if err != nil {
		testserver.Missing(t, "no pseudo-terminal: "+err.Error())
	}
	var seen strings.Builder
	buf := make([]byte, 4096)
	for !strings.Contains(seen.String(), "live") {
		n, err := terminal.Read(buf)
		if err != nil {
			t.Fatalf("%v after %q", err, seen.String())
		}
		seen.Write(buf[:n])
	}
	terminal.Close()
	killer := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer killer.Stop()
	if err := cmd.Wait(); err != nil {
		t.Errorf("without a terminal the program ends with %v", err)
	}
	person{home: home}.noRaces(t)
}
