package testserver

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// Row is one message as FETCH (UID FLAGS) shows it. Flags are sorted; \Recent,
// which belongs to a session and not to the message, is left out.
type Row struct {
	UID   uint32
	Flags []string
}

// String writes the row as a test failure should show it.
func (r Row) String() string { return fmt.Sprintf("%d(%s)", r.UID, strings.Join(r.Flags, " ")) }

// Client logs in on the plain port; the connection ends with the test. Options
// may be nil.
func (s *Server) Client(t testing.TB, options ...*imapclient.Options) *imapclient.Client {
	t.Helper()
	return Login(t, s.Addr, s.User, s.Password, options...)
}

// Login connects to a server without TLS and logs in; the connection ends with
// the test.
func Login(t testing.TB, addr, user, password string, options ...*imapclient.Options) *imapclient.Client {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, 10*time.Second)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	var opts *imapclient.Options
	if len(options) > 0 {
		opts = options[0]
	}
	client := imapclient.New(conn, opts)
	t.Cleanup(func() { _ = client.Close() })
	if err := client.Login(user, password).Wait(); err != nil {
		t.Fatalf("log in: %v", err)
	}
	return client
}

// Append adds a message to a mailbox through IMAP and returns its UID.
func (s *Server) Append(t testing.TB, mailbox string, raw []byte, flags ...string) uint32 {
	t.Helper()
	client := s.Client(t)
	defer client.Close()
	return Append(t, client, mailbox, raw, flags...)
}

// AppendN adds n short messages and returns their UIDs.
func (s *Server) AppendN(t testing.TB, mailbox string, n int) []uint32 {
	t.Helper()
	client := s.Client(t)
	defer client.Close()
	uids := make([]uint32, 0, n)
	for i := range n {
		uids = append(uids, Append(t, client, mailbox, Letter(i)))
	}
	return uids
}

// Append adds a message through a client that is logged in and returns its UID.
func Append(t testing.TB, client *imapclient.Client, mailbox string, raw []byte, flags ...string) uint32 {
	t.Helper()
	options := &imap.AppendOptions{}
	for _, flag := range flags {
		options.Flags = append(options.Flags, imap.Flag(flag))
	}
	cmd := client.Append(mailbox, int64(len(raw)), options)
	if _, err := cmd.Write(raw); err != nil {
		t.Fatalf("append to %s: %v", mailbox, err)
	}
	if err := cmd.Close(); err != nil {
		t.Fatalf("append to %s: %v", mailbox, err)
	}
	data, err := cmd.Wait()
	if err != nil {
		t.Fatalf("append to %s: %v", mailbox, err)
	}
	return uint32(data.UID)
}

// Letter is a short message, another one for every i.
func Letter(i int) []byte {
	var b bytes.Buffer
	date := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Add(time.Duration(i) * time.Minute)
	fmt.Fprintf(&b, "Date: %s\r\n", date.Format(time.RFC1123Z))
	fmt.Fprintf(&b, "From: Alice <alice@example.org>\r\nTo: Bob <bob@example.com>\r\n")
	fmt.Fprintf(&b, "Subject: Letter %d\r\nMessage-ID: <letter.%d@example.org>\r\n", i, i)
	fmt.Fprintf(&b, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n")
	fmt.Fprintf(&b, "Dear Bob,\r\n\r\nthis is letter number %d.\r\n\r\nAlice\r\n", i)
	return b.Bytes()
}

// Rows reads a mailbox as another client sees it, with EXAMINE on a connection
// of its own.
func (s *Server) Rows(t testing.TB, mailbox string) []Row {
	t.Helper()
	client := s.Client(t)
	defer client.Close()
	return Rows(t, client, mailbox)
}

// Rows reads a mailbox through a client that is logged in; it leaves the client
// with the mailbox open for reading only.
func Rows(t testing.TB, client *imapclient.Client, mailbox string) []Row {
	t.Helper()
	selected, err := client.Select(mailbox, &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil {
		t.Fatalf("examine %s: %v", mailbox, err)
	}
	if selected.NumMessages == 0 {
		return []Row{}
	}
	all := imap.SeqSet{{Start: 1, Stop: 0}}
	messages, err := client.Fetch(all, &imap.FetchOptions{UID: true, Flags: true}).Collect()
	if err != nil {
		t.Fatalf("fetch 1:* of %s: %v", mailbox, err)
	}
	rows := make([]Row, 0, len(messages))
	for _, m := range messages {
		row := Row{UID: uint32(m.UID), Flags: []string{}}
		for _, flag := range m.Flags {
			if !strings.EqualFold(string(flag), `\Recent`) {
				row.Flags = append(row.Flags, string(flag))
			}
		}
		slices.Sort(row.Flags)
		rows = append(rows, row)
	}
	return rows
}

// Deliver puts a message into INBOX as a delivery agent would: written in tmp,
// renamed into new. It needs the maildir format.
func (s *Server) Deliver(t testing.TB, raw []byte) {
	t.Helper()
	if s.Maildir == "" {
		t.Fatalf("Deliver needs the maildir format, this server has %s", s.settings.format)
	}
	file, err := os.CreateTemp(filepath.Join(s.Maildir, "tmp"), fmt.Sprintf("%d.M*", time.Now().Unix()))
	if err != nil {
		t.Fatalf("deliver: %v", err)
	}
	_, err = file.Write(raw)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = s.own(file.Name())
	}
	if err == nil {
		err = os.Rename(file.Name(), filepath.Join(s.Maildir, "new", filepath.Base(file.Name())))
	}
	if err != nil {
		t.Fatalf("deliver: %v", err)
	}
}

// makeMaildir makes a Maildir; one that exists stays as it is.
func (s *Server) makeMaildir(dir string) error {
	for _, path := range []string{dir, filepath.Join(dir, "cur"), filepath.Join(dir, "new"), filepath.Join(dir, "tmp")} {
		if err := s.mkdir(path); err != nil {
			return err
		}
	}
	return nil
}
