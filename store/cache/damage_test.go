package cache

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"tidings/store"
	"zombiezen.com/go/sqlite"
)

// heard collects what the person was told.
type heard struct {
	mu  sync.Mutex
	all []string
}

func (h *heard) say(s string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, s)
}

func (h *heard) said() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.all
}

// soundCheckpoint and the summaries of its rows are what soundFile keeps.
func soundCheckpoint(t testing.TB) store.Checkpoint {
	return store.Checkpoint{Place: inbox, List: listOf(t, 400), ModSeq: 9, AsOf: time.UnixMilli(9)}
}

func summariesOf(n int) (sums []*store.Summary) {
	for uid := store.UID(1); int(uid) <= n; uid++ {
		sums = append(sums, sumOf(uid))
	}
	return sums
}

// soundFile makes a cache and returns its octets.
func soundFile(t testing.TB) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sound.db")
	c := open(t, path)
	c.Keep(soundCheckpoint(t))
	c.KeepSummaries(inbox, summariesOf(400))
	c.KeepBody(inbox, 7, bytes.Repeat([]byte("abc"), 5000), true)
	settled(t, c)
	c.Close(time.Minute)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// survive opens what is at path and uses it: what it finds is what was kept, or
// nothing; and after that it works as if it were new. It returns what the person
// was told.
func survive(t *testing.T, path string) []string {
	t.Helper()
	var h heard
	c := Open(Options{Path: path, Bodies: 1 << 20, Say: h.say})
	defer c.Close(time.Minute)
	ctx := context.Background()
	want := soundCheckpoint(t)
	cp := load(t, c)
	if cp.List != nil && (!cp.List.Equal(want.List) || cp.ModSeq != want.ModSeq && cp.ModSeq != want.ModSeq+1) {
		t.Errorf("another list is found than was kept")
	}
	sums, err := c.Summaries(ctx, inbox, want.List.UIDs(0, 400))
	if err != nil {
		t.Error(err)
	}
	for _, s := range sums {
		if d := cmp.Diff(sumOf(s.UID), s, same); d != "" {
			t.Errorf("another summary is found than was kept: %s", d)
		}
	}
	if _, err := c.Body(ctx, inbox, 7); err != nil {
		t.Error(err)
	}
	// The damage may show only now, and then what was given before goes with it.
	// Each round finds some, or none is left.
	want.ModSeq++
	for round := 1; ; round++ {
		c.Keep(want)
		c.KeepSummaries(inbox, summariesOf(400))
		settled(t, c)
		cp = load(t, c)
		missing, err := c.Missing(ctx, inbox, want.List.UIDs(0, 400))
		sums, errSums := c.Summaries(ctx, inbox, want.List.UIDs(0, 400))
		if err != nil || errSums != nil {
			t.Error(err, errSums)
		}
		if cp.List != nil && cp.List.Equal(want.List) && cp.ModSeq == want.ModSeq && len(missing) == 0 && len(sums) == 400 {
			break
		}
		if round == 5 {
			t.Errorf("it is of no use afterwards: %v, %d missing, %d summaries; the person was told %q", cp, len(missing), len(sums), h.said())
			break
		}
	}
	return h.said()
}

// TestDamage: files of many kinds that are none of ours, or not any more.
func TestDamage(t *testing.T) {
	sound := soundFile(t)
	other := func(t *testing.T, path, sql string) {
		c, err := sqlite.OpenConn(path, sqlite.OpenReadWrite|sqlite.OpenCreate)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := script(c, sql); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name  string
		make  func(t *testing.T, path string)
		aside string // the name of what was there, "" where it is used as it is
		says  string
	}{
		{"sound", func(t *testing.T, path string) { write(t, path, sound) }, "", ""},
		{"empty", func(t *testing.T, path string) { write(t, path, nil) }, "", ""},
		{"text", func(t *testing.T, path string) { write(t, path, []byte("Dear diary,\n"+strings.Repeat("x", 5000))) }, "a.db.damaged", "was damaged"},
		{"cut", func(t *testing.T, path string) { write(t, path, sound[:len(sound)/2]) }, "a.db.damaged", "was damaged"},
		{"newer", func(t *testing.T, path string) {
			write(t, path, sound)
			other(t, path, "PRAGMA user_version = 99")
		}, "a.db.version", "another version's"},
		{"other tables", func(t *testing.T, path string) {
			write(t, path, sound)
			other(t, path, "DROP TABLE gone")
		}, "a.db.damaged", "was damaged"},
		{"foreign", func(t *testing.T, path string) { other(t, path, "CREATE TABLE recipe(name TEXT)") }, "a.db.foreign-1", "another program's"},
		{"directory", func(t *testing.T, path string) { mkdir(t, filepath.Join(path, "full")) }, "a.db.foreign-1", "another program's"},
		{"digest", func(t *testing.T, path string) {
			write(t, path, sound)
			other(t, path, "UPDATE row SET flags = flags | 4 WHERE id % 100 = 0")
		}, "a.db.damaged", "was damaged"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "a.db")
			c.make(t, path)
			said := survive(t, path)
			if c.aside == "" {
				if len(said) > 0 {
					t.Errorf("the person was told %q", said)
				}
				return
			}
			if len(said) != 1 || !strings.Contains(said[0], c.says) || !strings.Contains(said[0], c.aside) {
				t.Errorf("the person was told %q", said)
			}
			if _, err := os.Stat(filepath.Join(dir, c.aside)); err != nil {
				t.Error(err)
			}
			if said := survive(t, path); len(said) > 0 {
				t.Errorf("the next time the person was told %q", said)
			}
		})
	}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func mkdir(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(path, 0o700); err != nil {
		t.Fatal(err)
	}
}

// TestCut cuts the file off at every page.
func TestCut(t *testing.T) {
	sound := soundFile(t)
	for at := 4096; at < len(sound); at += 4096 * fewer {
		t.Run(fmt.Sprint(at/4096), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.db")
			write(t, path, sound[:at])
			if said := survive(t, path); len(said) != 1 {
				t.Errorf("the person was told %q", said)
			}
		})
	}
}

// TestFlipped changes octets at random, a few and whole sectors.
func TestFlipped(t *testing.T) {
	sound := soundFile(t)
	rounds := 150 / fewer
	if testing.Short() {
		rounds = 20
	}
	for i := range rounds {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			data := bytes.Clone(sound)
			if i%3 == 0 {
				at := rand.IntN(len(data)/512) * 512
				for j := range 512 {
					data[at+j] = byte(rand.Uint32())
				}
			} else {
				for range 1 + rand.IntN(20) {
					data[rand.IntN(len(data))] ^= 1 << rand.IntN(8)
				}
			}
			path := filepath.Join(t.TempDir(), "a.db")
			write(t, path, data)
			if said := survive(t, path); len(said) > 1 {
				t.Errorf("the person was told %q", said)
			}
			if t.Failed() {
				write(t, filepath.Join(os.TempDir(), "flipped.db"), data)
			}
		})
	}
}

// TestDamagedWhileOpen: the file is overwritten under a running cache.
func TestDamagedWhileOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	write(t, path, soundFile(t))
	var h heard
	c := Open(Options{Path: path, Say: h.say})
	defer c.Close(time.Minute)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, _ := f.Stat()
	if _, err := f.WriteAt(bytes.Repeat([]byte{0xa5}, int(info.Size())-4096), 4096); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if cp := load(t, c); cp.List != nil {
		t.Error("a list is found in a file full of nonsense")
	}
	want := soundCheckpoint(t)
	c.Keep(want)
	settled(t, c)
	if cp := load(t, c); cp.List == nil || !cp.List.Equal(want.List) {
		t.Error("it is of no use afterwards")
	}
	if said := h.said(); len(said) != 1 || !strings.Contains(said[0], "was damaged") {
		t.Errorf("the person was told %q", said)
	}
}

// TestNowhere: a directory that cannot be made; the cache is in memory then.
func TestNowhere(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "file"), nil)
	var h heard
	c := Open(Options{Path: filepath.Join(dir, "file", "a.db"), Say: h.say})
	defer c.Close(time.Minute)
	want := soundCheckpoint(t)
	c.Keep(want)
	settled(t, c)
	if cp := load(t, c); cp.List == nil || !cp.List.Equal(want.List) {
		t.Error("it does not work")
	}
	if said := h.said(); len(said) != 1 || !strings.Contains(said[0], "no cache on disk") {
		t.Errorf("the person was told %q", said)
	}
}

// TestPrivate: nobody else may read what is kept, whatever was there before.
func TestPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tidings")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "a.db")
	write(t, path, soundFile(t))
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a.db", "b.db"} {
		c := open(t, filepath.Join(dir, name))
		c.Keep(soundCheckpoint(t))
		settled(t, c)
		load(t, c)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) < 6 {
		t.Fatal(entries, err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", e.Name(), info.Mode(), err)
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}
