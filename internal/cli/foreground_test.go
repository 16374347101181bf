package cli

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"tidings/internal/testserver"
)

// atShell starts the demo from a shell with job control, as a person does, and
// opens a message.
func atShell(t *testing.T) person {
	t.Helper()
	p := startUnder(t, `PROG=$1 PS1='prompt> ' ENV= exec sh -i`, "")
	p.WaitFor("prompt>", patience)
	p.Type("$PROG demo --seed 3 --rate 0")
	p.Send("Enter")
	p.WaitFor("▌", patience) // the cursor, on a message
	p.Send("Enter")
	p.WaitFor("Subject", patience)
	return p
}

// page gives the message to a command that takes the screen.
func (p person) page(command string) {
	p.Send(":")
	p.WaitFor(":▌", patience)
	p.Type("pager " + command)
	p.Send("Enter")
}

// TestForeground: a program that takes the screen has all of the terminal: keys
// come also where it reads them from stderr, ctrl+z stops it and us together, and
// what it says in failing can be read.
func TestForeground(t *testing.T) {
	p := atShell(t)
	p.page(`head -c 5; echo :page; read one <&2; echo "one=$one"; read two </dev/tty`)
	p.WaitFor("From::page", patience)
	p.Type("typed")
	p.Send("Enter")
	p.WaitFor("one=typed", patience)

	p.Send("C-z")
	p.WaitUntil("the shell", patience, func(screen []string) bool {
		return testserver.Shows(screen, "Stopped") && strings.HasPrefix(last(screen), "prompt>")
	})
	p.Type("fg")
	p.Send("Enter")
	p.WaitUntil("the program in the foreground", patience, func(screen []string) bool { return strings.HasPrefix(last(screen), "${PROG}") })
	p.Send("Enter") // ends it
	p.WaitFor("Subject", patience)
	p.WaitFor("Q quit", patience)

	p.page(`echo what is wrong >&2; exit 3`)
	screen := p.WaitFor("Enter goes back", patience)
	for _, want := range []string{"what is wrong", "exit status 3"} {
		if !testserver.Shows(screen, want) {
			t.Errorf("the screen does not say %q:\n%s", want, strings.Join(screen, "\n"))
		}
	}
	p.Send("C-c") // not the end of the monitor
	p.WaitFor("the command failed: sh: exit status 3", patience)
	p.Send("Q")
	p.WaitUntil("the shell", patience, func(screen []string) bool { return strings.HasSuffix(last(screen), "prompt>") })
	p.noRaces(t)
}

// TestTerminalGoneMeanwhile: the terminal is closed while a program has it, which
// no keyboard of ours could notice, and the monitor ends.
func TestTerminalGoneMeanwhile(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a terminal")
	}
	tidings, home := linked(t)
	// The shell leads the session: it gets the SIGHUP, and we do not.
	cmd := exec.Command("sh", "-c", `trap : HUP; "$0" demo --seed 7 --rate 0; exit $?`, tidings)
	cmd.Env = append(os.Environ(), "TERM=xterm-256color", "HOME="+home, "XDG_STATE_HOME="+home, "GORACE=exitcode=0 log_path="+home+"/race")
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 30, Cols: 100})
	if err != nil {
		testserver.Missing(t, "no pseudo-terminal: "+err.Error())
	}
	killer := time.AfterFunc(3*patience, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	defer killer.Stop()
	var seen strings.Builder
	buf := make([]byte, 4096)
	for _, step := range [][2]string{{"▌", "\r"}, {"Subject", ":pager echo it is $((40+2)); read x </dev/tty\r"}, {"it is 42", ""}} {
		for !strings.Contains(seen.String(), step[0]) {
			n, err := terminal.Read(buf)
			if err != nil {
				t.Fatalf("%v after %q", err, seen.String())
			}
			seen.Write(buf[:n])
		}
		if _, err := terminal.WriteString(step[1]); err != nil {
			t.Fatal(err)
		}
	}
	terminal.Close()
	var ended *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &ended) || ended.ExitCode() != 1 {
		t.Errorf("without a terminal the program ends with %v", err)
	}
	person{home: home}.noRaces(t)
}

// last is the last line that is not empty.
func last(screen []string) string {
	for i := len(screen) - 1; i >= 0; i-- {
		if strings.TrimSpace(screen[i]) != "" {
			return screen[i]
		}
	}
	return ""
}
