package mailfile

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// got is a Letter with its octets.
type got struct {
	Name  string
	Date  time.Time
	Flags []string
	Text  string
}

// read opens every letter, twice, and holds its size against its octets.
func read(t testing.TB, letters func(func(Letter, error) bool)) (all []got, errs []string) {
	t.Helper()
	for l, err := range letters {
		if err != nil {
			errs = append(errs, err.Error())
			continue
		}
		var text string
		for range 2 {
			r, err := l.Open()
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(r)
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			if err != nil || int64(len(b)) != l.Size {
				t.Fatalf("%s: %d octets, %d are said, %v", l.Name, len(b), l.Size, err)
			}
			text = string(b)
		}
		all = append(all, got{l.Name, l.Date.UTC(), l.Flags, text})
	}
	return all, errs
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestMbox(t *testing.T) {
	path := filepath.Join(t.TempDir(), "old")
	write(t, path, "From alice@example.org Sat Jan  3 01:05:34 1998\n"+
		"Subject: one\nStatus: RO\nX-Status: AF\n\nhello\n>From here on\n>>From there\nFrom the middle of a text\n\n"+
		"From bob@example.org Sun Jan  4 10:00:00 1998 +0200\r\nSubject: two\r\n\r\nwith CRLF\r\n\r\n\r\n"+
		"From nobody\nDate: Tue, 6 Jan 1998 09:00:00 +0000\n\nno date above, no line's end below")
	all, errs := read(t, Letters(path))
	want := []got{
		{path + ", message 1", time.Date(1998, 1, 3, 1, 5, 34, 0, time.UTC), []string{`\Answered`, `\Flagged`, `\Seen`},
			"Subject: one\r\nStatus: RO\r\nX-Status: AF\r\n\r\nhello\r\nFrom here on\r\n>From there\r\nFrom the middle of a text\r\n"},
		{path + ", message 2", time.Date(1998, 1, 4, 8, 0, 0, 0, time.UTC), nil, "Subject: two\r\n\r\nwith CRLF\r\n\r\n"},
		{path + ", message 3", time.Date(1998, 1, 6, 9, 0, 0, 0, time.UTC), nil,
			"Date: Tue, 6 Jan 1998 09:00:00 +0000\r\n\r\nno date above, no line's end below"},
	}
	if diff := cmp.Diff(want, all); diff != "" || errs != nil {
		t.Errorf("(-want +got):\n%s%q", diff, errs)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	spooled, remove, err := Spool(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if again, errs := read(t, Letters(spooled)); len(again) != 3 || errs != nil {
		t.Errorf("%v, %q", again, errs)
	}
	remove()
	if _, err := os.Stat(spooled); !os.IsNotExist(err) {
		t.Errorf("what was spooled stays: %v", err)
	}
}

// TestLongLines: where a line's end falls across two pieces, it is one all the
// same.
func TestLongLines(t *testing.T) {
	for n := 64<<10 - 2; n <= 64<<10+2; n++ {
		path := filepath.Join(t.TempDir(), "a.eml")
		text := "Subject: x\r\n\r\n" + strings.Repeat("x", n) + "\r\nend\r\n"
		write(t, path, text)
		if all, errs := read(t, Letters(path)); len(all) != 1 || errs != nil || all[0].Text != text {
			t.Errorf("%d: %q", n, errs)
		}
	}
}

func TestOneMessage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.eml")
	write(t, path, "Date: Tue, 6 Jan 1998 09:00:00 +0100\nSubject: x\n\n>From stays\n"+strings.Repeat("long ", 40_000)+"\n")
	all, errs := read(t, Letters(path))
	if len(all) != 1 || errs != nil || !all[0].Date.Equal(time.Date(1998, 1, 6, 8, 0, 0, 0, time.UTC)) ||
		!strings.Contains(all[0].Text, "\r\n\r\n>From stays\r\nlong long ") || strings.Count(all[0].Text, "\r\n") != 5 {
		t.Errorf("%d letters, %q", len(all), errs)
	}
}

func TestMaildir(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "cur", "2.x:2,FS"), "Subject: second\n\nb\n")
	write(t, filepath.Join(dir, "new", "1.x"), "Subject: first\n\na\n")
	write(t, filepath.Join(dir, "new", ".hidden"), "no\n")
	write(t, filepath.Join(dir, "tmp", "3.x"), "no\n")
	when := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	if err := os.Chtimes(filepath.Join(dir, "new", "1.x"), when, when); err != nil {
		t.Fatal(err)
	}
	all, errs := read(t, Letters(dir))
	if len(all) != 2 || errs != nil || all[0].Text != "Subject: first\r\n\r\na\r\n" || !all[0].Date.Equal(when) ||
		!cmp.Equal(all[1].Flags, []string{`\Flagged`, `\Seen`}) {
		t.Errorf("%v, %q", all, errs)
	}
}

func TestWhatIsNoMail(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "empty"), "")
	for path, says := range map[string]string{
		filepath.Join(dir, "missing"): "check the name",
		filepath.Join(dir, "empty"):   "is empty",
		dir:                           "no Maildir",
	} {
		if all, errs := read(t, Letters(path)); len(all) > 0 || len(errs) != 1 || !strings.Contains(errs[0], says) {
			t.Errorf("%s: %v, %q", path, all, errs)
		}
	}
	if _, _, err := Spool(iotest.ErrReader(io.ErrUnexpectedEOF)); err == nil || !strings.Contains(err.Error(), "could not be read") {
		t.Error(err)
	}
	if _, errs := read(t, Letters(os.DevNull)); len(errs) != 1 || !strings.Contains(errs[0], "standard input") {
		t.Errorf("%q", errs)
	}
}

// FuzzMbox: what the writer wrote the reader reads, whatever stands in it; and no
// file makes the sizes wrong.
func FuzzMbox(f *testing.F) {
	f.Add([]byte("Subject: a\n\nFrom x\n>From y\n\n\n"), []byte("b"))
	f.Add([]byte("From a\r\n\r\n\r\nFrom b\r\nFrom c"), []byte("\n\nFrom \n\nFrom \n"))
	f.Add([]byte("\r\n\r"), []byte("\r\r\n"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		dir := t.TempDir()
		for i, raw := range [][]byte{a, b} {
			if len(raw) > 0 {
				path := filepath.Join(dir, "raw"+string(rune('0'+i)))
				write(t, path, string(raw))
				read(t, Letters(path))
			}
		}
		var file bytes.Buffer
		w := NewMboxWriter(&file)
		date := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		for _, letter := range [][]byte{a, b} {
			if err := w.Write(bytes.NewReader(letter), "alice@example.org", date); err != nil {
				t.Fatal(err)
			}
		}
		path := filepath.Join(dir, "written")
		write(t, path, file.String())
		all, errs := read(t, Letters(path))
		if len(all) != 2 || errs != nil {
			t.Fatalf("%d letters, %q of %q", len(all), errs, file.String())
		}
		for i, letter := range [][]byte{a, b} {
			want := normal(letter)
			if all[i].Text != want || !all[i].Date.Equal(date) {
				t.Errorf("letter %d is %q, not %q; file %q", i, all[i].Text, want, file.String())
			}
		}
	})
}

// normal is a letter with CRLF, and a line's end at its end.
func normal(b []byte) string {
	var out strings.Builder
	for l := range bytes.Lines(b) {
		l, _ = bytes.CutSuffix(l, []byte("\n"))
		out.Write(bytes.TrimRight(l, "\r"))
		out.WriteString("\r\n")
	}
	return out.String()
}
