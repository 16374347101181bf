package bench

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Expunged is how a program followed another client's EXPUNGE.
type Expunged struct {
	FromCommand time.Duration // from the other client's EXPUNGE to the right count on screen
	FromReply   time.Duration // from that client's OK
	CPU         time.Duration // ours, until three seconds after
	Octets      int64         // to the terminal
}

// Expunge has another client expunge n messages all over the mailbox while a
// program shows it.
func Expunge(l *Lab, p Program, box Mailbox, n int) (Expunged, error) {
	var e Expunged
	t, _, err := open(l.Host, p, box, 0)
	if err != nil {
		return e, err
	}
	defer t.Kill()
	other, err := DialRaw(box)
	if err != nil {
		return e, err
	}
	defer other.Close()
	if _, err := other.Do("SELECT INBOX"); err != nil {
		return e, err
	}
	// The newest 100 stay, so that the screen's rows do.
	for set := range slices.Chunk(rand.Perm(box.Messages - 100)[:n], 200) {
		var numbers []string
		for _, i := range set {
			numbers = append(numbers, fmt.Sprint(i+1))
		}
		if _, err := other.Do(`STORE %s +FLAGS.SILENT (\Deleted)`, strings.Join(numbers, ",")); err != nil {
			return e, err
		}
	}
	if err := t.Quiet(5*time.Second, time.Minute); err != nil { // the cache is filled by then
		return e, err
	}
	before, err := ReadUsage(t.Cmd.Process.Pid)
	if err != nil {
		return e, err
	}
	written := t.Output()
	start := time.Now()
	if _, err := other.Do("EXPUNGE"); err != nil {
		return e, err
	}
	replied := time.Now()
	at, err := t.Wait(20*time.Second, "the right count", ShowsCount(box.Messages-n))
	if err != nil {
		return e, err
	}
	e.FromCommand, e.FromReply = at.Sub(start), at.Sub(replied)
	e.Octets = t.Output() - written
	time.Sleep(3 * time.Second)
	after, err := ReadUsage(t.Cmd.Process.Pid)
	e.CPU = after.Sub(before).CPU
	return e, err
}

// ShowsCount says whether a screen shows this number, with or without something
// between its groups of three digits.
func ShowsCount(n int) func(screen string) bool {
	plain := fmt.Sprint(n)
	var forms []string
	for _, sep := range []string{"", ",", ".", " ", "'", "\u2009", "\u202f", "\u00a0"} {
		s := plain
		if i := len(s) - 3; i > 0 {
			s = s[:i] + sep + s[i:]
		}
		forms = append(forms, s)
	}
	return func(screen string) bool {
		for _, f := range forms {
			if strings.Contains(screen, f) {
				return true
			}
		}
		return false
	}
}
