package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"tidings/internal/message"
	"tidings/internal/safetext"
)

// maxShow is how much of a message is read; message.Parse looks at no more.
const maxShow = 64 << 20

// Show prints the message in the file path, or on stdin where path is "-", as
// the reading pane shows it: header fields, text wrapped to width cells (80
// where width is not positive), attachments, links. With jsonOut it prints one
// JSON object instead, whose strings are cleaned like everything else. It
// returns the exit status: 0, 1 where the message could not be read or written,
// 2 where no path was given.
func Show(stdin io.Reader, stdout, stderr io.Writer, path string, jsonOut bool, width int) int {
	if path == "" {
		fmt.Fprintln(stderr, "tidings show: name a message file, or - to read one from standard input.")
		return 2
	}
	b, truncated, err := readMessage(stdin, path)
	if err != nil {
		fmt.Fprintln(stderr, "tidings show: "+safetext.Clean(readProblem(path, err)).String())
		return 1
	}
	m := message.Parse(b, truncated)
	w := bufio.NewWriter(stdout)
	if jsonOut {
		err = writeJSON(w, m)
	} else {
		writeMessage(w, m, width)
	}
	if err := errors.Join(err, w.Flush()); err != nil {
		fmt.Fprintln(stderr, "tidings show: the output could not be written: "+safetext.Clean(err.Error()).String())
		return 1
	}
	return 0
}

// readMessage reads at most maxShow octets and tells whether there were more.
func readMessage(stdin io.Reader, path string) (b []byte, truncated bool, err error) {
	r := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, false, err
		}
		defer f.Close()
		r = f
	}
	if b, err = io.ReadAll(io.LimitReader(r, maxShow+1)); err != nil {
		return nil, false, err
	}
	if len(b) > maxShow {
		return b[:maxShow], true, nil
	}
	return b, false, nil
}

// readProblem says what is wrong with the file and what to do.
func readProblem(path string, err error) string {
	if path == "-" {
		return fmt.Sprintf("standard input could not be read: %v", err)
	}
	if info, statErr := os.Stat(path); statErr == nil && info.IsDir() {
		return fmt.Sprintf("%s is a directory; name a message file in it.", path)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf("there is no file %s; check the path.", path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf("%s may not be read by this user; check its permissions.", path)
	}
	return fmt.Sprintf("%s could not be read: %v", path, err)
}

// writeMessage prints a message for people. Errors stay in w until its Flush.
func writeMessage(w *bufio.Writer, m *message.Message, width int) {
	if width <= 0 {
		width = 80
	}
	printed := false
	section := func(lines []message.Line) {
		if len(lines) == 0 {
			return
		}
		if printed {
			w.WriteByte('\n')
		}
		printed = true
		for _, row := range message.Wrap(lines, width, ansi.StringWidthWc) {
			w.WriteString(row.Text.String())
			w.WriteByte('\n')
		}
	}
	var head []message.Line
	for _, f := range m.Fields() {
		head = append(head, message.Line{Text: safetext.Format("%s: %s", f.Name, f.Value)})
	}
	section(head)
	section(m.Lines)
	section(attachmentLines(m.Attachments))
	section(linkLines(m.Links))
	var problems []message.Line
	for _, p := range m.Problems {
		problems = append(problems, message.Line{Text: safetext.Format("Note: %s", p)})
	}
	section(problems)
}

func attachmentLines(as []message.Attachment) []message.Line {
	if len(as) == 0 {
		return nil
	}
	lines := []message.Line{{Text: safetext.Const("Attachments:")}}
	for _, a := range as {
		name := safetext.Clean(a.Name)
		if name.IsEmpty() {
			name = safetext.Const("(no name)")
		}
		size := octets(a.Size)
		if a.Cut {
			size = safetext.Format("more than %s", size)
		}
		lines = append(lines, message.Line{Text: safetext.Format("  %s  %s  %s", name, safetext.Clean(a.Type), size)})
	}
	return lines
}

// octets says a size for people.
func octets(n int64) safetext.Text {
	switch {
	case n < 1000:
		return safetext.Format("%s B", safetext.Int(n))
	case n < 1000_000:
		return safetext.Clean(fmt.Sprintf("%.1f kB", float64(n)/1000))
	}
	return safetext.Clean(fmt.Sprintf("%.1f MB", float64(n)/1000_000))
}

func linkLines(links []message.Link) []message.Line {
	if len(links) == 0 {
		return nil
	}
	lines := []message.Line{{Text: safetext.Const("Links:")}}
	for _, l := range links {
		t := safetext.Format("  [%s] %s", safetext.Int(l.N), safetext.Clean(l.URL))
		if host := strings.ToLower(l.Host); host != "" && !plainlyAt(l.URL, host) {
			t = safetext.Format("%s  (goes to %s)", t, safetext.Clean(host))
		}
		if l.Mismatch {
			t = safetext.Format("%s  (its text says %s)", t, l.Text)
		}
		lines = append(lines, message.Line{Text: t})
	}
	return lines
}

// plainlyAt tells whether a person sees in the URL which host it goes to: it
// does not hide behind a user name, or in letters that look like others.
func plainlyAt(url, host string) bool {
	_, rest, _ := strings.Cut(strings.ToLower(url), ":")
	return strings.HasPrefix(strings.TrimPrefix(rest, "//"), host) || strings.HasPrefix(strings.ToLower(url), "mailto:")
}

// The JSON form of a message. Fields are in the order of the documentation;
// lists are never null.
type (
	jsonMessage struct {
		Subject     string           `json:"subject"`
		From        []jsonAddress    `json:"from"`
		To          []jsonAddress    `json:"to"`
		Cc          []jsonAddress    `json:"cc"`
		Date        *string          `json:"date"` // RFC 3339
		MessageID   string           `json:"message_id"`
		Text        string           `json:"text"`
		Attachments []jsonAttachment `json:"attachments"`
	}
	jsonAddress struct {
		Name    string `json:"name"`
		Address string `json:"address"`
	}
	jsonAttachment struct {
		Name string `json:"name"`
		Type string `json:"type"`
		Size int64  `json:"size"`
	}
)

func writeJSON(w io.Writer, m *message.Message) error {
	out := jsonMessage{
		Subject:     cleaned(m.Subject),
		From:        jsonAddresses(m.From),
		To:          jsonAddresses(m.To),
		Cc:          jsonAddresses(m.Cc),
		MessageID:   cleaned(m.MessageID),
		Text:        m.Text(),
		Attachments: []jsonAttachment{},
	}
	if !m.Date.IsZero() {
		s := m.Date.Format(time.RFC3339)
		out.Date = &s
	}
	for _, a := range m.Attachments {
		out.Attachments = append(out.Attachments, jsonAttachment{cleaned(a.Name), cleaned(a.Type), a.Size})
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(out)
}

func jsonAddresses(as []message.Address) []jsonAddress {
	out := make([]jsonAddress, 0, len(as))
	for _, a := range as {
		out = append(out, jsonAddress{cleaned(a.Name), cleaned(a.Address)})
	}
	return out
}

func cleaned(s string) string { return safetext.Clean(s).String() }
