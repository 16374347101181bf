package testserver

import (
	"bytes"
	"testing"
	"time"
)

const patience = 10 * time.Second

func TestTerminalShowsAndTypes(t *testing.T) {
	term := Tmux(t, []string{"sh", "-c", `stty size; printf 'TERM=%s X=%s\n' "$TERM" "$X"; printf '\033]2;a title\007'; read line; echo "got <$line>"; exit 3`},
		Size(60, 10), Env("X=from the test"), Record())
	term.WaitFor("10 60", patience)
	term.WaitFor("TERM=tmux-256color X=from the test", patience)
	term.WaitUntil("the title", patience, func([]string) bool { return term.Title() == "a title" })
	term.Type("C-c Enter; $HOME")
	term.Send("Enter")
	screen := term.WaitFor("got <C-c Enter; $HOME>", patience)
	if len(screen) != 10 {
		t.Errorf("%d rows, want 10", len(screen))
	}
	if status := term.Exited(patience); status != 3 {
		t.Errorf("exit status %d, want 3", status)
	}
	if out := term.Output(); !bytes.HasSuffix(out, []byte("got <C-c Enter; $HOME>\r\n")) || !bytes.Contains(out, []byte("10 60\r\n")) || !bytes.Contains(out, []byte("\x1b]2;a title\a")) {
		t.Errorf("recorded %q", out)
	}
}

func TestTerminalResizesAndSignals(t *testing.T) {
	term := Tmux(t, []string{"sh", "-c", `trap 'stty size' WINCH; echo ready; while :; do read -t 1 x || read x; done`},
		Size(80, 24), Term("screen"))
	term.WaitFor("ready", patience)
	term.Resize(40, 8)
	term.WaitFor("8 40", patience)
	term.Send("C-c")
	if status := term.Exited(patience); status != 130 {
		t.Errorf("exit status %d, want 130 for SIGINT", status)
	}
}

func TestTerminalTellsOfSignals(t *testing.T) {
	term := Tmux(t, []string{"sh", "-c", "echo ready; kill -9 $$"})
	if status := term.Exited(patience); status != 128+9 {
		t.Errorf("exit status %d, want 137 for SIGKILL", status)
	}
}
