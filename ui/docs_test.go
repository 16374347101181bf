package ui

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var updateKeys = flag.Bool("keys", false, "write docs/KEYS.md anew")

// TestKeysDocument holds docs/KEYS.md against the keymap. "go test ./ui -run
// KeysDocument -keys" writes it anew.
func TestKeysDocument(t *testing.T) {
	const file = "../docs/KEYS.md"
	want := "# Keys\n\nMade from the keymap, like the help on screen.\n\n" + KeysMarkdown()
	if *updateKeys {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(have)); diff != "" {
		t.Errorf("%s is not the keymap (-keymap +file); write it anew with: go test ./ui -run KeysDocument -keys\n%s", file, diff)
	}
}
