package main

import (
	"go/build"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// rule says which of our own packages, and which outside packages, a room must
// not import directly, and why. A room may import what no rule forbids.
type rule struct {
	room      string   // "ui", or "ui/..." with its subfolders
	onlyOurs  []string // nil: any of ours that no other rule forbids
	forbidden []string // import paths or prefixes ending in "/..."
	why       string
}

var rules = []rule{
	{room: "store/...", onlyOurs: []string{"tidings/store", "tidings/store/query", "tidings/internal/safetext", "tidings/internal/crash"},
		forbidden: []string{"net", "github.com/emersion/...", "charm.land/..."},
		why:       "the store is data: it knows no network, no protocol library and no screen"},
	{room: "imapsession/...", onlyOurs: []string{"tidings/store", "tidings/store/query", "tidings/internal/safetext", "tidings/internal/message", "tidings/internal/crash", "tidings/imapsession", "tidings/imapsession/wire"},
		forbidden: []string{"charm.land/...", "github.com/pelletier/..."},
		why:       "a session can be run without a screen and without a config file"},
	{room: "imapsession/wire", onlyOurs: []string{"tidings/internal/safetext", "tidings/internal/crash"},
		forbidden: []string{"github.com/emersion/..."},
		why:       "the tap judges bytes by itself: it must not share the decoder's faults"},
	{room: "ui/...", onlyOurs: []string{"tidings/store", "tidings/store/query", "tidings/imapsession", "tidings/internal/message", "tidings/internal/notify", "tidings/internal/safetext", "tidings/internal/crash", "tidings/ui/tty"},
		forbidden: []string{"net", "os/exec", "database/sql", "github.com/emersion/...", "github.com/pelletier/..."},
		why:       "the screen never touches network, disk or programs: it never waits"},
	{room: "ui/tty", onlyOurs: []string{"tidings/internal/crash"}, forbidden: []string{"charm.land/..."},
		why: "the terminal knows frames and events, and neither mail nor Bubble Tea"},
	{room: "internal/safetext", onlyOurs: []string{}, why: "the door leans on nothing of ours"},
	{room: "internal/message", onlyOurs: []string{"tidings/internal/safetext"}, forbidden: []string{"net", "os"},
		why: "messages are parsed by pure functions"},
	{room: "internal/crash", onlyOurs: []string{"tidings/internal/xdg", "tidings/internal/safetext"}, why: "every room starts its goroutines there"},
	{room: "internal/notify", onlyOurs: []string{"tidings/internal/safetext"}, why: "notices are texts, made before anything sends them"},
}

// alone lists outside packages and the only rooms that may import them.
var alone = []struct {
	path  string
	rooms []string
	why   string
}{
	{"charm.land/bubbletea/...", []string{"ui"}, "the tea types stay in ui"},
	{"charm.land/lipgloss/...", []string{"ui"}, "only ui styles text"},
	{"github.com/emersion/go-imap/...", []string{"imapsession", "internal/demo", "internal/testserver"}, "the go-imap types stay in the session"},
	{"os/exec", []string{"internal/run", "internal/testserver", "internal/bench"}, "every program is started in one place"},
	{"zombiezen.com/...", []string{"store"}, "SQL lives in the store alone"},
	{"modernc.org/...", []string{"store"}, "SQL lives in the store alone"},
	{"database/sql/...", []string{"store"}, "SQL lives in the store alone"},
	{"golang.org/x/oauth2/...", []string{"internal/credential"}, "tokens are one room's business"},
	{"github.com/zalando/...", []string{"internal/credential"}, "secrets are one room's business"},
	{"github.com/spf13/cobra", []string{"internal/cli"}, "one room speaks the command line"},
	{"github.com/pelletier/...", []string{"internal/config"}, "one room speaks TOML"},
}

// TestImports holds the direct imports of every package (its tests aside)
// against the rules of docs/ARCHITECTURE.md.
func TestImports(t *testing.T) {
	seen := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if name := d.Name(); path != "." && (strings.HasPrefix(name, ".") || name == "testdata") {
			return filepath.SkipDir
		}
		pkg, err := build.ImportDir(path, 0)
		if err != nil {
			if _, none := err.(*build.NoGoError); none {
				return nil
			}
			return err
		}
		seen++
		room := filepath.ToSlash(path)
		for _, imp := range pkg.Imports {
			for _, r := range rules {
				if !within(room, r.room) {
					continue
				}
				if r.onlyOurs != nil && strings.HasPrefix(imp, "tidings/") && !anyMatch(r.onlyOurs, imp) {
					t.Errorf("%s imports %s: %s", room, imp, r.why)
				}
				if anyMatch(r.forbidden, imp) {
					t.Errorf("%s imports %s: %s", room, imp, r.why)
				}
			}
			if strings.HasPrefix(room, "internal/") && room != "internal/cli" && room != "internal/bench" && (within(imp, "tidings/ui/...") || within(imp, "tidings/imapsession/...")) &&
				!(room == "internal/credential" && imp == "tidings/imapsession") {
				t.Errorf("%s imports %s: only cli composes the rooms", room, imp)
			}
			for _, a := range alone {
				if within(imp, a.path) && !anyRoom(a.rooms, room) {
					t.Errorf("%s imports %s: %s", room, imp, a.why)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 10 {
		t.Fatalf("only %d packages were looked at", seen)
	}
}

// within reports whether path is pattern, or below it where it ends in "/...".
func within(path, pattern string) bool {
	base, tree := strings.CutSuffix(pattern, "/...")
	return path == base || tree && strings.HasPrefix(path, base+"/")
}

func anyMatch(patterns []string, path string) bool {
	for _, p := range patterns {
		if within(path, p) {
			return true
		}
	}
	return false
}

func anyRoom(rooms []string, room string) bool {
	for _, r := range rooms {
		if within(room, r+"/...") {
			return true
		}
	}
	return false
}
