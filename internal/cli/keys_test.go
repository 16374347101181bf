package cli

import "testing"

func TestLoginCommand(t *testing.T) {
	for _, tc := range []struct{ file, account, want string }{
		{"", "work", "tidings login work"},
		{"", "my work", "tidings login 'my work'"},
		{"other.toml", "work", "tidings login work --config other.toml"},
		{"a b/it's", "", `tidings login '' --config 'a b/it'\''s'`},
	} {
		if got := loginCommand(tc.file, tc.account); got != tc.want {
			t.Errorf("loginCommand(%q, %q) = %s, want %s", tc.file, tc.account, got, tc.want)
		}
	}
}
