package config

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// loader turns a document into a Config, collecting the problems.
type loader struct {
	doc      *document
	dir      string // of the file: what relative paths are relative to
	problems []Problem
}

func (l *loader) problem(path, key, format string, args ...any) {
	l.problems = append(l.problems, Problem{Line: l.doc.line(path), Key: key, Text: fmt.Sprintf(format, args...)})
}

func (l *loader) config() *Config {
	cfg := &Config{UI: defaultUI(), Secrets: defaultSecrets(), Cache: defaultCache()}
	misspelt := map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(l.doc.root)) {
		v := l.doc.root[key]
		switch key {
		case "ui":
			table, ok := v.(map[string]any)
			if !ok {
				l.problem(key, key, "is %s; expected a table, [ui]", kindOf(v))
				continue
			}
			set(l, key, "ui", table, uiOptions, &cfg.UI)
		case "cache":
			table, ok := v.(map[string]any)
			if !ok {
				l.problem(key, key, "is %s; expected a table, [cache]", kindOf(v))
				continue
			}
			set(l, key, "cache", table, cacheOptions, &cfg.Cache)
		case "secrets":
			table, ok := v.(map[string]any)
			if !ok {
				l.problem(key, key, "is %s; expected a table, [secrets]", kindOf(v))
				continue
			}
			cfg.Secrets = l.secrets(key, table)
		case "account":
			tables, ok := tablesOf(v)
			if !ok {
				l.problem(key, key, "is %s; expected an array of tables, each starting with [[account]] (two brackets)", kindOf(v))
				continue
			}
			for i, table := range tables {
				cfg.Accounts = append(cfg.Accounts, l.account(join(key, index(i)), table))
			}
		default:
			misspelt[l.unknown(key, key, []string{"ui", "cache", "secrets", "account"}, "")] = true
		}
	}
	if _, ok := l.doc.root["account"]; !ok && !misspelt["account"] {
		l.problem("", "account", "there is none; expected at least one [[account]] with name, host and user")
	}
	l.uniqueNames(cfg.Accounts)
	return cfg
}

// option is one key of a table: how its value gets into the settings T.
type option[T any] struct {
	key string
	// set stores v, or says in an error what is wrong and what is expected.
	set func(t *T, v any, dir string) error
}

// set stores every key of a TOML table through its option. It returns the keys
// that misspelt ones were probably meant to be: they are not missing too.
func set[T any](l *loader, path, name string, table map[string]any, options []option[T], into *T) (misspelt map[string]bool) {
	misspelt = map[string]bool{}
	var names []string
	for _, o := range options {
		names = append(names, o.key)
	}
	for _, key := range slices.Sorted(maps.Keys(table)) {
		i := slices.Index(names, key)
		if i < 0 {
			misspelt[l.unknown(join(path, key), key, names, " in "+name)] = true
			continue
		}
		if err := options[i].set(into, table[key], l.dir); err != nil {
			l.problem(join(path, key), key, "%v", err)
		}
	}
	return misspelt
}

// unknown reports a key that is none of names, and returns the one that it was
// probably meant to be, or "". Its value is not quoted: a misspelt key may hold
// a secret.
func (l *loader) unknown(path, key string, names []string, where string) string {
	shown := fmt.Sprintf("%.64q", key)
	shown = strings.Trim(shown, `"`)
	meant, ok := nearest(key, names)
	home := tableOf(key)
	switch {
	case slices.Contains(passwordKeys, strings.ToLower(key)) && slices.Contains(names, "password_command"):
		l.problem(path, shown, "a password does not belong in the config; expected password_command, password_env or password_file to say where it comes from, or none of them to be asked")
	case slices.Contains(oauth2SecretKeys, strings.ToLower(key)) && slices.Contains(names, "client_secret_command"):
		l.problem(path, shown, "a secret does not belong in the config; expected client_secret_command, client_secret_env or client_secret_file to say where the client's comes from (tokens are got by tidings login)")
	case home != "":
		l.problem(path, shown, "there is no such key%s; it belongs in %s", cmp.Or(where, " outside of all tables"), home)
		return ""
	case ok:
		l.problem(path, shown, "there is no such key%s; did you mean %s?", where, meant)
	default:
		l.problem(path, shown, "there is no such key%s; expected one of %s", where, strings.Join(names, ", "))
	}
	return meant
}

// tableOf names the table that has the key, or returns "".
func tableOf(key string) string {
	switch {
	case has(accountOptions, key):
		return "[[account]]"
	case has(uiOptions, key):
		return "[ui]"
	case has(cacheOptions, key):
		return "[cache]"
	case has(secretsOptions, key):
		return "[secrets]"
	}
	return ""
}

func has[T any](options []option[T], key string) bool {
	return slices.ContainsFunc(options, func(o option[T]) bool { return o.key == key })
}

var oauth2SecretKeys = []string{"client_secret", "secret", "token", "access_token", "refresh_token"}

var passwordKeys = []string{"password", "passwd", "pass", "passphrase", "secret", "token"}

// kindOf names a TOML value's type.
func kindOf(v any) string {
	switch v.(type) {
	case string:
		return "a string"
	case int64:
		return "a whole number"
	case float64:
		return "a number with a fraction"
	case bool:
		return "true or false"
	case []any:
		return "an array"
	case map[string]any:
		return "a table"
	}
	return "a date or time"
}

func tablesOf(v any) ([]map[string]any, bool) {
	array, ok := v.([]any)
	if !ok {
		return nil, false
	}
	var tables []map[string]any
	for _, e := range array {
		t, ok := e.(map[string]any)
		if !ok {
			return nil, false
		}
		tables = append(tables, t)
	}
	return tables, true
}

func (l *loader) uniqueNames(accounts []Account) {
	first := map[string]int{}
	for i, a := range accounts {
		if a.Name == "" {
			continue
		}
		if j, ok := first[a.Name]; ok {
			l.problem(join(join("account", index(i)), "name"), "name", "%q is the name of the account in line %d too; expected a name of its own",
				a.Name, l.doc.line(join(join("account", index(j)), "name")))
			continue
		}
		first[a.Name] = i
	}
}
