package emulator

import (
	"strings"
	"testing"

	"github.com/hinshun/vt10x"
)

// TestPieces: wherever a piece ends, the screen is that of the whole.
func TestPieces(t *testing.T) {
	const text = "a\x1b[1mé⚑\x1b[0mさ🚀 \xff\xe2\x9a z⚑"
	show := func(size int) string {
		screen := New(vt10x.WithSize(20, 1))
		for rest := []byte(text); len(rest) > 0; {
			n := min(size, len(rest))
			if k, err := screen.Write(rest[:n]); err != nil || k != n {
				t.Fatalf("%d octets taken of %d, %v", k, n, err)
			}
			rest = rest[n:]
		}
		return screen.String()
	}
	want := show(len(text))
	if !strings.Contains(want, "é⚑さ🚀") || !strings.Contains(want, "z⚑") {
		t.Fatalf("the screen is %q", want)
	}
	for size := 1; size < len(text); size++ {
		if got := show(size); got != want {
			t.Errorf("in pieces of %d: %q, want %q", size, got, want)
		}
	}
}
