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
		{"quoted comma", `"Doe, Jane" <j@example.org>, b@example.org`, []A{{"Doe, Jane", "j@example.org"}, {"", "b@example.org"}}},
		{"unquoted comma", `Doe, Jane <j@example.org>`, []A{{"Doe, Jane", "j@example.org"}}},
		{"local name in a list", `root, Alice <a@example.org>`, []A{{"root", ""}, {"Alice", "a@example.org"}}},
		{"escaped quote", `"The \"Boss\"" <b@example.org>`, []A{{`The "Boss"`, "b@example.org"}}},
		{"comment as name", `a@example.org (Alice A.)`, []A{{"Alice A.", "a@example.org"}}},
		{"nested comment", `Alice (x (y) z) <a@example.org>`, []A{{"Alice", "a@example.org"}}},
		{"semicolons", `a@x.org; "B" <b@x.org>; c@x.org`, []A{{"", "a@x.org"}, {"B", "b@x.org"}, {"", "c@x.org"}}},
		{"group", `Team: a@x.org, B <b@x.org>;, c@x.org`, []A{{"", "a@x.org"}, {"B", "b@x.org"}, {"", "c@x.org"}}},
		{"empty group", `undisclosed-recipients:;`, []A{{"undisclosed-recipients", ""}}},
		{"encoded", `=?utf-8?b?w4RubmU=?= <a@x.org>`, []A{{"Änne", "a@x.org"}}},
		{"encoded with comma", `=?utf-8?Q?Doe,_J=C3=B6rg?= <j@x.org>, b@x.org`, []A{{"Doe, Jörg", "j@x.org"}, {"", "b@x.org"}}},
		{"encoded in quotes", `"=?utf-8?Q?J=C3=B6rg?=" <j@x.org>`, []A{{"Jörg", "j@x.org"}}},
		{"single quotes", `'Alice' <a@x.org>`, []A{{"Alice", "a@x.org"}}},
		{"name is the address", `"a@x.org" <a@x.org>`, []A{{"a@x.org", "a@x.org"}}},
		{"no closing bracket", `Alice <a@x.org, Bob <b@x.org>`, []A{{"Alice", "a@x.org"}, {"Bob", "b@x.org"}}},
		{"no closing quote", `"Alice <a@x.org>, b@x.org`, []A{{"Alice", "a@x.org"}, {"", "b@x.org"}}},
		{"no closing comment", `Alice (x <a@x.org>, b@x.org`, []A{{"Alice x", "a@x.org"}, {"", "b@x.org"}}},
		{"only a name", `MAILER-DAEMON`, []A{{"MAILER-DAEMON", ""}}},
		{"no angle brackets", `Alice Example a@x.org`, []A{{"Alice Example", "a@x.org"}}},
		{"source route", `<@relay.org,@other.org:a@x.org>`, []A{{"", "a@x.org"}}},
		{"mailto", `mailto:a@x.org, <mailto:b@x.org>`, []A{{"", "a@x.org"}, {"", "b@x.org"}}},
		{"empty entries", `,, a@x.org ,;, `, []A{{"", "a@x.org"}}},
		{"empty brackets", `Alice <>`, []A{{"Alice", ""}}},
		{"one bad, others stay", `a@x.org, <<>>@:, =?bad?X?y?= <b@x.org>, c@x.org`,
			[]A{{"", "a@x.org"}, {"@", ""}, {"=?bad?X?y?=", "b@x.org"}, {"", "c@x.org"}}},
		{"mailsploit: an encoded word cannot become the address",
			"=?utf-8?b?cG90dXNAZXhhbXBsZS5nb3Y=?==?utf-8?Q?=00?=@evil.example",
			[]A{{"", "=?utf-8?b?cG90dXNAZXhhbXBsZS5nb3Y=?==?utf-8?Q?=00?=@evil.example"}}},
		{"mailsploit: whole address encoded",
			"=?utf-8?Q?boss_=3Cboss=40example.com=3E?= <evil@evil.example>",
			[]A{{"boss <boss@example.com>", "evil@evil.example"}}},
		{"raw UTF-8", "Jörg Müller <j@x.org>", []A{{"Jörg Müller", "j@x.org"}}},
		{"raw latin-1", "J\xf6rg <j@x.org>", []A{{"Jörg", "j@x.org"}}},
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
		{Address{"Alice", "a@x.org"}, false},
		{Address{"a@x.org", "a@x.org"}, false},
		{Address{"a@X.ORG", "b@x.org"}, false},
		{Address{"boss@bank.example", "x@evil.example"}, true},
		{Address{"Boss <boss@bank.example>", "x@evil.example"}, true},
		{Address{"x@evil.example boss@bank.example", "x@evil.example"}, true},
		{Address{"boss@bank.example", ""}, true},
		{Address{"Alice @ work", "a@x.org"}, false},
		{Address{"", "a@x.org"}, false},
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
	for _, s := range []string{`"Doe, Jane" <j@example.org>, b@x`, `Team: a@x.org;`, `=?utf-8?b?w4RubmU=?= <a@x.org>`, `a (b (c`, `Doe, Jane <j@x>`, `Doe,,A <`} {
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
