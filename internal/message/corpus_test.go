package message

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the expected texts of testdata/mail")

// The corpus: mail as it comes, and beside each message what a person gets to
// read of it.
func TestCorpus(t *testing.T) {
	names, err := filepath.Glob("testdata/mail/*.eml")
	if err != nil || len(names) < 40 {
		t.Fatalf("%d messages, %v", len(names), err)
	}
	for _, name := range names {
		base := strings.TrimSuffix(filepath.Base(name), ".eml")
		t.Run(base, func(t *testing.T) {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got := dump(Parse(b, false))
			golden := strings.TrimSuffix(name, ".eml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// Cut anywhere, a message still reads, and says nothing of being cut.
func TestTruncatedAnywhere(t *testing.T) {
	names, _ := filepath.Glob("testdata/mail/*.eml")
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for n := 0; n < len(b); n += 1 + len(b)/200 {
			m := Parse(b[:n], true)
			checkText(t, m.Text())
			for _, p := range m.Problems {
				if strings.Contains(p.String(), "ends before") {
					t.Errorf("%s cut at %d: %s", name, n, p)
				}
			}
		}
	}
}

// dump writes a message the way the expected texts have it.
func dump(m *Message) string {
	var b strings.Builder
	for _, f := range m.Fields() {
		fmt.Fprintf(&b, "%s: %s\n", f.Name, f.Value)
	}
	b.WriteString("\n")
	for _, l := range m.Lines {
		mark := " "
		if l.Fixed {
			mark = "="
		}
		fmt.Fprintf(&b, "%s|%s%s\n", mark, strings.Repeat("> ", l.Quote), l.Text)
	}
	for _, a := range m.Attachments {
		fmt.Fprintf(&b, "attachment: %q %s %d\n", a.Name, a.Type, a.Size)
	}
	for _, l := range m.Links {
		warn := ""
		if l.Mismatch {
			warn = " MISMATCH"
		}
		fmt.Fprintf(&b, "link %d: %s (%s) %q%s\n", l.N, l.URL, l.Host, l.Text, warn)
	}
	for _, p := range m.Problems {
		fmt.Fprintf(&b, "problem: %s\n", p)
	}
	return b.String()
}
