package testserver

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/google/go-cmp/cmp"
)

func testIdle(t *testing.T, p peer) {
	client := p.login(t)
	uids := fill(t, client, 3)
	watcher := dialRaw(t, p)
	watcher.open("INBOX")
	open(t, client)
	changed := make(chan error, 1)
	go func() {
		set := imap.UIDSetNum(imap.UID(uids[1]))
		changed <- errors.Join(
			client.Store(set, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted, imap.FlagFlagged}}, nil).Close(),
			client.UIDExpunge(set).Close(),
			client.Store(imap.SeqSetNum(1), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagSeen}}, nil).Close(),
		)
	}()
	watcher.idle(func() bool {
		return len(watcher.rows) == 2 && slices.Contains(watcher.rows[0].flags, `\Seen`)
	})
	if err := <-changed; err != nil {
		t.Fatal(err)
	}
	appended := make(chan uint32, 1)
	go func() { appended <- Append(t, client, "INBOX", Letter(8)) }()
	watcher.idle(func() bool { return len(watcher.rows) == 3 })
	uid := <-appended
	watcher.learn()
	want := []Row{{uids[0], []string{`\Seen`}}, {uids[2], []string{}}, {uid, []string{}}}
	if diff := cmp.Diff(want, watcher.asRows()); diff != "" {
		t.Errorf("the idling client holds (-want +got):\n%s", diff)
	}
}

// testFrozenNumbers: while a client asks by sequence number, nobody's expunge
// moves the numbers under it (RFC 3501 §7.4.1).
func testFrozenNumbers(t *testing.T, p peer) {
	client := p.login(t)
	uids := fill(t, client, 4)
	slow := dialRaw(t, p)
	slow.open("INBOX")
	open(t, client)
	set := imap.UIDSetNum(imap.UID(uids[1]))
	if err := client.Store(set, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close(); err != nil {
		t.Fatal(err)
	}
	if err := client.UIDExpunge(set).Close(); err != nil {
		t.Fatal(err)
	}
	Append(t, client, "INBOX", Letter(5))
	// rawClient fails the test when a FETCH names another UID than its row's.
	slow.do("FETCH 3 (UID FLAGS)")
	slow.do("FETCH 1:4 (UID FLAGS)")
	slow.do("STORE 4 +FLAGS (\\Flagged)")
	slow.ok("NOOP")
	slow.learn()
	if len(slow.rows) != 4 || slow.rows[1].uid != uids[2] || !slices.Contains(slow.rows[2].flags, `\Flagged`) {
		t.Errorf("the slow client holds %v of %d", slow.asRows(), uids)
	}
}

func testUIDExpunge(t *testing.T, p peer) {
	client := p.login(t)
	uids := fill(t, client, 3, `\Deleted`)
	keep := Append(t, client, "INBOX", Letter(4))
	open(t, client)
	if err := client.UIDExpunge(imap.UIDSetNum(imap.UID(uids[1]), imap.UID(keep))).Close(); err != nil {
		t.Fatal(err)
	}
	var left []uint32
	for _, row := range Rows(t, p.login(t), "INBOX") {
		left = append(left, row.UID)
	}
	if want := []uint32{uids[0], uids[2], keep}; !slices.Equal(left, want) {
		t.Errorf("UIDs %d are left, want %d", left, want)
	}
}

// testNewsByUID: what a monitor asks right behind DONE.
func testNewsByUID(t *testing.T, p peer) {
	client := p.login(t)
	uids := fill(t, client, 2)
	watcher := dialRaw(t, p)
	watcher.open("INBOX")
	fresh := Append(t, client, "INBOX", Letter(3))
	watcher.idle(func() bool { return len(watcher.rows) == 3 })
	watcher.ok("UID FETCH %d:* (UID FLAGS)", uids[1]+1)
	if watcher.rows[2].uid != fresh {
		t.Errorf("row 3 is UID %d, want %d", watcher.rows[2].uid, fresh)
	}
	// "*" is the last message, also where nothing is new (RFC 3501 §9).
	untagged := watcher.ok("UID FETCH %d:* (UID)", fresh+1)
	if len(untagged) != 1 || !strings.Contains(untagged[0], "FETCH (UID") {
		t.Errorf("UID FETCH past the end: %q, want the last message", untagged)
	}
}

func testFolders(t *testing.T, p peer) {
	client := p.login(t)
	if err := client.Create("Projects/Übersee", nil).Wait(); err != nil {
		// Maildir++ separates with a dot.
		if err := client.Create("Projects.Übersee", nil).Wait(); err != nil {
			t.Fatal(err)
		}
	}
	folders, err := client.List("", "*", nil).Collect()
	if err != nil {
		t.Fatal(err)
	}
	roles := map[imap.MailboxAttr]string{}
	var names []string
	for _, f := range folders {
		names = append(names, f.Mailbox)
		for _, attr := range f.Attrs {
			roles[attr] = f.Mailbox
		}
	}
	for name, role := range specialUse {
		if roles[imap.MailboxAttr(`\`+role)] != name {
			t.Errorf("\\%s is %q, want %s", role, roles[imap.MailboxAttr(`\`+role)], name)
		}
	}
	if !slices.ContainsFunc(names, func(n string) bool { return strings.HasSuffix(n, "Übersee") }) {
		t.Errorf("the new folder is not among %q", names)
	}
	Append(t, client, "Archive", Letter(1))
	status, err := client.Status("Archive", &imap.StatusOptions{NumMessages: true, NumUnseen: true, UIDNext: true, UIDValidity: true}).Wait()
	if err != nil || *status.NumMessages != 1 || *status.NumUnseen != 1 || status.UIDNext < 2 || status.UIDValidity == 0 {
		t.Errorf("STATUS: %+v, %v", status, err)
	}
	if err := client.Create("Archive", nil).Wait(); err == nil {
		t.Error("a mailbox was created twice")
	}
	if _, err := client.Namespace().Wait(); err != nil {
		t.Errorf("NAMESPACE: %v", err)
	}
}
