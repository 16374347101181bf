package cache

import (
	"context"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"tidings/store"
)

// TestNoSharedMemory keeps and reads, by two in turns, where the file system refuses
// a write-ahead log. SQLite's VFS that locks nothing stands for one.
func TestNoSharedMemory(t *testing.T) {
	fileQuery = "?vfs=unix-none"
	t.Cleanup(func() { fileQuery = "" })
	path := filepath.Join(t.TempDir(), "a.db")
	var mu sync.Mutex
	var said []string
	start := func() *Cache {
		c := Open(Options{Path: path, Bodies: 1 << 20, Say: func(s string) {
			mu.Lock()
			defer mu.Unlock()
			said = append(said, s)
		}})
		t.Cleanup(func() { c.Close(10 * time.Second) })
		return c
	}
	writer, reader := start(), start()
	const n = 3000
	writer.Keep(store.Checkpoint{Place: inbox, List: listOf(t, n), ModSeq: 99, AsOf: time.UnixMilli(1700000000123)})
	for from := store.UID(1); from <= n; from += 100 {
		var sums []*store.Summary
		for uid := from; uid < from+100; uid++ {
			sums = append(sums, sumOf(uid))
		}
		writer.KeepSummaries(inbox, sums)
		if from%1000 != 1 {
			continue
		}
		settled(t, writer)
		if _, err := reader.Missing(context.Background(), inbox, []store.UID{from}); err != nil {
			t.Fatal(err)
		}
	}
	settled(t, writer)
	for _, c := range []*Cache{writer, reader, start()} {
		if cp := load(t, c); cp.List == nil || cp.List.Len() != n || cp.ModSeq != 99 {
			t.Errorf("loaded %v", cp)
		}
		if missing, err := c.Missing(context.Background(), inbox, []store.UID{1, n, n + 1}); err != nil || !slices.Equal(missing, []store.UID{n + 1}) {
			t.Errorf("%v is missing, %v", missing, err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	want := "The cache's file system has no shared memory, so reading and writing the cache wait for each other."
	if len(said) != 3 || slices.ContainsFunc(said, func(s string) bool { return s != want }) {
		t.Errorf("the person was told %q", said)
	}
}
