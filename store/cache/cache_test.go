package cache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"tidings/internal/safetext"
	"tidings/store"

	"github.com/google/go-cmp/cmp"
)

// asked is a Place of the tests.
var inbox = store.Place{Mailbox: "INBOX", UIDValidity: 7}

// open opens a cache that says nothing, or the test fails.
func open(t testing.TB, path string) *Cache {
	t.Helper()
	c := Open(Options{Path: path, Bodies: 1 << 20, Say: func(s string) { t.Errorf("the person was told: %s", s) }})
	t.Cleanup(func() { c.Close(10 * time.Second) })
	return c
}

// settled waits until everything is written.
func settled(t testing.TB, c *Cache) {
	t.Helper()
	if err := c.Settled(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// load loads the inbox whole.
func load(t testing.TB, c *Cache) store.Checkpoint {
	t.Helper()
	cp, err := c.Load(context.Background(), inbox.Mailbox, nil)
	if err != nil {
		t.Fatal(err)
	}
	return cp
}

// listOf has the UIDs 1 to n, flags by UID.
func listOf(t testing.TB, n int) *store.List {
	t.Helper()
	var b store.Builder
	for i := range n {
		f := store.NoFlags
		if i%3 == 0 {
			f |= store.Seen
		}
		if err := b.Add(store.Row{UID: store.UID(i + 1), Flags: f}); err != nil {
			t.Fatal(err)
		}
	}
	return b.List()
}

// sumOf is a summary as mail has it.
func sumOf(uid store.UID) *store.Summary {
	at := time.Unix(1700000000+int64(uid)*61, 0).In(time.FixedZone("", 3600))
	from := store.Address{Name: safetext.Clean(fmt.Sprintf("Søren Kåre %d", uid%97)), Addr: safetext.Clean("soren@example.org"), Raw: "soren@example.org"}
	return &store.Summary{
		UID: uid, Internal: at, Date: at.Add(-time.Minute), Size: int64(uid) * 13,
		From:    []store.Address{from},
		To:      []store.Address{{Addr: safetext.Clean("anna@example.net"), Raw: "anna@example.net"}},
		Subject: safetext.Clean(fmt.Sprintf("Re: the figures of quarter %d and what follows", uid)), MessageID: fmt.Sprintf("m%d@example.org", uid),
		InReplyTo: []string{fmt.Sprintf("m%d@example.org", uid/2)}, References: []string{"m1@example.org", fmt.Sprintf("m%d@example.org", uid/2)},
	}
}

// same compares Summaries; Texts and zones by what they say.
var same = cmp.Options{
	cmp.Transformer("text", func(t safetext.Text) string { return t.String() }),
	cmp.Transformer("time", func(t time.Time) string { return t.Format(time.RFC3339) }),
}

func TestSchemaDigest(t *testing.T) {
	db, err := openMemory()
	if err != nil {
		t.Fatal(err)
	}
	defer db.close()
	text, err := schemaOf(db.writer.Conn)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(text))
	if got := hex.EncodeToString(sum[:8]); got != schemaDigest {
		t.Errorf("the schema's digest is %s, the constant says %s; a changed schema needs another schemaVersion", got, schemaDigest)
	}
}

// TestKept keeps a mailbox, opens the file again, and finds it.
func TestKept(t *testing.T) {
	for _, path := range []string{"", filepath.Join(t.TempDir(), "a.db")} {
		c := open(t, path)
		if cp := load(t, c); cp.List != nil {
			t.Fatal("something is kept from the start")
		}
		asof := time.UnixMilli(1700000000123)
		cp := store.Checkpoint{Place: inbox, List: listOf(t, 3000), ModSeq: 99, AsOf: asof, Selected: 2990}
		c.Keep(cp)
		var sums []*store.Summary
		for uid := store.UID(1); uid <= 3000; uid++ {
			sums = append(sums, sumOf(uid))
		}
		c.KeepSummaries(inbox, sums)
		settled(t, c)
		if path != "" {
			c.Close(time.Second)
			c = open(t, path)
		}
		pages := 0
		got, err := c.Load(context.Background(), "INBOX", func(p store.Checkpoint, s []*store.Summary) {
			pages++
			if p.List.Len() != 3000 || p.List.CountKnown() != newestRows || len(s) != newestRows || p.ModSeq != 99 || p.Selected != 2990 {
				t.Errorf("the first page is %d rows, %d known, %d summaries", p.List.Len(), p.List.CountKnown(), len(s))
			}
		})
		if err != nil || pages != 1 {
			t.Fatal(err, pages)
		}
		if !got.List.Equal(cp.List) || got.ModSeq != 99 || !got.AsOf.Equal(asof) || got.UIDValidity != 7 {
			t.Errorf("loaded %v", got)
		}
		back, err := c.Summaries(context.Background(), inbox, []store.UID{5, 3000, 4000})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]*store.Summary{sumOf(5), sumOf(3000)}, back, same); d != "" {
			t.Error(d)
		}
		missing, err := c.Missing(context.Background(), inbox, []store.UID{4000, 3, 3001})
		if d := cmp.Diff([]store.UID{4000, 3001}, missing); d != "" || err != nil {
			t.Error(d, err)
		}
	}
}

// TestFill keeps summaries as a cold fill does, while others wait for the disk
// and read: all of them are there at the end.
func TestFill(t *testing.T) {
	c := open(t, filepath.Join(t.TempDir(), "a.db"))
	const n, chunk = 3000, 300
	c.Keep(store.Checkpoint{Place: inbox, List: listOf(t, n), ModSeq: 1, AsOf: time.UnixMilli(1)})
	done := make(chan struct{})
	var others sync.WaitGroup
	for range 2 {
		others.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if err := c.Settled(context.Background()); err != nil {
					t.Error(err)
				}
				if _, err := c.Summaries(context.Background(), inbox, []store.UID{1, n / 2, n}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for hi := n; hi > 0; hi -= chunk {
		var sums []*store.Summary
		var uids []store.UID
		for uid := hi; uid > hi-chunk; uid-- {
			uids = append(uids, store.UID(uid))
			sums = append(sums, sumOf(store.UID(uid)))
		}
		if missing, err := c.Missing(context.Background(), inbox, uids); err != nil || len(missing) != chunk {
			t.Fatalf("%d are missing before they are kept: %v", len(missing), err)
		}
		c.KeepSummaries(inbox, sums)
		if missing, err := c.Missing(context.Background(), inbox, uids); err != nil || len(missing) != 0 {
			t.Fatalf("%d are missing right after: %v", len(missing), err)
		}
	}
	close(done)
	others.Wait()
	settled(t, c)
	missing, err := c.Missing(context.Background(), inbox, load(t, c).List.UIDs(0, n))
	if err != nil || len(missing) != 0 {
		t.Errorf("%d are missing at the end: %v", len(missing), err)
	}
}

// TestBegunWithTheFirstThingKept: an account that was never opened has no file until
// there is something to be kept; who reads before finds nothing, at once, and what
// another process has begun meanwhile is seen.
func TestBegunWithTheFirstThingKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	unused, reader, writer := open(t, path), open(t, path), open(t, path)
	cp := load(t, reader)
	if cp.List != nil {
		t.Errorf("loaded %v", cp)
	}
	unused.Close(time.Minute)
	if files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); err != nil || len(files) > 0 {
		t.Fatalf("nothing is kept, and there are %q (%v)", files, err)
	}
	writer.Keep(store.Checkpoint{Place: inbox, List: listOf(t, 5), AsOf: time.UnixMilli(1700000000123)})
	settled(t, writer)
	if cp := load(t, reader); cp.List == nil || cp.List.Len() != 5 {
		t.Errorf("loaded %v after another process kept it", cp)
	}
	if cp := load(t, unused); cp.List != nil {
		t.Errorf("loaded %v from a cache that is closed", cp)
	}
}
