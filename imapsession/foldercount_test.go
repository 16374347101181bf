package imapsession

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"tidings/internal/testserver"
)

// count counts folders and returns what was told, by name.
func (f *follower) count(names ...string) (map[string]FolderCount, ResultEvent) {
	f.t.Helper()
	f.mu.Lock()
	f.counts = nil
	f.mu.Unlock()
	r := f.do(CountFolders{Names: names})
	f.mu.Lock()
	defer f.mu.Unlock()
	told := map[string]FolderCount{}
	for _, c := range f.counts {
		if _, twice := told[c.Raw]; twice {
			f.t.Errorf("%q was counted twice", c.Raw)
		}
		told[c.Raw] = c
	}
	return told, r
}

// Dovecot counts folders whichever way it is asked, and the one that is selected
// not at all.
func TestFoldersAreCounted(t *testing.T) {
	for _, test := range []struct {
		name    string
		options []testserver.Option
		way     string
	}{
		{"LIST-STATUS", nil, "LIST"},
		{"STATUS", []testserver.Option{testserver.WithoutCapability("LIST-STATUS")}, "STATUS"},
		{"no LIST-EXTENDED", []testserver.Option{testserver.WithoutCapability("LIST-STATUS", "LIST-EXTENDED", "SPECIAL-USE")}, "STATUS"},
	} {
		for _, connections := range []int{1, 2} {
			t.Run(fmt.Sprintf("%s/%d", test.name, connections), func(t *testing.T) {
				srv := testserver.Dovecot(t, test.options...)
				srv.AppendN(t, "INBOX", 2)
				c := srv.Client(t)
				names := []string{"INBOX"}
				for i := range 20 {
					name := fmt.Sprintf("f%02d", i)
					if i == 7 {
						name = "Tom & Jerry"
					}
					if err := c.Create(name, nil).Wait(); err != nil {
						t.Fatal(err)
					}
					if i%5 == 0 {
						srv.AppendN(t, name, i)
					}
					names = append(names, name)
				}
				srv.Append(t, "f05", testserver.Letter(1), `\Seen`)
				cfg := configFor(t, srv.Addr, srv.User, srv.Password)
				cfg.Connections = connections
				f, _ := start(t, cfg)
				f.live(1)
				listed := f.do(ListFolders{})
				if listed.Err != nil {
					t.Fatal(listed.Err)
				}
				raw := map[string]string{}
				for _, folder := range f.folders {
					raw[folder.Name.String()] = folder.Raw
				}
				for i, name := range names {
					names[i] = raw[name]
				}
				got, r := f.count(names...)
				if r.Err != nil || !r.Note.IsEmpty() {
					t.Errorf("result %v %q", r.Err, r.Note)
				}
				if len(got) != 20 || got["f05"] != (FolderCount{"f05", 6, 5}) || got["f15"] != (FolderCount{"f15", 15, 15}) || got["f01"] != (FolderCount{"f01", 0, 0}) {
					t.Errorf("%d were counted: %v", len(got), got)
				}
				if _, ok := got["INBOX"]; ok {
					t.Error("the selected mailbox was counted")
				}
			})
		}
	}
}

// A server that will not count some, that counts nonsense, and that answers in
// another order than it was asked.
func TestCountingOddFolders(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 1)
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			name, ok := strings.CutPrefix(cmd, "STATUS ")
			if !ok {
				return false
			}
			name, _, _ = strings.Cut(name, " (")
			switch {
			case strings.Contains(name, "secret"):
				c.send(tag + " NO [NOPERM] not for you")
			case strings.Contains(name, "odd"):
				c.send(`* STATUS "a&b" (MESSAGES 9 UNSEEN 3)`, tag+" OK done")
			case strings.Contains(name, "nonsense"):
				c.send(`* STATUS nonsense (MESSAGES 1 UNSEEN 7)`, tag+" OK done")
			case strings.Contains(name, "silent"):
				c.send(tag + " OK done")
			default:
				c.send("* STATUS "+name+" (UNSEEN 2 RECENT 1 MESSAGES 4)", tag+" OK done")
			}
			return true
		}
		f, _ := start(t, srv.config())
		f.live(1)
		got, r := f.count("plain", "secret", "nonsense", "silent", "INBOX", "inbox", "two words")
		if r.Err != nil || r.Note.IsEmpty() {
			t.Errorf("result %v %q", r.Err, r.Note)
		}
		var names []string
		for name := range got {
			names = append(names, name)
		}
		slices.SortFunc(names, cmp.Compare[string])
		if !slices.Equal(names, []string{"plain", "two words"}) || got["plain"] != (FolderCount{"plain", 4, 2}) {
			t.Errorf("counted %v", got)
		}
		if n := len(srv.said("STATUS INBOX")); n != 0 {
			t.Errorf("the selected mailbox was asked for %d times", n)
		}
	})
}

// Counting many folders keeps nobody waiting: another command has its turn, and it
// can be taken back.
func TestCountingLetsOthersPass(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 3)
		var f *follower
		var id CommandID
		begun, asked := make(chan struct{}), 0
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			name, ok := strings.CutPrefix(cmd, "STATUS ")
			if !ok {
				return false
			}
			<-begun
			if asked++; asked == 100 {
				f.s.Cancel(id)
			}
			name, _, _ = strings.Cut(name, " (")
			c.send("* STATUS "+name+" (UNSEEN 2 MESSAGES 4)", tag+" OK done")
			return true
		}
		cfg := srv.config()
		cfg.Connections = 1
		f, _ = start(t, cfg)
		f.live(1)
		var names []string
		for i := range 4000 {
			names = append(names, fmt.Sprintf("f%d", i))
		}
		id = f.s.Do(CountFolders{Names: names})
		flag := f.s.Do(StoreFlags{Target: f.target(2), Add: []string{`\Seen`}})
		close(begun)
		if r := f.result(flag); r.Err != nil {
			t.Error(r.Err)
		}
		if r := f.result(id); !errors.Is(r.Err, context.Canceled) {
			t.Errorf("taken back, it ended with %v", r.Err)
		}
		before, all := 0, 0
		for _, line := range srv.said("") {
			if strings.HasPrefix(line, "STATUS") {
				all++
			} else if strings.HasPrefix(line, "UID STORE") {
				before = all
			}
		}
		if before > countsAtOnce || all > 100+2*countsAtOnce {
			t.Errorf("%d folders were counted before another command had its turn, and %d in all", before, all)
		}
	})
}

// A mailbox that the worker has just been in is counted like the others.
func TestAFolderThatTheWorkerWasInIsCounted(t *testing.T) {
	for _, caps := range []string{fakeCaps, fakeCaps + " UNSELECT"} {
		bubble(t, func(t *testing.T) {
			srv := newFake(t, 3)
			withTrash(srv, 5)
			srv.setCaps(caps)
			unselected := false
			srv.on = func(c *fakeConn, tag, cmd string) bool {
				switch {
				case strings.HasPrefix(cmd, `STATUS "Trash"`):
					if !unselected && strings.Contains(caps, "UNSELECT") {
						t.Error("the selected mailbox was asked for its STATUS")
					}
					c.send("* STATUS Trash (UNSEEN 2 MESSAGES 5)", tag+" OK done")
					return true
				case cmd == "UNSELECT":
					unselected = true
				}
				return false
			}
			f, _ := start(t, srv.config())
			f.live(1)
			flag := func() {
				t.Helper()
				if r := f.do(StoreFlags{Target: inTrash(3), Add: []string{`\Flagged`}}); r.Err != nil || !r.Note.IsEmpty() {
					t.Errorf("flags: %v %q", r.Err, r.Note)
				}
			}
			flag()
			if got, r := f.count("Trash"); r.Err != nil || got["Trash"] != (FolderCount{"Trash", 5, 2}) {
				t.Errorf("counted %v, %v", got, r.Err)
			}
			flag() // and it is selected again where that is needed
		})
	}
}
