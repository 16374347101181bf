package config

import (
	"strings"
	"testing"
)

func TestAccountLines(t *testing.T) {
	const text = `# mine
[ui]
notice = "off"

[[account]] # first
name = "work"
host = "h"

# a thought
user = "u"
[account.oauth2]
flow = "command"
token_command = [
  "x",
]

# the other one
[[account]]
name = "home"
host = "h"
user = "u"

[secrets]
order = ["file"]
`
	for name, want := range map[string][2]string{
		"work": {"[[account]] # first", "]"},
		"home": {"[[account]]", `user = "u"`},
	} {
		first, last, ok := AccountLines([]byte(text), name)
		lines := strings.Split(text, "\n")
		if !ok || lines[first-1] != want[0] || lines[last-1] != want[1] {
			t.Errorf("%s: lines %d to %d, %v", name, first, last, ok)
		}
	}
	for name, text := range map[string]string{
		"none":    text,
		"work":    `account = [{name = "work", host = "h", user = "u"}]`,
		"anybody": "not TOML",
	} {
		if first, last, ok := AccountLines([]byte(text), name); ok {
			t.Errorf("%s: lines %d to %d", name, first, last)
		}
	}
}
