package config

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sync"
)

// mediaType is what a key of open_with looks like: a type, or all that begin
// alike.
var mediaType = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[a-z0-9!#$&^_.+-]+/(\*|[a-z0-9!#$&^_.+-]+)$`)
})

// command takes the program to open things with; [] for none.
func command(into *[]string, v any) error {
	if array, ok := v.([]any); ok && len(array) == 0 {
		*into = nil
		return nil
	}
	return argv(into, v)
}

// commands takes programs by media type.
func commands(into *map[string][]string, v any) error {
	const expected = `a table such as { "application/pdf" = ["zathura"], "image/*" = ["feh"] }`
	table, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("is %s; expected %s", kindOf(v), expected)
	}
	all := map[string][]string{}
	for _, kind := range slices.Sorted(maps.Keys(table)) {
		if !mediaType().MatchString(kind) {
			return fmt.Errorf("has the key %.40q, which is no media type in lower case; expected %s", kind, expected)
		}
		var program []string
		if err := argv(&program, table[kind]); err != nil {
			return fmt.Errorf("of %q %w", kind, err)
		}
		all[kind] = program
	}
	if len(all) == 0 {
		all = nil
	}
	*into = all
	return nil
}

// folder takes a directory's path, which may come to be later.
func folder(into *string, v any, dir string) error {
	var s string
	if err := file(&s, v, dir); err != nil {
		return errors.New("is no path of a folder")
	}
	*into = s
	return nil
}
