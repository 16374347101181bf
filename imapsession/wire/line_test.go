package wire

import (
	"net"
	"strings"
	"testing"
)

func TestReadLine(t *testing.T) {
	ours, theirs := net.Pipe()
	go func() {
		theirs.Write([]byte("* OK hi\r\nnext"))
		theirs.Close()
	}()
	if line, err := ReadLine(ours, 100); line != "* OK hi" || err != nil {
		t.Errorf("%q, %v", line, err)
	}
	rest := make([]byte, 4)
	if n, _ := ours.Read(rest); string(rest[:n]) != "next" {
		t.Errorf("behind the line comes %q", rest[:n])
	}
	for in, limit := range map[string]int{"12345\n": 4, "1234": 4, "": 4} {
		if line, err := ReadLine(strings.NewReader(in), limit); err == nil {
			t.Errorf("%q: %q", in, line)
		}
	}
	if line, err := ReadLine(strings.NewReader("1234\r\n"), 5); line != "1234" || err != nil {
		t.Errorf("%q, %v", line, err)
	}
}
