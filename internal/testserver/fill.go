package testserver

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Mail is one message of a bulk fill.
type Mail struct {
	Raw   []byte
	Date  time.Time // INTERNALDATE; zero: now
	Flags string    // Maildir letters: S seen, F flagged, R answered, D draft, T deleted
}

// Fill puts n messages into a mailbox; mail(i) is asked for in ascending order
// of UID. In the maildir format the mailbox should never have been opened, and
// 100,000 take seconds; in the others they go through MULTIAPPEND.
func (s *Server) Fill(t testing.TB, mailbox string, n int, mail func(i int) Mail) {
	t.Helper()
	var err error
	if s.Maildir != "" {
		err = s.fillMaildir(mailbox, n, mail)
	} else {
		err = s.fillByAppend(mailbox, n, mail)
	}
	if err != nil {
		t.Fatalf("fill %s: %v", mailbox, err)
	}
}

// fillMaildir writes the files that Dovecot would have written.
func (s *Server) fillMaildir(mailbox string, n int, mail func(i int) Mail) error {
	dir := s.Maildir
	if !strings.EqualFold(mailbox, "INBOX") {
		dir = filepath.Join(dir, "."+mailbox)
	}
	if err := s.makeMaildir(dir); err != nil {
		return err
	}
	for i := range n {
		m := mail(i)
		// Dovecot numbers new files in the order of their names.
		name := fmt.Sprintf("%010d.M%06dP1.fill,S=%d:2,%s", 1_000_000_000+i, i%1_000_000, len(m.Raw), m.Flags)
		path := filepath.Join(dir, "cur", name)
		if err := os.WriteFile(path, m.Raw, 0o600); err != nil {
			return err
		}
		if !m.Date.IsZero() {
			if err := os.Chtimes(path, m.Date, m.Date); err != nil {
				return err
			}
		}
		if err := s.own(path); err != nil {
			return err
		}
	}
	return nil
}

// flagOfLetter translates the flags of Maildir.
var flagOfLetter = map[rune]string{'S': `\Seen`, 'F': `\Flagged`, 'R': `\Answered`, 'D': `\Draft`, 'T': `\Deleted`}

// appendBatch is how many messages one MULTIAPPEND (RFC 3502) carries.
const appendBatch = 500

// fillByAppend sends all messages without waiting between them (LITERAL+).
func (s *Server) fillByAppend(mailbox string, n int, mail func(i int) Mail) error {
	conn, err := net.Dial("tcp", s.Addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	out := bufio.NewWriterSize(conn, 1<<20)
	fmt.Fprintf(out, "in LOGIN %s %s\r\n", s.User, s.Password)
	batches := 0
	for i := range n {
		if i%appendBatch == 0 {
			if i > 0 {
				fmt.Fprint(out, "\r\n")
			}
			fmt.Fprintf(out, "b%d APPEND \"%s\"", batches, mailbox)
			batches++
		}
		m := mail(i)
		var flags []string
		for _, letter := range m.Flags {
			flags = append(flags, flagOfLetter[letter])
		}
		fmt.Fprintf(out, " (%s)", strings.Join(flags, " "))
		if !m.Date.IsZero() {
			fmt.Fprintf(out, " \"%s\"", m.Date.Format("_2-Jan-2006 15:04:05 -0700"))
		}
		fmt.Fprintf(out, " {%d+}\r\n", len(m.Raw))
		// Its error is sticky and comes out of Flush.
		_, _ = out.Write(m.Raw)
	}
	if n > 0 {
		fmt.Fprint(out, "\r\n")
	}
	fmt.Fprint(out, "out LOGOUT\r\n")
	if err := out.Flush(); err != nil {
		return err
	}
	stored := 0
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		tag, reply, _ := strings.Cut(lines.Text(), " ")
		switch {
		case tag == "*" || tag == "in" && strings.HasPrefix(reply, "OK"):
		case tag == "out":
			if stored != batches {
				return fmt.Errorf("%d of %d batches were stored", stored, batches)
			}
			return nil
		case strings.HasPrefix(reply, "OK"):
			stored++
		default:
			return errors.New(lines.Text())
		}
	}
	return errors.New("the connection ended early")
}
