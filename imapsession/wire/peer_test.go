package wire

import (
	"bufio"
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
