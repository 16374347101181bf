package wire

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/emersion/go-imap/v2"
)

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
