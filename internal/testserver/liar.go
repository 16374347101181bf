package testserver

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Liar is an IMAP server that does what its script says: the truth, half of
// it, or anything else. A script is Go code that runs on a goroutine of its own
// and calls the Liar's methods; it may be played on a net.Conn (Play, with
// net.Pipe under testing/synctest) or on every connection to a port (Listen).
//
// Where the client does not do what the script expects, the test fails with the
// script's line, the connection is cut, and the script ends. The methods are
// for the script's goroutine; Send and Raw may be called from any.
type Liar struct {
	// Patience is how long the script waits for the client; 0 is for ever. It is
	// 30 s on a port, and 0 on a net.Conn that was given, where virtual time
	// passes in hours.
	Patience time.Duration
	// Conn counts the connections of a listening Liar from 1.
	Conn int

	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
	out  sync.Mutex
}

// Command is a command line of the client, with its literals in place.
type Command struct {
	Tag  string
	Name string // upper case; "UID FETCH" is one name
	Args string
}

// String is the command without its tag.
func (c Command) String() string {
	if c.Args == "" {
		return c.Name
	}
	return c.Name + " " + c.Args
}

// Play runs a script on a connection, in a goroutine, and closes the connection
// behind it. The returned function waits for the script's end.
func Play(t testing.TB, conn net.Conn, script func(*Liar)) (wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer conn.Close()
		script(newLiar(t, conn))
	}()
	return func() { <-done }
}

// Listen runs a script on every connection to a port on loopback and returns
// its address. The test waits for the scripts at its end, and cuts them short.
func Listen(t testing.TB, script func(*Liar)) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	var running sync.WaitGroup
	var mu sync.Mutex
	ended := false
	conns := map[net.Conn]bool{}
	running.Go(func() {
		for n := 1; ; n++ {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			if ended {
				_ = conn.Close()
			}
			conns[conn] = true
			mu.Unlock()
			running.Go(func() {
				defer func() {
					mu.Lock()
					delete(conns, conn)
					mu.Unlock()
					_ = conn.Close()
				}()
				l := newLiar(t, conn)
				l.Conn, l.Patience = n, 30*time.Second
				script(l)
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		mu.Lock()
		ended = true
		for conn := range conns {
			_ = conn.Close()
		}
		mu.Unlock()
		running.Wait()
	})
	return listener.Addr().String()
}

func newLiar(t testing.TB, conn net.Conn) *Liar {
	return &Liar{t: t, conn: conn, in: bufio.NewReader(conn)}
}

// NetConn is the connection, to do to it what the methods cannot.
func (l *Liar) NetConn() net.Conn { return l.conn }

// Send writes one line; CRLF is added.
func (l *Liar) Send(format string, args ...any) { l.Raw(fmt.Sprintf(format, args...) + "\r\n") }

// Raw writes bytes as they are. A client that has gone is no failure: the
// script notices when it waits for it.
func (l *Liar) Raw(data string) {
	l.out.Lock()
	defer l.out.Unlock()
	_, _ = io.WriteString(l.conn, data)
}

// Line reads one line without its CRLF.
func (l *Liar) Line() string {
	l.t.Helper()
	line, err := l.line()
	if err != nil {
		l.fail("the client was to send a line: %v", err)
	}
	return line
}

func (l *Liar) line() (string, error) {
	if l.Patience > 0 {
		if err := l.conn.SetReadDeadline(time.Now().Add(l.Patience)); err != nil {
			return "", err
		}
	}
	line, err := l.in.ReadString('\n')
	if err != nil {
		return "", err
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// Read reads the next command, whatever it is. Literals are asked for and
// taken; they stand in Args as {n}CRLF and their bytes.
func (l *Liar) Read() Command {
	l.t.Helper()
	c, err := l.read()
	if err != nil {
		l.fail("the client was to send a command: %v", err)
	}
	return c
}

func (l *Liar) read() (Command, error) {
	line, err := l.line()
	if err != nil {
		return Command{}, err
	}
	full := line
	for {
		n, sync, ok := announced(line)
		if !ok {
			break
		}
		if sync {
			l.Send("+ go ahead")
		}
		data := make([]byte, n)
		if _, err := io.ReadFull(l.in, data); err != nil {
			return Command{}, err
		}
		if line, err = l.line(); err != nil {
			return Command{}, err
		}
		full += "\r\n" + string(data) + line
	}
	tag, rest, _ := strings.Cut(full, " ")
	name, args, _ := strings.Cut(rest, " ")
	name = strings.ToUpper(name)
	if name == "UID" {
		sub, more, _ := strings.Cut(args, " ")
		name, args = "UID "+strings.ToUpper(sub), more
	}
	return Command{Tag: tag, Name: name, Args: args}, nil
}

// announced finds the literal that a line announces at its end: {n} or {n+}.
func announced(line string) (n int, sync, ok bool) {
	open := strings.LastIndexByte(line, '{')
	if open < 0 || !strings.HasSuffix(line, "}") {
		return 0, false, false
	}
	digits := line[open+1 : len(line)-1]
	sync = !strings.HasSuffix(digits, "+")
	n, err := strconv.Atoi(strings.TrimSuffix(digits, "+"))
	return n, sync, err == nil && n >= 0 && n < 64<<20
}

// Expect reads the next command, which must begin with these words (case does
// not count).
func (l *Liar) Expect(words string) Command {
	l.t.Helper()
	c, err := l.read()
	if err != nil {
		l.fail("the client was to send %q: %v", words, err)
	}
	if !strings.HasPrefix(strings.ToUpper(c.String()), strings.ToUpper(words)) {
		l.fail("the client was to send %q, it sent %q", words, c)
	}
	return c
}

// ExpectDone reads the DONE that ends IDLE.
func (l *Liar) ExpectDone() {
	l.t.Helper()
	if line := l.Line(); line != "DONE" {
		l.fail("the client was to send DONE, it sent %q", line)
	}
}

// ExpectClosed waits until the client has closed the connection; what it sends
// before is not looked at.
func (l *Liar) ExpectClosed() {
	l.t.Helper()
	for {
		if _, err := l.line(); err != nil {
			var timeout net.Error
			if errors.As(err, &timeout) && timeout.Timeout() {
				l.fail("the client was to close the connection")
			}
			return
		}
	}
}

// OK answers a command.
func (l *Liar) OK(c Command, text ...string) {
	l.Send("%s OK %s", c.Tag, strings.Join(append(text, c.Name+" completed"), " "))
}

// No refuses a command; text may begin with a [CODE].
func (l *Liar) No(c Command, text string) { l.Send("%s NO %s", c.Tag, text) }

// Bad calls a command wrong.
func (l *Liar) Bad(c Command, text string) { l.Send("%s BAD %s", c.Tag, text) }

// liarCapabilities is what a Liar offers unless told otherwise.
const liarCapabilities = "IMAP4rev1 SASL-IR LITERAL+ IDLE MOVE UIDPLUS ESEARCH SPECIAL-USE NAMESPACE AUTH=PLAIN"

// Greet sends a greeting with capabilities; "" are the usual ones.
func (l *Liar) Greet(capabilities string) {
	if capabilities == "" {
		capabilities = liarCapabilities
	}
	l.Send("* OK [CAPABILITY %s] ready", capabilities)
}

// LogIn accepts LOGIN or AUTHENTICATE PLAIN with any credentials; capabilities
// "" are the usual ones. A CAPABILITY before it is answered.
func (l *Liar) LogIn(capabilities string) Command {
	l.t.Helper()
	if capabilities == "" {
		capabilities = liarCapabilities
	}
	for {
		c := l.Read()
		switch c.Name {
		case "CAPABILITY":
			l.Send("* CAPABILITY %s", capabilities)
			l.OK(c)
		case "LOGIN":
			l.OK(c, "[CAPABILITY "+capabilities+"]")
			return c
		case "AUTHENTICATE":
			mechanism, response, initial := strings.Cut(c.Args, " ")
			if !strings.EqualFold(mechanism, "PLAIN") {
				l.fail("the client was to log in with PLAIN, it chose %q", mechanism)
			}
			if !initial {
				l.Send("+ ")
				response = l.Line()
			}
			if _, err := base64.StdEncoding.DecodeString(response); err != nil {
				l.fail("the SASL response is no base64: %v", err)
			}
			l.OK(c, "[CAPABILITY "+capabilities+"]")
			return c
		default:
			l.fail("the client was to log in, it sent %q", c.Name)
		}
	}
}

// Selected answers a SELECT or EXAMINE.
func (l *Liar) Selected(c Command, exists, uidValidity, uidNext uint32) {
	l.Send(`* FLAGS (\Answered \Flagged \Deleted \Seen \Draft)`)
	l.Send(`* OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] flags`)
	l.Send("* %d EXISTS", exists)
	l.Send("* 0 RECENT")
	l.Send("* OK [UIDVALIDITY %d] valid", uidValidity)
	l.Send("* OK [UIDNEXT %d] next", uidNext)
	access := "READ-WRITE"
	if c.Name == "EXAMINE" {
		access = "READ-ONLY"
	}
	l.OK(c, "["+access+"]")
}

// Summary writes the FETCH response of a message as a monitor asks for it:
// UID, FLAGS, INTERNALDATE, RFC822.SIZE and a literal of header fields. section
// is what the client asked for behind BODY, without PEEK: "[HEADER.FIELDS (...)]".
func (l *Liar) Summary(seq, uid uint32, flags, section, subject string) {
	header := fmt.Sprintf("Date: Fri, 02 Jan 2026 03:04:05 +0000\r\nFrom: Alice <alice@example.org>\r\n"+
		"To: Bob <bob@example.com>\r\nSubject: %s\r\nMessage-ID: <%d@example.org>\r\n\r\n", subject, uid)
	l.Send("* %d FETCH (UID %d FLAGS (%s) INTERNALDATE \"02-Jan-2026 03:04:05 +0000\" RFC822.SIZE 1234 BODY%s {%d}\r\n%s)",
		seq, uid, flags, section, len(header), header)
}

// Section finds the BODY.PEEK[...] or BODY[...] that a FETCH asks for and
// returns its brackets with their content; empty if it asks for none.
func (c Command) Section() string {
	start := strings.Index(c.Args, "BODY.PEEK[")
	if start >= 0 {
		start += len("BODY.PEEK")
	} else if start = strings.Index(c.Args, "BODY["); start >= 0 {
		start += len("BODY")
	} else {
		return ""
	}
	end := strings.IndexByte(c.Args[start:], ']')
	if end < 0 {
		return ""
	}
	return c.Args[start : start+end+1]
}

// Gap is where a script goes wrong on purpose while Serve does the rest: it
// handles a command and says whether it did.
type Gap func(l *Liar, c Command) bool

// Serve answers commands until the client logs out or closes: every one that
// gap (nil: none) does not handle with a plain OK, CAPABILITY, IDLE and LOGOUT
// as they should be.
func (l *Liar) Serve(gap Gap) {
	for {
		c, err := l.read()
		if err != nil {
			return
		}
		if gap != nil && gap(l, c) {
			continue
		}
		switch c.Name {
		case "CAPABILITY":
			l.Send("* CAPABILITY %s", liarCapabilities)
			l.OK(c)
		case "IDLE":
			l.Send("+ idling")
			if line, err := l.line(); err != nil || line != "DONE" {
				return
			}
			l.OK(c)
		case "LOGOUT":
			l.Send("* BYE logging out")
			l.OK(c)
			return
		default:
			l.OK(c)
		}
	}
}

// Cut closes the connection with RST where it is TCP.
func (l *Liar) Cut() { reset(l.conn) }

// fail reports a failure at the script's line and ends the script's goroutine.
func (l *Liar) fail(format string, args ...any) {
	l.t.Helper()
	l.t.Errorf("script line %s: %s", scriptLine(), fmt.Sprintf(format, args...))
	_ = l.conn.Close()
	runtime.Goexit()
}

// scriptLine is the innermost caller outside this file.
func scriptLine() string {
	pcs := make([]uintptr, 16)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		frame, more := frames.Next()
		if filepath.Base(frame.File) != "liar.go" {
			return fmt.Sprintf("%s:%d", filepath.Base(frame.File), frame.Line)
		}
		if !more {
			return "?"
		}
	}
}
