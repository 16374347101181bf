package message

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseAddresses(t *testing.T) {
	type A = Address
	tests := []struct {
		name, in string
		want     []A
	}{
		{"nothing", "", nil},
		{"bare", "a@example.org", []A{{"", "a@example.org"}}},
		{"named", "Alice <a@example.org>", []A{{"Alice", "a@example.org"}}},
		{"quoted comma", `"Ops, Jane" <j@example.org>, b@example.org`, []A{{"Ops, Jane", "j@example.org"}, {"", "b@example.org"}}},
		{"unquoted comma", `Ops, Jane <j@example.org>`, []A{{"Ops, Jane", "j@example.org"}}},
		{"local name in a list", `root, Alice <a@example.org>`, []A{{"root", ""}, {"Alice", "a@example.org"}}},
		{"escaped quote", `"The \"Boss\"" <b@example.org>`, []A{{`The "Boss"`, "b@example.org"}}},
		{"comment as name", `a@example.org (Alice A.)`, []A{{"Alice A.", "a@example.org"}}},
		{"nested comment", `Alice (x (y) z) <a@example.org>`, []A{{"Alice", "a@example.org"}}},
		{"semicolons", `a@x.example; "B" <b@x.example>; c@x.example`, []A{{"", "a@x.example"}, {"B", "b@x.example"}, {"", "c@x.example"}}},
		{"group", `Team: a@x.example, B <b@x.example>;, c@x.example`, []A{{"", "a@x.example"}, {"B", "b@x.example"}, {"", "c@x.example"}}},
		{"empty group", `undisclosed-recipients:;`, []A{{"undisclosed-recipients", ""}}},
		{"encoded", `=?utf-8?b?w4RubmU=?= <a@x.example>`, []A{{"Änne", "a@x.example"}}},
		{"encoded with comma", `=?utf-8?Q?Ops,_J=C3=B6rg?= <j@x.example>, b@x.example`, []A{{"Ops, Jörg", "j@x.example"}, {"", "b@x.example"}}},
		{"encoded in quotes", `"=?utf-8?Q?J=C3=B6rg?=" <j@x.example>`, []A{{"Jörg", "j@x.example"}}},
		{"single quotes", `'Alice' <a@x.example>`, []A{{"Alice", "a@x.example"}}},
		{"name is the address", `"a@x.example" <a@x.example>`, []A{{"a@x.example", "a@x.example"}}},
		{"no closing bracket", `Alice <a@x.example, Bob <b@x.example>`, []A{{"Alice", "a@x.example"}, {"Bob", "b@x.example"}}},
		{"no closing quote", `"Alice <a@x.example>, b@x.example`, []A{{"Alice", "a@x.example"}, {"", "b@x.example"}}},
		{"no closing comment", `Alice (x <a@x.example>, b@x.example`, []A{{"Alice x", "a@x.example"}, {"", "b@x.example"}}},
		{"only a name", `MAILER-DAEMON`, []A{{"MAILER-DAEMON", ""}}},
		{"no angle brackets", `Alice Example a@x.example`, []A{{"Alice Example", "a@x.example"}}},
		{"source route", `<@relay.example,@other.example:a@x.example>`, []A{{"", "a@x.example"}}},
		{"mailto", `mailto:a@x.example, <mailto:b@x.example>`, []A{{"", "a@x.example"}, {"", "b@x.example"}}},
		{"empty entries", `,, a@x.example ,;, `, []A{{"", "a@x.example"}}},
		{"empty brackets", `Alice <>`, []A{{"Alice", ""}}},
		{"one bad, others stay", `a@x.example, <<>>@:, =?bad?X?y?= <b@x.example>, c@x.example`,
			[]A{{"", "a@x.example"}, {"@", ""}, {"=?bad?X?y?=", "b@x.example"}, {"", "c@x.example"}}},
		{"mailsploit: an encoded word cannot become the address",
			"=?utf-8?b?cG90dXNAZXhhbXBsZS5nb3Y=?==?utf-8?Q?=00?=@evil.example",
			[]A{{"", "=?utf-8?b?cG90dXNAZXhhbXBsZS5nb3Y=?==?utf-8?Q?=00?=@evil.example"}}},
		{"mailsploit: whole address encoded",
			"=?utf-8?Q?boss_=3Cboss=40example.com=3E?= <evil@evil.example>",
			[]A{{"boss <boss@example.com>", "evil@evil.example"}}},
		{"raw UTF-8", "Jörg Example <j@x.example>", []A{{"Jörg Example", "j@x.example"}}},
		{"raw latin-1", "J\xf6rg <j@x.example>", []A{{"Jörg", "j@x.example"}}},
		{"split encoded words", "=?utf-8?B?5pel5pys?= =?utf-8?B?6Kqe?= <n@x.jp>", []A{{"日本語", "n@x.jp"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, parseAddresses(tt.in, "")); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestPoses(t *testing.T) {
	for _, tt := range []struct {
		a    Address
		want bool
	}{
		{Address{"Alice", "a@x.example"}, false},
		{Address{"a@x.example", "a@x.example"}, false},
		{Address{"a@X.EXAMPLE", "b@x.example"}, false},
		{Address{"boss@bank.example", "x@evil.example"}, true},
		{Address{"Boss <boss@bank.example>", "x@evil.example"}, true},
		{Address{"x@evil.example boss@bank.example", "x@evil.example"}, true},
		{Address{"boss@bank.example", ""}, true},
		{Address{"Alice @ work", "a@x.example"}, false},
		{Address{"", "a@x.example"}, false},
	} {
		if got := tt.a.Poses(); got != tt.want {
			t.Errorf("%v: %v, want %v", tt.a, got, tt.want)
		}
	}
}

// Each of these asks for a scan to the end of the value at every place.
func TestAddressesAreLinear(t *testing.T) {
	for _, unit := range []string{`"\`, `<"\`, "(", `<`, "=?x?Q?", `a@b,`, "((\\", ":", "<@"} {
		v := strings.Repeat(unit, maxValue/len(unit))
		if got := parseAddresses(v, ""); len(got) > maxAddresses {
			t.Errorf("%q: %d addresses", unit, len(got))
		}
	}
}

func FuzzAddresses(f *testing.F) {
	for _, s := range []string{`"Ops, Jane" <j@example.org>, b@x`, `Team: a@x.example;`, `=?utf-8?b?w4RubmU=?= <a@x.example>`, `a (b (c`, `Ops, Jane <j@x>`, `Ops,,A <`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, a := range parseAddresses(s, "") {
			if a == (Address{}) {
				t.Errorf("an empty address of %q", s)
			}
		}
	})
}
