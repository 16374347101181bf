package safetext

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// Every character there is: one that the renderer gives no cell, and so cannot
// be seen by itself, goes through only where it belongs to the one before it.
func TestNothingInvisibleGoesThrough(t *testing.T) {
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		got := Clean("a" + string(r) + "b").String()
		if !strings.ContainsRune(got, r) || r == 'a' || r == 'b' {
			continue
		}
		if ansi.StringWidthWc(string(r)) == 0 && !isMark(r) {
			t.Errorf("%U goes through and has no width", r)
		}
		if n := ansi.StringWidthWc(got); n < 2 || n > 4 {
			t.Errorf("a %U b is %d cells wide", r, n)
		}
	}
}
