package imapsession

import (
	"strings"
	"testing"

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
