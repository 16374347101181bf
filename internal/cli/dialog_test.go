package cli

import (
	"io"
	"os"
	"testing"
)

// TestBlanksAroundAnswers: those around an answer go, those around a password are
// part of it.
func TestBlanksAroundAnswers(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if _, err := io.WriteString(w, "  imap.example.org \r\n  a pass phrase \r\n   \n"); err != nil {
		t.Fatal(err)
	}
	d, err := dialogOn(t.Context(), r, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	d.fd = -1 // nothing is shown by a pipe
	if got, err := d.line("Host", ""); got != "imap.example.org" || err != nil {
		t.Errorf("the host is %q (%v)", got, err)
	}
	if got, err := d.unseen(t.Context(), "Password: "); got != "  a pass phrase " || err != nil {
		t.Errorf("the password is %q (%v)", got, err)
	}
	if got, err := d.line("Port", "993"); got != "993" || err != nil {
		t.Errorf("the port is %q (%v)", got, err)
	}
}
