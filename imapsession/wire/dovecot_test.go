package wire_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"tidings/imapsession/wire"
	"tidings/internal/testserver"
)

// open logs in to a Dovecot over TLS, through a Tap.
func open(t *testing.T, srv *testserver.Server, addr string, trace *wire.Trace) (*imapclient.Client, *wire.Tap) {
	t.Helper()
	conn, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: srv.CAPool, ServerName: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	tap := wire.New(conn, wire.Options{Trace: trace, Name: "test"})
	c := imapclient.New(tap, nil)
	t.Cleanup(func() { c.Close() })
	if err := c.WaitGreeting(); err != nil {
		t.Fatal(err)
	}
	if err := c.Login(srv.User, srv.Password).Wait(); err != nil {
		t.Fatal(err)
	}
	c.Caps()
	tap.SetPhase(wire.PhaseCommand)
	return c, tap
}

// TestDovecot holds the Tap against a real server: what it tells of another
// client's doings, in order, and that imapclient gets its answers beside.
func TestDovecot(t *testing.T) {
	srv := testserver.Dovecot(t)
	for _, slice := range []int{0, 1} {
		t.Run(fmt.Sprintf("slice=%d", slice), func(t *testing.T) {
			link := testserver.NewLink(t, srv.TLSAddr)
			link.SetSlice(testserver.ToClient, slice) // TLS records cut apart
			trace := wire.NewTrace(0)
			c, tap := open(t, srv, link.Addr(), trace)
			other, _ := open(t, srv, srv.TLSAddr, nil)
			box := fmt.Sprintf("box%d", slice)
			must(t, other.Create(box, nil).Wait())
			if _, err := other.Select(box, nil).Wait(); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Select(box, nil).Wait(); err != nil {
				t.Fatal(err)
			}
			uidValidity := uint32(0)
			for _, ev := range tap.Events() {
				if ev.Code == "UIDVALIDITY" {
					uidValidity = ev.Num
				}
			}
			if uidValidity == 0 {
				t.Error("no UIDVALIDITY among the events of SELECT")
			}

			idle, err := c.Idle()
			must(t, err)
			tap.SetPhase(wire.PhaseIdle)
			body := "Subject: hello\r\nFrom: a@example.org\r\n\r\n* 1 EXPUNGE\r\n"
			for range 3 {
				app := other.Append(box, int64(len(body)), nil)
				io.WriteString(app, body)
				must(t, app.Close())
				if _, err := app.Wait(); err != nil {
					t.Fatal(err)
				}
			}
			seen := await(t, tap, func(ev wire.Event) bool { return ev.Kind == wire.KindExists && ev.Num == 3 })
			must(t, other.Store(imap.SeqSetNum(2), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted, "$Work"}}, nil).Close())
			must(t, other.Expunge().Close())
			seen = append(seen, await(t, tap, func(ev wire.Event) bool { return ev.Kind == wire.KindExpunge && ev.Num == 2 })...)
			count := uint32(0)
			for _, ev := range seen {
				switch ev.Kind {
				case wire.KindExists:
					count = ev.Num
				case wire.KindExpunge:
					count--
				}
			}
			if count != 2 {
				t.Errorf("the events count %d messages, want 2", count)
			}

			tap.HoldDone()
			tap.SetPhase(wire.PhaseDone)
			must(t, idle.Close())
			section := &imap.FetchItemBodySection{Peek: true, Specifier: imap.PartSpecifierText}
			msgs, err := c.Fetch(imap.UIDSetNum(1, 2, 3), &imap.FetchOptions{UID: true, Flags: true, InternalDate: true, RFC822Size: true, BodySection: []*imap.FetchItemBodySection{section}}).Collect()
			must(t, err)
			must(t, idle.Wait())
			if len(msgs) != 2 || msgs[1].UID != 3 || string(msgs[1].FindBodySection(section)) != "* 1 EXPUNGE\r\n" || msgs[1].RFC822Size != int64(len(body)) || time.Since(msgs[1].InternalDate) > time.Hour {
				t.Errorf("fetched %+v", msgs)
			}
			evs := tap.Events()
			if !slices.ContainsFunc(evs, func(ev wire.Event) bool {
				return ev.Kind == wire.KindFetch && ev.Num == 2 && ev.UID == 3 && ev.HasFlags
			}) {
				t.Errorf("no event pairs sequence number 2 with UID 3: %+v", evs)
			}

			reply, err := tap.Raw(t.Context(), "ID NIL")
			if err != nil || reply.Tagged.Type != "OK" || len(reply.Untagged) != 1 {
				t.Errorf("ID: %+v, %v", reply, err)
			}
			boxes, err := c.List("", "*", &imap.ListOptions{ReturnSpecialUse: true}).Collect()
			if err != nil || len(boxes) < 2 {
				t.Errorf("%d folders, %v", len(boxes), err)
			}
			found, err := c.UIDSearch(&imap.SearchCriteria{}, &imap.SearchOptions{ReturnAll: true, ReturnCount: true}).Wait()
			if err != nil || found.All.String() != "1,3" || found.Count != 2 {
				t.Errorf("search: %+v, %v", found, err)
			}
			must(t, c.Logout().Wait())
			for _, line := range trace.Lines() {
				if strings.Contains(line.Text, srv.Password) {
					t.Errorf("the password is in the trace: %s", line.Text)
				}
			}
			if st := tap.Stats(); st.Repaired != 0 {
				t.Errorf("%d responses of a proper server were repaired", st.Repaired)
			}
		})
	}
}

// await takes events until one is as wanted, for at most ten seconds.
func await(t *testing.T, tap *wire.Tap, want func(wire.Event) bool) (seen []wire.Event) {
	t.Helper()
	timer := time.NewTimer(10 * time.Second)
	defer timer.Stop()
	for {
		evs := tap.Events()
		seen = append(seen, evs...)
		if slices.ContainsFunc(evs, want) {
			return seen
		}
		select {
		case <-tap.Ready():
		case <-timer.C:
			t.Fatalf("did not come; seen: %+v", seen)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
