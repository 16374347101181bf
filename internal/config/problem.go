package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Problem is one thing that is wrong in the config.
type Problem struct {
	Line int    // 1-based; 0 where it belongs to no line
	Key  string // "" where it belongs to no key
	Text string // what is wrong, and what is expected
}

// Error is everything that is wrong in a config, in the order of the lines.
type Error struct {
	Path     string
	Problems []Problem
}

// Error has one line per problem: "path:line: key: text".
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		var b strings.Builder
		b.WriteString(e.Path)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d", p.Line)
		}
		b.WriteString(": ")
		if p.Key != "" {
			b.WriteString(p.Key + ": ")
		}
		b.WriteString(p.Text)
		lines[i] = b.String()
	}
	return strings.Join(lines, "\n")
}

func sortProblems(ps []Problem) {
	slices.SortStableFunc(ps, func(a, b Problem) int { return a.Line - b.Line })
}

// problemOf is the problem of a file that is not TOML. The library's own text
// is kept; its picture of the lines around is not, since a password might stand
// in one of them.
func problemOf(err error) Problem {
	var decode *toml.DecodeError
	if !errors.As(err, &decode) {
		return Problem{Text: "this is not TOML: " + strings.TrimPrefix(err.Error(), "toml: ")}
	}
	line, _ := decode.Position()
	key := strings.Join(decode.Key(), ".")
	text := strings.TrimPrefix(decode.Error(), "toml: ")
	if key != "" && strings.HasSuffix(text, "already defined") {
		return Problem{Line: line, Key: key, Text: "is set twice; expected once"}
	}
	return Problem{Line: line, Key: key, Text: "this is not TOML: " + text}
}

// nearest returns the name that a misspelt one was probably meant to be.
func nearest(misspelt string, names []string) (string, bool) {
	misspelt = strings.ToLower(strings.ReplaceAll(misspelt, "-", "_"))
	if meant, ok := otherWords[misspelt]; ok && slices.Contains(names, meant) {
		return meant, true
	}
	best, bestDistance := "", 1+max(1, len(misspelt)/3)
	for _, name := range names {
		if d := distance(misspelt, name); d < bestDistance {
			best, bestDistance = name, d
		}
	}
	return best, best != ""
}

// otherWords are what other mail programs call our keys.
var otherWords = map[string]string{
	"username": "user", "login": "user", "email": "user",
	"server": "host", "hostname": "host", "address": "host",
	"folder": "mailbox", "inbox": "mailbox",
	"ssl": "tls", "security": "tls", "encryption": "tls",
	"password_cmd": "password_command", "passwordcommand": "password_command", "passwordcmd": "password_command",
	"pass_command": "password_command", "passcmd": "password_command",
	"fingerprint": "tls_fingerprint", "readonly": "read_only",
	"accounts": "account", "interval": "poll", "timeout": "probe",
	"notify": "notice", "notification": "notice", "bell": "notice",
}

// distance is the Damerau-Levenshtein distance (with adjacent transpositions),
// in bytes; names longer than 64 are far from everything.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}
