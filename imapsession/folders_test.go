package imapsession

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/internal/testserver"
)

func TestInboxComesFirst(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 1)
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			if !strings.HasPrefix(cmd, "LIST") {
				return false
			}
			c.send(`* LIST () "/" Archive`, `* LIST () "/" "Entw&APw-rfe"`, `* LIST () "/" "a & b"`, `* LIST () "/" inbox`, `* LIST () "/" Zoo`, tag+" OK done")
			return true
		}
		f, _ := start(t, srv.config())
		f.live(1)
		if r := f.do(ListFolders{}); r.Err != nil || !r.Note.IsEmpty() {
			t.Errorf("result %v %q", r.Err, r.Note)
		}
		var names []string
		for _, folder := range f.folders {
			names = append(names, folder.Name.String())
		}
		if want := []string{"INBOX", "Archive", "Entwürfe", "a & b", "Zoo"}; !slices.Equal(names, want) {
			t.Errorf("folders %q, not %q", names, want)
		}
	})
}

// What a server lists costs a bounded amount of memory, and that something was
// left out is said.
func TestFoldersAreBounded(t *testing.T) {
	for _, test := range []struct {
		name  string
		n     int
		octet int
	}{
		{"too many", maxFolders + 7, 0},
		{"long names", maxFolderNames/50_000 + 8, 50_000},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 1)
				srv.on = func(c *fakeConn, tag, cmd string) bool {
					if !strings.HasPrefix(cmd, "LIST") {
						return false
					}
					long := strings.Repeat("x", test.octet)
					for i := range test.n {
						c.send(fmt.Sprintf(`* LIST () "/" f%s%d`, long, i))
					}
					c.send(tag + " OK done")
					return true
				}
				f, _ := start(t, srv.config())
				f.live(1)
				r := f.do(ListFolders{})
				if r.Err != nil || !strings.Contains(r.Note.String(), "left out") {
					t.Errorf("result %v %q", r.Err, r.Note)
				}
				octets := 0
				for _, folder := range f.folders {
					octets += len(folder.Raw)
				}
				if len(f.folders) > maxFolders || octets > maxFolderNames || len(f.folders) == 0 {
					t.Errorf("%d folders, %d octets of names", len(f.folders), octets)
				}
			})
		})
	}
}

// Which folders are subscribed to is told by any server, with LIST-EXTENDED or not.
func TestSubscriptions(t *testing.T) {
	for _, without := range [][]string{nil, {"LIST-EXTENDED"}} {
		t.Run(fmt.Sprint("without ", without), func(t *testing.T) {
			srv := testserver.Dovecot(t, testserver.WithoutCapability(without...))
			c := srv.Client(t)
			for _, name := range []string{"plain", "Tom & Jerry", `sa"y`, "台北", "not"} {
				if err := c.Create(name, nil).Wait(); err != nil {
					t.Fatal(err)
				}
				if name == "not" {
					continue
				}
				if err := c.Subscribe(name).Wait(); err != nil {
					t.Fatal(err)
				}
			}
			f, _ := start(t, configFor(t, srv.Addr, srv.User, srv.Password))
			f.live(1)
			if r := f.do(ListFolders{}); r.Err != nil || !f.subscribed {
				t.Fatalf("result %v, told %v", r.Err, f.subscribed)
			}
			var names []string
			for _, folder := range f.folders {
				if folder.Subscribed {
					names = append(names, folder.Name.String())
				}
			}
			slices.Sort(names)
			if want := []string{"Tom & Jerry", "plain", `sa"y`, "台北"}; !slices.Equal(names, want) {
				t.Errorf("subscribed are %q, want %q", names, want)
			}
		})
	}
}

// The sender of a message who shows somebody else's address in the name is
// called by the real one.
func TestSummaryOfAPoser(t *testing.T) {
	for _, test := range []struct{ from, want string }{
		{`"boss@bank.example" <x@elsewhere.example>`, "x@elsewhere.example"},
		{`=?utf-8?b?Ym9zc0BiYW5rLmV4YW1wbGUAIA==?= <x@elsewhere.example>`, "x@elsewhere.example"},
		{`"Alice" <alice@example.org>`, "Alice"},
		{`"alice@example.org" <alice@example.org>`, "alice@example.org"},
	} {
		sum := newSummary(1, time.Time{}, 10, []byte("From: "+test.from+"\r\n\r\n"))
		if len(sum.From) != 1 || sum.From[0].Name.String() != test.want {
			t.Errorf("From: %s is shown as %+v", test.from, sum.From)
		}
	}
}
