package wire

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// peer is a scripted server at the far end of a pipe.
type peer struct {
	conn net.Conn
	// answer returns what is sent for a command line; tag and the rest of it.
	answer func(tag, command string) string
	got    []string // command lines, readable once done is closed
	done   chan struct{}
}

const caps = "[CAPABILITY IMAP4rev1 SASL-IR IDLE UIDPLUS MOVE ESEARCH LITERAL+]"

// silence is the answer of a peer that does not answer yet.
const silence = "silence"

// newPeer starts a server that greets and then answers command lines. What
// answer leaves empty is answered sensibly.
func newPeer(conn net.Conn, answer func(tag, command string) string) *peer {
	p := &peer{conn: conn, answer: answer, done: make(chan struct{})}
	go p.run()
	return p
}

func (p *peer) run() {
	defer close(p.done)
	if _, err := io.WriteString(p.conn, "* OK "+caps+" ready\r\n"); err != nil {
		return
	}
	r := bufio.NewReader(p.conn)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		p.got = append(p.got, line)
		tag, command, _ := strings.Cut(line, " ")
		reply := ""
		if p.answer != nil {
			reply = p.answer(tag, command)
		}
		if reply == silence {
			continue
		}
		if reply == "" {
			reply = politely(tag, command)
		}
		if _, err := io.WriteString(p.conn, reply); err != nil {
			return
		}
	}
}

func politely(tag, command string) string {
	verb, _, _ := strings.Cut(command, " ")
	switch verb {
	case "LOGIN":
		return tag + " OK " + caps + " welcome\r\n"
	case "SELECT":
		return "* FLAGS (\\Seen \\Flagged)\r\n* 20 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 200] ok\r\n" + tag + " OK [READ-WRITE] selected\r\n"
	case "IDLE":
		return "+ idling\r\n"
	case "":
		if tag == "DONE" {
			return "" // the tag of IDLE is the script's to know
		}
	}
	return tag + " OK done\r\n"
}

// session is an imapclient on a Tap (or on the bare pipe) at a peer.
type session struct {
	*imapclient.Client
	tap  *Tap // nil on the bare pipe
	peer *peer
}

// dial makes a logged-in client with a mailbox selected. It ends with the test.
func dial(t testing.TB, bare bool, opts Options, answer func(tag, command string) string) *session {
	t.Helper()
	ours, theirs := net.Pipe()
	s := &session{peer: newPeer(theirs, answer)}
	var conn net.Conn = ours
	if !bare {
		s.tap = New(ours, opts)
		conn = s.tap
	}
	s.Client = imapclient.New(conn, nil)
	t.Cleanup(s.end)
	if err := s.WaitGreeting(); err != nil {
		t.Fatalf("greeting: %v", err)
	}
	if err := s.Login("alice", "wonderland").Wait(); err != nil {
		t.Fatalf("login: %v", err)
	}
	if s.tap != nil {
		s.tap.SetPhase(PhaseCommand)
	}
	if _, err := s.Select("INBOX", nil).Wait(); err != nil {
		t.Fatalf("select: %v", err)
	}
	if s.tap != nil {
		s.tap.Events()
	}
	return s
}

// end closes both ends and waits until nothing of the session runs.
func (s *session) end() {
	s.peer.conn.Close()
	s.Client.Close()
	<-s.peer.done
	<-s.Client.Closed()
}

// alive reports whether the connection still answers, within ten (virtual)
// minutes.
func (s *session) alive() error {
	done := make(chan error, 1)
	go func() { done <- s.Noop().Wait() }()
	timer := time.NewTimer(10 * time.Minute)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		s.peer.conn.Close() // frees imapclient
		<-done
		return errHung
	}
}

var errHung = errorString("no answer in ten minutes")

type errorString string

func (e errorString) Error() string { return string(e) }

func itoa(n int) string { return strconv.Itoa(n) }

// feeder is a conn whose server says script over and over and never listens.
type feeder struct {
	script []byte
	off    int
	left   int // octets
}

func (f *feeder) Read(p []byte) (int, error) {
	if f.left == 0 {
		return 0, io.EOF
	}
	n := copy(p, f.script[f.off:])
	n = min(n, f.left)
	f.off = (f.off + n) % len(f.script)
	f.left -= n
	return n, nil
}

func (f *feeder) Write(p []byte) (int, error)      { return len(p), nil }
func (f *feeder) Close() error                     { return nil }
func (f *feeder) LocalAddr() net.Addr              { return nil }
func (f *feeder) RemoteAddr() net.Addr             { return nil }
func (f *feeder) SetDeadline(time.Time) error      { return nil }
func (f *feeder) SetReadDeadline(time.Time) error  { return nil }
func (f *feeder) SetWriteDeadline(time.Time) error { return nil }

// summary is one answer to the fetch of a summary, its header of 500 octets.
func summary(seq, uid int) string {
	h := fmt.Sprintf("Date: Mon, 7 Feb 1994 21:52:25 -0800\r\nFrom: Alice Example <alice@example.org>\r\n"+
		"To: Bob <bob@example.net>\r\nSubject: Deploy window %d\r\nMessage-ID: <%d@example.org>\r\n"+
		"In-Reply-To: <%d@example.net>\r\nContent-Type: text/plain; charset=utf-8\r\n", uid, uid, uid)
	h += "References: <" + strings.Repeat("r", 500-len(h)-17) + ">\r\n\r\n"
	return fmt.Sprintf("* %d FETCH (UID %d FLAGS (\\Seen $Junk) INTERNALDATE \" 7-Feb-1994 21:52:25 -0800\" RFC822.SIZE 4423 "+
		"BODY[HEADER.FIELDS (DATE FROM TO CC REPLY-TO SUBJECT MESSAGE-ID IN-REPLY-TO REFERENCES CONTENT-TYPE LIST-ID)] {%d}\r\n%s)\r\n", seq, uid, len(h), h)
}
