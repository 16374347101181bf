package demo_test

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/google/go-cmp/cmp"

	"tidings/internal/demo"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// history is everything a seed decides: what is in the mailbox, what happens,
// and what the mailbox is afterwards.
func history(t *testing.T, seed uint64) (letters, events, rows []string) {
	t.Helper()
	s := start(t, demo.Options{Seed: seed, Messages: 80, Now: noon})
	for _, row := range s.Rows("INBOX") {
		letters = append(letters, fmt.Sprint(row.Flags)+string(s.Raw("INBOX", row.UID)))
	}
	for range 300 {
		events = append(events, s.Step())
	}
	for _, row := range s.Rows("INBOX") {
		rows = append(rows, fmt.Sprint(row))
	}
	return letters, events, rows
}

func TestTheSeedDecidesEverything(t *testing.T) {
	letters, events, rows := history(t, 7)
	letters2, events2, rows2 := history(t, 7)
	for what, pair := range map[string][2][]string{
		"letters": {letters, letters2}, "events": {events, events2}, "rows": {rows, rows2},
	} {
		if diff := cmp.Diff(pair[0], pair[1]); diff != "" {
			t.Errorf("the same seed, other %s:\n%s", what, diff)
		}
	}
	otherLetters, otherEvents, _ := history(t, 8)
	if slices.Equal(letters, otherLetters) || slices.Equal(events, otherEvents) {
		t.Error("another seed, the same mailbox")
	}
}

func TestLifeIsVaried(t *testing.T) {
	_, events, rows := history(t, 1)
	if !strings.HasPrefix(events[0], "arrival") {
		t.Errorf("the first event is %q, want an arrival", events[0])
	}
	count := map[string]int{}
	for _, event := range events {
		kind, _, _ := strings.Cut(event, " ")
		count[strings.Trim(kind, ":")]++
	}
	for _, kind := range []string{"arrival", "read", "flag", "moved", "expunged"} {
		if count[kind] < 10 {
			t.Errorf("%d events of the kind %q in 300: %v", count[kind], kind, count)
		}
	}
	if len(rows) < 40 {
		t.Errorf("the mailbox died out: %d rows", len(rows))
	}
}

func TestLifeGoesOnByItself(t *testing.T) {
	s := start(t, demo.Options{Messages: 20, Rate: 6000})
	client, grown := watching(t, s)
	if _, err := client.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	idle, err := client.Idle()
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-grown:
	case <-time.After(10 * time.Second):
		t.Error("nothing arrived")
	}
	_ = idle.Close()
	if err := idle.Wait(); err != nil {
		t.Error(err)
	}
}

// watching is a client that tells of every EXISTS.
func watching(t *testing.T, s *demo.Server) (*imapclient.Client, <-chan uint32) {
	t.Helper()
	grown := make(chan uint32, 1000)
	client, err := imapclient.DialInsecure(s.Addr(), &imapclient.Options{
		UnilateralDataHandler: &imapclient.UnilateralDataHandler{Mailbox: func(data *imapclient.UnilateralDataMailbox) {
			if data.NumMessages != nil {
				grown <- *data.NumMessages
			}
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	if err := client.Login(s.User(), s.Password()).Wait(); err != nil {
		t.Fatal(err)
	}
	return client, grown
}

func TestAQuietMailboxIsQuiet(t *testing.T) {
	s := start(t, demo.Options{Messages: 50})
	before := s.Rows("INBOX")
	client, grown := watching(t, s)
	if _, err := client.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	for len(grown) > 0 {
		<-grown
	}
	uid := s.Arrive()
	if err := client.Noop().Wait(); err != nil {
		t.Fatal(err)
	}
	if n := <-grown; n != 51 || len(grown) != 0 {
		t.Errorf("after one arrival: EXISTS %d and %d more", n, len(grown))
	}
	if rows := s.Rows("INBOX"); len(rows) != len(before)+1 || rows[50].UID != uid {
		t.Errorf("%d rows, the last is %v", len(rows), rows[len(rows)-1])
	}
}

// TestAStalledClientDelaysNobody: one client asks for everything and reads
// nothing.
func TestAStalledClientDelaysNobody(t *testing.T) {
	s := start(t, demo.Options{Messages: 20_000})
	stalled, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer stalled.Close()
	fmt.Fprintf(stalled, "a LOGIN %s %s\r\nb SELECT INBOX\r\nc FETCH 1:* (FLAGS BODY[])\r\n", s.User(), s.Password())
	done := make(chan error, 1)
	go func() {
		client, err := imapclient.DialInsecure(s.Addr(), nil)
		if err != nil {
			done <- err
			return
		}
		defer client.Close()
		if err := client.Login(s.User(), s.Password()).Wait(); err != nil {
			done <- err
			return
		}
		for range 200 {
			s.Arrive()
			if _, err := appendLetter(client); err != nil {
				done <- err
				return
			}
		}
		if _, err := client.Select("INBOX", nil).Wait(); err != nil {
			done <- err
			return
		}
		_, err = client.Fetch(imap.SeqSetNum(1, 20_400), &imap.FetchOptions{Flags: true}).Collect()
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("another client waits for the stalled one")
	}
}

func appendLetter(client *imapclient.Client) (imap.UID, error) {
	raw := []byte("Subject: hello\r\n\r\nhello\r\n")
	cmd := client.Append("INBOX", int64(len(raw)), &imap.AppendOptions{Flags: []imap.Flag{"$MyLabel"}})
	if _, err := cmd.Write(raw); err != nil {
		return 0, err
	}
	if err := cmd.Close(); err != nil {
		return 0, err
	}
	data, err := cmd.Wait()
	if err != nil {
		return 0, err
	}
	return data.UID, nil
}

func TestMutationsAreSeenByClients(t *testing.T) {
	s := start(t, demo.Options{})
	client := login(t, s)
	uid, err := appendLetter(client)
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.Append("INBOX", []byte("Subject: two\r\n\r\n2\r\n"), []string{`\Seen`, "$mylabel"}, noon)
	if err != nil {
		t.Fatal(err)
	}
	third, err := s.Append("inbox", []byte("Subject: three\r\n\r\n3\r\n"), nil, noon)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.StoreFlags("INBOX", []uint32{uint32(uid), 999}, []string{`\flagged`}, []string{"$MYLABEL"}); err != nil {
		t.Fatal(err)
	}
	if moved, err := s.Move("INBOX", "Archive", third); err != nil || !slices.Equal(moved, []uint32{1}) {
		t.Errorf("moved to %d, %v", moved, err)
	}
	want := []demo.Row{
		{UID: uint32(uid), Flags: []string{`\Flagged`}},
		{UID: second, Flags: []string{"$MyLabel", `\Seen`}},
	}
	if diff := cmp.Diff(want, s.Rows("INBOX")); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if err := s.Expunge("INBOX", uint32(uid), 999); err != nil {
		t.Fatal(err)
	}
	if rows := s.Rows("INBOX"); len(rows) != 1 || rows[0].UID != second {
		t.Errorf("after the expunge: %v", rows)
	}
	if _, err := s.Append("nowhere", nil, nil, noon); err == nil {
		t.Error("a mailbox that does not exist took a message")
	}
	if s.Rows("nowhere") != nil || s.Raw("INBOX", 999) != nil {
		t.Error("something was found where nothing is")
	}
}

func TestExamineForbidsMove(t *testing.T) {
	s := start(t, demo.Options{Messages: 3})
	client := login(t, s)
	if _, err := client.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Move(imap.SeqSetNum(1), "Archive").Wait(); err == nil {
		t.Error("MOVE out of a mailbox opened with EXAMINE succeeded")
	}
	if err := client.Store(imap.SeqSetNum(1), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close(); err == nil {
		t.Error("STORE after EXAMINE succeeded")
	}
	if n := len(s.Rows("INBOX")); n != 3 {
		t.Errorf("%d rows are left", n)
	}
}

func TestRenumberIsANewUIDValidity(t *testing.T) {
	s := start(t, demo.Options{Messages: 10})
	client := login(t, s)
	before, err := client.Select("INBOX", nil).Wait()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Expunge("INBOX", 1, 2, 3); err != nil {
		t.Fatal(err)
	}
	if err := s.Renumber("INBOX"); err != nil {
		t.Fatal(err)
	}
	after, err := client.Select("INBOX", nil).Wait()
	if err != nil || after.UIDValidity == before.UIDValidity || after.NumMessages != 7 || after.UIDNext != 8 {
		t.Errorf("before %+v, after %+v, %v", before, after, err)
	}
}

func TestCloseCutsEverything(t *testing.T) {
	s := start(t, demo.Options{Messages: 3, Rate: 60})
	client := login(t, s)
	if _, err := client.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	idle, err := client.Idle()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	_ = idle.Wait()
	<-client.Closed()
	if conn, err := net.Dial("tcp", s.Addr()); err == nil {
		_ = conn.Close()
		t.Error("the port is still open")
	}
	if err := s.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, opts := range []demo.Options{{Messages: -1}, {Messages: 1 << 30}, {Rate: -1}, {Rate: 1e9}} {
		if s, err := demo.Start(t.Context(), opts); err == nil {
			_ = s.Close()
			t.Errorf("%+v was accepted", opts)
		}
	}
}
