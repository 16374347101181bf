package cache

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tidings/store"
)

// TestNoSharedMemory keeps and reads, by two in turns, where the file system refuses
// a write-ahead log. SQLite's VFS that locks nothing stands for one.
func TestNoSharedMemory(t *testing.T) {
	fileQuery = "?vfs=unix-none"
	t.Cleanup(func() { fileQuery = "" })
	path := filepath.Join(t.TempDir(), "a.db")
	synctest.Test(t, func(t *testing.T) {
		var h heard
		start := func() *Cache {
			c := Open(Options{Path: path, Bodies: 1 << 20, Say: h.say})
			t.Cleanup(func() { c.Close(10 * time.Second) })
			return c
		}
		// In turns: whoever is done has nothing left to do on the file.
		done := synctest.Wait
		writer := start()
		const n = 3000
		writer.Keep(store.Checkpoint{Place: inbox, List: listOf(t, n), ModSeq: 99, AsOf: time.UnixMilli(1700000000123)})
		settled(t, writer)
		done()
		reader := start()
		done()
		for from := store.UID(1); from <= n; from += 100 {
			writer.KeepSummaries(inbox, summariesOf(n)[from-1:from+99])
			if from%1000 != 1 {
				continue
			}
			settled(t, writer)
			done()
			if _, err := reader.Missing(context.Background(), inbox, []store.UID{from}); err != nil {
				t.Fatal(err)
			}
		}
		settled(t, writer)
		done()
		last := start()
		done()
		for _, c := range []*Cache{writer, reader, last} {
			if cp := load(t, c); cp.List == nil || cp.List.Len() != n || cp.ModSeq != 99 {
				t.Errorf("loaded %v", cp)
			}
			if missing, err := c.Missing(context.Background(), inbox, []store.UID{1, n, n + 1}); err != nil || !slices.Equal(missing, []store.UID{n + 1}) {
				t.Errorf("%v is missing, %v", missing, err)
			}
		}
		want := "The cache's file system has no shared memory, so reading and writing the cache wait for each other."
		if said := h.said(); len(said) != 3 || slices.ContainsFunc(said, func(s string) bool { return s != want }) {
			t.Errorf("the person was told %q", said)
		}
	})
}
