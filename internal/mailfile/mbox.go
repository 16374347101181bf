package mailfile

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/textproto"
	"os"
	"slices"
	"strings"
	"time"

	"tidings/internal/message"
)

// postmark begins the line before each message of an mbox.
const postmark = "From "

// mbox reads one message of the file called name behind the other.
func mbox(f *os.File, size int64, name string, yield func(Letter, error) bool) {
	lines := lineReader{r: bufio.NewReaderSize(io.NewSectionReader(f, 0, size), 64<<10)}
	var m measure
	var date time.Time
	n := 0
	start, at := int64(0), int64(0)
	end := int64(0)       // of the letter, without the empty line before a postmark
	empty := int64(0)     // octets of the empty line that may be one
	emptyAs := int64(0)   // what it counts in the letter
	give := func() bool { // the letter so far is whole
		if n == 0 {
			return true
		}
		from, to := start, end
		l := Letter{
			Name: fmt.Sprintf("%s, message %d", name, n), Size: m.size, Date: date, Flags: statusFlags(m.header),
			Open: func() (io.ReadCloser, error) {
				r, err := section(name, from, to)
				if err != nil {
					return nil, err
				}
				return convert(r, true), nil
			},
		}
		if l.Date.IsZero() {
			l.Date = message.ParseHeader(m.header).Date
		}
		return yield(l, nil)
	}
	for {
		l, err := lines.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			yield(Letter{}, fmt.Errorf("%s could not be read behind message %d: %w", name, n, err))
			return
		}
		at += int64(l.raw)
		if !l.begun && bytes.HasPrefix(l.text, []byte(postmark)) && (n == 0 || empty > 0 || end == start) {
			if !give() {
				return
			}
			n++
			date = postmarkDate(string(l.text))
			for !l.ended { // the rest of the postmark
				if l, err = lines.next(); err != nil {
					break
				}
				at += int64(l.raw)
			}
			m = measure{}
			start, end, empty, emptyAs = at, at, 0, 0
			continue
		}
		if empty > 0 { // it was part of the letter after all
			end += empty
			m.size += emptyAs
			m.body = true
			empty, emptyAs = 0, 0
		}
		if len(l.text) == 0 && l.ended && !l.begun {
			empty, emptyAs = int64(l.raw), 2
			continue
		}
		text := l.text
		if !l.begun {
			text = unquoted(text)
		}
		m.add(l, text)
		end += int64(l.raw)
	}
	give()
}

// postmarkDate reads the date of "From alice@example.org Sat Jan  3 01:05:34
// 1996", with or without a zone; zero where there is none.
func postmarkDate(s string) time.Time {
	fields := strings.Fields(s)
	for i := range fields {
		rest := strings.Join(fields[i:], " ")
		for _, layout := range []string{"Mon Jan 2 15:04:05 2006", "Mon Jan 2 15:04:05 -0700 2006", "Mon Jan 2 15:04:05 2006 -0700", "Mon Jan 2 15:04:05 MST 2006", "Mon Jan 2 15:04 2006"} {
			if t, err := time.Parse(layout, rest); err == nil {
				return t
			}
		}
	}
	return time.Time{}
}

// statusFlags are the flags that the fields Status and X-Status stand for, as
// mail programs have written them into mboxes since the eighties.
func statusFlags(header []byte) []string {
	var flags []string
	for l := range bytes.Lines(header) {
		name, value, ok := bytes.Cut(l, []byte(":"))
		if !ok {
			continue
		}
		switch textproto.CanonicalMIMEHeaderKey(string(name)) {
		case "Status", "X-Status":
			for _, c := range value {
				switch c {
				case 'R':
					flags = append(flags, `\Seen`)
				case 'A':
					flags = append(flags, `\Answered`)
				case 'F':
					flags = append(flags, `\Flagged`)
				case 'T':
					flags = append(flags, `\Draft`)
				case 'D':
					flags = append(flags, `\Deleted`)
				}
			}
		}
	}
	slices.Sort(flags)
	return slices.Compact(flags)
}

// MboxWriter writes messages behind one another, quoted as mboxrd and with LF at
// the ends of lines.
type MboxWriter struct {
	w io.Writer
}

// NewMboxWriter writes to w.
func NewMboxWriter(w io.Writer) *MboxWriter { return &MboxWriter{w} }

// Write adds a message: sender is an address, "" for none, date when it was
// received.
func (m *MboxWriter) Write(r io.Reader, sender string, date time.Time) error {
	sender = strings.Join(strings.Fields(sender), "")
	if sender == "" {
		sender = "MAILER-DAEMON"
	}
	w := bufio.NewWriter(m.w)
	fmt.Fprintf(w, "%s%s %s\n", postmark, sender, date.UTC().Format("Mon Jan _2 15:04:05 2006"))
	lines := lineReader{r: bufio.NewReaderSize(r, 64<<10)}
	ended, crs := true, 0
	for {
		l, err := lines.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if !l.begun && bytes.HasPrefix(bytes.TrimLeft(l.text, ">"), []byte(postmark)) {
			_ = w.WriteByte('>')
		}
		// CRs before an LF would be another line's end: they are left out.
		text := bytes.TrimRight(l.text, "\r")
		if len(text) > 0 {
			_, _ = w.Write(bytes.Repeat([]byte("\r"), crs))
			crs = 0
		}
		_, _ = w.Write(text)
		if crs += len(l.text) - len(text); l.ended {
			crs = 0
		}
		if ended = l.ended; ended {
			_ = w.WriteByte('\n')
		}
	}
	if !ended {
		_ = w.WriteByte('\n')
	}
	_ = w.WriteByte('\n')
	return w.Flush()
}
