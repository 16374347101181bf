package imapsession

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"tidings/store"
)

// fakeServer is a small IMAP server in memory whose manners a test can spoil:
// it speaks over net.Pipe, so that it keeps virtual time.
type fakeServer struct {
	t testing.TB

	mu       sync.Mutex
	rows     []fakeRow
	validity uint32
	next     uint32
	caps     string
	conns    []*fakeConn
	lines    []string // what clients said, without tags
	dials    int
	dialErr  error
	greeting string
	// others are the mailboxes besides INBOX, by name; what they hold is all that
	// is looked at.
	others map[string]*fakeServer
	// on, if not nil, is asked first; true means that it has answered.
	on func(c *fakeConn, tag, cmd string) bool
}

type fakeRow struct {
	uid   uint32
	flags string
}

// fakeConn is one connection of a fakeServer.
type fakeConn struct {
	srv   *fakeServer
	conn  net.Conn
	br    *bufio.Reader
	n     int         // 1 for the first connection
	idle  string      // tag of the IDLE in progress
	open  *fakeServer // whose rows are selected
	said  []string    // what it was told, without tags; guarded by srv.mu
	wmu   sync.Mutex
	ended chan struct{}
}

const fakeCaps = "IMAP4rev1 IDLE MOVE UIDPLUS ESEARCH SASL-IR AUTH=PLAIN"

func newFake(t testing.TB, messages int) *fakeServer {
	srv := &fakeServer{t: t, validity: 7, next: 1, caps: fakeCaps}
	for range messages {
		srv.rows = append(srv.rows, fakeRow{uid: srv.next})
		srv.next++
	}
	srv.greeting = "* OK [CAPABILITY " + srv.caps + "] ready"
	return srv
}

// setCaps changes what the server offers, before anybody connects.
func (s *fakeServer) setCaps(caps string) {
	s.caps = caps
	s.greeting = "* OK [CAPABILITY " + caps + "] ready"
}

// config is a Config that dials this server.
func (s *fakeServer) config() Config {
	return Config{
		Account: "fake", Host: "localhost", Port: 143, Security: Plaintext,
		Credentials: fixedSecret{User: "alice", Password: "secret"},
		Dial:        s.dial,
		Log:         slog.New(slog.NewTextHandler(testLog{s.t}, nil)),
	}
}

func (s *fakeServer) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dials++
	if s.dialErr != nil {
		return nil, s.dialErr
	}
	client, server := net.Pipe()
	c := &fakeConn{srv: s, conn: server, br: bufio.NewReader(server), n: len(s.conns) + 1, ended: make(chan struct{})}
	s.conns = append(s.conns, c)
	go c.serve()
	return client, nil
}

// with runs f under the server's lock.
func (s *fakeServer) with(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// said returns the commands that clients sent and that contain what.
func (s *fakeServer) said(what string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, l := range s.lines {
		if strings.Contains(l, what) {
			out = append(out, l)
		}
	}
	return out
}

// last is the newest connection.
func (s *fakeServer) last() *fakeConn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns[len(s.conns)-1]
}

// send writes lines, CRLF added.
func (c *fakeConn) send(lines ...string) {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	_, _ = c.conn.Write([]byte(strings.Join(lines, "\r\n") + "\r\n"))
}

func (c *fakeConn) raw(b string) {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	_, _ = c.conn.Write([]byte(b))
}

func (c *fakeConn) line() (string, error) {
	line, err := c.br.ReadString('\n')
	line = strings.TrimRight(line, "\r\n")
	if err == nil {
		c.srv.mu.Lock()
		_, cmd, ok := strings.Cut(line, " ")
		if !ok {
			cmd = line
		}
		c.srv.lines = append(c.srv.lines, cmd)
		c.said = append(c.said, cmd)
		c.srv.mu.Unlock()
	}
	return line, err
}

func (c *fakeConn) serve() {
	defer close(c.ended)
	defer c.conn.Close()
	c.send(c.srv.greeting)
	for {
		line, err := c.line()
		if err != nil {
			return
		}
		tag, cmd, _ := strings.Cut(line, " ")
		c.srv.mu.Lock()
		on := c.srv.on
		c.srv.mu.Unlock()
		if on != nil && on(c, tag, cmd) {
			continue
		}
		if c.answer(tag, cmd) {
			return
		}
	}
}

// answer is what a well-behaved server does; true ends the connection.
func (c *fakeConn) answer(tag, cmd string) (over bool) {
	s := c.srv
	word, rest, _ := strings.Cut(cmd, " ")
	switch {
	case tag == "DONE":
		s.mu.Lock()
		idle := c.idle
		c.idle = ""
		s.mu.Unlock()
		c.send(idle + " OK IDLE done")
	case word == "AUTHENTICATE" || word == "LOGIN":
		c.send(tag + " OK [CAPABILITY " + s.caps + "] welcome")
	case word == "CAPABILITY":
		c.send("* CAPABILITY "+s.caps, tag+" OK done")
	case word == "SELECT" || word == "EXAMINE":
		name, _, _ := strings.Cut(rest, " ")
		if quoted, ok := strings.CutPrefix(rest, `"`); ok {
			name, _, _ = strings.Cut(quoted, `"`)
		}
		if !c.choose(name) {
			c.send(tag + " NO [NONEXISTENT] no such mailbox")
			return false
		}
		box := c.box()
		box.mu.Lock()
		n, validity := len(box.rows), box.validity
		box.mu.Unlock()
		code := "READ-WRITE"
		if word == "EXAMINE" {
			code = "READ-ONLY"
		}
		c.send(`* FLAGS (\Seen \Flagged \Deleted)`, `* OK [PERMANENTFLAGS (\Seen \Flagged \Deleted \*)] ok`,
			fmt.Sprintf("* %d EXISTS", n), fmt.Sprintf("* OK [UIDVALIDITY %d] ok", validity), tag+" OK ["+code+"] done")
	case word == "IDLE":
		s.mu.Lock()
		c.idle = tag
		s.mu.Unlock()
		c.send("+ idling")
	case word == "LOGOUT":
		c.send("* BYE bye", tag+" OK done")
		return true
	case word == "LIST":
		c.send(`* LIST (\HasNoChildren) "/" INBOX`, `* LIST (\HasNoChildren \Trash) "/" Trash`, tag+" OK done")
	case word == "FETCH" || strings.HasPrefix(cmd, "UID FETCH"):
		c.fetch(tag, word == "UID", strings.TrimPrefix(rest, "FETCH "))
	case strings.HasPrefix(cmd, "UID SEARCH"):
		c.search(tag, cmd)
	case strings.HasPrefix(cmd, "UID STORE"):
		c.storeFlags(tag, strings.TrimPrefix(cmd, "UID STORE "))
	case strings.HasPrefix(cmd, "UID MOVE"), strings.HasPrefix(cmd, "UID EXPUNGE"):
		c.remove(tag, strings.Fields(cmd)[2], strings.HasPrefix(cmd, "UID MOVE"))
	case strings.HasPrefix(cmd, "UID COPY"):
		c.send(tag + " OK [COPYUID 9 " + strings.Fields(cmd)[2] + " 1] done")
	default:
		c.send(tag + " OK done")
	}
	return false
}

// box is the server or what is selected of it.
func (c *fakeConn) box() *fakeServer {
	if c.open == nil {
		return c.srv
	}
	return c.open
}

// choose selects a mailbox.
func (c *fakeConn) choose(name string) bool {
	if strings.EqualFold(name, "INBOX") {
		c.open = c.srv
		return true
	}
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	box := c.srv.others[name]
	if box != nil {
		c.open = box
	}
	return box != nil
}

// inSet tells whether n is in an IMAP number set.
func inSet(set string, n, star uint32) bool {
	for part := range strings.SplitSeq(set, ",") {
		lo, hi, isRange := strings.Cut(part, ":")
		if !isRange {
			hi = lo
		}
		num := func(s string) uint32 {
			if s == "*" {
				return star
			}
			v, _ := strconv.ParseUint(s, 10, 32)
			return uint32(v)
		}
		a, b := num(lo), num(hi)
		if a > b {
			a, b = b, a
		}
		if n >= a && n <= b {
			return true
		}
	}
	return false
}

func (c *fakeConn) fetch(tag string, byUID bool, args string) {
	set, items, _ := strings.Cut(args, " ")
	s := c.box()
	s.mu.Lock()
	rows := slices.Clone(s.rows)
	s.mu.Unlock()
	var out []string
	for i, r := range rows {
		n, star := uint32(i+1), uint32(len(rows))
		if byUID {
			n, star = r.uid, rows[len(rows)-1].uid
		}
		if inSet(set, n, star) {
			out = append(out, fmt.Sprintf("* %d FETCH (%s)", i+1, fakeItems(r, items)))
		}
	}
	c.send(append(out, tag+" OK done")...)
}

func fakeItems(r fakeRow, items string) string {
	out := fmt.Sprintf("UID %d", r.uid)
	if strings.Contains(items, "FLAGS") {
		out += " FLAGS (" + r.flags + ")"
	}
	if strings.Contains(items, "INTERNALDATE") {
		out += ` INTERNALDATE "20-Nov-2026 10:00:00 +0000"`
	}
	if strings.Contains(items, "RFC822.SIZE") {
		out += fmt.Sprintf(" RFC822.SIZE %d", fakeSize(r.uid))
	}
	if i := strings.Index(items, "BODY.PEEK[HEADER.FIELDS"); i >= 0 {
		h := fmt.Sprintf("From: Alice <alice@example.org>\r\nSubject: Letter %d\r\n\r\n", r.uid)
		section := items[i+len("BODY.PEEK") : strings.Index(items, ")]")+2]
		out += fmt.Sprintf(" BODY%s {%d}\r\n%s", section, len(h), h)
	} else if i := strings.Index(items, "BODY.PEEK[]<"); i >= 0 {
		var off, n int
		fmt.Sscanf(items[i:], "BODY.PEEK[]<%d.%d>", &off, &n)
		body := fakeBody(r.uid)
		part := body[min(off, len(body)):min(off+n, len(body))]
		out += fmt.Sprintf(" BODY[]<%d> {%d}\r\n%s", off, len(part), part)
	}
	return out
}

const fakeWords = "All work and no play. "

func fakeHead(uid uint32) string { return fmt.Sprintf("Subject: Letter %d\r\n\r\n", uid) }

// fakeBody is a letter that is the longer, the newer it is.
func fakeBody(uid uint32) string { return fakeHead(uid) + strings.Repeat(fakeWords, int(uid)*10) }

func fakeSize(uid uint32) int { return len(fakeHead(uid)) + len(fakeWords)*int(uid)*10 }

func (c *fakeConn) search(tag, cmd string) {
	s := c.box()
	s.mu.Lock()
	var uids []string
	star := uint32(0)
	if len(s.rows) > 0 {
		star = s.rows[len(s.rows)-1].uid
	}
	numbers := cmd[strings.LastIndex(cmd, " ")+1:]
	if strings.Contains(cmd, " UID ") || strings.Trim(numbers, "0123456789:,") != "" {
		numbers = ""
	}
	for i, r := range s.rows {
		switch {
		case numbers != "" && !inSet(numbers, uint32(i+1), uint32(len(s.rows))):
		case strings.Contains(cmd, "UNSEEN") && strings.Contains(r.flags, `\Seen`):
		case strings.Contains(cmd, " UID ") && !inSet(cmd[strings.LastIndex(cmd, " ")+1:], r.uid, star):
		default:
			uids = append(uids, strconv.Itoa(int(r.uid)))
		}
	}
	s.mu.Unlock()
	switch {
	case strings.Contains(cmd, "COUNT"):
		c.send(fmt.Sprintf(`* ESEARCH (TAG "%s") UID COUNT %d`, tag, len(uids)), tag+" OK done")
	case strings.Contains(cmd, "RETURN"):
		answer := fmt.Sprintf(`* ESEARCH (TAG "%s") UID`, tag)
		if len(uids) > 0 {
			answer += " ALL " + strings.Join(uids, ",")
		}
		c.send(answer, tag+" OK done")
	default:
		c.send(strings.TrimSpace("* SEARCH "+strings.Join(uids, " ")), tag+" OK done")
	}
}

func (c *fakeConn) storeFlags(tag, args string) {
	f := strings.SplitN(args, " ", 3)
	names := strings.Fields(strings.Trim(f[2], "()"))
	s := c.box()
	s.mu.Lock()
	var out []string
	for i := range s.rows {
		r := &s.rows[i]
		if !inSet(f[0], r.uid, 0) {
			continue
		}
		has := strings.Fields(r.flags)
		for _, n := range names {
			has = slices.DeleteFunc(has, func(h string) bool { return h == n })
			if f[1][0] == '+' {
				has = append(has, n)
			}
		}
		r.flags = strings.Join(has, " ")
		out = append(out, fmt.Sprintf("* %d FETCH (UID %d FLAGS (%s))", i+1, r.uid, r.flags))
	}
	s.mu.Unlock()
	c.send(append(out, tag+" OK done")...)
}

func (c *fakeConn) remove(tag, set string, move bool) {
	s := c.box()
	s.mu.Lock()
	var out []string
	if move {
		out = append(out, "* OK [COPYUID 9 "+set+" 1] moved")
	}
	for i := len(s.rows) - 1; i >= 0; i-- {
		if inSet(set, s.rows[i].uid, 0) {
			s.rows = slices.Delete(s.rows, i, i+1)
			out = append(out, fmt.Sprintf("* %d EXPUNGE", i+1))
		}
	}
	s.mu.Unlock()
	c.send(append(out, tag+" OK done")...)
}

// arrive adds a message and tells the newest connection, which is in IDLE.
func (s *fakeServer) arrive(tell bool) {
	s.mu.Lock()
	s.rows = append(s.rows, fakeRow{uid: s.next})
	s.next++
	n := len(s.rows)
	s.mu.Unlock()
	if tell {
		s.last().send(fmt.Sprintf("* %d EXISTS", n))
	}
}

// arriveOn adds a message and tells the n-th connection.
func (s *fakeServer) arriveOn(n int) {
	s.arrive(false)
	s.mu.Lock()
	c, count := s.conns[n-1], len(s.rows)
	s.mu.Unlock()
	c.send(fmt.Sprintf("* %d EXISTS", count))
}

var errNoNetwork = errors.New("no network in this test")

func subjects(f *follower) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	f.list.Known(0, f.list.Len(), func(_ int, r store.Row) bool {
		if sum := f.summaries[r.UID]; sum != nil {
			out = append(out, sum.Subject.String())
		}
		return true
	})
	return out
}

// discard is a conn whose writes go nowhere: a server that acts and is not heard.
type discard struct{ net.Conn }

func (discard) Write(p []byte) (int, error) { return len(p), nil }
