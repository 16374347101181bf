package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tidings/internal/mailfile"
	"tidings/internal/testserver"
)

// appendHome is an empty home with a config for the server, and an mbox.
func appendHome(t *testing.T, addr string, s *testserver.Server, letters, octets int) (config, mbox string) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("XDG_STATE_HOME", filepath.Join(dir, "state"))
	name, port := host(t, addr)
	config = filepath.Join(dir, "config.toml")
	text := fmt.Sprintf("[[account]]\nname = \"real\"\nhost = %q\nport = %s\ntls = \"none\"\nuser = %q\npassword_command = [\"echo\", %q]\n", name, port, s.User, s.Password)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	w := mailfile.NewMboxWriter(&file)
	for i := range letters {
		raw := fmt.Sprintf("Message-ID: <%d@old.example>\nSubject: old %d\nStatus: RO\n\n%s\n", i, i, strings.Repeat("x", octets))
		if err := w.Write(strings.NewReader(raw), "alice@example.org", time.Date(1998, 1, 1+i%28, 1, 2, 3, 0, time.UTC)); err != nil {
			t.Fatal(err)
		}
	}
	mbox = filepath.Join(dir, "old.mbox")
	if err := os.WriteFile(mbox, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return config, mbox
}

func TestAppendCommand(t *testing.T) {
	srv := testserver.Dovecot(t)
	config, mbox := appendHome(t, srv.Addr, srv, 50, 100)
	eml := filepath.Join(filepath.Dir(mbox), "a.eml")
	if err := os.WriteFile(eml, []byte("Subject: alone\n\nhello\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	status, out, errs := runIn(t, "append", "--config", config, "--to", "Old mail", mbox, eml)
	if status != exitFailed || !strings.Contains(errs, "there is no folder Old mail") {
		t.Errorf("%d %q %q", status, out, errs)
	}
	status, out, errs = runIn(t, "append", "--config", config, "--to", "Old mail", "--create", mbox, eml)
	if status != exitDone || out != "51 appended to Old mail (UID 1 to 51)\n" || errs != "" {
		t.Errorf("%d %q %q", status, out, errs)
	}
	rows := srv.Rows(t, "Old mail")
	if len(rows) != 51 || !strings.Contains(rows[0].String(), `\Seen`) {
		t.Errorf("%v", rows)
	}
	for _, c := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"--to", "INBOX"}, exitUsage, "name at least one file"},
		{[]string{mbox}, exitUsage, "say into which folder"},
		{[]string{"--to", "INBOX", "--resume", "--anew", mbox}, exitUsage, "do not go together"},
		{[]string{"--to", "INBOX", "--resume", mbox}, exitFailed, "no interrupted run"},
		{[]string{"--to", "INBOX", mbox + "x"}, exitFailed, "check the name"},
		{[]string{"--to", "INBOX", "--account", "nobody", mbox}, exitFailed, "nobody"},
	} {
		status, _, errs := runIn(t, append([]string{"append", "--config", config}, c.args...)...)
		if status != c.status && !(c.status == exitFailed && status == exitUsage) || !strings.Contains(errs, c.says) {
			t.Errorf("%q: %d %q", c.args, status, errs)
		}
	}
	if len(srv.Rows(t, "INBOX")) != 0 {
		t.Error("something was appended by commands that make no sense")
	}
}

// TestAppendInterrupted: stopped, and then taken up, the command puts every
// letter there once. So it does when its journal lost what it knew last.
func TestAppendInterrupted(t *testing.T) {
	srv := testserver.Dovecot(t, testserver.WithoutCapability("MULTIAPPEND"))
	link := testserver.NewLink(t, srv.Addr)
	config, mbox := appendHome(t, link.Addr(), srv, 300, 4000)
	link.SetBandwidth(testserver.ToServer, 600<<10)
	args := []string{"append", "--config", config, "--to", "INBOX", mbox}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		reader := srv.Client(t)
		for ctx.Err() == nil {
			if len(testserver.Rows(t, reader, "INBOX")) > 40 {
				cancel()
			}
		}
	}()
	var out, errs bytes.Buffer
	status := Program{Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs}.run(ctx)
	there := len(srv.Rows(t, "INBOX"))
	if status != exitFailed || !strings.Contains(errs.String(), "--resume") || !strings.HasPrefix(out.String(), fmt.Sprintf("%d appended", there)) || there >= 300 {
		t.Fatalf("%d, %d are there: %q %q", status, there, out.String(), errs.String())
	}
	if status, _, errs := runIn(t, args...); status != exitFailed || !strings.Contains(errs, "was interrupted when") {
		t.Errorf("again without a word about the first run: %d %q", status, errs)
	}
	journals, err := filepath.Glob(filepath.Join(os.Getenv("XDG_STATE_HOME"), "tidings", "append", "*.journal"))
	if err != nil || len(journals) != 1 {
		t.Fatal(journals, err)
	}
	b, err := os.ReadFile(journals[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(journals[0], b[:len(b)*2/3], 0o600); err != nil { // as a crash of the machine leaves it
		t.Fatal(err)
	}
	link.SetBandwidth(testserver.ToServer, 0)
	status, stdout, stderr := runIn(t, append(args, "--resume")...)
	if status != exitDone || !strings.Contains(stdout, "found there") {
		t.Errorf("%d %q %q", status, stdout, stderr)
	}
	if n := len(srv.Rows(t, "INBOX")); n != 300 {
		t.Errorf("%d are there", n)
	}
	if left, _ := filepath.Glob(filepath.Join(os.Getenv("XDG_STATE_HOME"), "tidings", "append", "*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}
