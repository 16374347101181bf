package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const showMessage = "From: =?utf-8?Q?J=C3=B6rg?= <j@example.org>\r\n" +
	"To: a@example.org, Team: b@example.org;\r\n" +
	"Subject: Deploy \x1b[31mwindow\r\n" +
	"Date: Fri, 20 Nov 2026 14:03:07 +0100\r\n" +
	"Message-ID: <1@example.org>\r\n" +
	"MIME-Version: 1.0\r\n" +
	"Content-Type: multipart/mixed; boundary=b\r\n\r\n" +
	"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" +
	"> an earlier thought that is long enough to be wrapped\r\n" +
	"Have a look: https://example.org/deploy\x07\r\n" +
	"--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n" +
	"Content-Disposition: attachment; filename=\"plan\x07.pdf\"\r\n\r\nJVBERi0x\r\n--b--\r\n"

func show(t *testing.T, stdin, path string, jsonOut bool, width int) (status int, stdout, stderr string) {
	t.Helper()
	var out, errOut bytes.Buffer
	status = Show(strings.NewReader(stdin), &out, &errOut, path, jsonOut, width)
	return status, out.String(), errOut.String()
}

func TestShow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.eml")
	if err := os.WriteFile(path, []byte(showMessage), 0o600); err != nil {
		t.Fatal(err)
	}
	status, out, errOut := show(t, "", path, false, 40)
	want := `From: Jörg <j@example.org>
To: a@example.org, b@example.org
Date: Fri, 20 Nov 2026 14:03:07 +0100
Subject: Deploy window

> an earlier thought that is long enough
> to be wrapped
Have a look: https://example.org/deploy
[1]

Attachments:
  plan.pdf  application/pdf  6 B

Links:
  [1] https://example.org/deploy
`
	if status != 0 || errOut != "" || out != want {
		t.Errorf("status %d, stderr %q, stdout:\n%s\nwant:\n%s", status, errOut, out, want)
	}
}

func TestShowTellsWhereLinksGo(t *testing.T) {
	in := "Content-Type: text/html; charset=utf-8\n\n" +
		"<a href='https://www.bank.com@evil.example/'>www.bank.com</a> <a href='https://p\u0430ypal.com/'>pay</a> <a href='https://Shop.example/'>shop</a>"
	_, out, _ := show(t, in, "-", false, 100)
	want := `www.bank.com [1: goes to evil.example] pay [2] shop [3]

Links:
  [1] https://www.bank.com@evil.example/  (goes to evil.example)  (its text says www.bank.com)
  [2] https://p` + "\u0430" + `ypal.com/  (goes to xn--pypal-4ve.com)
  [3] https://Shop.example/
`
	if out != want {
		t.Errorf("got:\n%s\nwant:\n%s", out, want)
	}
}

func TestShowJSON(t *testing.T) {
	status, out, errOut := show(t, showMessage, "-", true, 0)
	want := `{"subject":"Deploy window","from":[{"name":"Jörg","address":"j@example.org"}],` +
		`"to":[{"name":"","address":"a@example.org"},{"name":"","address":"b@example.org"}],"cc":[],` +
		`"date":"2026-11-20T14:03:07+01:00","message_id":"1@example.org",` +
		`"text":"> an earlier thought that is long enough to be wrapped\nHave a look: https://example.org/deploy [1]",` +
		`"attachments":[{"name":"plan.pdf","type":"application/pdf","size":6}]}` + "\n"
	if status != 0 || errOut != "" || out != want {
		t.Errorf("status %d, stderr %q, stdout:\n%s\nwant:\n%s", status, errOut, out, want)
	}
}

func TestShowJSONOfNothing(t *testing.T) {
	for _, in := range []string{"", "\x00\xff\x1b[2J", "Subject:\n\n"} {
		status, out, _ := show(t, in, "-", true, 0)
		var got map[string]any
		if err := json.Unmarshal([]byte(out), &got); err != nil || status != 0 {
			t.Fatalf("%q: status %d, %v: %s", in, status, err, out)
		}
		for _, list := range []string{"from", "to", "cc", "attachments"} {
			if l, ok := got[list].([]any); !ok || len(l) != 0 {
				t.Errorf("%q: %s is %v, want []", in, list, got[list])
			}
		}
		if d, ok := got["date"]; !ok || d != nil {
			t.Errorf("%q: date is %v, want null", in, d)
		}
		for _, s := range []string{"subject", "message_id"} {
			if got[s] != "" {
				t.Errorf("%q: %s is %v, want \"\"", in, s, got[s])
			}
		}
	}
}

func TestShowProblems(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		name, path string
		status     int
		says       string
	}{
		{"no path", "", 2, "name a message file"},
		{"missing", filepath.Join(dir, "none.eml"), 1, "there is no file"},
		{"directory", dir, 1, "is a directory"},
		{"hostile name", filepath.Join(dir, "a\x1b]0;x\x07b"), 1, "there is no file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, out, errOut := show(t, "", tt.path, false, 80)
			if status != tt.status || !strings.Contains(errOut, tt.says) || out != "" {
				t.Errorf("status %d, stdout %q, stderr %q", status, out, errOut)
			}
			if strings.ContainsAny(errOut, "\x1b\x07") || strings.Count(errOut, "\n") != 1 {
				t.Errorf("stderr is not one safe line: %q", errOut)
			}
		})
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestShowTellsFailedOutput(t *testing.T) {
	var errOut bytes.Buffer
	if status := Show(strings.NewReader(showMessage), brokenWriter{}, &errOut, "-", false, 80); status != 1 {
		t.Errorf("status %d, want 1", status)
	}
	if !strings.Contains(errOut.String(), "no space left") {
		t.Errorf("stderr %q", errOut.String())
	}
}
