package wire

import (
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-imap/v2"
)

// writes is a conn that keeps every Write apart, with its time.
type writes struct {
	feeder
	got []string
	at  []time.Time
}

func (w *writes) Write(p []byte) (int, error) {
	w.got = append(w.got, string(p))
	w.at = append(w.at, time.Now())
	return len(p), nil
}

// TestHoldDone: DONE and what follows leave in one write, or DONE alone after
// a millisecond, or at once by Flush.
func TestHoldDone(t *testing.T) {
	idling := func(t *testing.T) (*Tap, *writes) {
		w := &writes{}
		tap := New(w, Options{})
		tap.Write([]byte("T1 IDLE\r\n"))
		w.got = nil
		tap.HoldDone()
		return tap, w
	}
	want := func(t *testing.T, w *writes, want ...string) {
		t.Helper()
		if strings.Join(w.got, "|") != strings.Join(want, "|") {
			t.Errorf("writes %q, want %q", w.got, want)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		tap, w := idling(t)
		tap.Write([]byte("DONE\r\n"))
		want(t, w)
		tap.Write([]byte("T2 NOOP\r\n"))
		want(t, w, "DONE\r\nT2 NOOP\r\n")
		<-time.After(time.Second)
		synctest.Wait()
		want(t, w, "DONE\r\nT2 NOOP\r\n")
	})
	synctest.Test(t, func(t *testing.T) {
		tap, w := idling(t)
		start := time.Now()
		tap.Write([]byte("DONE\r\n"))
		<-time.After(time.Second)
		synctest.Wait()
		want(t, w, "DONE\r\n")
		if d := w.at[len(w.at)-1].Sub(start); d != time.Millisecond {
			t.Errorf("released after %v", d)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		tap, w := idling(t)
		tap.Write([]byte("DONE\r\n"))
		if err := tap.Flush(); err != nil {
			t.Error(err)
		}
		want(t, w, "DONE\r\n")
		<-time.After(time.Second)
		synctest.Wait()
		tap.Write([]byte("T2 IDLE\r\n"))
		tap.Write([]byte("DONE\r\n")) // held once only
		want(t, w, "DONE\r\n", "T2 IDLE\r\n", "DONE\r\n")
	})
	synctest.Test(t, func(t *testing.T) {
		tap, w := idling(t)
		tap.Write([]byte("DONE\r\n"))
		tap.Close()
		<-time.After(time.Second)
		synctest.Wait()
		want(t, w)
	})
}

// TestDoneBehindIdle: in the hands of imapclient, DONE and the next command
// are one segment and both are answered.
func TestDoneBehindIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		idle := ""
		s := dial(t, false, Options{}, func(tag, command string) string {
			switch {
			case command == "IDLE":
				idle = tag
			case tag == "DONE":
				return idle + " OK idle done\r\n"
			}
			return ""
		})
		cmd, err := s.Idle()
		if err != nil {
			t.Fatal(err)
		}
		s.tap.HoldDone()
		if err := cmd.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Fetch(imap.UIDSetNum(1), &imap.FetchOptions{UID: true}).Collect(); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestIdleEndedByServer: a DONE that nobody waits for would be taken for a
// command.
func TestIdleEndedByServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := dial(t, false, Options{}, func(tag, command string) string {
			if command == "IDLE" {
				return "+ idling\r\n" + tag + " BAD enough\r\n"
			}
			return ""
		})
		cmd, err := s.Idle()
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		evs := s.tap.Events()
		if got := strings.Join(briefs(evs), "; "); got != "+ idling; T3 BAD enough" {
			t.Errorf("events %s", got)
		}
		cmd.Close()
		if err := cmd.Wait(); err == nil {
			t.Error("the IDLE that the server refused ended well")
		}
		if err := s.alive(); err != nil {
			t.Fatal(err)
		}
		s.end()
		for _, line := range s.peer.got {
			if line == "DONE" {
				t.Error("DONE was sent although IDLE was over")
			}
		}
	})
}

// TestContinuations: one request is one; the others are dropped.
func TestContinuations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := dial(t, false, Options{}, func(tag, command string) string {
			switch {
			case command == "IDLE":
				return "+ idling\r\n+ still idling\r\n+\r\n"
			case tag == "DONE":
				return "T3 OK\r\n"
			}
			return ""
		})
		cmd, err := s.Idle()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Close()
		if err := cmd.Wait(); err != nil {
			t.Fatalf("%v (tap: %v)", err, s.tap.Err())
		}
		if err := s.alive(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestMailboxNames: whatever name a server lists, using the name that
// imapclient gives for it sends the very octets back.
func TestMailboxNames(t *testing.T) {
	for _, tt := range []struct {
		name  string
		title string
		rev2  bool
	}{
		{"INBOX", "INBOX", false},
		{"Sent Items", "Sent Items", false},
		{"Entw&APw-rfe", "Entwürfe", false},
		{"A &- B", "A & B", false},
		{"Tom & Jerry", "Tom & Jerry", false},
		{"Entw\xfcrfe", "Entw\xfcrfe", false},
		{"Entwürfe", "Entwürfe", false},
		{"Entwürfe", "Entwürfe", true},
		{"Entw&APw-rfe", "Entwürfe", true}, // advertised, not enabled
		{"A & B", "A & B", true},
		{"a\x07b%", "a\x07b%", false},
		{"&AGEA-", "&AGEA-", false},
		{"&AOk", "&AOk", false},
		{`quo"te\d`, `quo"te\d`, false},
		{"tidings-raw:x", "tidings-raw:x", false},
		{"日本語", "日本語", true},
		{"&ZeVnLIqe-", "日本語", false},
		{"&2D3eAA-", "😀", false},
		{"&2D3eAF-", "😀", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := dial(t, false, Options{}, func(tag, command string) string {
					switch verb, _, _ := strings.Cut(command, " "); verb {
					case "CAPABILITY":
						return "* CAPABILITY IMAP4rev1 IMAP4rev2\r\n" + tag + " OK\r\n"
					case "LIST":
						return "* LIST (\\HasNoChildren) \"/\" " + string(appendQuoted(nil, []byte(tt.name))) + "\r\n" + tag + " OK\r\n"
					case "STATUS":
						return "* STATUS " + string(appendQuoted(nil, []byte(tt.name))) + " (MESSAGES 5)\r\n" + tag + " OK\r\n"
					}
					return ""
				})
				if tt.rev2 {
					if _, err := s.Capability().Wait(); err != nil {
						t.Fatal(err)
					}
				}
				boxes, err := s.List("", "*", nil).Collect()
				if err != nil || len(boxes) != 1 {
					t.Fatalf("%d folders, %v", len(boxes), err)
				}
				name := boxes[0].Mailbox
				if got := MailboxTitle(name); got != tt.title {
					t.Errorf("title %q, want %q", got, tt.title)
				}
				data, err := s.Status(name, &imap.StatusOptions{NumMessages: true}).Wait()
				if err != nil || data.NumMessages == nil || *data.NumMessages != 5 {
					t.Errorf("status of %q: %+v, %v", name, data, err)
				}
				if _, err := s.Select(name, nil).Wait(); err != nil {
					t.Fatal(err)
				}
				s.end()
				sent := strings.TrimPrefix(s.peer.got[len(s.peer.got)-1], "T"+itoa(len(s.peer.got))+" SELECT ")
				raw := []byte(sent)
				if c := (cursor{b: raw}); c.peek() == '"' {
					raw, _ = c.quoted()
				}
				if string(raw) != tt.name {
					t.Errorf("SELECT %s was sent for a folder listed as %q", sent, tt.name)
				}
			})
		})
	}
}

// TestMailboxWithLineEnd: a name that no command could carry is not listed.
func TestMailboxWithLineEnd(t *testing.T) {
	if name, ok := clientName([]byte("a\r\nb"), false); ok {
		t.Errorf("listed as %q", name)
	}
	if raw, ok := RawMailbox(aliasPrefix + "a%0D%0Ab"); !ok || raw != "a\r\nb" {
		t.Errorf("%q, %v", raw, ok)
	}
	line := []byte("T1 SELECT \"" + aliasPrefix + "a%0D%0Ab\"\r\n")
	if got := appendUnaliased(nil, line); string(got) != string(line) {
		t.Errorf("a stand-in smuggled a line end into %q", got)
	}
}

func FuzzMailbox(f *testing.F) {
	for _, s := range []string{"a", "Tom & Jerry", "&AOk-", "&AOk", "\xff", "tidings-raw:%41", "&2D3eAA-x"} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, raw string, utf8Names bool) {
		name, ok := clientName([]byte(raw), utf8Names)
		if !ok {
			return
		}
		if strings.HasPrefix(name, aliasPrefix) {
			if again, ok := RawMailbox(name); !ok || again != raw {
				t.Fatalf("%q stands for %q, not %q", name, again, raw)
			}
			return
		}
		if strings.EqualFold(raw, "INBOX") {
			return
		}
		dec, ok := decodeMailbox(name)
		again := encodeMailbox(dec)
		if utf8Names {
			again = strings.ReplaceAll(dec, "&", "&-")
		}
		if !ok || again != raw {
			t.Fatalf("%q decodes to %q and goes out as %q", raw, dec, again)
		}
	})
}

// TestPartialWrites: a command leaves whole, whatever pieces it is written in.
func TestPartialWrites(t *testing.T) {
	w := &writes{}
	tap := New(w, Options{})
	const stream = "T1 NOOP\r\nT2 APPEND INBOX {5+}\r\nab\r\nc\r\nT3 UID FETCH 1:9 (UID FLAGS)\r\n"
	for _, ch := range []byte(stream) {
		if n, err := tap.Write([]byte{ch}); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	}
	if got := strings.Join(w.got, ""); got != stream {
		t.Errorf("sent %q", got)
	}
	if tap.Stats().Commands != 3 || len(tap.pending) != 3 || tap.pending[2].want != itemUID|itemFlags {
		t.Errorf("%d commands, pending %+v", tap.Stats().Commands, tap.pending)
	}
}

func TestReadLine(t *testing.T) {
	ours, theirs := net.Pipe()
	go func() {
		theirs.Write([]byte("* OK hi\r\nnext"))
		theirs.Close()
	}()
	if line, err := ReadLine(ours, 100); line != "* OK hi" || err != nil {
		t.Errorf("%q, %v", line, err)
	}
	rest := make([]byte, 4)
	if n, _ := ours.Read(rest); string(rest[:n]) != "next" {
		t.Errorf("behind the line comes %q", rest[:n])
	}
	for in, limit := range map[string]int{"12345\n": 4, "1234": 4, "": 4} {
		if line, err := ReadLine(strings.NewReader(in), limit); err == nil {
			t.Errorf("%q: %q", in, line)
		}
	}
	if line, err := ReadLine(strings.NewReader("1234\r\n"), 5); line != "1234" || err != nil {
		t.Errorf("%q, %v", line, err)
	}
}
