package config

import (
	"slices"
	"strings"
	"testing"
)

func TestKeywords(t *testing.T) {
	triple := func(s ...string) any {
		var out []any
		for _, x := range s {
			out = append(out, x)
		}
		return out
	}
	for _, c := range []struct {
		v    any
		want []Keyword
		err  string
	}{
		{[]any{triple("$Label1", "Müll", "red"), triple("todo", "to do", "")}, []Keyword{{"$Label1", "Müll", "red"}, {"todo", "to do", ""}}, ""},
		{[]any{}, nil, ""},
		{"$Label1", nil, "is a string"},
		{[]any{"$Label1"}, nil, "element 1 is not three strings"},
		{[]any{triple("$Label1", "a")}, nil, "element 1 is not three strings"},
		{[]any{triple("a b", "a", "red")}, nil, "is no keyword"},
		{[]any{triple(`\Seen`, "a", "red")}, nil, "is no keyword"},
		{[]any{triple("a)", "a", "red")}, nil, "is no keyword"},
		{[]any{triple("a", " ", "red")}, nil, "has no label"},
		{[]any{triple("a", "a", "mauve")}, nil, "is no colour"},
		{[]any{triple("a", "a", ""), triple("A", "b", "")}, nil, "twice"},
	} {
		var got []Keyword
		err := keywords(&got, c.v)
		switch {
		case c.err == "" && (err != nil || !slices.Equal(got, c.want)):
			t.Errorf("%v: %v, %v", c.v, got, err)
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%v: %v; want %q", c.v, err, c.err)
		}
	}
}
