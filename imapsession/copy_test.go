package imapsession

import (
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"

	"tidings/internal/testserver"
	"tidings/store"
)

// TestCopyAndExpunge, on Dovecot: what became which is told, and what is removed
// for good is no other's.
func TestCopyAndExpunge(t *testing.T) {
	for _, test := range []struct {
		name    string
		options []testserver.Option
	}{
		{"all", nil},
		{"without MOVE", []testserver.Option{testserver.WithoutCapability("MOVE")}},
		{"without UIDPLUS", []testserver.Option{testserver.WithoutCapability("UIDPLUS")}},
	} {
		t.Run(test.name, func(t *testing.T) {
			srv := testserver.Dovecot(t, test.options...)
			uids := srv.AppendN(t, "INBOX", 6)
			f, _ := start(t, configFor(t, srv.Addr, srv.User, srv.Password))
			f.live(1)
			plus := test.name != "without UIDPLUS"

			if r := f.do(CreateFolder{Name: "Größe & Maß"}); r.Err != nil {
				t.Fatal(r.Err)
			}
			if r := f.do(CreateFolder{Name: "Größe & Maß"}); r.Err != nil {
				t.Errorf("a folder that is there: %v", r.Err)
			}
			if r := f.do(Copy{Target: f.target(store.UID(uids[0]), store.UID(uids[2])), Dest: "nowhere"}); r.Err == nil || !strings.Contains(r.Err.Error(), "nothing was copied") {
				t.Errorf("to nowhere: %v", r.Err)
			}
			r := f.do(Copy{Target: f.target(store.UID(uids[0]), store.UID(uids[2])), Dest: "Größe & Maß"})
			if r.Err != nil || plus && (r.Copied == nil || !slices.Equal(r.Copied.From, []store.UID{store.UID(uids[0]), store.UID(uids[2])}) || len(r.Copied.To) != 2) {
				t.Errorf("copied: %v, %+v", r.Err, r.Copied)
			}
			if n := len(srv.Rows(t, "Größe & Maß")); n != 2 {
				t.Errorf("%d copies", n)
			}
			r = f.do(Move{Target: f.target(store.UID(uids[4])), Dest: "Größe & Maß"})
			if r.Err != nil || plus && (r.Copied == nil || r.Copied.Place.UIDValidity == 0 || r.Copied.From[0] != store.UID(uids[4])) {
				t.Errorf("moved: %v, %+v", r.Err, r.Copied)
			}

			// Another client has marked a message; it stays.
			other := srv.Client(t)
			if _, err := other.Select("INBOX", nil).Wait(); err != nil {
				t.Fatal(err)
			}
			if err := other.Store(imap.UIDSetNum(imap.UID(uids[1])), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close(); err != nil {
				t.Fatal(err)
			}
			r = f.do(Expunge{Target: f.target(store.UID(uids[3]))})
			rows := testserver.Rows(t, other, "INBOX")
			there := func(uid uint32) bool {
				return slices.ContainsFunc(rows, func(r testserver.Row) bool { return r.UID == uid })
			}
			switch {
			case !plus && (r.Err == nil || !there(uids[3])):
				t.Errorf("removed without UIDPLUS: %v", r.Err)
			case plus && (r.Err != nil || there(uids[3])):
				t.Errorf("not removed: %v", r.Err)
			}
			if !there(uids[1]) {
				t.Error("somebody else's message was removed")
			}
		})
	}
}
