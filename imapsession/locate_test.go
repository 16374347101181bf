package imapsession

import (
	"maps"
	"strings"
	"testing"

	"tidings/internal/testserver"
	"tidings/store"
)

func TestMatchOfALanding(t *testing.T) {
	g := Landing{Place: store.Place{Mailbox: "Trash", UIDValidity: 4}, Next: 50, Messages: []Identity{{7, "<a@x>", 10}, {9, "<b@x>", 20}}}
	for _, c := range []struct {
		name    string
		arrived []Identity
		want    []store.UID
		problem string
	}{
		{"both", []Identity{{60, "<b@x>", 20}, {55, "<a@x>", 10}, {56, "<c@x>", 10}}, []store.UID{55, 60}, ""},
		{"one is older", []Identity{{49, "<a@x>", 10}, {60, "<b@x>", 20}}, nil, "not in Trash any more"},
		{"another size", []Identity{{55, "<a@x>", 11}, {60, "<b@x>", 20}}, nil, "not in Trash any more"},
		{"two look the same", []Identity{{55, "<a@x>", 10}, {56, "<a@x>", 10}, {60, "<b@x>", 20}}, nil, "look the same"},
	} {
		got, err := g.match(c.arrived)
		switch {
		case c.problem == "" && (err != nil || len(got.To) != 2 || got.Map()[7] != c.want[0] || got.Map()[9] != c.want[1]):
			t.Errorf("%s: %+v, %v", c.name, got, err)
		case c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)):
			t.Errorf("%s: %+v, %v; want %q", c.name, got, err, c.problem)
		}
	}
	g.Messages = []Identity{{7, "<a@x>", 10}, {8, "<a@x>", 10}}
	if got, err := g.match([]Identity{{55, "<a@x>", 10}}); err == nil {
		t.Errorf("two messages became one: %+v", got)
	}
	g.Messages = []Identity{{7, "", 10}}
	if got, err := g.match([]Identity{{55, "", 10}}); err == nil {
		t.Errorf("a message without a Message-ID was matched: %+v", got)
	}
}

// On Dovecot that does not say it has UIDPLUS: what a move knew before finds the
// messages again, and that agrees with what the server says after all.
func TestLocateOnDovecot(t *testing.T) {
	srv := testserver.Dovecot(t, testserver.WithoutCapability("UIDPLUS"))
	srv.Fill(t, "INBOX", 30, realistic)
	client := srv.Client(t)
	if err := client.Create("Trash", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	srv.Fill(t, "Trash", 3, realistic)
	f, _ := start(t, configFor(t, srv.Addr, srv.User, srv.Password))
	f.live(1)
	moved := f.do(Move{Target: f.target(7, 8, 20), Dest: "Trash"})
	if moved.Err != nil || moved.Landing == nil || moved.Copied == nil {
		t.Fatalf("%v %+v %+v", moved.Err, moved.Landing, moved.Copied)
	}
	found := f.do(Locate{Landing: *moved.Landing})
	if found.Err != nil || !maps.Equal(found.Copied.Map(), moved.Copied.Map()) || found.Copied.Place != moved.Copied.Place {
		t.Errorf("%v: found %+v, the server says %+v", found.Err, found.Copied, moved.Copied)
	}
	target := Target{Mailbox: "Trash", UIDValidity: found.Copied.Place.UIDValidity, UIDs: found.Copied.To}
	if r := f.do(Move{Target: target, Dest: "INBOX"}); r.Err != nil {
		t.Error(r.Err)
	}
	if again := f.do(Locate{Landing: *moved.Landing}); again.Err == nil {
		t.Errorf("what is there no more was found: %+v", again.Copied)
	}
}
