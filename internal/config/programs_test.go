package config

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestPrograms(t *testing.T) {
	var u UI
	set := func(key string, v any) error {
		for _, o := range uiOptions {
			if o.key == key {
				return o.set(&u, v, "/etc/tidings")
			}
		}
		t.Fatalf("there is no %s", key)
		return nil
	}
	for _, c := range []struct {
		key string
		v   any
	}{
		{"open", []any{"xdg-open"}},
		{"open_link", []any{}},
		{"open_with", map[string]any{"application/pdf": []any{"zathura", "--fork"}, "image/*": []any{"feh"}}},
		{"save_dir", "mail"},
	} {
		if err := set(c.key, c.v); err != nil {
			t.Errorf("%s: %v", c.key, err)
		}
	}
	if u.SaveDir != "/etc/tidings/mail" || !slices.Equal(u.Open, []string{"xdg-open"}) || u.OpenLink != nil ||
		!slices.Equal(slices.Sorted(maps.Keys(u.OpenWith)), []string{"application/pdf", "image/*"}) || u.OpenWith["application/pdf"][1] != "--fork" {
		t.Errorf("%+v", u)
	}
	for _, c := range []struct {
		key  string
		v    any
		want string
	}{
		{"open", "xdg-open", "no shell takes part"},
		{"open_with", []any{"x"}, "a table"},
		{"open_with", map[string]any{"pdf": []any{"x"}}, "no media type"},
		{"open_with", map[string]any{"image/*": "feh"}, "image/*"},
		{"save_dir", 3, "path"},
	} {
		if err := set(c.key, c.v); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s = %v: %v", c.key, c.v, err)
		}
	}
}
