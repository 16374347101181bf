package config

import (
	"bytes"
	"strings"
)

// AccountLines finds the lines of an account in a config: from its [[account]]
// to its last key, its own tables included. Lines count from 1. It is false where
// there is no such account, or where it is not written as a table of lines.
func AccountLines(data []byte, name string) (first, last int, ok bool) {
	doc, err := readDocument(data)
	if err != nil {
		return 0, 0, false
	}
	tables, ok := tablesOf(doc.root["account"])
	if !ok {
		return 0, 0, false
	}
	path := ""
	for i, t := range tables {
		if t["name"] == name {
			path = join("account", index(i))
		}
	}
	if path == "" {
		return 0, 0, false
	}
	lines := strings.Split(string(bytes.TrimPrefix(data, []byte("\ufeff"))), "\n")
	first, last = doc.lines[path], len(lines)
	if first < 1 || !strings.HasPrefix(strings.TrimSpace(lines[first-1]), "[[") {
		return 0, 0, false
	}
	// It ends where the next table of another begins.
	for other, line := range doc.lines {
		if other == path || strings.HasPrefix(other, path+"\x00") || other == "account" {
			continue
		}
		if line > first && line-1 < last {
			last = line - 1
		}
	}
	// Blank lines and comments before that belong to it.
	for last > first {
		if l := strings.TrimSpace(lines[last-1]); l != "" && !strings.HasPrefix(l, "#") {
			break
		}
		last--
	}
	return first, last, true
}
