package bench

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// Raw is a bare IMAP client: command lines out, replies in, nothing parsed but
// literals. It serves as the floor of what a server takes, and as the other
// client in a measure.
type Raw struct {
	conn net.Conn
	in   *bufio.Reader
	tag  int
	Read int64 // octets that came
}

// DialRaw connects to box and logs in.
func DialRaw(box Mailbox) (*Raw, error) {
	conn, err := net.DialTimeout("tcp", box.Addr, 10*time.Second)
	if err != nil {
		return nil, err
	}
	r := &Raw{conn: conn, in: bufio.NewReaderSize(conn, 64<<10)}
	if _, err := r.response(); err != nil {
		r.Close()
		return nil, err
	}
	if _, err := r.Do("LOGIN %s %s", quote(box.User), quote(box.Password)); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// Do sends one command and reads up to its tagged reply, which must be OK; it
// gives the untagged responses.
func (r *Raw) Do(format string, args ...any) ([]string, error) {
	r.tag++
	tag := fmt.Sprintf("r%d", r.tag)
	line := fmt.Sprintf(format, args...)
	if _, err := fmt.Fprintf(r.conn, "%s %s\r\n", tag, line); err != nil {
		return nil, err
	}
	return r.until(tag, line)
}

func (r *Raw) until(tag, line string) ([]string, error) {
	var untagged []string
	for {
		resp, err := r.response()
		if err != nil {
			return untagged, err
		}
		if status, ok := strings.CutPrefix(resp, tag+" "); ok {
			if !strings.HasPrefix(status, "OK") {
				verb, _, _ := strings.Cut(line, " ")
				return untagged, fmt.Errorf("%s: the server says %s", verb, status)
			}
			return untagged, nil
		}
		untagged = append(untagged, resp)
	}
}

// response reads one response with its literals.
func (r *Raw) response() (string, error) {
	_ = r.conn.SetReadDeadline(time.Now().Add(60 * time.Second))
	var b strings.Builder
	for {
		line, err := r.in.ReadString('\n')
		if err != nil {
			return "", err
		}
		r.Read += int64(len(line))
		line = strings.TrimSuffix(line, "\r\n")
		b.WriteString(line)
		open := strings.LastIndexByte(line, '{')
		if open < 0 || !strings.HasSuffix(line, "}") {
			return b.String(), nil
		}
		n, err := strconv.Atoi(line[open+1 : len(line)-1])
		if err != nil {
			return b.String(), nil
		}
		lit := make([]byte, n)
		if _, err := io.ReadFull(r.in, lit); err != nil {
			return "", err
		}
		r.Read += int64(n)
		b.Write(lit)
	}
}

// Append adds a message to the INBOX and says when its last octet had been
// sent; it returns after the server's OK.
func (r *Raw) Append(message []byte, flags string) (sent time.Time, err error) {
	r.tag++
	tag := fmt.Sprintf("r%d", r.tag)
	if _, err := fmt.Fprintf(r.conn, "%s APPEND INBOX (%s) {%d}\r\n", tag, flags, len(message)); err != nil {
		return sent, err
	}
	resp, err := r.response()
	if err != nil {
		return sent, err
	}
	if !strings.HasPrefix(resp, "+") {
		return sent, fmt.Errorf("APPEND: the server says %s", resp)
	}
	sent = time.Now()
	if _, err := r.conn.Write(append(message, "\r\n"...)); err != nil {
		return sent, err
	}
	_, err = r.until(tag, "APPEND")
	return sent, err
}

// Close drops the connection.
func (r *Raw) Close() { _ = r.conn.Close() }

// listFields are what a list of messages needs, as Tidings asks for them.
const listFields = "UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (DATE FROM TO CC REPLY-TO SUBJECT " +
	"MESSAGE-ID IN-REPLY-TO REFERENCES CONTENT-TYPE LIST-ID)]"

// Floor is the least that opening takes: connect, log in, SELECT and the 60
// newest rows by a bare socket, with the octets that the server sent for it.
func Floor(box Mailbox) (took time.Duration, octets int64, err error) {
	start := time.Now()
	r, err := DialRaw(box)
	if err != nil {
		return 0, 0, err
	}
	defer r.Close()
	if _, err := r.Do("SELECT INBOX"); err != nil {
		return 0, 0, err
	}
	rows, err := r.Do("FETCH %d:%d (%s)", max(1, box.Messages-59), box.Messages, listFields)
	if err != nil {
		return 0, 0, err
	}
	if len(rows) < min(60, box.Messages) {
		return 0, 0, errors.New("the floor's FETCH brought too few rows")
	}
	return time.Since(start), r.Read, nil
}

// idle starts IDLE; everything read from then on is the caller's.
func (r *Raw) idle() error {
	r.tag++
	if _, err := fmt.Fprintf(r.conn, "r%d IDLE\r\n", r.tag); err != nil {
		return err
	}
	for {
		resp, err := r.response()
		if err != nil {
			return err
		}
		if strings.HasPrefix(resp, "+") {
			return nil
		}
		if strings.HasPrefix(resp, fmt.Sprintf("r%d ", r.tag)) {
			return fmt.Errorf("IDLE: the server says %s", resp)
		}
	}
}
