package run

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"tidings/internal/testserver"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// play is this binary started again inside a terminal.
func play(role string) {
	switch role {
	case "terminal":
		// The program hides the typing, reads a line from the terminal, and dies
		// without showing it again.
		got, err := Program{
			Argv:     []string{"sh", "-c", `stty -echo </dev/tty; read line </dev/tty; echo "got $line"`},
			Terminal: true,
		}.Run(context.Background())
		tty, ttyErr := os.OpenFile("/dev/tty", os.O_RDWR, 0)
		if ttyErr != nil {
			fmt.Println("no terminal:", ttyErr)
			return
		}
		group, groupErr := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
		state, stateErr := unix.IoctlGetTermios(int(tty.Fd()), ioctlGetTermios)
		fmt.Printf("output=%q err=%v ours=%v,%v echo=%v,%v\n", got.Stdout, err,
			group == unix.Getpgrp(), groupErr, state.Lflag&unix.ECHO != 0, stateErr)
	case "no terminal":
		got, err := sh(`(: </dev/tty) 2>/dev/null && echo reached || echo none`).Run(context.Background())
		fmt.Printf("output=%q err=%v\n", got.Stdout, err)
	}
}

// inTerminal plays role with a controlling terminal and types into it.
func inTerminal(t *testing.T, role, typed string) string {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		testserver.Missing(t, "no pseudo-terminal: "+err.Error())
	}
	defer master.Close()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "TIDINGS_RUN_ROLE="+role)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	if _, err := io.WriteString(master, typed); err != nil {
		t.Fatal(err)
	}
	out, _ := io.ReadAll(master) // ends with EIO when the last one closes the terminal
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return string(out)
}

func TestTerminalIsHandedOverAndTakenBack(t *testing.T) {
	out := inTerminal(t, "terminal", "1234\n")
	if want := `output="got 1234\n" err=<nil> ours=true,<nil> echo=true,<nil>`; !strings.Contains(out, want) {
		t.Errorf("the program saw:\n%s\nwant %s", out, want)
	}
}

func TestTerminalIsKept(t *testing.T) {
	out := inTerminal(t, "no terminal", "")
	if want := `output="none\n" err=<nil>`; !strings.Contains(out, want) {
		t.Errorf("the program saw:\n%s\nwant %s", out, want)
	}
}
