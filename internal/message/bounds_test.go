package message

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// The shapes that make a naive reader quadratic, recursive or huge. What is
// compared is the time of the same shape at two sizes: sixteen times the input
// may take far more than sixteen times as long only if the work is not linear.
func TestParseIsLinear(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	rep := strings.Repeat
	html := func(unit string) func(int) string {
		return func(n int) string {
			return "Content-Type: text/html\r\n\r\n" + rep(unit, n/len(unit))
		}
	}
	plain := func(unit string) func(int) string {
		return func(n int) string { return "Subject: x\r\n\r\n" + rep(unit, n/len(unit)) }
	}
	shapes := map[string]func(n int) string{
		"header line":       func(n int) string { return "Subject: " + rep("x", n) + "\r\n\r\nbody" },
		"header of folds":   func(n int) string { return "Subject: x" + rep("\r\n ", n/3) + "\r\n\r\nbody" },
		"lines without end": func(n int) string { return rep("x\r\n", n/3) },
		"header of spaces":  func(n int) string { return "A: b\r\n" + rep(" \r\n", n/3) },
		"encoded words":     func(n int) string { return "Subject: " + rep("=?x?Q?", n/6) + "\r\n\r\n" },
		"many fields":       func(n int) string { return rep("To: a@b\r\n", n/9) + "\r\n" },
		"parameters":        func(n int) string { return "Content-Type: a/b" + rep(";a=\"", n/4) + "\r\n\r\n" },
		"boundaries alike":  func(n int) string { return "Content-Type: multipart/mixed; boundary=a\r\n\r\n" + rep("--ab\n", n/5) },
		"many parts":        func(n int) string { return "Content-Type: multipart/mixed; boundary=a\r\n\r\n" + rep("--a\n\n", n/5) },
		"base64 garbage":    func(n int) string { return "Content-Transfer-Encoding: base64\r\n\r\n" + rep("!=*\n", n/4) },
		"QP spaces":         func(n int) string { return "Content-Transfer-Encoding: quoted-printable\r\n\r\n" + rep(" ", n) },
		"QP soft breaks":    func(n int) string { return "Content-Transfer-Encoding: quoted-printable\r\n\r\n" + rep("= ", n/2) },
		"plain quotes":      plain("> "),
		"plain URLs":        plain("http://x)"),
		"plain brackets":    plain("http://x/" + rep(")", 4000)),
		"plain schemes":     plain("://"),
		"uuencode":          plain("begin 644 x\n"),
		"uuencode lines":    plain("begin 644 x\n!!!!!\n"),
		"flowed":            func(n int) string { return "Content-Type: text/plain; format=flowed\r\n\r\n" + rep("x \n", n/3) },
		"one line":          plain("word "),
		"html deep":         html("<div>"),
		"html tables":       html("<table>"),
		"html cells":        html("<table><tr><td>x"),
		"html one table":    html("<td>x<tr>"),
		"html formatting":   html("<b><i></b>"),
		"html unclosed tag": html("<a "),
		"html attributes":   func(n int) string { return "Content-Type: text/html\r\n\r\n<a " + rep("a=b ", n/4) + ">x" },
		"html comments":     html("<!--"),
		"html scripts":      html("<script>"),
		"html script ends":  html("<script></scrip"),
		"html entities":     html("&amp"),
		"html lists":        html("<ul><li>"),
		"html links":        html("<a href=http://x.example/>x"),
		"html hidden":       html("<p hidden>x"),
		"html quotes":       html("<blockquote>x"),
		"html pre":          html("<pre>\n"),
		"html plaintext":    html("<plaintext>"),
		"html less-than":    html("<"),
		"html slash":        html("</"),
		"html style":        func(n int) string { return "Content-Type: text/html\r\n\r\n<p style='" + rep("a:b;", n/4) + "'>x" },
		"calendar": func(n int) string {
			return "Content-Type: text/calendar\r\n\r\nBEGIN:VEVENT\n" + rep("SUMMARY:x\n ", n/11)
		},
		"utf-7":              func(n int) string { return "Content-Type: text/plain; charset=utf-7\r\n\r\n" + rep("+", n) },
		"enriched":           func(n int) string { return "Content-Type: text/enriched\r\n\r\n" + rep("<param>", n/7) },
		"marks":              plain("\u0301"),
		"conjuncts on a row": plain("क्"),
	}
	const small, large = 16 << 10, 256 << 10
	run := func(s string, times int) time.Duration {
		b := []byte(s)
		best := time.Duration(1 << 62)
		for range times {
			start := time.Now()
			m := Parse(b, false)
			Wrap(m.Lines, 80, runeWidth)
			best = min(best, time.Since(start))
		}
		return best
	}
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			// A floor under the small time keeps noise out of the ratio, and so
			// do several attempts: what is quadratic fails them all.
			floor := time.Millisecond
			var a, b time.Duration
			for range 5 {
				if a, b = run(shape(small), 3), run(shape(large), 1); b <= 80*max(a, floor) {
					return
				}
			}
			t.Errorf("%v for %d octets, %v for %d", a, small, b, large)
		})
	}
}

func runeWidth(s string) int { return columns(s) }

// nested is n multiparts, each inside the one before.
func nested(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	b.WriteString("\r\nthe innermost text\r\n")
	for i := n - 1; i >= 0; i-- {
		fmt.Fprintf(&b, "--b%d--\r\n", i)
	}
	return b.Bytes()
}

func TestNesting(t *testing.T) {
	if m := Parse(nested(20), false); m.Text() != "the innermost text" || len(m.Problems) != 0 {
		t.Errorf("20 deep: %q, %v", m.Text(), m.Problems)
	}
	m := Parse(nested(5000), false)
	if len(m.Problems) != 1 || !strings.Contains(m.Problems[0].String(), "nested") {
		t.Errorf("5000 deep: problems %v", m.Problems)
	}
	embedded := bytes.Repeat([]byte("Content-Type: message/rfc822\r\n\r\n"), 5000)
	if m := Parse(embedded, false); len(m.Lines) > 10*maxDepth {
		t.Errorf("5000 messages in each other: %d lines", len(m.Lines))
	}
}

func TestManyParts(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("Content-Type: multipart/mixed; boundary=b\r\n\r\n")
	for i := range 100_000 {
		fmt.Fprintf(&b, "--b\r\n\r\npart %d\r\n", i)
	}
	b.WriteString("--b--\r\n")
	m := Parse(b.Bytes(), false)
	if !strings.HasPrefix(m.Text(), "part 0\n") || len(m.Lines) > 3*maxParts {
		t.Errorf("%d lines, beginning %q", len(m.Lines), m.Text()[:min(20, len(m.Text()))])
	}
	if len(m.Problems) != 1 || !strings.Contains(m.Problems[0].String(), "more than 500 parts") {
		t.Errorf("problems %v", m.Problems)
	}
}

// A header line of 64 MB, in the message and in a part, costs memory that does
// not grow with it.
func TestHugeHeaderLine(t *testing.T) {
	if testing.Short() {
		t.Skip("64 MB")
	}
	line := bytes.Repeat([]byte("x"), 63<<20)
	for name, prefix := range map[string]string{
		"subject":    "From: a@example.org\r\nSubject: ",
		"references": "From: a@example.org\r\nReferences: <",
		"part":       "From: a@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: ",
	} {
		t.Run(name, func(t *testing.T) {
			b := append([]byte(prefix), line...)
			var m *Message
			bytesUsed := allocated(func() { m = Parse(b, false) })
			if len(m.From) != 1 {
				t.Errorf("From is lost: %v", m.From)
			}
			// Twice the text that is shown at most: the part's line is shown raw.
			if bytesUsed > 2*maxText {
				t.Errorf("%d KB allocated for it", bytesUsed>>10)
			}
		})
	}
}

// allocated is how many octets f allocates, freed ones included.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
