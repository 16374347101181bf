package testserver

import (
	"bytes"
	"errors"
	"io"
	"log"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-sasl"
	"github.com/google/go-cmp/cmp"

	"tidings/internal/demo"
)

// peer is a server under test, with an empty INBOX.
type peer struct {
	addr, user, password string
}

func (p peer) login(t testing.TB) *imapclient.Client {
	t.Helper()
	return Login(t, p.addr, p.user, p.password)
}

func demoPeer(t testing.TB) peer {
	t.Helper()
	s, err := demo.Start(t.Context(), demo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return peer{s.Addr(), s.User(), s.Password()}
}

func dovecotPeer(t testing.TB) peer {
	t.Helper()
	s := Dovecot(t)
	return peer{s.Addr, s.User, s.Password}
}

// memoryPeer is go-imap's own test server, as a third opinion.
func memoryPeer(t testing.TB) peer {
	t.Helper()
	user := imapmemserver.NewUser("alice", "secret")
	for _, name := range []string{"INBOX", "Archive"} {
		if err := user.Create(name, nil); err != nil {
			t.Fatal(err)
		}
	}
	mem := imapmemserver.New()
	mem.AddUser(user)
	server := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return mem.NewSession(), nil, nil
		},
		Caps: imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapNamespace: {}, imap.CapUIDPlus: {}, imap.CapESearch: {},
			imap.CapMove: {}, imap.CapListExtended: {}, imap.CapListStatus: {}},
		InsecureAuth: true,
		Logger:       log.New(io.Discard, "", 0),
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return peer{listener.Addr().String(), "alice", "secret"}
}

// conformance is what every server has to do, and what Tidings builds on.
var conformance = []struct {
	name string
	// memory: imapmemserver passes too (GO-IMAP-NOTES has what it gets wrong).
	memory bool
	test   func(t *testing.T, p peer)
}{
	{"log-in", true, testLogIn},
	{"pipelining", true, testPipelining},
	{"select", true, testSelect},
	{"examine forbids changes", false, testExamine},
	{"fetch", true, testFetch},
	{"store", false, testStore},
	{"move", false, testMove},
	{"copy", true, testCopy},
	{"search", true, testSearch},
	{"search keys", false, testSearchKeys},
	{"idle", false, testIdle},
	{"numbers are frozen", false, testFrozenNumbers},
	{"uid expunge", true, testUIDExpunge},
	{"news by uid", false, testNewsByUID},
	{"folders", false, testFolders},
}

func TestConformance(t *testing.T) {
	peers := []struct {
		name  string
		start func(testing.TB) peer
	}{{"demo", demoPeer}, {"dovecot", dovecotPeer}, {"memory", memoryPeer}}
	for _, p := range peers {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			for _, c := range conformance {
				if p.name == "memory" && !c.memory {
					continue
				}
				t.Run(c.name, func(t *testing.T) { c.test(t, p.start(t)) })
			}
		})
	}
}

func testLogIn(t *testing.T, p peer) {
	client, err := imapclient.DialInsecure(p.addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if caps := client.Caps(); !caps.Has(imap.AuthCap("PLAIN")) || !caps.Has(imap.CapSASLIR) {
		t.Errorf("the greeting offers %v, want AUTH=PLAIN and SASL-IR", caps)
	}
	err = client.Login(p.user, "wrong").Wait()
	var refused *imap.Error
	if !errors.As(err, &refused) || refused.Code != imap.ResponseCodeAuthenticationFailed {
		t.Errorf("a wrong password: %v", err)
	}
	if err := client.Authenticate(sasl.NewPlainClient("", p.user, p.password)); err != nil {
		t.Errorf("AUTHENTICATE PLAIN: %v", err)
	}
	for _, cap := range []imap.Cap{imap.CapIdle, imap.CapMove, imap.CapUIDPlus, imap.CapESearch} {
		if !client.Caps().Has(cap) {
			t.Errorf("%s is missing", cap)
		}
	}
}

// testPipelining: everything of an opening in one flight, answered in order.
func testPipelining(t *testing.T, p peer) {
	fill(t, p.login(t), 3)
	c := dialRaw(t, p)
	tags := []string{
		c.send("NOOP"),
		c.send("SELECT INBOX"),
		c.send("FETCH 1:* (UID FLAGS)"),
		c.send("UID SEARCH RETURN (COUNT) UNSEEN"),
		c.send("UID FETCH 1:* (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])"),
		c.send("IDLE"),
	}
	for _, tag := range tags[:len(tags)-1] {
		if _, reply := c.until(tag); !strings.HasPrefix(reply, "OK") {
			t.Errorf("%s: %s", tag, reply)
		}
	}
	for line := c.line(); !strings.HasPrefix(line, "+"); line = c.line() {
	}
	if len(c.rows) != 3 || c.rows[2].uid == 0 {
		t.Errorf("rows %v", c.asRows())
	}
	// DONE and what follows it in one write too.
	if _, err := io.WriteString(c.conn, "DONE\r\n"+"z1 UID FETCH 3:* (FLAGS)\r\nz2 LOGOUT\r\n"); err != nil {
		t.Fatal(err)
	}
	for _, tag := range []string{tags[len(tags)-1], "z1", "z2"} {
		if _, reply := c.until(tag); !strings.HasPrefix(reply, "OK") {
			t.Errorf("%s: %s", tag, reply)
		}
	}
	if _, err := c.in.ReadByte(); err != io.EOF {
		t.Errorf("after LOGOUT: %v, want the end", err)
	}
}

// fill appends n letters and returns their UIDs.
func fill(t testing.TB, client *imapclient.Client, n int, flags ...string) []uint32 {
	t.Helper()
	var uids []uint32
	for i := range n {
		uids = append(uids, Append(t, client, "INBOX", Letter(i), flags...))
	}
	return uids
}

func open(t testing.TB, client *imapclient.Client) *imap.SelectData {
	t.Helper()
	data, err := client.Select("INBOX", nil).Wait()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func testSelect(t *testing.T, p peer) {
	client := p.login(t)
	uids := fill(t, client, 3)
	data := open(t, client)
	if data.NumMessages != 3 || data.UIDValidity == 0 || uint32(data.UIDNext) != uids[2]+1 {
		t.Errorf("%+v after UIDs %d", data, uids)
	}
	if !slices.Contains(data.PermanentFlags, imap.FlagWildcard) {
		t.Errorf("PERMANENTFLAGS %v has no \\*", data.PermanentFlags)
	}
	if _, err := client.Select("No such mailbox", nil).Wait(); err == nil {
		t.Error("a mailbox that does not exist was selected")
	}
}

func testExamine(t *testing.T, p peer) {
	client := p.login(t)
	uids := fill(t, client, 2, `\Deleted`)
	if _, err := client.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil {
		t.Fatal(err)
	}
	set := imap.UIDSetNum(imap.UID(uids[0]))
	// A server may answer OK and change nothing, or refuse: the rows count.
	_ = client.Store(set, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagSeen}}, nil).Close()
	_ = client.UIDExpunge(set).Close()
	// MOVE is not tried: Dovecot 2.3 moves out of a mailbox opened with EXAMINE.
	body := &imap.FetchItemBodySection{}
	if _, err := client.Fetch(set, &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{body}}).Collect(); err != nil {
		t.Errorf("reading a body after EXAMINE: %v", err)
	}
	want := []Row{{uids[0], []string{`\Deleted`}}, {uids[1], []string{`\Deleted`}}}
	if diff := cmp.Diff(want, Rows(t, p.login(t), "INBOX")); diff != "" {
		t.Errorf("EXAMINE let a change through (-want +got):\n%s", diff)
	}
}

func testFetch(t *testing.T, p peer) {
	client := p.login(t)
	raw := []byte("From: a@example.org\r\nSubject: a\r\n folded\r\nX-Other: no\r\nMessage-ID: <1@example.org>\r\n\r\n0123456789\r\n")
	uid := Append(t, client, "INBOX", raw)
	open(t, client)
	header := &imap.FetchItemBodySection{Specifier: imap.PartSpecifierHeader, Peek: true, HeaderFields: []string{"SUBJECT", "message-id", "CC"}}
	part := &imap.FetchItemBodySection{Specifier: imap.PartSpecifierText, Peek: true, Partial: &imap.SectionPartial{Offset: 3, Size: 4}}
	past := &imap.FetchItemBodySection{Peek: true, Partial: &imap.SectionPartial{Offset: 5000, Size: 4}}
	whole := &imap.FetchItemBodySection{Peek: true}
	messages, err := client.Fetch(imap.SeqSetNum(1), &imap.FetchOptions{
		UID: true, Flags: true, RFC822Size: true, InternalDate: true,
		BodySection: []*imap.FetchItemBodySection{header, part, past, whole},
	}).Collect()
	if err != nil || len(messages) != 1 {
		t.Fatalf("%d messages, %v", len(messages), err)
	}
	m := messages[0]
	if uint32(m.UID) != uid || m.RFC822Size != int64(len(raw)) || m.InternalDate.IsZero() {
		t.Errorf("%+v", m)
	}
	if slices.Contains(m.Flags, imap.FlagSeen) {
		t.Error("PEEK marked the message as read")
	}
	if got, want := string(m.FindBodySection(header)), "Subject: a\r\n folded\r\nMessage-ID: <1@example.org>\r\n\r\n"; got != want {
		t.Errorf("HEADER.FIELDS: %q, want %q", got, want)
	}
	if got := string(m.FindBodySection(part)); got != "3456" {
		t.Errorf("partial text: %q", got)
	}
	if got := m.FindBodySection(past); len(got) != 0 {
		t.Errorf("past the end: %q", got)
	}
	if got := m.FindBodySection(whole); !bytes.Equal(got, raw) {
		t.Errorf("the body is %q", got)
	}
	vanished, err := client.Fetch(imap.UIDSetNum(imap.UID(uid+1000)), &imap.FetchOptions{Flags: true}).Collect()
	if err != nil || len(vanished) != 0 {
		t.Errorf("UID FETCH of a message that does not exist: %v, %v; want OK and nothing", vanished, err)
	}
}

func testStore(t *testing.T, p peer) {
	client, other := p.login(t), dialRaw(t, p)
	uids := fill(t, client, 2)
	open(t, client)
	other.open("INBOX")
	store := func(op imap.StoreFlagsOp, flags ...imap.Flag) {
		t.Helper()
		set := imap.UIDSetNum(imap.UID(uids[1]))
		messages, err := client.Store(set, &imap.StoreFlags{Op: op, Flags: flags}, nil).Collect()
		if err != nil || len(messages) != 1 || messages[0].SeqNum != 2 || uint32(messages[0].UID) != uids[1] {
			t.Errorf("STORE answers %+v, %v", messages, err)
		}
	}
	store(imap.StoreFlagsSet, imap.FlagSeen, imap.FlagDraft)
	store(imap.StoreFlagsAdd, imap.FlagFlagged, "$ToDo")
	store(imap.StoreFlagsDel, imap.FlagDraft)
	other.ok("NOOP")
	want := []Row{{uids[0], []string{}}, {uids[1], []string{"$ToDo", `\Flagged`, `\Seen`}}}
	if diff := cmp.Diff(want, other.asRows()); diff != "" {
		t.Errorf("another client was told (-want +got):\n%s", diff)
	}
	silent := client.Store(imap.SeqSetNum(1), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagSeen}}, nil)
	if messages, err := silent.Collect(); err != nil || len(messages) != 0 {
		t.Errorf("STORE .SILENT answers %+v, %v", messages, err)
	}
}

func testMove(t *testing.T, p peer) {
	client := p.login(t)
	uids := fill(t, client, 7)
	raw := dialRaw(t, p)
	raw.open("INBOX")
	witness := dialRaw(t, p)
	witness.open("INBOX")
	// A change by somebody else that is not told yet must not confuse the numbers.
	open(t, client)
	set := imap.UIDSetNum(imap.UID(uids[1]))
	if err := client.Store(set, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close(); err != nil {
		t.Fatal(err)
	}
	if err := client.UIDExpunge(set).Close(); err != nil {
		t.Fatal(err)
	}
	untagged, reply := raw.do("UID MOVE %d,%d:%d Archive", uids[0], uids[3], uids[4])
	if !strings.HasPrefix(reply, "OK") {
		t.Fatalf("MOVE: %s", reply)
	}
	if !strings.Contains(strings.Join(append(untagged, reply), "\n"), "COPYUID") {
		t.Errorf("no COPYUID in %q %q", untagged, reply)
	}
	raw.ok("NOOP")
	witness.ok("NOOP")
	want := []Row{{uids[2], []string{}}, {uids[5], []string{}}, {uids[6], []string{}}}
	for who, c := range map[string]*rawClient{"the mover": raw, "a witness": witness} {
		if diff := cmp.Diff(want, c.asRows()); diff != "" {
			t.Errorf("%s holds (-want +got):\n%s", who, diff)
		}
	}
	if moved := Rows(t, p.login(t), "Archive"); len(moved) != 3 {
		t.Errorf("Archive holds %v", moved)
	}
	data, err := client.Move(imap.UIDSetNum(imap.UID(uids[5])), "Archive").Wait()
	if err != nil || data == nil || data.SourceUIDs.String() != imap.UIDSetNum(imap.UID(uids[5])).String() {
		t.Errorf("MOVE through imapclient: %+v, %v", data, err)
	}
	if _, err := client.Move(imap.UIDSetNum(imap.UID(uids[6])), "No such mailbox").Wait(); err == nil {
		t.Error("MOVE into nothing succeeded")
	}
	if rows := Rows(t, p.login(t), "INBOX"); len(rows) != 2 {
		t.Errorf("INBOX holds %v", rows)
	}
}

func testCopy(t *testing.T, p peer) {
	client := p.login(t)
	uids := fill(t, client, 3, `\Flagged`)
	open(t, client)
	data, err := client.Copy(imap.SeqSet{{Start: 1, Stop: 2}}, "Archive").Wait()
	if err != nil {
		t.Fatal(err)
	}
	source, _ := data.SourceUIDs.Nums()
	target, _ := data.DestUIDs.Nums()
	if len(source) != 2 || uint32(source[0]) != uids[0] || len(target) != 2 || data.UIDValidity == 0 {
		t.Errorf("COPYUID %+v", data)
	}
	rows := Rows(t, p.login(t), "Archive")
	if len(rows) != 2 || !strings.EqualFold(strings.Join(rows[0].Flags, " "), `\Flagged`) {
		t.Errorf("Archive holds %v", rows)
	}
}

func testSearch(t *testing.T, p peer) {
	client := p.login(t)
	uids := fill(t, client, 4)
	Append(t, client, "INBOX", Letter(9), `\Seen`)
	open(t, client)
	unseen := &imap.SearchCriteria{NotFlag: []imap.Flag{imap.FlagSeen}}
	data, err := client.Search(unseen, &imap.SearchOptions{ReturnCount: true}).Wait()
	if err != nil || data.Count != 4 {
		t.Errorf("RETURN (COUNT) UNSEEN: %+v, %v", data, err)
	}
	data, err = client.UIDSearch(unseen, &imap.SearchOptions{ReturnAll: true, ReturnMin: true, ReturnMax: true}).Wait()
	if err != nil || data.Min != uids[0] || data.Max != uids[3] || len(data.AllUIDs()) != 4 {
		t.Errorf("UID SEARCH RETURN (ALL MIN MAX) UNSEEN: %+v, %v", data, err)
	}
	data, err = client.Search(&imap.SearchCriteria{Header: []imap.SearchCriteriaHeaderField{{Key: "Subject", Value: "letter 2"}}}, nil).Wait()
	if err != nil || !slices.Equal(data.AllSeqNums(), []uint32{3}) {
		t.Errorf("SUBJECT: %+v, %v", data, err)
	}
	data, err = client.Search(&imap.SearchCriteria{Body: []string{"number 9"}}, nil).Wait()
	if err != nil || !slices.Equal(data.AllSeqNums(), []uint32{5}) {
		t.Errorf("BODY: %+v, %v", data, err)
	}
	data, err = client.UIDSearch(&imap.SearchCriteria{}, &imap.SearchOptions{ReturnAll: true}).Wait()
	if err != nil || len(data.AllUIDs()) != 5 {
		t.Errorf("UID SEARCH RETURN (ALL) ALL: %+v, %v", data, err)
	}
	data, err = client.Search(&imap.SearchCriteria{Flag: []imap.Flag{imap.FlagAnswered}}, &imap.SearchOptions{ReturnCount: true, ReturnAll: true}).Wait()
	if err != nil || data.Count != 0 || len(data.AllSeqNums()) != 0 {
		t.Errorf("nothing found: %+v, %v", data, err)
	}
}
