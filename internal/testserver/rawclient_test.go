package testserver

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// rawClient speaks IMAP in lines and keeps a mailbox by the protocol's
// arithmetic alone: EXISTS extends, EXPUNGE n removes the n-th, FETCH n tells
// about the n-th. It believes nothing else, so that a server that numbers
// wrongly shows.
type rawClient struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
	tags int
	rows []rawRow
	log  []string // every line read, for a failure's report
}

// rawRow is a row; UID 0 is not known yet.
type rawRow struct {
	uid   uint32
	flags []string
	known bool // the flags are
}

func dialRaw(t testing.TB, p peer) *rawClient {
	t.Helper()
	conn, err := net.Dial("tcp", p.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	c := &rawClient{t: t, conn: conn, in: bufio.NewReader(conn)}
	c.line()
	c.ok("LOGIN %s %s", p.user, p.password)
	return c
}

// line reads one line, literals included.
func (c *rawClient) line() string {
	c.t.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	var full strings.Builder
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			c.t.Fatalf("read: %v\n%s", err, strings.Join(c.log[max(0, len(c.log)-20):], "\n"))
		}
		line = strings.TrimRight(line, "\r\n")
		full.WriteString(line)
		n, _, ok := announced(line)
		if !ok {
			break
		}
		data := make([]byte, n)
		if _, err := io.ReadFull(c.in, data); err != nil {
			c.t.Fatalf("read a literal: %v", err)
		}
		full.WriteString("\r\n" + string(data))
	}
	c.log = append(c.log, full.String())
	c.apply(full.String())
	return full.String()
}

var (
	numbered   = regexp.MustCompile(`^\* (\d+) (EXISTS|EXPUNGE|FETCH)(.*)`)
	fetchUID   = regexp.MustCompile(`UID (\d+)`)
	fetchFlags = regexp.MustCompile(`FLAGS \(([^)]*)\)`)
)

// apply does the arithmetic.
func (c *rawClient) apply(line string) {
	c.t.Helper()
	m := numbered.FindStringSubmatch(line)
	if m == nil {
		return
	}
	n, _ := strconv.Atoi(m[1])
	if m[2] != "EXISTS" && (n < 1 || n > len(c.rows)) {
		c.t.Fatalf("%q with %d rows\n%s", line, len(c.rows), strings.Join(c.log[max(0, len(c.log)-20):], "\n"))
	}
	switch m[2] {
	case "EXISTS":
		if n < len(c.rows) {
			c.t.Fatalf("%q shrinks %d rows", line, len(c.rows))
		}
		c.rows = append(c.rows, make([]rawRow, n-len(c.rows))...)
	case "EXPUNGE":
		c.rows = slices.Delete(c.rows, n-1, n)
	case "FETCH":
		row := &c.rows[n-1]
		if u := fetchUID.FindStringSubmatch(m[3]); u != nil {
			uid, _ := strconv.Atoi(u[1])
			if row.uid != 0 && row.uid != uint32(uid) {
				c.t.Fatalf("%q, but row %d is UID %d", line, n, row.uid)
			}
			row.uid = uint32(uid)
		}
		if f := fetchFlags.FindStringSubmatch(m[3]); f != nil {
			row.flags = strings.Fields(f[1])
			row.flags = slices.DeleteFunc(row.flags, func(flag string) bool { return flag == `\Recent` })
			slices.Sort(row.flags)
			row.known = true
		}
	}
}

// send sends a command and returns its tag.
func (c *rawClient) send(format string, args ...any) string {
	c.t.Helper()
	c.tags++
	tag := fmt.Sprintf("r%d", c.tags)
	if _, err := fmt.Fprintf(c.conn, tag+" "+format+"\r\n", args...); err != nil {
		c.t.Fatal(err)
	}
	return tag
}

// until reads up to a command's tagged reply and returns the untagged lines and
// the reply without its tag.
func (c *rawClient) until(tag string) (untagged []string, reply string) {
	c.t.Helper()
	for {
		line := c.line()
		if rest, ok := strings.CutPrefix(line, tag+" "); ok {
			return untagged, rest
		}
		untagged = append(untagged, line)
	}
}

// do sends a command and returns what until does.
func (c *rawClient) do(format string, args ...any) (untagged []string, reply string) {
	c.t.Helper()
	return c.until(c.send(format, args...))
}

// ok does a command that has to succeed.
func (c *rawClient) ok(format string, args ...any) []string {
	c.t.Helper()
	untagged, reply := c.do(format, args...)
	if !strings.HasPrefix(reply, "OK") {
		c.t.Fatalf("%s: %s", fmt.Sprintf(format, args...), reply)
	}
	return untagged
}

// open opens a mailbox and learns its rows.
func (c *rawClient) open(mailbox string) {
	c.t.Helper()
	c.rows = nil
	c.ok("SELECT %s", mailbox)
	c.learn()
}

// learn asks for every row that is not known.
func (c *rawClient) learn() {
	c.t.Helper()
	for n := 1; n <= len(c.rows); n++ {
		if c.rows[n-1].uid == 0 || !c.rows[n-1].known {
			// EXPUNGEISSUED: the row is gone, NOOP will say so.
			if _, reply := c.do("FETCH %d (UID FLAGS)", n); !strings.HasPrefix(reply, "OK") {
				c.ok("NOOP")
				n = 0
			}
		}
	}
}

// idle waits in IDLE until enough says that it has seen enough.
func (c *rawClient) idle(enough func() bool) {
	c.t.Helper()
	tag := c.send("IDLE")
	for line := c.line(); !strings.HasPrefix(line, "+"); line = c.line() {
	}
	for !enough() {
		c.line()
	}
	if _, err := io.WriteString(c.conn, "DONE\r\n"); err != nil {
		c.t.Fatal(err)
	}
	if _, reply := c.until(tag); !strings.HasPrefix(reply, "OK") {
		c.t.Fatalf("IDLE: %s", reply)
	}
}

// asRows is what the client holds.
func (c *rawClient) asRows() []Row {
	rows := make([]Row, len(c.rows))
	for i, r := range c.rows {
		rows[i] = Row{UID: r.uid, Flags: append([]string{}, r.flags...)}
	}
	return rows
}
