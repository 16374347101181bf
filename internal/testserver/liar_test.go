package testserver

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

func TestLiarPlaysAWholeSession(t *testing.T) {
	addr := Listen(t, func(l *Liar) {
		l.Greet("")
		l.LogIn("")
		l.Selected(l.Expect("SELECT INBOX"), 1, 7, 43)
		c := l.Expect("FETCH 1 ")
		l.Summary(1, 42, `\Seen`, c.Section(), "Hello")
		l.OK(c)
		c = l.Expect("APPEND INBOX")
		if !strings.Contains(c.Args, "body") {
			t.Errorf("the literal is missing in %q", c.Args)
		}
		l.OK(c, "[APPENDUID 7 43]")
		c = l.Expect("IDLE")
		l.Send("+ idling")
		l.Send("* 2 EXISTS")
		l.ExpectDone()
		l.OK(c)
		l.ExpectClosed()
	})
	grew := make(chan uint32, 1)
	client, err := imapclient.DialInsecure(addr, &imapclient.Options{
		UnilateralDataHandler: &imapclient.UnilateralDataHandler{Mailbox: func(data *imapclient.UnilateralDataMailbox) {
			if data.NumMessages != nil {
				grew <- *data.NumMessages
			}
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Login("alice", "secret").Wait(); err != nil {
		t.Fatal(err)
	}
	selected, err := client.Select("INBOX", nil).Wait()
	if err != nil || selected.NumMessages != 1 || selected.UIDValidity != 7 {
		t.Fatalf("select: %+v, %v", selected, err)
	}
	section := &imap.FetchItemBodySection{Specifier: imap.PartSpecifierHeader, HeaderFields: []string{"SUBJECT"}, Peek: true}
	messages, err := client.Fetch(imap.SeqSetNum(1), &imap.FetchOptions{
		UID: true, Flags: true, BodySection: []*imap.FetchItemBodySection{section},
	}).Collect()
	if err != nil || len(messages) != 1 || messages[0].UID != 42 ||
		!strings.Contains(string(messages[0].FindBodySection(section)), "Subject: Hello") {
		t.Fatalf("fetch: %+v, %v", messages, err)
	}
	if uid := Append(t, client, "INBOX", []byte("Subject: x\r\n\r\nbody\r\n")); uid != 43 {
		t.Errorf("appended as UID %d, want 43", uid)
	}
	idle, err := client.Idle()
	if err != nil {
		t.Fatal(err)
	}
	if n := <-grew; n != 2 {
		t.Errorf("%d messages, want 2", n)
	}
	_ = idle.Close()
	if err := idle.Wait(); err != nil {
		t.Error(err)
	}
}

func TestLiarInVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		wait := Play(t, server, func(l *Liar) {
			l.Greet("IMAP4rev1")
			c := l.Read()
			time.Sleep(time.Hour) // the lie: an answer that comes late
			l.No(c, "[UNAVAILABLE] not now")
		})
		c := imapclient.New(client, nil)
		begin := time.Now()
		if err := c.Login("alice", "secret").Wait(); err == nil || !strings.Contains(err.Error(), "not now") {
			t.Errorf("log in: %v", err)
		}
		if took := time.Since(begin); took != time.Hour {
			t.Errorf("it took %v", took)
		}
		_ = c.Close()
		wait()
	})
}

// witness is a testing.TB that keeps what a script reports.
type witness struct {
	testing.TB
	mu     sync.Mutex
	errors []string
}

func (w *witness) Helper() {}
func (w *witness) Errorf(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.errors = append(w.errors, fmt.Sprintf(format, args...))
}

func TestLiarReportsTheScriptsLine(t *testing.T) {
	client, server := net.Pipe()
	w := &witness{TB: t}
	wait := Play(w, server, func(l *Liar) {
		l.Expect("LOGIN")
		t.Error("the script went on after a failure")
	})
	_, _ = client.Write([]byte("a1 NOOP\r\n"))
	wait()
	if len(w.errors) != 1 || !strings.Contains(w.errors[0], "liar_test.go:") || !strings.Contains(w.errors[0], `"NOOP"`) {
		t.Errorf("reported: %q", w.errors)
	}
}
