package config

import (
	"fmt"
	"slices"
	"strings"
)

// Place is somewhere that a secret may be kept or come from.
type Place string

// The values in order.
const (
	PlaceKeyring Place = "keyring" // the operating system's
	PlaceCommand Place = "command" // get_command and set_command
	PlaceFile    Place = "file"    // 0600, in the state directory
	PlaceEnv     Place = "env"     // read only
	PlacePrompt  Place = "prompt"  // the person, before the screen starts
)

// Secrets is the [secrets] table: where refresh tokens are kept, and the
// passwords that `tidings login` was told to keep.
type Secrets struct {
	Order []Place // no place twice, at least one
	// The commands of PlaceCommand; "{name}" in an argument stands for the
	// secret's name. DeleteCommand may be empty.
	GetCommand    []string
	SetCommand    []string
	DeleteCommand []string
}

// DefaultSecrets is what holds without a [secrets].
func DefaultSecrets() Secrets { return defaultSecrets() }

func defaultSecrets() Secrets {
	return Secrets{Order: []Place{PlaceKeyring, PlaceFile, PlacePrompt}}
}

var secretsOptions = []option[Secrets]{
	{"order", func(s *Secrets, v any, _ string) error { return places(&s.Order, v) }},
	{"get_command", func(s *Secrets, v any, _ string) error { return optionalArgv(&s.GetCommand, v) }},
	{"set_command", func(s *Secrets, v any, _ string) error { return optionalArgv(&s.SetCommand, v) }},
	{"delete_command", func(s *Secrets, v any, _ string) error { return optionalArgv(&s.DeleteCommand, v) }},
}

// secrets reads [secrets] and checks what concerns several of its keys.
func (l *loader) secrets(path string, table map[string]any) Secrets {
	s := defaultSecrets()
	before := len(l.problems)
	set(l, path, "secrets", table, secretsOptions, &s)
	if len(l.problems) > before {
		return s
	}
	named := slices.Contains(s.Order, PlaceCommand)
	for _, c := range []struct {
		key  string
		argv []string
	}{{"get_command", s.GetCommand}, {"set_command", s.SetCommand}} {
		switch {
		case named && len(c.argv) == 0:
			l.problem(join(path, c.key), c.key, "is missing; expected get_command and set_command where order has \"command\"")
		case !named && len(c.argv) > 0:
			l.problem(join(path, c.key), c.key, "is set, but order does not have \"command\"; expected both or neither")
		}
	}
	return s
}

func places(into *[]Place, v any) error {
	all := []Place{PlaceKeyring, PlaceCommand, PlaceFile, PlaceEnv, PlacePrompt}
	var quoted []string
	for _, p := range all {
		quoted = append(quoted, fmt.Sprintf("%q", string(p)))
	}
	expected := "an array of " + strings.Join(quoted, ", ")
	array, ok := v.([]any)
	if !ok {
		return fmt.Errorf("is %s; expected %s", kindOf(v), expected)
	}
	var out []Place
	for i, e := range array {
		s, ok := e.(string)
		p := Place(s)
		switch {
		case !ok:
			return fmt.Errorf("element %d is %s; expected %s", i+1, kindOf(e), expected)
		case !slices.Contains(all, p):
			return fmt.Errorf("element %d is %.40q; expected %s", i+1, s, expected)
		case slices.Contains(out, p):
			return fmt.Errorf("has %q twice; expected each once", s)
		case slices.Contains(out, PlacePrompt):
			return fmt.Errorf("has %q behind \"prompt\", where nothing is looked for any more; expected \"prompt\" last", s)
		case slices.Contains(out, PlaceFile) && (p == PlaceKeyring || p == PlaceCommand):
			return fmt.Errorf("has %q behind \"file\", which always serves; expected \"file\" behind it", s)
		}
		out = append(out, p)
	}
	if len(out) == 0 {
		return fmt.Errorf("is empty; expected %s", expected)
	}
	*into = out
	return nil
}

// optionalArgv takes an argv, or [] for none.
func optionalArgv(into *[]string, v any) error {
	if array, ok := v.([]any); ok && len(array) == 0 {
		*into = nil
		return nil
	}
	return argv(into, v)
}
