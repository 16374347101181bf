// Package emulator is the terminal that tests and benchmarks look at.
package emulator

import (
	"unicode/utf8"

	"github.com/hinshun/vt10x"
)

// Terminal is a vt10x.Terminal that may be written to as a pseudo-terminal is read:
// in pieces that end anywhere, also in the middle of a character, which vt10x would
// drop. It is for one goroutine at a time.
type Terminal struct {
	vt10x.Terminal
	rest []byte // of a character that is not complete
}

// New makes a Terminal.
func New(o ...vt10x.TerminalOption) *Terminal { return &Terminal{Terminal: vt10x.New(o...)} }

// Write takes all of b.
func (t *Terminal) Write(b []byte) (int, error) {
	all := append(t.rest, b...)
	n := whole(all)
	t.rest = append([]byte(nil), all[n:]...)
	if _, err := t.Terminal.Write(all[:n]); err != nil {
		return 0, err
	}
	return len(b), nil
}

// whole is how many octets of b there are without the character that has only begun.
func whole(b []byte) int {
	for i := len(b) - 1; i >= 0 && len(b)-i < utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i]) {
			if utf8.FullRune(b[i:]) {
				break
			}
			return i
		}
	}
	return len(b)
}
